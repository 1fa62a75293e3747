"""
A schema that shall be another: what that step is, what it would drop, and what does not convert.

What the new schema lacks is dropped with its data, so it must be said (`allow_drop`), or it is
renamed. Values of a field whose type changes are converted; what cannot be is listed, and then
nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from headcount.index import bitmaps
from headcount.index.view import View
from headcount.live.evolve import as_text
from headcount.load.cells import shown
from headcount.load.coerce import coerce
from headcount.model import schema_toml
from headcount.model.changes import SchemaStep
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType, Schema, nearest
from headcount.model.time_zone import time_zone

LISTED = 100  # values that do not convert


@dataclass(frozen=True, slots=True)
class Renames:
    """
    What has another name: fields and events by the name they had, to the one they get.

    `properties` are keyed by (the event's new name, the property's old one).
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unconverted:
    """A value that the new type of its field cannot take."""

    contact: str
    field: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """The step from one schema to another, and in words what it drops."""

    step: SchemaStep
    schema: Schema
    dropped: tuple[str, ...]


def change(before: Schema, after: Schema, renames: Renames, *, allow_drop: bool) -> SchemaChange:
    """
    Return the step from one schema to another.

    Raises:
        UserError: INVALID_SCHEMA, *after* cannot be a schema, or lacks what *before* has without
            *allow_drop*; UNKNOWN_NAME, a rename of or to what is not there.
    """
    toml = schema_toml.render(after)
    after = schema_toml.parse(toml, "schema")
    fields = _fields(before, after, renames)
    events = _events(before, after, renames)
    properties = _properties(before, after, renames, events)
    dropped = tuple(_dropped(before, after, fields, events, properties))
    if dropped and not allow_drop:
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"the new schema lacks {', '.join(dropped[:10])}"
            f"{' and more' if len(dropped) > 10 else ''}, which would be dropped with all data; put"
            " it back, rename it, or allow it to be dropped",
            field="schema",
        )
    return SchemaChange(SchemaStep(toml, fields, events, properties), after, dropped)


def unconverted(
    view: View, made: SchemaChange, limit: int = LISTED
) -> tuple[int, list[Unconverted]]:
    """Return how many values of fields do not convert, and the first *limit* of them."""
    count = 0
    found: list[Unconverted] = []
    zone = time_zone(made.schema.time_zone)
    for after in made.schema.all_fields.values():
        before = view.schema.field(made.step.fields.get(after.name, after.name))
        if before is None or before.name == "id" or not _converts(before, after):
            continue
        for block in view.blocks:
            rows = bitmaps.to_rows(block.live)
            values = block.column(before.name).take(rows)
            plain = as_text(values, before)
            result = coerce(plain, field=after, zone=zone)
            refused = pc.and_(result.values.is_null(), values.is_valid())
            places = np.flatnonzero(refused.to_numpy(zero_copy_only=False))
            count += len(places)
            reasons = {cell.row: cell.reason for cell in result.refused}
            picked = places[: max(0, limit - len(found))]
            ids = block.ids.take(rows[picked]).to_pylist()
            for place, contact in zip(picked.tolist(), ids, strict=True):
                value = shown(plain[place].as_py())
                reason = reasons.get(place, f"cannot be {after.type}")
                found.append(Unconverted(contact, before.name, value, reason))
    return count, found


def _converts(before: Field, after: Field) -> bool:
    """Return whether values change their type, and can by reading them again."""
    if FieldType.KEYWORDS in (before.type, after.type):
        return False
    return before.type is not after.type or not set(before.values) <= set(
        after.values or before.values
    )


def _fields(before: Schema, after: Schema, renames: Renames) -> dict[str, str]:
    found = {}
    for old, new in renames.fields.items():
        was, is_now = before.field(old), after.field(new)
        _require(was is not None and not was.builtin, "field", old, before.fields)
        _require(is_now is not None, "field", new, after.fields)
        assert was is not None
        assert is_now is not None
        found[is_now.name] = was.name
    for one in after.fields.values():  # spelled differently, or the same
        was = before.field(one.name)
        if was is not None and was.name != one.name and one.name not in found:
            found[one.name] = was.name
    return found


def _events(before: Schema, after: Schema, renames: Renames) -> dict[str, str]:
    found = {}
    for old, new in renames.events.items():
        was = before.all_events.get(old.casefold())
        is_now = after.all_events.get(new.casefold())
        _require(was is not None and not was.builtin, "event type", old, before.events)
        _require(is_now is not None, "event type", new, after.events)
        assert was is not None
        assert is_now is not None
        found[is_now.name] = was.name
    for one in after.events.values():
        was = before.all_events.get(one.name.casefold())
        if was is not None and was.name != one.name and one.name not in found:
            found[one.name] = was.name
    return found


def _properties(
    before: Schema, after: Schema, renames: Renames, events: Mapping[str, str]
) -> dict[tuple[str, str], str]:
    found = {}
    for (event, old), new in renames.properties.items():
        is_now = after.all_events.get(event.casefold())
        _require(is_now is not None, "event type", event, after.events)
        assert is_now is not None
        was = before.all_events.get(events.get(is_now.name, is_now.name).casefold())
        had = None if was is None else was.property(old)
        has = is_now.property(new)
        _require(had is not None, "property", old, [p.name for p in was.properties] if was else [])
        _require(has is not None, "property", new, [p.name for p in is_now.properties])
        assert had is not None
        assert has is not None
        found[is_now.name, has.name] = had.name
    for event_type in after.events.values():
        was = before.all_events.get(events.get(event_type.name, event_type.name).casefold())
        for one in () if was is None else event_type.properties:
            had = was.property(one.name) if was is not None else None
            key = (event_type.name, one.name)
            if had is not None and had.name != one.name and key not in found:
                found[key] = had.name
    return found


def _dropped(
    before: Schema,
    after: Schema,
    fields: Mapping[str, str],
    events: Mapping[str, str],
    properties: Mapping[tuple[str, str], str],
) -> Iterator[str]:
    kept = {fields.get(one.name, one.name) for one in after.all_fields.values()}
    yield from (f"field `{name}`" for name in before.fields if name not in kept)
    old_names = {events.get(one.name, one.name): one for one in after.events.values()}
    for event in before.events.values():
        is_now = old_names.get(event.name)
        if is_now is None:
            yield f"event type `{event.name}`"
            continue
        names = {properties.get((is_now.name, p.name), p.name) for p in is_now.properties}
        for one in event.properties:
            if one.name not in names:
                yield f"property `{one.name}` of `{event.name}`"


def _require(there: bool, what: str, name: str, known: Iterable[str]) -> None:
    if not there:
        raise UserError(
            Reason.UNKNOWN_NAME,
            f"there is no {what} `{name}` to rename",
            field="renames",
            suggestions=nearest(name, known),
        )
