"""
Makes tests/data/v1, the sample of format 1: `python -m support.format_v1` in tests/.

It was run once. The files are never made anew: what a released version wrote must stay readable.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import parts
from headcount.index.parts import Part
from headcount.query.parse import parse
from headcount.segments.definition import Draft
from headcount.segments.store import SavedSegments
from headcount.storage.folder import WriterLock
from headcount.storage.snapshot import SnapshotMeta, write_snapshot
from headcount.storage.tables import Layout

FOLDER = Path(__file__).resolve().parent.parent / "data" / "v1"
LAYOUT = Layout(page_bytes=4096, piece_bytes=1000, chunk_bytes=4096)
INSTANT = 1_770_000_000_000_000
SCHEMA = '[fields]\ncity = "keyword"\n'


def sample() -> dict[int, list[Part]]:
    """Return two blocks with a part of every encoding, one of them in several pieces."""
    return {
        0: [
            parts.array("numbers", np.array([1.5, -2.0, 1e300])),
            parts.array("many", np.arange(1000, dtype=np.uint32)),
            parts.bitmap("live", BitMap([0, 1, 5, 65_000])),
            parts.bitmaps("postings", [BitMap([1]), BitMap(), BitMap(range(100))]),
            parts.strings("city", pa.array(["Jakarta", None, "", "Malmö"])),
            parts.document("kind", {"kind": "keyword", "rows": 4}),
        ],
        2: [Part("empty", "array:|u1", b"")],
    }


def write_segments() -> None:
    """Write the saved segments of the sample, one of which uses the other."""
    with WriterLock(FOLDER) as lock:
        saved = SavedSegments(FOLDER, "sample", lock)
        vip = parse("city = Jakarta")
        saved.create(Draft("VIP > 90", vip, "A note: 日本", ("win-back", "Q3")), INSTANT)
        saved.create(Draft("both", parse('in segment "vip > 90"')), INSTANT)


def main() -> None:
    """Write the sample into a folder that must not exist."""
    assert not FOLDER.exists(), "the sample of a format is made once"
    meta = SnapshotMeta(SCHEMA, 41, 3, 1 << 20, {"note": "a sample of format 1"})
    write_snapshot(FOLDER, "sample", meta, sample().items(), layout=LAYOUT)
    write_snapshot(FOLDER, "empty", SnapshotMeta("", 0, 3, 64), [], layout=LAYOUT)
    write_segments()
    (FOLDER / "lock").unlink()  # holds a process number, no data


if __name__ == "__main__":
    main()
