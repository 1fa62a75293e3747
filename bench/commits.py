"""
What a durable commit costs: `python -m bench.commits`, in a folder of the disk to be measured.

Beside it, in the same run and in turns: one write of as many bytes with one `fdatasync`, which is
the least that anything durable can cost there, and the log without its mark, which is what the
mark costs. Groups are of 16 and 128 records of 256 bytes, from one caller that waits for each.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from headcount.storage.folder import WriterLock
from headcount.storage.log import CommitLog, LogSettings
from headcount.storage.log_mark import MarkFile
from headcount.storage.snapshot import SnapshotMeta, write_snapshot

RECORD = 256
GROUPS = (16, 128)
SECONDS = 1.0
ROUNDS = 5


def timed(write: Callable[[], object]) -> list[float]:
    """Return how long each call of *write* took, in seconds, for about `SECONDS`."""
    took, end = [], time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        write()
        took.append(time.perf_counter() - start)
    return took


def report(name: str, group: int, took: list[float]) -> None:
    """Print a line."""
    rate = len(took) / sum(took)
    low, high = statistics.median(took), statistics.quantiles(took, n=100)[-1]
    print(
        f"{name:<14} {group:>4} records {rate:>8,.0f} commits/s {rate * group:>10,.0f} records/s"
        f"   median {low * 1e3:.2f} ms, p99 {high * 1e3:.2f} ms"
    )


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=".", prefix="bench-") as scratch:
        folder = Path(scratch) / "data"
        write_snapshot(folder, "w", SnapshotMeta("", 0, 1, 64), [])
        with WriterLock(folder) as lock:
            settings = LogSettings(min_free_bytes=0, min_free_share=0)
            log = CommitLog(folder, "w", lock, epoch=1, after=0, settings=settings)
            plain = os.open(Path(scratch) / "plain", os.O_RDWR | os.O_CREAT, 0o644)
            os.pwrite(plain, bytes(8 << 20), 0)
            os.fsync(plain)
            for group in GROUPS:
                measure(log, plain, group)
            held, start = log.last, time.perf_counter()
            records = sum(entry.records for entry in log.replay(0))
            took = time.perf_counter() - start
            print(f"replay         {records / took:,.0f} records/s in {held:,} commits")
            os.close(plain)
            log.close()


def measure(log: CommitLog, plain: int, group: int) -> None:
    """Measure one size of group, the ways in turn."""
    data = os.urandom(group * RECORD)

    def sync() -> None:
        os.pwrite(plain, data, 0)
        os.fdatasync(plain)

    found: dict[str, list[float]] = {"one fdatasync": [], "without mark": [], "the log": []}
    for _ in range(ROUNDS):
        found["one fdatasync"] += timed(sync)
        with mock.patch.object(MarkFile, "write"):
            found["without mark"] += timed(lambda: log.append(0, group, data))
        found["the log"] += timed(lambda: log.append(0, group, data))
    for name, took in found.items():
        report(name, group, took)


if __name__ == "__main__":
    main()
