"""
Conversions between numpy and roaring bitmaps, and what a bitmap really costs in memory.

pyroaring takes a numpy array one element at a time (20 ms for 500,000 rows). Here the portable
format is written with numpy instead and handed to `BitMap.deserialize`, which validates it:

    cookie 12346 | containers | (key, cardinality - 1) each | offset each | bodies
    body: up to 4,096 values as sorted uint16, more as 65,536 bits

The format wants sparse containers as arrays, and finding the set rows of a sparse mask is what
costs (`np.flatnonzero` of 2^20 rows, 5 % set: 790 µs). So sparse containers are written
complemented, as bits, and one XOR with the full range turns them back: CRoaring then makes the
arrays, 6 times faster.

Measured for 2^20 rows: mask to bitmap 70 µs dense, 130 µs at worst (5 %); bitmap to mask 15 to
200 µs; sorted rows to bitmap 30 µs for 10,000, 780 µs for 500,000.

Source of the format: https://github.com/RoaringBitmap/RoaringFormatSpec
"""

from __future__ import annotations

from array import array
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

Rows = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]
Words = npt.NDArray[np.uint64]  # bit r % 64 of word r // 64 is row r

_COOKIE = 12346  # no container is a list of runs
_RUN_COOKIE = 12347
_CONTAINER = 1 << 16  # rows in a container
_ARRAY_MAX = 4096  # a container with more values than this is bits
_BITS_BYTES = _CONTAINER // 8
_OFFSETS_FROM = 4  # with runs, offsets are written from this many containers on

# Below this many rows pyroaring's own constructor (5 ns a row) is faster than forging (24 µs).
_FORGE_FROM = 4000
# Sorting this many unsorted rows costs as much as a mask of 2^20 rows and back.
_SORT_BELOW = 8000

# Setting so many runs one by one costs as much as adding up the steps of all rows, 1 ms for 2^20.
_MANY_RUNS = 2000
_SOME_RUNS = 200  # the same for one container, 50 µs

# Looking one row up takes 60 ns; a mask of all rows is faster from so large a share on.
_LOOKUP_SHARE = 512
_SOME = 64  # rows that are made a bitmap to be looked up together

EMPTY = BitMap()


def from_mask(mask: Mask) -> BitMap:
    """Return the rows where *mask* (bool[n]) is true, as a fresh bitmap."""
    count = -(-len(mask) // _CONTAINER)
    if not count:
        return BitMap()
    packed = np.packbits(mask, bitorder="little")
    if len(packed) < count * _BITS_BYTES:
        padded = np.zeros(count * _BITS_BYTES, dtype=np.uint8)
        padded[: len(packed)] = packed
        packed = padded
    words = packed.view(np.uint64).reshape(count, -1)
    sizes = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    sparse = sizes <= _ARRAY_MAX
    all_sparse = bool(sparse.all())
    if all_sparse:
        np.invert(words, out=words)
    elif sparse.any():
        words[sparse] ^= np.uint64(0xFFFFFFFFFFFFFFFF)
    sizes[sparse] = _CONTAINER - sizes[sparse]
    keys = np.arange(count)
    found = _deserialize(keys, sizes, keys * _BITS_BYTES, packed.data)
    if all_sparse:
        found ^= full(count * _CONTAINER)
    else:
        for key in np.flatnonzero(sparse).tolist():
            found.flip_inplace(key * _CONTAINER, (key + 1) * _CONTAINER)
    return found


def from_sorted(rows: npt.NDArray[Any]) -> BitMap:
    """Return *rows* (uint32[n], ascending, unique) as a fresh bitmap."""
    rows = rows.astype("<u4", copy=False)
    if len(rows) < _FORGE_FROM:
        return BitMap(array("I", rows.tobytes()), optimize=False)
    first, last = int(rows[0]) // _CONTAINER, int(rows[-1]) // _CONTAINER
    edges = np.arange(first + 1, last + 1, dtype=np.uint32) * np.uint32(_CONTAINER)
    ends = np.append(np.searchsorted(rows, edges), len(rows))
    starts = np.append(0, ends[:-1])
    keys = np.flatnonzero(ends > starts)
    starts, ends = starts[keys], ends[keys]
    sizes = ends - starts
    low = rows.astype("<u2")
    bodies = [
        _bits(low[start:end]) if end - start > _ARRAY_MAX else low[start:end].tobytes()
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    lengths = np.array([len(body) for body in bodies])
    return _deserialize(keys + first, sizes, np.cumsum(lengths) - lengths, b"".join(bodies))


def from_rows(rows: npt.NDArray[Any]) -> BitMap:
    """Return *rows* (uint32[n], any order, repeats allowed) as a fresh bitmap."""
    if not len(rows):
        return BitMap()
    if len(rows) == 1:
        return BitMap((int(rows[0]),))
    if len(rows) < _FORGE_FROM:
        # pyroaring adds rows in order three times as fast.
        return BitMap(array("I", np.sort(rows).astype("<u4").tobytes()), optimize=False)
    top = int(rows.max()) + 1
    if len(rows) < _SORT_BELOW or top > 256 * len(rows):
        rows = np.sort(rows)
        return from_sorted(rows[np.append(True, rows[1:] != rows[:-1])])
    return from_mask(_scatter(rows, top))


def to_rows(bitmap: BitMap) -> Rows:
    """Return the rows of *bitmap*, ascending, as a fresh uint32 array; 63 µs for 500,000."""
    return np.frombuffer(bitmap.to_array(), dtype=np.uint32)


def to_mask(bitmap: BitMap, rows: int) -> Mask:
    """Return a fresh bool[rows] that is true at the rows of *bitmap*, all of them below *rows*."""
    size = len(bitmap)
    if size * 64 < rows:
        return _scatter(to_rows(bitmap), rows)
    bits = np.zeros(-(-rows // _CONTAINER) * _BITS_BYTES, dtype=np.uint8)
    listed: list[npt.NDArray[Any]] = []
    begun: list[npt.NDArray[np.intp]] = []
    ended: list[npt.NDArray[np.intp]] = []
    for key, kind, body in _containers(bitmap.serialize()):
        if kind == "bits":
            at = slice(key * _BITS_BYTES, (key + 1) * _BITS_BYTES)
            bits[at] = np.frombuffer(body, dtype=np.uint8)
            continue
        values = np.frombuffer(body, dtype="<u2").astype(np.intp)
        if kind == "array":
            listed.append(values + key * _CONTAINER)
        else:
            begun.append(values[0::2] + key * _CONTAINER)
            ended.append(begun[-1] + values[1::2] + 1)
    mask = np.unpackbits(bits, count=rows, bitorder="little").view(np.bool_)
    if listed:
        mask[np.concatenate(listed)] = True
    if sum(map(len, begun)) > _MANY_RUNS:
        steps = np.zeros(rows + 1, dtype=np.int8)
        np.add.at(steps, np.concatenate(begun), 1)
        np.add.at(steps, np.concatenate(ended), -1)  # where another container's run may begin
        mask |= np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_)
    else:
        for starts, ends in zip(begun, ended, strict=True):
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                mask[start:end] = True
    return mask


def to_words(bitmap: BitMap, rows: int) -> Words:
    """
    Return the rows of *bitmap*, all of them below *rows*, as fresh words; 0 from *rows* on.

    20 µs for 2^20 rows where the containers are bits, 150 where they are lists or runs.
    """
    bits = np.zeros(-(-rows // _CONTAINER) * _BITS_BYTES, dtype=np.uint8)
    for key, kind, body in _containers(bitmap.serialize()):
        at = slice(key * _BITS_BYTES, (key + 1) * _BITS_BYTES)
        if kind == "bits":
            bits[at] = np.frombuffer(body, dtype=np.uint8)
        elif kind == "array":
            bits[at] = np.frombuffer(_bits(np.frombuffer(body, dtype="<u2")), dtype=np.uint8)
        else:
            runs = np.frombuffer(body, dtype="<u2").astype(np.intp)
            bits[at] = _bits_of_runs(runs[0::2], runs[0::2] + runs[1::2] + 1)
    return bits.view("<u8")[: -(-rows // 64)].copy()


def holds(bitmap: BitMap, rows: npt.NDArray[Any], size: int) -> Mask:
    """Return which of *rows* (integers below *size*, any order) are in *bitmap*, fresh bool[n]."""
    if len(rows) * _LOOKUP_SHARE > size:
        return to_mask(bitmap, size).take(rows)
    if len(rows) > _SOME and from_rows(rows).issubset(bitmap):  # a ninth of looking each up
        return np.ones(len(rows), dtype=np.bool_)
    return np.fromiter(map(bitmap.__contains__, rows.tolist()), np.bool_, len(rows))


@lru_cache(maxsize=64)
def full(rows: int) -> BitMap:
    """Return the bitmap of all of 0 to *rows* - 1; shared, so never to be changed."""
    found = BitMap()
    found.add_range(0, rows)
    return found


@lru_cache(maxsize=16)
def solid(rows: int) -> BitMap:
    """
    Return the bitmap of all of 0 to *rows* - 1 as bits, not runs; shared, so never to be changed.

    Taking rows out of a copy of it is 10 times faster than out of `full`; it takes 1 bit a row.
    """
    return from_mask(np.ones(rows, dtype=np.bool_))


def payload(bitmap: BitMap) -> int:
    """Return the bytes of the values in *bitmap*, as its containers hold them: what is read."""
    about = bitmap.get_statistics()
    arrays, runs = about["n_bytes_array_containers"], about["n_bytes_run_containers"]
    return int(arrays + runs + about["n_bytes_bitset_containers"])


def memory(bitmap: BitMap) -> int:
    """
    Return the heap bytes that *bitmap* occupies (`sys.getsizeof` gives its serialised size).

    Counts what glibc hands out: the Python object (48), the roaring header (48), one block of 11
    bytes a container (pointer, key, kind), and for each container a 32-byte header and its values,
    every block rounded up to 16 with 8 of overhead and never below 32. One row is 192 bytes. Spare
    room of arrays that grew value by value is not seen (up to 15 %); `shrink_to_fit` drops it.
    Checked against resident memory: within 5 % for 2,000 bitmaps of 50,000 rows.
    """
    about = bitmap.get_statistics()
    containers = about["n_containers"]
    arrays, runs = about["n_array_containers"], about["n_run_containers"]
    total = 48 + 48 + (_heap(11 * containers) if containers else 0) + 32 * containers
    total += about["n_bitset_containers"] * (_BITS_BYTES + 48)  # aligned to a cache line
    # Values are rounded up per container; on average that costs 8 + 8 bytes.
    if arrays:
        total += arrays * _heap(about["n_bytes_array_containers"] // arrays)
    if runs:
        total += runs * _heap(about["n_bytes_run_containers"] // runs)
    return total


def _heap(size: int) -> int:
    """Return what malloc takes for *size* bytes."""
    return max(32, (size + 8 + 15) // 16 * 16)


def _bits(low: npt.NDArray[np.uint16]) -> bytes:
    """Return a container's values as 65,536 bits."""
    return np.packbits(_scatter(low, _CONTAINER), bitorder="little").tobytes()


def _bits_of_runs(
    starts: npt.NDArray[np.intp], ends: npt.NDArray[np.intp]
) -> npt.NDArray[np.uint8]:
    """Return a container's runs, none of which touches the next, as 65,536 bits."""
    mask = np.zeros(_CONTAINER, dtype=np.bool_)
    if len(starts) <= _SOME_RUNS:
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            mask[start:end] = True
    else:
        steps = np.zeros(_CONTAINER + 1, dtype=np.int8)
        steps[starts], steps[ends] = 1, -1
        np.cumsum(steps[:-1], dtype=np.int8, out=mask.view(np.int8))
    return np.packbits(mask, bitorder="little")


def _scatter(rows: npt.NDArray[Any], count: int) -> Mask:
    """Return a fresh bool[count] that is true at *rows*."""
    mask = np.zeros(count, dtype=np.bool_)
    mask[rows.astype(np.intp)] = True  # with another dtype numpy takes 3 times as long
    return mask


def _deserialize(
    keys: npt.NDArray[Any],
    sizes: npt.NDArray[Any],
    offsets: npt.NDArray[Any],
    bodies: bytes | memoryview,
) -> BitMap:
    """Return the bitmap of containers *keys* with *sizes* values, *offsets* into *bodies*."""
    count = len(keys)
    head = np.empty(2 + 2 * count, dtype="<u4")
    head[0], head[1] = _COOKIE, count
    pairs = head[2 : 2 + count].view("<u2")
    pairs[0::2], pairs[1::2] = keys, sizes - 1
    head[2 + count :] = offsets + head.nbytes
    return BitMap.deserialize(b"".join((head.data, bodies)))


def _containers(data: bytes) -> list[tuple[int, str, memoryview]]:
    """Return (key, "bits" | "array" | "runs", body) for each container of a portable bitmap."""
    view = memoryview(data)
    cookie = int.from_bytes(view[:4], "little")
    if cookie & 0xFFFF == _RUN_COOKIE:
        count = (cookie >> 16) + 1
        at = 4 + (count + 7) // 8
        is_run = np.unpackbits(np.frombuffer(view[4:at], dtype=np.uint8), bitorder="little")
        offsets_bytes = 4 * count if count >= _OFFSETS_FROM else 0
    else:
        assert cookie == _COOKIE, cookie
        count = int.from_bytes(view[4:8], "little")
        at = 8
        is_run = np.zeros(count, dtype=np.uint8)
        offsets_bytes = 4 * count
    pairs = np.frombuffer(view[at : at + 4 * count], dtype="<u2").tolist()
    at += 4 * count + offsets_bytes
    found: list[tuple[int, str, memoryview]] = []
    for index in range(count):
        key, size = pairs[2 * index], pairs[2 * index + 1] + 1
        if is_run[index]:
            kind, at = "runs", at + 2
            length = 4 * int.from_bytes(view[at - 2 : at], "little")
        elif size > _ARRAY_MAX:
            kind, length = "bits", _BITS_BYTES
        else:
            kind, length = "array", 2 * size
        found.append((key, kind, view[at : at + length]))
        at += length
    return found
