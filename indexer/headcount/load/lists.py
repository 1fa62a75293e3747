"""
Lists files: who is on which list, since when, and who asked to hear no more from it.

    list,contact,joined_at,opted_out_at

A row makes the contact a member; with `opted_out_at` it is a member that has opted out. The
times become events `list_joined` and `list_opted_out`, with the list as their property and an id of
list and time, so that a file loaded twice tells of each joining once.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount.load import coerce
from headcount.load.batch import Batch, Columns
from headcount.load.events import PREFIX
from headcount.load.members import Members
from headcount.load.rejects import Rejects
from headcount.load.sieve import Rows, Sieve
from headcount.load.spill import Spill, spread
from headcount.model.schema import LIST_JOINED, LIST_OPTED_OUT, Field, FieldType, Schema
from headcount.model.time_zone import time_zone

KIND = "lists"
EVENTS_KIND = "list events"
MAX_LIST_BYTES = 200  # so that an event's id of list and time stays within 256

_REQUIRED = ("list", "contact")
_TIMES = {"joined_at": LIST_JOINED, "opted_out_at": LIST_OPTED_OUT}
_LIST = Field("list", FieldType.KEYWORD)


def columns(schema: Schema) -> Columns:
    """Return the columns that a lists file may have."""
    fixed = (*_REQUIRED, *_TIMES)
    names = {name: name for name in fixed}
    names.setdefault(schema.id_column.casefold(), "contact")
    return Columns(KIND, names, _REQUIRED, fixed)


class ListFiles:
    """Takes the batches of lists files."""

    def __init__(
        self, schema: Schema, members: Members, spill: Spill, rejects: Rejects, block_rows: int
    ) -> None:
        self._zone = time_zone(schema.time_zone)
        self._members = members
        self._spill = spill
        self._rejects = rejects
        self._block_rows = block_rows
        self.taken = 0
        self.refused = 0

    def add(self, path: Path, batch: Batch) -> None:
        """Take the list rows of one batch."""
        for name in _REQUIRED:
            if name not in batch.columns:  # no JSON object of the batch has the key
                batch = batch.with_column(name, pa.nulls(batch.rows))
        sieve = Sieve(path, batch)
        contacts = sieve.read("contact", "contact", "a contact's id", coerce.contact_ids)
        ordinals = self._members.find(sieve, contacts, "contact")
        names = self._names(sieve)
        times = {
            name: sieve.read(
                name,
                name,
                "a time",
                partial(coerce.coerce, field=Field(name, FieldType.DATETIME), zone=self._zone),
            )
            for name in _TIMES
            if name in batch.columns
        }
        self.refused += sieve.report(self._rejects)
        rows = sieve.rows()
        picked = pa.array(rows)
        who = self._members.made(contacts.take(picked), ordinals[rows])
        names = names.take(picked)
        times = {name: column.take(picked) for name, column in times.items()}
        opted_out = pa.array(np.zeros(len(rows), dtype=np.bool_))
        if "opted_out_at" in times:
            opted_out = times["opted_out_at"].is_valid()
        membership = {"list": names, "opted_out": opted_out}
        spread(self._spill, (KIND,), who, membership, self._block_rows)
        for name, column in times.items():
            self._tell(_TIMES[name], who, names, column)
        self.taken += len(rows)

    def _names(self, sieve: Sieve) -> pa.StringArray:
        names = sieve.read(
            "list",
            "list",
            "a list's name",
            partial(coerce.coerce, field=_LIST, zone=self._zone),
        )
        names = pc.utf8_trim_whitespace(names)
        names = pc.if_else(pc.equal(names, ""), pa.scalar(None, pa.string()), names)
        sieve.refuse_missing(names, "list", "the list is missing")
        long = pc.greater(pc.binary_length(names), MAX_LIST_BYTES).fill_null(False)
        sieve.refuse_all(
            long.to_numpy(zero_copy_only=False),
            "list",
            names,
            f"a list's name has at most {MAX_LIST_BYTES} bytes",
        )
        return names

    def _tell(self, event: str, ordinals: Rows, lists: pa.StringArray, times: pa.Array) -> None:
        """Add an event for each row that has a time."""
        told = times.is_valid()
        lists, times = lists.filter(told), times.filter(told)
        micros = times.cast(pa.int64()).cast(pa.string())
        found = {
            "time": times,
            "id": pc.binary_join_element_wise(lists, micros, "@"),
            f"{PREFIX}list": lists,
        }
        who = ordinals[told.to_numpy(zero_copy_only=False)]
        spread(self._spill, (EVENTS_KIND, event), who, found, self._block_rows)
