"""
Twins: other forms of postings, in which two conditions are counted together at memory's speed.

    bits      the rows that are *not* in a posting, where that is dense and the posting is not
                  |A and B|  =  |B| - |B and not A|
    crossed   a posting's rows by their place in the order of a range index
                  |A and low <= x <= high|  =  those of it from one rank to another

A posting of 3 to 6 % of the rows is held as sorted lists, and counting those of its rows that are
in a dense one takes 19 to 31 µs for 2^20 rows, where two dense ones take 2.5. A range has to be
made, in 50 to 75 µs, before it is intersected; counted by rank it takes 2.5, once its posting is
crossed (3 ms, so only after it was asked for `_ASKED` times).

A twin takes 128 KiB in a block of 2^20 rows. They are kept while the block is there, up to a number
of bytes, and no more are made then: what is asked without one is only slower. Rows and fields of a
block never change, so neither do its twins.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from threading import Lock

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block, Identity
from headcount.index.ranges import RangeIndex

DEFAULT_BYTES = 64 << 20

_LISTED = 8_000  # rows in lists that take longer to look up than as many bits to read
_ASKED = 32  # times that a range is made before its posting is crossed
_REMEMBERED = 10_000  # pairs of a block of which it is known how often they were asked for


class Twins:
    """The twins of the blocks of a workspace, at most *capacity* bytes. Any thread may ask."""

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._held: weakref.WeakKeyDictionary[Identity, _OfBlock] = weakref.WeakKeyDictionary()

    @property
    def bytes(self) -> int:
        """Return how many bytes the twins take."""
        with self._lock:
            return self._bytes()

    def bits(self, block: Block, posting: Hashable, rows: BitMap) -> BitMap | None:
        """
        Return the rows that are not among *rows*, as bits; None where that is of no use.

        *posting* says which rows of the block they are.
        """
        if rows.get_statistics()["n_values_array_containers"] <= _LISTED:
            return None
        key = "bits", posting
        held = self._of(block)
        found = held.made.get(key)
        return found or self._kept(held, key, bitmaps.solid(block.rows) - rows)

    def crossed(
        self, block: Block, posting: Hashable, rows: BitMap, order: Hashable, index: RangeIndex
    ) -> BitMap | None:
        """
        Return the ranks in *index* of those of *rows* that are in it; None if not made, or not yet.

        *order* says which index of the block it is.
        """
        key = posting, order
        held = self._of(block)
        found = held.made.get(key)
        if found is not None:
            return found
        if len(held.asked) >= _REMEMBERED:
            held.asked.clear()
        asked = held.asked[key] = held.asked.get(key, 0) + 1
        if asked < _ASKED or self._is_full(block.rows // 8):
            return None
        mask = bitmaps.to_mask(rows, block.rows).take(index.order.astype(np.intp))
        return self._kept(held, key, bitmaps.from_mask(mask))

    def _of(self, block: Block) -> _OfBlock:
        found = self._held.get(block.identity)
        if found is None:
            with self._lock:
                found = self._held.setdefault(block.identity, _OfBlock())
        return found

    def _kept(self, held: _OfBlock, key: Hashable, twin: BitMap) -> BitMap | None:
        size = bitmaps.memory(twin)
        if self._is_full(size):
            return None
        with self._lock:
            if key not in held.made:
                held.made[key] = twin
                held.bytes += size
            return held.made[key]

    def _is_full(self, more: int) -> bool:
        with self._lock:
            return self._bytes() + more > self._capacity

    def _bytes(self) -> int:
        return sum(held.bytes for held in self._held.values())


class _OfBlock:
    """The twins of one block, and how often those that are not made were asked for."""

    __slots__ = ("__weakref__", "asked", "bytes", "made")

    def __init__(self) -> None:
        self.made: dict[Hashable, BitMap] = {}
        self.asked: dict[Hashable, int] = {}
        self.bytes = 0
