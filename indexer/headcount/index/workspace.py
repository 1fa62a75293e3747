"""
A workspace between disk and memory: its blocks opened as a view, and a view written as a snapshot.

Opening verifies every byte (see `storage.snapshot`); an index is read, and verified once more, when
it is first asked for. So what nobody asks about takes no memory, and the first answer waits for the
checksums and for what it needs: 0.54 s for 1.9 GB in the page cache (10M contacts). The file stays
open until nobody has any of its blocks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from headcount.index.block import Block
from headcount.index.parts import Part
from headcount.index.suppressed import Suppressed
from headcount.index.view import Version, View
from headcount.model import schema_toml
from headcount.model.schema import Schema
from headcount.storage.folder import WriterLock
from headcount.storage.snapshot import Snapshot, SnapshotMeta, open_snapshot, write_snapshot

# Facts that not every workspace has.
_SUPPRESSED, _DIGESTS, _EXPIRED = "suppressed", "suppressed_erased", "expired"


def open_view(folder: Path, workspace: str) -> View:
    """
    Return the live generation of a workspace.

    Raises:
        UserError: there is no such folder or workspace, or a newer Headcount wrote it.
        CorruptionError: a file is damaged; the message names it, and the part that is hit.
    """
    snapshot = open_snapshot(folder, workspace)
    schema = schema_toml.parse(snapshot.meta.schema_toml, str(snapshot.path))
    return View(
        schema=schema,
        blocks=tuple(open_block(snapshot, number, schema) for number in snapshot.block_numbers),
        version=Version(snapshot.meta.epoch, snapshot.meta.version),
        block_rows=snapshot.meta.block_rows,
        suppressed=_suppressed(snapshot.meta.extra),
        expired=json.loads(snapshot.meta.extra.get(_EXPIRED, "{}")),
    )


def open_block(snapshot: Snapshot, number: int, schema: Schema) -> Block:
    """
    Return one block of an open snapshot, under a *schema* that may have grown since.

    Raises:
        CorruptionError: its parts do not fit together.
    """
    with snapshot.fitting(number):
        return Block.load(number, snapshot.stored(number), schema)


def move_blocks(folder: Path, workspace: str, blocks: Iterable[Block]) -> None:
    """
    Have stored *blocks* read from the live generation, into which they have just been copied.

    The generation before it, whose file is removed, is then not kept open by them.
    """
    kept = [(block.number, block.stored) for block in blocks if block.stored is not None]
    if kept:
        snapshot = open_snapshot(folder, workspace, verify=False)
        for number, stored in kept:
            stored.move(snapshot.stored(number))


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

    return write_snapshot(folder, workspace, facts(view), blocks(), unchanged, lock=lock)


def facts(view: View) -> SnapshotMeta:
    """Return what a generation says of the whole view."""
    extra = {}
    if view.suppressed.ids:
        extra[_SUPPRESSED] = json.dumps(sorted(view.suppressed.ids))
    if view.suppressed.digests:
        extra[_DIGESTS] = json.dumps(sorted(view.suppressed.digests))
    if view.expired:
        extra[_EXPIRED] = json.dumps(dict(view.expired))
    return SnapshotMeta(
        schema_toml=schema_toml.render(view.schema),
        version=view.version.sequence,
        epoch=view.version.epoch,
        block_rows=view.block_rows,
        extra=extra,
    )


def _suppressed(extra: Mapping[str, str]) -> Suppressed:
    ids, digests = (json.loads(extra.get(name, "[]")) for name in (_SUPPRESSED, _DIGESTS))
    return Suppressed(frozenset(ids), frozenset(digests))
