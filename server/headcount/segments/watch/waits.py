"""
Waits: what time alone has to reach before a watched segment can mean another thing of somebody.

    did open in last 30 days     an open, 30 days and a microsecond later
    seen in last 2 hours         the instant in the field `seen`, 2 hours and a microsecond later

So an edge that moves is a *line* of things with a time, the events of a type or the instants in a
field, and a *shift*: a thing at t matters at t + shift. Lines and shifts do not depend on when a
watch was made; `schedule` waits for those of all watches together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from headcount.query.clock import EXACT_US
from headcount.query.course import Piece
from headcount.query.expressions import FieldValue, Sources
from headcount.query.moving import (
    Computed,
    Counted,
    CountedWhere,
    Edge,
    Followed,
    InWindows,
    MovingSource,
    Window,
    parts,
)
from headcount.segments.watch.candidates import alternatives, is_line

Typed = Sources | tuple[MovingSource, ...]


class Line(NamedTuple):
    """The events of a type, or the instants in a field."""

    is_event: bool
    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Waits:
    """The lines and shifts of a piece; with `rest` there is more, which only `candidates` finds."""

    shifts: frozenset[tuple[Line, int]]
    rest: bool


def waits_of(piece: Piece) -> Waits:
    """Return what a piece waits for; about 5 µs a node."""
    found = list(_Waiting(piece.start).of(piece))
    return Waits(frozenset(one for one in found if one is not None), None in found)


class _Waiting:
    def __init__(self, start: int) -> None:
        self._start = start

    def of(self, piece: Piece) -> Iterator[tuple[Line, int] | None]:
        """Yield lines with shifts, and None for what is no line."""
        for part in parts(piece.condition):
            match part:
                case Counted(sources, window):
                    yield from self._events(sources, window)
                case CountedWhere(sources, window):
                    yield from self._events(sources, window)
                    yield None
                case Computed(_, figures):
                    for one in figures:
                        yield from self._events(one.figure.sources, one.window)
                    if part.instants and not part.is_of_all:
                        yield None
                case InWindows():
                    yield from self._instants(part)
                case Followed():
                    yield from self._events(part.first, part.window)
                    until = self._shifts(Window(Edge(0, moves=False), part.until))
                    yield from _of_events(part.then, until)
                    if part.never:
                        exact = EXACT_US.get(part.within.unit)
                        if exact is None:
                            yield None
                        else:
                            over = exact * part.within.amount
                            yield from _of_events(part.first, [shift + over for shift in until])

    def _events(self, sources: Typed, window: Window) -> Iterator[tuple[Line, int]]:
        yield from _of_events(sources, self._shifts(window))

    def _shifts(self, window: Window) -> list[int]:
        """Return by how much later than itself a thing is at an edge of a window that moves."""
        # Something at the low edge is still inside, so it leaves a microsecond later.
        return [
            late - (int(edge.at) - self._start)
            for edge, late in ((window.low, 1), (window.high, 0))
            if edge.moves
        ]

    def _instants(self, part: InWindows) -> Iterator[tuple[Line, int] | None]:
        of_field = {one.field: one.figure for one in part.figures}
        for moved in part.figures:
            yield from self._events(moved.figure.sources, moved.window)
        shifts = [shift for window in part.windows for shift in self._shifts(window)]
        for one in alternatives(part.value) if shifts else ():
            if not is_line(one, of_field):
                yield None
                continue
            assert isinstance(one, FieldValue)
            if one.field in of_field:
                yield from _of_events(of_field[one.field].sources, shifts)
            else:
                yield from ((Line(False, one.field.name), shift) for shift in shifts)


def _of_events(sources: Typed, shifts: list[int]) -> Iterator[tuple[Line, int]]:
    for source in sources:
        yield from ((Line(True, source.event.name), shift) for shift in shifts)
