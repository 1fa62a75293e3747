"""What one cell means, and the reasons it is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from headcount.load import cells
from headcount.load.cells import Refusal

BERLIN = ZoneInfo("Europe/Berlin")


def instant(value: object) -> str | None:
    """Return the instant that *value* means in Berlin, in ISO form."""
    micros = cells.instant(value, BERLIN)
    if micros is None:
        return None
    return (cells.EPOCH + dt.timedelta(microseconds=micros)).isoformat()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12", 12.0),
        (" 12.50 ", 12.5),
        ("-3e2", -300.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("+7", 7.0),
        ("007", 7.0),
        ("-0", 0.0),
        ("0.1", 0.1),
        ("9007199254740992", 2.0**53),
        ("0.30000000000000004", 0.1 + 0.2),  # as programs print a double
        ("123456789.012345", 123456789.012345),
        ("", None),
        ("  ", None),
        (None, None),
        (3, 3.0),
        (2.5, 2.5),
        (Decimal("2.50"), 2.5),
    ],
)
def test_numbers(value: object, number: float | None) -> None:
    """A number is the double that prints as what was written."""
    assert cells.number(value) == number


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1,234.50", "remove the comma"),
        ("1,234", "remove the comma"),
        ("1,5", "decimal point, not a comma"),
        ("1.234,50", "decimal point, not a comma"),
        ("$5", "no currency"),
        ("5 €", "no currency"),
        ("12%", "percent"),
        ("NaN", "NaN and infinities"),
        ("-inf", "NaN and infinities"),
        (float("nan"), "NaN and infinities"),
        (float("inf"), "NaN and infinities"),
        ("NULL", "leave the cell empty"),
        ("N/A", "leave the cell empty"),
        ("1_000", "expected a number"),
        ("0x10", "expected a number"),
        ("٣", "expected a number"),
        ("9007199254740993", "stop being exact"),
        (2**53 + 1, "stop being exact"),
        (2.0**54, "stop being exact"),
        ("1e400", "stop being exact"),
        ("0.1234567890123456789", "more digits"),
        ("12345678.123456789012", "more digits"),
        ("1e-400", "more digits"),
        (True, "found true or false"),
        ([1], "found a list"),
        ({"a": 1}, "found an object"),
    ],
)
def test_what_is_no_number(value: object, reason: str) -> None:
    """Each common spelling that is not a number is refused with how to mend it."""
    with pytest.raises(Refusal, match=reason):
        cells.number(value)


@pytest.mark.parametrize("value", ["true", "TRUE", "t", "Yes", "1", " true ", True, 1])
def test_true(value: object) -> None:
    """The spellings of true, in any case."""
    assert cells.boolean(value) is True


@pytest.mark.parametrize("value", ["false", "False", "F", "no", "0", False, 0])
def test_false(value: object) -> None:
    """The spellings of false, in any case."""
    assert cells.boolean(value) is False


@pytest.mark.parametrize("value", ["", "  ", None])
def test_an_empty_cell_is_missing(value: object) -> None:
    """Nothing is neither true nor false, nor any other value."""
    assert cells.boolean(value) is None
    assert cells.date(value) is None
    assert cells.number(value) is None
    assert instant(value) is None
    assert cells.keywords(value) is None


@pytest.mark.parametrize("value", ["NULL", "2", "maybe", 2, 1.0, ["true"]])
def test_what_is_no_boolean(value: object) -> None:
    """All else is refused, the numbers other than 0 and 1 too."""
    with pytest.raises(Refusal, match="expected true or false"):
        cells.boolean(value)


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-04-03", "2026-04-03"),
        (" 2024-02-29 ", "2024-02-29"),
        ("2026-04-03T00:00:00", "2026-04-03"),  # what writers without a date type make of it
        ("2026-04-03 00:00:00.000", "2026-04-03"),
        ("0001-01-01", "0001-01-01"),
        ("9999-12-31", "9999-12-31"),
    ],
)
def test_dates(value: str, day: str) -> None:
    """A date is written year first, with hyphens; midnight without an offset stands for the day."""
    expected = (dt.date.fromisoformat(day) - dt.date(1970, 1, 1)).days
    assert cells.date(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("03/04/2026", "ambiguous: day or month first"),
        ("3.4.26", "ambiguous"),
        ("2026/04/03", "hyphens"),
        ("2026-4-3", "two digits"),
        ("20260403", "expected a date such as"),
        ("2026-02-29", "no such day"),
        ("2026-13-01", "no such day"),
        ("0000-01-01", "no such day"),
        ("2026-04-03T10:00:00Z", "no clock time"),
        ("2026-04-03T10:00:00", "no clock time"),
        ("tomorrow", "expected a date such as"),
        (45000, "found a whole number"),
    ],
)
def test_what_is_no_date(value: object, reason: str) -> None:
    """An ambiguous, impossible or timed date is refused with what was expected."""
    with pytest.raises(Refusal, match=reason):
        cells.date(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-04-03T15:30:00Z", "2026-04-03T15:30:00"),
        ("2026-04-03t15:30:00z", "2026-04-03T15:30:00"),
        ("2026-04-03 15:30:00+02:00", "2026-04-03T13:30:00"),
        ("2026-04-03T15:30-0330", "2026-04-03T19:00:00"),
        ("2026-04-03T15:30:00.123456Z", "2026-04-03T15:30:00.123456"),
        ("2026-04-03T15:30:00.1234560000Z", "2026-04-03T15:30:00.123456"),
        ("2026-04-03T15:30:00", "2026-04-03T13:30:00"),  # Berlin, summer
        ("2026-01-03T15:30:00", "2026-01-03T14:30:00"),  # Berlin, winter
        ("2026-04-03", "2026-04-02T22:00:00"),
        ("0", "1970-01-01T00:00:00"),
        ("1775230200", "2026-04-03T15:30:00"),
        ("1775230200123", "2026-04-03T15:30:00.123000"),
        ("1775230200.25", "2026-04-03T15:30:00.250000"),
        ("-1", "1969-12-31T23:59:59"),
        (1775230200, "2026-04-03T15:30:00"),
        (1775230200.123456, "2026-04-03T15:30:00.123456"),
        (99_999_999_999, "5138-11-16T09:46:39"),
        (100_000_000_000, "1973-03-03T09:46:40"),
        (Decimal("1775230200.25"), "2026-04-03T15:30:00.250000"),
        (18991231, "1970-08-08T19:20:31"),  # no year that is meant
        ("20241301", "1970-08-23T06:35:01"),  # no month
        (20240300, "1970-08-23T06:18:20"),  # no day
    ],
)
def test_instants(value: object, expected: str) -> None:
    """RFC 3339, the workspace's clock, and seconds or milliseconds since 1970."""
    assert instant(value) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("2026-04-03T15:30:00.1234567Z", "at most 6 decimals"),
        ("1775230200.1234567", "at most 6 decimals"),
        (Decimal("0.00000001"), "at most 6 decimals"),
        ("03/04/2026 10:00", "ambiguous"),
        ("2026-02-30T00:00:00Z", "no such day"),
        ("2026-04-03T24:00:00Z", "no such clock time"),
        ("2026-12-31T23:59:60Z", "leap second"),
        ("2026-04-03T10:00:00+25:00", "no such offset"),
        ("2026-04-03T10:00:00 PM", "expected a time such as"),
        ("yesterday", "expected a time such as"),
        ("20240310", "ambiguous: a day, or seconds since 1970"),
        (20240310, "ambiguous"),
        (20240310.0, "ambiguous"),
        (19000101, "ambiguous"),
        (21001231, "ambiguous"),
        ("1775230200123456", "outside the years"),  # microseconds
        (10**400, "outside the years"),
        (Decimal("1e9999"), "outside the years"),
        ("9999-12-31T23:59:59-01:00", "outside the years"),
        (float("nan"), "NaN"),
        (True, "found true or false"),
    ],
)
def test_what_is_no_instant(value: object, reason: str) -> None:
    """Too fine, impossible or ambiguous times are refused."""
    with pytest.raises(Refusal, match=reason):
        instant(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a; b ;;a", ["a", "b"]),
        (["a", " b", "", None, "a"], ["a", "b"]),
        ([1, "x"], ["1", "x"]),
        ("one", ["one"]),
        (";;", None),
        ([], None),
        (7, ["7"]),
    ],
)
def test_keywords(value: object, expected: list[str] | None) -> None:
    """A set is trimmed, without empties or repetitions; an empty one is missing."""
    assert cells.keywords(value) == expected


def test_null_words_are_text() -> None:
    """Only an empty cell is missing: NULL and N/A are values of a text field."""
    assert cells.string("NULL") == "NULL"
    assert cells.string("N/A") == "N/A"
    assert cells.string("") is None
    assert cells.string(" ") == " "


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x" * 65_537, "over 65,536 bytes"),
        ("é" * 32_769, "over 65,536 bytes"),
        ("\ud800", "surrogate"),
        (1.5, "found a decimal number"),
        (True, "found true or false"),
    ],
)
def test_what_is_no_text(value: object, reason: str) -> None:
    """Text is bounded and encodable, and nothing but whole numbers becomes text."""
    with pytest.raises(Refusal, match=reason):
        cells.string(value)


@pytest.mark.parametrize("value", ["a", "ü" * 128, "1.0", "a b", 42, 2**63])
def test_contact_ids(value: object) -> None:
    """An id is text of up to 256 bytes, or a whole number."""
    assert cells.contact_id(value) == str(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "missing"),
        ("", "missing"),
        (1.0, "text or a whole number"),
        (Decimal("1e6"), "text or a whole number"),
        ("x" * 257, "at most 256 bytes"),
        ("ü" * 129, "at most 256 bytes"),
        (" a", "spaces around"),
        ("a\u00a0", "spaces around"),
        ("a\nb", "control character"),
    ],
)
def test_what_is_no_contact_id(value: object, reason: str) -> None:
    """A missing, long, padded or unprintable id is refused."""
    with pytest.raises(Refusal, match=reason):
        cells.contact_id(value)


def test_choices_match_in_any_case() -> None:
    """A closed set has one spelling; others are refused with the list."""
    known = {"hard bounce": "Hard Bounce", "active": "Active"}
    assert cells.choice(" hard BOUNCE ", known, False) == "Hard Bounce"
    assert cells.choice("", known, False) is None
    with pytest.raises(Refusal, match="expected one of Hard Bounce, Active"):
        cells.choice("Bounced", known, False)
    with pytest.raises(Refusal, match="expected one of"):
        cells.choice("active", {"Active": "Active"}, True)
