"""
The schedule of all watches: when the next edge of any of them meets something, and what.

    line             shifts             run over one log of a view
    email_open       1 d, 7 d, 30 d     coming: 12:03, 14:40, 12:01   next 12:01
    field `seen`     2 h                coming: 12:30                 next 12:30

For each structure that holds things in order of time (`waits`), and each shift that watches have,
it is kept which thing comes next and when. So time that goes by costs a comparison a structure,
0.1 ms in all, however many watches there are; and what is met is found once for those that share
the edge. Structures never change: a new one begins where the clock is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from headcount.index.block import Block
from headcount.index.events import EventIndex
from headcount.index.interval import EVER, Interval
from headcount.index.ranges import RangeIndex
from headcount.index.view import View
from headcount.segments.watch.candidates import Candidates, in_order
from headcount.segments.watch.places import ordinals_of
from headcount.segments.watch.waits import Line, Waits

Instants = npt.NDArray[np.int64]
Positions = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]

_NEVER = np.iinfo(np.int64).max
_FEW = 4096  # things that are read all at once


class Schedule:
    """What watches wait for, up to where their clock is."""

    def __init__(self) -> None:
        self._waits: list[Waits] = []
        self._edges: dict[Line, _Edges] = {}
        self._runs: dict[int, _Run] = {}
        self._at: int | None = None

    def met(self, waits: list[Waits], view: View, after: int, to: int) -> dict[int, Candidates]:
        """
        Return who is met in (*after*, *to*], by the place in *waits* of whom it concerns.

        Nothing is said of what has a `rest`. *view* is the view of all that time.
        """
        if waits != self._waits:
            self._waits = waits
            self._edges = _edges(waits)
            self._runs = {}
        if after != self._at:
            self._runs = {}
        self._at = to
        found: dict[int, list[tuple[Rows, Instants]]] = {}
        runs: dict[int, _Run] = {}
        for block in view.blocks:
            for line, edges in self._edges.items():
                for things in _things(block, line):
                    run = self._runs.get(id(things.of))
                    if run is None or run.things.of is not things.of:
                        run = _Run(things, edges.shifts, after)
                    runs[id(things.of)] = run
                    if run.next > to:
                        continue
                    for edge, rows, times in run.to(to):
                        met = ordinals_of(view, block, rows), times
                        for place in edges.whose[edge]:
                            found.setdefault(place, []).append(met)
        self._runs = runs
        return {place: in_order(met) for place, met in found.items()}


class _Edges:
    """The shifts along one line, and the places of those who wait for each."""

    def __init__(self) -> None:
        self.whose: list[list[int]] = []
        self._places: dict[int, int] = {}

    def add(self, shift: int, whose: int) -> None:
        place = self._places.setdefault(shift, len(self._places))
        if place == len(self.whose):
            self.whose.append([])
        self.whose[place].append(whose)

    @property
    def shifts(self) -> Instants:
        return np.array(list(self._places), dtype=np.int64)


def _edges(waits: Sequence[Waits]) -> dict[Line, _Edges]:
    found: dict[Line, _Edges] = {}
    for place, one in enumerate(waits):
        if not one.rest:
            for line, shift in one.shifts:
                found.setdefault(line, _Edges()).add(shift, place)
    return found


class _Run:
    """How far the edges of one line have come along one structure."""

    def __init__(self, things: _Things, shifts: Instants, after: int) -> None:
        self.things = things
        self._shifts = shifts
        self._places = things.firsts(after + 1 - shifts)
        self._coming = things.times(self._places)
        self._coming = np.where(self._coming == _NEVER, _NEVER, self._coming + shifts)
        self.next = int(self._coming.min())

    def to(self, to: int) -> Iterator[tuple[int, Rows, Instants]]:
        """Yield the edges that meet something up to *to*: the rows, and at which instants."""
        for edge in np.flatnonzero(self._coming <= to).tolist():
            shift, start = int(self._shifts[edge]), int(self._places[edge])
            (stop,) = self.things.firsts(np.array([to + 1 - shift]))
            places = np.arange(start, stop)
            yield edge, self.things.rows(places), self.things.times(places) + shift
            self._places[edge] = stop
            (coming,) = self.things.times(np.array([stop]))
            self._coming[edge] = _NEVER if coming == _NEVER else coming + shift
        self.next = int(self._coming.min())


class _Things(Protocol):
    """A structure with things in order of time; `of` is what it is known by."""

    @property
    def of(self) -> object:
        """Return what never is another structure's while this one is held."""

    def firsts(self, times: Instants) -> Positions:
        """Return the place of the first thing at each time or later."""

    def times(self, places: Positions) -> Instants:
        """Return the time at each place, fresh; `_NEVER` behind the last."""

    def rows(self, places: Positions) -> Rows:
        """Return whose the things at places are."""


def _things(block: Block, line: Line) -> Iterator[_Things]:
    if line.is_event:
        for index in block.pieces(line.name):
            if index.size:
                yield _Events(index)
    else:
        field = block.fields[line.name]
        assert isinstance(field, RangeIndex), line
        if len(field.order):
            yield _Instants(field)


class _Events:
    """The events of a log."""

    def __init__(self, index: EventIndex) -> None:
        self.of = index

    def firsts(self, times: Instants) -> Positions:
        index = self.of
        if index.size <= _FEW and len(times) > 1:
            return np.maximum(np.searchsorted(index.times(), times), index.start)
        found = [index.slice(Interval(time, EVER.high))[0] for time in times.tolist()]
        return np.array(found, dtype=np.int64)

    def times(self, places: Positions) -> Instants:
        return _at(places, self.of.size, self.of.log.timeline.take)

    def rows(self, places: Positions) -> Rows:
        return self.of.log_rows[places]


class _Instants:
    """The instants in a field."""

    def __init__(self, index: RangeIndex) -> None:
        self.of = index

    def firsts(self, times: Instants) -> Positions:
        return np.array([self.of.ranks(time, None)[0] for time in times.tolist()], dtype=np.int64)

    def times(self, places: Positions) -> Instants:
        return _at(places, len(self.of.order), self._taken)

    def rows(self, places: Positions) -> Rows:
        return self.of.order[places]

    def _taken(self, places: Positions) -> Instants:
        return self.of.column.take(self.of.order[places]).astype(np.int64)


def _at(places: Positions, size: int, take: Callable[[Positions], Instants]) -> Instants:
    """Return what *take* gives for *places* below *size*, `_NEVER` for the rest."""
    found = np.full(len(places), _NEVER, dtype=np.int64)
    there = places < size
    found[there] = take(places[there])
    return found
