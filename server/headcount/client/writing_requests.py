"""
The requests of `writing`: a part of `Requests`.

Every write has a request id, the caller's or a random one, so that it can be sent again when its
answer did not come: it counts once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

import pyarrow as pa
from google.protobuf.message import Message

from headcount.answers import ContactState, WriteResult
from headcount.index.view import Version
from headcount.ingest.given import (
    Object,
    contact_of,
    mutation_of,
    several,
)
from headcount.ingest.records import ContactRecord
from headcount.model.changes import Refusal
from headcount.model.errors import UserError
from headcount.rpc import convert, convert_writes
from headcount.v1 import common_pb2, contacts_pb2, events_pb2, writes_pb2

_BATCH_BYTES = 1 << 20  # of one message of a stream; servers take 4 MiB unless set otherwise


Sent = TypeVar("Sent", bound=Message)
Given = TypeVar("Given")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Kept:
    """
    Which records of a request were sent, by their numbers, and why the others were not.

    A value that no message can say, such as the text of no time, refuses its record here, as the
    server would: the others are sent.
    """

    numbers: Sequence[int]
    refused: tuple[Refusal, ...] = ()

    def whole(self, result: WriteResult) -> WriteResult:
        """Return what became of all records, from what became of those that were sent."""
        theirs = (replace(one, index=self.numbers[one.index]) for one in result.refused)
        return replace(
            result,
            refused_count=result.refused_count + len({one.index for one in self.refused}),
            refused=tuple(sorted((*theirs, *self.refused), key=lambda one: one.index)),
        )


ALL = Kept(())  # of a request of which everything is sent


@dataclass(frozen=True, slots=True)
class Partly(Generic[Sent]):
    """A request, and what of the records that it was made for it holds."""

    message: Sent
    kept: Kept


def _sendable(
    records: Iterable[Given], made: Callable[[Given, str], Made], what: str
) -> tuple[list[Made], Kept]:
    """Return the messages of *records*, and which they are of; *what* names them in errors."""
    messages: list[Made] = []
    numbers: list[int] = []
    refused: list[Refusal] = []
    for number, record in enumerate(records):
        place = f"{what}[{number}]"
        try:
            messages.append(made(record, place))
        except UserError as error:  # what no message can say, and a server would refuse by itself
            refused.append(_refusal(number, place, error))
        else:
            numbers.append(number)
    return messages, Kept(numbers, tuple(refused))


class WritingRequests:
    """Makes requests that write."""

    workspace: str

    def upsert(
        self, contacts: Iterable[Object], request_id: str | None
    ) -> Partly[contacts_pb2.ContactsUpsertRequest]:
        """Return the request to make or change contacts."""
        found, kept = _contacts(contacts, "upsert")
        request = contacts_pb2.ContactsUpsertRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            contacts=found,
        )
        return Partly(request, kept)

    def patch(
        self, contacts: Iterable[Object], request_id: str | None
    ) -> Partly[contacts_pb2.ContactsPatchRequest]:
        """Return the request to change contacts there are."""
        found, kept = _contacts(contacts, "patch")
        request = contacts_pb2.ContactsPatchRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            contacts=found,
        )
        return Partly(request, kept)

    def delete(
        self, ids: Iterable[str], request_id: str | None, *, erase: bool
    ) -> contacts_pb2.ContactsDeleteRequest:
        """Return the request to delete contacts."""
        return contacts_pb2.ContactsDeleteRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            ids=_ids(ids),
            erase=erase,
        )

    def merge(
        self, pairs: Iterable[tuple[str, str]], request_id: str | None
    ) -> contacts_pb2.ContactsMergeRequest:
        """Return the request to merge contacts."""
        return contacts_pb2.ContactsMergeRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            pairs=[
                contacts_pb2.ContactPair(
                    source=convert_writes.text(source, f"pairs[{place}].source"),
                    target=convert_writes.text(target, f"pairs[{place}].target"),
                )
                for place, (source, target) in enumerate(pairs)
            ],
        )

    def suppress(
        self, ids: Iterable[str], request_id: str | None
    ) -> contacts_pb2.ContactsSuppressRequest:
        """Return the request to put ids on the suppression list."""
        return contacts_pb2.ContactsSuppressRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            ids=_ids(ids),
        )

    def unsuppress(
        self, ids: Iterable[str], request_id: str | None
    ) -> contacts_pb2.ContactsUnsuppressRequest:
        """Return the request to take ids off the suppression list."""
        return contacts_pb2.ContactsUnsuppressRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            ids=_ids(ids),
        )

    def record(
        self, events: Iterable[Object], request_id: str | None, *, create_contacts: bool
    ) -> Partly[events_pb2.RecordRequest]:
        """Return the request to record events."""
        made = partial(convert_writes.given_event, creates=create_contacts)
        found, kept = _sendable(events, made, "events")
        request = events_pb2.RecordRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            events=found,
            create_contacts=create_contacts,
        )
        return Partly(request, kept)

    def record_arrow(
        self, table: pa.Table | pa.RecordBatch, request_id: str | None, *, create_contacts: bool
    ) -> events_pb2.RecordArrowRequest:
        """Return the request to record events from Arrow."""
        return events_pb2.RecordArrowRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            batches=stream_of(table),
            create_contacts=create_contacts,
        )

    def write_arrow(
        self, table: pa.Table | pa.RecordBatch, request_id: str | None, *, existing_only: bool
    ) -> contacts_pb2.ContactsWriteArrowRequest:
        """Return the request to make or change contacts from Arrow."""
        return contacts_pb2.ContactsWriteArrowRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            batches=stream_of(table),
            existing_only=existing_only,
        )

    def get(self, ids: Sequence[str], fields: Sequence[str]) -> contacts_pb2.ContactsGetRequest:
        """Return the request for contacts."""
        return contacts_pb2.ContactsGetRequest(
            workspace=self.workspace, ids=_ids(ids), fields=fields, min_version=self._version()
        )

    def states(
        self, ids: Sequence[str], message: contacts_pb2.ContactsGetResponse
    ) -> list[ContactState | None]:
        """Return the answer to `get`, in the order of *ids*."""
        self.saw(message.info.version)
        found = {state.contact.id: convert.state(state) for state in message.contacts}
        return [found.get(contact) for contact in ids]

    def written(self, message: writes_pb2.WriteResult, kept: Kept = ALL) -> WriteResult:
        """Return what became of a write, of which *kept* was sent."""
        self.saw(message.info.version)
        found = convert_writes.result(message)
        return found if kept is ALL else kept.whole(found)

    def batches(
        self, mutations: Iterable[Object], size: int
    ) -> Iterator[Partly[contacts_pb2.ContactsWriteRequest]]:
        """
        Yield *mutations* in messages of up to *size* of them, and about 1 MiB.

        They are numbered from the first of all.
        """
        held: list[contacts_pb2.Mutation] = []
        numbers: list[int] = []
        refused: list[Refusal] = []
        bytes_held = 0
        for number, mutation in enumerate(mutations):
            where = f"mutations[{number}]"
            record = mutation_of(mutation, where)
            try:
                message = convert_writes.to_mutation(record, where)
            except UserError as error:
                refused.append(_refusal(number, where, error))
            else:
                bytes_held += message.ByteSize()
                held.append(message)
                numbers.append(number)
            if len(held) + len(refused) == size or bytes_held >= _BATCH_BYTES:
                yield self._batch(held, Kept(numbers, tuple(refused)))
                held, numbers, refused, bytes_held = [], [], [], 0
        if held or refused:
            yield self._batch(held, Kept(numbers, tuple(refused)))

    def _batch(
        self, mutations: Sequence[contacts_pb2.Mutation], kept: Kept
    ) -> Partly[contacts_pb2.ContactsWriteRequest]:
        request = contacts_pb2.ContactsWriteRequest(
            workspace=self.workspace,
            request_id=_id(None),
            min_version=self._version(),
            mutations=mutations,
        )
        return Partly(request, kept)

    def _version(self) -> common_pb2.Version | None:
        raise NotImplementedError

    def saw(self, message: common_pb2.Version) -> Version:
        """Take note of the version that an answer names, and return it."""
        raise NotImplementedError


def _refusal(number: int, place: str, error: UserError) -> Refusal:
    """Return why a record is not sent, as its server would say it: with a field by its own name."""
    field = (error.field or "").removeprefix(f"{place}.")
    for inside in ("fields.", "properties."):
        field = field.removeprefix(inside)
    return Refusal(
        number, "lists" if field.startswith("lists.") else field, error.reason, error.message
    )


def _contacts(contacts: Iterable[Object], op: str) -> tuple[list[contacts_pb2.ContactChange], Kept]:
    return _sendable(_contacts_of(contacts, op), _contact, "contacts")


def _contacts_of(
    contacts: Iterable[Object], op: str
) -> Iterator[contacts_pb2.ContactChange | ContactRecord]:
    """Yield the message of each contact that is plain, and the record of each other one."""
    for number, contact in enumerate(contacts):
        plain = convert_writes.plain_contact(contact)
        yield contact_of(contact, op, number) if plain is None else plain


def _contact(
    given: contacts_pb2.ContactChange | ContactRecord, place: str
) -> contacts_pb2.ContactChange:
    return convert_writes.to_contact(given, place) if isinstance(given, ContactRecord) else given


def _ids(ids: Iterable[str]) -> list[str]:
    return [
        convert_writes.text(one, f"ids[{place}]") for place, one in enumerate(several(ids, "ids"))
    ]


def stream_of(table: pa.Table | pa.RecordBatch) -> bytes:
    """Return rows as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write(table)
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _id(given: str | None) -> str:
    return os.urandom(16).hex() if given is None else convert_writes.text(given, "request_id")
