"""
The requests of `writing`: a part of `Requests`.

Every write has a request id, the caller's or a random one, so that it can be sent again when its
answer did not come: it counts once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from headcount.answers import ContactState, WriteResult
from headcount.ingest.given import Object, contacts_of, events_of, mutation_of, several
from headcount.rpc import convert, convert_writes
from headcount.v1 import common_pb2, contacts_pb2, events_pb2, writes_pb2

_BATCH_BYTES = 1 << 20  # of one message of a stream; servers take 4 MiB unless set otherwise


class WritingRequests:
    """Makes requests that write."""

    workspace: str

    def upsert(
        self, contacts: Iterable[Object], request_id: str | None
    ) -> contacts_pb2.ContactsUpsertRequest:
        """Return the request to make or change contacts."""
        return contacts_pb2.ContactsUpsertRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            contacts=_contacts(contacts, "upsert"),
        )

    def patch(
        self, contacts: Iterable[Object], request_id: str | None
    ) -> contacts_pb2.ContactsPatchRequest:
        """Return the request to change contacts there are."""
        return contacts_pb2.ContactsPatchRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            contacts=_contacts(contacts, "patch"),
        )

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
    ) -> events_pb2.RecordRequest:
        """Return the request to record events."""
        return events_pb2.RecordRequest(
            workspace=self.workspace,
            request_id=_id(request_id),
            min_version=self._version(),
            events=[
                convert_writes.to_event(event, f"events[{place}]")
                for place, event in enumerate(events_of(events, creates=create_contacts))
            ],
            create_contacts=create_contacts,
        )

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
        self.info(message.info)
        found = {state.contact.id: convert.state(state) for state in message.contacts}
        return [found.get(contact) for contact in ids]

    def written(self, message: writes_pb2.WriteResult, first: int = 0) -> WriteResult:
        """Return what became of a write whose records are numbered from *first*."""
        self.info(message.info)
        return convert_writes.result(message, first)

    def batches(
        self, mutations: Iterable[Object], size: int
    ) -> Iterator[contacts_pb2.ContactsWriteRequest]:
        """Yield *mutations* in messages of up to *size* of them, and about 1 MiB."""
        held: list[contacts_pb2.Mutation] = []
        bytes_held = 0
        for place, mutation in enumerate(mutations):
            where = f"mutations[{place}]"
            message = convert_writes.to_mutation(mutation_of(mutation, where), where)
            bytes_held += message.ByteSize()
            held.append(message)
            if len(held) == size or bytes_held >= _BATCH_BYTES:
                yield self._batch(held)
                held, bytes_held = [], 0
        if held:
            yield self._batch(held)

    def _batch(
        self, mutations: Sequence[contacts_pb2.Mutation]
    ) -> contacts_pb2.ContactsWriteRequest:
        return contacts_pb2.ContactsWriteRequest(
            workspace=self.workspace,
            request_id=_id(None),
            min_version=self._version(),
            mutations=mutations,
        )

    def _version(self) -> common_pb2.Version | None:
        raise NotImplementedError

    def info(self, message: common_pb2.AnswerInfo) -> object:
        """Take note of the version that an answer names."""
        raise NotImplementedError


def _contacts(contacts: Iterable[Object], op: str) -> list[contacts_pb2.ContactChange]:
    records = contacts_of(contacts, op)
    return [
        convert_writes.to_contact(record, f"contacts[{place}]")
        for place, record in enumerate(records)
    ]


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
    return uuid.uuid4().hex if given is None else convert_writes.text(given, "request_id")
