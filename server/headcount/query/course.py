"""
The course of a segment: the pieces of time in which its condition moves evenly.

Within a piece every edge of every window either stays, or keeps pace with the clock; so one
comparison (`moving`) says what the segment means at each of its instants, and nobody enters or
leaves but by the edges running over something. Between two pieces an edge jumps, and everybody is
looked at:

    in last 30 days               one piece, for as long as is asked
    today, anniversary, ages      a piece a day, from local midnight to local midnight
    in last month                 a piece a day where months differ in length (from the 28th on a
                                  month ago stands still, or goes back), one piece over other days
    between X and Y               a piece up to Y and one from Y on

Why that is exact. Every edge is a sum of `as_of` and durations, cut at constants. Exact durations
keep pace always. Days and months change their distance from the clock at local midnight, at a
change of the zone's offset, and where the moved clock passes such a change; there is at most one of
those in a stretch between two *breaks* (local midnights and changes of offset), because no zone
changes twice within two days. So an edge that fits at both ends of such a stretch fits throughout,
and where one does not, the first misfit is found by halving. Where the clock meets a constant,
what is bound may be another thing for a while and then the same again; binding notes those instants
itself (`traced`), and no piece reaches beyond one unseen. What is calculated with the clock and the
same for everyone (`round(now - 2026-03-31) = 7`) ends a piece where it turns (`turns`).

What tells the time of day (`hour(now)`) has breaks at whole hours or minutes. What cannot be
followed (`trends`, and figures and sequences over events whose `where` has the clock in it) gets a
piece a second: late by less than that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from zoneinfo import ZoneInfo

import numpy as np

from headcount.model.schema import Field
from headcount.query.bound import NO_ONE, Condition
from headcount.query.clock import Clock
from headcount.query.moving import (
    Computed,
    Fixed,
    Moving,
    UnlikeError,
    has_anniversary,
    moving,
    parts,
)
from headcount.query.traced import CannotMoveError, Meetings, Traced
from headcount.query.turns import OneRow, Stretches, turns
from headcount.query.zones import DAY_US, SECOND_US

Bind = Callable[[int], Condition]

_HOUR_US = DAY_US // 24
_MINUTE_US = _HOUR_US // 60


class Grain(Enum):
    """How often something may jump that only the text of a segment shows."""

    DAY = DAY_US
    HOUR = _HOUR_US
    MINUTE = _MINUTE_US


@dataclass(frozen=True, slots=True)
class Piece:
    """
    The instants from `start` to `last` at which `condition` is what the segment means.

    `bound` is the bound condition at `start`, `traced` the same with the clock in it. `is_even` is
    false where instants between were not looked at (a piece a second).
    """

    start: int
    last: int
    bound: Condition
    condition: Moving
    is_even: bool = True
    traced: Condition = NO_ONE


def ahead(part: Computed, start: int) -> dict[Field, int]:
    """Return by how much the instants of a part of the piece from *start* on are ahead."""
    return {one.field: int(one.edge.at) - start for one in part.instants}


class Course:
    """
    The pieces of one segment.

    *bind* returns the segment bound at an instant. Each piece costs three bindings or a few more,
    where an edge jumps in between 37.
    """

    def __init__(self, bind: Bind, zone: ZoneInfo, grain: Grain = Grain.DAY) -> None:
        self._bind = bind
        self._zone = zone
        self._grain = grain

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of days and months."""
        return self._zone

    def clock(self, at: int) -> Clock:
        """Return the clock at an instant; on one day of a piece any will do."""
        return Clock(at, self._zone)

    def beginning(self, start: int) -> Piece:
        """Return the piece that begins at *start*."""
        bound = self._bind(start)
        single = Piece(start, start, bound, Fixed(bound))
        try:
            traced, turn = self._traced(start)
            condition = moving(traced, self._traced(start + 1)[0], 1)
        except UnlikeError:
            return single
        except CannotMoveError:
            return self._second(single)
        return self._reaching(replace(single, condition=condition, traced=traced), turn)

    def after(self, piece: Piece) -> Piece:
        """Return *piece* reaching further, if nothing jumps at its end; else the next one."""
        at = piece.last + 1
        goes_on = piece.is_even and piece.last > piece.start and not has_anniversary(piece.bound)
        if goes_on and self._fits(piece, at) and self._turn(piece, at) > at:
            return self._reaching(replace(piece, last=at), self._traced(at)[1])
        return self.beginning(at)

    def _traced(self, at: int) -> tuple[Condition, int]:
        """
        Return the segment bound at an instant with the clock in it, and up to where it is the same.

        That is the first instant at which a constant may be met, or something may jump.
        """
        meetings = Meetings()
        bound = self._bind(Traced(at, meetings))
        turn = self._break(at)
        return bound, turn if meetings.soonest is None else min(turn, at + meetings.soonest)

    def _second(self, piece: Piece) -> Piece:
        end = piece.start - piece.start % SECOND_US + SECOND_US - 1
        return replace(piece, last=end, is_even=False)

    def _reaching(self, piece: Piece, turn: int) -> Piece:
        """Return *piece* up to before *turn*, or to the last instant before at which it fits."""
        end = self._turn(piece, turn - 1) - 1
        if self._fits(piece, end):
            return replace(piece, last=end)
        low, high = piece.last, end  # fits at low, not at high
        while high - low > 1:
            middle = (low + high) // 2
            if self._fits(piece, middle):
                low = middle
            else:
                high = middle
        return replace(piece, last=low)

    def _fits(self, piece: Piece, at: int) -> bool:
        if at == piece.start:
            return True
        try:
            found = moving(piece.traced, self._traced(at)[0], at - piece.start)
        except (UnlikeError, CannotMoveError):
            return False
        return found == piece.condition

    def _turn(self, piece: Piece, to: int) -> int:
        """Return when, behind the end of *piece* and up to *to*, everybody may turn; or to + 1."""
        stretch = Stretches(*(np.array([at], dtype=np.int64) for at in (0, piece.last, to)))
        first = to + 1
        for part in parts(piece.condition):
            if isinstance(part, Computed) and part.is_of_all:
                frame = OneRow(self.clock(piece.start))
                _, found = turns(part.condition, frame, ahead(part, piece.start), stretch)
                first = min([first, *found.tolist()])
        return first

    def _break(self, after: int) -> int:
        """Return the first instant after *after* at which something may jump."""
        size = self._grain.value
        wall = after + self._offset(after)
        return self._change(after, after - wall % size + size)

    def _change(self, after: int, before: int) -> int:
        """Return the first instant after *after* with another offset; *before* if there is none."""
        offset = self._offset(after)
        if self._offset(before) == offset:
            return before
        low, high = after, before
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle) == offset:
                low = middle
            else:
                high = middle
        return high

    def _offset(self, instant: int) -> int:
        at = np.array([instant], dtype=np.int64)
        return int((Clock(instant, self._zone).local.local(at) - at)[0])
