"""
Writes on the wire and back: mutations to records, what became of them to messages.

Records are what `headcount.ingest` reads, whoever sent them. Nothing is checked here but what only
protobuf can say wrongly: an enum value, a mutation of no kind. An instant that cannot be stored
(outside the years 1 to 9999, or finer than a microsecond) becomes text that is refused as such.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import TypeGuard
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from google.protobuf.timestamp_pb2 import Timestamp

from headcount.answers import WriteResult
from headcount.index.arrow import INSTANT
from headcount.ingest.events import EventColumns
from headcount.ingest.given import UnstorableError, event_of, wrong
from headcount.ingest.records import (
    NO_FIELDS,
    ContactRecord,
    DeleteRecord,
    EventRecord,
    ListRecord,
    MergeRecord,
    Micros,
    NoRecord,
    Record,
    SuppressRecord,
)
from headcount.live.commit import Written
from headcount.load import cells
from headcount.load.cells import MAX_EXACT
from headcount.model.changes import ListAction, Refusal
from headcount.model.errors import Reason, UserError
from headcount.rpc import convert, status
from headcount.v1 import common_pb2, contacts_pb2, events_pb2, writes_pb2

_ACTIONS: Mapping[int, ListAction] = {
    contacts_pb2.LIST_ACTION_JOIN: ListAction.JOIN,
    contacts_pb2.LIST_ACTION_LEAVE: ListAction.LEAVE,
    contacts_pb2.LIST_ACTION_OPT_OUT: ListAction.OPT_OUT,
    contacts_pb2.LIST_ACTION_OPT_IN: ListAction.OPT_IN,
}
_MESSAGE_BYTES = 300  # of one refused record; there may be a thousand
_UTC = ZoneInfo("UTC")
_CONTACT_KEYS = frozenset(("id", "fields"))
_EVENT_KEYS = frozenset(("contact", "type", "time", "id", "properties"))
_FIRST_YEAR, _LAST_YEAR = 1, 9999  # where an offset may lead out of the calendar
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # years 1 to 9999


def instant(message: Timestamp) -> object:
    """Return an instant, or text that is refused when it is none that can be stored."""
    seconds, nanos = message.seconds, message.nanos
    if _FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos < 1_000_000_000:
        micros, finer = divmod(nanos, 1000)
        if not finer:
            return Micros(seconds * 1_000_000 + micros)
        whole = _EPOCH + dt.timedelta(0, seconds)
        return f"{whole:%Y-%m-%dT%H:%M:%S}.{nanos:09}Z"
    return f"{seconds} s {nanos} ns since 1970"


def _list(message: common_pb2.FieldValue) -> object:
    return list(message.list.values)


def _number(message: common_pb2.FieldValue) -> object:
    """Return a number: a whole one as such, as JSON would, since protobuf has only doubles."""
    found = message.number
    return int(found) if found.is_integer() and abs(found) <= MAX_EXACT else found


_VALUES: Mapping[str | None, Callable[[common_pb2.FieldValue], object]] = {
    "string": attrgetter("string"),
    "number": _number,
    "boolean": attrgetter("boolean"),
    "date": attrgetter("date"),
    "time": lambda message: instant(message.time),
    "list": _list,
    None: lambda _: None,
}


def values(messages: Mapping[str, common_pb2.FieldValue]) -> Mapping[str, object]:
    """Return values by name; None is a missing one."""
    if not messages:
        return NO_FIELDS
    found = {}
    for name in messages:  # `items` of such a map is Python, and twice as slow
        value = messages[name]
        found[name] = _VALUES[value.WhichOneof("kind")](value)
    return found


def contact(message: contacts_pb2.ContactChange, *, creates: bool) -> ContactRecord:
    """Return what is new of a contact."""
    return ContactRecord(
        message.id,
        creates,
        values(message.fields),
        message.add_labels,
        message.remove_labels,
        [*map(_list_record, message.lists)],
    )


def _list_record(change: contacts_pb2.ListChange) -> ListRecord:
    time = instant(change.time) if change.HasField("time") else None
    return ListRecord(change.list, _ACTIONS.get(change.action), time)


def event(message: events_pb2.Event, *, creates: bool) -> EventRecord:
    """Return what a contact did."""
    return EventRecord(
        message.contact,
        message.type,
        instant(message.time) if message.HasField("time") else None,
        message.id,
        values(message.properties),
        creates,
    )


def events(messages: Iterable[events_pb2.Event], *, creates: bool) -> EventColumns:
    """Return what contacts did, by column: half of what a record each costs."""
    held = list(messages)
    return EventColumns(
        contacts=[message.contact for message in held],
        types=[message.type for message in held],
        times=_instants(held),
        ids=[message.id for message in held],
        properties=[values(message.properties) for message in held],
        creates=creates,
    )


def _instants(messages: Sequence[events_pb2.Event]) -> list[object] | pa.TimestampArray:
    """Return when events were, typed if all can be stored; None and text stand for the others."""
    times = [message.time if message.HasField("time") else None for message in messages]
    given = [time for time in times if time is not None]
    if len(given) == len(times):
        seconds = np.fromiter((time.seconds for time in given), np.int64, len(given))
        nanos = np.fromiter((time.nanos for time in given), np.int64, len(given))
        sane = (seconds >= _FIRST_SECOND) & (seconds <= _LAST_SECOND)
        sane &= (nanos >= 0) & (nanos < 1_000_000_000) & (nanos % 1000 == 0)
        if sane.all():
            return pa.array(seconds * 1_000_000 + nanos // 1000).cast(INSTANT)
    return [None if time is None else instant(time) for time in times]


def mutation(message: contacts_pb2.Mutation) -> Record:
    """Return the record of a mutation."""
    match message.WhichOneof("kind"):
        case "upsert":
            return contact(message.upsert, creates=True)
        case "patch":
            return contact(message.patch, creates=False)
        case "record":
            recording = message.record
            return event(recording.event, creates=recording.create_contact)
        case "delete":
            return DeleteRecord(message.delete.id, message.delete.erase)
        case "merge":
            return pair(message.merge)
        case "suppress":
            return SuppressRecord(message.suppress, True)
        case "unsuppress":
            return SuppressRecord(message.unsuppress, False)
    return NoRecord("", "expected a mutation of some kind, found none")


def pair(message: contacts_pb2.ContactPair) -> MergeRecord:
    """Return two contacts that are one."""
    return MergeRecord(message.source, message.target)


def to_result(written: Written, info: common_pb2.AnswerInfo, limit: int) -> writes_pb2.WriteResult:
    """Return what became of a write, with the refusals of its first *limit* refused records."""
    refused = written.refused
    return writes_pb2.WriteResult(
        accepted=written.accepted,
        refused_count=len({one.index for one in refused}) if refused else 0,
        refused=[*map(to_refused, _first(refused, limit))] if refused else None,
        repeated_events=written.repeated,
        already=written.already,
        info=info,
    )


def _first(refused: Iterable[Refusal], limit: int) -> Iterator[Refusal]:
    """Yield the refusals of the first *limit* refused records; they come by record."""
    seen: set[int] = set()
    for refusal in refused:
        seen.add(refusal.index)
        if len(seen) > limit:
            return
        yield refusal


def to_refused(refusal: Refusal) -> writes_pb2.RefusedRecord:
    """Return why a record was refused as a message."""
    return writes_pb2.RefusedRecord(
        index=refusal.index,
        field=status.shorten(refusal.field, status.FIELD_BYTES),
        reason=refusal.reason,
        message=status.shorten(refusal.message, _MESSAGE_BYTES),
    )


def refusal(message: writes_pb2.RefusedRecord) -> Refusal:
    """Return why a record was refused."""
    known = message.reason in Reason.__members__
    reason = Reason(message.reason) if known else Reason.UNSUPPORTED
    return Refusal(message.index, message.field, reason, message.message)


# --- from records to messages -----------------------------------------------------------------

_ACTION_NUMBERS = {action: number for number, action in _ACTIONS.items()}


def set_given(message: common_pb2.FieldValue, value: object, field: str) -> None:
    """
    Write a value of a record for *field*, None for a missing one.

    Raises:
        UserError: a value of a kind that no message can say.
    """
    match value:
        case None:
            pass
        case str():
            message.string = text(value, field)
        case bool():
            message.boolean = value
        case int() if abs(value) > MAX_EXACT:
            message.string = str(value)  # exact as digits only
        case int() | float():
            message.number = value
        case dt.datetime():
            message.time.CopyFrom(convert.to_timestamp(convert.micros_of(value)))
        case Decimal():
            message.string = str(value)
        case list():
            message.list.values.extend(text(each, field) for each in value)
        case _:
            raise wrong(field, value, "text, a number, a boolean, a date, a time or a list")


def _time(value: object, field: str) -> Timestamp:
    """
    Return the timestamp of a datetime, RFC 3339 text, or seconds since 1970.

    Raises:
        UnstorableError: it is none of them, or a clock time without an offset.
    """
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            raise _unstorable(field, value, "a time such as 2026-04-03T15:30:00Z") from None
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return convert.to_timestamp(convert.micros_of(value))
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        with contextlib.suppress(cells.Refusal):
            return convert.to_timestamp(cells.instant(value, _UTC) or 0)
    raise _unstorable(field, value, "a time with an offset, in the years 1 to 9999")


def _unstorable(field: str, value: object, expected: str) -> UnstorableError:
    error = wrong(field, value, expected)
    return UnstorableError(error.reason, error.message, field=field)


def text(value: object, field: str) -> str:
    """
    Return text of a record, or a whole number's digits; *field* is where errors say it is.

    Raises:
        UserError: it is neither, or no Unicode text, which no message holds.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise wrong(field, value, "text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise wrong(field, value, "Unicode text, which has no half of a surrogate pair") from None
    return value


def to_contact(record: ContactRecord, place: str) -> contacts_pb2.ContactChange:
    """
    Return the message of what is new of a contact; *place* is where errors say it is.

    Raises:
        UserError: something that no message can say.
    """
    message = contacts_pb2.ContactChange(
        id=text(record.id, f"{place}.id"),
        add_labels=[text(each, f"{place}.add_labels") for each in record.add_labels],
        remove_labels=[text(each, f"{place}.remove_labels") for each in record.remove_labels],
    )
    for name, value in record.fields.items():
        set_given(message.fields[text(name, f"{place}.fields")], value, f"{place}.fields.{name}")
    for change in record.lists:
        if change.action is None:
            raise UserError(
                Reason.INVALID_VALUE,
                f"expected one of {', '.join(a.name.lower() for a in ListAction)}",
                field=f"{place}.lists.action",
            )
        made = message.lists.add(
            list=text(change.list, f"{place}.lists.list"), action=_ACTION_NUMBERS[change.action]
        )
        if change.time is not None:
            made.time.CopyFrom(_time(change.time, f"{place}.lists.time"))
    return message


def to_event(record: EventRecord, place: str) -> events_pb2.Event:
    """
    Return the message of what a contact did; *place* is where errors say it is.

    Raises:
        UserError: something that no message can say.
    """
    message = events_pb2.Event(
        contact=text(record.contact, f"{place}.contact"),
        type=text(record.type, f"{place}.type"),
        id="" if record.id is None else text(record.id, f"{place}.id"),
    )
    if record.time is not None:
        message.time.CopyFrom(_time(record.time, f"{place}.time"))
    for name, value in record.properties.items():
        set_given(
            message.properties[text(name, f"{place}.properties")],
            value,
            f"{place}.properties.{name}",
        )
    return message


def given_event(event: Mapping[str, object], place: str, *, creates: bool) -> events_pb2.Event:
    """
    Return the message of an event as a program gives it; *place* is where errors say it is.

    2 µs for one of ASCII, numbers and a time in the years 2 to 9998; 8 for another.

    Raises:
        UserError: as `event_of` and `to_event`.
    """
    plain = _plain_event(event)
    return to_event(event_of(event, place, creates=creates), place) if plain is None else plain


def _plain_event(event: Mapping[str, object]) -> events_pb2.Event | None:
    """Return the message of an event whose values need no care; None if some do."""
    contact, kind, time = event.get("contact"), event.get("type"), event.get("time")
    name, given = event.get("id", ""), event.get("properties", NO_FIELDS)
    if (
        not event.keys() <= _EVENT_KEYS
        or type(time) is not dt.datetime
        or time.tzinfo is None
        or not _FIRST_YEAR < time.year < _LAST_YEAR
        or not (_is_ascii(contact) and _is_ascii(kind) and _is_ascii(name))
        or not isinstance(given, dict)
        or not all(map(_is_ascii, given))
        or not all(map(_is_plain, given.values()))
    ):
        return None
    since = time - _EPOCH
    made = events_pb2.Event(contact=contact, type=kind, id=name)
    made.time.seconds = since.days * 86_400 + since.seconds
    made.time.nanos = since.microseconds * 1000
    for key, value in given.items():
        set_given(made.properties[key], value, key)
    return made


def plain_contact(contact: Mapping[str, object]) -> contacts_pb2.ContactChange | None:
    """
    Return the message of a contact as a program gives it, if its values need no care; else None.

    What has an id and fields, of ASCII and numbers, is the same message as `to_contact` makes of
    it, in a third of the time.
    """
    if not isinstance(contact, dict):
        return None
    name, given = contact.get("id"), contact.get("fields", NO_FIELDS)
    if (
        not contact.keys() <= _CONTACT_KEYS
        or not _is_ascii(name)
        or not isinstance(given, dict)
        or not all(map(_is_ascii, given))
        or not all(map(_is_plain, given.values()))
    ):
        return None
    made = contacts_pb2.ContactChange(id=name)
    for key, value in given.items():
        set_given(made.fields[key], value, key)
    return made


def _is_ascii(value: object) -> TypeGuard[str]:
    return type(value) is str and value.isascii()


def _is_plain(value: object) -> bool:
    kind = type(value)
    return kind is float or kind is bool or kind is int or _is_ascii(value)


def to_mutation(record: Record, place: str) -> contacts_pb2.Mutation:
    """
    Return the message of any record; *place* is where errors say it is.

    Raises:
        UserError: something that no message can say.
    """
    message = contacts_pb2.Mutation()
    match record:
        case ContactRecord():
            made = message.upsert if record.creates else message.patch
            made.CopyFrom(to_contact(record, place))
        case EventRecord():
            message.record.event.CopyFrom(to_event(record, place))
            message.record.create_contact = record.creates
        case DeleteRecord():
            message.delete.id = text(record.id, f"{place}.id")
            message.delete.erase = record.erase
        case MergeRecord():
            message.merge.source = text(record.source, f"{place}.source")
            message.merge.target = text(record.target, f"{place}.target")
        case SuppressRecord(add=True):
            message.suppress = text(record.id, f"{place}.id")
        case SuppressRecord():
            message.unsuppress = text(record.id, f"{place}.id")
        case NoRecord():
            where = f"{place}.{record.field}" if record.field else place
            raise UserError(Reason.INVALID_VALUE, record.message, field=where)
    return message


def result(message: writes_pb2.WriteResult) -> WriteResult:
    """Return what became of a write."""
    return WriteResult(
        accepted=message.accepted,
        refused_count=message.refused_count,
        refused=tuple(map(refusal, message.refused)),
        repeated=message.repeated_events,
        already=message.already,
        version=convert.version(message.info.version),
    )
