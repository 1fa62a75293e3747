"""
Makes tests/data/v2, the sample of format 2: `python -m support.format_v2` in tests/.

It was run once. The files are never made anew: what a released version wrote must stay readable.
"""

from __future__ import annotations

from pathlib import Path

from headcount.storage.folder import WriterLock
from headcount.storage.log import CommitLog
from headcount.storage.snapshot import SnapshotMeta, write_snapshot
from support import format_v1

FOLDER = Path(__file__).resolve().parent.parent / "data" / "v2"
EPOCH = 3
VERSION = 41


def main() -> None:
    """Write a generation and a log of two segments into a folder that must not exist."""
    assert not FOLDER.exists(), "the sample of a format is made once"
    meta = SnapshotMeta(format_v1.SCHEMA, VERSION, EPOCH, 1 << 20, {"note": "a sample of format 2"})
    write_snapshot(FOLDER, "sample", meta, format_v1.sample().items(), layout=format_v1.LAYOUT)
    with (
        WriterLock(FOLDER) as lock,
        CommitLog(FOLDER, "sample", lock, epoch=EPOCH, after=VERSION) as log,
    ):
        log.append(format_v1.INSTANT, 1, b"the first")
        log.append(format_v1.INSTANT + 1, 2, bytes(5000), [("request one", b"its answer")])
        log.rotate(format_v1.INSTANT + 2)
        log.append(format_v1.INSTANT + 3, 0, b"", [("request two", b"")])
    (FOLDER / "lock").unlink()  # holds a process number, no data


if __name__ == "__main__":
    main()
