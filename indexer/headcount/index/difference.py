"""
The difference of two versions of a workspace: which contacts it may be that are not as they were.

Versions share their blocks, so what is not in both is all that has to be looked at:

    base block in both     rows that are live in one version only, owners of events in other pieces
    recent block in one    all its contacts
    base block in one      it was made anew: nothing can be said

Contacts of a block that was only joined with others are among them, though nothing of theirs
changed. About 10 µs a block that differs, and 30 for each million rows that are compared.
"""

from __future__ import annotations

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.view import Ordinals, View


def changed(before: View, after: View) -> Ordinals | None:
    """
    Return the ordinals (int64, ascending, unique) of all contacts that differ, and maybe of others.

    None if it cannot be told: the base was built anew, events expired, or the schema is another.
    """
    if (
        before.schema is not after.schema
        or before.version.epoch != after.version.epoch
        or before.block_rows != after.block_rows
        or before.expired != after.expired
    ):
        return None
    known = {block.identity: block for block in before.blocks}
    found = [np.zeros(0, dtype=np.int64)]
    only_one: list[Block] = []
    for block in after.blocks:
        old = known.pop(block.identity, None)
        if old is None:
            only_one.append(block)
        elif old is not block:
            if old.events is not block.events:
                return None
            found.append(_ordinals(block, _changed_rows(old, block), after.block_rows))
    only_one += known.values()
    if any(block.ordinals is None for block in only_one):
        return None
    found += [_ordinals(block, block.live, after.block_rows) for block in only_one]
    return np.unique(np.concatenate(found))


def _changed_rows(old: Block, new: Block) -> BitMap:
    """Return the rows of a block that are not live in both versions of it, or have other events."""
    rows = BitMap() if old.live is new.live else old.live ^ new.live
    for name in old.newer.keys() | new.newer.keys():
        pieces = {piece.serial: piece for piece in old.newer.get(name, ())}
        others = {piece.serial: piece for piece in new.newer.get(name, ())}
        for serial in pieces.keys() ^ others.keys():
            piece = pieces.get(serial) or others[serial]
            rows |= bitmaps.from_rows(piece.log.rows)
    return rows


def _ordinals(block: Block, rows: BitMap, block_rows: int) -> Ordinals:
    held = bitmaps.to_rows(rows)
    if block.ordinals is not None:
        return block.ordinals[held].astype(np.int64)
    return held.astype(np.int64) + block.number * block_rows
