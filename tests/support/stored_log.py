"""
A log that was really written: what it holds, and whether a copy of its files still holds it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headcount.storage.folder import WriterLock
from headcount.storage.log import CommitLog, LogSettings
from headcount.storage.snapshot import SnapshotMeta, write_snapshot

WORKSPACE = "w"
EPOCH = 7
ANY_DISK = LogSettings(min_free_bytes=0, min_free_share=0)


@contextmanager
def opened(folder: Path, after: int = 0, settings: LogSettings = ANY_DISK) -> Iterator[CommitLog]:
    """The log of a folder, opened by a writer that ends without tidying up."""
    if not folder.exists():
        write_snapshot(folder, WORKSPACE, SnapshotMeta("", 0, EPOCH, 64), [])
    with WriterLock(folder) as lock:
        log = CommitLog(folder, WORKSPACE, lock, epoch=EPOCH, after=after, settings=settings)
        try:
            yield log
        finally:
            log._active.abandon()


def data(sequence: int) -> bytes:
    """Return the bytes of a commit, of many lengths, some over several pages."""
    chance = random.Random(sequence)
    return chance.randbytes(chance.choice((0, 30, 300, 9000)))


def requests(sequence: int) -> list[tuple[str, bytes]]:
    """Return the requests of a commit with their answers; every third has some."""
    names = [f"request {sequence}.{i}" for i in range(3 if sequence % 3 == 0 else 0)]
    return [(name, name.encode()[::-1]) for name in names]


def write(log: CommitLog, count: int) -> None:
    """Append that many commits."""
    for _ in range(count):
        sequence = log.last + 1
        assert log.append(sequence, sequence % 5, data(sequence), requests(sequence)) == sequence


def holds(log: CommitLog, last: int, after: int = 0) -> bool:
    """Return whether a log holds the commits behind *after* up to *last*, and their answers."""
    found = [(entry.sequence, entry.at, entry.records, entry.data) for entry in log.replay(after)]
    wanted = [(n, n, n % 5, data(n)) for n in range(after + 1, last + 1)]
    answers = {name: answer for n in range(1, last + 1) for name, answer in requests(n)}
    stored = {name: log.request(name) for name in answers}
    return found == wanted and answers == {
        name: known.answer for name, known in stored.items() if known
    }
