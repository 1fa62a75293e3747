"""
Requests: the records of one request, grouped into few steps that mean the same as all in order.

A step costs the writer about the same for one record as for a thousand, and clients mix kinds (a
contact, its events, the next contact). So records are put together by kind, in the order of
`Phase`, as long as that makes no difference: as soon as a record names a contact that an earlier
one of a later phase has named, what is gathered becomes steps, and gathering starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount.ingest.contacts import ContactReader
from headcount.ingest.events import EventColumns, EventReader
from headcount.ingest.records import (
    ContactRecord,
    DeleteRecord,
    EventRecord,
    MergeRecord,
    NoRecord,
    Phase,
    Record,
    SuppressRecord,
)
from headcount.ingest.screen import Screen
from headcount.ingest.values import column_of
from headcount.live.commit import Batch
from headcount.load import coerce
from headcount.model.changes import (
    Changes,
    DeleteStep,
    MergeStep,
    Places,
    Refusal,
    Step,
    SuppressStep,
)
from headcount.model.errors import Reason
from headcount.model.schema import FieldType, Schema
from headcount.model.time_zone import time_zone

Other = DeleteRecord | MergeRecord | SuppressRecord


class RequestReader:
    """Turns the records of requests into batches for the writer. Any thread may use it."""

    def __init__(self, schema: Schema) -> None:
        zone = time_zone(schema.time_zone)
        self.schema = schema
        self.contacts = ContactReader(schema, zone)
        self.events = EventReader(schema, zone)

    def batch(self, records: Iterable[Record], now: int, request_id: str = "") -> Batch:
        """
        Return what *records* change, and which of them are refused; they are numbered from 0.

        The request came in *now* (µs).
        """
        steps: list[Step] = []
        refused: list[Refusal] = []
        group = _Group()
        for number, record in enumerate(records):
            if isinstance(record, NoRecord):
                refused.append(Refusal(number, record.field, Reason.INVALID_VALUE, record.message))
            elif not group.add(number, record):
                self._settle(group, now, steps, refused)
                group = _Group()
                group.add(number, record)
        self._settle(group, now, steps, refused)
        refused.sort(key=lambda refusal: refusal.index)
        return Batch(Changes(tuple(steps)), request_id, tuple(refused), self.schema)

    def recorded(self, given: EventColumns, request_id: str = "") -> Batch:
        """Return what events change: as `batch` of their records, at half the cost."""
        if not given.contacts:
            return Batch(Changes(()), request_id, (), self.schema)
        numbers = np.arange(len(given.contacts), dtype=np.uint32)
        steps, refused = self.events.steps(numbers, given)
        return Batch(Changes(tuple(steps)), request_id, tuple(refused), self.schema)

    def _settle(self, group: _Group, now: int, steps: list[Step], refused: list[Refusal]) -> None:
        """Add the steps of a group, in the order of the phases, and what is refused of it."""
        for phase in sorted(group.held):
            places, records = group.held[phase]
            numbers = np.array(places, np.uint32)
            if phase <= Phase.PATCH:
                step, wrong = self.contacts.step(numbers, records, now)
                steps += [] if step is None else [step]
            elif phase <= Phase.RECORD:
                found, wrong = self.events.steps(numbers, EventColumns.of(records))
                steps += found
            else:
                made, wrong = _step(numbers, records)
                steps += [] if made is None else [made]
            refused += wrong


class _Group:
    """Records that may be applied kind by kind: of each phase their numbers, and themselves."""

    def __init__(self) -> None:
        self.held: dict[Phase, tuple[list[int], list[Any]]] = {}
        self._last: dict[str, Phase] = {}  # of each contact named so far
        self._relabelled: set[str] = set()  # contacts whose labels were put on or taken off

    def add(self, number: int, record: ContactRecord | EventRecord | Other) -> bool:
        """Take a record, or return False if it must come after all that are here."""
        phase, keys = _named(record)
        last = self._last
        for key in keys:
            if last.get(key, phase) > phase:
                return False
        if isinstance(record, ContactRecord):
            relabelled = self._relabelled
            if keys[0] in relabelled and any(n.casefold() == "label" for n in record.fields):
                return False  # a step sets labels before it puts any on
            if record.add_labels or record.remove_labels:
                relabelled.add(keys[0])
        for key in keys:
            last[key] = phase
        places, records = self.held.setdefault(phase, ([], []))
        places.append(number)
        records.append(record)
        return True


def _key(contact: object) -> str:
    """Return a contact's id for comparing; a number is its digits."""
    return contact if isinstance(contact, str) else str(contact)


def _named(record: ContactRecord | EventRecord | Other) -> tuple[Phase, tuple[str, ...]]:
    """Return the phase of a record and the contacts it names."""
    match record:
        case ContactRecord():
            return Phase.UPSERT if record.creates else Phase.PATCH, (_key(record.id),)
        case EventRecord():
            return Phase.RECORD_CREATING if record.creates else Phase.RECORD, (
                _key(record.contact),
            )
        case DeleteRecord():
            return Phase.ERASE if record.erase else Phase.DELETE, (_key(record.id),)
        case MergeRecord():
            return Phase.MERGE, (_key(record.source), _key(record.target))
        case SuppressRecord():
            return Phase.SUPPRESS, (_key(record.id),)


def _step(numbers: Places, records: Sequence[Other]) -> tuple[Step | None, list[Refusal]]:
    """Return the step of records of one phase that name nothing but contacts."""
    screen = Screen(numbers)

    def ids(values: list[object], field: str) -> pa.StringArray:
        column = column_of(values, FieldType.KEYWORD)
        return screen.read(column, field, "a contact's id", coerce.contact_ids)

    merges = [record for record in records if isinstance(record, MergeRecord)]
    if merges:
        sources = ids([record.source for record in merges], "source")
        targets = ids([record.target for record in merges], "target")
        same = pc.equal(sources, targets).fill_null(False).to_numpy(zero_copy_only=False)
        for row in np.flatnonzero(same).tolist():
            message = "a contact cannot be merged into itself"
            screen.refuse(row, "target", Reason.INVALID_VALUE, message)
        picked = pa.array(screen.rows())
        rest = numbers[screen.good]
        step: Step = MergeStep(rest, sources.take(picked), targets.take(picked))
        return step if len(rest) else None, screen.refused()
    found = ids([record.id for record in records if not isinstance(record, MergeRecord)], "id")
    picked, rest = pa.array(screen.rows()), numbers[screen.good]
    first = records[0]
    if isinstance(first, DeleteRecord):
        step = DeleteStep(rest, found.take(picked), first.erase)
    else:
        adds = [record.add for record in records if isinstance(record, SuppressRecord)]
        step = SuppressStep(rest, found.take(picked), np.array(adds, np.bool_)[screen.good])
    return step if len(rest) else None, screen.refused()
