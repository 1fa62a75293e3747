"""
Backups: copies of workspaces, each as of one version, made while they are written to.

A backup is a data folder like any other: it can be opened, checked, counted in. What is copied are
views, which nothing changes, so writers and readers go on. Blocks in which nothing has happened are
written as they lie; the others are compacted on the way.

Restoring reads a backup, every byte verified, and writes it as a new folder with a new epoch: a
version that a client has seen before is not taken for one of now.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from headcount.index.block import Block
from headcount.index.parts import Part
from headcount.index.view import Version, View
from headcount.index.workspace import facts, open_view
from headcount.live.stored import home
from headcount.model.errors import Reason, UserError
from headcount.storage import files, watches
from headcount.storage.folder import MANIFEST, WriterLock, workspace_folder
from headcount.storage.manifest import list_workspaces
from headcount.storage.snapshot import write_snapshot

_WHOLE = "segments.db"  # beside the generation: replaced whole by every change
_COPIED = (_WHOLE, watches.FILE)  # from a backup, which nobody writes to

Progress = Callable[[str, int, int], None]
Beside = Callable[[str, Path], None]


def silent(_workspace: str, _done: int, _of: int) -> None:
    """Show nothing."""


def nothing(_workspace: str, _home: Path) -> None:
    """Write nothing beside a workspace."""


def back_up(
    source: Path,
    target: Path,
    views: Mapping[str, View],
    progress: Progress = silent,
    beside: Beside = nothing,
) -> int:
    """
    Write *views* of the data folder *source*, by workspace, as the new folder *target*.

    Returns the bytes of the copy. *progress* is told how many blocks of how many are written.
    *beside* is called for each workspace, with its new folder, to copy what it alone can read.

    Raises:
        UserError: CONFLICT, *target* is there already; DISK_FULL, the disk is full. Nothing is
            left of *target* then.
    """
    if target.exists():
        raise UserError(Reason.CONFLICT, f"{target} is there already; name a new folder")
    with WriterLock(target) as lock, _whole_or_nothing(target):
        for name, view in views.items():
            write(target, name, view, lock, progress)
            to = workspace_folder(target, name)
            _copy(workspace_folder(source, name) / _WHOLE, to / _WHOLE)
            beside(name, to)
    return folder_bytes(target)


def restore(
    backup: Path, folder: Path, *, epoch: int, progress: Progress = silent
) -> dict[str, View]:
    """
    Write what is in *backup* as the new data folder *folder*, and return it by workspace.

    Raises:
        UserError: CONFLICT, *folder* holds something already; NOT_FOUND, *backup* is no such.
        CorruptionError: *backup* is damaged; nothing is left of *folder*.
    """
    names = list_workspaces(backup)
    if folder.exists() and any(folder.iterdir()):
        raise UserError(
            Reason.CONFLICT, f"{folder} is not empty; restore into a new folder, then exchange them"
        )
    views = {}
    with WriterLock(folder) as lock, _whole_or_nothing(folder):
        for name in names:
            view = open_view(backup, name)
            view = replace(view, version=Version(epoch, view.version.sequence))
            write(folder, name, view, lock, progress)
            for file in _COPIED:
                source = workspace_folder(backup, name) / file
                _copy(source, workspace_folder(folder, name) / file)
            views[name] = view
    return views


@contextmanager
def _whole_or_nothing(folder: Path) -> Iterator[None]:
    """Enter a block that fills a folder whose lock is held; nothing is left of it if that fails."""
    if (folder / MANIFEST).exists():  # made since somebody looked
        raise UserError(Reason.CONFLICT, f"{folder} is a data folder already; name a new folder")
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def write(folder: Path, name: str, view: View, lock: WriterLock, progress: Progress) -> None:
    """Write *view* as the first generation of a workspace, everybody back home."""
    count = -(-view.next_ordinal // view.block_rows)

    def blocks() -> Iterator[tuple[int, Iterator[Part]]]:
        for number in range(count):
            progress(name, number, count)
            yield number, _whole(view, number).parts()

    write_snapshot(folder, name, facts(view), blocks(), lock=lock)
    progress(name, count, count)


def _whole(view: View, number: int) -> Block:
    """Return base block *number* as it is to be written: itself, if nothing happened in it."""
    if not view.recent_blocks and number < len(view.blocks):
        block = view.blocks[number]
        if not block.newer and not view.expired and len(block.live) == block.rows:
            return block
    return home(view, number)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, durably; nothing if there is none."""
    with files.explained(source):
        try:
            data = source.read_bytes()
        except FileNotFoundError:
            return
    files.write_beside(target, data)
    files.rename(files.beside(target), target)
    files.sync_folder(target.parent)


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below *folder*."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
