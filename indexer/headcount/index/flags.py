"""
The index of a boolean field: the rows that are true, and the rows that have a value.

Everything else follows: false is the one without the other. There is no column: two bitmaps of one
bit a row are smaller than a byte a row, and give the values back in 0.2 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index import parts as parts_of
from headcount.index.columns import Vector
from headcount.index.parts import Part, Parts


class FlagIndex:
    """The truth values of one field in a block of `rows` rows. Immutable."""

    kind: Literal["flag"] = "flag"

    def __init__(self, rows: int, true: BitMap, present: BitMap) -> None:
        """Take the rows that are *true*, all of them *present*."""
        self.rows = rows
        self.true = true
        self.present = present

    @classmethod
    def build(cls, values: pa.BooleanArray) -> FlagIndex:
        """Return the index of *values*, null where missing."""
        true = values.fill_null(False).to_numpy(zero_copy_only=False)
        present = values.is_valid().to_numpy(zero_copy_only=False)
        return cls(len(values), bitmaps.from_mask(true), bitmaps.from_mask(present))

    def equal(self, value: bool) -> BitMap:
        """Return the rows that are *value*, shared."""
        return self.true if value else self.present - self.true

    def vector(self) -> Vector:
        """Return the value of every row, bool[n], fresh."""
        return Vector(
            bitmaps.to_mask(self.true, self.rows), bitmaps.to_mask(self.present, self.rows)
        )

    def to_arrow(self, rows: npt.NDArray[Any] | None = None) -> pa.BooleanArray:
        """Return the values of *rows* (all when None), null where missing."""
        if rows is None:
            vector = self.vector()
            return pa.array(vector.values, mask=~vector.present)
        true, present = (bitmaps.holds(held, rows, self.rows) for held in (self.true, self.present))
        return pa.array(true, mask=~present)

    def memory(self) -> dict[str, int]:
        """Return the heap bytes held, by kind."""
        return {"postings": bitmaps.memory(self.true) + bitmaps.memory(self.present)}

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the index as parts named under *prefix*."""
        yield parts_of.array(f"{prefix}/rows", np.array([self.rows], dtype=np.uint32))
        yield parts_of.bitmap(f"{prefix}/true", self.true)
        yield parts_of.bitmap(f"{prefix}/present", self.present)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> FlagIndex:
        """Return the index that `parts` wrote under *prefix*."""
        (rows,) = parts.array(f"{prefix}/rows").tolist()
        return cls(rows, parts.bitmap(f"{prefix}/true"), parts.bitmap(f"{prefix}/present"))

    def check(self) -> Iterator[str]:
        """Yield what disagrees: a row that is true without a value, or outside the block."""
        stray = self.true - self.present
        if stray:
            yield f"row {stray[0]} is true, but is not among the rows with a value"
        if self.present and self.present.max() >= self.rows:
            yield f"row {self.present.max()} has a value, but there are {self.rows} rows"
