"""
Contacts files: one row a contact, new or known.

A new id gets the next ordinal; a known one has the file's columns written over, the columns that
the file lacks keep their values, and an empty cell makes a value missing. In JSON, where rows
differ in their keys, that holds row by row: null makes it missing, an absent key keeps it. An id
that was in the files of this load before is refused: which row is right cannot be known.

What is left of a batch waits, by block, for `assemble`: local rows and typed columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from headcount.index.block import LISTS
from headcount.load import coerce
from headcount.load.batch import Batch, Columns, Mask
from headcount.load.known_ids import UNKNOWN, KnownIds
from headcount.load.rejects import Rejects
from headcount.load.sieve import Rows, Sieve, kept
from headcount.load.spill import Spill, spread
from headcount.model.schema import Field, Schema
from headcount.model.time_zone import time_zone

KIND = "contacts"

# A place in the files: the file's number above, the line below.
_LINE_BITS = 40
_NOWHERE = np.int64(-1)


def columns(schema: Schema, *, open_ended: bool = False) -> Columns:
    """Return the columns that a contacts file may have under *schema*."""
    fields = [f.name for f in stored_fields(schema)]
    names = {name.casefold(): name for name in fields}
    names |= {"id": "id", schema.id_column.casefold(): "id"}
    spellings = [schema.id_column, *fields]
    return Columns(KIND, names, ("id",), spellings, open_ended)


def stored_fields(schema: Schema) -> Iterator[Field]:
    """Yield every field that a contacts file may give, `list` with them; not the id."""
    yield from (f for f in schema.all_fields.values() if f.name != "id")
    yield LISTS


class ContactFiles:
    """Takes the batches of contacts files, in order."""

    def __init__(
        self, schema: Schema, known: KnownIds, spill: Spill, rejects: Rejects, block_rows: int
    ) -> None:
        self._schema = schema
        self._zone = time_zone(schema.time_zone)
        self._fields = {f.name: f for f in stored_fields(schema)}
        self._known = known
        self._spill = spill
        self._rejects = rejects
        self._block_rows = block_rows
        self._files: list[Path] = []
        self._stored = known.count
        self._places = np.full(known.count, _NOWHERE)  # by ordinal: where this load met it
        self.new = 0
        self.updated = 0
        self.refused = 0

    def add(self, path: Path, batch: Batch) -> None:
        """Take the contacts of one batch of the file *path*."""
        if self._files[-1:] != [path]:
            self._files.append(path)
        if "id" not in batch.columns:  # no JSON object of the batch has the key
            batch = batch.with_column("id", pa.nulls(batch.rows))
        sieve = Sieve(path, batch)
        ids = sieve.read("id", self._schema.id_column, "an id", coerce.contact_ids)
        typed = {
            name: sieve.read(
                name,
                name,
                f"a value of type {field.type}",
                partial(coerce.coerce, field=field, zone=self._zone),
            )
            for name, field in self._fields.items()
            if name in batch.columns
        }
        rows, ordinals = self._resolve(sieve, ids, batch)
        self.refused += sieve.report(self._rejects)
        found = kept(typed.items(), rows, batch.rows)
        absent = {name: mask[rows] for name, mask in batch.absent.items() if name in found}
        for some, columns in self._by_keys(ordinals, found, absent):
            kind = (KIND, tuple(columns))
            spread(
                self._spill,
                kind,
                ordinals[some],
                kept(columns.items(), some, len(ordinals)),
                self._block_rows,
            )

    def _resolve(self, sieve: Sieve, ids: pa.StringArray, batch: Batch) -> tuple[Rows, Rows]:
        """Return the rows to store and their ordinals; refuse ids that this load had before."""
        rows = sieve.rows()
        encoded = ids.take(pa.array(rows)).dictionary_encode()
        codes, distinct = encoded.indices.to_numpy(), encoded.dictionary
        first = np.arange(len(codes))
        if len(distinct) < len(codes):
            _, first = np.unique(codes, return_index=True)
        ordinals = self._known.lookup(distinct)
        is_known = ordinals != UNKNOWN
        met = np.full(len(distinct), _NOWHERE)
        met[is_known] = self._places[ordinals[is_known]]
        again = met[codes] != _NOWHERE
        again[np.delete(np.arange(len(codes)), first)] = True
        here = (len(self._files) - 1 << _LINE_BITS) + batch.lines[rows[first]]
        for at in np.flatnonzero(again).tolist():
            code = codes[at]
            place = int(met[code] if met[code] != _NOWHERE else here[code])
            sieve.refuse(
                int(rows[at]),
                self._schema.id_column,
                distinct[code].as_py(),
                "the id was there before in this load; the first row is kept",
                f"{self._files[place >> _LINE_BITS].name}, line {place % (1 << _LINE_BITS):,}",
            )
        new = ~is_known
        ordinals[new] = self._known.count + np.arange(np.count_nonzero(new))
        self._known.add(distinct.filter(pa.array(new)))
        self._places = _grown(self._places, self._known.count)
        fresh = met == _NOWHERE
        self._places[ordinals[fresh]] = here[fresh]
        self.new += int(np.count_nonzero(new))
        self.updated += int(np.count_nonzero(fresh & is_known))
        return rows[~again], ordinals[codes[~again]]

    def _by_keys(
        self, ordinals: Rows, found: dict[str, pa.Array], absent: dict[str, Mask]
    ) -> Iterator[tuple[Rows, dict[str, pa.Array]]]:
        """Yield rows with the columns to write for them: of a known contact only those it has."""
        masks = np.array([mask & (ordinals < self._stored) for mask in absent.values()], np.bool_)
        if not masks.any():
            yield np.arange(len(ordinals)), found
            return
        shapes, which = np.unique(masks, axis=1, return_inverse=True)
        for at, lacks in enumerate(shapes.T):
            lacking = {name for name, lack in zip(absent, lacks, strict=True) if lack}
            yield (
                np.flatnonzero(which == at),
                {name: column for name, column in found.items() if name not in lacking},
            )


def _grown(places: Rows, count: int) -> Rows:
    """Return *places* with room for *count*, doubled so that growing costs little in all."""
    if count <= len(places):
        return places
    grown = np.full(max(count, 2 * len(places)), _NOWHERE)
    grown[: len(places)] = places
    return grown
