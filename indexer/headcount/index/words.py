"""
Strings with their first sixteen bytes beside them as numbers, to be hashed and compared quickly.

    heads     uint64[2, n]   bytes 0 to 7 and 8 to 15 of each, little-endian, zero past its end
    lengths   int32[n]       bytes of each

Two strings of up to sixteen bytes are equal exactly if their heads and lengths are; longer ones
have the rest compared as well. 128k ids of ten bytes are made into this in 3 ms, hashed in 1 and
compared in 2, where taking them from two Arrow arrays and comparing takes 12.

The hashes are of no use outside the process: nothing stored or shown depends on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index import hashing, strings
from headcount.index.hashing import Hashes, fmix64

Places = npt.NDArray[np.int64]

_WORD = 8  # bytes
_HEAD = 2 * _WORD
# By the bytes of a word that a string has: those bytes all ones.
_MASKS = np.array([(1 << 8 * count) - 1 for count in range(_WORD + 1)], dtype=np.uint64)


@dataclass(frozen=True, eq=False)
class Words:
    """The strings of `values` (no nulls), their heads and their lengths."""

    values: pa.StringArray
    heads: npt.NDArray[np.uint64]
    lengths: npt.NDArray[np.int32]

    @classmethod
    def build(cls, values: pa.StringArray) -> Words:
        """Return *values* with what belongs to them."""
        offsets, data = strings.views(values)
        lengths = np.diff(offsets)
        # Words may begin at the very last byte, or past it.
        padded = np.zeros(int(offsets[-1]) - int(offsets[0]) + _HEAD, dtype=np.uint8)
        padded[:-_HEAD] = data[int(offsets[0]) : int(offsets[-1])]
        words = np.ndarray((len(padded) - _WORD + 1,), "<u8", padded, strides=(1,))
        starts = offsets[:-1].astype(np.int64) - int(offsets[0])
        heads = np.empty((2, len(values)), dtype=np.uint64)
        for k, head in enumerate(heads):
            # A string that ends before has none of the word's bytes, whatever stands there.
            at = np.minimum(starts + k * _WORD, len(words) - 1)
            np.bitwise_and(words[at], _MASKS[np.clip(lengths - k * _WORD, 0, _WORD)], out=head)
        return cls(values, heads, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def hashes(self) -> Hashes:
        """Return a hash of each string, uint64[n], all bits mixed."""
        mixed = fmix64(self.heads[0] ^ fmix64(self.heads[1] ^ self.lengths.astype(np.uint64)))
        long = np.flatnonzero(self.lengths > _HEAD)
        if len(long):
            mixed[long] = fmix64(hashing.fnv1a64(self.values.take(pa.array(long))))
        return mixed

    def equal(self, places: Places, other: Words, others: Places) -> npt.NDArray[np.bool_]:
        """Return where the strings at *places* are those at *others* of *other*, fresh bool[n]."""
        lengths = self.lengths[places]
        same: npt.NDArray[np.bool_] = lengths == other.lengths[others]
        for mine, theirs in zip(self.heads, other.heads, strict=True):
            same &= mine[places] == theirs[others]
        long = np.flatnonzero(same & (lengths > _HEAD))
        if len(long):
            mine = self.values.take(pa.array(places[long]))
            theirs = other.values.take(pa.array(others[long]))
            same[long] = pc.equal(mine, theirs).to_numpy(zero_copy_only=False)
        return same

    def followed_by(self, later: Words) -> Words:
        """Return these strings and then those of *later*."""
        return Words(
            pa.concat_arrays([self.values, later.values]),
            np.concatenate([self.heads, later.heads], axis=1),
            np.concatenate([self.lengths, later.lengths]),
        )
