"""
The strings of a column, one after the other, with narrow offsets.

    Texts
    ├── offsets    where each begins: `Offsets`, 0 to 2 bytes a row where Arrow's take 4
    ├── data       their UTF-8
    └── validity   a bit a row, if some are missing

Arrow's functions need Arrow's offsets. Of all strings these are worked out when they are asked for
(1 ms for 2^20) and let go; of some they are laid out as `start, end, start, end ..`, so that
every other string is one of them, and Arrow gathers those as fast as from the whole. Strings of one
length need not even that: they are taken as what they are, values of so many bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.offsets import Offsets
from headcount.index.parts import Part, Parts

_FEW_SHARE = 16  # with more than one row in so many asked for, all offsets are worked out


class Texts:
    """Strings by row, some missing perhaps. Immutable."""

    def __init__(self, rows: int, array: pa.StringArray | None) -> None:
        """Hold *array* as it is; see `build`."""
        self.rows = rows
        self._whole = array

    _offsets: Offsets
    _data: pa.Buffer
    _validity: npt.NDArray[np.uint8] | None
    _nulls: int

    @classmethod
    def build(cls, array: pa.StringArray) -> Texts:
        """Return *array* (compact) with narrow offsets, or as it is where that saves nothing."""
        starts, data = strings.views(array)
        first = int(starts[0])
        offsets = Offsets.build(starts - first if first else starts, even=not array.null_count)
        if offsets.step is None and not len(offsets.anchors):
            return cls(len(array), array)
        used = pa.py_buffer(data[first : int(starts[-1])])
        validity = None
        if array.null_count:
            valid = array.is_valid().to_numpy(zero_copy_only=False)
            validity = np.packbits(valid, bitorder="little")
        return cls._narrow(offsets, used, validity, array.null_count)

    @classmethod
    def _narrow(
        cls, offsets: Offsets, data: pa.Buffer, validity: npt.NDArray[np.uint8] | None, nulls: int
    ) -> Texts:
        found = cls(offsets.rows, None)
        found._offsets, found._data = offsets, data
        found._validity, found._nulls = validity, nulls
        return found

    def __len__(self) -> int:
        return self.rows

    @property
    def array(self) -> pa.StringArray:
        """All strings; with narrow offsets 4 bytes a row are worked out, about 1 ms for 2^20."""
        if self._whole is not None:
            return self._whole
        validity = None if self._validity is None else pa.py_buffer(self._validity)
        offsets = pa.py_buffer(self._offsets.all())
        return pa.StringArray.from_buffers(self.rows, offsets, self._data, validity, self._nulls)

    def present(self) -> npt.NDArray[np.bool_]:
        """Return which rows have a string, bool[rows], fresh."""
        if self._whole is not None:
            valid: npt.NDArray[np.bool_] = self._whole.is_valid().to_numpy(zero_copy_only=False)
            return valid
        if self._validity is None:
            return np.ones(self.rows, dtype=np.bool_)
        return np.unpackbits(self._validity, count=self.rows, bitorder="little").astype(np.bool_)

    def take(self, rows: npt.NDArray[Any]) -> pa.StringArray:
        """Return the strings of *rows* (any integers), in their order, null where missing."""
        if self._whole is not None:
            return self._whole.take(pa.array(rows))
        if self._offsets.step is not None:
            return self._of_one_length(rows, self._offsets.step)
        if len(rows) * _FEW_SHARE > self.rows:
            return self.array.take(pa.array(rows))
        if not len(rows):
            return pa.array([], pa.string())
        starts, ends = self._offsets.spans(rows)
        edges = np.empty(2 * len(rows) + 1, dtype=np.int32)
        edges[:-1:2], edges[1::2] = starts, ends
        # What lies between two of them is "text" too, perhaps of negative length: never looked at.
        # Arrow wants the last offset to be no less than the first.
        edges[-1] = ends.max()
        every = pa.StringArray.from_buffers(len(edges) - 1, pa.py_buffer(edges), self._data)
        found = every.take(pa.array(np.arange(0, 2 * len(rows), 2, dtype=np.int32)))
        if self._validity is None:
            return found
        at = rows.astype(np.int64)
        valid = (self._validity[at >> 3] >> (at & 7).astype(np.uint8)) & 1
        nulls = len(rows) - int(valid.sum())
        bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
        _, offsets, data = found.buffers()
        return pa.StringArray.from_buffers(len(rows), offsets, data, bits, nulls)

    def is_at(self, row: int, text: bytes) -> bool:
        """Return whether the string of *row* is the UTF-8 *text*; a tenth of what `take` costs."""
        step = None if self._whole is not None else self._offsets.step
        if step is not None:
            return len(text) == step and bool(self._data[row * step : row * step + step] == text)
        found = self.take(np.array([row]))[0] if self._whole is None else self._whole[row]
        return bool(found.is_valid and found.as_buffer() == text)

    def _of_one_length(self, rows: npt.NDArray[Any], step: int) -> pa.StringArray:
        whole = pa.FixedSizeBinaryArray.from_buffers(pa.binary(step), self.rows, [None, self._data])
        taken = whole.take(pa.array(rows))
        offsets = np.arange(0, (len(rows) + 1) * step, step, dtype=np.int32)
        return pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), taken.buffers()[1])

    def lengths(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return how many bytes the strings of *rows* have, int64[n]."""
        if self._whole is not None:
            offsets, _ = strings.views(self._whole)
            at = rows.astype(np.intp)
            return offsets[at + 1].astype(np.int64) - offsets[at]
        starts, ends = self._offsets.spans(rows)
        return ends - starts

    @property
    def nbytes(self) -> int:
        """The bytes held, or shared with other columns."""
        return sum(self.buffers().values())

    def buffers(self) -> dict[int, int]:
        """Return the address and the size of each buffer, by which shared ones are told."""
        if self._whole is not None:
            held = [buffer for buffer in self._whole.buffers() if buffer is not None]
        else:
            held = [self._data, *map(pa.py_buffer, (self._offsets.above, self._offsets.anchors))]
            held += [] if self._validity is None else [pa.py_buffer(self._validity)]
        return {buffer.address: buffer.size for buffer in held}

    def parts(self, name: str) -> Iterator[Part]:
        """Yield the strings as one part *name*, or as several under it where they are narrow."""
        if self._whole is not None:
            yield parts_of.strings(name, self._whole)
            return
        yield from self._offsets.parts(f"{name}/offsets")
        yield parts_of.array(f"{name}/text", np.frombuffer(self._data, dtype=np.uint8))
        if self._validity is not None:
            yield parts_of.array(f"{name}/validity", self._validity)

    @staticmethod
    def are_in(parts: Parts, name: str) -> bool:
        """Return whether strings were written under *name*."""
        return name in parts or f"{name}/text" in parts

    @classmethod
    def from_parts(cls, parts: Parts, name: str) -> Texts:
        """Return the strings that `parts` wrote under *name*."""
        if name in parts:
            array = parts.strings(name)
            return cls(len(array), array)
        offsets = Offsets.from_parts(parts, f"{name}/offsets")
        data = pa.py_buffer(parts.array(f"{name}/text"))
        bits = f"{name}/validity"
        validity = parts.array(bits) if bits in parts else None
        nulls = 0
        if validity is not None:
            valid = np.unpackbits(validity, count=offsets.rows, bitorder="little")
            nulls = offsets.rows - int(valid.sum())
        return cls._narrow(offsets, data, validity, nulls)


def memory(*columns: Texts) -> int:
    """Return the bytes of the buffers that *columns* hold, shared ones counted once."""
    seen: dict[int, int] = {}
    for texts in columns:
        seen |= texts.buffers()
    return sum(seen.values())
