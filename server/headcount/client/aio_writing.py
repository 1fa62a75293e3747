"""The part of the asyncio client that writes; see `writing` for the shapes of what it takes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import grpc
import pyarrow as pa

from headcount.answers import ContactState, WriteResult
from headcount.client import methods
from headcount.client.calls import AsyncCalls
from headcount.client.errors import UnavailableError, error_of
from headcount.client.writing import ATTEMPTS, IN_FLIGHT, PAUSE_SECONDS, again, ended
from headcount.client.writing_requests import Partly
from headcount.ingest.given import Object
from headcount.model.errors import HeadcountError
from headcount.v1 import contacts_pb2 as pb

_WRITTEN_TOO_LATE = "Internal error from Core"  # as grpc.aio says it


class AsyncWriting(AsyncCalls):
    """Writes contacts, events and consent, and reads contacts by their ids."""

    _metadata: tuple[tuple[str, str], ...]
    _target: str

    async def upsert(
        self,
        contacts: Iterable[Object],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make contacts or change them; what one does not name stays."""
        request = self._requests.upsert(contacts, request_id)
        answer = await self._call(methods.UPSERT, request.message, timeout)
        return self._requests.written(answer.result, request.kept)

    async def patch(
        self,
        contacts: Iterable[Object],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Change contacts there are; others are refused."""
        request = self._requests.patch(contacts, request_id)
        answer = await self._call(methods.PATCH, request.message, timeout)
        return self._requests.written(answer.result, request.kept)

    async def delete(
        self,
        ids: Iterable[str],
        *,
        erase: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Delete contacts; with *erase* no byte of them is left after the next compaction."""
        request = self._requests.delete(ids, request_id, erase=erase)
        answer = await self._call(methods.DELETE, request, timeout)
        return self._requests.written(answer.result)

    async def get(
        self, ids: Sequence[str], *, fields: Sequence[str] = (), timeout: float | None = None
    ) -> list[ContactState | None]:
        """Return the contact with each id, None where there is none; *fields* are all if empty."""
        answer = await self._call(methods.GET, self._requests.get(ids, fields), timeout)
        return self._requests.states(ids, answer)

    async def merge(
        self,
        pairs: Iterable[tuple[str, str]],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make one contact of each (source, target): the target stays, and gets what it lacks."""
        request = self._requests.merge(pairs, request_id)
        answer = await self._call(methods.MERGE, request, timeout)
        return self._requests.written(answer.result)

    async def suppress(
        self,
        ids: Iterable[str],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Put ids on the account's suppression list, contacts or not."""
        request = self._requests.suppress(ids, request_id)
        answer = await self._call(methods.SUPPRESS, request, timeout)
        return self._requests.written(answer.result)

    async def unsuppress(
        self,
        ids: Iterable[str],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Take ids off the account's suppression list."""
        request = self._requests.unsuppress(ids, request_id)
        answer = await self._call(methods.UNSUPPRESS, request, timeout)
        return self._requests.written(answer.result)

    async def record(
        self,
        events: Iterable[Object],
        *,
        create_contacts: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Record what contacts did; an event with an id counts once, however often it is sent."""
        request = self._requests.record(events, request_id, create_contacts=create_contacts)
        answer = await self._call(methods.RECORD, request.message, timeout)
        return self._requests.written(answer.result, request.kept)

    async def record_arrow(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        create_contacts: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Record events from the columns of an events file, several times as fast as `record`."""
        request = self._requests.record_arrow(table, request_id, create_contacts=create_contacts)
        answer = await self._call(methods.RECORD_ARROW, request, timeout)
        return self._requests.written(answer.result)

    async def write_arrow(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        existing_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make or change contacts from columns: the id, fields, `add_labels`, `join`, ..."""
        request = self._requests.write_arrow(table, request_id, existing_only=existing_only)
        answer = await self._call(methods.WRITE_ARROW, request, timeout)
        return self._requests.written(answer.result)

    async def write(
        self, mutations: Iterable[Object], *, batch: int = 1000, timeout: float | None = None
    ) -> AsyncIterator[WriteResult]:
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
            stream = self._open_write(timeout)
            reading = _begun(stream)
            try:
                for message in tuple(unanswered):
                    await stream.write(message.message)
                if not more:
                    await stream.done_writing()
                while True:
                    while more and len(unanswered) < IN_FLIGHT and not reading.done():
                        following = next(batches, None)
                        if following is None:
                            more = False
                            await stream.done_writing()
                        else:
                            unanswered.append(following)
                            await stream.write(following.message)
                            await asyncio.sleep(0)  # in which an answer may come
                    answer = await reading
                    if answer == grpc.aio.EOF:
                        ended(unanswered)
                        break
                    reading = _begun(stream)
                    failures = 0
                    yield self._requests.written(answer.result, unanswered.popleft().kept)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as failed:
                error = await self._failure(stream, reading, failed)
                failures += 1
                if failures == ATTEMPTS or not again(error):
                    raise error from None
                await asyncio.sleep(PAUSE_SECONDS * 2 ** (failures - 1))
            finally:
                stream.cancel()  # for a caller who stops early; nothing once it has ended
                reading.cancel()

    def _open_write(self, timeout: float | None) -> Any:
        open_stream = self._open().stream_stream(
            methods.WRITE.path,
            request_serializer=methods.WRITE.request.SerializeToString,
            response_deserializer=methods.WRITE.answer.FromString,
        )
        return open_stream(timeout=timeout, metadata=self._metadata)

    def _open(self) -> grpc.aio.Channel:
        raise NotImplementedError

    async def _failure(
        self, stream: Any, reading: asyncio.Future[Any], failed: Exception
    ) -> HeadcountError:
        """
        Return how a stream ended.

        Writing to one that has just ended says only that it did: as a wrong state, or as an
        internal error that takes the place of the status.
        """
        if isinstance(failed, grpc.aio.AioRpcError):
            if failed.details() != _WRITTEN_TOO_LATE:
                return error_of(failed, self._target)
        else:
            try:
                answer = await reading
                while answer != grpc.aio.EOF:
                    answer = await stream.read()
            except grpc.aio.AioRpcError as actual:
                return error_of(actual, self._target)
        return UnavailableError("CANCELLED", "the stream ended before its answers came")


def _begun(stream: Any) -> asyncio.Future[Any]:
    """Return the next answer of a stream to come; nobody need look at how it fails."""
    reading: asyncio.Future[Any] = asyncio.ensure_future(stream.read())
    reading.add_done_callback(lambda done: done.cancelled() or done.exception())
    return reading
