"""
Places: from the rows of blocks to the ordinals that a membership names contacts by, and back.

A contact keeps its ordinal from one view to the next, in whatever block it lies.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.view import View

Ordinals = npt.NDArray[np.uint32]


def ordinals_of(view: View, block: Block, rows: npt.NDArray[np.uint32]) -> Ordinals:
    """Return the ordinals of rows of a block."""
    if block.ordinals is not None:
        return block.ordinals[rows]
    return rows + np.uint32(block.number * view.block_rows)


def placed(view: View, block: Block, rows: BitMap) -> BitMap:
    """Return the ordinals of rows of a block."""
    if block.ordinals is not None:
        return bitmaps.from_sorted(block.ordinals[bitmaps.to_rows(rows)])
    return rows.shift(block.number * view.block_rows)


def held(extract: View) -> Ordinals:
    """Return the ordinal of each row of a view's extract, ascending."""
    found = extract.blocks[0].ordinals
    assert found is not None
    return found


def rows_of(extract: View, ordinals: Ordinals) -> npt.NDArray[np.int64]:
    """Return the row of each ordinal in a view's extract, -1 for one that is not there."""
    there = held(extract)
    if not len(there):
        return np.full(len(ordinals), -1, dtype=np.int64)
    at = np.minimum(np.searchsorted(there, ordinals), len(there) - 1)
    found: npt.NDArray[np.int64] = np.where(there[at] == ordinals, at, -1)
    return found


def among(held: BitMap, ordinals: Ordinals) -> npt.NDArray[np.bool_]:
    """Return which of *ordinals* (ascending, each once) are in *held*."""
    both = bitmaps.to_rows(held & bitmaps.from_sorted(ordinals))
    found = np.zeros(len(ordinals), dtype=np.bool_)
    found[np.searchsorted(ordinals, both)] = True
    return found


def ids_of(before: View, after: View, ordinals: Ordinals) -> list[str]:
    """
    Return the ids of contacts of the view *after* another, or that were in the one *before*.

    Of one that is in neither the id is empty: it was deleted, and the workspace compacted, while
    nobody followed.
    """
    found: dict[int, str] = {}
    wanted = np.unique(ordinals)
    for view in (after, before):
        positions = view.positions(wanted)
        for number in np.unique(positions[positions >= 0] // view.block_rows).tolist():
            mine = positions // view.block_rows == number
            rows = (positions[mine] % view.block_rows).astype(np.uint32)
            ids = view.blocks[number].ids.take(rows).to_pylist()
            found.update(zip(wanted[mine].tolist(), ids, strict=True))
        wanted = wanted[positions < 0]
        if not len(wanted):
            break
    return [found.get(ordinal, "") for ordinal in ordinals.tolist()]
