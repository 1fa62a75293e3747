"""What the operating system's failures become."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import apsw
import pytest

from headcount.model.errors import CorruptionError, HeadcountError, Reason, UserError
from headcount.storage import files

PATH = Path("/data/file")


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (OSError(errno.ENOSPC, "x"), Reason.DISK_FULL),
        (OSError(errno.EDQUOT, "x"), Reason.DISK_FULL),
        (apsw.FullError("x"), Reason.DISK_FULL),
        (OSError(errno.EACCES, "x"), Reason.CONFLICT),
        (OSError(errno.EROFS, "x"), Reason.CONFLICT),
        (apsw.ReadOnlyError("x"), Reason.CONFLICT),
        (OSError(errno.EIO, "x"), None),
        (apsw.IOError("x"), None),
    ],
)
def test_failures_of_the_disk_say_what_to_do(raised: Exception, reason: Reason | None) -> None:
    """Space and rights are for the user to mend; a failing disk is damage. The file is named."""
    with pytest.raises(HeadcountError) as caught, files.explained(PATH, files.UNCHANGED, 7):
        raise raised
    error = caught.value
    assert error.__cause__ is raised
    assert str(PATH) in str(error)
    assert files.UNCHANGED in str(error)
    if reason is None:
        assert isinstance(error, CorruptionError)
        assert error.offset == 7
    else:
        assert isinstance(error, UserError)
        assert error.reason is reason


@pytest.mark.parametrize(
    "raised", [FileNotFoundError(2, "x"), OSError(errno.EMFILE, "x"), apsw.SQLError("x")]
)
def test_other_failures_come_as_they_are(raised: Exception) -> None:
    """What is not about the disk is not dressed up."""
    with pytest.raises(type(raised)) as caught, files.explained(PATH):
        raise raised
    assert caught.value is raised


def test_a_real_refusal(tmp_path: Path) -> None:
    """The system's own error passes through the same table."""
    (tmp_path / "full").symlink_to("/dev/full")
    descriptor = os.open(tmp_path / "full", os.O_WRONLY)
    try:
        with pytest.raises(UserError, match="the disk is full"), files.explained(tmp_path / "full"):
            os.write(descriptor, b"x")
    finally:
        os.close(descriptor)


def test_folders_are_made_with_those_above(tmp_path: Path) -> None:
    """Again is harmless; a file in the way is said to be one."""
    for _ in range(2):
        files.make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file where a folder is needed"):
        files.make_folder(tmp_path / "file")


def test_writing_beside_replaces_a_leftover(tmp_path: Path) -> None:
    """The target is untouched until it is renamed over."""
    target = tmp_path / "x.json"
    target.write_bytes(b"old")
    (tmp_path / "x.json.tmp").write_bytes(b"left behind, and longer")
    files.write_beside(target, b"new")
    assert target.read_bytes() == b"old"
    files.rename(files.beside(target), target)
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["x.json"]


def test_removing_what_is_gone_is_no_error(tmp_path: Path) -> None:
    """Both ways of removing take a missing file as removed; only one reports a failure."""
    files.remove(tmp_path / "none")
    files.discard(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    files.discard(tmp_path / "folder")
    with pytest.raises(OSError, match="folder"):
        files.remove(tmp_path / "folder")
