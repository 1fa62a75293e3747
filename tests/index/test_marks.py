"""Marks, which count contacts by bits, against counting every event; and what is kept of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.events import EventIndex, Path
from headcount.index.interval import Interval
from headcount.index.marks import Marks
from headcount.index.tallies import Tallies
from headcount.index.tuning import Tuning
from support.event_worlds import EVENT, TUNINGS, EventWorld, anything, worlds

NUMBERS = (1, 2, 3, 5, 9, 86, 255, 256, 257, 300)


def at_least(log_rows: np.ndarray, n: int, start: int) -> int:
    """Return how many rows occur *n* times from *start* on, by counting."""
    return int(np.count_nonzero(np.bincount(log_rows[start:], minlength=1) >= n))


def tallied(log_rows: np.ndarray, rows: int, tuning: Tuning) -> Tallies:
    totals = np.bincount(log_rows, minlength=rows).astype(np.uint32)
    return Tallies.build(log_rows, rows, totals, tuning)


@given(worlds(), st.sampled_from(TUNINGS))
@settings(max_examples=100, deadline=None)
def test_marks_agree_with_the_dict_of_lists(
    drawn: tuple[EventWorld, list[Interval]], tuning: Tuning
) -> None:
    """From every position on and for every n, as many are marked as have n events."""
    world, windows = drawn
    index = EventIndex.build(world.table(), world.rows, EVENT, tuning)
    for start in sorted({*range(0, index.size, 7), *range(max(0, index.size - 5), index.size)}):
        for n in NUMBERS:
            expected = at_least(index.log_rows, n, start)
            assert index.marks.count(n, start, now=True) == expected, (n, start)
    for window in windows:
        for n in NUMBERS:
            expected = len(world.at_least(n, window, anything))
            assert [index.count_at_least(n, window) for _ in range(3)] == [expected] * 3


@pytest.mark.parametrize("rows", [1, 40, 3_000])
@pytest.mark.parametrize("busy", [0, 700])
def test_marks_of_many_events(rows: int, busy: int) -> None:
    """With many gaps and contacts that have more events than a count holds, counts are exact."""
    dice = np.random.default_rng(rows + busy)
    usual = dice.integers(0, rows, 20_000)
    log_rows = dice.permutation(np.append(usual, np.full(busy, rows // 2))).astype(np.uint32)
    tallies = tallied(log_rows, rows, Tuning(gap=1_000))
    assert tallies.checkpoints > 5
    marks = Marks(tallies, log_rows)
    size = len(log_rows)
    edges = [tallies.checkpoint(index) + by for index in range(3, 6) for by in (-1, 0, 1)]
    for start in (0, 1, *edges, *dice.integers(0, size, 30).tolist(), size - 1):
        for n in NUMBERS:
            assert marks.count(n, start, now=True) == at_least(log_rows, n, start), (n, start)


def test_marks_are_made_when_asked_for_again() -> None:
    """The first question of a gap and an n is left to others; the next one makes them."""
    log_rows = np.arange(4_000, dtype=np.uint32) % np.uint32(7)
    marks = Marks(tallied(log_rows, 7, Tuning(gap=1_000)), log_rows)
    assert marks.count(2, 3_900) is None
    assert marks.memory() == 0
    assert marks.count(3, 3_900) is None
    assert marks.count(2, 3_901) == 7
    held = marks.memory()
    assert 0 < held <= 1_100 / 8
    assert marks.count(2, 3_999) == 0
    assert marks.memory() == held


def test_only_the_newest_marks_are_kept() -> None:
    """However many n are asked for, memory stays below a bit for each event of eight gaps."""
    log_rows = np.random.default_rng(1).integers(0, 50, 6_400).astype(np.uint32)
    marks = Marks(tallied(log_rows, 50, Tuning(gap=6_400)), log_rows)
    for n in range(1, 90):
        assert marks.count(n, 17, now=True) == at_least(log_rows, n, 17)
    assert marks.memory() == 8 * 6_400 // 8
    assert marks.count(5, 0, now=True) == at_least(log_rows, 5, 0)


def test_a_window_that_ends_before_the_last_event_is_not_counted_by_marks() -> None:
    """Marks know of windows up to the end alone, and others are counted by other paths."""
    world = EventWorld(3, tuple((i % 3, i, 0.0) for i in range(3_000)))
    index = EventIndex.build(world.table(), 3, EVENT, Tuning(recency_bytes=0.0))
    for high, expected in ((2_998, 2), (2_999, 3), (5_000, 3)):
        window = Interval(2_301, high)
        for path in (None, None, None, Path.COUNT):
            assert index.count_at_least(233, window, path=path) == expected
