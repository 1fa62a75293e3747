"""The commit log: appending, replaying, answering again, rotating, cutting, and when it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from headcount.model.errors import CorruptionError, Reason, UnknownOutcomeError, UserError
from headcount.storage import files, log, log_mark, log_segment
from headcount.storage.folder import WriterLock
from headcount.storage.log import CommitLog, LogSettings, log_files, needs_replay, segment_path
from headcount.storage.log_mark import Mark, mark_path
from headcount.storage.log_segment import Entry, Segment
from headcount.storage.snapshot import SnapshotMeta, write_snapshot
from support import stored_log

W = stored_log.WORKSPACE
ROOM = files.Space(100 << 30, 200 << 30)


def names(folder: Path) -> list[str]:
    """Return the names of the files of the log, but SQLite's own."""
    return [p.name for p in log_files(folder, W) if not p.name.endswith(log_segment.WAL)]


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "killed"])
def test_what_was_appended_is_replayed(tmp_path: Path, closed: bool) -> None:
    """Commits come back in order with all that was given, after closing and after a kill."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        assert (found.first, found.last) == (1, 0)
        assert list(found.replay(0)) == []
        assert found.append(1_700_000_000_000_000, 3, b"three") == 1
        assert found.append(-5, 0, b"") == 2
        assert found.last == 2
        if closed:
            found.close()
    with stored_log.opened(folder) as found:
        first = Entry(1, 1_700_000_000_000_000, 3, b"three")
        assert list(found.replay(0)) == [first, Entry(2, -5, 0, b"")]
        assert list(found.replay(1)) == [Entry(2, -5, 0, b"")]
        assert list(found.replay(2)) == []
        assert found.append(7, 1, b"x") == 3


def test_it_begins_behind_the_generation(tmp_path: Path) -> None:
    """The first commit of a new log follows the version of the generation."""
    with stored_log.opened(tmp_path / "data", after=41) as found:
        assert found.append(1, 1, b"x") == 42
    assert names(tmp_path / "data") == ["log-000000000042.db", "log.mark"]


def test_the_settings_of_sqlite(tmp_path: Path) -> None:
    """The file is opened as ENGINE.md asks: WAL, FULL, EXCLUSIVE, secure_delete, checkpoints on."""
    with stored_log.opened(tmp_path / "data") as found:
        database = found._active._database
        pragmas = {
            name: database.pragma(name)
            for name in ("journal_mode", "synchronous", "locking_mode", "secure_delete",
                         "wal_autocheckpoint")
        }  # fmt: skip
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "locking_mode": "exclusive",
        "secure_delete": 1,
        "wal_autocheckpoint": 1000,
    }


def test_answers_come_with_the_commit(tmp_path: Path) -> None:
    """The answer to a request is found after a kill, with the commit that gave it."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        assert found.request("a") is None
        found.append(10, 2, b"x", [("a", b"yes"), ("b", b"")])
        for _ in range(2):
            a, b = found.request("a"), found.request("b")
            assert a is not None
            assert (a.sequence, a.at, a.answer) == (1, 10, b"yes")
            assert b is not None
            assert b.answer == b""
            if found.last == 1:
                found.append(11, 0, b"", [("c", b"no")])
    with stored_log.opened(folder) as found:
        assert found.request("a") == a
        c = found.request("c")
        assert c is not None
        assert (c.sequence, c.at) == (2, 11)
        assert found.request("d") is None


def test_answers_are_bounded(tmp_path: Path) -> None:
    """The newest so many are kept; rotating leaves behind those that are too old."""
    folder = tmp_path / "data"
    settings = LogSettings(0, 0, requests=3, request_age=100)

    def known(found: CommitLog) -> str:
        return "".join(name for name in "abcde" if found.request(name))

    with stored_log.opened(folder, settings=settings) as found:
        for at, name in enumerate("abcde"):
            found.append(at * 50, 1, b"x", [(name, b"yes")])
        assert known(found) == "cde"
        assert found.stats().requests == 3
        found.rotate(at=201)  # c is of 100
        assert known(found) == "de"
        found.append(202, 1, b"x", [("c", b"again")])
        assert known(found) == "cde"
    with stored_log.opened(folder, settings=settings) as found:
        assert known(found) == "cde"
        c = found.request("c")
        assert c is not None
        assert c.answer == b"again"


def test_segments_join(tmp_path: Path) -> None:
    """Sequences go on over segments, and replay crosses them from any point."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 4)
        found.rotate(0)
        found.rotate(0)  # nothing to do: it is empty
        stored_log.write(found, 3)
        found.rotate(0)
        assert found.stats().segments == 3
        assert stored_log.holds(found, 7)
    assert names(folder) == [
        "log-000000000001.db", "log-000000000005.db", "log-000000000008.db", "log.mark",
    ]  # fmt: skip
    for after in range(8):
        with stored_log.opened(folder) as found:
            assert stored_log.holds(found, 7, after)
            assert (found.first, found.last) == (1, 7)
    with stored_log.opened(folder) as found:
        stored_log.write(found, 2)
        assert stored_log.holds(found, 9)


def test_a_generation_removes_what_it_covers(tmp_path: Path) -> None:
    """Segments go when all their commits are in the generation; the active one stays."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 4)
        found.rotate(0)
        stored_log.write(found, 3)
        found.rotate(0)
        stored_log.write(found, 1)
        assert found.cut(3) == 0
        assert found.cut(4) == 1
        assert names(folder)[0] == "log-000000000005.db"
        assert stored_log.holds(found, 8, after=4)
        assert found.cut(8) == 1
        assert names(folder) == ["log-000000000008.db", "log.mark"]
        assert found.stats().first == 8
    with stored_log.opened(folder, after=7) as found:
        assert stored_log.holds(found, 8, after=7)


def test_opening_removes_what_the_generation_covers(tmp_path: Path) -> None:
    """A kill between the generation and the cut leaves nothing behind for long."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        for _ in range(3):
            stored_log.write(found, 4)
            found.rotate(0)
    with stored_log.opened(folder, after=9) as found:
        assert names(folder) == ["log-000000000009.db", "log-000000000013.db", "log.mark"]
        assert stored_log.holds(found, 12, after=9)


def test_a_generation_in_front_of_the_log(tmp_path: Path) -> None:
    """When something else made a newer generation, the log goes on behind it, answers included."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 5)
    with stored_log.opened(folder, after=20) as found:
        assert (found.first, found.last) == (21, 20)
        assert found.request("request 3.1") is not None
        stored_log.write(found, 1)
    assert names(folder) == ["log-000000000021.db", "log.mark"]
    with stored_log.opened(folder, after=20) as found:
        assert [entry.data for entry in found.replay(20)] == [stored_log.data(21)]


def test_a_workspace_without_a_folder(tmp_path: Path) -> None:
    """Is refused: the log is behind a generation."""
    with WriterLock(tmp_path) as lock, pytest.raises(UserError, match="load data") as caught:
        CommitLog(tmp_path, W, lock, epoch=1, after=0)
    assert caught.value.reason is Reason.NOT_FOUND


def test_needs_replay(tmp_path: Path) -> None:
    """A log that was closed tells up to where it goes; one that was not has to be opened."""
    folder = tmp_path / "data"
    write_snapshot(folder, W, SnapshotMeta("", 0, stored_log.EPOCH, 64), [])
    assert not needs_replay(folder, W, 0)
    assert not needs_replay(folder, "other", 0)
    with stored_log.opened(folder) as found:
        stored_log.write(found, 2)
        assert needs_replay(folder, W, 0)
        assert needs_replay(folder, W, 2)
        assert log_mark.read_mark(folder, W) == Mark(stored_log.EPOCH, 2, found._active.chain)
        found.close()
    assert needs_replay(folder, W, 1)
    assert not needs_replay(folder, W, 2)
    mark_path(folder, W).unlink()
    assert needs_replay(folder, W, 2)


class Disk:
    """Space that a test sets."""

    found = ROOM

    def __call__(self, path: Path) -> files.Space:
        assert path.name == W
        return self.found


@pytest.mark.parametrize(
    ("free", "total", "accepted"),
    [
        (256 << 20, 1 << 30, True),
        ((256 << 20) - 1, 1 << 30, False),
        (50 << 30, 1000 << 30, True),
        ((50 << 30) - 1, 1000 << 30, False),
        (0, 1 << 30, False),
    ],
)
def test_too_little_room(tmp_path: Path, free: int, total: int, accepted: bool) -> None:
    """
    Under 256 MB or 5 % nothing is written, except what erases; afterwards it goes on.

    Where there is no room at all that is refused too: to fail would end the process.
    """
    folder, space = tmp_path / "data", Disk()
    with stored_log.opened(folder):
        pass
    with WriterLock(folder) as lock:
        found = CommitLog(folder, W, lock, epoch=stored_log.EPOCH, after=0, space=space)
        found.append(1, 1, b"x")
        before = [(p.name, p.read_bytes()) for p in log_files(folder, W)]
        space.found = files.Space(free, total)
        if not accepted:
            with pytest.raises(UserError, match=r"Free space.*reading and erasing go on") as caught:
                found.append(2, 1, b"y")
            assert caught.value.reason is Reason.DISK_FULL
            assert [(p.name, p.read_bytes()) for p in log_files(folder, W)] == before
            assert not found.failed
            if free < 8 << 20:
                with pytest.raises(UserError, match=r"Free space.*reading goes on"):
                    found.append(2, 1, b"erase", erasure=True)
                assert not found.failed
                space.found = files.Space(8 << 21, total)
            assert found.append(2, 1, b"erase", erasure=True) == 2
            space.found = ROOM
        else:
            assert found.append(2, 1, b"y") == 2
        assert found.append(3, 1, b"z") == 3
        found.close()


def test_the_real_disk_has_room() -> None:
    """The space of a file system is what `statvfs` says."""
    found = files.space(Path("/"))
    assert 0 <= found.free < found.total


def test_too_large_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused before anything is written."""
    monkeypatch.setattr(log, "MAX_BYTES", 10)
    with stored_log.opened(tmp_path / "data") as found:
        with pytest.raises(UserError, match="at most 10 bytes") as caught:
            found.append(1, 1, b"01234567890")
        assert caught.value.reason is Reason.LIMIT_EXCEEDED
        assert found.append(1, 1, b"0123456789") == 1


@pytest.mark.parametrize("error", [apsw.IOError(), apsw.FullError(), KeyboardInterrupt()])
def test_a_failed_commit_ends_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Whatever fails in it: nothing more is accepted, and a restart recovers."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 3)

        def fail(*_: object) -> int:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(Segment, "append", fail)
            with pytest.raises(UnknownOutcomeError, match="only a restart will show") as caught:
                found.append(4, 1, b"x")
        assert caught.value.path == segment_path(folder, W, 1)
        assert caught.value.__cause__ is error
        assert found.failed
        with pytest.raises(UnknownOutcomeError, match="no more commits"):
            found.append(4, 1, b"x")
        with pytest.raises(UnknownOutcomeError, match="no more commits"):
            found.rotate(0)
        found.close()
        found.close()
    with stored_log.opened(folder) as found:
        assert stored_log.holds(found, 3)
        stored_log.write(found, 1)


def test_a_mark_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is on the disk, but not acknowledged: the next process finds it."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 3)
        with monkeypatch.context() as broken:
            broken.setattr(os, "pwrite", lambda _fd, data, _at: len(data) - 1)
            with pytest.raises(UnknownOutcomeError):
                stored_log.write(found, 1)
    with stored_log.opened(folder) as found:
        assert stored_log.holds(found, 4)


def test_a_segment_that_cannot_be_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log goes on with the old one."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 3)

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as broken:
            broken.setattr(os, "replace", fail)
            with pytest.raises(UserError, match="disk is full"):
                found.rotate(0)
        stored_log.write(found, 2)
        assert found.stats().segments == 1
        found.rotate(0)
        assert names(folder) == ["log-000000000001.db", "log-000000000006.db", "log.mark"]


def test_a_segment_whose_name_may_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the folder's sync fails, which of the two is the newest only a restart will show."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 3)

        def fail(*_: object) -> None:
            raise CorruptionError(folder, "the disk failed")

        with monkeypatch.context() as broken:
            broken.setattr(files, "sync_folder", fail)
            with pytest.raises(UnknownOutcomeError, match="the change to log-000000000004"):
                found.rotate(0)
    with stored_log.opened(folder) as found:
        assert stored_log.holds(found, 3)
        stored_log.write(found, 1)


def test_erased_bytes_are_gone(tmp_path: Path) -> None:
    """After rotating and cutting, no file of the folder holds what a commit did."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        found.append(1, 1, b"ann@example.com" * 500, [("upsert ann@example.com", b"yes")])
        found.append(2, 1, b"forget her")
        assert any(b"ann@" in p.read_bytes() for p in log_files(folder, W))
        found.rotate(0)
        found.cut(2)
        assert not any(b"ann@" in p.read_bytes() for p in log_files(folder, W))


@pytest.mark.parametrize("finish", [CommitLog.close, lambda found: found.rotate(0)])
def test_a_replay_that_is_given_up(tmp_path: Path, finish: Callable[[CommitLog], None]) -> None:
    """It does not keep the log from being closed or rotated."""
    folder = tmp_path / "data"
    with stored_log.opened(folder) as found:
        stored_log.write(found, 5)
        replay = found.replay(0)
        assert next(replay).sequence == 1
        finish(found)
    with stored_log.opened(folder) as found:
        assert stored_log.holds(found, 5)


def test_cutting_and_looking_from_another_thread(tmp_path: Path) -> None:
    """A snapshot's thread may cut while commits are appended."""
    with stored_log.opened(tmp_path / "data") as found:
        done = threading.Event()

        def cut() -> None:
            while not done.is_set():
                found.cut(found.last - 1)
                found.stats()

        thread = threading.Thread(target=cut)
        thread.start()
        for _ in range(12):
            stored_log.write(found, 2)
            found.rotate(0)
        done.set()
        thread.join()
        found.cut(found.last)
        assert found.stats().segments == 1
        assert found.request("request 3.0") is not None


CHILD = """
import sys
from pathlib import Path
from support import stored_log
with stored_log.opened(Path(sys.argv[1])) as log:
    while True:
        stored_log.write(log, 1)
        print(log.last, flush=True)
        if log.last % 40 == 0:
            log.rotate(0)
"""


def test_killed_at_random(tmp_path: Path) -> None:
    """Five processes are killed in the middle of writing: all that they acknowledged is there."""
    folder = tmp_path / "data"
    tests = str(Path(stored_log.__file__).parent.parent)
    last = 0
    for number in range(5):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": tests},
        )
        with child:
            assert child.stdout is not None
            for _ in range(20 + 13 * number):
                last = int(child.stdout.readline())
            child.kill()
            last = max(map(int, child.stdout), default=last)
        with stored_log.opened(folder) as found:
            assert found.last in (last, last + 1)
            assert stored_log.holds(found, found.last)
    shutil.rmtree(folder)
