"""
Events that clients write, as one step of typed columns an event type.

A property is of the type that its event type declares, so records are taken apart by event type
first. A value of a property that the type has not declared is refused, not dropped; a missing value
is no value. The rules are those of events files (`load.events`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from headcount.ingest.records import EventRecord
from headcount.ingest.screen import Rows, Screen
from headcount.ingest.values import column_of
from headcount.load import coerce
from headcount.load.coerce import Column
from headcount.load.events import PREFIX, TIME, has_value
from headcount.model.changes import EventStep, Places, Refusal
from headcount.model.errors import Reason
from headcount.model.schema import EventType, FieldType, Schema


@dataclass(frozen=True, slots=True)
class Typed:
    """The events of one type: their rows, and by the name of a property its values, one a row."""

    event: EventType
    rows: Rows
    properties: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class EventColumns:
    """
    Events one value a row and attribute, as `EventRecord` has them; all create contacts or none.

    *times* may be typed already.
    """

    contacts: list[object]
    types: list[object]
    times: Column
    ids: list[object]
    properties: Sequence[Mapping[str, object]]
    creates: bool

    @classmethod
    def of(cls, records: Sequence[EventRecord]) -> EventColumns:
        """Return the columns of *records*, one at least."""
        return cls(
            contacts=[record.contact for record in records],
            types=[record.type for record in records],
            times=[record.time for record in records],
            ids=[record.id for record in records],
            properties=[record.properties for record in records],
            creates=records[0].creates,
        )


class EventReader:
    """Turns the events of one request into steps."""

    def __init__(self, schema: Schema, zone: ZoneInfo) -> None:
        self._schema = schema
        self._zone = zone
        self._read_time = coerce.reader(TIME, zone)

    def steps(self, numbers: Places, given: EventColumns) -> tuple[list[EventStep], list[Refusal]]:
        """Return the good ones of the events *given*, by event type."""
        screen = Screen(numbers)
        times = given.times
        groups = list(self._by_type(screen, given))
        return self.build(
            screen,
            numbers,
            column_of(given.contacts, FieldType.KEYWORD),
            column_of(times, FieldType.DATETIME) if isinstance(times, list) else times,
            column_of(given.ids, FieldType.KEYWORD) if any(given.ids) else None,
            groups,
            creates=given.creates,
        )

    def build(
        self,
        screen: Screen,
        numbers: Places,
        contacts: Column,
        times: Column,
        ids: Column | None,
        groups: Sequence[Typed],
        *,
        creates: bool,
    ) -> tuple[list[EventStep], list[Refusal]]:
        """Return one step an event type of what *screen* lets through."""
        who = screen.read(contacts, "contact", "a contact's id", coerce.contact_ids)
        when = screen.read(times, "time", "a time", self._read_time)
        screen.refuse_missing(when, "time", "the time is missing")
        named = None if ids is None else screen.read(ids, "id", "an id", coerce.event_ids)
        typed = [(group, self._typed(screen, group)) for group in groups]
        steps = []
        for group, columns in typed:
            good = screen.good[group.rows]
            rows = group.rows[good]
            if not len(rows):
                continue
            if not good.all():
                kept = pa.array(np.flatnonzero(good))
                columns = {name: values.take(kept) for name, values in columns.items()}
            picked = None if len(rows) == len(numbers) else pa.array(rows)
            table = {
                "time": _taken(when, picked),
                "id": pa.nulls(len(rows), pa.string()) if named is None else _taken(named, picked),
                **columns,
            }
            steps.append(
                EventStep(
                    numbers=numbers[rows],
                    event=group.event.name,
                    contacts=_taken(who, picked),
                    table=pa.table(table),
                    creates=creates,
                )
            )
        return steps, screen.refused()

    def event(self, screen: Screen, name: str | None, rows: Rows) -> EventType | None:
        """Return the event type called *name*, or refuse the *rows* that name it."""
        reason = Reason.UNKNOWN_NAME
        if not name or not name.strip():
            reason, message = Reason.INVALID_VALUE, "the event type is missing"
        else:
            found = self._schema.event_type(name.strip())
            if found is not None:
                return found
            message = _unknown_event(screen, self._schema, name.strip())
        for row in rows.tolist():
            screen.refuse(row, "type", reason, message)
        return None

    def _by_type(self, screen: Screen, given: EventColumns) -> Iterator[Typed]:
        """Yield the events of each event type, with a column for each property that they have."""
        by_name: dict[object, list[int]] = {}
        for row, name in enumerate(given.types):
            try:
                by_name.setdefault(name, []).append(row)
            except TypeError:  # a list or an object, which JSON may hold
                screen.refuse(row, "type", Reason.INVALID_VALUE, "expected the name of a type")
        by_event: dict[str, tuple[EventType, list[int]]] = {}
        for name, rows in by_name.items():
            text = name if isinstance(name, str) or name is None else str(name)
            event = self.event(screen, text, np.array(rows, dtype=np.int64))
            if event is not None:
                by_event.setdefault(event.name, (event, []))[1].extend(rows)
        for event, rows in by_event.values():
            rows.sort()  # of a type and its aliases
            mine = [given.properties[row] for row in rows]
            at = np.array(rows, dtype=np.int64)
            yield Typed(event, at, _properties(screen, event, at, mine) if any(mine) else {})

    def _typed(self, screen: Screen, group: Typed) -> dict[str, pa.Array]:
        """Return the properties that the event type declares, typed, one value a row."""
        found = {}
        for name, column in group.properties.items():
            declared = group.event.property(name)
            if declared is None:
                _refuse_undeclared(screen, group, name, column)
                continue
            wanted = f"a value of type {declared.type}"
            read = coerce.reader(declared, self._zone)
            found[PREFIX + declared.name] = screen.read(
                column, declared.name, wanted, read, group.rows
            )
        return found


def _unknown_event(screen: Screen, schema: Schema, name: str) -> str:
    """Return why *name* cannot be recorded."""
    members = schema.event(name)
    if members:
        names = ", ".join(event.name for event in members)
        return f"this is a group of event types; give one of them: {names}"
    return f"there is no event type of this name{screen.suggested(name, schema.event_names())}"


def _properties(
    screen: Screen, event: EventType, rows: Rows, given: Sequence[Mapping[str, object]]
) -> dict[str, Column]:
    """Return the values of each property, one a row, by declared name where it is declared."""
    values: dict[str, list[object]] = {}
    spelled: dict[str, str] = {}  # as given → declared
    for at, properties in enumerate(given):
        for name, value in properties.items():
            here = spelled.get(name)
            if here is None:
                declared = event.property(name)
                here = spelled[name] = name if declared is None else declared.name
                values.setdefault(here, [None] * len(given))
            values[here][at] = value
    if len(spelled) > len(values):
        _refuse_two_spellings(screen, rows, given, spelled, values)
    return {name: column_of(column, _type(event, name)) for name, column in values.items()}


def _refuse_two_spellings(
    screen: Screen,
    rows: Rows,
    given: Sequence[Mapping[str, object]],
    spelled: Mapping[str, str],
    values: Mapping[str, list[object]],
) -> None:
    """Refuse the records that give one property in two spellings, which may differ."""
    for at, properties in enumerate(given):
        names = Counter(spelled[name] for name in properties)
        for name in (name for name, count in names.items() if count > 1):
            values[name][at] = None
            message = "one property in two spellings"
            screen.refuse(int(rows[at]), name, Reason.INVALID_VALUE, message)


def _type(event: EventType, name: str) -> FieldType:
    declared = event.property(name)
    return FieldType.NUMBER if declared is None else declared.type


def _refuse_undeclared(screen: Screen, group: Typed, name: str, column: Column) -> None:
    """Refuse the rows that have a value for a property that their event type does not have."""
    given = has_value(column)
    if not given.any():
        return
    near = screen.suggested(name, [p.name for p in group.event.properties])
    message = f"event type {group.event.name} has no such property{near}"
    for row in group.rows[given].tolist():
        screen.refuse(row, name, Reason.UNKNOWN_NAME, message)


def _taken(values: pa.Array, rows: pa.Array | None) -> pa.Array:
    return values if rows is None else values.take(rows)
