"""
Every operation on the disk fails once, and writers are killed: one complete generation is live.

`test_the_harness_sees_a_wrong_order` is the negative control.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headcount.model.errors import CorruptionError, HeadcountError, Reason, UserError
from headcount.storage import files, manifest, snapshot
from headcount.storage.folder import generation_path
from support import killed_writer, stored
from support.faults import Died, Fault, Faults

COMMIT = "replace manifest.json"


def replace(folder: Path) -> int:
    """Write version 2 over version 1."""
    return stored.write(folder, 2)


def update(folder: Path) -> int:
    """Write version 2 over version 1, with a block copied."""
    return stored.write(folder, 2, unchanged=[stored.STABLE])


def first(folder: Path) -> int:
    """Write version 1 where there is nothing."""
    return stored.write(folder, 1)


WRITES = [(replace, 1), (update, 1), (first, 0)]


@pytest.fixture(params=WRITES, ids=["replace", "update", "first"])
def scene(
    request: pytest.FixtureRequest, tmp_path: Path
) -> tuple[Callable[[Path], int], int, Callable[[], Path]]:
    """A write, the version before it (0: none), and how to get a folder that holds that."""
    write, before = request.param
    template = tmp_path / "template"
    if before:
        stored.write(template, before)

    def fresh() -> Path:
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        if before:
            shutil.copytree(template, folder)
        return folder

    return write, before, fresh


def live(folder: Path) -> int:
    """Return the version that is live, complete; 0 when nothing was ever written."""
    try:
        return stored.version_of(folder)
    except UserError as error:
        if error.reason is not Reason.NOT_FOUND:
            raise
        return 0


def steps_of(write: Callable[[Path], int], folder: Path) -> list[str]:
    """Return the operations of a write that succeeds."""
    with Faults() as faults:
        write(folder)
    return faults.steps


@pytest.mark.parametrize("fault", Fault)
def test_one_failure_at_every_step(
    scene: tuple[Callable[[Path], int], int, Callable[[], Path]], fault: Fault
) -> None:
    """
    Before the commit the old generation is live, after it the new one.

    The error says what to do, and the next write succeeds and leaves no leftovers.
    """
    write, before, fresh = scene
    steps = steps_of(write, fresh())
    commit = len(steps) - 1 - steps[::-1].index(COMMIT)
    assert len(steps) > 20
    for at, step in enumerate(steps):
        folder = fresh()
        with Faults(fault, at) as faults, pytest.raises((HeadcountError, Died)) as caught:
            write(folder)
        assert faults.failed
        assert live(folder) == before + (at > commit), (at, step)
        check_message(caught.value, fault, step if at > commit else None)
        stored.write(folder, 9)
        assert stored.version_of(folder) == 9
        assert len(stored.files_of(folder)) == 2, (at, step, stored.files_of(folder))


def check_message(error: BaseException, fault: Fault, after_commit: str | None) -> None:
    """The error is of the right kind, and says what became of the data."""
    if fault is Fault.DEATH:
        assert isinstance(error, Died)
        return
    kind = UserError if fault is Fault.FULL else CorruptionError
    assert isinstance(error, kind)
    if isinstance(error, UserError):
        assert error.reason is Reason.DISK_FULL
        assert "Free space" in error.message
    else:
        assert "replace the disk" in error.message
    if after_commit is None:
        assert files.UNCHANGED in error.message
    elif after_commit == "fsync data":
        assert "a power cut may undo it" in error.message
    else:
        assert "is live all the same" in error.message


def test_a_failed_write_leaves_no_file(tmp_path: Path) -> None:
    """A disk that ran full is not kept full by what could not be finished."""
    stored.write(tmp_path, 1)
    steps = steps_of(replace, tmp_path)
    stored.write(tmp_path, 1)
    before = stored.files_of(tmp_path)
    for at in range(steps.index(COMMIT)):
        with Faults(Fault.FULL, at), pytest.raises(UserError):
            replace(tmp_path)
        assert stored.files_of(tmp_path) == before, steps[at]


def test_the_order_of_syncs(tmp_path: Path) -> None:
    """Each name is given after the bytes are synced, and each removal after the commit is."""
    data = tmp_path / "data"
    stored.write(data, 1)
    steps = [step for step in steps_of(replace, data) if step != "xWrite"]
    assert steps == [
        "open lock",
        "ftruncate lock",
        "pwrite lock",
        "open gen-000002.db.tmp",
        "xSync",
        "fsync gen-000002.db.tmp",
        "replace gen-000002.db",
        "fsync default",
        "unlink manifest.json.tmp",
        "open manifest.json.tmp",
        "write manifest.json.tmp",
        "fsync manifest.json.tmp",
        "replace manifest.json",
        "fsync data",
        "unlink gen-000001.db",
        "fsync default",
    ]


def test_the_harness_sees_a_wrong_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: a writer that removes the old generation before the commit is found out."""

    def tidy_first(folder: Path) -> None:
        generation_path(folder, "default", 1).unlink()
        publish(folder)

    publish = manifest.publish
    template, folder = tmp_path / "template", tmp_path / "data"
    stored.write(template, 1)
    monkeypatch.setattr(manifest, "publish", tidy_first)
    lost = 0
    for at in range(30):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder)
        with Faults(Fault.DEATH, at) as faults, contextlib.suppress(Died):
            replace(folder)
        try:
            live(folder)
        except CorruptionError:
            assert faults.failed
            lost += 1
    assert lost == 1


def test_a_short_write_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that takes a few bytes at a time gets all of them."""
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
    stored.write(tmp_path, 1)
    assert stored.version_of(tmp_path) == 1


def test_a_crash_before_the_first_manifest(tmp_path: Path) -> None:
    """A folder that only got as far as its lock is empty, not damaged."""
    (tmp_path / "lock").touch()
    (tmp_path / "manifest.json.tmp").write_bytes(b'{"crc')
    assert live(tmp_path) == 0
    stored.write(tmp_path, 1)
    assert live(tmp_path) == 1
    assert manifest.list_workspaces(tmp_path) == ("default",)


def test_killed_at_random(tmp_path: Path) -> None:
    """
    Twenty writers are killed in mid-write: what was acknowledged is there, complete.

    The one generation that was being written may be there too.
    """
    size = 400_000
    stored.write(tmp_path, 1, size=size)
    chance = random.Random(20)
    command = [sys.executable, killed_writer.__file__, str(tmp_path), str(size)]
    environment = {**os.environ, "PYTHONPATH": str(Path(killed_writer.__file__).parent.parent)}
    leftovers = 0
    for _ in range(20):
        before = stored.version_of(tmp_path, size)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            for _ in range(chance.randrange(3)):
                before = int(writer.stdout.readline())
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(timeout=chance.uniform(0, 0.05))
            writer.kill()
            acknowledged = max(map(int, writer.stdout), default=before)
        assert stored.version_of(tmp_path, size) in (acknowledged, acknowledged + 1)
        leftovers += len(stored.files_of(tmp_path)) > 2
    assert leftovers  # at least one was killed while it wrote
    with snapshot.open_snapshot(tmp_path, "default") as found:
        assert found.generation == found.meta.version
