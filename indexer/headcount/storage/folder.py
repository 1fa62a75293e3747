"""
The data folder: where things lie in it, what a workspace may be called, and who may write.

    DATA/
    ├── manifest.json                     names the live generation of each workspace
    ├── lock                              held by the one writer
    └── workspaces/<name>/gen-000042.db   one generation; older ones go when it is live

One process writes, held by an exclusive `flock` that ends with the process however it dies. Readers
take no lock: a generation is never changed once it has its name, and one that is removed while it
is being read stays readable until it is closed. `flock` needs a local file system.

`fcntl.lockf` was rejected: POSIX locks are dropped when any descriptor of the file is closed
anywhere in the process.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import files

MANIFEST = "manifest.json"
LOCK = "lock"
WORKSPACES = "workspaces"

MAX_NAME = 64
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)
_GENERATION = re.compile(r"gen-(\d{6,})\.db", re.ASCII)
_OURS = {LOCK, MANIFEST + files.TEMPORARY}  # may lie in a folder before its first manifest does
_IGNORED = {"lost+found"}  # in the root of an ext4 volume; names with a leading dot likewise


def check_name(name: str, what: str = "workspace", field: str = "workspace") -> str:
    """
    Return *name* when a workspace, or *what* else becomes a folder, may be called that.

    Letters, digits, `-`, `_` and `.`, not first a `.`, at most 64: safe as a folder's name on every
    system and in a URL.

    Raises:
        UserError: INVALID_VALUE, saying which rule is broken, of *field*.
    """
    if not name:
        wrong = "is empty"
    elif len(name) > MAX_NAME:
        wrong = f"has {len(name)} characters; at most {MAX_NAME} are allowed"
    elif name.startswith("."):
        wrong = "begins with `.`"
    elif not _NAME.fullmatch(name):
        bad = next(c for c in name if not _NAME.fullmatch("_" + c))
        wrong = f"holds {bad!r}"
    else:
        return name
    raise UserError(
        Reason.INVALID_VALUE,
        f"the {what} name {name[: MAX_NAME + 1]!r} {wrong}; use letters, digits, `-`, `_` "
        "and `.`, beginning with something other than `.`",
        field=field,
    )


def workspace_folder(folder: Path, workspace: str) -> Path:
    """Return where the generations of a workspace lie."""
    return folder / WORKSPACES / workspace


def generation_path(folder: Path, workspace: str, number: int) -> Path:
    """Return the file of generation *number*, counted from 1."""
    return workspace_folder(folder, workspace) / f"gen-{number:06d}.db"


def newest_generation(folder: Path, workspace: str) -> int:
    """Return the highest number of a complete generation file in the workspace, 0 without any."""
    names = files.names(workspace_folder(folder, workspace))
    numbers = (int(m[1]) for name in names if (m := _GENERATION.fullmatch(name)))
    return max(numbers, default=0)


def leftovers(folder: Path, workspace: str, live: int) -> Iterator[Path]:
    """Yield the files of generations other than *live*, and of those that were never finished."""
    home = workspace_folder(folder, workspace)
    for name in files.names(home):
        match = _GENERATION.fullmatch(name.removesuffix(files.TEMPORARY))
        if match and (name.endswith(files.TEMPORARY) or int(match[1]) != live):
            yield home / name


def missing_manifest(folder: Path) -> UserError | CorruptionError:
    """Return the error for a folder without a manifest: never written, not ours, or damaged."""
    if (folder / WORKSPACES).exists():
        return CorruptionError(
            folder / MANIFEST,
            f"missing, though {folder / WORKSPACES} holds data; put back manifest.json from the "
            "same copy as the workspaces",
        )
    if not folder.exists():
        what = "there is no such folder"
    elif not folder.is_dir():
        what = "it is a file"
    else:
        what = "it holds no Headcount data"
    return UserError(
        Reason.NOT_FOUND,
        f"{folder} is not a data folder: {what}. Load data into it first, or name another folder",
    )


def refuse_foreign(folder: Path) -> None:
    """
    Raise unless *folder* is a data folder, or one that may become it.

    So that a mistyped path does not sprinkle files among somebody's own.
    """
    names = set(files.names(folder))
    if MANIFEST in names:
        return
    if WORKSPACES in names:
        raise missing_manifest(folder)
    foreign = sorted(n for n in names - _OURS - _IGNORED if not n.startswith("."))
    if foreign:
        raise UserError(
            Reason.CONFLICT,
            f"{folder} is not a data folder and not empty (it holds `{foreign[0]}`). Choose a new "
            "or an empty folder",
        )


class WriterLock:
    """
    The right to write to a data folder, until closed.

    Taking it makes the folder. The lock's file holds the writer's process number for the message
    that another would-be writer gets; what counts is the lock on it, so a number left behind does
    no harm. The file is never removed: another process may hold it open.

    `changing` is held while the manifest is changed, which names all workspaces: the threads of one
    writer may write several.
    """

    def __init__(self, folder: Path) -> None:
        """
        Raises:
            UserError: CONFLICT, when another process (or another lock of this one) writes to the
                folder, or when the folder holds something else.
        """
        files.make_folder(folder)
        refuse_foreign(folder)
        self.folder = folder
        self.changing = threading.Lock()
        path = folder / LOCK
        with files.explained(path, files.UNCHANGED):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(path)
        except BaseException:
            os.close(self._descriptor)
            raise

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                Reason.CONFLICT,
                f"{self.folder} is in use by {self._holder()}; if that is a server, ask it"
                " (--server HOST:PORT), if not, wait until it is done",
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            raise UserError(
                Reason.UNSUPPORTED,
                f"the file system of {self.folder} cannot lock files ({error.strerror}). Put the "
                "data on a local disk",
            ) from error
        with files.explained(path, files.UNCHANGED):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def _holder(self) -> str:
        text = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
        if not text.isdecimal():
            return "another process"
        return "this process" if int(text) == os.getpid() else f"process {text}"

    def close(self) -> None:
        """Give up the lock; again is harmless."""
        if self._descriptor >= 0:
            os.close(self._descriptor)  # which drops the lock
            self._descriptor = -1

    @property
    def held(self) -> bool:
        """Whether the lock has not been closed."""
        return self._descriptor >= 0

    def __enter__(self) -> WriterLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
