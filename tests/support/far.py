"""Arrow arrays whose bytes lie far behind the beginning of their buffers, without the memory."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

FAR = (1 << 31) + 1_000  # bytes, or members, that nobody reads: pages that are never touched


def far_texts(texts: Sequence[str], *, binary: bool = False) -> pa.Array:
    """Return large strings (or large binary) that begin behind 2^31 bytes of their buffer."""
    encoded = [text.encode() for text in texts]
    raw = b"".join(encoded)
    data = mmap.mmap(-1, FAR + len(raw) + 1)
    data[FAR : FAR + len(raw)] = raw
    offsets = FAR + np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    kind = pa.large_binary() if binary else pa.large_string()
    return pa.Array.from_buffers(
        kind, len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def huge_texts(rows: int) -> pa.Array:
    """Return large strings of 2^31 + 1,000 zero bytes in all."""
    offsets = np.linspace(0, FAR, rows + 1).astype(np.int64)
    data = pa.py_buffer(mmap.mmap(-1, FAR))
    return pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(offsets), data])


def far_lists(lists: Sequence[Sequence[bool]]) -> pa.Array:
    """Return large lists of booleans that begin behind 2^31 members."""
    counts = [len(one) for one in lists]
    members = np.packbits([item for one in lists for item in one], bitorder="little").tobytes()
    start = FAR - FAR % 8
    data = mmap.mmap(-1, start // 8 + len(members) + 1)
    data[start // 8 : start // 8 + len(members)] = members
    total = start + sum(counts)
    child = pa.Array.from_buffers(pa.bool_(), total, [None, pa.py_buffer(data)])
    offsets = start + np.cumsum([0, *counts], dtype=np.int64)
    kind = pa.large_list(pa.bool_())
    return pa.Array.from_buffers(kind, len(lists), [None, pa.py_buffer(offsets)], children=[child])
