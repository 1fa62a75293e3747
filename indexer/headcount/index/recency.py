"""
Recency: the times of each contact's newest event, of its second newest, and so on.

    ranges[k - 1]    row → time of its k-th newest event, as a `RangeIndex`

A contact has n events in a window that ends after the last event exactly if its n-th newest is not
before the window. So "at least n in the last 30 days" is one range of `ranges[n - 1]`: 0.05 to
0.1 ms for 2^20 rows, however many events there are, and it is known in 3 µs how many contacts it
will be.

Events after the window's end (a clock that was wrong, a question about last week) shift that: a
contact with j of them needs its (n + j)-th newest. With A(k, t) the rows whose k-th newest is at t
or later, and no row with more than J events after `high`,

    at least n in [low, high]  =  union over j = 0 .. J of  A(n + j, low) - A(j + 1, high + 1)

A range index takes 15 bytes a row, so how deep recency goes is set by a budget in bytes per event:
one time at 4 events a contact, eight at 30. Deeper and older questions are for `Tallies`.

The newest or oldest event in any other window is found by a walk from its end or start, setting the
time of every contact met for the first time, until nobody is left who has an event there. On 5M
events of 2^20 contacts it takes 23 ms to walk all, against 33 ms for writing every event's time
over the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index.bitmaps import EMPTY, Mask
from headcount.index.columns import Vector
from headcount.index.interval import Interval
from headcount.index.log import Log
from headcount.index.parts import Part, Parts
from headcount.index.ranges import RangeIndex
from headcount.index.timeline import Instants
from headcount.index.tuning import Tuning

MAX_DEPTH = 8  # "at least 9 in the last week" is rare
_PRESENT_BYTES = 11  # of a range index for each row that has a value; every row has its time

_STRIDE = 1 << 16  # events of a stretch of a walk: what it reads and writes stays in the cache
_DENSE = 8  # decoding the whole stretch is faster when at least one in so many is met


@dataclass(frozen=True, eq=False)
class Recency:
    """The k-th newest times of each row for k up to `depth`; no row has more than `peak` events."""

    ranges: tuple[RangeIndex, ...]
    peak: int

    @classmethod
    def build(
        cls, log: Log, rows: int, reach: npt.NDArray[np.uint32], peak: int, tuning: Tuning
    ) -> Recency:
        """
        Return the newest times of *log* for a block of *rows* rows, as deep as the budget allows.

        *reach[k]* is how many rows have more than k events. About 0.1 s for each k.
        """
        depth, budget = 0, tuning.recency_bytes * len(log)
        time_bytes = 4 if len(log.timeline.high) <= 1 else 8
        while depth < min(len(reach), MAX_DEPTH):
            budget -= int(reach[depth]) * _PRESENT_BYTES + rows * time_bytes
            if budget < 0:
                break
            depth += 1
        return cls(tuple(RangeIndex.build(*newest) for newest in _newest(log, rows, depth)), peak)

    @property
    def depth(self) -> int:
        """Return how many newest times are known."""
        return len(self.ranges)

    def shift(self, n: int, interval: Interval) -> int | None:
        """
        Return the most events that a row has after *interval*, None if `at_least` cannot know.

        Each costs `at_least` two ranges more.
        """
        for later in range(self.depth + 1):
            deepest = min(n + later, self.peak)  # no row has more
            if deepest > self.depth:
                return None
            if not self._count(later + 1, interval.high + 1):
                return later
        return None

    def at_least(self, n: int, interval: Interval) -> BitMap:
        """Return the rows with *n* events in *interval*, shared; `shift` must not be None."""
        shift = self.shift(n, interval)
        assert shift is not None
        found = self._since(n, interval.low)
        if shift:
            found = found - self._since(1, interval.high + 1)
            for later in range(1, shift + 1):
                reached = self._since(n + later, interval.low)
                found |= reached - self._since(later + 1, interval.high + 1)
        return found

    def touched(self, n: int, interval: Interval) -> int:
        """Return how many bytes `at_least` reads."""
        shift = self.shift(n, interval)
        assert shift is not None
        asked = [(n + later, interval.low) for later in range(shift + 1)]
        if shift:
            asked += [(later + 1, interval.high + 1) for later in range(shift + 1)]
        held = [(self.ranges[k - 1], low) for k, low in asked if k <= self.depth]
        return sum(
            index.touched(*index.ranks(low, None)) + index.touched_by_bound() for index, low in held
        )

    def ranks(self, n: int, interval: Interval) -> tuple[RangeIndex, int, int] | None:
        """Return the index and the ranks in it of what `at_least` holds, None if it is no range."""
        if n > self.depth or self._count(1, interval.high + 1):
            return None
        index = self.ranges[n - 1]
        return index, *index.ranks(interval.low, None)

    def limit(self, n: int, interval: Interval) -> int | None:
        """Return a count that the rows with *n* events in *interval* do not exceed, if known."""
        return self._count(n, interval.low) if n <= self.depth else None

    def vector(self) -> Vector:
        """Return the time of every row's newest event, fresh, int64 microseconds."""
        return self.ranges[0].vector()

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the recency as parts named under *prefix*."""
        for k, newest in enumerate(self.ranges):
            yield from newest.parts(f"{prefix}{k + 1}")

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str, depth: int, peak: int) -> Recency:
        """Return the recency of that *depth* that `parts` wrote under *prefix*."""
        ranges = (RangeIndex.from_parts(parts, f"{prefix}{k + 1}") for k in range(depth))
        return cls(tuple(ranges), peak)

    def memory(self) -> int:
        """Return the bytes held."""
        return sum(sum(newest.memory().values()) for newest in self.ranges)

    def check(self, log: Log, rows: int) -> Iterator[str]:
        """Yield a sentence for each k whose times are not those of *log*, or are at odds."""
        expected = _newest(log, rows, self.depth)
        for k, (held, (times, present)) in enumerate(zip(self.ranges, expected, strict=True)):
            found = held.vector()
            wrong = np.flatnonzero((found.present != present) | (present & (found.values != times)))
            if len(wrong):
                yield (
                    f"recency {k + 1}: the times of {len(wrong)} rows are not those of the log; the"
                    f" first is row {wrong[0]}"
                )
            for message in held.check():
                yield f"recency {k + 1}: {message}"

    def _count(self, k: int, low: int) -> int:
        return self.ranges[k - 1].count_between(low, None) if k <= self.depth else 0

    def _since(self, k: int, low: int) -> BitMap:
        """Return the rows whose k-th newest time is *low* or later; none have more than `peak`."""
        return self.ranges[k - 1].between(low, None) if k <= self.depth else EMPTY


def walk(
    log: Log,
    start: int,
    stop: int,
    wanted: Mask,
    times: Instants,
    *,
    chosen: Mask | None = None,
    backward: bool,
) -> None:
    """
    Set in *times* (int64[rows]) the newest (*backward*) or oldest time of each *wanted* row.

    Only events at positions *start* to *stop* count, and of these the *chosen* (bool[stop - start])
    if given. *wanted* (bool[rows]) is cleared at the rows that were found; the rest have no such
    event. Costs 2 to 4 ns for each event up to where the last wanted row is found.
    """
    starts = range(start, stop, _STRIDE)
    for low in reversed(starts) if backward else starts:
        if not wanted.any():
            return
        high = min(low + _STRIDE, stop)
        hit = wanted.take(log.rows[low:high])
        if chosen is not None:
            hit &= chosen[low - start : high - start]
        at = np.flatnonzero(hit)
        if not backward:
            at = at[::-1]
        # Where a row occurs several times the last assignment holds.
        rows = log.rows[low:high][at].astype(np.intp)
        if len(at) * _DENSE > high - low:
            times[rows] = log.timeline.decode(low, high)[at]
        else:
            times[rows] = log.timeline.take(at + low)
        wanted[rows] = False


def _newest(log: Log, rows: int, depth: int) -> Iterator[tuple[Instants, Mask]]:
    """Yield the k-th newest time of each row and which rows have one, for k from 1 to *depth*."""
    if not depth:  # nothing that is as long as the rows is made for a few events
        return
    latest = np.zeros(rows, dtype=np.uint32)
    left = np.arange(len(log), dtype=np.uint32)
    for _ in range(depth):
        owners = log.rows[left].astype(np.intp)
        latest[owners] = left  # ascending, so that the last one holds
        is_latest = latest.take(owners) == left
        times, present = np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.bool_)
        owners = owners.compress(is_latest)
        times[owners] = log.timeline.take(left.compress(is_latest))
        present[owners] = True
        yield times, present
        left = left.compress(~is_latest)
