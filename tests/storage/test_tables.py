"""One generation as SQLite tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.index.parts import Part
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import tables
from headcount.storage.manifest import FORMAT
from headcount.storage.tables import Layout, TableReader, TableWriter

Blocks = dict[int, list[Part]]


def written(path: Path, blocks: Blocks, layout: Layout) -> None:
    """Write blocks and two facts to a file made anew."""
    path.unlink(missing_ok=True)
    path.touch()
    writer = TableWriter(path, layout)
    try:
        for number, parts in blocks.items():
            writer.write(number, parts)
        writer.finish({"a": "1", "b": "zwei"})
    finally:
        writer.close()


@contextmanager
def reading(path: Path) -> Iterator[TableReader]:
    """Yield a reader of a file."""
    reader = TableReader(path)
    try:
        yield reader
    finally:
        reader.close()


def stored(path: Path) -> Blocks:
    """Return every part of a file."""
    with reading(path) as reader:
        assert reader.load() == {"a": "1", "b": "zwei"}
        found = {n: list(reader.parts(n, parts)) for n, parts in reader.blocks().items()}
        assert list(reader.damaged()) == []
        return found


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path to write anything to; the name needs quoting in a URI."""
    return tmp_path_factory.mktemp("tables") / "a ?%41#ö.db"


PARTS = st.dictionaries(st.text(max_size=8), st.binary(max_size=2000), max_size=4)


@given(st.dictionaries(st.integers(0, 2**31), PARTS, max_size=3), st.integers(1, 2500))
def test_parts_come_back_whatever_the_size_of_a_piece(
    scratch: Path, contents: dict[int, dict[str, bytes]], piece: int
) -> None:
    """Empty parts, parts of one piece and of thousands, come back byte for byte, in order."""
    blocks = {
        n: [Part(name, "array:|u1", data) for name, data in parts.items()]
        for n, parts in contents.items()
    }
    written(scratch, blocks, Layout(page_bytes=512, piece_bytes=piece))
    assert stored(scratch) == dict(sorted(blocks.items()))


@pytest.mark.parametrize("page", [512, 4096, 65536])
def test_pieces_are_as_large_as_the_layout_says(tmp_path: Path, page: int) -> None:
    """A part is cut at multiples of the piece size; the page size is the file's own matter."""
    written(
        tmp_path / "f", {5: [Part("x", "array:|u1", bytes(2500))]}, Layout(page, piece_bytes=1000)
    )
    database = apsw.Connection(str(tmp_path / "f"))
    sizes = database.execute("SELECT length(data) FROM pieces ORDER BY piece").fetchall()
    assert sizes == [(1000,), (1000,), (500,)]
    assert database.pragma("page_size") == page
    assert database.pragma("integrity_check") == "ok"
    database.close()


@pytest.mark.parametrize(("piece", "fits"), [(1000, True), (3000, False)])
def test_a_part_above_the_limit_of_a_blob(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int, fits: bool
) -> None:
    """With SQLite's limit at 2 kB, 10 kB are stored and read in pieces, and cannot be otherwise."""

    def lower(connection: apsw.Connection) -> None:
        connection.limit(apsw.SQLITE_LIMIT_LENGTH, 2000)

    monkeypatch.setattr(apsw, "connection_hooks", [*apsw.connection_hooks, lower])
    blocks = {0: [Part("large", "array:|u1", bytes(range(250)) * 40)]}
    if fits:
        written(tmp_path / "f", blocks, Layout(piece_bytes=piece))
        assert stored(tmp_path / "f") == blocks
    else:
        with pytest.raises(apsw.TooBigError):
            written(tmp_path / "f", blocks, Layout(piece_bytes=piece))


def test_data_of_wider_items_is_stored_as_bytes(tmp_path: Path) -> None:
    """A view of int64 values has its length in bytes."""
    data = memoryview(bytes(range(80))).cast("q")
    written(tmp_path / "f", {0: [Part("wide", "array:<i8", data)]}, Layout())
    (part,) = stored(tmp_path / "f")[0]
    assert (bytes(part.data), part.size) == (bytes(range(80)), 80)


def test_what_is_read_cannot_be_changed(tmp_path: Path) -> None:
    """Parts are shared by every reader of a view, so their bytes are read-only."""
    written(tmp_path / "f", {0: [Part("x", "json", b"{}")]}, Layout())
    (part,) = stored(tmp_path / "f")[0]
    assert memoryview(part.data).readonly


def test_two_parts_of_one_name_are_a_bug(tmp_path: Path) -> None:
    """The second would hide the first."""
    with pytest.raises(AssertionError, match="two parts called x in block 0"):
        written(tmp_path / "f", {0: [Part("x", "json", b"1"), Part("x", "json", b"2")]}, Layout())


def change(path: Path, *statements: str) -> None:
    """Run SQL on a finished file."""
    database = apsw.Connection(str(path))
    for statement in statements:
        database.execute(statement).fetchall()
    database.close()


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE pieces SET data = x'00' WHERE piece = 1", "block 3, part x"),
        ("UPDATE pieces SET data = x'303030303030' WHERE piece = 1", "block 3, part x"),
        ("UPDATE parts SET name = 'z' WHERE part = 1", "block 3, part z"),
        ("UPDATE parts SET encoding = 'json' WHERE part = 1", "block 3, part x"),
        ("UPDATE parts SET crc32 = crc32 + 1 WHERE part = 1", "block 3, part x"),
        ("UPDATE parts SET bytes = 1 << 60 WHERE part = 1", "block 3, part x"),
        ("UPDATE parts SET pieces = 1 << 60 WHERE part = 1", "block 3, part x"),
        ("DELETE FROM pieces WHERE piece = 2", "block 3, part x"),
        ("DELETE FROM parts WHERE part = 2", None),
        ("UPDATE parts SET block = 4 WHERE part = 1", None),
        ("UPDATE blocks SET parts = 3", None),
        ("DROP TABLE parts", None),
        ("UPDATE meta SET value = 'drei' WHERE name = 'b'", "meta b"),
        ("ALTER TABLE meta RENAME TO beta", None),
    ],
)
def test_what_changed_after_writing_is_found_and_named(
    tmp_path: Path, statement: str, place: str | None
) -> None:
    """Each sum and count of the tables is checked when its row is used."""
    path = tmp_path / "f"
    parts = [Part("x", "array:|u1", b"1" * 9), Part("y", "array:|u1", b"2")]
    written(path, {3: parts}, Layout(piece_bytes=6))
    change(path, statement)
    with pytest.raises(CorruptionError) as caught:
        stored(path)
    assert caught.value.path == path
    assert caught.value.part == place


def test_a_value_of_another_type_is_damage(tmp_path: Path) -> None:
    """A flipped type in a row is found before the value is used."""
    path = tmp_path / "f"
    written(path, {3: [Part("x", "json", b"{}")]}, Layout())
    change(
        path,
        "ALTER TABLE parts RENAME TO strict_parts",
        "CREATE TABLE parts AS SELECT * FROM strict_parts",
        "UPDATE parts SET bytes = 'two'",
    )
    with reading(path) as reader, pytest.raises(CorruptionError, match="another type"):
        list(reader.parts(3, range(1, 2)))


def test_another_database_is_not_taken_for_ours(tmp_path: Path) -> None:
    """An SQLite file of another program is refused."""
    change(tmp_path / "f", "CREATE TABLE meta (name, value, crc32)")
    with reading(tmp_path / "f") as reader, pytest.raises(CorruptionError, match="not one of"):
        reader.load()


def test_a_newer_file_asks_for_an_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single file of a newer format, under a manifest of this one, is no damage."""
    with monkeypatch.context() as newer:
        newer.setattr(tables, "FORMAT", FORMAT + 1)
        written(tmp_path / "f", {}, Layout())
    with (
        reading(tmp_path / "f") as reader,
        pytest.raises(UserError, match=f"format {FORMAT + 1}") as caught,
    ):
        reader.load()
    assert caught.value.reason is Reason.UNSUPPORTED


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    """The caller decides what a missing file means."""
    with pytest.raises(FileNotFoundError):
        TableReader(tmp_path / "none.db")
