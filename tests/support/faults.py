"""
Failing the n-th thing that storage asks of the disk.

`Faults` stands between storage and the operating system, and between SQLite and its files (as an
apsw VFS). It numbers every operation that changes something or makes it durable, and lets one of
them fail: with an error of the disk, after which the program goes on and tidies up; or as a death,
after which nothing reaches the disk any more, tidying included.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any

import apsw
import pytest

VFS = "faulty"


class Died(BaseException):
    """The process is gone; nothing may catch this and act."""


class Fault(Enum):
    """What happens to the chosen operation."""

    FULL = errno.ENOSPC
    BROKEN = errno.EIO
    DEATH = 0


_OPERATIONS = ("mkdir", "open", "write", "pwrite", "ftruncate", "fsync", "replace", "unlink")


class Faults:
    """
    Counts the operations of the `with` block, and fails the one numbered *at*.

    `steps` are the operations that took place, as "xWrite" or "replace manifest.json". Linux only.
    """

    def __init__(self, fault: Fault = Fault.DEATH, at: int | None = None) -> None:
        self.steps: list[str] = []
        self.failed = False
        self._fault = fault
        self._at = at
        self._patch = pytest.MonkeyPatch()

    def step(self, name: str, in_sqlite: bool = False) -> None:
        """Count one operation that is about to happen, or raise in its place."""
        if self.failed and self._fault is Fault.DEATH:
            raise Died
        if not self.failed and len(self.steps) == self._at:
            self.failed = True
            if self._fault is Fault.DEATH:
                raise Died
            if in_sqlite:
                raise apsw.FullError() if self._fault is Fault.FULL else apsw.IOError()
            raise OSError(self._fault.value, os.strerror(self._fault.value))
        self.steps.append(name)

    def _wrapped(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **named: Any) -> Any:
            changes = name != "open" or arguments[1] & os.O_CREAT
            if changes:
                target = arguments[-1] if name == "replace" else arguments[0]
                if isinstance(target, int):
                    target = os.readlink(f"/proc/self/fd/{target}")
                self.step(f"{name} {os.path.basename(target)}")
            return real(*arguments, **named)

        return call

    def __enter__(self) -> Faults:
        for name in _OPERATIONS:
            self._patch.setattr(os, name, self._wrapped(name))
        self._vfs = _Disk(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._patch.undo()
        self._vfs.unregister()


class _Disk(apsw.VFS):
    """The default VFS while a `Faults` is active."""

    def __init__(self, faults: Faults) -> None:
        self._base = apsw.vfs_names()[0]  # the default until now
        super().__init__(VFS, self._base, makedefault=True)
        self._faults = faults

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802 - apsw calls it so
        return _File(self._faults, self._base, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, faults: Faults, base: str, name: Any, flags: list[int]) -> None:
        super().__init__(base, name, flags)
        self._faults = faults

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._faults.step("xWrite", in_sqlite=True)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._faults.step("xSync", in_sqlite=True)
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._faults.step("xTruncate", in_sqlite=True)
        super().xTruncate(size)
