"""
A workspace between disk and memory: its blocks opened as a view, and a view written as a snapshot.

Opening verifies every byte (see `storage.snapshot`) and then builds the indexes over the stored
bytes without copying most of them. The first answer comes after the last block: a count over some
of the blocks would be wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from headcount.index.block import Block
from headcount.index.parts import Part
from headcount.index.view import Version, View
from headcount.model import schema_toml
from headcount.model.errors import CorruptionError
from headcount.model.schema import Schema
from headcount.storage.folder import WriterLock
from headcount.storage.snapshot import Snapshot, SnapshotMeta, open_snapshot, write_snapshot


def open_view(folder: Path, workspace: str) -> View:
    """
    Return the live generation of a workspace.

    Raises:
        UserError: there is no such folder or workspace, or a newer Headcount wrote it.
        CorruptionError: a file is damaged; the message names it, and the part that is hit.
    """
    with open_snapshot(folder, workspace) as snapshot:
        schema = schema_toml.parse(snapshot.meta.schema_toml, str(snapshot.path))
        return View(
            schema=schema,
            blocks=tuple(open_block(snapshot, number, schema) for number in snapshot.block_numbers),
            version=Version(snapshot.meta.epoch, snapshot.meta.version),
            block_rows=snapshot.meta.block_rows,
        )


def open_block(snapshot: Snapshot, number: int, schema: Schema) -> Block:
    """
    Return one block of an open snapshot, under a *schema* that may have grown since.

    Raises:
        CorruptionError: its parts do not fit together.
    """
    stored = snapshot.block(number)
    try:
        return Block.load(number, stored, schema)
    except (KeyError, ValueError) as error:
        raise CorruptionError(
            snapshot.path,
            f"what is stored does not fit together: {error}; restore the data folder from a copy,"
            " or load the data again",
            part=f"block {number}",
        ) from error


def save_view(
    folder: Path,
    workspace: str,
    view: View,
    *,
    unchanged: Collection[int] = (),
    lock: WriterLock | None = None,
) -> int:
    """
    Write *view* as the next generation of a workspace and return its number.

    The blocks whose numbers are in *unchanged* are copied from the live generation as they are.
    """

    def blocks() -> Iterator[tuple[int, Iterator[Part]]]:
        for block in view.blocks:
            if block.number not in unchanged:
                yield block.number, block.parts()

    meta = SnapshotMeta(
        schema_toml=schema_toml.render(view.schema),
        version=view.version.sequence,
        epoch=view.version.epoch,
        block_rows=view.block_rows,
    )
    return write_snapshot(folder, workspace, meta, blocks(), unchanged, lock=lock)
