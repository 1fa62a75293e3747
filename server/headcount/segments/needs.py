"""
Needs: the names that a ready-made segment asks about, and whether a workspace has them.

A name is taken for what it says: a field that is called otherwise is not guessed to be the one that
is meant. For what is missing there is a sentence on what to add.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from headcount.model.fold import key
from headcount.model.schema import ENGAGEMENT_EVENTS, LAST_ACTIVITY, Field, FieldType, Schema


class NeedKind(StrEnum):
    """What sort of name is needed."""

    FIELD = "field"
    EVENT = "event"
    PROPERTY = "property"  # named `event.property`
    LABEL = "label"
    LIST = "list"


# Which types do for a segment that was written for one of them.
_SERVES = {
    FieldType.KEYWORD: {FieldType.KEYWORD, FieldType.TEXT},
    FieldType.TEXT: {FieldType.KEYWORD, FieldType.TEXT},
    FieldType.DATE: {FieldType.DATE, FieldType.DATETIME},
    FieldType.DATETIME: {FieldType.DATE, FieldType.DATETIME},
    **{
        only: {only}
        for only in (FieldType.NUMBER, FieldType.BOOLEAN, FieldType.KEYWORDS, FieldType.STAGE)
    },
}


@dataclass(frozen=True, slots=True)
class Need:
    """
    One name that a segment asks about.

    `type` is that of a field or property; `values` are those that a stage must know.
    """

    kind: NeedKind
    name: str
    type: FieldType | None = None
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it in words: `field total_spent (number)`."""
        type_ = "" if self.type is None else f" ({self.type})"
        return f"{self.kind} {self.name}{type_}"


@dataclass(frozen=True)
class Has:
    """What a workspace has: its schema, and the labels and lists it has seen besides."""

    schema: Schema
    labels: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()

    def missing(self, need: Need) -> str | None:
        """Return what to do so that *need* is met; None if it is."""
        match need.kind:
            case NeedKind.FIELD:
                return self._field(need)
            case NeedKind.EVENT:
                if self.schema.event(need.name):
                    return None
                return (
                    f"declare the event: [events.{need.name}]; or add `{need.name}` to the aliases"
                    " of the event that is meant"
                )
            case NeedKind.PROPERTY:
                return self._property(need)
            case NeedKind.LABEL:
                return _seen(need, (*self.schema.labels, *self.labels))
            case NeedKind.LIST:
                return _seen(need, (*self.schema.lists, *self.lists))

    def _field(self, need: Need) -> str | None:
        schema, type_ = self.schema, need.type
        assert type_ is not None
        field = schema.field(need.name)
        if field is not None:
            return _unfit(field, need)
        if type_ is FieldType.DATETIME and schema.engagement(need.name):
            return None
        calculated = key(need.name) in map(key, schema.calculated)
        if calculated and type_ in (FieldType.NUMBER, FieldType.DATETIME):
            return None
        add = f'add the field: {need.name} = "{type_}" under [fields], and load the column'
        if need.name == LAST_ACTIVITY:
            return "declare the events that contacts take part in, such as [events.email_open]"
        if need.name in ENGAGEMENT_EVENTS:
            event = f"email_{need.name.removeprefix('last_')}"
            return f"declare the event [events.{event}], whose latest time it then is; or {add}"
        event = need.name.removeprefix("last_")
        if event != need.name and schema.event(event):
            return f'calculate it: {need.name} = "last({event})" under [calculated]; or {add}'
        return add

    def _property(self, need: Need) -> str | None:
        event, _, name = need.name.partition(".")
        types = self.schema.event(event)
        found = [one.property(name) for one in types]
        unfit = [_unfit(field, need) for field in found if field is not None]
        if unfit:
            return unfit[0]
        return (
            f'declare the property: properties = {{ {name} = "{need.type}" }} under'
            f" [events.{types[0].name if types else event}], and load the column"
        )


def _unfit(field: Field, need: Need) -> str | None:
    """Return what to do about a field whose type or values do not serve; None if they do."""
    assert need.type is not None
    if field.type not in _SERVES[need.type]:
        return f"`{field.name}` is a {field.type}, and a {need.type} is needed; use another name"
    known = set(map(key, field.values))
    unknown = [value for value in need.values if key(value) not in known]
    if unknown:
        names = ", ".join(f"`{value}`" for value in unknown)
        return f"`{field.name}` does not know {names}; put values of yours in the place"
    return None


def _seen(need: Need, known: Iterable[str]) -> str | None:
    if key(need.name) in map(key, known):
        return None
    return (
        f'put the name of a {need.kind} of yours in the place of "{need.name}"; or add it to'
        f" {need.kind}s in the schema"
    )
