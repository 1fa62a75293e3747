"""
The part of the client that writes: contacts, events, consent.

Contacts, events and mutations are mappings in the shape of the NDJSON that `headcount write` reads
(`docs/files.md`), with Python's own dates and times where JSON has text.

    hc.upsert([{"id": "c1", "fields": {"country": "DE"}, "add_labels": ["vip"]}])
    hc.record([{"contact": "c1", "type": "purchase", "time": now, "properties": {"amount": 5}}])

Each returns when all of it is on disk and visible. A record that cannot be taken is in `refused`;
the others are taken.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any

import grpc
import pyarrow as pa

from headcount.answers import ContactState, WriteResult
from headcount.client import methods
from headcount.client.calls import Calls
from headcount.client.errors import ServerError, UnavailableError, error_of
from headcount.client.writing_requests import Partly
from headcount.ingest.given import Object
from headcount.model.errors import HeadcountError, Reason, UserError
from headcount.v1 import contacts_pb2 as pb

IN_FLIGHT = 16  # messages of a stream that are not answered yet
ATTEMPTS = 8  # to go on with a stream that broke, in a row: 25 s, a server that starts again
PAUSE_SECONDS = 0.2  # before the second of them; twice as long before each that follows


class Writing(Calls):
    """Writes contacts, events and consent, and reads contacts by their ids."""

    _channel: grpc.Channel
    _metadata: tuple[tuple[str, str], ...]
    _target: str

    def upsert(
        self,
        contacts: Iterable[Object],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make contacts or change them; what one does not name stays."""
        request = self._requests.upsert(contacts, request_id)
        return self._requests.written(
            self._call(methods.UPSERT, request.message, timeout).result, request.kept
        )

    def patch(
        self,
        contacts: Iterable[Object],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Change contacts there are; others are refused."""
        request = self._requests.patch(contacts, request_id)
        return self._requests.written(
            self._call(methods.PATCH, request.message, timeout).result, request.kept
        )

    def delete(
        self,
        ids: Iterable[str],
        *,
        erase: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Delete contacts; with *erase* no byte of them is left after the next compaction."""
        request = self._requests.delete(ids, request_id, erase=erase)
        return self._requests.written(self._call(methods.DELETE, request, timeout).result)

    def get(
        self, ids: Sequence[str], *, fields: Sequence[str] = (), timeout: float | None = None
    ) -> list[ContactState | None]:
        """Return the contact with each id, None where there is none; *fields* are all if empty."""
        answer = self._call(methods.GET, self._requests.get(ids, fields), timeout)
        return self._requests.states(ids, answer)

    def merge(
        self,
        pairs: Iterable[tuple[str, str]],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make one contact of each (source, target): the target stays, and gets what it lacks."""
        request = self._requests.merge(pairs, request_id)
        return self._requests.written(self._call(methods.MERGE, request, timeout).result)

    def suppress(
        self,
        ids: Iterable[str],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Put ids on the account's suppression list, contacts or not."""
        request = self._requests.suppress(ids, request_id)
        return self._requests.written(self._call(methods.SUPPRESS, request, timeout).result)

    def unsuppress(
        self,
        ids: Iterable[str],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Take ids off the account's suppression list."""
        request = self._requests.unsuppress(ids, request_id)
        return self._requests.written(self._call(methods.UNSUPPRESS, request, timeout).result)

    def record(
        self,
        events: Iterable[Object],
        *,
        create_contacts: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Record what contacts did; an event with an id counts once, however often it is sent."""
        request = self._requests.record(events, request_id, create_contacts=create_contacts)
        return self._requests.written(
            self._call(methods.RECORD, request.message, timeout).result, request.kept
        )

    def record_arrow(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        create_contacts: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Record events from the columns of an events file, several times as fast as `record`."""
        request = self._requests.record_arrow(table, request_id, create_contacts=create_contacts)
        return self._requests.written(self._call(methods.RECORD_ARROW, request, timeout).result)

    def write_arrow(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        existing_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make or change contacts from columns: the id, fields, `add_labels`, `join`, ..."""
        request = self._requests.write_arrow(table, request_id, existing_only=existing_only)
        return self._requests.written(self._call(methods.WRITE_ARROW, request, timeout).result)

    def write(
        self, mutations: Iterable[Object], *, batch: int = 1000, timeout: float | None = None
    ) -> Iterator[WriteResult]:
        """
        Write mutations of all kinds, and yield what became of each *batch* of them, in order.

        Each batch is taken at once; up to 16 are under way. What was answered is yielded before
        more mutations are asked for. Refused mutations are numbered from the first of all. When the
        connection breaks, what was not answered is sent again, and counts once.
        """
        batches = self._requests.batches(mutations, batch)
        unanswered: deque[Partly[pb.ContactsWriteRequest]] = deque()
        more, failures = True, 0
        while more or unanswered:
            feed: queue.SimpleQueue[pb.ContactsWriteRequest | None] = queue.SimpleQueue()
            for message in unanswered:
                feed.put(message.message)
            if not more:
                feed.put(None)
            stream = self._open(feed, timeout)
            answers = _Answers(stream)
            try:
                while True:
                    while more and len(unanswered) < IN_FLIGHT and not answers.ready():
                        following = next(batches, None)
                        more = following is not None
                        # None ends the requests
                        feed.put(None if following is None else following.message)
                        if following is not None:
                            unanswered.append(following)
                    answer = answers.next()
                    if answer is None:
                        ended(unanswered)
                        break
                    failures = 0
                    yield self._requests.written(answer.result, unanswered.popleft().kept)
            except grpc.RpcError as failed:
                error = error_of(failed, self._target)
                failures += 1
                if failures == ATTEMPTS or not again(error):
                    raise error from None
                time.sleep(PAUSE_SECONDS * 2 ** (failures - 1))
            finally:
                feed.put(None)
                stream.cancel()  # for a caller who stops early; nothing once it has ended

    def _open(
        self, feed: queue.SimpleQueue[pb.ContactsWriteRequest | None], timeout: float | None
    ) -> Any:
        open_stream = self._channel.stream_stream(
            methods.WRITE.path,
            request_serializer=methods.WRITE.request.SerializeToString,
            response_deserializer=methods.WRITE.answer.FromString,
        )
        return open_stream(iter(feed.get, None), timeout=timeout, metadata=self._metadata)


class _Answers:
    """The answers of a stream, read by a thread of their own until it ends, however it does."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._read: queue.SimpleQueue[pb.ContactsWriteResponse | grpc.RpcError | None]
        self._read = queue.SimpleQueue()
        threading.Thread(target=self._run, name="headcount-write-answers", daemon=True).start()

    def ready(self) -> bool:
        """Return whether `next` returns at once."""
        return not self._read.empty()

    def next(self) -> pb.ContactsWriteResponse | None:
        """
        Return the next answer once it comes, None at the end.

        Raises:
            grpc.RpcError: the stream broke.
        """
        found = self._read.get()
        if isinstance(found, grpc.RpcError):
            raise found
        return found

    def _run(self) -> None:
        try:
            for answer in self._stream:
                self._read.put(answer)
        except grpc.RpcError as failed:
            self._read.put(failed)
        else:
            self._read.put(None)


def again(error: HeadcountError) -> bool:
    """Return whether a stream that broke with *error* may go on."""
    if isinstance(error, UserError):
        return error.reason is Reason.OVERLOADED
    return isinstance(error, UnavailableError)


def ended(unanswered: Sized) -> None:
    """Return if a stream that has ended well has answered everything, as it must."""
    if unanswered:
        raise ServerError("UNKNOWN", "the server ended the stream before it had answered")
