"""
Hand-made parts to store, a folder that holds a known version of them, and what must come back.

Version *n* of the content differs from every other in each block that is not meant to be unchanged,
so that a mixture of two versions is seen.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import parts
from headcount.index.parts import Part
from headcount.storage.snapshot import Snapshot, SnapshotMeta, open_snapshot, write_snapshot
from headcount.storage.tables import Layout

SMALL = Layout(page_bytes=1024, piece_bytes=500, chunk_bytes=1500)
BLOCKS = (0, 1, 3)
STABLE = 1  # this block is the same in every version

Content = dict[int, list[tuple[str, str, bytes]]]


def meta(version: int) -> SnapshotMeta:
    """Return the facts of version *version*."""
    return SnapshotMeta(f"# version {version}\n", version, 7, 64, {"made by": "tests"})


def block(number: int, version: int, size: int = 300) -> list[Part]:
    """Return a part of each encoding, an empty one, and one of *size* bytes of noise."""
    mark = number * 1000 + (0 if number == STABLE else version)
    noise = random.Random(mark).randbytes(size)
    return [
        parts.array("field/score/codes", np.arange(mark, mark + 40, dtype=np.int16)),
        parts.bitmap("live", BitMap(range(mark, mark + 200, 3))),
        parts.bitmaps("field/country/postings", [BitMap([1, 2, mark + 70]), BitMap()]),
        parts.strings("ids/values", pa.array([f"ann-{mark}", None, "bö"])),
        parts.document("field/country/kind", {"kind": "keyword", "mark": mark}),
        Part("empty", "array:|u1", b""),
        Part("noise", "array:|u1", noise),
    ]


def blocks(
    version: int, but: Collection[int] = (), size: int = 300
) -> Iterator[tuple[int, Iterator[Part]]]:
    """Yield the blocks of a version, except those in *but*."""
    return ((n, iter(block(n, version, size))) for n in BLOCKS if n not in but)


def write(
    folder: Path,
    version: int,
    *,
    unchanged: Collection[int] = (),
    layout: Layout = SMALL,
    size: int = 300,
    workspace: str = "default",
) -> int:
    """Write a version of the content as a new generation and return its number."""
    content = blocks(version, but=unchanged, size=size)
    return write_snapshot(folder, workspace, meta(version), content, unchanged, layout=layout)


def expected(version: int, size: int = 300) -> Content:
    """Return what a snapshot of a version must hold, in order."""
    return {
        n: [(p.name, p.encoding, bytes(p.data)) for p in block(n, version, size)] for n in BLOCKS
    }


def content(snapshot: Snapshot) -> Content:
    """Return everything that a snapshot holds, in order."""
    return {
        number: [(p.name, p.encoding, bytes(p.data)) for p in found.values()]
        for number, found in snapshot.blocks()
    }


def read(folder: Path, workspace: str = "default") -> tuple[SnapshotMeta, Content]:
    """Return everything that the live generation holds."""
    with open_snapshot(folder, workspace) as snapshot:
        return snapshot.meta, content(snapshot)


def version_of(folder: Path, size: int = 300) -> int:
    """Return the version that a folder holds, complete and nothing else; or raise."""
    found, stored = read(folder)
    assert found == meta(found.version)
    assert stored == expected(found.version, size)
    return found.version


def files_of(folder: Path) -> list[str]:
    """Return the names of the files in a data folder but the lock, sorted."""
    found = (str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    return sorted(name for name in found if name != "lock")
