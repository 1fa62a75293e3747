"""
Recent blocks: the contacts that writes have touched, each with all that is known about it.

    base 0 (some rows no longer live) │ base 1 │ ...     recent: 9,000 │ 800 │ 16

A write to a contact's fields takes the whole contact out of the block it was in, wherever that is,
and makes it a row of a new block. So a query meets nothing but blocks, and a write costs what the
contacts it touches cost. As with events, blocks of much the same size are joined from time to time:
a few blocks hold all that was touched since the last compaction.

Joining may wait until nobody writes, so that who waits for a commit does not wait for that as well.

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
from headcount.model.schema import Schema

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


def placed(tables: Tables, held: npt.NDArray[np.bool_]) -> Tables:
    """Return *tables*, of the contacts that are *held*, with their events' rows among all."""
    places = np.flatnonzero(held).astype(np.uint32)

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
    types = schema.event_types
    united = {}
    for name, new in added.items():
        names = event_schema(types[name]).names
        held = tables[name]
        kept = without_repeats(new, held.column("row"), held.column("id"), repeated)
        united[name] = pa.concat_tables([held.select(names), kept.select(names)])

    def table(name: str) -> pa.Table:
        return united[name] if name in united else tables[name]

    return Lazy(types, table) if own is None else Kept(types, table, own | united.keys())


def compacted(view: View, blocks: Sequence[Block], spare: int = 0) -> tuple[Block, ...]:
    """
    Return the blocks of the next view, from *blocks*: the base of *view* and recent ones behind it.

    Recent blocks of nobody are left out, the rest renumbered. Those of much the same size are
    joined, unless they are no more than *spare*, which `tidied` does later.
    """
    count = len(view.base_blocks)
    recent = [block for block in blocks[count:] if block.live]
    start = _run_to_join(recent, view)
    if start is not None and len(recent) - start > spare:
        recent[start:] = [joined(view, recent[start:])]
    kept = [
        block if block.number == place else replace(block, number=place)
        for place, block in enumerate(recent, count)
    ]
    return (*blocks[:count], *kept)


def is_untidy(view: View) -> bool:
    """Return whether recent blocks are to be joined."""
    return _run_to_join(view.recent_blocks, view) is not None


def tidied(view: View) -> View:
    """Return the view with the blocks joined that commits have spared; 1 ms for six of one row."""
    return view.following(blocks=compacted(view, view.blocks))


def _run_to_join(recent: Sequence[Block], view: View) -> int | None:
    """Return from where on recent blocks, all of somebody, are to be joined."""
    return run_to_join([len(block.live) for block in recent], view.block_rows)


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
