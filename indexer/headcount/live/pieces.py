"""
Newer events: small indexes beside a block's large one, few of them whatever comes in.

    base ················ 5,000,000      newer:  40,000 │ 9,000 │ 1,000

Each commit adds one piece for each event type and block that it touches. When there are more than
a few, the last ones that are not much smaller than those before them become one. So sizes fall by a
factor from left to right, and an event is indexed anew only as often as its piece grows by that
factor: about four times while 250,000 come in.

Rejected: one growing piece, indexed anew by each commit, forty times a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import event_ids
from headcount.index.block import Block, Pieces, Rows, event_schema
from headcount.index.newer import NewerEvents
from headcount.model.schema import EventType

_RATIO = 4
_LOOSE = 5  # so many are left as they are: more cost queries, joining more often costs commits

ORIGIN = "origin"


def with_events(
    block: Block,
    added: Mapping[str, pa.Table],
    types: Mapping[str, EventType],
    repeated: Counter[int],
) -> Block:
    """
    Return the block with events *added* by type, those that it has by their id left out.

    Tables have the columns of `event_schema` and `origin`; rows are those of the block. What was
    left out is counted in *repeated*, by origin.
    """
    newer = dict(block.newer)
    for name, table in added.items():
        kept = table
        if table.column("id").null_count < table.num_rows:
            kept = without_repeats(table, *_held(block, name, table), repeated)
        if kept.num_rows:
            events = kept.drop_columns([ORIGIN])
            piece = NewerEvents.of(events, block.rows, types[name])
            newer[name] = joined((*newer.get(name, ()), piece))
    return block.with_changes(newer=newer)


def _held(block: Block, name: str, table: pa.Table) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the row and the id of events that the block has of contacts with events in *table*."""
    ids = table.column("id")
    rows: Rows = np.unique(table.column("row").filter(ids.is_valid()).to_numpy())
    owners, held = [pa.array([], pa.uint32())], [pa.array([], pa.string())]
    if len(rows):
        for piece in block.pieces(name):
            if piece.ids is not None:
                positions, whose = piece.of_rows(rows)
                owners.append(pa.array(rows[whose]))
                held += piece.ids.to_arrow(positions).chunks
    return pa.chunked_array(owners), pa.chunked_array(held)


def without_repeats(
    table: pa.Table, rows: pa.ChunkedArray, ids: pa.ChunkedArray, repeated: Counter[int]
) -> pa.Table:
    """
    Return the events of *table* but those with the row and id of another, here or in *ids*.

    Those left out are counted in *repeated*, by origin.
    """
    if table.column("id").null_count == table.num_rows:
        return table
    repeats = event_ids.repeated(
        pa.chunked_array([*rows.chunks, *table.column("row").chunks]),
        pa.chunked_array([*ids.chunks, *table.column("id").chunks]),
    )
    repeats = repeats[repeats >= len(rows)] - len(rows)
    if not len(repeats):
        return table
    repeated.update(table.column(ORIGIN).take(pa.array(repeats)).to_pylist())
    keep = np.ones(table.num_rows, dtype=np.bool_)
    keep[repeats] = False
    return table.filter(pa.array(keep))


def run_to_join(sizes: Sequence[int], limit: int | None = None) -> int | None:
    """
    Return from where on the last of some pieces are to be joined into one; None if they are few.

    No more than *limit* in all are joined.
    """
    if len(sizes) <= _LOOSE:
        return None
    start, total = len(sizes) - 1, sizes[-1]
    while start and sizes[start - 1] < _RATIO * total:
        if limit is not None and total + sizes[start - 1] > limit:
            break
        start -= 1
        total += sizes[start]
    return start if start < len(sizes) - 1 else None


def joined(pieces: Pieces) -> Pieces:
    """Return *pieces* with the last ones joined if there are many of much the same size."""
    start = run_to_join([piece.size for piece in pieces])
    return pieces if start is None else (*pieces[:start], NewerEvents.joined(pieces[start:]))


def typed(table: pa.Table, rows: Rows, event: EventType) -> pa.Table:
    """Return *table* in the columns of `event_schema`, with *rows*; what it lacks is all null."""
    columns = [pa.array(rows)]
    for field in event_schema(event):
        if field.name in table.column_names:
            columns.append(table.column(field.name))
        elif field.name != "row":
            columns.append(pa.nulls(table.num_rows, field.type))
    return pa.table(columns, schema=event_schema(event))


def of_origin(table: pa.Table, origin: int | npt.NDArray[np.int64]) -> pa.Table:
    """Return *table* with the number of the request that its events, or each, came with."""
    column = pa.array(np.full(table.num_rows, origin, dtype=np.int64))
    return table.append_column(ORIGIN, column)
