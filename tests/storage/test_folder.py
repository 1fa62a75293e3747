"""The data folder: names, the writer's lock, what lies in it."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import folder
from headcount.storage.folder import WriterLock, check_name

HOLD = """
import sys
from pathlib import Path
from headcount.storage.folder import WriterLock
lock = WriterLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["default", "a", "ACME-2024_eu.v2", "-", "0", "x" * 64, "a..b"])
def test_safe_names_are_allowed(name: str) -> None:
    """Letters, digits, `-`, `_` and `.` make a name."""
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "is empty"),
        (".", "begins with `.`"),
        ("..", "begins with `.`"),
        (".hidden", "begins with `.`"),
        ("a/b", "holds '/'"),
        ("a b", "holds ' '"),
        ("naïve", "holds 'ï'"),
        ("a\n", "holds '\\n'"),
        ("a\0", "holds '\\x00'"),
        ("١", "holds '١'"),
        ("x" * 65, "has 65 characters; at most 64"),
    ],
)
def test_other_names_are_refused_with_the_rule(name: str, complaint: str) -> None:
    """A name that could leave the folder, or clash somewhere, is refused."""
    with pytest.raises(UserError) as caught:
        check_name(name)
    assert caught.value.reason is Reason.INVALID_VALUE
    assert complaint in caught.value.message


@given(st.text(max_size=70))
@example("a/../b")
def test_an_accepted_name_is_one_step_below_the_workspaces(name: str) -> None:
    """No accepted name leads anywhere else."""
    try:
        check_name(name)
    except UserError:
        return
    path = os.path.normpath(folder.workspace_folder(Path("/data"), name))
    assert os.path.dirname(path) == "/data/workspaces"
    assert os.path.basename(path) == name


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    """A second lock is refused, also in the same process; a closed one is free again."""
    with WriterLock(tmp_path) as first:
        assert first.held
        with pytest.raises(UserError, match="in use by this process") as caught:
            WriterLock(tmp_path)
        assert caught.value.reason is Reason.CONFLICT
    assert not first.held
    first.close()
    WriterLock(tmp_path).close()


def test_the_other_writer_is_named_and_its_death_frees_the_folder(tmp_path: Path) -> None:
    """The message names the process; when that is killed, its lock is gone, its number harmless."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"in use by process {other.pid}") as caught:
            WriterLock(tmp_path)
        assert caught.value.reason is Reason.CONFLICT
        other.kill()
    assert (tmp_path / "lock").read_text() == f"{other.pid}\n"
    with WriterLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_an_unreadable_lock_file_still_gives_an_answer(tmp_path: Path) -> None:
    """A writer that has not yet put its number into the file is 'another process'."""
    with WriterLock(tmp_path):
        (tmp_path / "lock").write_bytes(b"\xff\x00")
        with pytest.raises(UserError, match="in use by another process"):
            WriterLock(tmp_path)


def test_a_file_system_without_locks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a lock there is no writing."""

    def flock(*_: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UserError, match="local disk") as caught:
        WriterLock(tmp_path)
    assert caught.value.reason is Reason.UNSUPPORTED


def test_the_lock_makes_the_folder(tmp_path: Path) -> None:
    """A new data folder is made, with those above it."""
    with WriterLock(tmp_path / "a" / "b"):
        assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["lock"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A mistyped path gets no files of ours among its own."""
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(UserError, match=r"not empty \(it holds `thesis.doc`\)") as caught:
        WriterLock(tmp_path)
    assert caught.value.reason is Reason.CONFLICT
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_fresh_volume_counts_as_empty(tmp_path: Path) -> None:
    """What a file system or a desktop puts into an empty folder does not matter."""
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".DS_Store").touch()
    WriterLock(tmp_path).close()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    """A file cannot be a data folder, nor hold one."""
    (tmp_path / "data").touch()
    for path in (tmp_path / "data", tmp_path / "data" / "sub"):
        with pytest.raises(UserError, match="is a file where a folder is needed") as caught:
            WriterLock(path)
        assert caught.value.reason is Reason.CONFLICT


def test_workspaces_without_a_manifest_are_not_written_over(tmp_path: Path) -> None:
    """A lost manifest is reported, not replaced by an empty one."""
    (tmp_path / "workspaces").mkdir()
    with pytest.raises(CorruptionError, match=r"put back manifest\.json"):
        WriterLock(tmp_path)


def test_leftovers_are_what_is_ours_and_not_live(tmp_path: Path) -> None:
    """Only files called like generations are ever removed."""
    home = folder.workspace_folder(tmp_path, "w")
    home.mkdir(parents=True)
    names = ["gen-000001.db", "gen-000002.db", "gen-000002.db.tmp", "gen-1234567.db.tmp"]
    for name in [*names, "gen-1.db", "notes.txt", "gen-000003.db.bak", "other.tmp"]:
        (home / name).touch()
    found = [p.name for p in folder.leftovers(tmp_path, "w", live=2)]
    assert found == ["gen-000001.db", "gen-000002.db.tmp", "gen-1234567.db.tmp"]
    assert folder.newest_generation(tmp_path, "w") == 2
    assert folder.newest_generation(tmp_path, "nobody") == 0
    assert folder.generation_path(tmp_path, "w", 1234567).name == "gen-1234567.db"
