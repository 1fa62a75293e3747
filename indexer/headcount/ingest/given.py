"""
Records as programs give them: mappings in the shape of NDJSON, with Python's own kinds of values.

A mistake in the shape (a key that does not exist, a time without a time zone) is an error of the
program and fails the call; a value that cannot be stored refuses its record, as it does in a file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from headcount.ingest import ndjson
from headcount.ingest.records import ContactRecord, EventRecord, NoRecord, Record
from headcount.load.cells import shown
from headcount.model.errors import Reason, UserError

Object = Mapping[str, object]


class UnstorableError(UserError):
    """A value that refuses its record, and not the call; `field` is the whole path of its place."""


def several(ids: Iterable[str], field: str) -> list[str]:
    """
    Return *ids* as a list.

    Raises:
        UserError: they are one string, whose letters would be taken for ids.
    """
    if isinstance(ids, str):
        raise UserError(Reason.TYPE_MISMATCH, "expected several ids, found one string", field=field)
    return list(ids)


def contacts_of(contacts: Iterable[Object], op: str) -> Iterator[ContactRecord]:
    """
    Yield the records of contacts as they are written in NDJSON, without `op`.

    Raises:
        UserError: one has an unknown key, or something else that is no contact.
    """
    for number, contact in enumerate(contacts):
        yield contact_of(contact, op, number)


def contact_of(contact: Object, op: str, number: int) -> ContactRecord:
    """
    Return the record of one contact, the one with *number* of several.

    Raises:
        UserError: it has an unknown key, or something else that is no contact.
    """
    record = mutation_of({**contact, "op": op}, f"contacts[{number}]")
    assert isinstance(record, ContactRecord)
    return record


def events_of(events: Iterable[Object], *, creates: bool) -> Iterator[EventRecord]:
    """Yield the records of events as they are written in NDJSON, without `op`; see `event_of`."""
    for number, event in enumerate(events):
        yield event_of(event, f"events[{number}]", creates=creates)


def event_of(event: Object, place: str, *, creates: bool) -> EventRecord:
    """
    Return the record of one event; *place* is where errors say it is.

    Raises:
        UserError: it has an unknown key, or something else that is no event.
    """
    made = {**event, "op": "record", "create_contact": creates}
    record = mutation_of(made, place)
    assert isinstance(record, EventRecord)
    return record


def mutation_of(mutation: Object, place: str) -> Record:
    """
    Return the record of a mutation; *place* is where errors say it is.

    Raises:
        UserError: it has an unknown key, or something else that no mutation has.
    """
    record = ndjson.record_of(mutation)
    match record:
        case NoRecord():
            where = f"{place}.{record.field}" if record.field else place
            raise UserError(Reason.INVALID_VALUE, record.message, field=where)
        case ContactRecord():
            fields = {n: value_of(v, f"{place}.fields.{n}") for n, v in record.fields.items()}
            lists = [
                each._replace(time=value_of(each.time, f"{place}.lists.time"))
                for each in record.lists
            ]
            return record._replace(fields=fields, lists=lists)
        case EventRecord():
            properties = {
                n: value_of(v, f"{place}.properties.{n}") for n, v in record.properties.items()
            }
            time = value_of(record.time, f"{place}.time")
            return record._replace(time=time, properties=properties)
    return record


def value_of(value: object, field: str) -> object:
    """
    Return a value that a program gives as one that records hold.

    Raises:
        UserError: a value of a kind that no field has, or a time without a time zone.
    """
    match value:
        case None | str() | bool() | int() | float() | Decimal():
            return value
        case dt.datetime() if value.tzinfo is None:
            raise wrong(field, value, "a time with a time zone or an offset")
        case dt.datetime():
            return value.astimezone(dt.UTC)
        case dt.date():
            return value.isoformat()
        case list() | tuple() | set() | frozenset():
            return list(value)
    raise wrong(field, value, "text, a number, a boolean, a date, a time or a list")


def wrong(field: str, value: object, expected: str) -> UserError:
    """Return the error for a value of another kind."""
    return UserError(
        Reason.INVALID_VALUE, f"expected {expected}, found `{shown(value)}`", field=field
    )
