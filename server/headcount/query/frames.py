"""
Frames: the rows that an expression is worked out for, and where their stored values come from.

    ContactFrame   the contacts of a block, or some of them        fields and figures over events
    EventFrame     the events of one type in a stretch of the log  properties

An expression does not know which of the two it is about. Values come as a `Vector`, one value a
row of the frame with a mask of those that have one; texts as Arrow strings, null for none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.block import LISTS, OPTED_OUT, Block
from headcount.index.columns import Vector
from headcount.index.events import EventIndex
from headcount.index.fields import FieldIndex
from headcount.index.flags import FlagIndex
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.properties import EventProperty, NumberProperty, StringProperty
from headcount.index.ranges import RangeIndex
from headcount.index.selection import Selection
from headcount.index.text import TextIndex
from headcount.model.fold import is_exact
from headcount.model.schema import Field, FieldType
from headcount.query.clock import Clock
from headcount.query.expressions import EventAggregate, EventTally, EventTime

Rows = npt.NDArray[np.uint32]
Figure = EventTally | EventTime | EventAggregate


class Frame(Protocol):
    """Rows with stored values; `clock` is the query's."""

    @property
    def clock(self) -> Clock:
        """Return the clock that local times are read on."""

    @property
    def size(self) -> int:
        """Return how many rows there are."""

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every row."""

    def texts(self, field: Field) -> pa.Array:
        """Return the text, or the list of texts, of every row as it was stored."""

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Return *function*, of Arrow texts to numbers, of the text of every row."""

    def figure(self, figure: Figure) -> Vector:
        """Return a figure over the events of every row."""


def index_of(block: Block, field: Field) -> FieldIndex:
    """Return the index of a stored field other than the id, or of the lists."""
    if field == LISTS:
        return block.lists
    if field == OPTED_OUT:
        return block.opted_out
    return block.fields[field.name]


def range_index(block: Block, field: Field) -> RangeIndex:
    """Return the index of a number, date or datetime."""
    index = block.fields[field.name]
    assert isinstance(index, RangeIndex), field
    return index


def flag_index(block: Block, field: Field) -> FlagIndex:
    """Return the index of a boolean."""
    index = block.fields[field.name]
    assert isinstance(index, FlagIndex), field
    return index


def text_index(block: Block, field: Field) -> KeywordIndex | KeywordsIndex | TextIndex:
    """Return the index of a text or set of texts other than the id."""
    index = index_of(block, field)
    assert not isinstance(index, RangeIndex | FlagIndex), field
    return index


@dataclass(frozen=True)
class ContactFrame:
    """
    The contacts of a block in the order of `rows` (uint32, ascending), all of them when None.

    `figures` gives a figure over events for every contact of the block.
    """

    block: Block
    clock: Clock
    figures: Callable[[Figure], Vector]
    rows: Rows | None = None

    @property
    def size(self) -> int:
        """Return how many contacts there are."""
        return self.block.rows if self.rows is None else len(self.rows)

    def among(self, rows: Rows) -> ContactFrame:
        """Return the frame of some of the block's contacts."""
        return ContactFrame(self.block, self.clock, self.figures, rows)

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every row."""
        if field.type is FieldType.BOOLEAN:
            flags = flag_index(self.block, field).vector()
            return flags if self.rows is None else _taken(flags, self.rows)
        index = range_index(self.block, field)
        if self.rows is None:
            return index.vector()
        present = bitmaps.holds(index.present, self.rows, self.block.rows)
        return Vector(index.column.take(self.rows), present)

    def texts(self, field: Field) -> pa.Array:
        """Return the text, or the list of texts, of every row as it was stored."""
        if is_exact(field):
            ids = self.block.ids
            return ids.array if self.rows is None else ids.take(self.rows)
        return index_of(self.block, field).to_arrow(self.rows)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Return *function*, of Arrow texts to numbers, of the text of every row."""
        index = None if is_exact(field) else index_of(self.block, field)
        if not isinstance(index, KeywordIndex):
            return as_vector(function(self.texts(field)))
        codes = index.codes if self.rows is None else index.codes[self.rows]
        return _by_code(function(index.dictionary.values), codes)

    def figure(self, figure: Figure) -> Vector:
        """Return a figure over the events of every row."""
        whole = self.figures(figure)
        return whole if self.rows is None else _taken(whole, self.rows)

    def stretches(self, size: int) -> Iterator[Frame]:
        """Yield frames of *size* consecutive rows each, the last one of what is left."""
        shared = _Shared(self)
        starts = range(0, self.size, size)
        return (_Stretch(shared, start, min(start + size, self.size)) for start in starts)


class _Shared:
    """What the stretches of one frame take their part of, made when the first one asks."""

    def __init__(self, frame: ContactFrame) -> None:
        self.frame = frame
        self._present: dict[str, Mask] = {}
        self._whole: dict[Field, Vector] = {}

    def vector(self, field: Field, start: int, stop: int) -> Vector:
        """Return the values of rows *start* to *stop*; no column is decoded as a whole."""
        frame = self.frame
        if frame.rows is not None or field.type is FieldType.BOOLEAN:
            whole = self._whole.get(field)
            if whole is None:
                whole = self._whole[field] = frame.vector(field)
            return Vector(whole.values[start:stop], whole.present[start:stop])
        index = range_index(frame.block, field)
        present = self._present.get(field.name)
        if present is None:
            present = self._present[field.name] = bitmaps.to_mask(index.present, frame.size)
        return Vector(index.column.decode(start, stop), present[start:stop])


@dataclass(frozen=True)
class _Stretch:
    """Consecutive rows of a frame of contacts, for numbers and times; texts are not cut."""

    shared: _Shared
    start: int
    stop: int

    @property
    def clock(self) -> Clock:
        return self.shared.frame.clock

    @property
    def size(self) -> int:
        return self.stop - self.start

    def vector(self, field: Field) -> Vector:
        return self.shared.vector(field, self.start, self.stop)

    def figure(self, figure: Figure) -> Vector:
        whole = self.shared.frame.figure(figure)
        return Vector(whole.values[self.start : self.stop], whole.present[self.start : self.stop])

    def texts(self, field: Field) -> pa.Array:
        raise AssertionError(field)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        raise AssertionError(field, function)


@dataclass(frozen=True)
class EventFrame:
    """The events of one type at positions `start` to `stop` of the log."""

    index: EventIndex
    start: int
    stop: int
    clock: Clock

    @property
    def size(self) -> int:
        """Return how many events there are."""
        return self.stop - self.start

    @property
    def contacts(self) -> Rows:
        """Return the row of each event's contact, not to be changed."""
        return self.index.log_rows[self.start : self.stop]

    def column(self, field: Field) -> EventProperty:
        """Return the column of a property; the frame is a stretch of it."""
        return self.index.property(field.name)

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every event."""
        column = self.column(field)
        assert not isinstance(column, StringProperty), field
        return column.vector(self.start, self.stop)

    def texts(self, field: Field) -> pa.Array:
        """Return the text of every event as it was stored."""
        column = self.strings(field)
        codes = column.codes(self.start, self.stop)
        return column.dictionary.values.take(pa.array(codes, mask=codes == column.missing))

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Return *function*, of Arrow texts to numbers, of the text of every event."""
        column = self.strings(field)
        codes = column.codes(self.start, self.stop)
        return _by_code(function(column.dictionary.values), codes)

    def figure(self, figure: Figure) -> Vector:
        """Refuse: an event has no events."""
        raise AssertionError(figure)

    def stretches(self, size: int) -> Iterator[Frame]:
        """Yield frames of *size* consecutive events each, the last one of what is left."""
        for start in range(self.start, self.stop, size):
            stop = min(start + size, self.stop)
            yield EventFrame(self.index, start, stop, self.clock)

    def strings(self, field: Field) -> StringProperty:
        """Return the column of a text property."""
        column = self.column(field)
        assert isinstance(column, StringProperty), field
        return column

    def with_keys(self, field: Field, keys: frozenset[str]) -> Mask:
        """Return which events have a text with one of *keys*."""
        column = self.strings(field)
        return column.among(column.dictionary.lookup_all(keys), self.start, self.stop)

    def within(
        self,
        field: Field,
        low: float | None,
        high: float | None,
        low_open: bool,
        high_open: bool,
    ) -> Mask:
        """Return which events have a number, day or instant between limits, as an index does."""
        column = self.column(field)
        assert isinstance(column, NumberProperty), field
        return column.within(self.start, self.stop, low, high, low_open, high_open)

    def with_codes(self, field: Field, codes: npt.NDArray[np.bool_]) -> Mask:
        """Return which events have a text for whose code *codes* (bool[distinct]) is true."""
        column = self.strings(field)
        wanted = np.append(codes, False)
        found: Mask = wanted.take(column.codes(self.start, self.stop))
        return found


@dataclass(frozen=True)
class SelectedFrame(EventFrame):
    """The events of a selection at places `start` to `stop` in it: by contact, not by time."""

    selection: Selection

    @property
    def contacts(self) -> Rows:
        """Return the row of each event's contact, not to be changed."""
        return self.selection.rows[self.start : self.stop]

    def column(self, field: Field) -> EventProperty:
        """Return the column of a property; the frame is a stretch of it."""
        return self.selection.properties[field.name]

    def stretches(self, size: int) -> Iterator[Frame]:
        """Yield frames of *size* consecutive events each, the last one of what is left."""
        for start in range(self.start, self.stop, size):
            yield replace(self, start=start, stop=min(start + size, self.stop))


def _taken(whole: Vector, rows: Rows) -> Vector:
    """Return some rows of a vector."""
    return Vector(whole.values[rows], whole.present[rows])


def as_vector(values: pa.Array) -> Vector:
    """Return an Arrow array of numbers as a vector."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    return Vector(values.fill_null(0).to_numpy(), present)


def _by_code(values: pa.Array, codes: npt.NDArray[Any]) -> Vector:
    """Return the value of each of *codes*; the code after the last stands for a missing text."""
    distinct = as_vector(values)
    return Vector(
        np.append(distinct.values, 0).take(codes), np.append(distinct.present, False).take(codes)
    )
