"""
Workspaces made and removed in a data folder.

Removing one takes it out of the manifest first, which is what makes it gone, then renames its
folder, so that the name is free, and then removes what is in it. A removal that a power cut
interrupts is finished by the next one, or by the next workspace that is made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from headcount.index.block import BLOCK_ROWS
from headcount.index.view import Version, View
from headcount.index.workspace import save_view
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.storage import files, manifest
from headcount.storage.folder import WORKSPACES, WriterLock, check_name, workspace_folder

_DROPPED = ".dropped-"


def create(
    folder: Path,
    name: str,
    schema: Schema,
    lock: WriterLock,
    *,
    epoch: int,
    block_rows: int = BLOCK_ROWS,
) -> View:
    """
    Make an empty workspace, durably, and return it; *epoch* is another one each time.

    Raises:
        UserError: ALREADY_EXISTS; INVALID_VALUE, nothing can be called this; DISK_FULL, the
            disk is full.
    """
    check_name(name)
    if name in manifest.begin(folder).workspaces:
        raise UserError(
            Reason.ALREADY_EXISTS, f"there is a workspace `{name}` already", field="workspace"
        )
    _tidy(folder)
    view = View(schema, (), Version(epoch, 1), block_rows)
    save_view(folder, name, view, lock=lock)
    return view


def drop(folder: Path, name: str, lock: WriterLock) -> None:
    """
    Remove a workspace with everything in it, durably. Nobody may have it open for writing.

    Raises:
        UserError: NOT_FOUND.
    """
    with lock.changing:
        current = manifest.read(folder)
        if name not in current.workspaces:
            raise UserError(Reason.NOT_FOUND, f"there is no workspace `{name}`", field="workspace")
        manifest.prepare(folder, current.without(name))
        manifest.publish(folder)
        _tidy(folder)
        home = workspace_folder(folder, name)
        files.rename(home, home.with_name(_DROPPED + name))
        files.sync_folder(folder / WORKSPACES)
        _tidy(folder)


def _tidy(folder: Path) -> None:
    """Remove what is left of workspaces that were dropped."""
    home = folder / WORKSPACES
    found = [name for name in files.names(home) if name.startswith(_DROPPED)]
    for name in found:
        with files.explained(home / name):
            shutil.rmtree(home / name)
    if found:
        files.sync_folder(home)
