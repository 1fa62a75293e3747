"""
Changes: what clients write, in the one form in which it is checked, logged and applied.

    gRPC messages, NDJSON, Arrow ─→ Changes ─→ log
                                       └─────→ the next view

Values are columns of typed Arrow, as the indexes take them, never a Python object a value: a batch
of a thousand events costs the log and the writer about what one event does. Contacts go by their
ids, because ordinals are the writer's own. Steps are applied in order; within one step a contact
may occur more than once, and what comes later counts.

`numbers` say which record of the client's request each row came from, so that a row that is refused
later (its contact does not exist) can be named. They are not stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache, cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.model.errors import Reason

Places = npt.NDArray[np.uint32]
Flags = npt.NDArray[np.bool_]
Instants = npt.NDArray[np.int64]


class ListAction(IntEnum):
    """What happens between a contact and a list. Stored: numbers never change their meaning."""

    JOIN = 0
    LEAVE = 1
    OPT_OUT = 2
    OPT_IN = 3


@dataclass(frozen=True, eq=False, slots=True)
class FieldUpdate:
    """New values of one field: contact `at[i]` of the step gets `values[i]`; null is missing."""

    at: Places
    values: pa.Array


@dataclass(frozen=True, eq=False, slots=True)
class SetUpdate:
    """Labels put on (`add`) and taken off contacts: contact `at[i]` and label `names[i]`."""

    at: Places
    names: pa.StringArray
    add: Flags


@dataclass(frozen=True, eq=False, slots=True)
class ListUpdate:
    """What happened between contacts and lists: `actions` uint8 (`ListAction`), `times` in µs."""

    at: Places
    names: pa.StringArray
    actions: npt.NDArray[np.uint8]
    times: Instants


NO_LABELS = SetUpdate(np.zeros(0, np.uint32), pa.array([], pa.string()), np.zeros(0, np.bool_))
NO_LISTS = ListUpdate(
    np.zeros(0, np.uint32),
    pa.array([], pa.string()),
    np.zeros(0, np.uint8),
    np.zeros(0, np.int64),
)


@dataclass(frozen=True, eq=False, slots=True)
class ContactStep:
    """
    Contacts made (`creates`, for ids that are not known) or changed; what is not named stays.

    `fields` is keyed by the declared name of a stored field, `id` aside. A value for `label`
    replaces all labels, before `labels` are put on and taken off.
    """

    numbers: Places
    ids: pa.StringArray
    creates: bool
    fields: Mapping[str, FieldUpdate] = field(default_factory=dict)
    labels: SetUpdate = NO_LABELS
    lists: ListUpdate = NO_LISTS


@dataclass(frozen=True, eq=False, slots=True)
class EventStep:
    """
    Events of one type (its declared name).

    `contacts` says whose; `table` has the columns `time` (timestamp[us, UTC], not null), `id`
    (string) and `property.<name>`; an absent one of the latter is all null. With `creates` an
    unknown id becomes a contact.
    """

    numbers: Places
    event: str
    contacts: pa.StringArray
    table: pa.Table
    creates: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class DeleteStep:
    """Contacts that are no more; with `erase` no byte of them is to stay on the disk."""

    numbers: Places
    ids: pa.StringArray
    erase: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class MergeStep:
    """
    Contacts that turn out to be one: what `sources[i]` has goes to `targets[i]`, in order.

    Values, labels, lists, events and suppression; where both have a value the target's stays.
    """

    numbers: Places
    sources: pa.StringArray
    targets: pa.StringArray


@dataclass(frozen=True, eq=False, slots=True)
class SuppressStep:
    """Ids put on (`add`) or taken off the account's suppression list, contacts or not."""

    numbers: Places
    ids: pa.StringArray
    add: Flags


@dataclass(frozen=True, eq=False, slots=True)
class ExpireStep:
    """The events of one type from before an instant (µs) are no more."""

    event: str
    before: int


@dataclass(frozen=True, eq=False, slots=True)
class SchemaStep:
    """
    A new schema, as the text of a schema file; columns are kept by name.

    `fields` and `events` map a new name to the one it had; `properties` maps (event's new name,
    property's new name) likewise. What the new schema does not name is dropped.
    """

    toml: str
    fields: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[tuple[str, str], str] = field(default_factory=dict)


Step = ContactStep | EventStep | DeleteStep | MergeStep | SuppressStep | ExpireStep | SchemaStep


_HEADS = json.JSONEncoder(separators=(",", ":"))
_OPTIONS = pa.ipc.IpcWriteOptions()
_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of an Arrow IPC stream

FOUND = ", found `"  # begins the part of a message that repeats a value


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one record of a request was not taken: `index` counts from 0, `field` may be empty."""

    index: int
    field: str
    reason: Reason
    message: str


@dataclass(frozen=True, eq=False)
class Changes:
    """What one request changes, in order."""

    steps: tuple[Step, ...]

    @cached_property
    def records(self) -> int:
        """How many contacts and events are written, made or removed."""
        return sum(map(_records, self.steps))

    def encode(self) -> bytes:
        """
        Return the changes as bytes: a JSON head, and one Arrow IPC stream for each table.

            uint32 length of the head | head | streams, whose lengths the head gives
        """
        heads, blobs = [], []
        for step in self.steps:
            head, tables = _encode(step)
            streams = [each if isinstance(each, bytes) else _to_stream(each) for each in tables]
            heads.append({**head, "streams": [len(stream) for stream in streams]})
            blobs += streams
        head_bytes = _HEADS.encode(heads).encode()
        return b"".join([len(head_bytes).to_bytes(4, "little"), head_bytes, *blobs])

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Changes:
        """
        Return the changes that `encode` wrote; `numbers` are all 0.

        Raises:
            ValueError: *data* are no such bytes.
        """
        view = memoryview(data)
        at = 4 + int.from_bytes(view[:4], "little")
        try:
            heads = json.loads(bytes(view[4:at]))
        except UnicodeDecodeError as error:
            raise ValueError(str(error)) from error
        steps = []
        for head in heads:
            streams = []
            for length in head["streams"]:
                streams.append(view[at : at + length])
                at += length
            steps.append(_decode(head, streams))
        if at != len(view):
            raise ValueError(f"expected {at} bytes, found {len(view)}")
        return cls(tuple(steps))


def _records(step: Step) -> int:
    match step:
        case ContactStep() | DeleteStep() | SuppressStep():
            return len(step.ids)
        case EventStep():
            return len(step.contacts)
        case MergeStep():
            return len(step.sources)
    return 1


def _encode(step: Step) -> tuple[dict[str, Any], list[pa.Table | pa.RecordBatch | bytes]]:
    match step:
        case ContactStep():
            whole, sparse, names, columns = list[str](), list[str](), ["id"], [step.ids]
            tables: list[pa.Table | pa.RecordBatch | bytes] = []
            for name, update in step.fields.items():
                if len(update.values) == len(step.ids):
                    whole.append(name)
                    names.append(f"={name}")
                    columns.append(update.values)
                else:
                    sparse.append(name)
                    tables.append(_pairs(update.at, value=update.values))
            head = {"step": "contacts", "creates": step.creates, "sparse": sparse, "whole": whole}
            tables.insert(0, pa.RecordBatch.from_arrays(columns, names=names))
            tables.append(_labels(step.labels) if len(step.labels.at) else _no_labels())
            tables.append(_lists(step.lists) if len(step.lists.at) else _no_lists())
            return head, tables
        case EventStep():
            table = step.table.append_column("contact", step.contacts)
            return {"step": "events", "event": step.event, "creates": step.creates}, [table]
        case DeleteStep():
            return {"step": "delete", "erase": step.erase}, [pa.table({"id": step.ids})]
        case MergeStep():
            pairs = {"source": step.sources, "target": step.targets}
            return {"step": "merge"}, [pa.table(pairs)]
        case SuppressStep():
            return {"step": "suppress"}, [pa.table({"id": step.ids, "add": pa.array(step.add)})]
        case ExpireStep():
            return {"step": "expire", "event": step.event, "before": step.before}, []
        case SchemaStep():
            properties = [[*new, old] for new, old in step.properties.items()]
            head = {"step": "schema", "toml": step.toml, "fields": dict(step.fields)}
            return {**head, "events": dict(step.events), "properties": properties}, []
    raise AssertionError(step)


def _decode(head: Mapping[str, Any], streams: Sequence[memoryview]) -> Step:
    if head["step"] == "contacts":
        return _contacts(head, streams)
    tables = [_from_stream(stream) for stream in streams]
    match head["step"]:
        case "events":
            table = tables[0]
            contacts = _column(table, "contact")
            rest = table.drop_columns(["contact"])
            return EventStep(_zeros(contacts), head["event"], contacts, rest, head["creates"])
        case "delete":
            ids = _column(tables[0], "id")
            return DeleteStep(_zeros(ids), ids, head["erase"])
        case "merge":
            sources, targets = (_column(tables[0], name) for name in ("source", "target"))
            return MergeStep(_zeros(sources), sources, targets)
        case "suppress":
            ids = _column(tables[0], "id")
            return SuppressStep(_zeros(ids), ids, _numpy(tables[0], "add"))
        case "expire":
            return ExpireStep(head["event"], head["before"])
        case "schema":
            properties = {(event, new): old for event, new, old in head["properties"]}
            return SchemaStep(head["toml"], head["fields"], head["events"], properties)
    raise ValueError(f"there is no step `{head['step']}`")


def _contacts(head: Mapping[str, Any], streams: Sequence[memoryview]) -> ContactStep:
    first = _from_stream(streams[0])
    ids = _column(first, "id")
    every = np.arange(len(ids), dtype=np.uint32)
    fields = {name: FieldUpdate(every, _column(first, f"={name}")) for name in head["whole"]}
    for name, stream in zip(head["sparse"], streams[1:-2], strict=True):
        pairs = _from_stream(stream)
        fields[name] = FieldUpdate(_numpy(pairs, "at"), _column(pairs, "value"))
    labels, lists = NO_LABELS, NO_LISTS
    if streams[-2] != _no_labels():
        found = _from_stream(streams[-2])
        labels = SetUpdate(_numpy(found, "at"), _column(found, "name"), _numpy(found, "add"))
    if streams[-1] != _no_lists():
        found = _from_stream(streams[-1])
        lists = ListUpdate(
            _numpy(found, "at"),
            _column(found, "name"),
            _numpy(found, "action"),
            _numpy(found, "time"),
        )
    return ContactStep(
        numbers=_zeros(ids),
        ids=ids,
        creates=head["creates"],
        fields=fields,
        labels=labels,
        lists=lists,
    )


def _labels(update: SetUpdate) -> pa.Table:
    return _pairs(update.at, name=update.names, add=update.add)


def _lists(update: ListUpdate) -> pa.Table:
    return _pairs(update.at, name=update.names, action=update.actions, time=update.times)


@cache
def _no_labels() -> bytes:
    """Return what most steps have, and what none has to read."""
    return _to_stream(_labels(NO_LABELS))


@cache
def _no_lists() -> bytes:
    return _to_stream(_lists(NO_LISTS))


def _pairs(at: Places, **columns: Any) -> pa.Table:
    return pa.table({"at": at, **columns})


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _numpy(table: pa.Table, name: str) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = _column(table, name).to_numpy(zero_copy_only=False)
    return found


def _zeros(ids: pa.StringArray) -> Places:
    return np.zeros(len(ids), dtype=np.uint32)


def _to_stream(table: pa.Table | pa.RecordBatch) -> bytes:
    """
    Return rows as an Arrow IPC stream.

    Of one batch in its parts (schema, batch, end), as the Arrow format gives them: 5 µs for one row
    where a writer takes 8.
    """
    if isinstance(table, pa.RecordBatch):
        head, body = table.schema.serialize(), table.serialize()
        return b"".join((head.to_pybytes(), body.to_pybytes(), _END))
    sink = pa.BufferOutputStream()
    with pa.RecordBatchStreamWriter(sink, table.schema, options=_OPTIONS) as writer:
        writer.write(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _from_stream(data: memoryview) -> pa.Table:
    try:
        return pa.ipc.open_stream(data).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise ValueError(str(error)) from error
