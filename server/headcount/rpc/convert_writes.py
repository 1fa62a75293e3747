"""
Writes on the wire and back: mutations to records, what became of them to messages.

Records are what `headcount.ingest` reads, whoever sent them. Nothing is checked here but what only
protobuf can say wrongly: an enum value, a mutation of no kind. An instant that a `datetime` cannot
be (outside the years 1 to 9999, or finer than a microsecond) becomes text that is refused as such.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from headcount.ingest.records import (
    NO_FIELDS,
    ContactRecord,
    DeleteRecord,
    EventRecord,
    ListRecord,
    MergeRecord,
    NoRecord,
    Record,
    SuppressRecord,
)
from headcount.live.commit import Written
from headcount.load.cells import MAX_EXACT
from headcount.model.changes import ListAction, Refusal
from headcount.model.errors import Reason
from headcount.rpc import status
from headcount.v1 import common_pb2, contacts_pb2, events_pb2, writes_pb2

_ACTIONS: Mapping[int, ListAction] = {
    contacts_pb2.LIST_ACTION_JOIN: ListAction.JOIN,
    contacts_pb2.LIST_ACTION_LEAVE: ListAction.LEAVE,
    contacts_pb2.LIST_ACTION_OPT_OUT: ListAction.OPT_OUT,
    contacts_pb2.LIST_ACTION_OPT_IN: ListAction.OPT_IN,
}
_MESSAGE_BYTES = 300  # of one refused record; there may be a thousand
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # years 1 to 9999


def instant(message: Timestamp) -> object:
    """Return a datetime in UTC, or text that is refused when there is none."""
    seconds, nanos = message.seconds, message.nanos
    if _FIRST_SECOND <= seconds <= _LAST_SECOND and not nanos:
        return _EPOCH + dt.timedelta(0, seconds)
    if _FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos < 1_000_000_000:
        if not nanos % 1000:
            return _EPOCH + dt.timedelta(0, seconds, nanos // 1000)
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
    "string": lambda message: message.string,
    "number": _number,
    "boolean": lambda message: message.boolean,
    "date": lambda message: message.date,
    "time": lambda message: instant(message.time),
    "list": _list,
    None: lambda _: None,
}


def values(messages: Mapping[str, common_pb2.FieldValue]) -> Mapping[str, object]:
    """Return values by name; None is a missing one."""
    if not messages:
        return NO_FIELDS
    return {name: _VALUES[value.WhichOneof("kind")](value) for name, value in messages.items()}


def contact(message: contacts_pb2.ContactChange, *, creates: bool) -> ContactRecord:
    """Return what is new of a contact."""
    return ContactRecord(
        message.id,
        creates,
        values(message.fields),
        message.add_labels,
        message.remove_labels,
        [
            ListRecord(
                change.list,
                _ACTIONS.get(change.action),
                instant(change.time) if change.HasField("time") else None,
            )
            for change in message.lists
        ],
    )


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
    return writes_pb2.WriteResult(
        accepted=written.accepted,
        refused_count=len({refusal.index for refusal in written.refused}),
        refused=map(_to_refused, _first(written.refused, limit)),
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


def _to_refused(refusal: Refusal) -> writes_pb2.RefusedRecord:
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
