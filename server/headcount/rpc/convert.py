"""
Between messages and the engine's values: queries and contexts in; answers out.

Nothing is decided here, but what a message can say and a value cannot: a form that is not set, a
time outside the calendar, a zone that does not exist. Clients use the inverse of each function.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from headcount.answers import Contact, ContactState, Info, Membership, SavedSegment, Scalar
from headcount.index.stats import Stats
from headcount.index.view import Version
from headcount.model.errors import Position, Reason, UserError
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query.bound import QueryWarning
from headcount.rpc import status
from headcount.segments.definition import Definition
from headcount.v1 import admin_pb2, common_pb2, contacts_pb2, saved_segments_pb2, schema_pb2

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_FIRST = dt.datetime.min.replace(tzinfo=dt.UTC)
_LAST = dt.datetime.max.replace(tzinfo=dt.UTC)
_FIRST_SECOND = int((_FIRST - EPOCH).total_seconds())
_LAST_SECOND = int((_LAST - EPOCH) / dt.timedelta(seconds=1))


# --- time -------------------------------------------------------------------------------------


def micros(timestamp: Timestamp, field: str) -> int:
    """
    Return a timestamp as µs since 1970 UTC; what is below a microsecond is cut off.

    Raises:
        UserError: it is outside the years 1 to 9999, which protobuf and Python agree on.
    """
    in_calendar = _FIRST_SECOND <= timestamp.seconds <= _LAST_SECOND
    if not in_calendar or not 0 <= timestamp.nanos < 1_000_000_000:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected an instant in the years 1 to 9999, with nanos from 0 to 999,999,999",
            field=field,
        )
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1000


def micros_of(value: dt.datetime) -> int:
    """Return an aware datetime as µs since 1970 UTC, exactly."""
    return (value - EPOCH) // _MICROSECOND


def to_timestamp(instant: int) -> Timestamp:
    """Return µs since 1970 UTC as a timestamp."""
    return _instant_in(Timestamp(), instant)


def _instant_in(message: Timestamp, instant: int) -> Timestamp:
    message.seconds, rest = divmod(instant, 1_000_000)
    message.nanos = rest * 1000
    return message


def moment(timestamp: Timestamp) -> dt.datetime:
    """Return a timestamp as a datetime in UTC."""
    return EPOCH + micros(timestamp, "timestamp") * _MICROSECOND


def to_duration(seconds: float) -> Duration:
    """Return seconds as a duration."""
    return _seconds_in(Duration(), seconds)


def _seconds_in(message: Duration, seconds: float) -> Duration:
    message.seconds, message.nanos = divmod(round(seconds * 1e9), 1_000_000_000)
    return message


def seconds_of(duration: Duration) -> float:
    """Return a duration in seconds."""
    return duration.seconds + duration.nanos / 1e9


# --- versions and answers ---------------------------------------------------------------------


def version(message: common_pb2.Version) -> Version:
    """Return a version."""
    return Version(message.epoch, message.sequence)


def to_version(value: Version) -> common_pb2.Version:
    """Return a version as a message."""
    return common_pb2.Version(epoch=value.epoch, sequence=value.sequence)


def to_info(as_of: int, zone_name: str, read: Version, elapsed: float) -> common_pb2.AnswerInfo:
    """Return what an answer says of itself; *as_of* in µs, *elapsed* in seconds."""
    message = common_pb2.AnswerInfo(time_zone=zone_name)
    # In place, for half the cost: every answer has one.
    _instant_in(message.as_of, as_of)
    message.version.epoch, message.version.sequence = read.epoch, read.sequence
    _seconds_in(message.elapsed, elapsed)
    return message


def info(message: common_pb2.AnswerInfo) -> Info:
    """Return what an answer says of itself."""
    return Info(
        as_of=moment(message.as_of),
        time_zone=message.time_zone,
        version=version(message.version),
        elapsed=seconds_of(message.elapsed),
    )


def to_position(position: Position) -> common_pb2.Position:
    """Return a position as a message, with the piece of the source around it."""
    source, offset = status.excerpt(position)
    return common_pb2.Position(
        line=position.line,
        column=position.column,
        length=position.length,
        source=source,
        source_offset=offset,
    )


def position(message: common_pb2.Position) -> Position:
    """Return a position; spaces stand for what was cut off the front of the line."""
    return status.placed(
        line=message.line,
        column=message.column,
        length=message.length,
        source=message.source,
        offset=message.source_offset,
    )


def to_diagnostic(error: UserError, path: str = "") -> common_pb2.Diagnostic:
    """Return an error as a message; *path* is the field of the request that it is about."""
    within = f"{path}.{error.field}" if path and error.field else path or error.field or ""
    return common_pb2.Diagnostic(
        reason=error.reason,
        message=status.shorten(error.message, status.MESSAGE_BYTES),
        position=None if error.position is None else to_position(error.position),
        field=status.shorten(within, status.FIELD_BYTES),
        suggestions=status.names(error.suggestions),
    )


def to_warning(warning: QueryWarning) -> common_pb2.Diagnostic:
    """Return a warning as a message."""
    at = warning.position
    return common_pb2.Diagnostic(
        reason=warning.code,
        message=status.shorten(warning.message, status.MESSAGE_BYTES),
        position=None if at is None else to_position(at),
    )


def warning(message: common_pb2.Diagnostic) -> QueryWarning:
    """Return the warning of a message."""
    at = position(message.position) if message.HasField("position") else None
    return QueryWarning(message.reason, message.message, at)


def user_error(message: common_pb2.Diagnostic) -> UserError:
    """Return the error of a message; one with a reason that is not known here is UNSUPPORTED."""
    known = message.reason in Reason.__members__
    return UserError(
        Reason(message.reason) if known else Reason.UNSUPPORTED,
        message.message,
        position=position(message.position) if message.HasField("position") else None,
        field=message.field or None,
        suggestions=tuple(message.suggestions),
    )


# --- contacts ---------------------------------------------------------------------------------


def to_contact(contact: Contact) -> common_pb2.Contact:
    """Return a contact as a message."""
    message = common_pb2.Contact(id=contact.id)
    for name, value in contact.fields.items():
        set_value(message.fields[name], value)
    return message


def contact(message: common_pb2.Contact) -> Contact:
    """Return a contact."""
    return Contact(message.id, {name: value_of(value) for name, value in message.fields.items()})


def to_state(state: ContactState) -> contacts_pb2.ContactState:
    """Return a contact as it is as a message."""
    message = contacts_pb2.ContactState(labels=state.labels, suppressed=state.suppressed)
    message.contact.CopyFrom(to_contact(Contact(state.id, state.fields)))
    for held in state.lists:
        message.lists.add(list=held.list, member=held.member, opted_out=held.opted_out)
    return message


def state(message: contacts_pb2.ContactState) -> ContactState:
    """Return a contact as it is."""
    return ContactState(
        message.contact.id,
        contact(message.contact).fields,
        tuple(message.labels),
        tuple(Membership(held.list, held.member, held.opted_out) for held in message.lists),
        message.suppressed,
    )


def set_value(message: common_pb2.FieldValue, value: Scalar) -> None:
    """Write a value into a message."""
    match value:
        case str():
            message.string = value
        case bool():
            message.boolean = value
        case int() | float():
            message.number = value
        case dt.datetime():
            message.time.CopyFrom(to_timestamp(micros_of(value)))
        case dt.date():
            message.date = value.isoformat()
        case list():
            message.list.values.extend(value)


def value_of(message: common_pb2.FieldValue) -> Scalar:
    """Return the value of a message; times in UTC."""
    match message.WhichOneof("kind"):
        case "string":
            return message.string
        case "boolean":
            return message.boolean
        case "number":
            return message.number
        case "time":
            return moment(message.time)
        case "date":
            return dt.date.fromisoformat(message.date)
        case "list":
            return list(message.list.values)
    raise ValueError("a field value of a kind that this client does not know")


# --- saved segments ---------------------------------------------------------------------------


def to_saved(
    definition: Definition, dependants: Sequence[str] = ()
) -> saved_segments_pb2.SavedSegment:
    """Return a saved segment as a message."""
    return saved_segments_pb2.SavedSegment(
        name=definition.name,
        text=definition.text,
        description=definition.description,
        tags=definition.tags,
        etag=definition.etag,
        created_at=to_timestamp(definition.created_at),
        updated_at=to_timestamp(definition.updated_at),
        dependants=dependants,
    )


def saved(
    message: saved_segments_pb2.SavedSegment, warnings: Iterable[common_pb2.Diagnostic] = ()
) -> SavedSegment:
    """Return the saved segment of a message."""
    return SavedSegment(
        name=message.name,
        text=message.text,
        description=message.description,
        tags=tuple(message.tags),
        etag=message.etag,
        created_at=moment(message.created_at),
        updated_at=moment(message.updated_at),
        dependants=tuple(message.dependants),
        warnings=tuple(map(warning, warnings)),
    )


# --- schema and size --------------------------------------------------------------------------


def to_schema(schema: Schema) -> schema_pb2.Schema:
    """Return a schema as a message, the built-in fields and events included."""
    return schema_pb2.Schema(
        id_column=schema.id_column,
        time_zone=schema.time_zone,
        fields=[_to_field(field) for field in schema.all_fields.values()],
        events=[
            schema_pb2.EventType(
                name=event.name,
                aliases=event.aliases,
                properties=[_to_field(field) for field in event.properties],
                builtin=event.builtin,
                keep_days=event.keep_days,
            )
            for event in schema.all_events.values()
        ],
        groups=[
            schema_pb2.EventGroup(name=name, events=members)
            for name, members in schema.groups.items()
        ],
        calculated=[
            schema_pb2.CalculatedField(name=name, expression=expression)
            for name, expression in schema.calculated.items()
        ],
        labels=schema.labels,
        lists=schema.lists,
    )


def schema(message: schema_pb2.Schema) -> Schema:
    """Return a schema."""
    fields = [_field(field) for field in message.fields if not field.builtin]
    return Schema(
        id_column=message.id_column,
        time_zone=message.time_zone,
        fields={field.name: field for field in fields},
        events={
            event.name: EventType(
                event.name,
                tuple(event.aliases),
                tuple(_field(p) for p in event.properties),
                keep_days=event.keep_days,
            )
            for event in message.events
            if not event.builtin
        },
        groups={group.name: tuple(group.events) for group in message.groups},
        calculated={field.name: field.expression for field in message.calculated},
        labels=tuple(message.labels),
        lists=tuple(message.lists),
    )


_TYPES = {
    schema_pb2.FIELD_TYPE_KEYWORD: FieldType.KEYWORD,
    schema_pb2.FIELD_TYPE_TEXT: FieldType.TEXT,
    schema_pb2.FIELD_TYPE_NUMBER: FieldType.NUMBER,
    schema_pb2.FIELD_TYPE_BOOLEAN: FieldType.BOOLEAN,
    schema_pb2.FIELD_TYPE_DATE: FieldType.DATE,
    schema_pb2.FIELD_TYPE_DATETIME: FieldType.DATETIME,
    schema_pb2.FIELD_TYPE_KEYWORDS: FieldType.KEYWORDS,
    schema_pb2.FIELD_TYPE_STAGE: FieldType.STAGE,
}
_TYPE_NUMBERS = {kind: number for number, kind in _TYPES.items()}


def _to_field(field: Field) -> schema_pb2.Field:
    return schema_pb2.Field(
        name=field.name,
        type=_TYPE_NUMBERS[field.type],
        case_sensitive=field.case_sensitive,
        fold_accents=field.fold_accents,
        values=field.values,
        builtin=field.builtin,
    )


def _field(message: schema_pb2.Field) -> Field:
    return Field(
        name=message.name,
        type=_TYPES[message.type],
        case_sensitive=message.case_sensitive,
        fold_accents=message.fold_accents,
        values=tuple(message.values),
        builtin=message.builtin,
    )


def to_counts(counts: Mapping[str, int]) -> list[admin_pb2.NamedCount]:
    """Return numbers by name as messages, in the same order."""
    return [admin_pb2.NamedCount(name=name, count=count) for name, count in counts.items()]


def stats(message: admin_pb2.StatsResponse) -> Stats:
    """Return the size of a workspace."""
    return Stats(
        contacts=message.contacts,
        blocks=message.blocks,
        events={named.name: named.count for named in message.events},
        bytes_by_kind={named.name: named.count for named in message.bytes_by_kind},
        bytes_by_index={named.name: named.count for named in message.bytes_by_index},
    )
