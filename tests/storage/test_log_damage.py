"""Damage to the files of a log is detected, or changes nothing; the message says what to do."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from pathlib import Path

import apsw
import pytest

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import log_segment
from headcount.storage.folder import WriterLock
from headcount.storage.log import CommitLog, log_files, needs_replay, segment_path
from headcount.storage.log_mark import mark_path
from support import stored_log

FLIPS = 100
LAST = 70
W = stored_log.WORKSPACE


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three segments; the writer was killed with commits in the write-ahead log."""
    folder = tmp_path_factory.mktemp("logs") / "killed"
    with stored_log.opened(folder) as log:
        stored_log.write(log, 20)
        log.rotate(0)
        stored_log.write(log, 10)
        log.rotate(0)
        stored_log.write(log, 20)
        log._active.settle()
        stored_log.write(log, 20)
        assert log.last == LAST
    return folder


@pytest.fixture(scope="module")
def settled(killed: Path) -> Path:
    """The same, closed in peace."""
    folder = killed.with_name("settled")
    shutil.copytree(killed, folder)
    with stored_log.opened(folder) as log:
        log.close()
    return folder


@pytest.fixture
def copy(killed: Path, tmp_path: Path) -> Path:
    """A copy of the log of a killed writer, to be damaged."""
    return Path(shutil.copytree(killed, tmp_path / "data"))


def flip(path: Path, chance: random.Random) -> None:
    """Flip one bit of a file."""
    content = bytearray(path.read_bytes())
    bit = chance.randrange(len(content) * 8)
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def outcome(folder: Path) -> str:
    """Return "lost" when a commit is missing, "harmless" when not, or "detected"."""
    try:
        with stored_log.opened(folder) as log:
            if not stored_log.holds(log, LAST):
                return "lost"
            stored_log.write(log, 3)
        with stored_log.opened(folder) as log:
            return "harmless" if stored_log.holds(log, LAST + 3) else "lost"
    except (CorruptionError, UserError) as error:
        found = error
    if isinstance(found, CorruptionError):
        assert found.path.parent.name == W
        assert re.search("restore the data folder from a copy", found.message)
    else:
        assert found.reason is Reason.UNSUPPORTED  # the bit was in the format's number
    return "detected"


def flips(origin: Path, tmp_path: Path, witness: bool = True) -> dict[str, Counter[str]]:
    """Return what came of flips, one at a time, by the kind of file."""
    found: dict[str, Counter[str]] = {}
    for number in range(FLIPS):
        chance = random.Random(number)
        folder = tmp_path / str(number)
        shutil.copytree(origin, folder)
        if not witness:
            mark_path(folder, W).unlink()
        path = chance.choice([p for p in log_files(folder, W) if p.stat().st_size])
        flip(path, chance)
        found.setdefault(path.suffix, Counter())[outcome(folder)] += 1
        shutil.rmtree(folder)
    return found


def test_100_flipped_bits(settled: Path, tmp_path: Path) -> None:
    """One wrong bit in a log that was closed is detected, or nothing comes of it."""
    found = flips(settled, tmp_path)
    assert found.keys() == {".db", ".mark"}
    assert sum(found.values(), Counter()).keys() == {"detected", "harmless"}
    assert found[".mark"].keys() == {"detected"}


def test_100_flipped_bits_after_a_kill(killed: Path, tmp_path: Path) -> None:
    """So is one in the log of a killed writer, whose write-ahead log looks shorter for it."""
    found = flips(killed, tmp_path)
    assert found.keys() == {".db", ".db-wal", ".mark"}
    assert sum(found.values(), Counter()).keys() == {"detected", "harmless"}


def test_control_without_the_mark_flipped_bits_lose_commits(killed: Path, tmp_path: Path) -> None:
    """Control: nothing inside the log shows that it was longer."""
    found = flips(killed, tmp_path, witness=False)
    assert found[".db-wal"]["lost"] > 10
    assert "lost" not in found[".db"]


def fails(folder: Path, message: str, after: int = 0) -> CorruptionError:
    """Open and replay the log, which must fail; return the error."""
    with (
        pytest.raises(CorruptionError, match=message) as caught,
        stored_log.opened(folder, after) as log,
    ):
        list(log.replay(after))
    return caught.value


def test_a_missing_middle_segment(copy: Path) -> None:
    """The segment before the gap is named, and the commits around it."""
    segment_path(copy, W, 21).unlink()
    error = fails(copy, r"ends with commit 20, and the next segment begins with 31")
    assert error.path == segment_path(copy, W, 1)


def test_a_missing_first_segment(copy: Path) -> None:
    """A log that begins behind the generation is refused; a newer generation may cover the gap."""
    segment_path(copy, W, 1).unlink()
    fails(copy, "generation is at commit 0, and the log begins with 21")
    fails(copy, "generation is at commit 19, and the log begins with 21", after=19)
    with stored_log.opened(copy, 20) as log:
        assert [entry.sequence for entry in log.replay(20)] == list(range(21, LAST + 1))


def test_a_missing_newest_segment(copy: Path) -> None:
    """The mark knows that there was more."""
    segment_path(copy, W, 31).unlink()
    error = fails(copy, "ends with commit 30, and log.mark knows .* up to 70 .* commits 31 to 70")
    assert error.part == "commit 31"


def test_a_missing_log(copy: Path) -> None:
    """Also when nothing but the mark is left."""
    for first in (1, 21, 31):
        segment_path(copy, W, first).unlink()
    fails(copy, "ends with commit 0, and log.mark knows")
    mark_path(copy, W).unlink()  # what the message offers
    with stored_log.opened(copy) as log:
        assert (log.first, log.last) == (1, 0)


def test_a_missing_write_ahead_log(copy: Path) -> None:
    """It holds commits that the file does not."""
    path = segment_path(copy, W, 31)
    path.with_name(path.name + log_segment.WAL).unlink()
    error = fails(copy, "log ends with commit 50, and log.mark knows")
    assert error.path == path
    assert path.stat().st_size  # and opening changed nothing
    mark_path(copy, W).unlink()
    with stored_log.opened(copy) as log:
        assert stored_log.holds(log, 50)


def test_a_segment_of_another_copy(copy: Path, killed: Path, tmp_path: Path) -> None:
    """A segment with the right numbers that was written after other commits is refused."""
    other = tmp_path / "other"
    with stored_log.opened(other) as log:
        log.append(1, 1, b"something else")
        stored_log.write(log, 19)
        log.rotate(0)
        log.close()
    shutil.copy(segment_path(other, W, 1), segment_path(copy, W, 1))
    fails(copy, "does not continue log-000000000001.db")
    shutil.copy(segment_path(killed, W, 1), segment_path(copy, W, 1))
    shutil.copy(segment_path(copy, W, 1), segment_path(copy, W, 21))
    fails(copy, "begins with commit 1: renamed")


def test_an_older_copy_of_the_log(copy: Path, tmp_path: Path) -> None:
    """An older copy ends before the mark; one that went another way has another chain."""
    other = tmp_path / "other"
    with stored_log.opened(other) as log:
        log.append(1, 1, b"something else")
        stored_log.write(log, LAST - 1)
        log.close()
    for path in log_files(copy, W):
        path.unlink()
    path = segment_path(copy, W, 1)
    shutil.copy(segment_path(other, W, 1), path)
    with stored_log.opened(tmp_path / "third") as log:
        stored_log.write(log, LAST)
    shutil.copy(mark_path(tmp_path / "third", W), mark_path(copy, W))
    error = fails(copy, "its commit 70 is not the one that log.mark knows")
    assert error.part == "commit 70"


def test_another_epoch(copy: Path) -> None:
    """A log of another workspace that had this name is refused."""
    with (
        WriterLock(copy) as lock,
        pytest.raises(CorruptionError, match="of epoch 7, and the generation of 8"),
    ):
        CommitLog(copy, W, lock, epoch=8, after=0)
    mark_path(copy, W).unlink()
    with (
        WriterLock(copy) as lock,
        pytest.raises(CorruptionError, match="of epoch 7, and the generation of 8"),
    ):
        CommitLog(copy, W, lock, epoch=8, after=0)


CHANGES = [
    ("UPDATE commits SET data = x'00' WHERE sequence = 40", "data does not match", "40"),
    ("UPDATE commits SET at = at + 1 WHERE sequence = 40", "not continue the commit", "40"),
    ("UPDATE commits SET records = 77 WHERE sequence = 40", "not continue the commit", "40"),
    ("DELETE FROM commits WHERE sequence = 40", "missing; 41 comes next", "40"),
    ("DELETE FROM commits WHERE sequence = 31", "missing; 32 comes next", "31"),
    ("UPDATE commits SET sequence = 5 WHERE sequence = 40", "missing; 41 comes next", "40"),
    ("DELETE FROM requests WHERE number = 3", "expected rows 1 to", "requests"),
    ("UPDATE requests SET answer = x'00' WHERE number = 3", "checksum", "requests, row 3"),
    ("UPDATE requests SET request = x'00' WHERE number = 3", "checksum", "requests, row 3"),
    ("UPDATE meta SET value = '32' WHERE name = 'first'", "checksum", "meta first"),
    ("DELETE FROM meta WHERE name = 'chain'", "no `chain`", "meta"),
    ("DROP TABLE requests", "no such table", "requests"),
    ("PRAGMA application_id = 5", "not a segment", "the file"),
]


@pytest.mark.parametrize(("statement", "message", "part"), CHANGES, ids=[c[0] for c in CHANGES])
def test_changed_rows(
    settled: Path, tmp_path: Path, statement: str, message: str, part: str
) -> None:
    """The message names the file and the row."""
    folder = Path(shutil.copytree(settled, tmp_path / "data"))
    path = segment_path(folder, W, 31)
    database = apsw.Connection(str(path))
    database.execute(statement)
    database.close()
    error = fails(folder, message)
    assert error.path == path
    assert error.part in (part, f"commit {part}")


def test_a_newer_format(settled: Path, tmp_path: Path) -> None:
    """A segment of a newer Headcount is not read."""
    folder = Path(shutil.copytree(settled, tmp_path / "data"))
    database = apsw.Connection(str(segment_path(folder, W, 31)))
    database.pragma("user_version", 99)
    database.close()
    with pytest.raises(UserError, match=r"format 99.*Upgrade") as caught, stored_log.opened(folder):
        pass
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_damaged_mark(copy: Path) -> None:
    """The log is refused with what to do; without the mark it opens."""
    mark = mark_path(copy, W)
    mark.write_bytes(mark.read_bytes()[:-1])
    error = fails(copy, "remove this file to go on without knowing")
    assert error.path == mark
    assert needs_replay(copy, W, LAST)
    mark.unlink()
    assert needs_replay(copy, W, LAST)
    with stored_log.opened(copy) as log:
        assert stored_log.holds(log, LAST)
    assert mark.exists()


def test_leftovers_are_removed(copy: Path) -> None:
    """What a killed writer did not finish goes; a write-ahead log without its file does too."""
    home = mark_path(copy, W).parent
    for name in ("log-000000000071.db.tmp", "log-000000000071.db.tmp-wal", "log.mark.tmp"):
        (home / name).write_bytes(b"half")
    (home / "log-000000000071.db-wal").write_bytes(b"of nothing")
    with stored_log.opened(copy) as log:
        log.rotate(0)
        stored_log.write(log, 1)
        assert stored_log.holds(log, LAST + 1)
    assert not list(home.glob("*.tmp*"))


def test_another_program_has_it_open(settled: Path, tmp_path: Path) -> None:
    """Somebody who looks inside with SQLite is named as the hindrance."""
    folder = Path(shutil.copytree(settled, tmp_path / "data"))
    database = apsw.Connection(str(segment_path(folder, W, 31)))
    database.execute("BEGIN; SELECT * FROM commits").fetchone()
    with (
        pytest.raises(UserError, match="open in another program") as caught,
        stored_log.opened(folder),
    ):
        pass
    assert caught.value.reason is Reason.CONFLICT
    database.close(force=True)
