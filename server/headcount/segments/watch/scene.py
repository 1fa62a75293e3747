"""
Scenes: what a moving condition says of many contacts, each at an instant of its own.

A row of a scene is a contact and an instant. What does not move is worked out once for each
contact, by the engine, on a small view of those contacts alone; a window that moves lies elsewhere
in each row, and is looked up in the contact's own line of events (`lines`):

    row 0   contact 17 at 08:15:00.000001     its opens from 2 Oct 08:15:00.000002 on: 2
    row 1   contact 17 at 08:15:42.000001     its opens from 2 Oct 08:15:42.000002 on: 1
    row 2   contact 99 at 08:15:42.000001     ...

So a million instants cost hardly more than one. An extract is shared by all watches that look at
the same contacts, with what was found out about them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.columns import Vector
from headcount.index.interval import EVER
from headcount.index.properties import StringProperty
from headcount.index.view import View
from headcount.model.schema import EventType, Field
from headcount.query.bound import All, Complement, Condition, Enough, InRanges
from headcount.query.bound import Any as Any_
from headcount.query.clock import Clock, step_instants
from headcount.query.context import never
from headcount.query.estimate import Estimate
from headcount.query.evaluate import Evaluation
from headcount.query.expressions import (
    EventAggregate,
    EventTally,
    EventTime,
    FieldValue,
    Source,
    Sources,
)
from headcount.query.figures import Figures, aggregated
from headcount.query.frames import ContactFrame, EventFrame, Frame, as_vector
from headcount.query.frames import Figure as AnyFigure
from headcount.query.masks import in_ranges, mask
from headcount.query.moving import (
    Computed,
    Counted,
    CountedWhere,
    Edge,
    Every,
    Fixed,
    Followed,
    InWindows,
    Moving,
    MovingFigure,
    MovingInstant,
    MovingSource,
    Others,
    Several,
    Some,
    Window,
)
from headcount.query.plan import Leaf, Plan
from headcount.query.vectors import vector
from headcount.segments.watch.lines import Lines, spread

Rows = npt.NDArray[np.int64]
Instants = npt.NDArray[np.int64]
Occurred = tuple[Rows, Instants]


class Stage:
    """
    Some contacts, and what was found out about them that does not depend on the instant.

    One for each time zone and day, because that is what fixed conditions depend on beside the data.
    """

    def __init__(self, extract: View, clock: Clock, events: Callable[[str], Occurred]) -> None:
        """*events* returns all events of a type of these contacts."""
        self.extract = extract
        (self.block,) = extract.blocks
        self.clock = clock
        self._all_events = events
        self.figures = Figures(self.block, clock)
        self._fixed: dict[Condition, Mask] = {}
        self._frame = ContactFrame(self.block, clock, self.figures)
        self._lines: dict[Source, Lines] = {}
        self._occurred: dict[Source, Occurred] = {}
        self._vectors: dict[Field, Vector] = {}
        self._happened: dict[str, Happened] = {}
        self._values: dict[Sources, tuple[Lines, npt.NDArray[Any]]] = {}

    def fixed(self, condition: Condition) -> Mask:
        """
        Return which contacts a condition without the clock in it holds.

        Part by part, each worked out once for all watches; of so few contacts no plan would pay.
        """
        found = self._fixed.get(condition)
        if found is None:
            found = self._fixed[condition] = self._worked_out(condition)
        return found

    def _worked_out(self, condition: Condition) -> Mask:
        match condition:
            case All(items):
                return reduce(np.logical_and, map(self.fixed, items))
            case Any_(items):
                return reduce(np.logical_or, map(self.fixed, items))
            case Complement(item):
                return ~self.fixed(item)
            case Enough(items, count):
                sums = np.zeros(self.block.rows, dtype=np.int64)
                for item in items:
                    sums += self.fixed(item)
                return sums >= count
            case InRanges(FieldValue(field), ranges):
                held = self.vector(field)
                return in_ranges(held.values, ranges) & held.present
        leaf = Plan(Leaf(condition, Estimate(0.0, 0.0)), False, self.clock, frozenset(), 1.0)
        rows = Evaluation(self.block, leaf, never).members()
        return bitmaps.to_mask(rows, self.block.rows)

    def vector(self, field: Field) -> Vector:
        """Return the value of a field of each contact, shared."""
        found = self._vectors.get(field)
        if found is None:
            found = self._vectors[field] = self._frame.vector(field)
        return found

    def lines(self, source: Source) -> Lines:
        """Return the lines of all events that fit a source; its property is not asked about."""
        found = self._lines.get(source)
        if found is None:
            found = self._lines[source] = Lines.build(*self.occurred(source))
        return found

    def occurred(self, source: Source) -> Occurred:
        """Return the row and the time of all events that fit a source, as `lines` takes them."""
        if source.where is None:
            return self._all_events(source.event.name)
        found = self._occurred.get(source)
        if found is None:
            held = list(self._events(source))
            rows = np.concatenate([frame.contacts.compress(fits) for frame, fits in held])
            times = np.concatenate([_times(frame).compress(fits) for frame, fits in held])
            found = self._occurred[source] = rows.astype(np.int64), times
        return found

    def values(self, figure: EventAggregate) -> tuple[Lines, npt.NDArray[Any]]:
        """Return the events that have the property of an aggregate, and the value of each."""
        found = self._values.get(figure.sources)
        if found is None:
            found = self._values[figure.sources] = self._worked_out_values(figure)
        return found

    def _worked_out_values(self, figure: EventAggregate) -> tuple[Lines, npt.NDArray[Any]]:
        rows: list[npt.NDArray[np.uint32]] = []
        times: list[Instants] = []
        values: list[npt.NDArray[Any]] = []
        texts: list[pa.Array] = []
        for source in figure.sources:
            assert source.property is not None
            for frame, fits in self._events(source):
                column = frame.index.property(source.property.name)
                if isinstance(column, StringProperty):
                    codes = column.codes(frame.start, frame.stop)
                    kept = fits & (codes != column.missing)
                    taken = pa.array(codes.compress(kept))
                    texts.append(column.dictionary.keys.take(taken))
                else:
                    held = frame.vector(source.property)
                    kept = fits & held.present
                    values.append(held.values.compress(kept))
                rows.append(frame.contacts.compress(kept))
                times.append(_times(frame).compress(kept))
        if texts:
            values = [pa.concat_arrays(texts).dictionary_encode().indices.to_numpy()]
        return Lines.build(np.concatenate(rows), np.concatenate(times)), np.concatenate(values)

    def happened(self, event: EventType) -> Happened:
        """Return all events of a type, with their properties, shared."""
        found = self._happened.get(event.name)
        if found is None:
            frames = [frame for frame, _ in self._events(Source(event))]
            found = self._happened[event.name] = Happened(frames)
        return found

    def _events(self, source: Source) -> Iterator[tuple[EventFrame, Mask]]:
        """Yield all events of a source's type, piece by piece, and which fit its condition."""
        for index in self.block.pieces(source.event.name):
            frame = EventFrame(index, *index.slice(EVER), self.clock)
            if source.where is None:
                yield frame, np.ones(frame.size, dtype=np.bool_)
            else:
                yield frame, mask(source.where, frame)


class Happened:
    """All events of a type: their lines, and what they have, in the order that lines are given."""

    def __init__(self, frames: Sequence[EventFrame]) -> None:
        self._frames = frames
        rows = np.concatenate([frame.contacts for frame in frames])
        self.lines = Lines.build(rows, np.concatenate([_times(frame) for frame in frames]))
        self._fits: dict[Condition, Mask] = {}
        self._vectors: dict[Field, Vector] = {}

    def fits(self, condition: Condition) -> Mask:
        """Return which events fit a condition without the clock in it."""
        found = self._fits.get(condition)
        if found is None:
            masks = [mask(condition, frame) for frame in self._frames]
            found = self._fits[condition] = np.concatenate(masks)
        return found

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every event."""
        found = self._vectors.get(field)
        if found is None:
            held = [frame.vector(field) for frame in self._frames]
            values = np.concatenate([one.values for one in held])
            present = np.concatenate([one.present for one in held])
            found = self._vectors[field] = Vector(values, present)
        return found


def _times(frame: EventFrame) -> Instants:
    return frame.index.times(frame.start, frame.stop)


class Scene:
    """
    Contacts of a stage, `rows`, at the instants of `times`, all in one piece of a course.

    Edges that move are where they are said to be at instant *start*.
    """

    def __init__(self, stage: Stage, start: int, rows: Rows, times: Instants) -> None:
        self._stage = stage
        self._rows = rows
        self._times = times
        self._start = start
        self._elapsed = times - start

    @property
    def clock(self) -> Clock:
        """Return the clock of the piece."""
        return self._stage.clock

    @property
    def size(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def truth(self, condition: Moving) -> Mask:
        """Return which rows *condition* holds."""
        match condition:
            case Fixed(bound):
                return self._fixed(bound)
            case Every(items):
                return self._every(items)
            case Some(items):
                return reduce(np.logical_or, map(self.truth, items))
            case Others(item):
                return ~self.truth(item)
            case Several(items, count):
                held = np.zeros(self.size, dtype=np.int64)
                for item in items:
                    held += self.truth(item)
                return held >= count
            case Counted(sources, window, low, high):
                counts = self._counts(sources, window)
                return (counts >= low) & (high is None or counts <= high)
            case CountedWhere(sources, window, low, high):
                counts = self._counts_where(sources, window)
                return (counts >= low) & (high is None or counts <= high)
            case Computed(bound, figures, instants):
                return mask(bound, self.frame(figures, instants))
            case InWindows():
                return self._in_windows(condition)
            case Followed():
                return self._followed(condition)

    def _every(self, items: tuple[Moving, ...]) -> Mask:
        """Return which rows all of *items* hold; what moves is asked of those that are left."""
        found = np.ones(self.size, dtype=np.bool_)
        for item in items:
            if isinstance(item, Fixed):
                found &= self.truth(item)
        left = np.flatnonzero(found)
        few = self._some(left)
        for item in items:
            if not isinstance(item, Fixed) and few.size:
                found[left] &= few.truth(item)
        return found

    def _fixed(self, condition: Condition) -> Mask:
        return self._stage.fixed(condition)[self._rows]

    def _some(self, left: Rows) -> Scene:
        """Return some of the rows."""
        return Scene(self._stage, self._start, self._rows[left], self._times[left])

    def _in_windows(self, condition: InWindows) -> Mask:
        held = vector(condition.value, self.frame(condition.figures, condition.instants))
        found = np.zeros(self.size, dtype=np.bool_)
        for window in condition.windows:
            low, high = self._edge(window.low), self._edge(window.high)
            found |= (held.values >= low) & (held.values <= high)
        return found & held.present

    def _edge(self, edge: Edge) -> npt.NDArray[Any]:
        """Return where an edge is in each row."""
        if edge.moves:
            return self._elapsed + int(edge.at)
        return np.broadcast_to(np.asarray(edge.at), self.size)

    # --- figures ------------------------------------------------------------------------------

    def frame(
        self, figures: tuple[MovingFigure, ...], instants: tuple[MovingInstant, ...] = ()
    ) -> Frame:
        """Return the rows with what moves as fields of theirs."""
        found = {one.field: self._figure(one.figure, one.window) for one in figures}
        always = np.ones(self.size, dtype=np.bool_)
        found |= {one.field: Vector(self._edge(one.edge), always) for one in instants}
        return _Frame(self._stage, self._rows, found)

    def _figure(self, figure: AnyFigure, window: Window) -> Vector:
        match figure:
            case EventTally(sources):
                counts = self._counts(sources, window).astype(np.float64)
                return Vector(counts, np.ones(self.size, dtype=np.bool_))
            case EventTime(pick, sources):
                return self._time(pick, sources, window)
            case EventAggregate():
                lines, values = self._stage.values(figure)
                places, owners = spread(*self._between(lines, window))
                rows = owners.astype(np.uint32)
                return aggregated(figure, rows, values[lines.given[places]], self.size)

    def _between(self, lines: Lines, window: Window) -> tuple[Rows, Rows]:
        return lines.between(self._rows, self._edge(window.low), self._edge(window.high))

    def _counts(self, sources: Sources, window: Window) -> Rows:
        total = np.zeros(self.size, dtype=np.int64)
        for source in sources:
            start, stop = self._between(self._stage.lines(source), window)
            total += stop - start
        return total

    def _counts_where(self, sources: tuple[MovingSource, ...], window: Window) -> Rows:
        total = np.zeros(self.size, dtype=np.int64)
        for source in sources:
            happened = self._stage.happened(source.event)
            places, owners = spread(*self._between(happened.lines, window))
            chosen = _Among(self, happened, happened.lines.given[places], owners)
            total += np.bincount(owners[chosen.truth(source.where)], minlength=self.size)
        return total

    def _time(self, pick: str, sources: Sources, window: Window) -> Vector:
        values = np.zeros(self.size, dtype=np.int64)
        present = np.zeros(self.size, dtype=np.bool_)
        for source in sources:
            lines = self._stage.lines(source)
            start, stop = self._between(lines, window)
            some = np.flatnonzero(stop > start)
            times = np.zeros(self.size, dtype=np.int64)
            times[some] = lines.time((stop[some] - 1) if pick == "last" else start[some])
            better = times > values if pick == "last" else times < values
            take = (stop > start) & (~present | better)
            values[take] = times[take]
            present |= stop > start
        return Vector(values, present)

    def _followed(self, condition: Followed) -> Mask:
        until = self._edge(condition.until)
        found = np.zeros(self.size, dtype=np.bool_)
        for source in condition.first:
            lines = self._stage.lines(source)
            places, owners = spread(*self._between(lines, condition.window))
            times = lines.time(places)
            deadlines = step_instants(times, condition.within, 1, self.clock.local)
            ends = np.minimum(deadlines, until[owners])
            answers = np.zeros(len(places), dtype=np.int64)
            for answer in condition.then:
                line = self._stage.lines(answer)
                start, stop = line.between(self._rows[owners], times + 1, ends)
                answers += stop - start
            fits = (answers == 0) & (deadlines <= until[owners]) if condition.never else answers > 0
            found[owners[fits]] = True
        return found


class _Among(Scene):
    """Events of a scene's rows, each at the instant of its row, about which a `where` asks."""

    def __init__(self, outer: Scene, happened: Happened, events: Rows, owners: Rows) -> None:
        super().__init__(outer._stage, outer._start, events, outer._times[owners])
        self._outer = outer
        self._among = happened
        self._owners = owners

    def frame(
        self, figures: tuple[MovingFigure, ...], instants: tuple[MovingInstant, ...] = ()
    ) -> Frame:
        """Return the events with what moves as properties of theirs."""
        assert not figures
        found = {one.field: self._moved(one) for one in instants}
        return _EventFrame(self._among, self._rows, self.clock, found)

    def _moved(self, instant: MovingInstant) -> Vector:
        return Vector(self._edge(instant.edge), np.ones(self.size, dtype=np.bool_))

    def _fixed(self, condition: Condition) -> Mask:
        return self._among.fits(condition)[self._rows]

    def _some(self, left: Rows) -> Scene:
        return _Among(self._outer, self._among, self._rows[left], self._owners[left])

    def _edge(self, edge: Edge) -> npt.NDArray[Any]:
        return self._outer._edge(edge)[self._owners]


@dataclass(frozen=True)
class _EventFrame:
    """Events for the engine's arithmetic; what moves is a property of theirs."""

    among: Happened
    rows: Rows
    clock: Clock
    moved: dict[Field, Vector]

    @property
    def size(self) -> int:
        """Return how many events there are."""
        return len(self.rows)

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every event."""
        moved = self.moved.get(field)
        if moved is not None:
            return moved
        whole = self.among.vector(field)
        return Vector(whole.values[self.rows], whole.present[self.rows])

    def texts(self, field: Field) -> pa.Array:
        """Refuse: no text goes with the clock."""
        raise AssertionError(field)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Refuse: no text goes with the clock."""
        raise AssertionError(field, function)

    def figure(self, figure: AnyFigure) -> Vector:
        """Refuse: an event has no events."""
        raise AssertionError(figure)


class _Frame:
    """The rows of a scene for the engine's arithmetic; figures that move are fields of theirs."""

    def __init__(self, stage: Stage, rows: Rows, moved: dict[Field, Vector]) -> None:
        self._stage = stage
        self._rows = rows
        self._moved = moved
        self._whole = ContactFrame(stage.block, stage.clock, stage.figures)

    @property
    def clock(self) -> Clock:
        """Return the clock that local times are read on."""
        return self._stage.clock

    @property
    def size(self) -> int:
        """Return how many rows there are."""
        return len(self._rows)

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every row."""
        moved = self._moved.get(field)
        return self._taken(self._stage.vector(field)) if moved is None else moved

    def texts(self, field: Field) -> pa.Array:
        """Return the text, or the list of texts, of every row as it was stored."""
        return self._whole.texts(field).take(pa.array(self._rows))

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Return *function*, of Arrow texts to numbers, of the text of every row."""
        return as_vector(function(self.texts(field)))

    def figure(self, figure: AnyFigure) -> Vector:
        """Return a figure that does not move, over the events of every row."""
        return self._taken(self._stage.figures(figure))

    def _taken(self, whole: Vector) -> Vector:
        return Vector(whole.values[self._rows], whole.present[self._rows])
