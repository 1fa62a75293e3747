"""
A disk in memory that forgets what was not synced: for power cuts, failures and full disks by seed.

`MemoryDisk` stands in for both ways in which storage reaches a disk: the default VFS of SQLite, and
the `os` of `headcount.storage.files`. It knows, of each file, what was written and what of it was
synced, and of each name, whether its folder was.

    power cut     every 512-byte sector written since the last sync of its file is kept or not, each
                  by itself, so writes are torn and reordered; truncations and names likewise
    failed sync   as Linux does: the pages are dropped from what will ever be written, the next sync
                  succeeds, and until the power goes they can still be read
    full          what makes a file longer than there is room for fails, or is written in part

What it assumes, as SQLite does on Linux: a sector is written whole or not, and bytes beside those
written are not touched; and the sync of a new write-ahead log makes its name durable.
"""

from __future__ import annotations

import errno
import os
import random
from types import TracebackType
from typing import Any

import apsw
import pytest

from headcount.storage import files

VFS = "memory-disk"
SECTOR = 512
UNLIMITED = 1 << 40
_DESCRIPTORS = 1000  # the first descriptor of ours


class PowerCut(BaseException):
    """The machine is off; nothing may catch this and act."""


class MemoryFile:
    """What a file holds: to who reads it, on the platters, and the writes in between."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.durable = bytearray()
        self.pending: list[tuple[int, bytes | None]] = []  # offset and data; None: cut there

    def write(self, data: bytes, offset: int) -> None:
        """Write into memory."""
        _patch(self.data, data, offset)
        self.pending.append((offset, bytes(data)))

    def truncate(self, size: int) -> None:
        """Shorten in memory."""
        del self.data[size:]
        self.pending.append((size, None))

    def sync(self) -> None:
        """Bring to the platters what was written since the last time."""
        for offset, data in self.pending:
            _apply(self.durable, data, offset)
        self.pending.clear()

    def cut(self, chance: random.Random, kept: float) -> None:
        """Lose the power: each sector written since the last sync is kept with chance *kept*."""
        for offset, data in self.pending:
            if data is None:
                if chance.random() < kept:
                    del self.durable[offset:]
                continue
            start = 0
            while start < len(data):
                end = min(len(data), start + SECTOR - (offset + start) % SECTOR)
                if chance.random() < kept:
                    _patch(self.durable, data[start:end], offset + start)
                start = end
        self.pending.clear()
        self.data = bytearray(self.durable)


def _patch(target: bytearray, data: bytes, offset: int) -> None:
    if len(target) < offset:
        target.extend(bytes(offset - len(target)))
    target[offset : offset + len(data)] = data


def _apply(target: bytearray, data: bytes | None, offset: int) -> None:
    if data is None:
        del target[offset:]
    else:
        _patch(target, data, offset)


class MemoryDisk:
    """
    The disk, in use for the length of a `with` block.

    `operations` counts what changes it or makes that durable. Number `cut_at` of them is a power
    cut; from number `fail_at` on, `fail_times` of them fail with EIO, only those of `fail_kind` if
    that is given. `capacity` is what all files may hold together. `struck` lists the kinds of
    operations that did not come to pass.
    """

    def __init__(self) -> None:
        self.names: dict[str, MemoryFile] = {}
        self.durable_names: dict[str, MemoryFile] = {}
        self.operations = 0
        self.cut_at = self.fail_at = -1
        self.fail_times = 0
        self.fail_kind = ""
        self.failed = 0
        self.capacity = UNLIMITED
        self.off = False
        self.struck: list[str] = []
        self._open: dict[int, tuple[str, MemoryFile | None, list[int]]] = {}
        self._next = _DESCRIPTORS
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> MemoryDisk:
        self._vfs = _Vfs(self)
        self._patch.setattr(files, "os", MemoryOs(self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patch.undo()
        self._vfs.unregister()

    @property
    def used(self) -> int:
        """The bytes of all files."""
        return sum(len(found.data) for found in self.names.values())

    def restart(self) -> None:
        """Begin to count anew, without faults, whatever happened before."""
        self.operations = self.failed = self.fail_times = 0
        self.cut_at = self.fail_at = -1
        self.fail_kind = ""
        self.capacity = UNLIMITED
        self.off = False
        self._open.clear()

    def lose_power(self, chance: random.Random) -> None:
        """Forget what was not synced, all, nothing or some of it, in any order."""
        kept = chance.choice((0.0, 1.0, 0.5, chance.random()))
        for name in sorted(self.names.keys() | self.durable_names.keys()):
            if chance.random() < kept:
                self._settle(name)
        self.names = dict(self.durable_names)
        for _, found in sorted(self.names.items()):
            found.cut(chance, kept)
        self.restart()

    def _settle(self, name: str) -> None:
        if name in self.names:
            self.durable_names[name] = self.names[name]
        else:
            self.durable_names.pop(name, None)

    def step(self, kind: str) -> None:
        """Count an operation, or lose the power in its place, or let it fail."""
        if self.off:
            raise PowerCut
        number, self.operations = self.operations, self.operations + 1
        if number == self.cut_at:
            self.off = True
            self.struck.append(kind)
            raise PowerCut
        chosen = self.fail_kind in ("", kind)
        if chosen and number >= self.fail_at >= 0 and self.failed < self.fail_times:
            self.failed += 1
            self.struck.append(kind)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def write(self, found: MemoryFile, data: bytes, offset: int) -> int:
        """Write as far as there is room and return how much that was."""
        self.step("write")
        longer = offset + len(data) - len(found.data)
        lacking = self.used + longer - self.capacity if longer > 0 else 0
        if lacking > 0:
            self.failed += 1
            self.struck.append("write")
            data = data[: max(len(data) - lacking, 0)]
            if not data:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        found.write(data, offset)
        return len(data)

    def sync(self, found: MemoryFile) -> None:
        """Make a file's content durable; when that fails, it never will be."""
        try:
            self.step("sync")
        except OSError:
            found.pending.clear()
            raise
        found.sync()

    def truncate(self, found: MemoryFile, size: int) -> None:
        """Shorten a file."""
        self.step("truncate")
        found.truncate(size)

    def sync_names(self, folder: str) -> None:
        """Make the names in a folder durable."""
        self.step("names")
        for name in sorted(self.names.keys() | self.durable_names.keys()):
            if os.path.dirname(name) == folder:
                self._settle(name)

    def create(self, name: str) -> MemoryFile:
        """Make an empty file."""
        self.step("create")
        return self.names.setdefault(name, MemoryFile())

    def remove(self, name: str) -> None:
        """Remove a name."""
        if name not in self.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        self.step("remove")
        del self.names[name]

    def rename(self, source: str, target: str) -> None:
        """Give a file another name."""
        self.step("rename")
        self.names[target] = self.names.pop(source)

    def open(self, name: str, found: MemoryFile | None) -> int:
        """Return a descriptor of a file, or of a folder for None."""
        self._next += 1
        self._open[self._next] = name, found, [0]
        return self._next

    def opened(self, descriptor: int) -> tuple[str, MemoryFile | None, list[int]]:
        """Return what a descriptor stands for: name, file, position."""
        return self._open[descriptor]

    def forget(self, descriptor: int) -> None:
        """Close a descriptor."""
        self._open.pop(descriptor, None)


class MemoryOs:
    """The part of `os` that `headcount.storage.files` uses, on a `MemoryDisk`."""

    O_RDONLY, O_RDWR, O_CREAT, O_EXCL = os.O_RDONLY, os.O_RDWR, os.O_CREAT, os.O_EXCL
    O_DIRECTORY = os.O_DIRECTORY
    strerror = staticmethod(os.strerror)

    def __init__(self, disk: MemoryDisk) -> None:
        self._disk = disk

    def open(self, path: Any, flags: int, mode: int = 0) -> int:
        """Open as `os.open` does; a folder exists."""
        assert mode in (0, 0o644)
        name = str(path)
        if flags & self.O_DIRECTORY:
            return self._disk.open(name, None)
        if flags & self.O_CREAT:
            assert name not in self._disk.names
            return self._disk.open(name, self._disk.create(name))
        if name not in self._disk.names:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self._disk.open(name, self._disk.names[name])

    def close(self, descriptor: int) -> None:
        """Close a descriptor, also one from before the power was lost."""
        self._disk.forget(descriptor)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write behind what was written."""
        _, found, position = self._disk.opened(descriptor)
        assert found is not None
        done = self._disk.write(found, bytes(data), position[0])
        position[0] += done
        return done

    def pwrite(self, descriptor: int, data: bytes, offset: int) -> int:
        """Write in place."""
        _, found, _ = self._disk.opened(descriptor)
        assert found is not None
        return self._disk.write(found, data, offset)

    def pread(self, descriptor: int, count: int, offset: int) -> bytes:
        """Read in place."""
        _, found, _ = self._disk.opened(descriptor)
        assert found is not None
        return bytes(found.data[offset : offset + count])

    def fsync(self, descriptor: int) -> None:
        """Sync a file, or the names in a folder."""
        name, found, _ = self._disk.opened(descriptor)
        if found is None:
            self._disk.sync_names(name)
        else:
            self._disk.sync(found)

    def replace(self, source: Any, target: Any) -> None:
        """Rename."""
        self._disk.rename(str(source), str(target))

    def unlink(self, path: Any) -> None:
        """Remove."""
        self._disk.remove(str(path))

    def listdir(self, path: Any) -> list[str]:
        """Return the names in a folder."""
        folder = f"{path}{os.sep}"
        return [n.removeprefix(folder) for n in self._disk.names if n.startswith(folder)]


class _Vfs(apsw.VFS):
    """The default VFS while a `MemoryDisk` is in use."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(VFS, apsw.vfs_names()[0], makedefault=True)
        self._disk = disk

    def xFullPathname(self, name: str) -> str:  # noqa: N802 - apsw calls them so
        return name

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: ARG002, N802
        return pathname in self._disk.names

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        with _explained():
            self._disk.remove(filename)
            if syncdir:
                self._disk.sync_names(os.path.dirname(filename))

    def xOpen(self, name: Any, flags: list[int]) -> _VfsFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        found = self._disk.names.get(path)
        if found is None:
            if not flags[0] & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError
            with _explained():
                found = self._disk.create(path)
        flags[1] = flags[0]
        return _VfsFile(self._disk, path, found, bool(flags[0] & apsw.SQLITE_OPEN_WAL))


class _explained:  # noqa: N801 - reads as a word
    """Raise what the disk reports as SQLite's own file layer would."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, FileNotFoundError):
            raise apsw.IOError from error
        if isinstance(error, OSError):
            full = error.errno == errno.ENOSPC
            raise (apsw.FullError if full else apsw.IOError) from error


class _VfsFile:
    """An open file, as SQLite wants it."""

    def __init__(self, disk: MemoryDisk, path: str, found: MemoryFile, wal: bool) -> None:
        self._disk, self._path, self._file, self._wal = disk, path, found, wal

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        return bytes(self._file.data[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with _explained():
            if self._disk.write(self._file, data, offset) != len(data):
                raise apsw.FullError

    def xSync(self, flags: int) -> None:  # noqa: ARG002, N802
        with _explained():
            self._disk.sync(self._file)
            if self._wal and self._disk.durable_names.get(self._path) is not self._file:
                self._disk.sync_names(os.path.dirname(self._path))

    def xTruncate(self, size: int) -> None:  # noqa: N802
        with _explained():
            self._disk.truncate(self._file, size)

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._file.data)

    def xLock(self, level: int) -> None:  # noqa: N802
        """Allow it: there is one connection."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """Allow it."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:  # noqa: ARG002, N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE

    def xClose(self) -> None:  # noqa: N802
        """Nothing to let go of."""
