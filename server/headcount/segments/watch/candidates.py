"""
Candidates: who may enter or leave while the clock runs over a stretch of a piece, and when.

Within a piece truth changes for a contact only where an edge runs over something of its: the time
of an event, an instant in a field, a deadline. All these lie in sorted structures, so what an edge
runs over in a stretch is a slice:

    log of email_open      . . . | . .  .  . | . . . . . . . . . . . . . . . | . . |
                                 └ leave  ───┘                               └ enter ┘
    low edge             before            after         high edge        before  after

Each event of the slice gives a contact and the instant at which the edge is there. Some of them
change nothing; what is right at each instant is `scene`'s to say. What is computed for each contact
lies in no structure, and is asked for ahead, by `queue`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.columns import Vector
from headcount.index.events import EventIndex
from headcount.index.interval import EVER, Interval
from headcount.index.properties import StringProperty
from headcount.index.view import View
from headcount.model.schema import Field
from headcount.query.clock import EXACT_US, Clock, step_instants
from headcount.query.course import Piece, ahead
from headcount.query.expressions import (
    Anniversary,
    Choice,
    DayStart,
    EventTime,
    Expression,
    FieldValue,
    LocalDay,
    Shifted,
    Source,
    Sources,
)
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame, EventFrame, Figure, range_index
from headcount.query.moving import (
    Computed,
    Counted,
    CountedWhere,
    Edge,
    Followed,
    InWindows,
    MovingFigure,
    MovingSource,
    Window,
    parts,
)
from headcount.query.tree import Duration
from headcount.query.turns import Stretches, turns
from headcount.query.vectors import vector
from headcount.query.zones import DAY_US
from headcount.segments.watch.places import Ordinals, ordinals_of

Instants = npt.NDArray[np.int64]
Rows = npt.NDArray[np.uint32]

_NO_ROWS = np.zeros(0, dtype=np.uint32)
_NO_TIMES = np.zeros(0, dtype=np.int64)
_STAYS = Edge(0, moves=False)
_NEVER = np.iinfo(np.int64).max
_SLACK_US = 5 * DAY_US  # what a step of months may differ by from its neighbour's


class Candidates(NamedTuple):
    """Contacts and instants, by instant and then by contact; each pair once."""

    ordinals: Ordinals
    times: Instants


class Passed:
    """
    How far edges have run over logs, so that one that meets nothing costs a comparison.

    Of an edge (its distance from the clock) and a log: up to which time it has come, and the time
    of the event behind that. What a stretch did not ask for is forgotten with the next: logs never
    change, so those of views that are gone would be kept alive.
    """

    def __init__(self) -> None:
        self._now: dict[tuple[int, int], tuple[EventIndex, int, int]] = {}
        self._before = self._now

    def turn(self) -> None:
        """Begin another stretch."""
        self._before, self._now = self._now, {}

    def slice(self, index: EventIndex, interval: Interval, ahead: int) -> tuple[int, int]:
        """Return the positions of the events in *interval*, which an edge runs over."""
        place = id(index), ahead
        known = self._before.get(place)
        goes_on = known is not None and known[0] is index and known[1] + 1 == interval.low
        if known is not None and goes_on and interval.high < known[2]:
            self._now[place] = (index, interval.high, known[2])
            return 0, 0
        start, stop = index.slice(interval)
        coming = int(index.times(stop, stop + 1)[0]) if stop < index.size else _NEVER
        self._now[place] = (index, interval.high, coming)
        return start, stop


class _Met(NamedTuple):
    """Rows of a block, and the instants at which an edge is at something of theirs."""

    rows: Rows
    times: Instants


def candidates(
    view: View, piece: Piece, clock: Clock, after: int, to: int, passed: Passed
) -> Candidates:
    """
    Return who may change in (*after*, *to*], which lies in *piece*, and when.

    *clock* is that of the piece; *passed* is kept from one stretch to the next. Where an edge meets
    nothing that costs a comparison, otherwise two binary searches a window, event type and block,
    and 10 ns for each thing that is met.
    """
    passed.turn()
    found = []
    for block in view.blocks:
        stretch = _Stretch(block, clock, piece.start, after, to, passed)
        found += [
            (ordinals_of(view, block, met.rows), met.times)
            for met in stretch.met(piece)
            if len(met.rows)
        ]
    return in_order(found) if found else Candidates(_NO_ROWS, _NO_TIMES)


def in_order(found: Sequence[tuple[Ordinals, Instants]]) -> Candidates:
    """Return contacts and instants in order, each pair once."""
    who, when = (np.concatenate(one) for one in zip(*found, strict=True))
    order = np.lexsort((who, when))
    who, when = who[order], when[order]
    new = np.ones(len(who), dtype=np.bool_)
    new[1:] = (who[1:] != who[:-1]) | (when[1:] != when[:-1])
    return Candidates(who[new], when[new])


def of_figures(
    view: View, piece: Piece, clock: Clock, figures: tuple[MovingFigure, ...], after: int, to: int
) -> Candidates:
    """Return whose *figures* may change in (*after*, *to*], and when."""
    found = []
    for block in view.blocks:
        stretch = _Stretch(block, clock, piece.start, after, to, Passed())
        found += [
            (ordinals_of(view, block, met.rows), met.times) for met in stretch.of_figures(figures)
        ]
    return in_order(found) if found else Candidates(_NO_ROWS, _NO_TIMES)


def of_computed(
    view: View, piece: Piece, clock: Clock, part: InWindows | CountedWhere, after: int, to: int
) -> Iterator[tuple[Ordinals, Instants]]:
    """
    Yield whose computed values, or which events, edges run over in (*after*, *to*], and when.

    Everybody, or every event, is asked.
    """
    for block in view.blocks:
        stretch = _Stretch(block, clock, piece.start, after, to, Passed())
        found = stretch.computed(part) if isinstance(part, InWindows) else stretch.chosen(part)
        for met in found:
            yield ordinals_of(view, block, met.rows), met.times


class _Stretch:
    """What edges run over in one block, from `after` (not included) to `to`."""

    def __init__(
        self, block: Block, clock: Clock, start: int, after: int, to: int, passed: Passed
    ) -> None:
        self._block = block
        self._passed = passed
        self._clock = clock
        self._start = start
        self._after = after
        self._to = to

    def met(self, piece: Piece) -> Iterator[_Met]:
        for part in parts(piece.condition):
            match part:
                case Counted(sources, window) | CountedWhere(sources, window):
                    yield from self._events(sources, window)
                case Computed(_, figures):
                    yield from self.of_figures(figures)
                case InWindows(_, windows, figures):
                    yield from self.of_figures(figures)
                    for window in windows:
                        yield from self._instants(part, window)
                case Followed():
                    yield from self._events(part.first, part.window)
                    yield from self._events(part.then, Window(_STAYS, part.until))
                    if part.never:
                        yield from self._deadlines(part)

    def of_figures(self, figures: tuple[MovingFigure, ...]) -> Iterator[_Met]:
        """Yield the events that the edges of the windows of *figures* run over."""
        for one in figures:
            yield from self._events(one.figure.sources, one.window)

    def _events(
        self, sources: Sources | tuple[MovingSource, ...], window: Window
    ) -> Iterator[_Met]:
        """Yield the events that the edges of a window run over."""
        for interval, at_zero in self._run_over(window):
            for source in sources:
                yield from self._of_log(source.event.name, interval, at_zero)

    def _of_log(self, event: str, interval: Interval, at_zero: int) -> Iterator[_Met]:
        for index in self._block.pieces(event):
            start, stop = self._passed.slice(index, interval, at_zero)
            if start < stop:
                yield _Met(index.log_rows[start:stop], index.times(start, stop) + at_zero)

    def _run_over(self, window: Window) -> Iterator[tuple[Interval, int]]:
        """
        Yield the times that the edges of a window run over, and what to add to such a time.

        At time + that number the contact is to be looked at.
        """
        # Something at the low edge is still inside, so it leaves a microsecond later.
        for edge, late in ((window.low, 1), (window.high, 0)):
            if edge.moves:
                ahead = int(edge.at) - self._start
                first, last = self._after + ahead + 1 - late, self._to + ahead - late
                yield Interval(first, last), late - ahead

    def _instants(self, part: InWindows, window: Window) -> Iterator[_Met]:
        """Yield where the edges of a window run over a field of a contact, or an event's time."""
        of_field = {one.field: one.figure for one in part.figures}
        for interval, at_zero in self._run_over(window):
            for one in alternatives(part.value):
                if not is_line(one, of_field):
                    continue
                assert isinstance(one, FieldValue)
                if one.field not in of_field:
                    yield self._of_field(one.field, interval, at_zero)
                    continue
                for source in of_field[one.field].sources:
                    yield from self._of_log(source.event.name, interval, at_zero)

    def computed(self, part: InWindows) -> Iterator[_Met]:
        """Yield where the edges of its windows run over what is computed for each contact."""
        of_field = {one.field: one.figure for one in part.figures}
        for window in part.windows:
            for interval, at_zero in self._run_over(window):
                for one in computed(part):
                    held = leaf(one)
                    figure = of_field.get(held.field) if isinstance(held, FieldValue) else None
                    if figure is None:
                        yield self._of_value(one, interval, at_zero)
                        continue
                    for source in figure.sources:
                        yield from self._of_each_event(one, source, interval, at_zero)

    def _of_each_event(
        self, value: Expression, source: Source, interval: Interval, at_zero: int
    ) -> Iterator[_Met]:
        """Yield where *value* would be in the interval if its figure were that of one event."""
        for index in self._block.pieces(source.event.name):
            start, stop = index.slice(EVER)
            if source.property is None:
                times = index.times(start, stop)
                held = Vector(times, np.ones(len(times), dtype=np.bool_))
            else:
                column = index.property(source.property.name)
                assert not isinstance(column, StringProperty)
                held = column.vector(start, stop)
            found = vector(value, _EventValues(self._clock, held))
            due = (found.values >= interval.low) & (found.values <= interval.high) & found.present
            times = found.values[due].astype(np.int64)
            yield _Met(index.log_rows[start:stop][due], times + at_zero)

    def chosen(self, part: CountedWhere) -> Iterator[_Met]:
        """Yield whose events begin or cease to fit a `where` that moves."""
        for source in part.sources:
            for index in self._block.pieces(source.event.name):
                frame = EventFrame(index, *index.slice(EVER), self._clock)
                for one in parts(source.where):
                    match one:
                        case InWindows(value, windows):
                            held = vector(value, frame)
                            for window in windows:
                                for interval, at_zero in self._run_over(window):
                                    times = _within(held, interval)
                                    yield _Met(frame.contacts[times.rows], times.times + at_zero)
                        case Computed(condition, _, instants) if instants:
                            over = np.broadcast_arrays(
                                np.arange(frame.size), np.int64(self._after), np.int64(self._to)
                            )
                            of_clock = ahead(one, self._start)
                            found, at = turns(condition, frame, of_clock, Stretches(*over))
                            yield _Met(frame.contacts[found], at)

    def _of_field(self, field: Field, interval: Interval, at_zero: int) -> _Met:
        index = range_index(self._block, field)
        first, last = index.ranks(interval.low, interval.high)
        if first == last:
            return _Met(_NO_ROWS, _NO_TIMES)
        rows = bitmaps.to_rows(index.between(interval.low, interval.high))
        return _Met(rows, index.column.take(rows).astype(np.int64) + at_zero)

    def _of_value(self, value: Expression, interval: Interval, at_zero: int) -> _Met:
        figures = Figures(self._block, self._clock)
        held = vector(value, ContactFrame(self._block, self._clock, figures))
        whole = np.broadcast_to(held.values, self._block.rows)
        rows, times = _within(Vector(whole, held.present), interval)
        return _Met(rows, times + at_zero)

    def _deadlines(self, part: Followed) -> Iterator[_Met]:
        """Yield where the end runs over the deadline of a first event."""
        for interval, at_zero in self._run_over(Window(_STAYS, part.until)):
            for source in part.first:
                for index in self._block.pieces(source.event.name):
                    start, stop = index.slice(_began(interval, part.within, self._clock))
                    times = index.times(start, stop)
                    ends = step_instants(times, part.within, 1, self._clock.local)
                    due = (ends >= interval.low) & (ends <= interval.high)
                    yield _Met(index.log_rows[start:stop][due], ends[due] + at_zero)


def _within(held: Vector, interval: Interval) -> _Met:
    """Return where values are in an interval, and which."""
    inside = (held.values >= interval.low) & (held.values <= interval.high) & held.present
    rows = np.flatnonzero(inside).astype(np.uint32)
    return _Met(rows, held.values[rows].astype(np.int64))


def _began(interval: Interval, within: Duration, clock: Clock) -> Interval:
    """Return an interval that holds the beginnings of all that is over in *interval*."""
    exact = EXACT_US.get(within.unit)
    if exact is not None:
        return Interval(interval.low - exact * within.amount, interval.high - exact * within.amount)
    ends = np.array([interval.low, interval.high], dtype=np.int64)
    low, high = step_instants(ends, within, -1, clock.local).tolist()
    return Interval(low - _SLACK_US, high + _SLACK_US)


def alternatives(value: Expression) -> Iterator[Expression]:
    """Yield expressions of one operand each, of which one has the value of *value*."""
    match value:
        case Choice(operands=operands):
            for operand in operands:
                yield from alternatives(operand)
        case Shifted(operand) | DayStart(operand) | LocalDay(operand) | Anniversary(operand):
            for one in alternatives(operand):
                yield value if one is operand else replace(value, operand=one)
        case _:
            yield value


def is_line(value: Expression, of_field: Mapping[Field, Figure]) -> bool:
    """Return whether *value* lies in order of time: an instant in a field, an event's time."""
    if not isinstance(value, FieldValue):
        return False
    return isinstance(of_field.get(value.field), EventTime | None)


def computed(part: InWindows) -> list[Expression]:
    """Return the alternatives of a part's value that lie in no structure, if its windows move."""
    if not any(window.moves for window in part.windows):
        return []
    of_field = {one.field: one.figure for one in part.figures}
    return [one for one in alternatives(part.value) if not is_line(one, of_field)]


def leaf(value: Expression) -> Expression:
    """Return what an expression of one operand is worked out from."""
    while isinstance(value, Shifted | DayStart | LocalDay | Anniversary):
        value = value.operand
    return value


@dataclass(frozen=True)
class _EventValues:
    """The events of a log, as the values of the only field that is asked for."""

    clock: Clock
    held: Vector

    @property
    def size(self) -> int:
        """Return how many events there are."""
        return len(self.held.values)

    def vector(self, field: Field) -> Vector:  # noqa: ARG002
        """Return the value of each event."""
        return self.held

    def texts(self, field: Field) -> pa.Array:
        """Refuse: a time is no text."""
        raise AssertionError(field)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Refuse: a time is no text."""
        raise AssertionError(field, function)

    def figure(self, figure: Figure) -> Vector:
        """Refuse: an event has no events."""
        raise AssertionError(figure)
