"""
The lives of a commit log on a `MemoryDisk`: each ends with a fault, the next is judged.

What every life must find: each commit that was acknowledged, once, in order, with its bytes and the
answers to its requests; of the one that was being written, all or nothing; and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from headcount.model.errors import CorruptionError, HeadcountError, UnknownOutcomeError, UserError
from headcount.storage.files import Space
from headcount.storage.folder import WriterLock, workspace_folder
from headcount.storage.log import CommitLog, LogSettings
from support.memory_disk import MemoryDisk, MemoryFile, PowerCut

WORKSPACE = "w"
EPOCH = 7
SETTINGS = LogSettings(requests=40, request_age=60)
Fault = Callable[["Lives"], None]


def plenty(path: Path) -> Space:
    """Return a disk that is never full."""
    assert path.name == WORKSPACE
    return Space(1 << 50, 1 << 50)


class Lives:
    """
    A log, what it must hold, and what came of it so far.

    A *control* is expected to go wrong: what is missing is counted as lost, and after damage that
    is detected it starts over without a log.
    """

    def __init__(self, lock: WriterLock, seed: int, control: bool = False) -> None:
        self.disk = MemoryDisk()
        self.chance = random.Random(seed)
        self.lock = lock
        self.generation = 0  # the version of the durable generation
        self.known: dict[int, tuple[bytes, tuple[tuple[str, bytes], ...]]] = {}  # acknowledged
        self.flying: tuple[bytes, tuple[tuple[str, bytes], ...]] | None = None
        self.control = control
        self.faults = self.acknowledged = self.lost = self.detected = 0
        self.kept_in_flight = self.dropped_in_flight = self.went_on = 0
        self._request = 0
        home = str(workspace_folder(lock.folder, WORKSPACE) / "gen-000001.db")
        self.disk.names[home] = self.disk.durable_names[home] = MemoryFile()

    @property
    def last(self) -> int:
        """The newest acknowledged commit."""
        return max(self.known, default=self.generation)

    def open(self) -> CommitLog:
        """Open the log as a new process would."""
        return CommitLog(
            self.lock.folder,
            WORKSPACE,
            self.lock,
            epoch=EPOCH,
            after=self.generation,
            settings=SETTINGS,
            space=plenty,
        )

    def live(self, fault: Fault, after: Fault, operations: int = 30) -> None:
        """
        Work until something fails or all is done, with *fault* set up; then do *after* to the disk.

        Whatever failed, the life ends with it.
        """
        fault(self)
        log = None
        try:
            log = self.open()
            self.judge(log)
            self.work(log, operations)
        except PowerCut:
            self.faults += 1
        except UnknownOutcomeError:
            assert log is not None
            assert log.failed
            self.faults += 1
        except CorruptionError:
            if self.disk.failed:
                self.faults += 1
            elif self.control:
                self.detected += 1
                self._start_over()
            else:
                raise
        except UserError:
            assert self.disk.failed
            self.faults += 1
        finally:
            if log is not None:
                self._end(log)
        after(self)
        self.disk.restart()

    def _end(self, log: CommitLog) -> None:
        if self.disk.off or self.chance.random() < 0.5:  # killed
            log._active.abandon()
            return
        try:
            log.close()
        except HeadcountError:
            self.faults += 1

    def _start_over(self) -> None:
        """Go on from a generation that holds everything, without a log."""
        self.generation, self.known, self.flying = self.last, {}, None
        for names in (self.disk.names, self.disk.durable_names):
            for name in [name for name in names if "/log" in name]:
                del names[name]

    def judge(self, log: CommitLog) -> None:
        """Compare what was recovered with what must be there."""
        found = list(log.replay(self.generation))
        sequences = [entry.sequence for entry in found]
        last = self.last
        if log.last < last:
            assert self.control
            self.lost += last - log.last
            self.known = {n: row for n, row in self.known.items() if n <= log.last}
            last = log.last
        elif log.last == last + 1:
            assert self.flying is not None
            self.kept_in_flight += 1
            self.known[log.last] = self.flying
        elif self.flying is not None:
            self.dropped_in_flight += 1
            assert all(log.request(name) is None for name, _ in self.flying[1])
        self.flying = None
        assert log.last in (last, last + 1)
        assert sequences == list(range(self.generation + 1, log.last + 1))
        for entry in found:
            data, _ = self.known[entry.sequence]
            assert (entry.data, entry.at, entry.records) == (data, entry.sequence, len(data))
        recent = [(name, answer, n) for n, row in self.known.items() for name, answer in row[1]]
        for name, answer, n in recent[-10:]:
            stored = log.request(name)
            assert stored is not None
            assert (stored.answer, stored.sequence) == (answer, n)

    def work(self, log: CommitLog, operations: int) -> None:
        """Append commits of all sizes; now and then make a generation, or rotate without one."""
        for _ in range(operations):
            dice = self.chance.random()
            if dice < 0.04:
                self.rotate(log, generation=dice < 0.02)
                continue
            size = self.chance.choice((0, 10, 200, 900, 5_000))
            data = self.chance.randbytes(size)
            names = [f"r{self._request + i}" for i in range(self.chance.choice((0, 0, 1, 3)))]
            self._request += len(names)
            requests = tuple((name, name.encode() * 3) for name in names)
            self.flying = data, requests
            sequence = log.append(self.last + 1, size, data, requests)
            assert sequence == self.last + 1
            self.known[sequence] = self.flying
            self.flying = None
            self.acknowledged += 1

    def rotate(self, log: CommitLog, generation: bool) -> None:
        """Rotate; behind a *generation*, remove what it covers. Failing at that is no end."""
        try:
            log.rotate(log.last)
            if generation:
                self.generation = log.last
                self.known = {n: r for n, r in self.known.items() if n > log.last - 60}
                log.cut(self.generation)
        except (UserError, CorruptionError):
            assert self.disk.failed
            assert not log.failed
            self.went_on += 1
