"""Columns against their naive twin: `cells`, one value at a time."""

# ruff: noqa: DTZ001 - clock times without a zone are what is tested

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.block import ARROW_TYPES
from headcount.load import cells
from headcount.load.cells import Refusal
from headcount.load.coerce import Column, Mismatch, coerce, contact_ids, event_ids
from headcount.model.schema import Field, FieldType

ZONE = ZoneInfo("America/New_York")
FIELDS = {kind: Field("f", kind) for kind in FieldType if kind is not FieldType.STAGE}
FIELDS[FieldType.STAGE] = Field("f", FieldType.STAGE, values=("Lead", "Trial", "Customer"))

RULES = {
    FieldType.KEYWORD: cells.string,
    FieldType.TEXT: cells.string,
    FieldType.NUMBER: cells.number,
    FieldType.BOOLEAN: cells.boolean,
    FieldType.DATE: cells.date,
    FieldType.DATETIME: lambda v: cells.instant(v, ZONE),
    FieldType.KEYWORDS: cells.keywords,
    FieldType.STAGE: lambda v: cells.choice(
        v, {"lead": "Lead", "trial": "Trial", "customer": "Customer"}, False
    ),
}


def by_rule(values: list[Any], rule: Callable[[Any], Any]) -> tuple[list[Any], dict[int, str]]:
    """Return what *rule* makes of each value, and its refusals by row."""
    found, refused = [], {}
    for row, value in enumerate(values):
        try:
            found.append(rule(value))
        except Refusal as reason:
            found.append(None)
            refused[row] = str(reason)
    return found, refused


def twin(values: list[Any], kind: FieldType) -> tuple[list[Any], dict[int, str]]:
    """Return what `cells` makes of each value, typed, and its refusals by row."""
    found, refused = by_rule(values, RULES[kind])
    return pa.array(found, ARROW_TYPES[kind]).to_pylist(), refused


def read(column: Column, kind: FieldType) -> tuple[list[Any], dict[int, str]]:
    """Return what `coerce` makes of *column*, in the same form."""
    found = coerce(column, FIELDS[kind], ZONE)
    assert found.values.type == ARROW_TYPES[kind]
    found.values.validate(full=True)
    return found.values.to_pylist(), {r.row: r.reason for r in found.refused}


digits = st.text("0123456789", min_size=1, max_size=18)
number_text = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.builds("{}{}.{}{}".format, st.sampled_from(["", "-", "+", " "]), digits, digits,
              st.sampled_from(["", "e5", "E-320", " ", "%"])),
    st.sampled_from(["9007199254740993", "1,234.50", "0.000", "1e-400", "-0", "4e-324", "0x1F"]),
)  # fmt: skip
instants = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))
offsets = st.sampled_from(["", "Z", "z", "+02:00", "-0330", "+02", " +01:00", "+24:00", "-12:00"])
time_text = st.one_of(
    st.builds(lambda t, sep, spec, z: t.isoformat(sep, spec) + z, instants,
              st.sampled_from("T t"), st.sampled_from(["hours", "minutes", "seconds",
              "milliseconds", "microseconds"]), offsets),
    st.builds("{}.{}{}".format, instants.map(lambda t: t.isoformat("T", "seconds")), digits,
              offsets),
    st.integers(-(10**16), 10**16).map(str),
    st.floats(-1e13, 1e13).map(repr),
    instants.map(lambda t: t.date().isoformat()),
    st.builds("{:04}-{:02}-{:02}".format, st.integers(0, 9999), st.integers(0, 13),
              st.integers(0, 32)),
    st.from_regex(r"\A\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,8})?)?(Z|[+-]\d\d:?\d\d)?\Z"),
)  # fmt: skip
words = st.sampled_from(["true", "F", "Yes", "0", "lead", "TRIAL", "a;b", " a ; ;a", ";", "N/A"])
texts = st.one_of(st.none(), st.just(""), number_text, time_text, words, st.text(max_size=8))
# Runs of one good value make the columns long enough to be halved.
columns = st.lists(st.tuples(texts, st.integers(1, 90)), max_size=8).map(
    lambda runs: [text for text, times in runs for _ in range(times)]
)


@pytest.mark.parametrize("kind", sorted(FieldType))
@settings(deadline=None)
@given(values=columns)
def test_text_is_read_as_cell_by_cell(kind: FieldType, values: list[str | None]) -> None:
    """Whatever way a column of text takes, each row is what `cells` makes of it."""
    assert read(pa.array(values, pa.string()), kind) == twin(values, kind)


@pytest.mark.parametrize("kind", sorted(FieldType))
@settings(deadline=None)
@given(values=columns)
def test_encodings_do_not_matter(kind: FieldType, values: list[str | None]) -> None:
    """Dictionaries, large strings, slices and plain Python values give the same."""
    array = pa.array(values, pa.string())
    expected = read(array, kind)
    assert read(array.dictionary_encode(), kind) == expected
    assert read(array.cast(pa.large_string()), kind) == expected
    padded = pa.concat_arrays([pa.array(["zzz"]), array, pa.array(["zzz"])])
    assert read(padded.slice(1, len(array)), kind) == expected
    assert read(list(values), kind) == expected


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), max_size=30))
def test_whole_numbers(values: list[int | None]) -> None:
    """Integer columns become numbers, flags, instants and text as their values would."""
    for kind in (FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATETIME, FieldType.KEYWORD):
        assert read(pa.array(values, pa.int64()), kind) == twin(values, kind)


def test_whole_numbers_around_the_edges() -> None:
    """2**53 is the last exact number; 1e11 the first that counts milliseconds."""
    values = [2**53, 2**53 + 1, -(2**53), -(2**53) - 1, 2**53 - 1, 10**11, 10**11 - 1, 0, 1]
    for kind in (FieldType.NUMBER, FieldType.DATETIME):
        assert read(pa.array(values), kind) == twin(values, kind)
    assert read(pa.array([2**64 - 1], pa.uint64()), FieldType.KEYWORD)[0] == [str(2**64 - 1)]
    assert read(pa.array([2**64 - 1], pa.uint64()), FieldType.DATETIME)[1].keys() == {0}


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats()), max_size=30))
def test_floats(values: list[float | None]) -> None:
    """Float columns become numbers and instants as their values would."""
    for kind in (FieldType.NUMBER, FieldType.DATETIME):
        assert read(pa.array(values, pa.float64()), kind) == twin(values, kind)


def test_minus_zero_is_zero() -> None:
    """-0.0 and 0.0 are one number, so that they are one value of an index."""
    found = coerce(pa.array([-0.0, 0.0]), FIELDS[FieldType.NUMBER], ZONE)
    assert not np.signbit(found.values.to_numpy()).any()
    text = coerce(pa.array(["-0", "-0.0"]), FIELDS[FieldType.NUMBER], ZONE)
    assert not np.signbit(text.values.to_numpy()).any()


def test_decimals() -> None:
    """A decimal column is read as its digits, and refused where a double cannot hold them."""
    column = pa.array(["1.10", "12345678901234567890.1", None], pa.string()).cast(
        pa.decimal128(30, 2)
    )
    found, refused = read(column, FieldType.NUMBER)
    assert found == [1.1, None, None]
    assert refused.keys() == {1}


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit(unit: str) -> None:
    """With a time zone a timestamp is an instant; without one it is the workspace's clock."""
    clock = dt.datetime(2026, 7, 1, 12)
    aware = pa.array([clock, None]).cast(pa.timestamp(unit, "Asia/Tokyo"))
    naive = pa.array([clock, None]).cast(pa.timestamp(unit))
    utc = clock.replace(tzinfo=dt.UTC)
    assert read(aware, FieldType.DATETIME) == ([utc, None], {})
    assert read(naive, FieldType.DATETIME) == ([utc + dt.timedelta(hours=4), None], {})


def test_nanoseconds_are_refused_not_cut() -> None:
    """An instant finer than a microsecond is refused, a whole one is not."""
    column = pa.array([1_000, 1_001, -1], pa.timestamp("ns", "UTC"))
    found, refused = read(column, FieldType.DATETIME)
    assert found[0] == dt.datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=dt.UTC)
    assert found[1:] == [None, None]
    assert "cut the nanoseconds" in refused[1]
    assert refused.keys() == {1, 2}


def test_instants_outside_the_calendar_are_refused() -> None:
    """Years before 1 and after 9999 cannot be shown to anyone, so they are not stored."""
    column = pa.array([10**15, -(10**15), 0], pa.int64()).cast(pa.timestamp("s"))
    found, refused = read(column, FieldType.DATETIME)
    assert found[2] == dt.datetime(1970, 1, 1, 5, tzinfo=dt.UTC)
    assert refused == {0: "outside the years 1 to 9999", 1: "outside the years 1 to 9999"}
    assert read(pa.array([4_000_000], pa.int32()).cast(pa.date32()), FieldType.DATE)[1].keys() == {
        0
    }


def test_days_for_dates_and_datetimes() -> None:
    """A day is a date, and as a datetime the start of that day; midnight timestamps are days."""
    days = pa.array([dt.date(2026, 7, 1), None])
    assert read(days, FieldType.DATE) == ([dt.date(2026, 7, 1), None], {})
    midnight = dt.datetime(2026, 7, 1, 4, tzinfo=dt.UTC)
    assert read(days, FieldType.DATETIME) == ([midnight, None], {})
    clock = pa.array([dt.datetime(2026, 7, 1), dt.datetime(2026, 7, 1, 1)], pa.timestamp("ns"))
    found, refused = read(clock, FieldType.DATE)
    assert found == [dt.date(2026, 7, 1), None]
    assert "no clock time" in refused[1]


set_values = st.one_of(st.none(), st.sampled_from(["a", "b", " a", "", "c "]), st.text(max_size=3))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.lists(set_values, max_size=5)), max_size=12))
def test_lists_are_sets(values: list[list[str | None] | None]) -> None:
    """List columns of every width become trimmed sets, as their values would."""
    expected = twin(values, FieldType.KEYWORDS)
    for kind in (pa.list_(pa.string()), pa.large_list(pa.large_string())):
        column = pa.array(values, kind)
        assert read(column, FieldType.KEYWORDS) == expected
        padded = pa.concat_arrays([pa.array([["q"]], kind), column])
        assert read(padded.slice(1), FieldType.KEYWORDS) == expected


def test_lists_of_fixed_size_and_of_codes() -> None:
    """Fixed-size lists and lists of dictionary codes are lists."""
    fixed = pa.array([["a", "b"], None, ["c", "c"]], pa.list_(pa.string(), 2))
    assert read(fixed, FieldType.KEYWORDS)[0] == [["a", "b"], None, ["c"]]
    coded = pa.ListArray.from_arrays([0, 2, 2], pa.array(["x", "y"]).dictionary_encode())
    assert read(coded, FieldType.KEYWORDS)[0] == [["x", "y"], None]
    numbers = pa.array([[3, 4]], pa.list_(pa.int16()))
    assert read(numbers, FieldType.KEYWORDS)[0] == [["3", "4"]]


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([{"a": 1}]), FieldType.NUMBER),
        (pa.array([True]), FieldType.NUMBER),
        (pa.array([1.5]), FieldType.KEYWORD),
        (pa.array([True]), FieldType.TEXT),
        (pa.array([1.0]), FieldType.BOOLEAN),
        (pa.array([1]), FieldType.DATE),
        (pa.array([dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]), FieldType.DATE),
        (pa.array([dt.time(1)]), FieldType.DATETIME),
        (pa.array([[1.5]]), FieldType.KEYWORDS),
        (pa.array([b"\xff"]), FieldType.TEXT),
    ],
)
def test_a_type_that_never_fits_is_a_mismatch(column: pa.Array, kind: FieldType) -> None:
    """Such a column is an error about the file, not one refusal a row."""
    with pytest.raises(Mismatch):
        coerce(column, FIELDS[kind], ZONE)


@pytest.mark.parametrize("kind", sorted(FieldType))
def test_a_column_of_nulls_fits_every_type(kind: FieldType) -> None:
    """A column that has no type has no values either."""
    assert read(pa.nulls(3), kind) == ([None] * 3, {})


@settings(deadline=None)
@given(st.lists(st.one_of(texts, st.text("a \t\u00a0\u3000é", max_size=4)), max_size=20))
def test_ids_are_read_as_cell_by_cell(values: list[str | None]) -> None:
    """Contact and event ids, whole columns at once, are what `cells` makes of each."""
    for function, rule in ((contact_ids, cells.contact_id), (event_ids, cells.event_id)):
        for column in (pa.array(values, pa.string()), list(values)):
            found = function(column)
            kept = dict(enumerate(found.values.to_pylist()))
            refused = {r.row: r.reason for r in found.refused}
            assert (list(kept.values()), refused) == by_rule(values, rule)


def test_whole_number_ids_keep_every_digit() -> None:
    """Integer ids are their digits; a float column is refused whole."""
    assert contact_ids(pa.array([2**63 - 1])).values.to_pylist() == [str(2**63 - 1)]
    with pytest.raises(Mismatch):
        contact_ids(pa.array([1.0, 2.0]))
    with pytest.raises(Mismatch):
        event_ids(pa.array([1.0, 2.0]))


@pytest.mark.parametrize("value", ["", "x", "é\U0001f600", "x" * 1000, 0, -0.0, 12.5, None])
@pytest.mark.parametrize("kind", [FieldType.KEYWORD, FieldType.STAGE, FieldType.NUMBER])
def test_a_column_of_one_value_is_as_one_of_many(value: Any, kind: FieldType) -> None:
    """Laid out by hand or by Arrow, it is the same array, also for what is made of it."""
    one = coerce([value], FIELDS[kind], ZONE)
    many = coerce([value, value], FIELDS[kind], ZONE)
    assert one.values.equals(many.values[:1])
    one.values.validate(full=True)
    assert pa.concat_arrays([one.values, many.values]).equals(pa.concat_arrays([one.values] * 3))
    assert (
        one.values.take(pa.array([0, None])).null_count == 2 - one.values.is_valid().sum().as_py()
    )
    sink = pa.BufferOutputStream()
    batch = pa.record_batch({"f": one.values})
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write(batch)
    assert pa.ipc.open_stream(sink.getvalue()).read_next_batch().equals(batch)
