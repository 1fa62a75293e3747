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
from headcount.storage.snapshot import SnapshotMeta, write_snapshot
from headcount.storage.tables import Layout

FOLDER = Path(__file__).resolve().parent.parent / "data" / "v1"
LAYOUT = Layout(page_bytes=4096, piece_bytes=1000, chunk_bytes=4096)
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


def main() -> None:
    """Write the sample into a folder that must not exist."""
    assert not FOLDER.exists(), "the sample of a format is made once"
    meta = SnapshotMeta(SCHEMA, 41, 3, 1 << 20, {"note": "a sample of format 1"})
    write_snapshot(FOLDER, "sample", meta, sample().items(), layout=LAYOUT)
    write_snapshot(FOLDER, "empty", SnapshotMeta("", 0, 3, 64), [], layout=LAYOUT)
    (FOLDER / "lock").unlink()  # holds a process number, no data


if __name__ == "__main__":
    main()
