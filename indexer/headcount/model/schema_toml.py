"""
The schema as people write it: TOML text to `Schema` and back.

`parse(render(schema)) == schema`. Every key is known or refused, with the nearest known one: a
misspelt `alais` would otherwise be an event without its alias, found only when a count is wrong.

    id = "contact_id"                      # optional; the contacts files' id column
    time_zone = "Europe/Berlin"            # optional; UTC
    labels = ["vip"]                       # optional; names known before any contact has them
    lists = ["news"]
    [fields]
    country = "keyword"
    stage = { type = "stage", values = ["Lead", "Customer"] }
    plan = { type = "keyword", case = "sensitive", accents = "fold" }
    [calculated]
    average = "total / orders"
    [events.purchase]
    alias = ["bought"]                     # or one string
    keep_days = 730                        # optional; for ever
    properties = { amount = "number" }
    [event_groups]
    engaged = ["email_open", "email_click"]

Some names are refused here because contacts files use them: a field cannot be called `list`, since
the column `list` says which lists a contact is on.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping

from headcount.model.errors import Position, Reason, UserError
from headcount.model.schema import (
    PROPERTY_TYPES,
    EventType,
    Field,
    FieldType,
    Schema,
    nearest,
)
from headcount.model.time_zone import time_zone

MAX_NAME_BYTES = 128
MAX_KEEP_DAYS = 36_500

# What a column of these names means in a file, or in the tables that blocks are built from.
RESERVED_FIELDS: Mapping[str, str] = {
    "list": "the lists a contact is on",
    "opted_out": "the lists a contact has opted out of",
}

_TOP_LEVEL = (
    "id",
    "time_zone",
    "labels",
    "lists",
    "fields",
    "calculated",
    "events",
    "event_groups",
)
_CASES = {"sensitive": True, "insensitive": False}
_ACCENTS = {"fold": True, "keep": False}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TOML_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)")


def parse(text: str, path: str = "schema.toml") -> Schema:
    """
    Return the schema that *text* declares; *path* only names the place in errors.

    Raises:
        UserError: INVALID_SCHEMA, with the line and column where the text is not TOML, otherwise
            with the table and key.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(text, path, str(error)) from error
    try:
        return _Reader(path).schema(document)
    except UserError as error:
        if error.field is None:  # from `Schema` itself, which knows no file
            error.field = path
        raise


def render(schema: Schema) -> str:
    """Return *schema* as TOML that `parse` turns into an equal schema."""
    lines = []
    if schema.id_column != "id":
        lines.append(f"id = {_string(schema.id_column)}")
    if schema.time_zone != "UTC":
        lines.append(f"time_zone = {_string(schema.time_zone)}")
    if schema.labels:
        lines.append(f"labels = {_strings(schema.labels)}")
    if schema.lists:
        lines.append(f"lists = {_strings(schema.lists)}")
    if schema.fields:
        lines += ["", "[fields]"]
        lines += [f"{_key(f.name)} = {_type(f)}" for f in schema.fields.values()]
    if schema.calculated:
        lines += ["", "[calculated]"]
        lines += [f"{_key(name)} = {_string(text)}" for name, text in schema.calculated.items()]
    for event in schema.events.values():
        lines += ["", f"[events.{_key(event.name)}]"]
        if event.aliases:
            lines.append(f"alias = {_strings(event.aliases)}")
        if event.keep_days:
            lines.append(f"keep_days = {event.keep_days}")
        if event.properties:
            properties = ", ".join(f"{_key(p.name)} = {_type(p)}" for p in event.properties)
            lines.append(f"properties = {{ {properties} }}")
    if schema.groups:
        lines += ["", "[event_groups]"]
        lines += [f"{_key(name)} = {_strings(members)}" for name, members in schema.groups.items()]
    return "\n".join(lines).lstrip("\n") + "\n"


def _not_toml(text: str, path: str, message: str) -> UserError:
    """Return the error for text that is not TOML, with a caret where the parser says where."""
    position = None
    place = _TOML_PLACE.search(message)
    if place:
        line, column = int(place[1]), int(place[2])
        start = sum(len(each) for each in text.splitlines(keepends=True)[: line - 1]) + column - 1
        position = Position.at(text, start, start + 1)
        message = message.replace(place[0], "").strip()
    return UserError(
        Reason.INVALID_SCHEMA,
        f"{path} is not TOML: {message[:1].lower()}{message[1:]}",
        position=position,
    )


class _Reader:
    """Turns a decoded TOML document into a `Schema`, refusing what it does not know."""

    def __init__(self, path: str) -> None:
        self._path = path

    def schema(self, document: Mapping[str, object]) -> Schema:
        self._known_keys(document, _TOP_LEVEL, "")
        id_column = self._text(document.get("id", "id"), "id")
        events = self._table(document.get("events", {}), "events")
        groups = self._table(document.get("event_groups", {}), "event_groups")
        calculated = self._table(document.get("calculated", {}), "calculated")
        fields = self._fields(self._table(document.get("fields", {}), "fields"), id_column)
        return Schema(
            id_column=self._name(id_column, "id"),
            time_zone=self._time_zone(document.get("time_zone", "UTC")),
            fields=fields,
            events={name: self._event(name, value) for name, value in events.items()},
            groups={
                self._name(name, "event_groups"): self._names(value, f"event_groups.{name}")
                for name, value in groups.items()
            },
            calculated={
                self._name(name, "calculated"): self._text(value, f"calculated.{name}")
                for name, value in calculated.items()
            },
            labels=self._values(document.get("labels", []), "labels"),
            lists=self._values(document.get("lists", []), "lists"),
        )

    def _fields(self, table: Mapping[str, object], id_column: str) -> dict[str, Field]:
        reserved = dict(RESERVED_FIELDS)
        if id_column.casefold() != "id":
            reserved[id_column.casefold()] = "the contact's id"
        fields = {}
        for name, value in table.items():
            place = f"fields.{name}"
            self._not_reserved(name, reserved, place)
            fields[name] = self._field(name, value, place, frozenset(FieldType))
        return fields

    def _event(self, name: str, value: object) -> EventType:
        place = f"events.{name}"
        table = self._table(value, place)
        self._known_keys(table, ("alias", "properties", "keep_days"), place)
        alias = table.get("alias", [])
        aliases = self._names([alias] if isinstance(alias, str) else alias, f"{place}.alias")
        properties = []
        seen: dict[str, str] = {}
        for each, declared in self._table(table.get("properties", {}), place).items():
            where = f"{place}.properties.{each}"
            if each.casefold() in seen:
                raise self._error(
                    where, f"`{seen[each.casefold()]}` and `{each}` differ only in case; rename one"
                )
            seen[each.casefold()] = each
            properties.append(self._field(each, declared, where, PROPERTY_TYPES))
        name = self._name(name, "events")
        keep_days = self._keep_days(table["keep_days"], place) if "keep_days" in table else 0
        return EventType(name, aliases, tuple(properties), keep_days=keep_days)

    def _keep_days(self, value: object, place: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_KEEP_DAYS:
            return value
        raise self._error(
            f"{place}.keep_days",
            f"expected a number of days from 1 to {MAX_KEEP_DAYS:,}, found {value!r}; leave it out"
            " to keep events for ever",
        )

    def _field(self, name: str, value: object, place: str, allowed: Iterable[FieldType]) -> Field:
        table = {"type": value} if isinstance(value, str) else self._table(value, place)
        self._known_keys(table, ("type", "values", "case", "accents"), place)
        if "type" not in table:
            raise self._error(place, 'has no type; write, for example, type = "keyword"')
        names = [t.value for t in FieldType if t in allowed]
        kind = FieldType(self._one_of(table["type"], names, f"{place}.type"))
        values = self._values(table.get("values", []), f"{place}.values")
        if kind is FieldType.STAGE and not values:
            raise self._error(
                place, 'a stage needs its values, lowest first: values = ["Lead", "Customer"]'
            )
        if values and kind not in (FieldType.STAGE, FieldType.KEYWORD):
            raise self._error(place, f"only a stage or a keyword has values, not a {kind}")
        strings = kind.is_string or kind is FieldType.KEYWORDS
        if not strings and ("case" in table or "accents" in table):
            raise self._error(place, f"`case` and `accents` are for strings; this is a {kind}")
        case = self._one_of(table.get("case", "insensitive"), _CASES, f"{place}.case")
        accents = self._one_of(table.get("accents", "keep"), _ACCENTS, f"{place}.accents")
        if not _CASES[case]:
            self._distinct(values, place)
        return Field(self._name(name, place), kind, _CASES[case], _ACCENTS[accents], values)

    def _distinct(self, values: tuple[str, ...], place: str) -> None:
        seen: dict[str, str] = {}
        for value in values:
            other = seen.setdefault(value.casefold(), value)
            if other is not value:
                raise self._error(place, f"values `{other}` and `{value}` differ only in case")

    def _time_zone(self, value: object) -> str:
        try:
            return time_zone(self._text(value, "time_zone")).key
        except UserError as error:
            raise UserError(
                Reason.INVALID_SCHEMA,
                error.message,
                field=f"{self._path}: time_zone",
                suggestions=error.suggestions,
            ) from error

    def _one_of(self, value: object, known: Iterable[str], place: str) -> str:
        known = list(known)
        if isinstance(value, str) and value in known:
            return value
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"expected one of {', '.join(known)}, found {value!r}",
            field=f"{self._path}: {place}",
            suggestions=nearest(value, known) if isinstance(value, str) else (),
        )

    def _known_keys(self, table: Mapping[str, object], known: Iterable[str], place: str) -> None:
        known = tuple(known)
        for key in table:
            if key not in known:
                raise UserError(
                    Reason.INVALID_SCHEMA,
                    f"unknown key `{key}`; known here are {', '.join(known)}",
                    field=f"{self._path}: {place}.{key}" if place else f"{self._path}: {key}",
                    suggestions=nearest(key, known),
                )

    def _not_reserved(self, name: str, reserved: Mapping[str, str], place: str) -> None:
        meaning = reserved.get(name.casefold())
        if meaning is not None:
            raise self._error(place, f"the name `{name}` is taken: it means {meaning}; rename it")

    def _table(self, value: object, place: str) -> Mapping[str, object]:
        if not isinstance(value, dict):
            raise self._error(place, f"expected a table, found {value!r}")
        return value

    def _text(self, value: object, place: str) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._error(place, f"expected text in quotes, found {value!r}")
        return value

    def _values(self, value: object, place: str) -> tuple[str, ...]:
        """Return a list of strings that are values of contacts: labels, lists, stages."""
        if not isinstance(value, list):
            raise self._error(place, f'expected a list such as ["a", "b"], found {value!r}')
        values = tuple(self._text(each, place) for each in value)
        seen: set[str] = set()
        for each in values:
            if each != each.strip():
                raise self._error(place, f"{each!r} has spaces around it; remove them")
            if each in seen:
                raise self._error(place, f"`{each}` is there twice; remove one")
            seen.add(each)
        return values

    def _names(self, value: object, place: str) -> tuple[str, ...]:
        return tuple(self._name(each, place) for each in self._values(value, place))

    def _name(self, value: object, place: str) -> str:
        """Return *value* if it can be a name: printable, no backtick (names are quoted in them)."""
        name = self._text(value, place)
        if name != name.strip() or not name.isprintable() or "`" in name:
            raise self._error(
                place, f"{name!r} cannot be a name: remove outer spaces, control characters and `"
            )
        if len(name.encode()) > MAX_NAME_BYTES:
            raise self._error(place, f"the name `{name[:32]}...` is over {MAX_NAME_BYTES} bytes")
        return name

    def _error(self, place: str, message: str) -> UserError:
        return UserError(Reason.INVALID_SCHEMA, message, field=f"{self._path}: {place}")


def _type(field: Field) -> str:
    """Return a field's declaration: its type, or a table when there is more to say."""
    extras = []
    if field.values:
        extras.append(f"values = {_strings(field.values)}")
    if field.case_sensitive:
        extras.append('case = "sensitive"')
    if field.fold_accents:
        extras.append('accents = "fold"')
    if not extras:
        return _string(field.type.value)
    return f"{{ {', '.join([f'type = {_string(field.type.value)}', *extras])} }}"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _string(name)


def _strings(values: Iterable[str]) -> str:
    return f"[{', '.join(_string(value) for value in values)}]"


def _string(value: str) -> str:
    """Return a TOML basic string; control characters are escaped, all else stands as it is."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else _escape(c) for c in escaped) + '"'


def _escape(character: str) -> str:
    point = ord(character)
    return f"\\u{point:04X}" if point <= 0xFFFF else f"\\U{point:08X}"
