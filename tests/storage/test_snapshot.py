"""Writing, opening, and replacing generations."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.index.parts import Part
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import manifest, tables
from headcount.storage.folder import WriterLock, generation_path
from headcount.storage.manifest import FORMAT, list_workspaces
from headcount.storage.snapshot import open_snapshot, write_snapshot
from headcount.storage.tables import Layout
from support import stored


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    """Facts, blocks, parts and their order, in a new folder."""
    assert stored.write(tmp_path / "data", 1) == 1
    assert stored.version_of(tmp_path / "data") == 1
    with open_snapshot(tmp_path / "data", "default") as snapshot:
        assert snapshot.block_numbers == stored.BLOCKS
        assert snapshot.generation == 1
        assert snapshot.path.name == "gen-000001.db"
        assert snapshot.size == snapshot.path.stat().st_size
        assert snapshot.block(3).document("field/country/kind") == {"kind": "keyword", "mark": 3001}
        with pytest.raises(KeyError):
            snapshot.block(2)


def test_sizes_are_the_writers_choice(tmp_path: Path) -> None:
    """A snapshot of any layout reads the same; a later one may have another."""
    for version, layout in enumerate((Layout(), Layout(512, 1, 7), stored.SMALL), start=1):
        stored.write(tmp_path, version, layout=layout, unchanged=[1] if version > 1 else [])
        assert stored.version_of(tmp_path) == version


def test_a_new_generation_replaces_the_old(tmp_path: Path) -> None:
    """Only the live generation is left on disk."""
    for version in (1, 2, 3):
        assert stored.write(tmp_path, version) == version
        assert stored.files_of(tmp_path) == [
            "manifest.json",
            f"workspaces/default/gen-{version:06d}.db",
        ]
    assert stored.version_of(tmp_path) == 3


def test_unchanged_blocks_are_copied(tmp_path: Path) -> None:
    """A block named as unchanged is taken from the live generation; others are gone."""
    stored.write(tmp_path, 1)
    stored.write(tmp_path, 2, unchanged=[stored.STABLE])
    assert stored.version_of(tmp_path) == 2
    write_snapshot(tmp_path, "default", stored.meta(3), [], unchanged=[3])
    _, found = stored.read(tmp_path)
    assert found == {3: stored.expected(2)[3]}


def test_blocks_may_come_in_any_order(tmp_path: Path) -> None:
    """Reading is in ascending order, whatever the order of writing."""
    content = [(n, stored.block(n, 1)) for n in (3, 0)]
    stored.write(tmp_path, 1)
    write_snapshot(tmp_path, "default", stored.meta(1), content, unchanged=[1])
    assert stored.version_of(tmp_path) == 1


def test_a_block_is_new_or_unchanged(tmp_path: Path) -> None:
    """Both at once is the caller's bug, and changes nothing."""
    stored.write(tmp_path, 1)
    with pytest.raises(AssertionError, match="both new and unchanged"):
        write_snapshot(tmp_path, "default", stored.meta(2), stored.blocks(2), unchanged=[1])
    with pytest.raises(KeyError):
        write_snapshot(tmp_path, "default", stored.meta(2), [], unchanged=[2])
    assert stored.version_of(tmp_path) == 1
    assert len(stored.files_of(tmp_path)) == 2


def test_what_the_blocks_raise_comes_through(tmp_path: Path) -> None:
    """A failure while building a block leaves no trace."""

    def failing() -> Iterator[tuple[int, list[Part]]]:
        yield 0, stored.block(0, 2)
        raise OSError(28, "No space left on device", "spill file of the loader")

    stored.write(tmp_path, 1)
    with pytest.raises(OSError, match="spill file"):
        write_snapshot(tmp_path, "default", stored.meta(2), failing())
    assert stored.version_of(tmp_path) == 1
    assert len(stored.files_of(tmp_path)) == 2


def test_no_blocks_at_all(tmp_path: Path) -> None:
    """An empty workspace is a workspace."""
    write_snapshot(tmp_path, "default", stored.meta(0), [])
    assert stored.read(tmp_path) == (stored.meta(0), {})


def test_workspaces_are_apart(tmp_path: Path) -> None:
    """Writing one workspace does not touch another."""
    stored.write(tmp_path, 1, workspace="acme")
    stored.write(tmp_path, 2, workspace="bolt")
    stored.write(tmp_path, 3, workspace="bolt")
    assert list_workspaces(tmp_path) == ("acme", "bolt")
    assert stored.read(tmp_path, "acme") == (stored.meta(1), stored.expected(1))
    assert stored.read(tmp_path, "bolt") == (stored.meta(3), stored.expected(3))


def test_an_unknown_workspace_is_told_with_the_known(tmp_path: Path) -> None:
    """The answer lists the workspaces there are, and the nearest name."""
    stored.write(tmp_path, 1, workspace="acme")
    with pytest.raises(UserError, match="it has: `acme`") as caught:
        open_snapshot(tmp_path, "acne")
    assert caught.value.reason is Reason.NOT_FOUND
    assert caught.value.suggestions == ("acme",)
    with pytest.raises(UserError, match="holds '/'"):
        open_snapshot(tmp_path, "a/b")
    with pytest.raises(UserError, match="holds '/'"):
        stored.write(tmp_path, 1, workspace="a/b")
    with pytest.raises(UserError, match="no such folder"):
        open_snapshot(tmp_path / "elsewhere", "acme")


def test_two_workspaces_may_not_differ_only_in_case(tmp_path: Path) -> None:
    """A folder that is copied to another system keeps its workspaces apart."""
    stored.write(tmp_path, 1, workspace="acme")
    with pytest.raises(UserError, match="differs from `Acme` only in case") as caught:
        stored.write(tmp_path, 1, workspace="Acme")
    assert caught.value.reason is Reason.ALREADY_EXISTS
    assert list_workspaces(tmp_path) == ("acme",)


def test_a_lock_that_is_held_is_used(tmp_path: Path) -> None:
    """The holder of the lock writes with it; nobody else writes meanwhile."""
    with WriterLock(tmp_path) as lock:
        write_snapshot(tmp_path, "default", stored.meta(1), stored.blocks(1), lock=lock)
        with pytest.raises(UserError, match="is in use by this process"):
            stored.write(tmp_path, 2)
        assert lock.held
    stored.write(tmp_path, 2)
    with pytest.raises(AssertionError, match="was closed"):
        write_snapshot(tmp_path, "default", stored.meta(3), [], lock=lock)
    (tmp_path / "other").mkdir()
    with WriterLock(tmp_path) as lock, pytest.raises(AssertionError, match="the lock is for"):
        write_snapshot(tmp_path / "other", "default", stored.meta(3), [], lock=lock)


def test_readers_take_no_lock_and_keep_what_they_opened(tmp_path: Path) -> None:
    """A generation that is removed while it is open is read to its end."""
    stored.write(tmp_path, 1)
    with open_snapshot(tmp_path, "default") as old:
        blocks = old.blocks()
        first = next(blocks)
        stored.write(tmp_path, 2)
        assert not old.path.exists()
        with WriterLock(tmp_path):
            assert stored.version_of(tmp_path) == 2
        assert [first[0], *(number for number, _ in blocks)] == list(stored.BLOCKS)
        assert stored.content(old) == stored.expected(1)


@pytest.mark.parametrize("moment", ["manifest", "file"])
def test_a_reader_overtaken_by_a_writer_looks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A generation removed between reading its name, opening it, and letting SQLite open it."""
    stored.write(tmp_path, 1)
    versions = [3, 2]
    writing = False

    def overtake() -> None:
        nonlocal writing
        if versions and not writing:
            writing = True  # the writer reads too
            stored.write(tmp_path, versions.pop())
            writing = False

    if moment == "manifest":
        real_read = manifest.read

        def read(folder: Path) -> manifest.Manifest:
            found = real_read(folder)
            overtake()
            return found

        monkeypatch.setattr(manifest, "read", read)
    else:
        real_open = tables.TableReader.__init__

        def opening(reader: tables.TableReader, path: Path) -> None:
            overtake()
            real_open(reader, path)

        monkeypatch.setattr(tables.TableReader, "__init__", opening)
    assert stored.version_of(tmp_path) == 3


def test_a_name_given_to_another_file_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that was verified is the file that SQLite opened."""
    stored.write(tmp_path, 1)
    stored.write(tmp_path / "copy", 1)
    path = generation_path(tmp_path, "default", 1)
    real_open = tables.TableReader.__init__

    def opening(reader: tables.TableReader, name: Path) -> None:
        shutil.copy(path, path.with_name("copy"))
        os.replace(path.with_name("copy"), path)
        real_open(reader, name)

    with monkeypatch.context() as patch:
        patch.setattr(tables.TableReader, "__init__", opening)
        with pytest.raises(CorruptionError, match="missing"):
            open_snapshot(tmp_path, "default")
    assert stored.version_of(tmp_path) == 1


def test_a_missing_generation(tmp_path: Path) -> None:
    """The file that the manifest names is gone: damage, for readers and writers."""
    stored.write(tmp_path, 1)
    path = generation_path(tmp_path, "default", 1)
    path.unlink()
    for attempt in (stored.version_of, lambda folder: stored.write(folder, 2)):
        with pytest.raises(CorruptionError, match="restore the whole data folder") as caught:
            attempt(tmp_path)
        assert caught.value.path == path


@pytest.mark.parametrize("keep", [True, False])
def test_a_manifest_older_than_the_workspaces(tmp_path: Path, keep: bool) -> None:
    """A manifest restored alone is found out, and nothing that it does not know is removed."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    stored.write(data, 1)
    shutil.copytree(data, backup)
    for version in (2, 3):
        stored.write(data, version)
    shutil.copy(backup / "manifest.json", data)
    if keep:  # somebody put the old generation back as well, beside the new one
        shutil.copy(generation_path(backup, "default", 1), generation_path(data, "default", 1))
    for attempt in (stored.version_of, lambda folder: stored.write(folder, 4)):
        with pytest.raises(CorruptionError, match="from an older copy than the workspaces"):
            attempt(data)
    assert generation_path(data, "default", 3).exists()


def test_a_manifest_from_before_the_workspace(tmp_path: Path) -> None:
    """A manifest that does not know a workspace with several generations is from an older copy."""
    stored.write(tmp_path, 1, workspace="other")
    old = (tmp_path / "manifest.json").read_bytes()
    for version in (1, 2):
        stored.write(tmp_path, version)
    (tmp_path / "manifest.json").write_bytes(old)
    for attempt in (stored.version_of, lambda folder: stored.write(folder, 3)):
        with pytest.raises(CorruptionError, match="names no generation of workspace `default`"):
            attempt(tmp_path)


def test_a_generation_of_another_copy(tmp_path: Path) -> None:
    """A file of the right name from elsewhere is not what was written here."""
    stored.write(tmp_path / "a", 1)
    stored.write(tmp_path / "b", 2)
    theirs = generation_path(tmp_path / "b", "default", 1)
    shutil.copy(theirs, generation_path(tmp_path / "a", "default", 1))
    with pytest.raises(CorruptionError, match="do not match manifest"):
        open_snapshot(tmp_path / "a", "default")


def test_leftovers_of_killed_writers(tmp_path: Path) -> None:
    """Files that were never finished or never live are ignored, and removed by the next writer."""
    stored.write(tmp_path, 1)
    live = generation_path(tmp_path, "default", 1)
    orphan = generation_path(tmp_path, "default", 2)
    orphan.write_bytes(b"complete, but not live")
    for path in (live, orphan, tmp_path / "manifest.json"):
        path.with_name(path.name + ".tmp").write_bytes(b"half")
    assert stored.version_of(tmp_path) == 1
    assert stored.write(tmp_path, 2) == 2
    assert stored.version_of(tmp_path) == 2
    assert stored.files_of(tmp_path) == ["manifest.json", "workspaces/default/gen-000002.db"]


def test_a_folder_of_a_newer_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither read nor written over."""
    with monkeypatch.context() as newer:
        newer.setattr(manifest, "FORMAT", FORMAT + 1)
        newer.setattr(tables, "FORMAT", FORMAT + 1)
        stored.write(tmp_path, 1)
        assert stored.version_of(tmp_path) == 1
    before = (tmp_path / "manifest.json").read_bytes()
    for attempt in (stored.version_of, lambda folder: stored.write(folder, 2)):
        with pytest.raises(UserError, match="Upgrade Headcount") as caught:
            attempt(tmp_path)
        assert caught.value.reason is Reason.UNSUPPORTED
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_relative_paths_and_paths_that_need_quoting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder may be called anything."""
    monkeypatch.chdir(tmp_path)
    for name in ("data", "50% off?", "a#b&mode=memory", "späte Daten"):
        stored.write(Path(name), 1)
        assert stored.version_of(Path(name)) == 1
    assert sorted(os.listdir(tmp_path)) == sorted(["data", "50% off?", "a#b&mode=memory",
                                                   "späte Daten"])  # fmt: skip


def test_one_part_in_memory_when_writing_one_block_when_reading(tmp_path: Path) -> None:
    """Writing and reading need memory for a part and a block, not for the workspace."""
    size = 1 << 20

    def content(count: int) -> Iterator[tuple[int, Iterator[Part]]]:
        for number in range(count):
            yield number, (Part(str(i), "array:|u1", bytes([i]) * size) for i in range(4))

    def peak_of_writing(unchanged: range) -> int:
        tracemalloc.reset_peak()
        new = content(0) if unchanged else content(8)
        write_snapshot(tmp_path, "default", stored.meta(1), new, unchanged)
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        written, copied = peak_of_writing(range(0)), peak_of_writing(range(8))
        with open_snapshot(tmp_path, "default") as snapshot:
            tracemalloc.reset_peak()
            for _, parts in snapshot.blocks():
                assert len(parts) == 4
            read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Beside the parts: the next one being made, and a chunk for each of two checksum threads.
    assert written < 4 * size
    assert copied < 4 * size
    assert read < 9 * size  # a block and the one before, until the name is bound anew
