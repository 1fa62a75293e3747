"""Breakdowns against the oracle: every value, the others, and those without one."""

from __future__ import annotations

import datetime as dt
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from headcount.model.errors import Reason, UserError
from headcount.query import breakdown as breakdown_module
from headcount.query import tree
from headcount.query.breakdown import Bar, Breakdown, breakdown
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.grouping import tallied
from support.compare import Case
from support.engines import Engines, context_at, view_of
from support.held import Held, grouped_cases
from support.shop import AS_OF, SHOP

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 2
CONTEXT = context_at(AS_OF, "Europe/Berlin")


def ask(by: str | tree.Value, query: str = "everyone", top: int = 20) -> Breakdown:
    """Return a breakdown of the shop, two contacts a block."""
    return breakdown(Engine(view_of(SHOP, 2)), query, by, CONTEXT, top=top)


def bars(by: str | tree.Value, query: str = "everyone", top: int = 20) -> list[tuple[object, int]]:
    """Return the values and counts of a breakdown of the shop."""
    return [(bar.value, bar.count) for bar in ask(by, query, top).bars]


# --- against the oracle -----------------------------------------------------------------------


def expected(case: Case, by: tree.Value, top: int) -> tuple[int, int, int, int, list[Bar]]:
    """Return count, missing, others, distinct and bars, by asking the oracle for every contact."""
    held = Held(case, by)
    members = case.expected()
    counts = held.counts(members)
    spellings = held.spellings(members)
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:top]
    shown = {value for value, _ in ordered}
    missing = sum(map(held.is_missing, members))
    others = sum(
        not held.is_missing(contact) and not shown & set(held.counts([contact]))
        for contact in members
    )
    found = [Bar(spellings.get(value, value), n) for value, n in ordered]  # type: ignore[call-overload]
    return len(members), missing, others, len(counts), found


def said(found: Breakdown) -> tuple[int, int, int, int, list[Bar]]:
    """Return the same of a breakdown, instants in UTC."""
    in_utc = [
        Bar(bar.value.astimezone(dt.UTC), bar.count) if isinstance(bar.value, dt.datetime) else bar
        for bar in found.bars
    ]
    return found.count, found.missing, found.others, found.distinct, in_utc


def disagreement(seed: int, count: int) -> str | None:
    """Return a case in which a breakdown is not what the oracle says."""
    engines = Engines()
    for case, by in grouped_cases(seed, count):
        context = context_at(case.as_of, case.zone)
        top = 1 + seed % 4
        try:
            found = breakdown(engines.over(case.world), case.segment, by, context, top=top)
        except UserError as error:
            if "is the same for every contact" not in error.message:
                raise
            continue
        if said(found) != expected(case, by, top):
            return f"{canonical(by)} of {canonical(case.segment)}: {found}"
    return None


@pytest.mark.parametrize("run", range(4))
def test_breakdowns_are_the_oracles(run: int) -> None:
    """Count, missing, others, distinct and the top values, of fields and of computed values."""
    assert disagreement(SEED * 4 + run + 70, SEGMENTS // 4) is None


@pytest.mark.parametrize("mistake", ["shown", "bars"])
def test_a_mistake_shows(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A breakdown that is one off somewhere is seen by the same test."""
    for name in ("_NumberCounts", "_TextCounts", "_SetCounts"):
        kind = getattr(breakdown_module, name)
        right = getattr(kind, mistake)
        wrong = {"shown": lambda *a, r=right: r(*a) + 1, "bars": lambda *a, r=right: r(*a)[1:]}
        monkeypatch.setattr(kind, mistake, wrong[mistake])
    assert disagreement(5, 40) is not None


# --- by hand ----------------------------------------------------------------------------------


def test_values_are_told_apart_as_the_language_does() -> None:
    """`DE` and `de` are one country, in the spelling of most; `Pro` and `pro` are two plans."""
    assert bars("country") == [("DE", 2), ("US", 1)]
    assert bars("plan") == [("Free", 1), ("Pro", 1), ("pro", 1)]


def test_what_is_not_shown_is_counted_too() -> None:
    """Those with another value, and those with none, with their share."""
    found = ask("plan", top=1)
    assert found == Breakdown("plan", 6, 3, 2, 3, (Bar("Free", 1),), ())
    assert found.missing_share == 0.5
    assert ask("plan", "country = US and country = DE").missing_share == 0.0


def test_of_sets_a_contact_is_counted_once_a_value() -> None:
    """The counts of labels overlap; the others have none of those shown."""
    assert bars("label") == [("beta", 2), ("vip", 1)]
    found = ask("interests", top=1)
    assert (found.bars, found.missing, found.others) == ((Bar("Art", 1),), 4, 1)


def test_lists_are_values_too() -> None:
    """`list` and `opted_out` are the lists of a contact, where no field has these names."""
    assert bars("list") == [("news", 2), ("VIP Customers", 1)]
    assert bars("opted_out") == [("news", 1)]


def test_numbers_days_instants_and_flags_come_as_such() -> None:
    """A value comes back as it would be read from the contact, instants in the time zone."""
    assert bars("vip") == [(False, 2), (True, 1)]
    assert bars("orders", "orders > 2") == [(3.0, 1), (8.0, 1)]
    assert bars("born")[0] == (dt.date(1984, 2, 29), 1)
    (value, _), *_ = bars("signed_up", 'id = "ann"')
    assert isinstance(value, dt.datetime)
    assert value.isoformat() == "2026-05-01T12:00:00+02:00"


def test_how_often_something_was_done() -> None:
    """Event counts are a value like any other."""
    assert bars("count(purchase in last 3 months)") == [(0.0, 5), (2.0, 1)]
    assert bars("purchase") == [(0.0, 4), (2.0, 1), (8.0, 1)]
    assert bars("month(born)") == [(2.0, 1), (5.0, 1), (12.0, 1)]
    assert bars("coalesce(city, country)", 'id in ("ann", "cem")') == [("de", 1), ("Köln", 1)]


def test_warnings_are_those_of_the_segment() -> None:
    """A typo in the segment is said here too."""
    assert [w.code for w in ask("plan", "country = Atlantis").warnings] == ["UNKNOWN_VALUE"]


@pytest.mark.parametrize(
    ("by", "reason", "message"),
    [
        ("plam", Reason.UNKNOWN_NAME, "unknown field `plam`"),
        ("today", Reason.TYPE_MISMATCH, "`today` is the same for every contact"),
        ("30 days", Reason.TYPE_MISMATCH, "is the same for every contact"),
        ("plan = Pro", Reason.SYNTAX, "expected"),
        ("city * 2", Reason.TYPE_MISMATCH, "needs a number"),
    ],
)
def test_what_is_no_value_is_refused(by: str, reason: Reason, message: str) -> None:
    """The error is that of the value, with its place."""
    with pytest.raises(UserError, match=message) as caught:
        ask(by)
    assert caught.value.reason is reason
    assert caught.value.position is not None


def test_a_segment_that_is_not_valid_is_refused() -> None:
    """The error is that of the segment."""
    with pytest.raises(UserError, match="unknown field `contry`"):
        ask("plan", "contry = DE")


def test_too_many_different_values_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit it is an answer, one past it an error that says what to do."""
    monkeypatch.setattr(breakdown_module, "MOST_DISTINCT", 6)
    assert ask("id").distinct == 6
    monkeypatch.setattr(breakdown_module, "MOST_DISTINCT", 5)
    with pytest.raises(UserError, match="`id` has more than 5 different values") as caught:
        ask("id")
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


@given(
    st.one_of(
        arrays.arrays(np.float64, st.integers(0, 30), elements=st.floats(allow_nan=False)),
        arrays.arrays(np.float64, st.integers(0, 30), elements=st.integers(-9, 9).map(float)),
        arrays.arrays(np.int64, st.integers(0, 30), elements=st.integers(-(2**60), 2**60)),
        arrays.arrays(np.int64, st.integers(0, 30), elements=st.integers(-9, 9)),
        arrays.arrays(np.bool_, st.integers(0, 30)),
    )
)
def test_tallied_is_a_counter(values: np.ndarray) -> None:
    """Distinct values in order, each with its number."""
    finite = values[np.isfinite(values)]
    distinct, counts = tallied(finite)
    assert list(zip(distinct, counts, strict=True)) == sorted(
        (value, int((finite == value).sum())) for value in set(finite.tolist())
    )
