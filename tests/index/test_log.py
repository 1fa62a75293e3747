"""The order of the log, and the stretch of it that a window is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.interval import Interval
from headcount.index.log import Log

EVENTS = st.lists(st.tuples(st.integers(0, 5), st.integers(-6, 6)), max_size=40)


@given(EVENTS, st.sampled_from((1, 1_000_000, 10**17)), st.booleans())
@settings(max_examples=200, deadline=None)
def test_events_are_sorted_by_time_then_row_then_as_given(
    events: list[tuple[int, int]], scale: int, beside: bool
) -> None:
    """The order is that of Python's stable sort, also where time and row do not fit one key."""
    rows = np.array([row for row, _ in events], dtype=np.uint32)
    times = np.array([time * scale + beside * row for row, time in events], dtype=np.int64)
    log, order = Log.build(rows, times)
    expected = sorted(range(len(events)), key=lambda i: (times[i], rows[i]))
    assert order.tolist() == expected
    assert log.rows.tolist() == rows[expected].tolist()
    assert log.timeline.decode().tolist() == times[expected].tolist()
    assert list(log.check(6)) == []


@pytest.mark.parametrize("span", [10**6, 10**15])
def test_many_events_at_few_instants(span: int) -> None:
    """Ties of time are put in the order of rows, whichever way they are sorted."""
    dice = np.random.default_rng(5)
    rows = dice.integers(0, 1 << 20, 20_000).astype(np.uint32)
    times = dice.choice(dice.integers(0, span, 50), 20_000)
    log, order = Log.build(rows, times)
    assert np.array_equal(order, np.lexsort((rows, times)))
    assert list(log.check(1 << 20)) == []


def test_a_window_includes_both_its_ends() -> None:
    """An event at either end is in; one microsecond further it is not."""
    log, _ = Log.build(np.zeros(4, np.uint32), np.array([10, 20, 20, 30]))
    assert log.slice(Interval(10, 30)) == (0, 4)
    assert log.slice(Interval(11, 29)) == (1, 3)
    assert log.slice(Interval(20, 20)) == (1, 3)
    assert log.slice(Interval(21, 29)) == (3, 3)
    assert log.slice(Interval(31, 10)) == (4, 4)
