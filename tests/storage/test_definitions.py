"""Definitions: what was written is read, whole or not at all, and damage is found."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.model.errors import CorruptionError, HeadcountError, Reason, UserError
from headcount.storage import definitions, files
from headcount.storage.definitions import (
    Definitions,
    definitions_path,
    read_definitions,
    write_definitions,
)
from headcount.storage.folder import WriterLock
from headcount.storage.manifest import FORMAT
from support import stored
from support.faults import Died, Fault, Faults

PAGE = (Path(definitions.__file__).parent / "FORMAT.md").read_text()
SECTION = PAGE.partition("## segments.db\n")[2].partition("\n## ")[0]

DOCUMENTS = {
    "Inactive Buyers > 30 Days": '{"text": "last_open > 30 days ago"}',
    "vip": '{"text": "label contains \\"vip\\""}',
    "": "",
    "nul\0inside": "\0",
    "日本 😀": "é" * 10,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a small workspace."""
    stored.write(tmp_path / "data", 1)
    return tmp_path / "data"


def write(folder: Path, documents: Mapping[str, str]) -> Definitions:
    """Replace what is defined in the workspace."""
    with WriterLock(folder) as lock:
        return write_definitions(read_definitions(folder, "default"), documents, lock)


def read(folder: Path) -> dict[str, str]:
    """Return what is defined in the workspace."""
    return dict(read_definitions(folder, "default").documents)


texts = st.text(max_size=6)


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.dictionaries(texts, texts, max_size=4), max_size=3))
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, steps: list[dict[str, str]]
) -> None:
    """Any names and texts come back, and the revision counts the changes."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "workspaces" / "default").mkdir(parents=True)
    (folder / "manifest.json").touch()
    assert read(folder) == {}
    with WriterLock(folder) as lock:
        at = read_definitions(folder, "default")
        for number, documents in enumerate(steps, start=1):
            at = write_definitions(at, documents, lock)
            assert at == read_definitions(folder, "default")
            assert (at.revision, at.documents) == (number, documents)


def test_a_workspace_without_any(folder: Path) -> None:
    """No file is no definitions, at revision 0."""
    found = read_definitions(folder, "default")
    assert found == Definitions(definitions_path(folder, "default"))
    assert (found.revision, found.documents) == (0, {})
    with pytest.raises(UserError) as caught:
        read_definitions(folder, "../x")
    assert caught.value.reason is Reason.INVALID_VALUE


def test_writing_generations_leaves_definitions_alone(folder: Path) -> None:
    """The two have nothing to do with each other."""
    write(folder, DOCUMENTS)
    stored.write(folder, 2)
    assert read(folder) == DOCUMENTS
    assert stored.version_of(folder) == 2


def test_only_who_read_the_last_change_may_write(folder: Path) -> None:
    """A writer that has not seen a change is refused, so that it undoes none."""
    before = read_definitions(folder, "default")
    write(folder, {"a": "1"})
    with WriterLock(folder) as lock:
        with pytest.raises(UserError, match="read it again") as caught:
            write_definitions(before, {"b": "2"}, lock)
        assert caught.value.reason is Reason.CONFLICT
        assert read(folder) == {"a": "1"}
        lost = Definitions(definitions_path(folder, "gone"))
        with pytest.raises(UserError, match="load data into this workspace first") as caught:
            write_definitions(lost, {}, lock)
        assert caught.value.reason is Reason.NOT_FOUND


def test_only_the_holder_of_the_lock_may_write(folder: Path) -> None:
    """A lock that was given up, or is for another folder, is a bug."""
    before = read_definitions(folder, "default")
    with WriterLock(folder) as lock:
        pass
    with pytest.raises(AssertionError, match="the lock was closed"):
        write_definitions(before, {}, lock)
    with WriterLock(folder.parent / "other") as lock, pytest.raises(AssertionError):
        write_definitions(before, {}, lock)


# --- damage -----------------------------------------------------------------------------------


def flips(path: Path, seed: int) -> Iterator[int]:
    """Flip a random bit of each byte in turn, yielding its place while it is flipped."""
    dice = random.Random(seed)
    good = path.read_bytes()
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << dice.randrange(8)
        path.write_bytes(bad)
        yield place
    path.write_bytes(good)


def damage_of(folder: Path) -> CorruptionError | None:
    """Return the damage that is found; None if what is read is what was written."""
    try:
        found = read(folder)
    except CorruptionError as error:
        return error
    assert found == DOCUMENTS
    return None


def test_every_byte(folder: Path) -> None:
    """A flipped bit is found, or changes nothing; one inside a document is found and named."""
    path = write(folder, DOCUMENTS).path
    good = path.read_bytes()
    owner = {
        good.find(text.encode()) + i: name
        for name, text in DOCUMENTS.items()
        if len(text) > 10
        for i in range(len(text.encode()))
    }
    found, named = 0, 0
    for place in flips(path, seed=1):
        error = damage_of(folder)
        if error is None:
            assert place not in owner
            continue
        found += 1
        assert error.path == path
        assert "restore the file from a copy" in error.message
        if place in owner and error.part is not None:
            assert error.part == f"definition {owner[place]!r}"
            named += 1
    assert named >= 0.8 * len(owner) > 50  # the others are no UTF-8 any more
    assert found > len(owner)
    assert read(folder) == DOCUMENTS


def test_a_file_cut_anywhere(folder: Path) -> None:
    """A shortened file is damaged, also one of no bytes."""
    path = write(folder, DOCUMENTS).path
    good = path.read_bytes()
    for size in (0, 1, 99, 100, *range(512, len(good), 512), len(good) - 1):
        path.write_bytes(good[:size])
        with pytest.raises(CorruptionError) as caught:
            read(folder)
        assert caught.value.path == path
    path.unlink()
    path.mkdir()
    with pytest.raises(CorruptionError):
        read(folder)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM definitions WHERE name = 'vip'",
        "DELETE FROM definitions",
        "INSERT INTO definitions SELECT 'new', document, crc32 FROM definitions LIMIT 1",
        "UPDATE definitions SET document = '{}' WHERE name = 'vip'",
        "UPDATE definitions SET name = 'VIP' WHERE name = 'vip'",
        "UPDATE definitions SET crc32 = crc32 + 1",
        "DELETE FROM meta WHERE name = 'sum'",
        "DELETE FROM meta",
        "UPDATE meta SET value = '7' WHERE name = 'revision'",
        "DROP TABLE meta",
        f"PRAGMA user_version = {FORMAT + 1}",
        "PRAGMA user_version = 0",
        "PRAGMA application_id = 1",
    ],
)
def test_rows_that_do_not_fit_together(folder: Path, statement: str) -> None:
    """What was changed by something else, without the sums, is damaged."""
    path = write(folder, DOCUMENTS).path
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(CorruptionError) as caught:
        read(folder)
    assert caught.value.path == path
    with pytest.raises(CorruptionError):
        write(folder, {})


def test_a_row_of_an_older_file(folder: Path) -> None:
    """A row whose own sum is right is damage when it is not the one that was written last."""
    path = write(folder, {"a": "old", "b": "same"}).path
    with contextlib.closing(sqlite3.connect(path)) as database:
        (old,) = database.execute("SELECT document, crc32 FROM definitions WHERE name = 'a'")
    write(folder, {"a": "new", "b": "same"})
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE definitions SET document = ?, crc32 = ? WHERE name = 'a'", old)
        database.commit()
    with pytest.raises(CorruptionError, match="expected 2 rows, found 2, or others"):
        read(folder)


def test_a_newer_format(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a newer Headcount wrote is told apart from damage."""
    with monkeypatch.context() as newer:
        newer.setattr(definitions, "FORMAT", FORMAT + 1)
        write(folder, DOCUMENTS)
    with pytest.raises(UserError, match="Upgrade Headcount") as caught:
        read(folder)
    assert caught.value.reason is Reason.UNSUPPORTED


# --- crashes ----------------------------------------------------------------------------------

OLD, NEW = {"a": "1", "b": "2"}, {"a": "1", "c": "3" * 5000}
COMMIT = "replace segments.db"


def steps_of(folder: Path) -> list[str]:
    """Return the operations of a change that succeeds."""
    with Faults() as faults:
        write(folder, NEW)
    return faults.steps


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("old", [{}, OLD], ids=["first", "change"])
def test_one_failure_at_every_step(tmp_path: Path, fault: Fault, old: dict[str, str]) -> None:
    """Before the commit the old rows are stored, after it the new ones; the next write succeeds."""
    template, folder = tmp_path / "template", tmp_path / "data"
    stored.write(template, 1)
    if old:
        write(template, old)
    shutil.copytree(template, folder)
    steps = steps_of(folder)
    commit = steps.index(COMMIT)
    assert len(steps) > 10
    for at, step in enumerate(steps):
        shutil.rmtree(folder)
        shutil.copytree(template, folder)
        with Faults(fault, at), pytest.raises((HeadcountError, Died)) as caught:
            write(folder, NEW)
        assert read(folder) == (NEW if at > commit else old), (at, step)
        if fault is not Fault.DEATH:
            outcome = "the change took effect" if at > commit else files.UNCHANGED
            assert outcome in caught.value.message
        write(folder, {"z": "9"})
        assert read(folder) == {"z": "9"}
        names = sorted(path.name for path in definitions_path(folder, "default").parent.iterdir())
        assert names == ["gen-000001.db", "segments.db"], (at, step)


def test_the_order_of_syncs(folder: Path) -> None:
    """The name is given after the bytes are synced, and is synced itself."""
    write(folder, OLD)
    steps = [step for step in steps_of(folder) if step != "xWrite"]
    assert steps == [
        "open lock",
        "ftruncate lock",
        "pwrite lock",
        "unlink segments.db.tmp",
        "open segments.db.tmp",
        "xSync",
        "fsync segments.db.tmp",
        "replace segments.db",
        "fsync default",
    ]


# --- the page and the sample ------------------------------------------------------------------


def test_the_page_says_what_is_written(folder: Path) -> None:
    """The drawing and the list of columns are the tables; so are the numbers and the facts."""
    path = write(folder, DOCUMENTS).path
    with contextlib.closing(apsw.Connection(str(path))) as database:
        real: dict[str, list[tuple[str, str]]] = {}
        for table, name, kind in database.execute(
            "SELECT tables.name, columns.name, columns.type"
            " FROM sqlite_schema AS tables JOIN pragma_table_info(tables.name) AS columns"
            " WHERE tables.type = 'table' ORDER BY tables.rowid, columns.cid"
        ):
            real.setdefault(str(table), []).append((str(name), str(kind)))
        facts = {str(name) for (name,) in database.execute("SELECT name FROM meta")}
        assert database.pragma("application_id") == definitions.APPLICATION
        assert database.pragma("user_version") == FORMAT
    drawn = {
        table: columns.split(", ")
        for table, columns in re.findall(r"^(\w+) +\(([\w, ]+)\)", SECTION, re.MULTILINE)
    }
    assert drawn == {table: [name for name, _ in columns] for table, columns in real.items()}
    listed: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in re.findall(r"^\| (\w+) \| (\w+) \| ([A-Z]+) \|", SECTION, re.M):
        listed.setdefault(table, []).append((column, kind))
    assert listed == real
    (row,) = re.findall(r"^\| meta \| name \| TEXT \| (.*) \|", SECTION, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) == facts
    assert f"0x{definitions.APPLICATION:X}" in SECTION
    assert definitions.FILE in PAGE.partition("## How a generation")[0]
