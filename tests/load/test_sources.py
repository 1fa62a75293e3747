"""Files opened by their names."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headcount.load.batch import Columns
from headcount.load.sources import open_source
from headcount.model.errors import Reason, UserError

ANY = Columns("contacts", {}, (), (), open_ended=True)


def rows(path: Path) -> int:
    """Return how many rows *path* has."""
    with open_source(path, ANY) as source:
        return sum(batch.rows for batch in source.batches())


def refused(path: Path) -> str:
    """Return the message of the error that opening *path* gives."""
    with pytest.raises(UserError) as caught:
        rows(path)
    assert caught.value.reason is Reason.INVALID_FILE
    return caught.value.message


def test_names_decide(tmp_path: Path) -> None:
    """Each ending is read as what it stands for, in any case, gzipped or not."""
    table = pa.table({"id": ["a", "b"]})
    for name in ("f.csv", "f.TSV", "f.txt"):
        (tmp_path / name).write_text("id\na\nb\n")
    for name in ("f.ndjson", "f.jsonl", "f.json"):
        (tmp_path / name).write_text('{"id": "a"}\n{"id": "b"}\n')
    for name in ("f.parquet", "f.PQ"):
        pq.write_table(table, tmp_path / name)
    for name in ("f.arrow", "f.feather", "f.ipc", "f.arrows"):
        with pa.ipc.new_file(str(tmp_path / name), table.schema) as writer:
            writer.write_table(table)
    (tmp_path / "f.2026.csv.gz").write_bytes(gzip.compress(b"id\na\nb\n"))
    found = {path.name: rows(path) for path in tmp_path.iterdir()}
    assert len(found) == 13
    assert set(found.values()) == {2}


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """A folder, a missing file and an unknown kind are errors that say what to do."""
    assert "is a folder; name its files" in refused(tmp_path)
    assert "there is no file" in refused(tmp_path / "none.csv")
    (tmp_path / "f.xlsx").write_bytes(b"PK")
    assert "expected one of .csv" in refused(tmp_path / "f.xlsx")
    (tmp_path / "f.parquet.gz").write_bytes(b"")
    assert "unknown kind of file" in refused(tmp_path / "f.parquet.gz")
    (tmp_path / "f").write_bytes(b"id")
    assert "unknown kind of file" in refused(tmp_path / "f")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing permission is the user's to mend."""

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "f.csv"
    path.write_text("id\na\n")
    monkeypatch.setattr(Path, "open", denied)
    assert "cannot be read: Permission denied" in refused(path)


def test_a_source_is_closed_whatever_happens(tmp_path: Path) -> None:
    """The file is closed at the end, also after an error in the middle."""
    path = tmp_path / "f.csv"
    path.write_text("id\na\n")
    with pytest.raises(KeyError), open_source(path, ANY) as source:
        raise KeyError
    with pytest.raises(ValueError, match="closed file"):
        next(source.batches())
