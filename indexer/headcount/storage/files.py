"""
Files: the operations that storage asks of the operating system, and what their failures mean.

Everything durable is made the same way: write beside, sync the file, rename over, sync the folder.
A rename is atomic, so a reader sees the old file or the new one; the second sync makes the rename
itself survive a power cut. Data that was not synced before the rename could be lost after it.

A failed sync is never retried: the kernel may have dropped the page it could not write, and the
next sync would report success (https://wiki.postgresql.org/wiki/Fsync_Errors). What was being
written is thrown away instead.

No other module of storage calls `os` to change anything, so that a test can fail each operation in
turn.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from pathlib import Path

import apsw

from headcount.model.errors import CorruptionError, HeadcountError, Reason, UserError

UNCHANGED = "what was stored before is unchanged"
TEMPORARY = ".tmp"  # suffix of a file that is still being written
_PIECE = 1 << 20  # bytes read and written at a time

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)
_FAULTS = (OSError, apsw.Error)


class explained:  # noqa: N801 - used like a function
    """
    Raise what the operating system or SQLite reports about *path* as an error that says what to do.

    *outcome* says what the failure means for what was stored before. A missing file, and whatever
    is not about the disk, is raised as it came. A class, because a generator costs each commit more
    than the calls it surrounds.
    """

    __slots__ = ("_offset", "_outcome", "_path")

    def __init__(self, path: Path, outcome: str = "", offset: int | None = None) -> None:
        self._path, self._outcome, self._offset = path, outcome, offset

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, _FAULTS):
            outcome = f"; {self._outcome}" if self._outcome else ""
            known = _explain(error, self._path, outcome, self._offset)
            if known is not None:
                raise known from error


def _explain(
    error: OSError | apsw.Error, path: Path, outcome: str, offset: int | None
) -> HeadcountError | None:
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or isinstance(error, apsw.FullError):
        return UserError(
            Reason.DISK_FULL,
            f"the disk is full: {path} could not be written{outcome}. Free space and try again",
        )
    if number in _DENIED or isinstance(error, apsw.PermissionsError | apsw.ReadOnlyError):
        return UserError(
            Reason.CONFLICT,
            f"{path} may not be opened or changed by this user ({error}){outcome}. "
            "Change its owner or mode, or run as its owner",
        )
    if number == errno.EIO or isinstance(error, apsw.IOError):
        return CorruptionError(
            path,
            f"the disk failed ({error}){outcome}. Look into the system log and replace the disk "
            "before trying again",
            offset=offset,
        )
    return None


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a file system: what an ordinary user may still write, and all of it."""

    free: int
    total: int


def space(path: Path) -> Space:
    """Return how much room the file system of *path* has; a few microseconds."""
    with explained(path):
        found = os.statvfs(path)
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def names(path: Path) -> list[str]:
    """Return the sorted names in a folder; none when it does not exist."""
    with explained(path):
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return []


def size(path: Path) -> int:
    """Return the bytes of a file, 0 when there is none."""
    with explained(path):
        try:
            return os.stat(path).st_size
        except FileNotFoundError:
            return 0


def make_folder(path: Path) -> None:
    """Make the folder *path* and those above it, each durable; one that exists is left alone."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with explained(path, UNCHANGED):
        try:
            os.mkdir(path)
        except FileExistsError:
            if not path.is_dir():
                raise UserError(
                    Reason.CONFLICT, f"{path} is a file where a folder is needed; move it away"
                ) from None
    sync_folder(path.parent)


def create(path: Path) -> int:
    """Return a descriptor of the new, empty file *path*; the caller closes it."""
    with explained(path, UNCHANGED):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)


def open_to_write(path: Path) -> int:
    """Return a descriptor of the existing file *path*, for reading and writing in place."""
    with explained(path, UNCHANGED):
        return os.open(path, os.O_RDWR)


def open_to_read(path: Path) -> int:
    """Return a descriptor of the existing file *path*, for reading."""
    with explained(path):
        return os.open(path, os.O_RDONLY)


def close(descriptor: int) -> None:
    """Let go of a descriptor."""
    os.close(descriptor)


def read_at(path: Path, descriptor: int, count: int) -> bytes:
    """Return the first *count* bytes of an open file, fewer when it is shorter."""
    with explained(path, offset=0):
        return os.pread(descriptor, count, 0)


def write_at(path: Path, descriptor: int, data: bytes) -> None:
    """Write *data*, less than a page, over the beginning of an open file; does not sync."""
    with explained(path):
        written = os.pwrite(descriptor, data, 0)
        if written != len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_again(path: Path) -> None:
    """
    Write a file's bytes over themselves and sync them; a file that is not there is left at that.

    After a failed sync, Linux may hold pages that it takes for written and that are not. Written
    again they have to go to the disk, or this fails.
    """
    try:
        descriptor = open_to_write(path)
    except FileNotFoundError:
        return
    try:
        with explained(path, UNCHANGED):
            start = 0
            while data := os.pread(descriptor, _PIECE, start):
                start += os.pwrite(descriptor, data, start)
        sync(path, descriptor)
    finally:
        os.close(descriptor)


def sync(path: Path, descriptor: int) -> None:
    """Return when everything written to the file is on the disk."""
    with explained(path, UNCHANGED):
        os.fsync(descriptor)


def sync_folder(path: Path, outcome: str = UNCHANGED) -> None:
    """Return when the names in the folder are on the disk."""
    with explained(path, outcome):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def beside(path: Path) -> Path:
    """Return the temporary name under which *path* is written."""
    return path.with_name(path.name + TEMPORARY)


def write_beside(path: Path, data: bytes) -> None:
    """Write *data* under the temporary name of *path*, durably; a leftover of that name goes."""
    temporary = beside(path)
    remove(temporary)
    descriptor = create(temporary)
    try:
        rest = memoryview(data)
        while rest:  # a full disk may take only a part, without an error
            with explained(temporary, UNCHANGED):
                rest = rest[os.write(descriptor, rest) :]
        sync(temporary, descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give *source* the name *target*, in place of any file of that name."""
    with explained(target, UNCHANGED):
        os.replace(source, target)


def remove(path: Path, outcome: str = UNCHANGED) -> None:
    """Remove the file *path*; it is no error that it is gone already."""
    with explained(path, outcome), contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def discard(path: Path) -> None:
    """
    Remove a half-written file after another error, if that is possible.

    A second failure is not reported: the first is the one to mend, and the next writer removes
    leftovers before it begins.
    """
    with contextlib.suppress(OSError):
        os.unlink(path)
