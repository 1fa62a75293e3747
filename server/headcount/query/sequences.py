"""
Sequences: whose first event is followed by another in time, and whose never was.

The events of both kinds are laid out by contact and time in one array; each first event then looks
to the nearest answer on its right:

    contact 7:   A . . B   A . . . . . .          contact 9:   A  A B
                 |_____|   |_________              one answer can serve several
                 in time    no answer

At one instant answers stand before first events, so that what follows is strictly later. To find
out who has a pair in time only neighbours A B are looked at: no A before them is nearer to the B,
no B behind them nearer to the A. That needs deadlines that rise with the events, as exact durations
do; a month later than 31 January is as late as a month later than 28 January.

Only events of contacts with both kinds are laid out, in two steps: the times are runs already,
which a stable sort finds and merges; then a radix sort by row. 60 ms for 1M first events and 0.3M
answers of 2^20 contacts, 90 for `did not`. Rejected: one sort by row, time and kind (`np.lexsort`),
3 times as long; one of row and place in 64 bits, which takes 10 ms a million on one make of
processor and 120 on another; leaving out events without a counterpart in their week and the next
first, which costs what it saves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.columns import stable_order
from headcount.index.interval import Interval
from headcount.query.bound import Follows
from headcount.query.clock import EXACT_US, Clock, step_instants
from headcount.query.expressions import Sources
from headcount.query.figures import Figures
from headcount.query.zones import Instants

_NEVER = np.iinfo(np.int64).max


class _Moments(NamedTuple):
    """Events as the row of each one's contact and its time."""

    rows: npt.NDArray[np.uint32]
    times: Instants

    def only(self, chosen: npt.NDArray[np.bool_]) -> _Moments:
        return _Moments(self.rows.compress(chosen), self.times.compress(chosen))


def following(condition: Follows, figures: Figures, clock: Clock, size: int) -> BitMap:
    """Return the rows of contacts that fit *condition*, of *size* rows."""
    first = _moments(condition.first, condition.interval, figures)
    if not len(first.rows):
        return BitMap()
    until, within = condition.until, condition.within
    then = _moments(condition.then, Interval(int(first.times.min()), until), figures)
    if condition.never:
        ended = step_instants(first.times, within, 1, clock.local) <= until
        first = first.only(ended)
    has_first = _mask(first.rows, size)
    then = then.only(has_first[then.rows])
    has_answer = _mask(then.rows, size)
    answerable = has_answer[first.rows]
    line = _Line.of(first.only(answerable), then)
    if not condition.never and within.unit in EXACT_US:
        return bitmaps.from_rows(line.pairs(within.amount * EXACT_US[within.unit]))
    asked, answers = line.answers()
    deadlines = step_instants(line.times[asked], within, 1, clock.local)
    answered = answers <= deadlines
    if not condition.never:
        return bitmaps.from_rows(line.rows[asked[answered]])
    never = bitmaps.from_rows(line.rows[asked[~answered]])
    return never | bitmaps.from_rows(first.rows[~answerable])


def _mask(rows: npt.NDArray[np.uint32], size: int) -> npt.NDArray[np.bool_]:
    """Return which of *size* rows are among *rows*."""
    found = np.zeros(size, dtype=np.bool_)
    found[rows.astype(np.intp)] = True
    return found


def _moments(sources: Sources, interval: Interval, figures: Figures) -> _Moments:
    """Return all events of the sources in the interval."""
    rows, times = [np.zeros(0, dtype=np.uint32)], [np.zeros(0, dtype=np.int64)]
    for source in sources:
        for frame, chosen in figures.events(source, interval):
            of_source = _Moments(frame.contacts, frame.index.times(frame.start, frame.stop))
            if chosen is not None:
                of_source = of_source.only(chosen)
            rows.append(of_source.rows)
            times.append(of_source.times)
    return _Moments(np.concatenate(rows), np.concatenate(times))


class _Line(NamedTuple):
    """First events and answers in one line, by contact and time; answers first at one instant."""

    rows: npt.NDArray[np.uint32]
    times: Instants
    is_first: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, first: _Moments, then: _Moments) -> _Line:
        """Return the line of all of both."""
        times = np.concatenate([then.times, first.times])
        by_time = np.argsort(times, kind="stable")  # runs are merged, equal ones as they stand
        rows = np.concatenate([then.rows, first.rows]).take(by_time)
        by_row = stable_order(rows)
        order = by_time.take(by_row)
        return cls(rows.take(by_row), times.take(order), order >= len(then.times))

    def pairs(self, length: int) -> npt.NDArray[np.uint32]:
        """Return the row of each first event with an answer behind it at most *length* µs later."""
        rows, times, is_first = self
        at = np.flatnonzero(is_first[:-1] & ~is_first[1:] & (rows[:-1] == rows[1:]))
        return rows[at[times[at + 1] - times[at] <= length]]

    def answers(self) -> tuple[npt.NDArray[np.intp], Instants]:
        """Return the place of each first event, and the time of its answer, `_NEVER` for none."""
        count = len(self.rows)
        if not count:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.int64)
        # From each place on, the nearest answer to the right; then whether it is the contact's own.
        answer = np.where(self.is_first, count, np.arange(count))
        nearest = np.minimum.accumulate(answer[::-1])[::-1]
        asked = np.flatnonzero(self.is_first)
        at = nearest[asked]
        found = np.minimum(at, count - 1)
        same = (at < count) & (self.rows[found] == self.rows[asked])
        return asked, np.where(same, self.times[found], _NEVER)
