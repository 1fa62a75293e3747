"""
Sequences: whose first event is followed by another in time, and whose never was.

For an exact duration nothing is sorted. The logs, which are in the order of time, are gone through
in stretches of that length, and two times are kept of each contact: of its newest first event
before the stretch, and of its oldest one inside:

    stretches   |      A   |  B    A    B|      a pair over the edge: B - newest A <= length
                       |______|    |____|       a pair inside: oldest A < B

Whoever has both kinds is numbered first, so that these times stay in the second-level cache. 8 ms
for 0.53M first events and 0.16M answers of 2^20 contacts, where the line below takes 16. Rejected:
leaving out events without a counterpart in their stretch and the next first, then sorting the few
that are left (22 ms: a bit for each contact and stretch is more than the cache holds).

Otherwise, and where stretches would hold few events, the events of both kinds are laid out by
contact and time in one array; each first event then looks to the nearest answer on its right:

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
processor and 120 on another.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.columns import stable_order
from headcount.index.interval import Interval
from headcount.query.bound import Follows
from headcount.query.clock import EXACT_US, Clock, step_instants
from headcount.query.expressions import Sources
from headcount.query.figures import Figures
from headcount.query.zones import Instants

_NEVER = np.iinfo(np.int64).max
_LONG_AGO = np.iinfo(np.int64).min
_EVENTS_A_STRETCH = 500  # from here on a stretch is worth its 20 calls, 25 µs


class _Moments(NamedTuple):
    """Events as the row of each one's contact and its time."""

    rows: npt.NDArray[np.intp]
    times: Instants

    def only(self, chosen: npt.NDArray[np.bool_]) -> _Moments:
        places = np.flatnonzero(chosen)
        return _Moments(self.rows.take(places), self.times.take(places))

    def in_time(self) -> _Moments:
        """Return them by time, as those of one log are already."""
        if np.all(self.times[1:] >= self.times[:-1]):
            return self
        order = np.argsort(self.times, kind="stable")
        return _Moments(self.rows.take(order), self.times.take(order))


def following(condition: Follows, figures: Figures, clock: Clock, size: int) -> BitMap:
    """Return the rows of contacts that fit *condition*, of *size* rows."""
    first = _moments(condition.first, condition.interval, figures)
    if not len(first.rows):
        return BitMap()
    until, within = condition.until, condition.within
    then = _moments(condition.then, Interval(int(first.times.min()), until), figures)
    if not condition.never and within.unit in EXACT_US:
        return _answered(first, then, within.amount * EXACT_US[within.unit], size)
    if condition.never:
        ended = step_instants(first.times, within, 1, clock.local) <= until
        first = first.only(ended)
    then = then.only(_mask(first.rows, size).take(then.rows))
    answerable = _mask(then.rows, size).take(first.rows)
    line = _Line.of(first.only(answerable), then)
    asked, answers = line.answers()
    deadlines = step_instants(line.times[asked], within, 1, clock.local)
    answered = answers <= deadlines
    if not condition.never:
        return bitmaps.from_rows(line.rows[asked[answered]])
    never = bitmaps.from_rows(line.rows[asked[~answered]])
    return never | bitmaps.from_rows(first.rows[~answerable])


def _answered(first: _Moments, then: _Moments, length: int, size: int) -> BitMap:
    """Return the rows with an answer at most *length* µs after a first event."""
    first = first.only(_mask(then.rows, size).take(first.rows))
    if not len(first.rows):
        return BitMap()
    has = _mask(first.rows, size)
    first, then = first.in_time(), then.only(has.take(then.rows)).in_time()
    start, end = int(first.times[0]), int(then.times[-1])
    if end <= start or not length:  # what follows is later, so never within nothing
        return BitMap()
    length = min(length, end - start)
    stretches = (end - start) // length + 1
    if stretches * _EVENTS_A_STRETCH > len(first.rows) + len(then.rows):
        return bitmaps.from_rows(_Line.of(first, then).pairs(length))
    whose = bitmaps.to_rows(bitmaps.from_mask(has))
    # Looked up at those rows alone.
    numbers = np.empty(size, dtype=np.min_scalar_type(len(whose)))
    numbers[whose] = np.arange(len(whose), dtype=numbers.dtype)
    met = _met(
        _Moments(numbers.take(first.rows).astype(np.intp), first.times),
        _Moments(numbers.take(then.rows).astype(np.intp), then.times),
        start + length * np.arange(stretches + 1),
        len(whose),
    )
    return bitmaps.from_sorted(whose.compress(met))


def _met(first: _Moments, then: _Moments, edges: Instants, size: int) -> Mask:
    """
    Return which of *size* rows have an answer at most a stretch's length after a first event.

    *edges* are those of the stretches, one after the last too; all events are in the order of time.
    """
    length = int(edges[1] - edges[0])
    first_at, then_at = (np.searchsorted(one.times, edges) for one in (first, then))
    # Of several events of a row the latest stays, so that the oldest is kept as in a mirror.
    lows = edges[:-1]
    mirrors = 2 * lows + (length - 1)
    mirror_times = np.repeat(mirrors, np.diff(first_at)) - first.times[first_at[0] : first_at[-1]]
    newest, mirrored = (np.full(size, _LONG_AGO) for _ in range(2))
    before, inside = (np.full(len(then.times), _LONG_AGO) for _ in range(2))
    firsts, thens = first_at.tolist(), then_at.tolist()
    for place in range(len(lows)):  # as few calls as there can be: threads wait for each other here
        mine = slice(firsts[place], firsts[place + 1])
        theirs = slice(thens[place], thens[place + 1])
        rows, others = first.rows[mine], then.rows[theirs]
        newest.take(others, out=before[theirs], mode="clip")
        np.maximum.at(mirrored, rows, mirror_times[mine])
        mirrored.take(others, out=inside[theirs], mode="clip")
        np.maximum.at(newest, rows, first.times[mine])
    asked = slice(thens[0], thens[-1])
    answers, counts = then.times[asked], np.diff(then_at)
    in_time = before[asked] >= answers - length
    bounds = np.maximum(np.repeat(mirrors, counts) - answers, np.repeat(lows - 1, counts))
    in_time |= inside[asked] > bounds
    met = np.zeros(size, dtype=np.bool_)
    met[then.rows[asked].compress(in_time)] = True
    return met


def _mask(rows: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.bool_]:
    """Return which of *size* rows are among *rows*."""
    found = np.zeros(size, dtype=np.bool_)
    found[rows] = True
    return found


def _moments(sources: Sources, interval: Interval, figures: Figures) -> _Moments:
    """Return all events of the sources in the interval."""
    found = [_Moments(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.int64))]
    for source in sources:
        for frame, chosen in figures.events(source, interval):
            times = frame.index.times(frame.start, frame.stop)
            of_source = _Moments(frame.contacts.astype(np.intp), times)
            found.append(of_source if chosen is None else of_source.only(chosen))
    if len(found) <= 2:
        return found[-1]
    return _Moments(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


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
        rows = np.concatenate([then.rows, first.rows]).astype(np.uint32).take(by_time)
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
