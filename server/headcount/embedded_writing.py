"""
The part of the embedded API that writes: contacts, events, consent.

The methods and the shapes of what they take are those of `headcount.client`; each returns when all
of it is on disk and visible to this workspace.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from headcount.answers import ContactState, WriteResult
from headcount.embedded_folder import Holding
from headcount.ingest.arrow import ArrowReader
from headcount.ingest.given import Object, contacts_of, events_of, mutation_of, several
from headcount.ingest.pending import Pending
from headcount.ingest.records import DeleteRecord, MergeRecord, Record, SuppressRecord
from headcount.ingest.requests import RequestReader
from headcount.live.commit import Batch, Written
from headcount.members import states
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.query.chosen import chosen
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.rpc.clock import now


class Writing(Holding):
    """Writes contacts, events and consent, and reads contacts by their ids."""

    @property
    def _engine(self) -> Engine:
        raise NotImplementedError

    def _context(
        self, as_of: dt.datetime | None, time_zone: str | None, timeout: float | None
    ) -> QueryContext:
        raise NotImplementedError

    def upsert(
        self,
        contacts: Iterable[Object],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make contacts or change them; what one does not name stays."""
        return self._records(contacts_of(contacts, "upsert"), request_id, timeout)

    def patch(
        self,
        contacts: Iterable[Object],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Change contacts there are; others are refused."""
        return self._records(contacts_of(contacts, "patch"), request_id, timeout)

    def delete(
        self,
        ids: Iterable[str],
        *,
        erase: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Delete contacts; with *erase* no byte of them is left after the next compaction."""
        records = [DeleteRecord(contact, erase) for contact in several(ids, "ids")]
        found = self._records(records, request_id, timeout)
        if erase and found.refused_count:
            named = (record.id for record in records if isinstance(record.id, str))
            self._caretaker().erase_gone([id_.encode(errors="ignore").decode() for id_ in named])
        return found

    def get(self, ids: Sequence[str], *, fields: Sequence[str] = ()) -> list[ContactState | None]:
        """Return the contact with each id, None where there is none; *fields* are all if empty."""
        engine = self._engine
        context = self._context(None, None, None)
        return states.read(engine.view, ids, chosen(engine, fields, context) if fields else None)

    def merge(
        self,
        pairs: Iterable[tuple[str, str]],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make one contact of each (source, target): the target stays, and gets what it lacks."""
        return self._records([MergeRecord(*pair) for pair in pairs], request_id, timeout)

    def suppress(
        self,
        ids: Iterable[str],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Put ids on the account's suppression list, contacts or not."""
        records = [SuppressRecord(contact, True) for contact in several(ids, "ids")]
        return self._records(records, request_id, timeout)

    def unsuppress(
        self,
        ids: Iterable[str],
        *,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Take ids off the account's suppression list."""
        records = [SuppressRecord(contact, False) for contact in several(ids, "ids")]
        return self._records(records, request_id, timeout)

    def record(
        self,
        events: Iterable[Object],
        *,
        create_contacts: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Record what contacts did; an event with an id counts once, however often it is sent."""
        return self._records(events_of(events, creates=create_contacts), request_id, timeout)

    def record_arrow(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        create_contacts: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Record events from the columns of an events file, several times as fast as `record`."""
        rows, at = _rows(table), now()

        def batch(schema: Schema) -> Batch:
            reader = ArrowReader(schema, at)
            return reader.events(rows, creates=create_contacts, request_id=request_id or "")

        return self._written(batch, timeout)

    def write_arrow(
        self,
        table: pa.Table | pa.RecordBatch,
        *,
        existing_only: bool = False,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> WriteResult:
        """Make or change contacts from columns: the id, fields, `add_labels`, `join`, ..."""
        rows, at = _rows(table), now()

        def batch(schema: Schema) -> Batch:
            reader = ArrowReader(schema, at)
            return reader.contacts(rows, creates=not existing_only, request_id=request_id or "")

        return self._written(batch, timeout)

    def write(
        self, mutations: Iterable[Object], *, batch: int = 1000, timeout: float | None = None
    ) -> Iterator[WriteResult]:
        """
        Write mutations of all kinds, and yield what became of each *batch* of them, in order.

        Each batch is taken at once. Refused mutations are numbered from the first of all.
        """
        records = (
            mutation_of(mutation, f"mutations[{place}]") for place, mutation in enumerate(mutations)
        )
        first = 0
        while held := list(itertools.islice(records, batch)):
            found = self._records(held, None, timeout)
            refused = (replace(one, index=one.index + first) for one in found.refused)
            yield replace(found, refused=tuple(refused))
            first += len(held)

    def _records(
        self, records: Iterable[Record], request_id: str | None, timeout: float | None
    ) -> WriteResult:
        held, at = list(records), now()

        def batch(schema: Schema) -> Batch:
            return RequestReader(schema).batch(held, at, request_id or "")

        return self._written(batch, timeout)

    def _written(self, make: Callable[[Schema], Batch], timeout: float | None) -> WriteResult:
        try:
            return result_of(Pending(self._writer(), make).result(timeout))
        except TimeoutError:
            raise UserError(
                Reason.DEADLINE_EXCEEDED,
                f"not written within {timeout:g} s; it may be yet: send it again with the same"
                " request_id",
            ) from None


def result_of(written: Written) -> WriteResult:
    """Return what became of a batch."""
    return WriteResult(
        accepted=written.accepted,
        refused_count=len({refusal.index for refusal in written.refused}),
        refused=written.refused,
        repeated=written.repeated,
        already=written.already,
        version=written.version,
    )


def _rows(table: pa.Table | pa.RecordBatch) -> pa.RecordBatch:
    """Return a table as one batch."""
    if isinstance(table, pa.RecordBatch):
        return table
    columns = [column.unify_dictionaries().combine_chunks() for column in table.itercolumns()]
    return pa.RecordBatch.from_arrays(columns, names=table.schema.names)
