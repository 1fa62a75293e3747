"""Sums compared by running sums, against sums of doubles contact by contact, at every edge."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import again
from headcount.index import running as held
from headcount.index.events import EventIndex
from headcount.index.interval import EVER, Interval
from headcount.model.schema import EventType, Field, FieldType
from headcount.query import running
from headcount.query.expressions import EventAggregate, Kind, Source
from headcount.query.ranges import Range, Ranges, holds, union
from support.event_worlds import TIME

AMOUNT = Field("amount", FieldType.NUMBER)
EVENT = EventType("bought", properties=(AMOUNT,))
ROWS = 6

cents = st.integers(0, 3_000).map(lambda number: number / 100)
amounts = st.one_of(cents, st.just(0.1), st.just(0.0), st.integers(0, 9).map(float), st.none())
events = st.lists(st.tuples(st.integers(0, ROWS - 2), amounts), max_size=60)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few events be enough, anchors be near, and sums be made at the first question."""
    monkeypatch.setattr(again, "_WAITS", False)
    monkeypatch.setattr(held, "_GAP", 8)
    monkeypatch.setattr(running, "_LEAST", 0)


def bought(given: list[tuple[int, float | None]]) -> EventIndex:
    """Return the index of events a second apart: (row, amount)."""
    table = pa.table(
        {
            "row": pa.array([row for row, _ in given], pa.uint32()),
            "time": pa.array([at * 10**6 for at in range(len(given))], pa.int64()).cast(TIME),
            "property.amount": pa.array([amount for _, amount in given], pa.float64()),
        }
    )
    return EventIndex.build(table, ROWS, EVENT)


def summed(given: list[tuple[int, float | None]], start: int) -> list[float]:
    """Return the sum of doubles of each row's events from *start* on."""
    return [
        math.fsum(amount for row, amount in given[start:] if row == mine and amount is not None)
        for mine in range(ROWS)
    ]


def asked(index: EventIndex, start: int, ranges: Ranges) -> set[int] | None:
    figure = EventAggregate(
        "sum", (Source(EVENT, None, AMOUNT),), Interval(start * 10**6, 10**15), Kind.NUMBER
    )
    found = running.with_sum(figure, ranges, index)
    return None if found is None else set(found)


def ranges_around(bound: float) -> list[Ranges]:
    """Return ranges that begin, end or lie at *bound*, at its neighbours, or at both ends of 0."""
    near = [bound, math.nextafter(bound, math.inf), math.nextafter(bound, -math.inf)]
    found: list[Ranges] = [(Range(bound, bound),), (Range(-5.0, -1.0),), (Range(),)]
    for edge in near:
        found += [(Range(low=edge, low_open=is_open),) for is_open in (True, False)]
        found += [(Range(high=edge, high_open=is_open),) for is_open in (True, False)]
    found.append(union([Range(bound, bound), Range(bound + 0.005, bound + 10), Range(-1, 0)]))
    return found


@given(events, st.sampled_from([0.0, 0.3, 5e-324, 1e300, 12.34, 1e-9]))
@settings(max_examples=150, deadline=None)
def test_rows_are_those_whose_sum_of_doubles_is_in_the_range(
    given: list[tuple[int, float | None]], other: float
) -> None:
    """From any event on, for bounds that sums are at, next to, and far from."""
    index = bought(given)
    for start in sorted({0, 1, 3, 4, 5, 11, 12, 13, len(given) // 2, len(given)}):
        sums = summed(given, start)
        for bound in {*sums[:2], other}:
            for ranges in ranges_around(bound):
                expected = {row for row, total in enumerate(sums) if holds(ranges, total)}
                found = asked(index, start, ranges)
                assert found == expected, (start, ranges)


def test_a_sum_that_cents_and_doubles_put_on_two_sides() -> None:
    """0.1 three times is 0.3 in cents; in doubles it is what `math.fsum` says."""
    given = [(0, 0.1), (0, 0.2), (0, 0.3), (1, 0.1), (1, 0.1), (1, 0.1)]
    index = bought(given)
    total, tenths = math.fsum([0.1, 0.2, 0.3]), math.fsum([0.1] * 3)
    for bound in (0.6, 0.3, 0.30000000000000004, 0.6000000000000001):
        for is_open in (True, False):
            ranges = (Range(low=bound, low_open=is_open),)
            expected = {row for row, t in enumerate([total, tenths]) if holds(ranges, t)}
            assert asked(index, 0, ranges) == expected


@pytest.mark.parametrize("amounts", [[-1.0, 2.0], [1e300, 1.0], [math.pi, 1.0]])
def test_values_that_are_no_decimals_from_0_on_are_left_to_others(amounts: list[float]) -> None:
    """Negative, huge and long numbers have no running sums."""
    assert asked(bought([(0, amount) for amount in amounts]), 0, (Range(low=1),)) is None


def test_windows_and_figures_that_are_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """An end before the last event, another figure, a few events: nothing is made for them."""
    index = bought([(0, 1.0), (1, 2.0), (1, 3.0)])
    source = Source(EVENT, None, AMOUNT)
    for op, window, sources in (
        ("avg", EVER, (source,)),
        ("sum", Interval(0, 1_999_999), (source,)),
        ("sum", EVER, (source, source)),
    ):
        figure = EventAggregate(op, sources, window, Kind.NUMBER)
        assert running.with_sum(figure, (Range(low=1),), index) is None
    monkeypatch.setattr(running, "_LEAST", 4)
    assert asked(index, 0, (Range(low=1),)) is None
    assert index.running.memory() == 0


def test_sums_are_made_when_asked_for_again_and_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question is left to others; sums have no more contacts than there are events."""
    monkeypatch.setattr(again, "_WAITS", True)
    index = bought([(at % 5, 1.0) for at in range(40)])
    assert asked(index, 8, (Range(low=1),)) is None
    assert index.running.memory() == 0
    assert asked(index, 9, (Range(low=7),)) == {4}
    assert index.running.memory() == 5 * 8
    for anchor in range(0, 40, 8):
        assert index.running.get("amount", anchor, now=True) is not None
    assert (
        0
        < index.memory()["properties"]
        - sum(column.memory() for column in index.properties.values())
        <= 40 * 8
    )


def test_sums_that_take_more_than_four_bytes() -> None:
    """Sums beyond 2^32 cents are held as they are."""
    given = [(row, 40_000_000.01) for row in (0, 1, 1)]
    sums = summed(given, 0)
    index = bought(given)
    assert asked(index, 0, (Range(low=sums[1]),)) == {1}
    assert asked(index, 0, (Range(low=sums[0], high=sums[0]),)) == {0}
    found = index.running.get("amount", 0)
    assert found is not None
    assert found.sums.units.dtype == np.int64
