"""Files of contacts: loaded again they are the same contacts; after an error they are not there."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from headcount.embedded import Workspace
from headcount.load.loader import load
from headcount.members.contacts import arrow_schema
from headcount.members.member_file import MemberFile
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.model.schema import Field, FieldType, Schema
from headcount.storage import files
from support.dice import Dice
from support.strategies import random_place
from support.worlds import write_parquet

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ABOUT = {"version": "1.2", "größe": 3}
TAGS = Field("tags", FieldType.KEYWORDS)
IDS = pa.schema([pa.field("id", pa.string())])


def written(path: Path, workspace: Workspace) -> None:
    """Write all contacts of a workspace, with all their fields."""
    schema = workspace.schema()
    fields = [f for f in schema.all_fields.values() if f.name != "id"]
    with MemberFile(path, schema.id_column, arrow_schema(fields), ABOUT) as file:
        for batch in workspace.member_batches("everyone", fields=[f.name for f in fields]):
            file.write(batch)
    assert file.count == workspace.count("everyone")


def loaded(folder: Path, schema: Schema, *paths: Path) -> Workspace:
    """Load contacts files, and return the workspace."""
    rejects = folder.parent / "rejects.csv"
    summary = load(
        folder,
        schema=schema,
        contacts=paths,
        rejects_path=rejects,
        now=NOW,
        block_rows=16,
    )
    assert summary.refused == 0, rejects.read_text()
    return Workspace.open(folder)


def values(workspace: Workspace) -> list[dict[str, object]]:
    """Return every value of every contact; sets in order."""
    names = [f.name for f in workspace.schema().all_fields.values()]
    batches = workspace.member_batches("everyone", fields=names)
    return [
        {n: sorted(v) if isinstance(v, list) else v for n, v in row.items()}
        for batch in batches
        for row in batch.to_pylist()
    ]


@pytest.mark.parametrize("end", ["csv", "parquet"])
@pytest.mark.parametrize("seed", range(15))
def test_what_is_written_can_be_loaded_again(seed: int, end: str, tmp_path: Path) -> None:
    """Every value of every type comes back as it was: 30 random worlds."""
    world, _ = random_place(Dice(seed), 40, loadable=True)
    before = loaded(tmp_path / "before", world.schema, *write_parquet(world, tmp_path).contacts)
    written(tmp_path / f"all.{end}", before)
    after = loaded(tmp_path / "after", world.schema, tmp_path / f"all.{end}")
    assert values(after) == values(before)


def test_cells_are_quoted_where_they_must_be(tmp_path: Path) -> None:
    """Commas, quotes and line breaks do not end a cell; several values are joined."""
    path = tmp_path / "a.csv"
    with MemberFile(path, "contact", arrow_schema([Field("x", FieldType.TEXT), TAGS]), {}) as file:
        columns = [pa.array(["a,b"]), pa.array(['say "x"\nand go']), pa.array([["p", "q"]])]
        file.write(pa.RecordBatch.from_arrays(columns, names=["id", "x", "tags"]))
    with path.open(newline="") as text:
        assert list(csv.reader(text)) == [
            ["contact", "x", "tags"],
            ["a,b", 'say "x"\nand go', "p;q"],
        ]


def test_a_separator_in_a_value_is_refused_by_csv(tmp_path: Path) -> None:
    """Loaded again it would be two values; Parquet holds it."""
    batch = pa.RecordBatch.from_arrays([pa.array(["a"]), pa.array([["p;q"]])], names=["id", "tags"])
    with (
        pytest.raises(UserError, match="`tags` has a `;`"),
        MemberFile(tmp_path / "a.csv", "id", arrow_schema([TAGS]), {}) as file,
    ):
        file.write(batch)
    assert os.listdir(tmp_path) == []
    with MemberFile(tmp_path / "a.parquet", "id", arrow_schema([TAGS]), {}) as file:
        file.write(batch)
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column("tags").to_pylist() == [["p;q"]]


def test_a_file_says_what_it_is_of(tmp_path: Path) -> None:
    """Parquet in its metadata; CSV in a file beside, if it is asked for."""
    for name in ("a.parquet", "b.csv", "c.csv"):
        with MemberFile(
            tmp_path / name, "id", arrow_schema([]), ABOUT, sidecar=name != "c.csv"
        ) as file:
            file.write(pa.RecordBatch.from_arrays([pa.array(["x", "y"])], schema=IDS))
    metadata = parquet.read_schema(tmp_path / "a.parquet").metadata
    assert json.loads(metadata[b"headcount"]) == ABOUT
    assert json.loads((tmp_path / "b.csv.json").read_text()) == {**ABOUT, "contacts": 2}
    assert sorted(os.listdir(tmp_path)) == ["a.parquet", "b.csv", "b.csv.json", "c.csv"]


def test_nobody_is_a_file_too(tmp_path: Path) -> None:
    """It has its columns and no rows."""
    for name in ("a.csv", "a.parquet"):
        with MemberFile(tmp_path / name, "id", arrow_schema([TAGS]), {}):
            pass
    assert (tmp_path / "a.csv").read_text() == '"id","tags"\n'
    assert parquet.read_table(tmp_path / "a.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["a.csv", "a.parquet"])
def test_after_an_error_nothing_has_changed(name: str, tmp_path: Path) -> None:
    """What was there stays, and nothing half-written is left."""
    (tmp_path / name).write_text("before")
    file = MemberFile(tmp_path / name, "id", arrow_schema([]), ABOUT, sidecar=True)
    file.write(pa.RecordBatch.from_arrays([pa.array(["x"])], schema=IDS))
    file.__exit__(RuntimeError, RuntimeError(), None)
    assert os.listdir(tmp_path) == [name]
    assert (tmp_path / name).read_text() == "before"


def test_what_is_not_on_the_disk_gets_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is renamed only once it is synced."""

    def fail(path: Path, descriptor: int) -> None:
        del descriptor
        raise CorruptionError(path, "the disk failed")

    monkeypatch.setattr(files, "sync", fail)
    with (
        pytest.raises(CorruptionError),
        MemberFile(tmp_path / "a.csv", "id", arrow_schema([]), ABOUT, sidecar=True),
    ):
        pass
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_there_may_be_kept(tmp_path: Path) -> None:
    """Without `replace` it is refused: at the beginning, and at the end if it has come since."""
    options = {"sidecar": True, "replace": False}
    with MemberFile(tmp_path / "a.csv", "id", arrow_schema([]), {"n": 1}, **options):
        pass
    with pytest.raises(UserError) as there:
        MemberFile(tmp_path / "a.csv", "id", arrow_schema([]), {"n": 2}, **options)
    assert there.value.reason is Reason.ALREADY_EXISTS
    late = MemberFile(tmp_path / "b.csv", "id", arrow_schema([]), {"n": 3}, **options)
    with MemberFile(tmp_path / "b.csv", "id", arrow_schema([]), {"n": 4}, **options):
        pass
    with pytest.raises(UserError):
        late.__exit__(None, None, None)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.csv.json", "b.csv", "b.csv.json"]
    assert json.loads((tmp_path / "b.csv.json").read_text())["n"] == 4


@pytest.mark.parametrize("name", ["a.txt", "a", ".csv", "csv"])
def test_the_end_of_the_name_says_the_form(name: str, tmp_path: Path) -> None:
    """Others are refused before anything is written."""
    with pytest.raises(UserError, match=r"\.csv or \.parquet"):
        MemberFile(tmp_path / name, "id", arrow_schema([]), {})
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A misspelt folder is an error."""
    with pytest.raises(UserError, match="no folder"):
        MemberFile(tmp_path / "x" / "a.csv", "id", arrow_schema([]), {})
