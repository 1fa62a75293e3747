"""
Mutations as JSON objects, one a line: what `headcount write FILE.ndjson` reads.

    {"op": "upsert", "id": "c1", "fields": {"country": "DE"}, "add_labels": ["vip"],
     "lists": [{"list": "news", "action": "join", "time": "2026-05-09T12:00:00Z"}]}
    {"op": "patch", "id": "c1", "fields": {"country": null}}
    {"op": "record", "contact": "c1", "type": "purchase", "time": "2026-05-09T12:00:00Z",
     "id": "o-17", "properties": {"amount": 12.5}, "create_contact": true}
    {"op": "merge", "source": "c2", "target": "c1"}
    {"op": "suppress", "id": "c1"} {"op": "unsuppress", "id": "c1"}
    {"op": "delete", "id": "c1", "erase": true}

A key that an `op` does not have refuses the line: a misspelt `fieldz` would otherwise be a write
that did nothing. What the values mean is decided later, with the schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headcount.ingest.records import (
    ContactRecord,
    DeleteRecord,
    EventRecord,
    ListRecord,
    MergeRecord,
    NoRecord,
    Record,
    SuppressRecord,
)
from headcount.ingest.screen import did_you_mean
from headcount.load.cells import shown
from headcount.load.json_lines import NotAnObject, parse_object
from headcount.model.changes import ListAction
from headcount.model.schema import nearest

_CONTACT = ("id", "fields", "add_labels", "remove_labels", "lists")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "upsert": _CONTACT,
    "patch": _CONTACT,
    "record": ("contact", "type", "time", "id", "properties", "create_contact"),
    "delete": ("id", "erase"),
    "merge": ("source", "target"),
    "suppress": ("id",),
    "unsuppress": ("id",),
}
_LIST_KEYS = ("list", "action", "time")
_ACTIONS = {action.name.lower(): action for action in ListAction}


class _Wrong(ValueError):  # noqa: N818 - an answer about a line, not a fault
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def record_of_line(line: str) -> Record:
    """Return the record that a line holds; one that cannot be read says why."""
    try:
        return record_of(parse_object(line))
    except NotAnObject as error:
        return NoRecord("", str(error))


def record_of(found: Mapping[str, object]) -> Record:
    """Return the record that an object describes; one that cannot be read says why."""
    try:
        return _record(found)
    except _Wrong as wrong:
        return NoRecord(wrong.field, str(wrong))


def _record(found: Mapping[str, object]) -> Record:
    op = found.get("op")
    if not isinstance(op, str) or op not in _KEYS:
        near = nearest(op, _KEYS) if isinstance(op, str) else ()
        raise _Wrong("op", f"expected one of {', '.join(_KEYS)}{did_you_mean(near)}")
    _known(found, ("op", *_KEYS[op]), "")
    match op:
        case "upsert" | "patch":
            return ContactRecord(
                id=found.get("id"),
                creates=op == "upsert",
                fields=_object(found, "fields"),
                add_labels=_list(found, "add_labels"),
                remove_labels=_list(found, "remove_labels"),
                lists=[_list_record(each) for each in _list(found, "lists")],
            )
        case "record":
            return EventRecord(
                contact=found.get("contact"),
                type=found.get("type"),
                time=found.get("time"),
                id=found.get("id"),
                properties=_object(found, "properties"),
                creates=_flag(found, "create_contact"),
            )
        case "delete":
            return DeleteRecord(found.get("id"), _flag(found, "erase"))
        case "merge":
            return MergeRecord(found.get("source"), found.get("target"))
        case _:
            return SuppressRecord(found.get("id"), op == "suppress")


def _list_record(found: object) -> ListRecord:
    if not isinstance(found, Mapping):
        raise _Wrong("lists", 'expected objects such as {"list": "news", "action": "join"}')
    _known(found, _LIST_KEYS, "lists.")
    action = found.get("action")
    known = _ACTIONS.get(action) if isinstance(action, str) else None
    return ListRecord(found.get("list"), known, found.get("time"))


def _known(found: Mapping[str, object], keys: Sequence[str], prefix: str) -> None:
    for key in found:
        if key not in keys:
            message = f"unknown key; expected {', '.join(keys)}{did_you_mean(nearest(key, keys))}"
            raise _Wrong(prefix + shown(key), message)


def _object(found: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = found.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _Wrong(key, "expected an object of names and values")
    return value


def _list(found: Mapping[str, object], key: str) -> Sequence[object]:
    value = found.get(key)
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise _Wrong(key, "expected a list")
    return value


def _flag(found: Mapping[str, object], key: str) -> bool:
    value = found.get(key, False)
    if not isinstance(value, bool):
        raise _Wrong(key, "expected true or false")
    return value
