"""
Checkpoints: the state of a membership as bytes, and as it is after some more transitions.

    inside | gone          portable roaring, each behind its size
    pauses                 pairs of an ordinal and an instant

Who is inside after a checkpoint follows from the transitions behind it, which hold ordinals. Who
belongs to the segment without being let in is not kept: that is found by asking the segment.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from pyroaring import BitMap

from headcount.index.view import Version
from headcount.segments.watch.membership import State
from headcount.segments.watch.transitions import Kind, Reentry, Settings
from headcount.storage.watches import Checkpoint, Progress, Row

_SIZE = struct.Struct("<Q")
_PAUSE = struct.Struct("<Qq")


def encode(state: State) -> bytes:
    """Return who is inside and who is barred."""
    parts = []
    for bitmap in (state.inside, state.gone):
        data = bitmap.serialize()
        parts += [_SIZE.pack(len(data)), data]
    parts += [_PAUSE.pack(*pause) for pause in sorted(state.pauses.items())]
    return b"".join(parts)


def members(data: bytes) -> int:
    """
    Return how many were inside, without making more of what `encode` returned.

    Raises:
        ValueError: the bytes are not what it returns.
    """
    try:
        (size,) = _SIZE.unpack(data[: _SIZE.size])
        return len(BitMap.deserialize(data[_SIZE.size : _SIZE.size + size]))
    except (struct.error, ValueError) as error:
        raise ValueError(f"not a checkpoint: {error}") from error


def decode(
    found: Checkpoint, later: Iterable[Row], progress: Progress, settings: Settings
) -> State:
    """
    Return the state after the transitions *later* than a checkpoint.

    Raises:
        ValueError: the bytes are not what `encode` returns.
    """
    bitmaps, rest = [], memoryview(found.data)
    try:
        for _ in range(2):
            (size,) = _SIZE.unpack(rest[: _SIZE.size])
            data, rest = rest[_SIZE.size : _SIZE.size + size], rest[_SIZE.size + size :]
            bitmaps.append(BitMap.deserialize(bytes(data)))
        pauses = dict(_PAUSE.iter_unpack(rest))
    except (struct.error, ValueError) as error:
        raise ValueError(f"not a checkpoint: {error}") from error
    inside, gone = bitmaps
    number = found.number
    for row in later:
        number = row.number
        if row.kind == Kind.ENTER:
            inside.add(row.ordinal)
            pauses.pop(row.ordinal, None)
            continue
        inside.discard(row.ordinal)
        if settings.reentry is Reentry.ONCE:
            gone.add(row.ordinal)
        elif settings.reentry is Reentry.AFTER:
            pauses[row.ordinal] = row.at + settings.pause
    pauses = {ordinal: until for ordinal, until in pauses.items() if until > progress.instant}
    version = Version(progress.epoch, progress.sequence)
    return State(version, progress.instant, number, inside.copy(), inside, gone, pauses)
