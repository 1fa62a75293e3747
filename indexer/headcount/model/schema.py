"""
The schema: which fields, events, lists and labels a workspace has, and their types.

A schema is a frozen value. Names are case-insensitive and keep the spelling they were declared
with; `Schema.field("TOTAL_spent")` finds `total_spent`. Built-in fields are fields like any other,
so that nothing below has a special case for them. It is not the TOML reader: see `schema_toml`.
"""

from __future__ import annotations

import dataclasses
import difflib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from headcount.model.errors import Reason, UserError

STATUSES = ("Active", "Pending", "Unsubscribed", "Hard Bounce")
STAGES = ("Prospect", "Lead", "Trial", "Customer", "Loyal")

LIST_JOINED = "list_joined"
LIST_LEFT = "list_left"
LIST_OPTED_OUT = "list_opted_out"
LIST_EVENTS = (LIST_JOINED, LIST_LEFT, LIST_OPTED_OUT)

# Engagement times are not stored: each is the latest event of these types, so that it always agrees
# with the event log and with `as_of`. A schema that declares a field of the same name replaces it.
ENGAGEMENT_EVENTS: Mapping[str, tuple[str, ...]] = {
    "last_send": ("email_send", "send", "sent"),
    "last_open": ("email_open", "open", "opened"),
    "last_click": ("email_click", "click", "clicked"),
}
LAST_ACTIVITY = "last_activity"  # the latest event of any declared type that is not a send


class FieldType(StrEnum):
    """The type of a contact's field or of an event's property."""

    KEYWORD = "keyword"
    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    KEYWORDS = "keywords"
    STAGE = "stage"

    @property
    def is_string(self) -> bool:
        """Whether one value is a string that is matched on its folded form."""
        return self in (FieldType.KEYWORD, FieldType.TEXT, FieldType.STAGE)


PROPERTY_TYPES = frozenset(FieldType) - {FieldType.KEYWORDS, FieldType.STAGE}


@dataclass(frozen=True, slots=True)
class Field:
    """
    One named, typed value of a contact, or one property of an event.

    `values` is the order of a stage, lowest first, or the closed set of a keyword such as `status`;
    empty for an open set. `builtin` fields exist in every workspace.
    """

    name: str
    type: FieldType
    case_sensitive: bool = False
    fold_accents: bool = False
    values: tuple[str, ...] = ()
    builtin: bool = False

    def __hash__(self) -> int:
        return hash(self.name)  # a string remembers its hash; fields are in the key of every result


@dataclass(frozen=True, slots=True)
class EventType:
    """
    One kind of event, its other names, and its typed properties.

    Its events are kept for `keep_days` days, for ever if it is 0.
    """

    name: str
    aliases: tuple[str, ...] = ()
    properties: tuple[Field, ...] = ()
    builtin: bool = False
    keep_days: int = 0

    def __hash__(self) -> int:
        return hash(self.name)

    def property(self, name: str) -> Field | None:
        """Return the property called *name*, in any case, or None."""
        wanted = name.casefold()
        return next((p for p in self.properties if p.name.casefold() == wanted), None)


BUILTIN_FIELDS = (
    Field("id", FieldType.KEYWORD, case_sensitive=True, builtin=True),
    Field("status", FieldType.KEYWORD, values=STATUSES, builtin=True),
    Field("label", FieldType.KEYWORDS, builtin=True),
    Field("stage", FieldType.STAGE, values=STAGES, builtin=True),
    Field("created_at", FieldType.DATETIME, builtin=True),
)
_LIST_PROPERTY = (Field("list", FieldType.KEYWORD, builtin=True),)
BUILTIN_EVENTS = tuple(
    EventType(name, properties=_LIST_PROPERTY, builtin=True) for name in LIST_EVENTS
)


@dataclass(frozen=True)
class Schema:
    """
    The names and types of one workspace.

    `fields` and `events` hold the declared ones by declared name; `all_fields` and `all_events` add
    the built-in ones. `groups` maps a group's name to the event types in it. `labels` and `lists`
    are names known before any contact has them.
    """

    id_column: str = "id"
    time_zone: str = "UTC"
    fields: Mapping[str, Field] = dataclasses.field(default_factory=dict)
    events: Mapping[str, EventType] = dataclasses.field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    calculated: Mapping[str, str] = dataclasses.field(default_factory=dict)
    labels: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a schema in which one name means two things."""
        self._check_field_names()
        self._check_event_names()

    @cached_property
    def all_fields(self) -> Mapping[str, Field]:
        """Every stored field by its folded name; a declared `stage` replaces the built-in one."""
        fields = {f.name.casefold(): f for f in BUILTIN_FIELDS}
        fields.update((f.name.casefold(), f) for f in self.fields.values())
        return fields

    @cached_property
    def indexed_fields(self) -> dict[str, Field]:
        """The fields that have an index, by their declared names: all but the id."""
        return {f.name: f for f in self.all_fields.values() if f.name != "id"}

    @cached_property
    def all_events(self) -> Mapping[str, EventType]:
        """Every event type, declared and built in, by its folded name."""
        events = {e.name.casefold(): e for e in BUILTIN_EVENTS}
        events.update((e.name.casefold(), e) for e in self.events.values())
        return events

    @cached_property
    def event_types(self) -> dict[str, EventType]:
        """Every event type, declared and built in, by its declared name."""
        return {event.name: event for event in self.all_events.values()}

    def field(self, name: str) -> Field | None:
        """Return the stored field called *name*, in any case, or None."""
        return self.all_fields.get(name.casefold())

    def event_type(self, name: str) -> EventType | None:
        """Return the event type that *name* is the name or an alias of, in any case, or None."""
        return self._event_types.get(name.casefold())

    def event(self, name: str) -> tuple[EventType, ...]:
        """
        Return the event types that *name* stands for: one for a type or alias, several for a group.

        Empty when no event type, alias or group has this name, in any case.
        """
        one = self.event_type(name)
        return self._groups.get(name.casefold(), ()) if one is None else (one,)

    def engagement(self, name: str) -> tuple[EventType, ...]:
        """
        Return the event types whose latest event is the built-in time *name* (`last_open`, ...).

        Empty when *name* is no engagement time or the schema declares none of its events.
        """
        return self._engagements.get(name.casefold(), ())

    @cached_property
    def _event_types(self) -> Mapping[str, EventType]:
        """The event types by folded name and alias; a name wins over an alias."""
        found: dict[str, EventType] = {}
        for event in self.all_events.values():
            for alias in event.aliases:
                found.setdefault(alias.casefold(), event)
        return found | dict(self.all_events)

    @cached_property
    def _groups(self) -> Mapping[str, tuple[EventType, ...]]:
        """The event types in each group, by folded name."""
        found: dict[str, tuple[EventType, ...]] = {}
        for group, members in self.groups.items():
            types = (self.event_type(member) for member in members)
            one_each = dict.fromkeys(event for event in types if event is not None)
            found.setdefault(group.casefold(), tuple(one_each))
        return found

    @cached_property
    def _engagements(self) -> Mapping[str, tuple[EventType, ...]]:
        """The event types behind each engagement time, by its folded name."""
        found: dict[str, tuple[EventType, ...]] = {}
        for name, events in ENGAGEMENT_EVENTS.items():
            types = (self.event_type(event) for event in events)
            own = (e for e in types if e is not None and not e.builtin)
            found[name.casefold()] = tuple(dict.fromkeys(own))
        sends = {e.name for e in found.get("last_send", ())}
        rest = tuple(e for e in self.events.values() if e.name not in sends)
        return found | {LAST_ACTIVITY: rest}

    def field_names(self) -> list[str]:
        """Return every name that may stand where a field may, in declared spelling."""
        times = [n for n in (*ENGAGEMENT_EVENTS, LAST_ACTIVITY) if self.engagement(n)]
        names = [f.name for f in self.all_fields.values()]
        return names + [n for n in times if n not in names] + list(self.calculated)

    def event_names(self) -> list[str]:
        """Return every name that may stand where an event may, in declared spelling."""
        names = [n for e in self.all_events.values() for n in (e.name, *e.aliases)]
        return names + list(self.groups)

    def _check_field_names(self) -> None:
        seen: dict[str, str] = {}
        builtin = {f.name for f in BUILTIN_FIELDS} - {"stage"}
        for name in (*self.fields, *self.calculated):
            folded = name.casefold()
            if folded in builtin:
                raise UserError(
                    Reason.INVALID_SCHEMA,
                    f"field `{name}` is built in; remove it from the schema, or rename it",
                )
            if folded in seen:
                raise UserError(
                    Reason.INVALID_SCHEMA,
                    f"two fields are called `{name}`; rename one"
                    if seen[folded] == name
                    else f"fields `{seen[folded]}` and `{name}` differ only in case; rename one",
                )
            seen[folded] = name
        stage = self.fields.get("stage")
        if stage is not None and stage.type is not FieldType.STAGE:
            raise UserError(
                Reason.INVALID_SCHEMA, "field `stage` is built in and has the type stage"
            )

    def _check_event_names(self) -> None:
        seen: dict[str, str] = dict.fromkeys(LIST_EVENTS, "the built-in event")
        for event in self.events.values():
            for name in (event.name, *event.aliases):
                self._claim(seen, name, f"event `{event.name}`")
        for group, members in self.groups.items():
            self._claim(seen, group, f"event group `{group}`")
            for member in members:
                if not self.event(member) or member.casefold() in map(str.casefold, self.groups):
                    raise UserError(
                        Reason.INVALID_SCHEMA,
                        f"event group `{group}` names `{member}`, which is no event type",
                        suggestions=nearest(member, self.event_names()),
                    )

    @staticmethod
    def _claim(seen: dict[str, str], name: str, owner: str) -> None:
        folded = name.casefold()
        if folded in seen:
            raise UserError(
                Reason.INVALID_SCHEMA,
                f"`{name}` is the name of both {seen[folded]} and {owner}; rename one",
            )
        seen[folded] = owner


_COMPARED = 200  # code points: comparing takes time with the square of the length
_SHORTLIST = 200  # names compared closely, 20 ms of long ones; a workspace may know 100,000 labels


def nearest(name: str, known: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """
    Return up to *limit* of the *known* names that are close to *name*, nearest first.

    Of more than 200 names only those that begin or end most like it are compared.
    """
    wanted = name[:_COMPARED].casefold()
    by_folded = {k[:_COMPARED].casefold(): k for k in known}
    candidates: Iterable[str] = by_folded
    if len(by_folded) > _SHORTLIST:
        backwards = wanted[::-1]

        def alike(other: str) -> int:
            return max(_shared(wanted, other), _shared(backwards, other[::-1]))

        candidates = heapq.nlargest(_SHORTLIST, by_folded, key=alike)
    close = difflib.get_close_matches(wanted, candidates, n=limit, cutoff=0.6)
    return tuple(by_folded[c] for c in close)


def _shared(one: str, other: str) -> int:
    """Return how many code points two strings have in common at their beginning."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count
