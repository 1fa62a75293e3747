"""
Draws: a few members of a segment, the same ones however often it is asked.

Contacts stand in one order for all segments, that of a hash of their id (`sample`'s, without salt),
and those that come first are drawn. So a draw does not change when the segment does and they still
fit, a segment inside another shares what it can, and every server draws the same. Random numbers
would change it under the eyes of who edits; the first rows would always be the oldest contacts.

Of a block the ids that come first are known (`IdColumn.lowest`); most draws are found among them,
after a few dozen looks into the rows that fit. Only a small or an unlucky segment hashes the ids of
all its rows in a block. Once enough have been found, a block is only asked for ids that come before
the last of them.
"""

from __future__ import annotations

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block

_FEW = 2048  # rows that are hashed at once rather than looked for among the lowest
_STRETCH = 128  # of the lowest that are looked up before asking whether there are enough
_HIGHEST = (1 << 64) - 1

Drawn = tuple[int, int, int]  # hash, block number, row


class Draw:
    """The first *size* members in the order of hashes, of all blocks that were added."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._drawn: list[Drawn] = []

    def add(self, block: Block, rows: BitMap) -> None:
        """Take the members *rows* of a block into account."""
        if not self._size or not rows:
            return
        last = self._drawn[-1][0] if len(self._drawn) == self._size else _HIGHEST
        found = None if len(rows) <= _FEW else self._among_lowest(block, rows, last)
        if found is None:
            found = self._of_all(block, rows)
        merged = self._drawn + [(mixed, block.number, row) for mixed, row in found]
        self._drawn = sorted(merged)[: self._size]

    def result(self) -> list[tuple[int, int]]:
        """Return the block number and row of each, in the order of their hashes."""
        return [(number, row) for _, number, row in self._drawn]

    def _among_lowest(self, block: Block, rows: BitMap, last: int) -> list[tuple[int, int]] | None:
        """Return hash and row of the first members; None if the lowest ids are not enough."""
        hashes, lowest = block.ids.lowest
        stop = int(np.searchsorted(hashes, np.uint64(last), side="right"))
        places: list[int] = []
        for start in range(0, stop, _STRETCH):
            stretch = lowest[start : min(start + _STRETCH, stop)].tolist()
            places += [start + n for n, row in enumerate(stretch) if row in rows]
            if len(places) >= self._size:
                break
        complete = stop < len(lowest) or len(lowest) == block.rows
        if len(places) < self._size and not complete:
            return None
        chosen = np.array(places[: self._size], dtype=np.intp)
        return list(zip(hashes[chosen].tolist(), lowest[chosen].tolist(), strict=True))

    def _of_all(self, block: Block, rows: BitMap) -> list[tuple[int, int]]:
        """Return hash and row of the first members, by hashing the ids of all."""
        members = bitmaps.to_rows(rows)
        mixed = block.ids.mixed(members)
        if len(members) > self._size:
            chosen = np.argpartition(mixed, self._size)[: self._size]
            mixed, members = mixed[chosen], members[chosen]
        return list(zip(mixed.tolist(), members.tolist(), strict=True))
