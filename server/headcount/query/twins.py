"""
Twins: other forms of postings, in which two conditions are counted together at memory's speed.

    bits      the rows that are *not* in a posting, where that is dense and the posting is not
                  |A and B|  =  |B| - |B and not A|
    crossed   a posting's rows by their place in the order of a range index
                  |A and low <= x <= high|  =  those of it from one rank to another
    grouped   a posting's rows by their place in the order of the values of a keyword field
                  |A and y = v|  =  those of it from the first row with v to the last

A posting of 3 to 6 % of the rows is held as sorted lists, and counting those of its rows that are
in a dense one takes 19 to 31 µs for 2^20 rows, where two dense ones take 2.5 to 5. A range has to
be made, in 50 to 75 µs, before it is intersected; counted by rank it takes 1.4, once its posting is
crossed (3 ms, so only after it was asked for `_ASKED` times). Two postings of keywords are counted
in the same way in 0.5 to 2 µs, once one of them is grouped (15 ms, after `_ASKED_OFTEN` times).

A twin takes 128 KiB in a block of 2^20 rows. They are kept while the block is there, up to a number
of bytes, and no more are made then: what is asked without one is only slower. Rows and fields of a
block never change, so neither do its twins.
"""

from __future__ import annotations

import weakref
from collections.abc import Hashable
from itertools import accumulate
from threading import Lock

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.block import Block, Identity
from headcount.index.columns import stable_order
from headcount.index.keyword import KeywordIndex
from headcount.index.ranges import RangeIndex
from headcount.model.schema import Field

DEFAULT_BYTES = 64 << 20

_LISTED = 8_000  # rows in lists that take longer to look up than as many bits to read
_ASKED = 32  # times that a range is made before its posting is crossed
_ASKED_OFTEN = 2_000  # times that two postings are intersected before one is grouped
_VALUES = 4_096  # of a field by which postings are grouped, at most
_SHIFT = 10
_PIECE = 1 << _SHIFT  # places
_MASKS = [(1 << at) - 1 for at in range(_PIECE)]
_REMEMBERED = 10_000  # pairs of a block of which it is known how often they were asked for


class Ranks:
    """
    Some of many places, to be counted between any two.

    `bits` are all places in pieces, `before` how many are held in front of each piece. A piece is
    an integer, of which cutting and counting takes 0.1 µs; a roaring bitmap counts the bits of half
    a container, 1 µs. It takes 1.6 times as much room.
    """

    __slots__ = ("before", "bits")

    def __init__(self, held: Mask) -> None:
        packed = np.packbits(held, bitorder="little").tobytes()
        size = _PIECE // 8
        pieces = range(0, len(packed) + 1, size)  # the last one may be empty
        self.bits = [int.from_bytes(packed[at : at + size], "little") for at in pieces]
        self.before = [0, *accumulate(piece.bit_count() for piece in self.bits)]

    def between(self, start: int, stop: int) -> int:
        """Return how many places from *start* to *stop* are held; 0.4 µs."""
        before, bits = self.before, self.bits
        first, last = start >> _SHIFT, stop >> _SHIFT
        whole = before[last] - before[first]
        upto_stop = bits[last] & _MASKS[stop & _PIECE - 1]
        upto_start = bits[first] & _MASKS[start & _PIECE - 1]
        return whole + upto_stop.bit_count() - upto_start.bit_count()

    @property
    def memory(self) -> int:
        """Return about how many bytes it takes."""
        return len(self.bits) * (_PIECE * 4 // 30 + 24 + 32 + 16)


Twin = BitMap | Ranks


class Twins:
    """
    The twins of the blocks of a workspace, at most *capacity* bytes. Any thread may ask.

    `often` is how many times two postings are to be intersected before one is `grouped`.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self.often = _ASKED_OFTEN
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
        if found is None:
            others = bitmaps.solid(block.rows) - rows
            found = self._kept(held, key, others, bitmaps.memory(others))
        assert found is None or isinstance(found, BitMap)
        return found

    def crossed(
        self, block: Block, posting: Hashable, rows: BitMap, order: Hashable, index: RangeIndex
    ) -> Ranks | None:
        """
        Return the ranks in *index* of those of *rows* that are in it; None if not made, or not yet.

        *order* says which index of the block it is.
        """
        key = posting, order
        held = self._of(block)
        found = held.made.get(key)
        if found is not None:
            assert isinstance(found, Ranks)
            return found
        if len(held.asked) >= _REMEMBERED:
            held.asked.clear()
        asked = held.asked[key] = held.asked.get(key, 0) + 1
        if asked < _ASKED or self._is_full(block.rows // 8):
            return None
        mask = bitmaps.to_mask(rows, block.rows).take(index.order.astype(np.intp))
        ranks = Ranks(mask)
        return ranks if self._kept(held, key, ranks, ranks.memory) is not None else None

    def asked(self, block: Block, posting: Hashable, field: Field) -> list[int]:
        """Return the number, in a list of one, of times that `grouped` would have been of use."""
        asked = self._of(block).intersected
        if len(asked) >= _REMEMBERED:
            asked.clear()
        return asked.setdefault((posting, field.name), [0])

    def grouped(
        self, block: Block, posting: Hashable, rows: BitMap, field: Field, index: KeywordIndex
    ) -> tuple[Ranks, list[int]] | None:
        """
        Return the places of *rows* in the order of a field's values, and where each code begins.

        None if it is not made: *index* has too many values, or there are too many twins already.
        """
        key = "grouped", posting, field.name
        held = self._of(block)
        starts = held.starts.get(field.name)
        found = held.made.get(key)
        if found is None or starts is None:
            if index.distinct > _VALUES or self._is_full(block.rows // 8):
                return None
            counts = np.bincount(index.codes, minlength=index.distinct + 1)
            starts = held.starts[field.name] = [0, *np.cumsum(counts).tolist()]
            mask = bitmaps.to_mask(rows, block.rows).take(stable_order(index.codes))
            ranks = Ranks(mask)
            found = self._kept(held, key, ranks, ranks.memory)
        assert found is None or isinstance(found, Ranks)
        return None if found is None else (found, starts)

    def _of(self, block: Block) -> _OfBlock:
        found = self._held.get(block.identity)
        if found is None:
            with self._lock:
                found = self._held.setdefault(block.identity, _OfBlock())
        return found

    def _kept(self, held: _OfBlock, key: Hashable, twin: Twin, size: int) -> Twin | None:
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

    __slots__ = ("__weakref__", "asked", "bytes", "intersected", "made", "starts")

    def __init__(self) -> None:
        self.made: dict[Hashable, Twin] = {}
        self.asked: dict[Hashable, int] = {}
        self.intersected: dict[Hashable, list[int]] = {}
        self.starts: dict[str, list[int]] = {}
        self.bytes = 0
