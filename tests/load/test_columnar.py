"""Parquet and Arrow files: rows and numbers, and files that are damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headcount.load import columnar
from headcount.load.batch import Columns
from headcount.load.columnar import ColumnarFile, open_arrow, open_parquet
from headcount.model.errors import Reason, UserError

ANY = Columns("contacts", {}, (), (), open_ended=True)
TABLE = pa.table({"id": [f"c{at}" for at in range(1000)], "n": list(range(1000))})

Writer = Callable[[pa.Table, Path], None]
Opener = Callable[[Path, Columns], ColumnarFile]


def _ipc_file(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=300)


def _ipc_stream(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table, max_chunksize=300)


def _parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=300)


FORMATS = [
    pytest.param(_parquet, open_parquet, id="parquet"),
    pytest.param(_ipc_file, open_arrow, id="arrow-file"),
    pytest.param(_ipc_stream, open_arrow, id="arrow-stream"),
]


def read(path: Path, opener: Opener) -> tuple[pa.Table, list[int]]:
    """Return all rows as a table, and their numbers."""
    source = opener(path, ANY)
    parts, lines = [], []
    try:
        for batch in source.batches():
            parts.append(pa.table(dict(batch.columns)))
            lines += batch.lines.tolist()
        assert source.position <= path.stat().st_size
    finally:
        source.close()
    return pa.concat_tables(parts) if parts else pa.table({}), lines


@pytest.mark.parametrize(("write", "opener"), FORMATS)
def test_rows_are_numbered_through_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Writer, opener: Opener
) -> None:
    """Every row comes back, numbered from 1, in batches of bounded size."""
    monkeypatch.setattr(columnar, "BATCH_ROWS", 128)
    path = tmp_path / "f"
    write(TABLE, path)
    table, lines = read(path, opener)
    assert table.equals(TABLE)
    assert lines == list(range(1, 1001))


@pytest.mark.parametrize(("write", "opener"), FORMATS)
def test_no_rows_are_no_error(tmp_path: Path, write: Writer, opener: Opener) -> None:
    """A typed file without rows is a file without rows."""
    path = tmp_path / "f"
    write(TABLE.slice(0, 0), path)
    assert read(path, opener)[1] == []


@pytest.mark.parametrize(("write", "opener"), FORMATS)
@pytest.mark.parametrize("kept", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_an_error(
    tmp_path: Path, write: Writer, opener: Opener, kept: float
) -> None:
    """Wherever it is cut, the error names the file and says what to do."""
    whole = tmp_path / "whole"
    write(TABLE, whole)
    path = tmp_path / "cut.parquet"
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    if write is _ipc_stream and kept == 0.999:
        return  # only the end mark of the stream is lost, and no row with it
    with pytest.raises(UserError) as caught:
        read(path, opener)
    assert caught.value.reason is Reason.INVALID_FILE
    assert "cut.parquet is" in caught.value.message
    assert not kept or "copy or write it again" in caught.value.message


@pytest.mark.parametrize(("write", "opener"), FORMATS)
def test_another_file_is_an_error(tmp_path: Path, write: Writer, opener: Opener) -> None:
    """Text under the wrong name is refused."""
    path = tmp_path / "f.parquet"
    path.write_text("id,name\n1,a\n" * 50)
    with pytest.raises(UserError, match="copy or write it again"):
        read(path, opener)
    write(TABLE, path)
    assert read(path, opener)[1]


@pytest.mark.parametrize(("write", "opener"), FORMATS)
def test_text_that_is_not_utf8_is_an_error(tmp_path: Path, write: Writer, opener: Opener) -> None:
    """Bytes that only claim to be text are found before anything looks at them."""
    claimed = pa.array([b"a", b"\xff\xfe"]).view(pa.string())
    path = tmp_path / "f.x"
    write(pa.table({"id": claimed}), path)
    with pytest.raises(UserError) as caught:
        read(path, opener)
    assert caught.value.reason is Reason.INVALID_FILE
    assert "UTF8" in caught.value.message


def test_columns_are_checked(tmp_path: Path) -> None:
    """Unknown and repeated columns are refused before a row is read."""
    columns = Columns("contacts", {"id": "id"}, ("id",), ("id",))
    path = tmp_path / "f"
    _parquet(TABLE, path)
    with pytest.raises(UserError, match="column `n` is not in the schema"):
        open_parquet(path, columns)
    twice = pa.table([pa.array([1]), pa.array([2])], names=["id", "id"])
    _ipc_file(twice, path)
    with pytest.raises(UserError, match="are the same"):
        open_arrow(path, columns)
