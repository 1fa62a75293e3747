"""
The mark: which commit of the log was the newest that somebody was told of, kept beside the log.

    workspaces/<name>/log.mark      44 bytes, written over after every commit

Nothing inside an SQLite file shows that its write-ahead log was longer once: recovery stops at the
first frame that does not match its checksum and takes what lies before it for everything. Measured:
of 120 single flipped bits in a log that was not checkpointed, 25 dropped acknowledged commits
without an error. The mark is the witness that is kept elsewhere: a log that ends before it has lost
something.

It is not synced with the commit, which would double the price of one. It does not have to be. After
kill -9, or with a disk that flips bits, what was written is still there. After a power cut the mark
may be older than the log, never newer: it is written when the commit is already on the disk. So it
is never wrong, and only after a power cut may it know less than all. A commit that such an old mark
does not cover has a second witness in the client that holds its version.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from headcount.model.errors import CorruptionError
from headcount.storage import files
from headcount.storage.folder import workspace_folder

FILE = "log.mark"
CHAIN_BYTES = 16

_MAGIC = b"HCMK"
_BODY = struct.Struct(f"<4sIqq{CHAIN_BYTES}s")  # magic, format, epoch, sequence, chain
_SUM = struct.Struct("<I")
BYTES = _BODY.size + _SUM.size  # 44: far less than a sector, which a disk writes whole
FORMAT = 1  # of these bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest acknowledged commit, and the chained digest of the log up to it."""

    epoch: int
    sequence: int
    chain: bytes

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        body = _BODY.pack(_MAGIC, FORMAT, self.epoch, self.sequence, self.chain)
        return body + _SUM.pack(zlib.crc32(body))


def decode(data: bytes) -> Mark | None:
    """Return what *data* spells, or None when it is damaged or no mark."""
    body = data[: _BODY.size]
    if len(data) != BYTES or data[_BODY.size :] != _SUM.pack(zlib.crc32(body)):
        return None
    magic, form, epoch, sequence, chain = _BODY.unpack(body)
    return Mark(epoch, sequence, chain) if (magic, form) == (_MAGIC, FORMAT) else None


def mark_path(folder: Path, workspace: str) -> Path:
    """Return where the mark of a workspace lies."""
    return workspace_folder(folder, workspace) / FILE


class MarkFile:
    """The mark of a log that is being written, until closed; `found` is what it held before."""

    def __init__(self, path: Path) -> None:
        """
        Open the file; one that is not there is not made.

        Raises:
            CorruptionError: it is damaged.
        """
        self.path = path
        self.found: Mark | None = None
        self._descriptor = -1
        try:
            self._descriptor = files.open_to_write(path)
        except FileNotFoundError:
            return
        data = files.read_at(path, self._descriptor, BYTES + 1)
        self.found = decode(data)
        if self.found is None:
            self.close()
            raise CorruptionError(
                path,
                "damaged: it says up to where commits were acknowledged, and its checksum does not "
                "match; restore the data folder from a copy, or remove this file to go on without "
                "knowing whether the log lost its newest commits",
                offset=0,
            )

    def start(self, mark: Mark) -> None:
        """Write a mark durably, making the file when there is none."""
        if self._descriptor < 0:
            files.write_beside(self.path, mark.encode())
            files.rename(files.beside(self.path), self.path)
            files.sync_folder(self.path.parent)
            self._descriptor = files.open_to_write(self.path)
        else:
            self.write(mark)
            self.sync()

    def write(self, mark: Mark) -> None:
        """Write a mark over the one before, without waiting for the disk: a few microseconds."""
        files.write_at(self.path, self._descriptor, mark.encode())

    def sync(self) -> None:
        """Return when the mark is on the disk."""
        files.sync(self.path, self._descriptor)

    def close(self) -> None:
        """Let go of the file; again is harmless."""
        if self._descriptor >= 0:
            files.close(self._descriptor)
            self._descriptor = -1


def read_mark(folder: Path, workspace: str) -> Mark | None:
    """
    Return the mark of a log that another process may be writing, None without a good one.

    Takes no lock. Read in the middle of being written it looks damaged, hence None for that too.
    """
    path = mark_path(folder, workspace)
    try:
        descriptor = files.open_to_read(path)
    except FileNotFoundError:
        return None
    try:
        return decode(files.read_at(path, descriptor, BYTES + 1))
    finally:
        files.close(descriptor)
