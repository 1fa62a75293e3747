"""
Newer events: small indexes beside a block's large one, few of them whatever comes in.

    base ················ 5,000,000      newer:  40,000 │ 9,000 │ 1,000

Each commit adds one piece for each event type and block that it touches. A piece that is not much
smaller than the one after it is joined with it, so that sizes fall by a factor from left to right
and an event is indexed anew only as often as its piece grows by that factor: with 4, four pieces
hold 250,000 events, and every event has been indexed about four times.

Rejected: one growing piece, indexed anew by each commit (40 times a second, 60 ms for 250,000).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from headcount.index import event_ids
from headcount.index.block import Block, Pieces, Rows, event_schema
from headcount.index.events import EventIndex
from headcount.model.schema import EventType

_RATIO = 4


def with_events(
    block: Block, added: Mapping[str, pa.Table], types: Mapping[str, EventType]
) -> tuple[Block, int]:
    """
    Return the block with events *added* by type, and how many were left out as repeated.

    Tables have the columns of `event_schema`; rows are those of the block.
    """
    newer = dict(block.newer)
    repeats = 0
    for name, table in added.items():
        table, dropped = without_repeats(block, name, table)
        repeats += dropped
        if table.num_rows:
            piece = EventIndex.build(table, block.rows, types[name])
            newer[name] = joined((*newer.get(name, ()), piece))
    return block.with_changes(newer=newer), repeats


def without_repeats(block: Block, name: str, table: pa.Table) -> tuple[pa.Table, int]:
    """Return the events of *table* whose id the block does not have, and how many it has."""
    ids = table.column("id")
    if ids.null_count == len(ids):
        return table, 0
    rows: Rows = np.unique(table.column("row").filter(ids.is_valid()).to_numpy())
    owners, held = [pa.array([], pa.uint32())], [pa.array([], pa.string())]
    for piece in block.pieces(name):
        if piece.ids is not None:
            positions, whose = piece.of_rows(rows)
            owners.append(pa.array(rows[whose]))
            held += piece.ids.to_arrow(positions).chunks
    before = sum(map(len, owners))
    repeats = event_ids.repeated(
        pa.chunked_array([*owners, *table.column("row").chunks]),
        pa.chunked_array([*held, *ids.chunks]),
    )
    repeats = repeats[repeats >= before] - before
    if not len(repeats):
        return table, 0
    keep = np.ones(table.num_rows, dtype=np.bool_)
    keep[repeats] = False
    return table.filter(pa.array(keep)), len(repeats)


def joined(pieces: Pieces) -> Pieces:
    """Return *pieces* with the last ones joined as long as they are of much the same size."""
    while len(pieces) > 1 and pieces[-2].size < _RATIO * pieces[-1].size:
        pieces = (*pieces[:-2], _one(pieces[-2:]))
    return pieces


def typed(table: pa.Table, event: EventType) -> pa.Table:
    """Return *table* with every column of `event_schema`; those that it lacks are all null."""
    schema = event_schema(event)
    columns = [
        table.column(field.name)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _one(pieces: Pieces) -> EventIndex:
    tables = pa.concat_tables([piece.to_arrow() for piece in pieces])
    return EventIndex.build(tables, pieces[0].rows, pieces[0].event)
