"""
Postings: for each code (a value's number in a dictionary), the rows that have it.

    heads   codes with at least 0.1 % of the block's rows: a bitmap each, 2 bytes a row or less
    tail    all others: `rows` by code, then row, and `starts[code]` into it, 4 bytes a row

A bitmap of one row takes 192 bytes, so a bitmap for each of 100,000 values would take 20 MB where
the lists take 4. A list becomes a bitmap when it is asked for: at most 1,000 rows, 8 µs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index import parts as parts_of
from headcount.index.bitmaps import EMPTY, Rows
from headcount.index.columns import stable_order
from headcount.index.parts import Part, Parts

_HEAD_SHARE = 1000  # a code with more than 1 row in this many is a head
_HEAD_ROWS = 32  # and has at least this many rows: fewer take less room as a list

Codes = npt.NDArray[Any]


class Postings:
    """Code to rows, for codes 0 to `count` - 1 in a block of `block_rows` rows. Immutable."""

    def __init__(
        self, block_rows: int, heads: dict[int, BitMap], starts: npt.NDArray[Any], rows: Rows
    ) -> None:
        """Take *heads*, and the tail as *rows* (uint32) with *starts* (count + 1) into them."""
        self.block_rows = block_rows
        self.count = len(starts) - 1
        self._heads = heads
        self._starts = starts
        self._rows = rows

    @classmethod
    def build(cls, codes: Codes, rows: npt.NDArray[Any], count: int, block_rows: int) -> Postings:
        """
        Return the postings in which row `rows[i]` has code `codes[i]`, below *count*.

        Entries come in ascending order of rows, no pair twice. About 30 ms per million.
        """
        counts = np.bincount(codes, minlength=count)
        ordered = rows[stable_order(codes)].astype(np.uint32, copy=False)
        return cls.from_lists(counts, ordered, block_rows)

    @classmethod
    def from_lists(cls, counts: npt.NDArray[Any], rows: Rows, block_rows: int) -> Postings:
        """Return the postings of *rows*, ascending in each code, `counts[code]` of them each."""
        is_head = (counts >= _HEAD_ROWS) & (counts * _HEAD_SHARE >= block_rows)
        ends = np.cumsum(counts)
        heads = {}
        for code in np.flatnonzero(is_head).tolist():
            held = bitmaps.from_sorted(rows[ends[code] - counts[code] : ends[code]])
            held.run_optimize()
            held.shrink_to_fit()
            heads[code] = held
        tail = rows[np.repeat(~is_head, counts)] if heads else rows
        starts = np.append(0, np.cumsum(np.where(is_head, 0, counts)))
        return cls(block_rows, heads, starts.astype(np.min_scalar_type(len(tail))), tail)

    def get(self, code: int) -> BitMap:
        """Return the rows that have *code*, shared."""
        held = self._heads.get(code)
        if held is not None:
            return held
        return bitmaps.from_sorted(self._rows[self._starts[code] : self._starts[code + 1]])

    def cardinality(self, code: int) -> int:
        """Return how many rows have *code*."""
        held = self._heads.get(code)
        if held is not None:
            return len(held)
        return int(self._starts[code + 1]) - int(self._starts[code])

    def union(self, codes: Sequence[int] | Codes) -> BitMap:
        """Return the rows that have any of *codes* (unique), shared."""
        if len(codes) == 1:
            return self.get(int(codes[0]))
        if not len(codes):
            return EMPTY
        listed = codes.tolist() if isinstance(codes, np.ndarray) else codes
        found = [self._heads[code] for code in listed if code in self._heads]
        if len(found) < len(listed):
            found.append(bitmaps.from_rows(self._listed(np.asarray(codes, dtype=np.intp))))
        return found[0] if len(found) == 1 else BitMap.union(*found)

    def touched(self, codes: Sequence[int]) -> int:
        """Return how many bytes `union` reads: none for a bitmap that it hands out as it is."""
        heads = [self._heads[code] for code in codes if code in self._heads]
        tail = sum(self.cardinality(code) for code in codes if code not in self._heads)
        if len(heads) == len(codes) == 1:
            return 0
        return sum(map(bitmaps.payload, heads)) + self._rows.itemsize * tail

    def entries(self) -> tuple[Codes, Rows]:
        """Return (codes, rows) of every entry, fresh, heads before the tail."""
        tail = np.repeat(np.arange(self.count), self._starts[1:] - self._starts[:-1])
        codes = [np.full(len(held), code) for code, held in self._heads.items()]
        rows = [bitmaps.to_rows(held) for held in self._heads.values()]
        return np.concatenate([*codes, tail]), np.concatenate([*rows, self._rows])

    def memory(self) -> int:
        """Return the heap bytes held."""
        heads = sum(map(bitmaps.memory, self._heads.values()))
        keys = sys.getsizeof(self._heads) + 32 * len(self._heads)
        return heads + keys + self._starts.nbytes + self._rows.nbytes

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the postings as parts named under *prefix*."""
        codes = np.array([self.block_rows, *self._heads], dtype=np.uint32)
        yield parts_of.array(f"{prefix}/heads", codes)
        yield parts_of.bitmaps(f"{prefix}/bitmaps", list(self._heads.values()))
        yield parts_of.array(f"{prefix}/starts", self._starts)
        yield parts_of.array(f"{prefix}/tail", self._rows)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> Postings:
        """Return the postings that `parts` wrote under *prefix*."""
        block_rows, *codes = parts.array(f"{prefix}/heads").tolist()
        heads = dict(zip(codes, parts.bitmaps(f"{prefix}/bitmaps"), strict=True))
        starts, rows = parts.array(f"{prefix}/starts"), parts.array(f"{prefix}/tail")
        return cls(block_rows, heads, starts, rows)

    def differences(self, other: Postings) -> Iterator[int]:
        """Yield each code whose rows, or the form they are held in, differ from *other*'s."""
        assert self.count == other.count, (self.count, other.count)
        for code in sorted(self._heads.keys() | other._heads.keys()):
            if self._heads.get(code) != other._heads.get(code):
                yield code
        if np.array_equal(self._starts, other._starts) and np.array_equal(self._rows, other._rows):
            return
        for code in range(self.count):
            if code not in self._heads and self.get(code) != other.get(code):
                yield code

    def _listed(self, codes: npt.NDArray[np.intp]) -> Rows:
        """Return the tail's rows of *codes*, in no order."""
        starts = self._starts[codes].astype(np.int64)
        counts = self._starts[codes + 1].astype(np.int64) - starts
        ends = np.cumsum(counts)
        if not len(ends) or not ends[-1]:
            return np.zeros(0, dtype=np.uint32)
        places = np.arange(ends[-1]) + np.repeat(starts - (ends - counts), counts)
        found: Rows = self._rows[places]
        return found
