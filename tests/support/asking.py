"""
Asking the oracle in text, for tests that are read: `ask(world, "plan = Pro") == "ann bob"`.

Worlds are written by hand here, as short as they can be: a contact is its id and the values it has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query.parse import parse
from support import oracle
from support.worlds import Event, World


def instant(text: str) -> dt.datetime:
    """Return the instant of an ISO 8601 text; without an offset it is in UTC."""
    time = dt.datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)


def schema(
    fields: Mapping[str, str | Field] | None = None,
    events: Mapping[str, Mapping[str, str]] | None = None,
    aliases: Mapping[str, tuple[str, ...]] | None = None,
    groups: Mapping[str, tuple[str, ...]] | None = None,
    lists: tuple[str, ...] = (),
) -> Schema:
    """Return a schema from types by name: of fields, and of properties by event."""
    declared = {
        name: type_ if isinstance(type_, Field) else Field(name, FieldType(type_))
        for name, type_ in (fields or {}).items()
    }
    types = {
        name: EventType(
            name,
            (aliases or {}).get(name, ()),
            tuple(Field(p, FieldType(t)) for p, t in properties.items()),
        )
        for name, properties in (events or {}).items()
    }
    return Schema(fields=declared, events=types, groups=groups or {}, lists=lists)


def happened(contact: str, type_: str, *times: str, **properties: object) -> list[Event]:
    """Return events of one contact, with the same properties, at the times given."""
    return [Event(contact, type_, instant(time), None, properties) for time in times]


def ask(world: World, text: str, as_of: str = "2026-05-09T12:00", zone: str = "UTC") -> str:
    """Return the ids of the members of a segment, in the world's order, with spaces between."""
    found = oracle.members(world, parse(text), instant(as_of), zone)
    return " ".join(id_ for id_ in world.contacts if id_ in found)
