"""
What of recent blocks still is as it was in the base, and so is not read before somebody asks.

Single writes make a block of one contact each. To read everything of such blocks when they are
joined (15 columns, 11 event types) is 2 ms for each of them, most of what an upsert costs. But a
contact that has moved still has its row in the base, at its ordinal, and the writes have touched
one or two of its fields. So a block knows what is its *own*; the rest of a joined block is the
base's, and its own alone is read and put together.

Only where all contacts of a block are in the base: those that were made since have their own block
whole. What changes every block (a new schema, expired events) makes blocks that are all their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import bitmaps
from headcount.index.block import Block, Columns, Tables
from headcount.index.gather import gathered
from headcount.index.lazy import Lazy
from headcount.index.view import View

T = TypeVar("T")
Names = frozenset[str]


class Kept(Lazy[T]):
    """Columns or tables of a recent block, all but its *own* as they are in the base."""

    def __init__(
        self, names: Iterable[str], make: Callable[[str], T], own: Collection[str]
    ) -> None:
        super().__init__(names, make)
        self.own = frozenset(own)


def in_base(view: View, ordinals: npt.NDArray[np.integer]) -> bool:
    """Return whether all contacts with *ordinals* (ascending) have a row in the base."""
    rows = 0
    for block in view.base_blocks:
        rows += block.ids.rows
    return len(ordinals) == 0 or int(ordinals[-1]) < rows


def own_columns(blocks: Iterable[Block]) -> Names | None:
    """Return the columns of base and recent blocks that are not as in the base; None for all."""
    return _united([_own(block.columns) for block in blocks if block.ordinals is not None])


def own_tables(blocks: Iterable[Block]) -> Names | None:
    """Return the event types of which blocks have other events than the base; None for all."""
    found: list[Names | None] = []
    for block in blocks:
        if block.ordinals is not None:
            found += (_own(block.tables), frozenset(block.newer))
    return _united(found)


def joined(view: View, blocks: Sequence[Block]) -> Block:
    """
    Return one recent block of the live contacts of recent blocks, in order of their ordinals.

    What is the blocks' own is read now, the rest from the base of *view* when it is asked for.
    """
    limit = max(block.rows for block in blocks)
    found, places = [], []
    for place, block in enumerate(blocks):
        rows = bitmaps.to_rows(block.live)
        assert block.ordinals is not None
        found.append(block.ordinals[rows])
        places.append(rows.astype(np.int64) + place * limit)
    ordinals = np.concatenate(found)
    order = np.argsort(ordinals, kind="stable")
    ordinals = ordinals[order]
    columns, tables = gathered(view.schema, blocks, limit, np.concatenate(places)[order])
    schema, block_rows, base_blocks = view.schema, view.block_rows, view.base_blocks

    @cache
    def base() -> tuple[Columns, Tables]:
        return gathered(schema, base_blocks, block_rows, ordinals.astype(np.int64))

    return Block.recent(
        0,
        ordinals,
        _read(columns, lambda name: base()[0][name], own_columns(blocks), lambda column: column),
        _read(tables, lambda name: base()[1][name], own_tables(blocks), pa.Table.combine_chunks),
        schema,
    )


def read(lazy: Mapping[str, T]) -> dict[str, T]:
    """Return everything in *lazy*, which holds on to what it would be read from."""
    return {name: lazy[name] for name in lazy}


def _read(
    values: Mapping[str, T], base: Callable[[str], T], own: Names | None, whole: Callable[[T], T]
) -> Mapping[str, T]:
    """Return *values*, read where they are their own, from *base* otherwise."""
    held = {name: whole(values[name]) for name in (values if own is None else own)}
    if own is None:
        return held
    return Kept(values, lambda name: held[name] if name in held else base(name), own)


def _own(values: Columns | Tables | None) -> Names | None:
    return values.own if type(values) is Kept else None


def _united(several: Iterable[Names | None]) -> Names | None:
    """Return all names of *several*; None stands for every name there is."""
    found: set[str] = set()
    for names in several:
        if names is None:
            return None
        found |= names
    return frozenset(found)
