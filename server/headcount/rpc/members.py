"""
Members as bytes: the chunks of `StreamMembers` in each of its formats.

    found rows ─► pieces of 64 Ki rows ─► Arrow arrays ─► messages of 64 to 256 KiB
                                             │
                                             ├ ids       offsets and text, as Arrow holds them
                                             ├ packed    parsed as uint64
                                             ├ arrow     record batches
                                             └ roaring   not through arrays: block bitmaps, shifted

No format makes a Python object an id: measured, 1M ids take 6-12 ms as `bytes` in messages of
64-256 KiB, and 47-75 ms as a repeated field. Smaller messages cost a wake-up each (4 KiB: 50 ms);
larger ones gain nothing and hold up other calls on the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from headcount import contacts
from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.view import View
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field
from headcount.v1 import segments_pb2 as pb

CHUNK_BYTES = 128 << 10  # aimed at
CHUNK_BYTES_MAX = 256 << 10

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of an Arrow IPC stream

Found = Iterable[tuple[Block, BitMap]]
T = TypeVar("T")


def chunks(
    found: Found, request: pb.StreamMembersRequest, view: View
) -> Iterator[pb.StreamMembersResponse]:
    """
    Return the messages of what was found, in the format that *request* asks for.

    Raises:
        UserError: the format does not exist, has no fields, or a field does not exist.
    """
    if request.fields and request.format != pb.MEMBER_FORMAT_ARROW:
        raise UserError(
            Reason.INVALID_VALUE,
            "only MEMBER_FORMAT_ARROW has fields; ask for that format, or leave the fields out",
            field="fields",
        )
    match request.format:
        case pb.MEMBER_FORMAT_UNSPECIFIED | pb.MEMBER_FORMAT_IDS:
            return as_ids(found, request.limit)
        case pb.MEMBER_FORMAT_UINT64:
            return as_uint64(found, request.limit)
        case pb.MEMBER_FORMAT_ARROW:
            return as_arrow(found, request.limit, contacts.choose(view.schema, request.fields))
        case pb.MEMBER_FORMAT_ROARING:
            return as_roaring(found, request.limit, view.block_rows)
    raise UserError(
        Reason.INVALID_VALUE,
        f"there is no member format {request.format}; expected one of"
        f" {', '.join(pb.MemberFormat.keys())}",
        field="format",
    )


def as_ids(found: Found, limit: int) -> Iterator[pb.StreamMembersResponse]:
    """Yield messages of string ids."""
    taken = (block.ids.take(rows) for block, rows in contacts.pieces(found, limit))
    for group in grouped(sized(taken), nbytes):
        ids = pa.concat_arrays(group)  # starts at offset 0
        offsets = np.frombuffer(ids.buffers()[1], dtype=np.int32, count=len(ids) + 1)
        data = ids.buffers()[2]
        text = b"" if data is None else memoryview(data)[offsets[0] : offsets[-1]].tobytes()
        packed = (offsets - offsets[0]).astype("<u4").tobytes()
        yield pb.StreamMembersResponse(count=len(ids), ids=pb.MemberIds(offsets=packed, data=text))


def as_uint64(found: Found, limit: int) -> Iterator[pb.StreamMembersResponse]:
    """
    Yield messages of ids as little-endian unsigned 64-bit integers.

    Raises:
        UserError: an id is not the decimal form of one.
    """
    taken = (block.ids.take(rows) for block, rows in contacts.pieces(found, limit))
    for group in grouped(map(integers, sized(taken)), nbytes):
        values = np.concatenate(group)
        yield pb.StreamMembersResponse(count=len(values), packed=values.astype("<u8").tobytes())


def as_arrow(
    found: Found, limit: int, fields: Sequence[Field]
) -> Iterator[pb.StreamMembersResponse]:
    """Yield the bytes of one Arrow IPC stream of ids and *fields*."""
    schema = contacts.arrow_schema(fields)
    head = schema.serialize().to_pybytes()
    batches = (
        contacts.columns(block, rows, fields) for block, rows in contacts.pieces(found, limit)
    )
    for group in grouped(sized(batches), nbytes):
        count = sum(len(batch) for batch in group)
        data = head + b"".join(batch.serialize().to_pybytes() for batch in group)
        head = b""
        # One contact can be larger than a message, and a batch has padding of its own.
        for start in range(0, len(data), CHUNK_BYTES_MAX):
            last = start + CHUNK_BYTES_MAX >= len(data)
            part = data[start : start + CHUNK_BYTES_MAX]
            yield pb.StreamMembersResponse(count=count if last else 0, arrow=part)
    yield pb.StreamMembersResponse(arrow=head + _END_OF_STREAM)


def as_roaring(found: Found, limit: int, block_rows: int) -> Iterator[pb.StreamMembersResponse]:
    """Yield messages of one bitmap of ordinals each; a full block is 128 KiB."""
    shifted = (
        rows.shift(block.number * block_rows) for block, rows in limited(found, limit) if rows
    )
    for group in grouped(shifted, lambda rows: len(rows.serialize())):
        ordinals = BitMap.union(*group)
        yield pb.StreamMembersResponse(count=len(ordinals), roaring=ordinals.serialize())


def limited(found: Found, limit: int) -> Iterator[tuple[Block, BitMap]]:
    """Yield what was found, up to *limit* rows in all (everything if 0)."""
    left = limit or None
    for block, rows in found:
        if left is not None and len(rows) >= left:
            yield block, bitmaps.from_sorted(bitmaps.to_rows(rows)[:left])
            return
        yield block, rows
        if left is not None:
            left -= len(rows)


def integers(ids: pa.StringArray) -> npt.NDArray[np.uint64]:
    """
    Return ids as uint64[n].

    Raises:
        UserError: an id is not the decimal form of one, such as `0042`, `-1` or `a`.
    """
    try:
        values = pc.cast(ids, pa.uint64())
    except pa.ArrowInvalid:
        values = None
    if values is None or not pc.cast(values, pa.string()).equals(ids):
        raise UserError(
            Reason.INVALID_VALUE,
            "expected ids that are whole numbers from 0 to 2^64 - 1 without leading zeros, found"
            " another; ask for the format MEMBER_FORMAT_IDS",
            field="format",
        )
    found: npt.NDArray[np.uint64] = values.to_numpy()
    return found


def nbytes(array: Any) -> int:
    """Return the size of an array or batch of Arrow or numpy; of a slice, only its own part."""
    size: int = array.nbytes
    return size


def sized(arrays: Iterable[Any]) -> Iterator[Any]:
    """Yield Arrow arrays or batches, those over a message cut in pieces of about one chunk."""
    for array in arrays:
        length, size = len(array), nbytes(array)
        step = length if size <= CHUNK_BYTES_MAX else max(1, length * CHUNK_BYTES // size)
        for start in range(0, length, step or 1):
            yield array.slice(start, step)


def grouped(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in groups of at least half a chunk, without going far over one."""
    group: list[T] = []
    held = 0
    for item in items:
        more = size(item)
        if group and held + more > CHUNK_BYTES_MAX:
            yield group
            group, held = [], 0
        group.append(item)
        held += more
        if held >= CHUNK_BYTES:
            yield group
            group, held = [], 0
    if group:
        yield group
