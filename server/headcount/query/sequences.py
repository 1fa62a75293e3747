"""
Sequences: whose first event is followed by another in time, and whose never was.

The events of both kinds are laid out by contact and time in one array; each first event then looks
to the nearest answer on its right:

    contact 7:   A . . B   A . . . . . .          contact 9:   A  A B
                 |_____|   |_________              one answer can serve several
                 in time    no answer

At one instant answers stand before first events, so that what follows is strictly later. Only
contacts with both kinds are sorted: 0.4 s a million events.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.interval import Interval
from headcount.query.bound import Follows
from headcount.query.clock import Clock, step_instants
from headcount.query.expressions import Sources
from headcount.query.figures import Figures
from headcount.query.zones import Instants

_NEVER = np.iinfo(np.int64).max


class _Moments(NamedTuple):
    """Events as the row of each one's contact and its time."""

    rows: npt.NDArray[np.uint32]
    times: Instants

    def only(self, chosen: npt.NDArray[np.bool_]) -> _Moments:
        return _Moments(self.rows[chosen], self.times[chosen])


def following(condition: Follows, figures: Figures, clock: Clock, size: int) -> BitMap:
    """Return the rows of contacts that fit *condition*, of *size* rows."""
    first = _moments(condition.first, condition.interval, figures)
    if not len(first.rows):
        return BitMap()
    until = condition.until
    then = _moments(condition.then, Interval(int(first.times.min()), until), figures)
    deadlines = step_instants(first.times, condition.within, 1, clock.local)
    answered = _answered(first, deadlines, then, size)
    fits = ~answered & (deadlines <= until) if condition.never else answered
    return bitmaps.from_rows(first.rows[fits])


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


def _answered(
    first: _Moments, deadlines: Instants, then: _Moments, size: int
) -> npt.NDArray[np.bool_]:
    """Return which first events have an answer after them, up to their deadline."""
    has_first = np.zeros(size, dtype=np.bool_)
    has_first[first.rows] = True
    then = then.only(has_first[then.rows])
    has_answer = np.zeros(size, dtype=np.bool_)
    has_answer[then.rows] = True
    open_ = np.flatnonzero(has_answer[first.rows])
    rows = np.concatenate([then.rows, first.rows[open_]])
    times = np.concatenate([then.times, first.times[open_]])
    is_first = np.arange(len(rows)) >= len(then.rows)
    order = np.lexsort((is_first, times, rows))
    # From each place on, the nearest answer to the right; then whether it is the same contact's.
    place = np.arange(len(order))
    answer = np.where(is_first[order], len(order), place)
    nearest = np.minimum.accumulate(answer[::-1])[::-1]
    asked = is_first[order]
    at = nearest[asked]
    found = np.minimum(at, len(order) - 1)
    sorted_rows, sorted_times = rows[order], times[order]
    same = (at < len(order)) & (sorted_rows[found] == sorted_rows[asked])
    which = open_[order[asked] - len(then.rows)]
    answered = np.zeros(len(first.rows), dtype=np.bool_)
    answered[which] = same & (sorted_times[found] <= deadlines[which])
    return answered
