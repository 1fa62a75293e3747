"""Files opened by their names."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def valid() -> dict[str, bytes]:
    """Return a small good file of each format."""
    table = pa.table({"id": ["a", "b", None] * 40, "l": pa.array([["x", "y"], None, []] * 40)})
    parquet, stream, file = (pa.BufferOutputStream() for _ in range(3))
    pq.write_table(table, parquet, row_group_size=50)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return {
        "csv": b'id,name\n1,"a\nb"\n2,\xc3\xa9\n\n3,"x ""y"""\n',
        "ndjson": b'{"id": 1, "a": [1, "x"]}\n\n{"id": "\\u00e9", "b": {"c": null}}\n',
        "parquet": parquet.getvalue().to_pybytes(),
        "arrow": file.getvalue().to_pybytes(),
        "arrows": stream.getvalue().to_pybytes(),
    }


VALID = valid()
changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(sorted(VALID)), changes, st.floats(0, 1), st.binary(max_size=8))
def test_any_bytes_are_rows_or_an_error(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    changed: list[tuple[float, int]],
    kept: float,
    tail: bytes,
) -> None:
    """A file that is changed, cut and added to anywhere is read, or refused as the user's."""
    data = bytearray(VALID[kind])
    for place, byte in changed:
        data[int(place * len(data))] = byte
    path = tmp_path_factory.getbasetemp() / f"any.{kind}"
    path.write_bytes(bytes(data[: int(len(data) * kept) + 1]) + tail)
    with contextlib.suppress(UserError):
        rows(path)


@settings(deadline=None)
@given(st.sampled_from(["csv", "ndjson", "csv.gz"]), st.binary(max_size=200))
def test_any_text_is_rows_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: bytes
) -> None:
    """Bytes of any kind under the name of a text file give rows or a user's error."""
    path = tmp_path_factory.getbasetemp() / f"text.{kind}"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        rows(path)
