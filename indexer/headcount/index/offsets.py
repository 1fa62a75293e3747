"""
Where the items of each row begin, in as few bytes as give it back.

Text and members of sets lie one row after the other, row i from `offsets[i]` to `offsets[i + 1]`.
Four bytes a row say what is nearly known beforehand, so one of three forms is held:

    even    every row has `step` items                                         0 bytes a row
    near    offsets[i] = anchors[i >> shift] + above[i], above of 1 or 2 bytes  1.1 to 2.1
    wide    the offsets, in the narrowest dtype                                1 to 4

`near` is the one in which the smallest suits: a set of two labels a row has stretches of 64 rows,
an e-mail address of 27 bytes stretches of 1,024. Lengths of one byte would be as small, but a
row's place is then a sum over its stretch, where this is one addition.

All of 2^20 offsets are worked out in 1 ms, those of 1,000 rows in 30 µs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.columns import narrowed
from headcount.index.parts import Part, Parts

Starts = npt.NDArray[np.int64]

_FEW = 64  # rows that are held as they are: nothing to save
_SHIFTS = {1: range(3, 9), 2: range(4, 15)}  # that are tried, by the bytes of `above`
_NONE = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, eq=False)
class Offsets:
    """
    Where the items of `rows` rows begin. Immutable.

    `step` is set when even; otherwise `above` has `rows` + 1 values, which are the offsets
    themselves where there are no `anchors` (uint32, one for each 2^shift rows).
    """

    rows: int
    step: int | None = None
    shift: int = 0
    above: npt.NDArray[Any] = field(default_factory=lambda: _NONE)
    anchors: npt.NDArray[np.uint32] = field(default_factory=lambda: _NONE)

    @classmethod
    def build(cls, offsets: npt.NDArray[Any], *, even: bool = False) -> Offsets:
        """
        Return *offsets* (integers that do not fall, from 0, one more than rows).

        `step` is set only where *even* is wanted. 4 ms for 2^20 rows.
        """
        rows, top = len(offsets) - 1, int(offsets[-1])
        plain = cls(rows, above=narrowed(offsets, top))
        if rows < _FEW:
            return plain
        step = int(offsets[1])
        if even and step and top == step * rows and bool((np.diff(offsets) == step).all()):
            return cls(rows, step=step)
        least, chosen = plain.nbytes, None
        for width, shifts in _SHIFTS.items():
            for shift in reversed(shifts):
                size = (rows + 1) * width + 4 * ((rows >> shift) + 1)
                if size < least and _widest(offsets, shift) < 1 << 8 * width:
                    least, chosen = size, (width, shift)
        if chosen is None:
            return plain
        width, shift = chosen
        anchors = offsets[:: 1 << shift].astype(np.uint32)
        above = offsets - anchors.repeat(1 << shift)[: rows + 1].astype(offsets.dtype)
        return cls(rows, above=above.astype(f"<u{width}"), anchors=anchors, shift=shift)

    def __len__(self) -> int:
        return self.rows + 1

    @property
    def nbytes(self) -> int:
        """The bytes held."""
        return self.above.nbytes + self.anchors.nbytes

    def all(self) -> npt.NDArray[np.int32]:
        """Return every offset, int32[rows + 1], fresh."""
        if self.step is not None:
            return np.arange(0, (self.rows + 1) * self.step, self.step, dtype=np.int32)
        if not len(self.anchors):
            return self.above.astype(np.int32)
        found = self.anchors.astype(np.int32).repeat(1 << self.shift)[: self.rows + 1]
        found += self.above
        return found

    def spans(self, rows: npt.NDArray[Any]) -> tuple[Starts, Starts]:
        """Return where the items of *rows* (any integers, in any order) begin and end, fresh."""
        at = rows.astype(np.int64)
        if self.step is not None:
            return at * self.step, (at + 1) * self.step
        starts, after = self.above[at].astype(np.int64), at + 1
        ends = self.above[after].astype(np.int64)
        if len(self.anchors):
            starts += self.anchors[at >> self.shift]
            ends += self.anchors[after >> self.shift]
        return starts, ends

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the offsets as parts named under *prefix*."""
        about = {"rows": self.rows, "step": self.step, "shift": self.shift}
        yield parts_of.document(f"{prefix}/about", about)
        yield parts_of.array(f"{prefix}/above", self.above)
        yield parts_of.array(f"{prefix}/anchors", self.anchors)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> Offsets:
        """Return the offsets that `parts` wrote under *prefix*; before format 3, one array."""
        if prefix in parts:
            return cls.build(parts.array(prefix))
        about = parts.document(f"{prefix}/about")
        above = strings.aligned(parts.array(f"{prefix}/above"))
        return cls(above=above, anchors=strings.aligned(parts.array(f"{prefix}/anchors")), **about)

    def check(self, items: int) -> Iterator[str]:
        """Yield a sentence if the offsets fall, or do not end at *items*."""
        offsets = self.all()
        if (offsets[1:] < offsets[:-1]).any() or int(offsets[0]) or int(offsets[-1]) != items:
            yield "the offsets do not fit what they divide"


def _widest(offsets: npt.NDArray[Any], shift: int) -> int:
    """Return the most by which an offset is above the one at the beginning of its stretch."""
    firsts = offsets[:: 1 << shift]
    lasts = np.append(offsets[(1 << shift) - 1 :: 1 << shift], offsets[-1])[: len(firsts)]
    return int((lasts.astype(np.int64) - firsts).max())
