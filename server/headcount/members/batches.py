"""
Members in batches of 64 to 256 KiB: as ids, integers, records or ordinals.

    found rows ─► pieces of 16 Ki rows ─► Arrow arrays ─► cut and joined to one size ─► batches
                                                     (ordinals: block bitmaps, shifted and joined)

The size is that at which a stream is fastest (measured, 1M ids: 6-12 ms; in 4 KiB batches 50 ms),
whatever the blocks and the ids are: small blocks are joined, long values cut. No Python object is
made an id. What was found is taken block by block, so a segment is never held as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.ids import integers_of
from headcount.members import contacts
from headcount.model.errors import Reason, UserError

BATCH_BYTES = 128 << 10  # aimed at
BATCH_BYTES_MAX = 256 << 10
INTEGER_BYTES = 224 << 10  # aimed at for integers: 1M in 13 ms where messages of 128 KiB took 17

_INTEGERS = 1 << 12  # that are joined to batches: 32 KiB

Found = Iterable[tuple[Block, BitMap]]
T = TypeVar("T")


def ids(found: Found, limit: int = 0) -> Iterator[pa.StringArray]:
    """Yield the ids of the first *limit* members, all if it is 0; arrays start at offset 0."""
    taken = (block.ids.take(rows) for block, rows in contacts.pieces(found, limit))
    for group in grouped(sized(taken), nbytes):
        yield pa.concat_arrays(group)


def integers(found: Found, limit: int = 0) -> Iterator[npt.NDArray[np.uint64]]:
    """
    Yield ids as uint64[n].

    Raises:
        UserError: an id is not the decimal form of one, such as `0042`, `-1` or `a`.
    """
    taken = (_integers(block, rows) for block, rows in contacts.pieces(found, limit))
    parts = (
        values[start : start + _INTEGERS]
        for values in taken
        for start in range(0, len(values), _INTEGERS)
    )
    for group in grouped(parts, nbytes, INTEGER_BYTES):
        yield np.concatenate(group)


def records(
    found: Found, limit: int = 0, fields: Sequence[contacts.Column] = ()
) -> Iterator[list[pa.RecordBatch]]:
    """Yield record batches of ids and *fields*, several in a list where they are small."""
    taken = (contacts.columns(block, rows, fields) for block, rows in contacts.pieces(found, limit))
    yield from grouped(sized(taken), nbytes)


def ordinals(found: Found, limit: int, block_rows: int) -> Iterator[BitMap]:
    """Yield disjoint bitmaps of the ordinals of members; a full block is 128 KiB."""
    shifted = (_ordinals(block, rows, block_rows) for block, rows in _limited(found, limit) if rows)
    for group in grouped(shifted, lambda rows: len(rows.serialize())):
        yield BitMap.union(*group)


def _ordinals(block: Block, rows: BitMap, block_rows: int) -> BitMap:
    if block.ordinals is None:
        return rows.shift(block.number * block_rows)
    return bitmaps.from_sorted(block.ordinals[bitmaps.to_rows(rows)])


def nbytes(array: Any) -> int:
    """Return the size of an array or batch of Arrow or numpy; of a slice, only its own part."""
    size: int = array.nbytes
    return size


def sized(arrays: Iterable[Any]) -> Iterator[Any]:
    """Yield Arrow arrays or batches, those over the maximum cut in pieces of about one batch."""
    for array in arrays:
        length, size = len(array), nbytes(array)
        step = length if size <= BATCH_BYTES_MAX else max(1, length * BATCH_BYTES // size)
        for start in range(0, length, step or 1):
            yield array.slice(start, step)


def grouped(
    items: Iterable[T], size: Callable[[T], int], aim: int = BATCH_BYTES
) -> Iterator[list[T]]:
    """Yield the items in groups of about *aim* bytes; of several, at most the maximum."""
    group: list[T] = []
    held = 0
    for item in items:
        more = size(item)
        if group and held + more > BATCH_BYTES_MAX:
            yield group
            group, held = [], 0
        group.append(item)
        held += more
        if held >= aim:
            yield group
            group, held = [], 0
    if group:
        yield group


def _integers(block: Block, rows: contacts.Rows) -> npt.NDArray[np.uint64]:
    every = block.ids.integers
    if every is not None:
        first, last = int(rows[0]), int(rows[-1])
        # Everyone, a list that was imported: rows side by side need no gathering.
        return every[first : last + 1] if last - first == len(rows) - 1 else every.take(rows)
    found = integers_of(block.ids.take(rows))
    if found is None:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected ids that are whole numbers from 0 to 2^64 - 1 without leading zeros, found"
            " another; ask for ids as strings",
            field="format",
        )
    return found


def _limited(found: Found, limit: int) -> Iterator[tuple[Block, BitMap]]:
    left = limit or None
    for block, rows in found:
        if left is not None and len(rows) >= left:
            yield block, bitmaps.from_sorted(bitmaps.to_rows(rows)[:left])
            return
        yield block, rows
        if left is not None:
            left -= len(rows)
