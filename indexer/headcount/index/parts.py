"""
Parts: how an index becomes bytes and comes back, without knowing about files.

A block is a set of named byte strings. Storage writes them, checksums them and hands them back;
only the index that wrote a part knows what is in it. Numbers are little-endian.

Encodings: `array:<dtype>` (a one-dimensional numpy array), `bitmap` (one roaring bitmap, portable
format), `bitmaps` (several, behind their lengths), `strings` (an Arrow string array: row count,
null flag, validity, offsets, bytes) and `json`.

Reading is zero-copy where the format allows: arrays and strings are views of the blob, which must
therefore never change.

Source of the bitmap bytes: https://github.com/RoaringBitmap/RoaringFormatSpec
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index.lazy import Lazy

Array = npt.NDArray[Any]
Guard = Callable[[], AbstractContextManager[None]]
S = TypeVar("S")
T = TypeVar("T")
_U64 = np.dtype("<u8")


@dataclass(frozen=True, slots=True)
class Part:
    """One named byte string of a block."""

    name: str
    encoding: str
    data: bytes | memoryview

    @property
    def size(self) -> int:
        """Return the number of bytes."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.nbytes


def array(name: str, values: Array) -> Part:
    """Return a part holding a one-dimensional numpy array."""
    assert values.ndim == 1, name
    little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
    return Part(name, f"array:{little.dtype.str}", little.tobytes())


def bitmap(name: str, value: BitMap) -> Part:
    """Return a part holding one bitmap."""
    return Part(name, "bitmap", value.serialize())


def bitmaps(name: str, values: Sequence[BitMap]) -> Part:
    """Return a part holding several bitmaps in order."""
    blobs = [value.serialize() for value in values]
    lengths = np.array([len(values), *map(len, blobs)], dtype=_U64)
    return Part(name, "bitmaps", lengths.tobytes() + b"".join(blobs))


def strings(name: str, values: pa.StringArray) -> Part:
    """Return a part holding an Arrow string array, nulls included; under 2 GiB of text."""
    values = pa.concat_arrays([values])  # drops any slice offset
    validity, offsets, data = values.buffers()
    count, nulls = len(values), values.null_count
    width = (count + 1) * 4
    head = np.array([count, nulls], dtype=_U64).tobytes()
    bits = bytes(validity)[: (count + 7) // 8] if nulls else b""
    starts = bytes(offsets)[:width] if count else bytes(4)
    return Part(name, "strings", head + bits + starts + (bytes(data) if data else b""))


def document(name: str, value: object) -> Part:
    """Return a part holding a JSON document."""
    return Part(name, "json", json.dumps(value, sort_keys=True).encode())


class Parts(Mapping[str, Part]):
    """
    The parts of one block, decoded on request.

    They are in memory, or *parts* is a mapping that reads each when it is asked for: then they are
    `lazy`, indexes are made of them one by one, and what goes wrong so late is raised as *guard*
    says, a context in which that is done.

    A name that is not there raises `KeyError`; an encoding other than the asked-for one, or bytes
    that do not decode, raise `ValueError`: storage has verified the checksum, so both mean that the
    writer and the reader disagree.
    """

    def __init__(
        self, parts: Iterable[Part] | Mapping[str, Part], guard: Guard = nullcontext
    ) -> None:
        self.lazy = isinstance(parts, Mapping)
        self._parts = parts if isinstance(parts, Mapping) else {part.name: part for part in parts}
        self._guard = guard

    def move(self, other: Parts) -> None:
        """Read from where *other* does from now on; it must hold the same."""
        self._parts, self._guard = other._parts, other._guard

    def made(self, sources: Mapping[str, S], make: Callable[[S], T]) -> Mapping[str, T]:
        """Return what *make* makes of each of *sources*: of lazy parts when it is asked for."""
        if not self.lazy:
            return {name: make(source) for name, source in sources.items()}

        def guarded(name: str) -> T:
            with self._guard():
                return make(sources[name])

        return Lazy(sources, guarded)

    def __getitem__(self, name: str) -> Part:
        return self._parts[name]

    def __contains__(self, name: object) -> bool:
        return name in self._parts

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def _data(self, name: str, encoding: str) -> bytes | memoryview:
        return self._part(name, encoding).data

    def _part(self, name: str, encoding: str) -> Part:
        part = self._parts[name]
        if part.encoding.partition(":")[0] != encoding:
            raise ValueError(f"part {name}: expected {encoding}, found {part.encoding}")
        return part

    def array(self, name: str) -> Array:
        """Return a read-only numpy array over the stored bytes."""
        part = self._part(name, "array")
        return np.frombuffer(part.data, dtype=np.dtype(part.encoding.partition(":")[2]))

    def bitmap(self, name: str) -> BitMap:
        """Return a fresh bitmap."""
        return _deserialize(self._data(name, "bitmap"))

    def bitmaps(self, name: str) -> list[BitMap]:
        """Return fresh bitmaps, in the order they were written."""
        data = memoryview(self._data(name, "bitmaps"))
        count = int(np.frombuffer(data[:8], dtype=_U64)[0])
        lengths = np.frombuffer(data[8 : 8 * (count + 1)], dtype=_U64)
        ends = 8 * (count + 1) + np.cumsum(lengths, dtype=np.int64)
        if (int(ends[-1]) if count else 8) != len(data):
            raise ValueError(f"part {name}: the lengths do not add up to its size")
        starts = ends - lengths.astype(np.int64)
        return [
            _deserialize(data[start:end])
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def strings(self, name: str) -> pa.StringArray:
        """Return an Arrow string array over the stored bytes."""
        data = memoryview(self._data(name, "strings"))
        count, nulls = (int(n) for n in np.frombuffer(data[:16], dtype=_U64))
        at = 16
        validity = None
        if nulls:
            validity = pa.py_buffer(data[at : at + (count + 7) // 8])
            at += (count + 7) // 8
        offsets = pa.py_buffer(data[at : at + 4 * (count + 1)])
        at += 4 * (count + 1)
        found = pa.StringArray.from_buffers(
            count, offsets, pa.py_buffer(data[at:]), validity, nulls
        )
        found.validate()
        return found

    def document(self, name: str) -> Any:
        """Return the decoded JSON document."""
        return json.loads(bytes(self._data(name, "json")))


def _deserialize(data: bytes | memoryview) -> BitMap:
    """Return the bitmap in *data*; CRoaring copies and validates it. Any buffer will do."""
    return BitMap.deserialize(cast(bytes, data))
