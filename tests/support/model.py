"""
A model of a workspace that is written to: contacts as dicts, events as a list, no index.

Every write is a method with the meaning that docs/writes.md gives it; `world` is what the oracle is
asked about. Written from the words alone: nothing of `headcount.live` is used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from headcount.model.schema import (
    LIST_JOINED,
    LIST_LEFT,
    LIST_OPTED_OUT,
    EventType,
    Field,
    FieldType,
    Schema,
)
from support.oracle_text import key
from support.worlds import Event, World

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SETS = ("list", "opted_out")


@dataclass
class Model:
    """What a workspace holds; `at` is the instant of the next write."""

    schema: Schema
    contacts: dict[str, dict[str, object]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    suppressed: set[str] = field(default_factory=set)
    expired: dict[str, dt.datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, world: World) -> Model:
        """Return the model of a world; of events with one id the first counts."""
        contacts = {name: dict(values) for name, values in world.contacts.items()}
        model = cls(world.schema, contacts)
        for event in world.events:
            model.record(event)
        return model

    def world(self) -> World:
        """Return what is held."""
        return World(self.schema, {n: dict(v) for n, v in self.contacts.items()}, list(self.events))

    def upsert(self, name: str, values: Mapping[str, object], at: dt.datetime) -> None:
        """Make a contact, or change the values that are given."""
        if name not in self.contacts:
            self.contacts[name] = {"created_at": at}
        self.contacts[name].update(values)

    def patch(self, name: str, values: Mapping[str, object]) -> bool:
        """Change a contact that exists; return whether it does."""
        if name not in self.contacts:
            return False
        self.contacts[name].update(values)
        return True

    def delete(self, name: str) -> bool:
        """Remove a contact with its events; return whether there was one."""
        if name not in self.contacts:
            return False
        del self.contacts[name]
        self.events = [event for event in self.events if event.contact != name]
        return True

    def record(self, event: Event) -> bool:
        """Add an event; return whether it counts: its contact exists, it is new and not too old."""
        floor = self.expired.get(event.type)
        if event.contact not in self.contacts or (floor is not None and event.time < floor):
            return False
        if event.id is not None and any(
            (old.contact, old.type, old.id) == (event.contact, event.type, event.id)
            for old in self.events
        ):
            return False
        self.events.append(event)
        return True

    def label(self, name: str, label: str, *, add: bool) -> None:
        """Put a label on a contact or take it off, in whatever case it is written."""
        self._change(name, "label", label, add=add)

    def list_action(self, name: str, listed: str, action: str, at: dt.datetime) -> None:
        """Let a contact join or leave a list, opt out of it or in again; what changes is told."""
        column = "list" if action in ("join", "leave") else "opted_out"
        changed = self._change(name, column, listed, add=action in ("join", "opt_out"))
        told = {"join": LIST_JOINED, "leave": LIST_LEFT, "opt_out": LIST_OPTED_OUT}.get(action)
        if changed and told is not None:
            micros = (at - _EPOCH) // dt.timedelta(microseconds=1)
            self.record(Event(name, told, at, f"{listed}@{micros}", {"list": listed}))

    def merge(self, source: str, target: str) -> bool:
        """Put what one contact has into another; return whether both exist."""
        if source == target or not {source, target} <= self.contacts.keys():
            return False
        given, kept = self.contacts[source], self.contacts[target]
        kinds = {f.name: f.type for f in self.schema.all_fields.values()}
        for name, value in given.items():
            if name in _SETS or kinds.get(name) is FieldType.KEYWORDS:
                for one in value or ():  # type: ignore[attr-defined]
                    self._change(target, name, one, add=True)
            elif kept.get(name) in (None, "") and value != "":
                kept[name] = value
        moved = [replace(e, contact=target) for e in self.events if e.contact == source]
        if source in self.suppressed:
            self.suppressed.add(target)
        self.delete(source)
        for event in moved:
            self.record(event)
        return True

    def expire(self, type_: str, before: dt.datetime) -> None:
        """Forget the events of one type from before an instant, for good."""
        before = max(before, self.expired.get(type_, before))
        self.expired[type_] = before
        self.events = [e for e in self.events if e.type != type_ or e.time >= before]

    def add_field(self, new: Field) -> None:
        """Add a field that nobody has."""
        self.schema = replace(self.schema, fields={**self.schema.fields, new.name: new})

    def rename_field(self, old: str, new: str) -> None:
        """Give a field another name."""
        fields = {
            (new if name == old else name): (replace(f, name=new) if name == old else f)
            for name, f in self.schema.fields.items()
        }
        self.schema = replace(self.schema, fields=fields)
        for values in self.contacts.values():
            if old in values:
                values[new] = values.pop(old)

    def drop_field(self, name: str) -> None:
        """Forget a field with its values."""
        fields = {n: f for n, f in self.schema.fields.items() if n != name}
        self.schema = replace(self.schema, fields=fields)
        for values in self.contacts.values():
            values.pop(name, None)

    def rename_event(self, old: str, new: str) -> None:
        """Give an event type another name, in its groups as well."""
        types = {
            (new if name == old else name): (replace(e, name=new) if name == old else e)
            for name, e in self.schema.events.items()
        }
        groups = {
            name: tuple(new if one.casefold() == old.casefold() else one for one in members)
            for name, members in self.schema.groups.items()
        }
        self.schema = replace(self.schema, events=types, groups=groups)
        self.events = [replace(e, type=new) if e.type == old else e for e in self.events]
        if old in self.expired:
            self.expired[new] = self.expired.pop(old)

    def event_type(self, name: str) -> EventType:
        """Return the event type of that name."""
        return next(e for e in self.schema.all_events.values() if e.name == name)

    def _change(self, contact: str, column: str, name: str, *, add: bool) -> bool:
        """Put a name into a set of a contact or take it out; return whether that changed it."""
        held: Sequence[str] = self.contacts[contact].get(column) or ()  # type: ignore[assignment]
        kind = self.schema.field(column) or Field(column, FieldType.KEYWORDS)
        same = [one for one in held if key(one, kind) == key(name, kind)]
        if bool(same) == add:
            return False
        left = [one for one in held if one not in same]
        self.contacts[contact][column] = (*left, name) if add else tuple(left)
        return True
