"""
History: the events of one contact that a condition looks at.

A window is a stretch of the log of all contacts, so one contact's events are found by going through
it: 1 ms a million events. That is for a person who asks about one contact; nothing that is counted
comes from here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headcount.index.events import EventIndex
from headcount.index.interval import EVER, Interval
from headcount.index.properties import StringProperty
from headcount.model.schema import FieldType
from headcount.query.bound import Condition, EventCount, Follows, Node, children
from headcount.query.clock import Clock
from headcount.query.expressions import (
    KINDS,
    EventAggregate,
    EventTally,
    EventTime,
    Source,
    Sources,
    events_text,
)
from headcount.query.figures import Figures
from headcount.query.moments import instant_in, jsonable, plain

EDGE = 3  # events that are shown from either end

PropertyValue = str | float | bool | dt.date | dt.datetime
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event: its type, its time in the query's time zone, the properties that it has."""

    type: str
    time: dt.datetime
    properties: dict[str, PropertyValue]

    def to_dict(self) -> dict[str, Any]:
        """Return the event as JSON holds it; the time in ISO 8601."""
        held = {name: jsonable(value) for name, value in self.properties.items()}
        return {"type": self.type, "time": self.time.isoformat(), "properties": held}


@dataclass(frozen=True, slots=True)
class Looked:
    """
    What a condition saw of a contact's events in one window.

    `about` says which events and when. `count` fit; `in_window` are of the right type and in the
    window, whatever their properties; `in_all` up to the instant of the query. `first` and `last`
    are those that fit, the earliest and latest few, none of them twice; `latest` is the latest of
    the right type, whether it fits or not.
    """

    about: str
    count: int
    in_window: int
    in_all: int
    first: tuple[Occurrence, ...]
    last: tuple[Occurrence, ...]
    latest: Occurrence | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {
            "about": self.about,
            "count": self.count,
            "in_window": self.in_window,
            "in_all": self.in_all,
            "first": [event.to_dict() for event in self.first],
            "last": [event.to_dict() for event in self.last],
            "latest": self.latest and self.latest.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class History:
    """The events of the contact in *row* of the block that *figures* are about."""

    figures: Figures
    clock: Clock
    row: int

    def looked_at(self, condition: Condition) -> tuple[Looked, ...]:
        """Return what a bound condition sees of the events, a window at a time."""
        return tuple(self._looked(*window) for window in dict.fromkeys(_windows(condition)))

    def _looked(self, sources: Sources, interval: Interval) -> Looked:
        fitting: list[tuple[EventIndex, int]] = []
        in_window = in_all = 0
        latest: list[tuple[EventIndex, int]] = []
        for source in dict.fromkeys(Source(s.event, s.where) for s in sources):
            for index in self.figures.pieces(source):
                chosen = self.figures.chosen(source, index, interval)
                start, stop = index.slice(interval)
                inside = self._positions(index, start, stop)
                in_window += len(inside)
                if chosen is not None:
                    inside = inside[chosen[inside - start]]
                fitting += [(index, position) for position in inside.tolist()]
                ever = self._positions(index, *index.slice(Interval(EVER.low, self.clock.as_of)))
                in_all += len(ever)
                latest += [(index, position) for position in ever[-1:].tolist()]
        fitting.sort(key=_time)
        edge = max(0, len(fitting) - EDGE)
        return Looked(
            about=events_text(sources, interval),
            count=len(fitting),
            in_window=in_window,
            in_all=in_all,
            first=tuple(self._read(*one) for one in fitting[: min(EDGE, edge)]),
            last=tuple(self._read(*one) for one in fitting[edge:]),
            latest=self._read(*max(latest, key=_time)) if latest else None,
        )

    def _positions(self, index: EventIndex, start: int, stop: int) -> Positions:
        """Return the contact's positions in a stretch of a log."""
        return np.flatnonzero(index.log_rows[start:stop] == self.row) + start

    def _read(self, index: EventIndex, position: int) -> Occurrence:
        found = {
            field.name: _property(index, field.name, field.type, position, self.clock)
            for field in index.event.properties
        }
        time = instant_in(self.clock.zone, _time((index, position)))
        held = {name: value for name, value in found.items() if value is not None}
        return Occurrence(index.event.name, time, held)


def _windows(node: Node) -> Iterator[tuple[Sources, Interval]]:
    """Yield the events and the interval of everything in *node* that looks at events."""
    match node:
        case EventCount(sources, interval):
            yield sources, interval
        case EventTally() | EventTime() | EventAggregate():
            yield node.sources, node.interval
        case Follows(first, then, _, interval, until):
            yield first, interval
            yield then, Interval(interval.low, until)
    for child in children(node):
        if not isinstance(child, Source):  # `where` asks about the event itself
            yield from _windows(child)


def _time(event: tuple[EventIndex, int]) -> int:
    index, position = event
    return int(index.times(position, position + 1)[0])


def _property(
    index: EventIndex, name: str, type_: FieldType, position: int, clock: Clock
) -> PropertyValue | None:
    """Return a property of the event at *position*, None if it has none."""
    column = index.property(name)
    if isinstance(column, StringProperty):
        code = int(column.codes(position, position + 1)[0])
        text: str | None = (
            None if code == column.missing else column.dictionary.values[code].as_py()
        )
        return text
    held = column.vector(position, position + 1)
    if not held.present[0]:
        return None
    return plain(held.values[0], KINDS[type_], clock)
