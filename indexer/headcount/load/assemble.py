"""
A block's tables, put together from what was stored and what this load brought.

    stored block ─┐
    contacts ─────┼─ each column: the newest value of each row      → contacts table
    lists ────────┘  list, opted_out: united with what is there
    stored events + list events + events, repeated ids dropped      → one table an event type

Every row of a column is taken once, from wherever its newest value stands: pieces are laid end to
end and one `take` picks from them. For a new block filled in order that is the identity, and
nothing is copied. Events are put together one type at a time, when the block asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index.block import Block, contact_schema, event_schema
from headcount.index.event_ids import deduplicate
from headcount.load import contacts, events, lists
from headcount.load.coerce import list_array
from headcount.load.spill import Spill
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema

_NO_ROW = np.int64(-1)
_MAX_ARRAY_BYTES = (1 << 31) - 1  # what 32-bit offsets reach


def contacts_table(
    number: int, stored: Block | None, ids: pa.StringArray, spill: Spill, schema: Schema
) -> pa.Table:
    """
    Return the contacts of block *number* in the columns of `contact_schema`.

    *ids* are those of all its rows; *stored* holds the first of them, or is None.

    Raises:
        UserError: LIMIT_EXCEEDED, the text of one field is over 2 GiB.
    """
    kinds = [kind for kind in spill.kinds(number) if kind[0] == contacts.KIND]
    pieces = [table for kind in kinds for table in spill.read(number, kind)]
    if stored is not None:
        base = stored.contacts_table()
        pieces.insert(0, base.append_column("row", pa.array(np.arange(base.num_rows))))
    columns = {"id": ids}
    for field in contact_schema(schema):
        if field.name != "id":
            columns[field.name] = _newest(field, pieces, len(ids))
    for table in spill.read(number, (lists.KIND,)):
        rows = table.column("row").to_numpy().astype(np.int64)
        names = table.column("list").combine_chunks()
        opted_out = table.column("opted_out").to_numpy()
        columns["list"] = united(columns["list"], rows, names)
        columns["opted_out"] = united(
            columns["opted_out"], rows[opted_out], names.filter(pa.array(opted_out))
        )
    return pa.table(columns)


def _newest(field: pa.Field, pieces: Sequence[pa.Table], rows: int) -> pa.Array:
    """Return the value of each row from the last of *pieces* that has the row and the field."""
    pieces = [piece for piece in pieces if field.name in piece.column_names]
    if not pieces:
        return pa.nulls(rows, field.type)
    at = np.concatenate([piece.column("row").to_numpy().astype(np.int64) for piece in pieces])
    values = pa.chunked_array(
        [chunk for piece in pieces for chunk in piece.column(field.name).chunks], field.type
    )
    if len(at) != rows or not np.array_equal(at, np.arange(rows)):
        source = np.full(rows, _NO_ROW)
        source[at] = np.arange(len(at))  # of a row that is there twice, the last
        try:
            values = values.take(pa.array(source, mask=source == _NO_ROW))
        except pa.ArrowInvalid as error:
            raise _too_much_text(field.name) from error
    if values.nbytes >= _MAX_ARRAY_BYTES:
        raise _too_much_text(field.name)
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _too_much_text(name: str) -> UserError:
    return UserError(
        Reason.LIMIT_EXCEEDED,
        f"the values of field `{name}` are over 2 GiB in one block of contacts; shorten them, or"
        " leave the field out",
    )


def united(
    sets: pa.ListArray, rows: npt.NDArray[np.int64], members: pa.StringArray
) -> pa.ListArray:
    """Return *sets* (list<string>, null when empty) with *members* added in *rows*."""
    if not len(rows):
        return sets
    sizes = pc.list_value_length(sets).fill_null(0).to_numpy()
    rows = np.concatenate([np.repeat(np.arange(len(sets)), sizes), rows])
    members = pa.concat_arrays([sets.flatten(), members])
    codes = members.dictionary_encode()
    pairs = rows * len(codes.dictionary) + codes.indices.to_numpy()
    _, first = np.unique(pairs, return_index=True)
    first.sort()  # members keep the order in which they came
    first = first[np.argsort(rows[first], kind="stable")]
    return list_array(rows[first], members.take(pa.array(first)), len(sets))


class EventTables(Mapping[str, pa.Table]):
    """
    The events of block *number* by type, each table put together when it is asked for and not kept.

    `repeats` counts the events dropped for their id, by type, once their tables were asked for;
    what list files tell again is dropped without being counted.
    """

    def __init__(self, number: int, stored: Block | None, spill: Spill, schema: Schema) -> None:
        self._number = number
        self._stored = stored
        self._spill = spill
        self._events = {event.name: event for event in schema.all_events.values()}
        self.repeats: dict[str, int] = {}

    def __getitem__(self, name: str) -> pa.Table:
        kept = event_schema(self._events[name])
        tables = [kept.empty_table()]
        if self._stored is not None:
            tables.append(self._stored.event_table(name).select(kept.names))
        told = self._spill.read(self._number, (lists.EVENTS_KIND, name))
        if told:
            tables = [deduplicate(pa.concat_tables([*tables, *told]))[0]]
        given = self._spill.read(self._number, (events.KIND, name))
        found = pa.concat_tables([*tables, *given])
        if given:
            found, self.repeats[name] = deduplicate(found)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._events)

    def __len__(self) -> int:
        return len(self._events)
