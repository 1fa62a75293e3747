"""
Names: what a word in a segment can stand for, and where it is looked up.

`Known` holds what is known beyond the names of the schema: labels and lists, in key form; what the
calculated fields are; what is saved. A scope answers "what is the value called x": the contact's
fields, or inside `where` the event's properties.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

from headcount.index.block import LISTS
from headcount.index.interval import EVER, Interval
from headcount.index.view import View
from headcount.model.fold import field_key
from headcount.model.schema import (
    ENGAGEMENT_EVENTS,
    LAST_ACTIVITY,
    EventType,
    Schema,
    nearest,
)
from headcount.query import tree
from headcount.query.calculated import Calculations
from headcount.query.expressions import (
    KINDS,
    EventTally,
    EventTime,
    Expression,
    FieldValue,
    Missing,
    Source,
)
from headcount.query.refusals import Refusals
from headcount.query.saved import NOTHING_SAVED, Saved


class Seen(NamedTuple):
    """The labels and lists of a view: declared in its schema, or seen on a contact."""

    labels: frozenset[str]
    lists: frozenset[str]


class Known:
    """
    The schema of a view, its calculated fields, the labels and lists it has seen, what is saved.

    Raises:
        UserError: a calculated field of the schema means nothing.
    """

    def __init__(
        self, view: View, saved: Saved = NOTHING_SAVED, calculations: Calculations | None = None
    ) -> None:
        """Take the *calculations* of the schema, or read them."""
        self.schema: Schema = view.schema
        self.calculations = Calculations(view.schema) if calculations is None else calculations
        self.saved = saved
        self._view = view

    @cached_property
    def seen(self) -> Seen:
        """Every label and every list that there is, in its own spelling."""
        return Seen(self._view.labels, self._view.lists)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Every known label by its key form."""
        label = self.schema.field("label")
        assert label is not None
        return {field_key(name, label): name for name in sorted(self.seen.labels)}

    @cached_property
    def lists(self) -> Mapping[str, str]:
        """Every known list by its key form."""
        return {field_key(name, LISTS): name for name in sorted(self.seen.lists)}

    @cached_property
    def events(self) -> Mapping[str, tuple[EventType, ...]]:
        """The event types that a folded type, alias or group name stands for."""
        return {name.casefold(): self.schema.event(name) for name in self.schema.event_names()}


class Scope(Protocol):
    """Where a name is looked up."""

    def find(self, node: tree.Name) -> Expression | None:
        """Return what the name stands for; None when nothing here has it."""

    def unknown(self, node: tree.Name) -> Exception:
        """Return the error of a name that nothing has."""

    @property
    def is_event(self) -> bool:
        """Whether the subject is one event, inside `where`."""


@dataclass(frozen=True)
class ContactScope:
    """
    The fields of a contact, its engagement times, and the events it can be asked to count.

    A field, stored or calculated, wins over an event of the same name, and a stored one over an
    engagement time. `calculated` returns the expression of a calculated field, None of other names.
    """

    known: Known
    refusals: Refusals
    as_of: int
    calculated: Callable[[str], Expression | None]
    is_event: bool = False

    def find(self, node: tree.Name) -> Expression | None:
        """Return the field, engagement time or calculated field of this name."""
        schema = self.known.schema
        field = schema.field(node.name)
        if field is not None:
            return FieldValue(field)
        sources = tuple(Source(event) for event in schema.engagement(node.name))
        if sources:
            return EventTime("last", sources, Interval(EVER.low, self.as_of))
        return self.calculated(node.name)

    def tally(self, node: tree.Name) -> EventTally | None:
        """Return the number of events of this name up to as_of: `opens = 0`."""
        events = self.known.events.get(node.name.casefold(), ())
        if not events:
            return None
        sources = tuple(Source(event) for event in events)
        return EventTally(sources, Interval(EVER.low, self.as_of))

    def unknown(self, node: tree.Name) -> Exception:
        """Return the error of a name that is no field, saying what it may have been."""
        schema, folded = self.known.schema, node.name.casefold()
        if folded in (*ENGAGEMENT_EVENTS, LAST_ACTIVITY):
            return self.refusals.unknown(
                f"`{node.name}` is the time of the latest event, but the schema declares no event"
                " type for it",
                node,
                (),
            )
        names = schema.field_names() + schema.event_names()
        message = f"unknown field `{node.name}`"
        owner = next((e for e in schema.events.values() if e.property(node.name)), None)
        if owner is not None:
            message += (
                f"; `{owner.name}` has a property of this name, which stands in `where (...)` or"
                f" behind a dot: `sum({owner.name}.{node.name})`"
            )
            return self.refusals.unknown(message, node, ())
        return self.refusals.unknown(message, node, nearest(node.name, names))


@dataclass(frozen=True)
class PropertyScope:
    """
    The properties of one event type; `together` are all types of the group that was named.

    A property that only another type of the group has is missing from every event of this one.
    """

    known: Known
    refusals: Refusals
    event: EventType
    together: tuple[EventType, ...]
    is_event: bool = True

    def find(self, node: tree.Name) -> Expression | None:
        """Return the property of this name."""
        own = self.event.property(node.name)
        if own is not None:
            return FieldValue(own)
        others = (event.property(node.name) for event in self.together)
        return next((Missing(KINDS[p.type]) for p in others if p is not None), None)

    def unknown(self, node: tree.Name) -> Exception:
        """Return the error of a name that is no property."""
        message, names = no_property(node.name, self.together)
        schema = self.known.schema
        if schema.field(node.name) is not None or self.known.calculations.get(node.name):
            message += f"; `{node.name}` is a field of the contact, which `where` cannot ask about"
        return self.refusals.unknown(message, node, nearest(node.name, names))


def no_property(name: str, events: Sequence[EventType]) -> tuple[str, list[str]]:
    """Return the message that none of *events* has a property *name*, and those that there are."""
    names = list(dict.fromkeys(p.name for event in events for p in event.properties))
    if len(events) == 1:
        message, its = f"`{events[0].name}` has no property `{name}`", "its"
    else:
        message, its = (
            f"none of {listed([e.name for e in events])} has a property `{name}`",
            "their",
        )
    there_are = f"{its} properties are {listed(names)}" if names else "there are no properties"
    return f"{message}; {there_are}", names


def listed(names: list[str], limit: int = 8) -> str:
    """Return names as a sentence's list, the first few of many."""
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
