"""Walks to the newest or oldest event, and what recency knows."""

from __future__ import annotations

import numpy as np
import pytest

from headcount.index import recency
from headcount.index.interval import Interval
from headcount.index.log import Log
from headcount.index.recency import Recency
from headcount.index.tuning import Tuning

UNBOUNDED = Tuning(recency_bytes=1e9)


def log_of(size: int, rows: int) -> Log:
    dice = np.random.default_rng(size)
    return Log.build(dice.integers(0, rows, size).astype(np.uint32), dice.integers(0, size, size))[
        0
    ]


@pytest.mark.parametrize("backward", [True, False])
@pytest.mark.parametrize("rows", [3, 5_000])
def test_a_walk_takes_the_outermost_event_of_each_wanted_row(backward: bool, rows: int) -> None:
    """Over several stretches, dense and sparse, with and without a condition; others stay."""
    log = log_of(3 * recency._STRIDE, rows)
    start, stop = 1_000, len(log) - 70_000
    some = np.arange(stop - start) % 7 == 0
    for chosen in (None, some):
        wanted = np.arange(rows) % 3 == 0
        times = np.full(rows, -1, dtype=np.int64)
        met: dict[int, int] = {}
        instants = log.timeline.decode(start, stop).tolist()
        for index, row in enumerate(log.rows[start:stop].tolist()):
            if row % 3 == 0 and (chosen is None or chosen[index]) and (backward or row not in met):
                met[row] = instants[index]
        recency.walk(log, start, stop, wanted, times, chosen=chosen, backward=backward)
        assert {r: int(times[r]) for r in met} == met
        assert (times >= 0).sum() == len(met)
        assert set(np.flatnonzero(wanted).tolist()) == set(range(0, rows, 3)) - met.keys()


def test_the_budget_decides_how_deep_recency_goes() -> None:
    """Nothing for few events a contact, one time for some, eight at most, none that no row has."""
    for per_row, budget, depth in ((1, 4.0, 0), (5, 4.0, 1), (12, 4.0, 3), (60, 4.0, 8)):
        log, _ = Log.build(
            np.tile(np.arange(100, dtype=np.uint32), per_row), np.arange(100 * per_row)
        )
        reach = np.full(per_row, 100, dtype=np.uint32)
        found = Recency.build(log, 100, reach, per_row, Tuning(recency_bytes=budget))
        assert found.depth == depth
        assert list(found.check(log, 100)) == []
    twice, _ = Log.build(np.array([4, 4], dtype=np.uint32), np.array([1, 2]))
    assert Recency.build(twice, 9, np.array([1, 1], np.uint32), 2, UNBOUNDED).depth == 2


def test_recency_says_when_it_cannot_know() -> None:
    """A window with more later events than the depth allows is left to others."""
    log, _ = Log.build(np.zeros(20, dtype=np.uint32), np.arange(20))
    found = Recency.build(log, 1, np.ones(20, dtype=np.uint32), 20, UNBOUNDED)
    assert found.depth == recency.MAX_DEPTH == 8
    assert found.shift(8, Interval(0, 19)) == 0
    assert found.shift(9, Interval(0, 19)) is None
    assert found.shift(6, Interval(0, 17)) == 2
    assert found.shift(7, Interval(0, 17)) is None
    assert list(found.at_least(6, Interval(12, 17))) == [0]
    assert list(found.at_least(6, Interval(13, 17))) == []
    assert found.limit(9, Interval(0, 19)) is None
    assert found.limit(3, Interval(17, 19)) == 1
    assert found.limit(3, Interval(18, 19)) == 0


def test_all_is_known_when_no_row_has_more_than_the_depth() -> None:
    """Then any window in the past is answered, whatever came later."""
    log, _ = Log.build(np.array([0, 0, 0, 1], dtype=np.uint32), np.array([1, 2, 3, 9]))
    found = Recency.build(log, 2, np.array([2, 1, 1], np.uint32), 3, UNBOUNDED)
    assert found.shift(3, Interval(1, 1)) == 2
    assert list(found.at_least(1, Interval(1, 1))) == [0]
    assert list(found.at_least(2, Interval(1, 1))) == []
    assert list(found.at_least(2, Interval(1, 2))) == [0]
