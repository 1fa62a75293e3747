"""
Writes: from records of a request to a batch that a workspace's writer has taken.

The first half of every handler that writes. A write whose deadline passes while it waits for the
disk may have happened: only its `request_id` can tell, by being sent again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import pyarrow as pa

from headcount.ingest.arrow import ArrowReader
from headcount.ingest.arrow_stream import read_stream
from headcount.ingest.events import EventColumns
from headcount.ingest.pending import Pending
from headcount.ingest.records import Record
from headcount.ingest.requests import RequestReader
from headcount.live.commit import Batch
from headcount.load.cells import MAX_ID_BYTES
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.rpc import convert, convert_writes
from headcount.rpc.call import Call
from headcount.rpc.config import WriteSettings
from headcount.rpc.questions import Request
from headcount.rpc.workspaces import Workspaces
from headcount.v1 import writes_pb2


class WriteRequest(Request, Protocol):
    """What every request message of a write has."""

    request_id: str


@dataclass(slots=True)
class Submitted:
    """A batch that the writer has taken; `result` waits for it. For one thread."""

    pending: Pending
    call: Call
    now: int
    listed: int
    started: float  # on the monotonic clock

    def result(self, seconds: float) -> writes_pb2.WriteResult:
        """
        Return what became of the batch, within *seconds*.

        Raises:
            UserError: DEADLINE_EXCEEDED; whether it was written is not known.
        """
        try:
            written = self.pending.result(max(0.0, seconds))
        except TimeoutError:
            raise UserError(
                Reason.DEADLINE_EXCEEDED,
                "the time for this call is over, and what it writes may be written yet; send it"
                " again with the same request_id",
            ) from None
        zone = self.pending.writer.view.schema.time_zone
        elapsed = time.monotonic() - self.started
        info = convert.to_info(self.now, zone, written.version, elapsed)
        result = convert_writes.to_result(written, info, self.listed)
        notes = self.call.notes
        notes["accepted"] = notes.get("accepted", 0) + result.accepted
        notes["refused"] = notes.get("refused", 0) + result.refused_count
        return result


class Writes:
    """Turns requests into batches, and hands them to writers. Any thread may use it."""

    def __init__(
        self, workspaces: Workspaces, settings: WriteSettings, clock: Callable[[], int]
    ) -> None:
        self._workspaces = workspaces
        self._settings = settings
        self._clock = clock  # µs since 1970 UTC
        self._readers: dict[str, RequestReader] = {}  # by workspace; made anew for another schema

    def records(
        self, request: WriteRequest, call: Call, count: int, records: Callable[[], Iterable[Record]]
    ) -> Submitted:
        """
        Hand over *count* records; *records* may be called again.

        Raises:
            UserError: too many of them, a workspace or a version that is not there, a request id
                that is too long, or a writer that has no room.
        """
        self._check(count)

        def batch(now: int, schema: Schema) -> Batch:
            reader = self._reader(request.workspace, schema)
            return reader.batch(records(), now, request.request_id)

        return self._submit(request, call, batch)

    def erase_gone(self, workspace: str, contacts: Sequence[str]) -> None:
        """Take ids to be erased, which maybe no contact has any more, out of what watches keep."""
        self._workspaces.caretaker(workspace).erase_gone(contacts)

    def recorded(
        self, request: WriteRequest, call: Call, count: int, events: Callable[[], EventColumns]
    ) -> Submitted:
        """Hand over *count* events; raises as `records` does."""
        self._check(count)

        def batch(_now: int, schema: Schema) -> Batch:
            reader = self._reader(request.workspace, schema)
            return reader.recorded(events(), request.request_id)

        return self._submit(request, call, batch)

    def contacts(
        self, request: WriteRequest, call: Call, batches: bytes, *, creates: bool
    ) -> Submitted:
        """Hand over contacts as an Arrow IPC stream; raises as `records` does."""

        def batch(now: int, schema: Schema) -> Batch:
            rows = self._rows(batches)
            reader = ArrowReader(schema, now)
            return reader.contacts(rows, creates=creates, request_id=request.request_id)

        return self._submit(request, call, batch)

    def events(
        self, request: WriteRequest, call: Call, batches: bytes, *, creates: bool
    ) -> Submitted:
        """Hand over events as an Arrow IPC stream; raises as `records` does."""

        def batch(now: int, schema: Schema) -> Batch:
            rows = self._rows(batches)
            reader = ArrowReader(schema, now)
            return reader.events(rows, creates=creates, request_id=request.request_id)

        return self._submit(request, call, batch)

    def _rows(self, batches: bytes) -> pa.RecordBatch:
        """Return the rows of an Arrow IPC stream, and give way to queries before and after."""
        give_way = self._workspaces.courtesy.begin()
        give_way()
        rows = read_stream(batches, self._settings.records)
        give_way()
        return rows

    def _check(self, count: int) -> None:
        if count > self._settings.records:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"expected at most {self._settings.records:,} records in one request, found"
                f" {count:,}; send several",
            )

    def _reader(self, workspace: str, schema: Schema) -> RequestReader:
        """Return what reads the records of a workspace that there is."""
        found = self._readers.get(workspace)
        if found is None or found.schema is not schema:
            found = self._readers[workspace] = RequestReader(schema)
        return found

    def _submit(
        self, request: WriteRequest, call: Call, batch: Callable[[int, Schema], Batch]
    ) -> Submitted:
        seen = request.min_version if request.HasField("min_version") else None
        writer = self._workspaces.writer(
            request.workspace, None if seen is None else convert.version(seen)
        )
        if len(request.request_id.encode()) > MAX_ID_BYTES:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"expected at most {MAX_ID_BYTES} bytes",
                field="request_id",
            )
        now, started = self._clock(), time.monotonic()
        pending = Pending(writer, partial(batch, now))
        return Submitted(pending, call, now, self._settings.refusals, started)
