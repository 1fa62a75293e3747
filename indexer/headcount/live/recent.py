"""
Recent blocks: the contacts that writes have touched, each with all that is known about it.

    base 0 (some rows no longer live) │ base 1 │ ...     recent: 9,000 │ 800 │ 16

A write to a contact's fields takes the whole contact out of the block it was in, wherever that is,
and makes it a row of a new block. So a query meets nothing but blocks, and a write costs what the
contacts it touches cost. As with events, blocks of much the same size are joined from time to time:
a few blocks hold all that was touched since the last compaction.

What a new block holds is read from the old one when it is first asked for; when blocks are joined,
what is not as in the base is read then (`kept`), so that no chain of old blocks is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import bitmaps
from headcount.index.block import Block, Tables, event_schema
from headcount.index.gather import gathered
from headcount.index.lazy import Lazy
from headcount.index.view import View
from headcount.live.kept import Kept, Names, joined, read
from headcount.live.pieces import run_to_join, without_repeats
from headcount.model.schema import EventType, Schema

Positions = npt.NDArray[np.int64]


def without_rows(blocks: Sequence[Block], block_rows: int, positions: Positions) -> list[Block]:
    """Return *blocks* with the contacts at *positions* no longer live in them."""
    found = list(blocks)
    if len(positions) == 1:
        number, row = divmod(int(positions[0]), block_rows)
        live = found[number].live.copy()
        live.discard(row)
        found[number] = found[number].with_changes(live=live)
        return found
    numbers = positions // block_rows
    for number in np.unique(numbers).tolist():
        rows = positions[numbers == number] - number * block_rows
        block = found[number]
        gone = bitmaps.from_rows(rows.astype(np.uint32))
        found[number] = block.with_changes(live=block.live - gone)
    return found


def placed(tables: Tables, places: npt.NDArray[np.uint32]) -> Tables:
    """Return *tables* with the row i of each event's contact turned into `places[i]`."""

    def table(name: str) -> pa.Table:
        found = tables[name]
        if not found.num_rows:
            return found
        rows = places[found.column("row").to_numpy()]
        return found.set_column(0, "row", pa.array(rows, pa.uint32()))

    return Lazy(tables, table)


def with_events(
    tables: Tables,
    added: Mapping[str, pa.Table],
    schema: Schema,
    repeated: Counter[int],
    own: Names | None,
) -> Tables:
    """
    Return *tables* with the events *added* by type but for those that are there by their id.

    Those are counted in *repeated* by their `origin`, which the tables returned do not have. Of
    *tables* all but *own* are as in the base, none if it is None.
    """
    types = types_of(schema)
    united = {}
    for name, new in added.items():
        names = event_schema(types[name]).names
        held = tables[name]
        kept = without_repeats(new, held.column("row"), held.column("id"), repeated)
        united[name] = pa.concat_tables([held.select(names), kept.select(names)])

    def table(name: str) -> pa.Table:
        return united[name] if name in united else tables[name]

    return Lazy(types, table) if own is None else Kept(types, table, own | united.keys())


def compacted(view: View, blocks: Sequence[Block]) -> tuple[Block, ...]:
    """
    Return the blocks of the next view, from *blocks*: the base of *view* and recent ones behind it.

    Recent blocks of nobody are left out, those of much the same size joined, the rest renumbered.
    """
    count = len(view.base_blocks)
    recent = [block for block in blocks[count:] if block.live]
    start = run_to_join([len(block.live) for block in recent], view.block_rows)
    if start is not None:
        recent[start:] = [joined(view, recent[start:])]
    kept = (
        block if block.number == place else replace(block, number=place)
        for place, block in enumerate(recent, count)
    )
    return (*blocks[:count], *kept)


def parted(block: Block, view: View) -> Iterator[Block]:
    """Yield a recent block in parts that are no larger than a block may be."""
    if block.rows <= view.block_rows:
        yield block
        return
    assert block.ordinals is not None
    for start in range(0, block.rows, view.block_rows):
        rows = np.arange(start, min(start + view.block_rows, block.rows), dtype=np.int64)
        columns, tables = gathered(view.schema, [block], block.rows, rows)
        ordinals = block.ordinals[rows]
        yield Block.recent(block.number, ordinals, read(columns), read(tables), view.schema)


def types_of(schema: Schema) -> dict[str, EventType]:
    """Return the event types of a schema by their declared names."""
    return {event.name: event for event in schema.all_events.values()}
