"""
Members as messages: the answers of `StreamMembers` in each of its formats.

One batch becomes one message, by copying bytes. A repeated field of ids was rejected: it makes a
Python object an id, 47-75 ms for a million where `bytes` take 6-12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from headcount.index.view import View
from headcount.members import batches, contacts
from headcount.members.batches import BATCH_BYTES_MAX, Found
from headcount.model.errors import Reason, UserError
from headcount.v1 import segments_pb2 as pb

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"  # of an Arrow IPC stream


def messages(
    found: Found,
    request: pb.StreamMembersRequest,
    view: View,
    choose: Callable[[Sequence[str]], Sequence[contacts.Column]],
) -> Iterator[pb.StreamMembersResponse]:
    """
    Return the messages of what was found, in the format that *request* asks for.

    *choose* returns the columns of fields by name.

    Raises:
        UserError: the format does not exist, has no fields, or a field does not exist; while
            iterating, an id does not fit the format.
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
            return as_arrow(found, request.limit, choose(request.fields))
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
    for ids in batches.ids(found, limit):
        _, starts, text = ids.buffers()
        offsets = np.frombuffer(starts, dtype=np.int32, count=len(ids) + 1)
        packed = pb.MemberIds(
            offsets=(offsets - offsets[0]).astype("<u4").tobytes(),
            data=memoryview(text or b"")[offsets[0] : offsets[-1]].tobytes(),
        )
        yield pb.StreamMembersResponse(count=len(ids), ids=packed)


def as_uint64(found: Found, limit: int) -> Iterator[pb.StreamMembersResponse]:
    """Yield messages of ids as little-endian unsigned 64-bit integers."""
    for values in batches.integers(found, limit):
        packed = values.astype("<u8", copy=False).tobytes()
        yield pb.StreamMembersResponse(count=len(values), packed=packed)


def as_arrow(
    found: Found, limit: int, fields: Sequence[contacts.Column]
) -> Iterator[pb.StreamMembersResponse]:
    """Yield the bytes of one Arrow IPC stream of ids and *fields*."""
    head = contacts.arrow_schema(fields).serialize().to_pybytes()
    for group in batches.records(found, limit, fields):
        data = head + b"".join(_encoded(batch) for batch in group)
        head = b""
        count = sum(len(batch) for batch in group)
        # One contact can be larger than a message, and a batch has padding of its own.
        for start in range(0, len(data), BATCH_BYTES_MAX):
            last = start + BATCH_BYTES_MAX >= len(data)
            part = data[start : start + BATCH_BYTES_MAX]
            yield pb.StreamMembersResponse(count=count if last else 0, arrow=part)
    yield pb.StreamMembersResponse(arrow=head + _END_OF_STREAM)


def as_roaring(found: Found, limit: int, block_rows: int) -> Iterator[pb.StreamMembersResponse]:
    """Yield messages of one bitmap of ordinals each."""
    for ordinals in batches.ordinals(found, limit, block_rows):
        yield pb.StreamMembersResponse(count=len(ordinals), roaring=ordinals.serialize())


def _encoded(batch: pa.RecordBatch) -> bytes:
    data: bytes = batch.serialize().to_pybytes()
    return data
