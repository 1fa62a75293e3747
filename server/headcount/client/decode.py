"""
Chunks of members, back into arrays: the inverse of `headcount.rpc.members`.

A message becomes one batch. Turning a million string ids into Python strings takes 50 ms; the other
forms make no object an id.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.v1.segments_pb2 import StreamMembersResponse

_PREFIX_BYTES = 8  # of an Arrow message: a continuation mark and the size of its metadata


def ids(message: StreamMembersResponse) -> list[str]:
    """Return the string ids of a message; [] if it has none."""
    if not message.count:
        return []
    offsets = pa.py_buffer(np.frombuffer(message.ids.offsets, dtype="<u4").astype(np.int32))
    array = pa.StringArray.from_buffers(message.count, offsets, pa.py_buffer(message.ids.data))
    array.validate(full=True)  # so that a damaged message is an error and not a crash
    found: list[str] = array.to_pylist()
    return found


def integers(message: StreamMembersResponse) -> npt.NDArray[np.uint64]:
    """Return the integer ids of a message as uint64[n]."""
    return np.frombuffer(message.packed, dtype="<u8").astype(np.uint64, copy=False)


def ordinals(message: StreamMembersResponse) -> BitMap:
    """Return the ordinals of a message; empty if it has none."""
    return BitMap.deserialize(message.roaring) if message.roaring else BitMap()


class ArrowReader:
    """
    Reads an Arrow IPC stream that comes in pieces.

    pyarrow's own reader pulls from a file, which asyncio cannot be; this one is pushed. `schema` is
    None until it has come, which is before the first batch.
    """

    def __init__(self) -> None:
        self._held = b""
        self.schema: pa.Schema | None = None

    def feed(self, message: StreamMembersResponse) -> Iterator[pa.RecordBatch]:
        """Yield the record batches that are complete with the bytes of *message*."""
        self._held += message.arrow
        at = 0
        view = memoryview(self._held)
        while len(view) - at > _PREFIX_BYTES:
            source = pa.BufferReader(pa.py_buffer(view[at:]))
            try:
                piece = pa.ipc.read_message(source)
            except (pa.ArrowInvalid, OSError):  # the rest of it is still to come
                break
            at += source.tell()
            if self.schema is None:
                self.schema = pa.ipc.read_schema(piece)
            else:
                yield pa.ipc.read_record_batch(piece, self.schema)
        self._held = self._held[at:]
