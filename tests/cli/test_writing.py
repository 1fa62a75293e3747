"""The commands that write: a file of mutations, and contacts by their ids."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.cli.main import run
from headcount.index.view import Version, View
from headcount.model.changes import ContactStep, EventStep
from headcount.query.engine import Engine
from support.held_writer import HeldWriter
from support.serving import served
from support.writing import SCHEMA

VIEW = View(SCHEMA, (), Version(3, 14), block_rows=64)


class Target:
    """A server with a writer that a test looks into, and the options that name it."""

    def __init__(self, address: str, writer: HeldWriter) -> None:
        self.options = ["--server", address]
        self.writer = writer


@pytest.fixture
def target() -> Iterator[Target]:
    """A server that can be written to."""
    writer = HeldWriter(VIEW)
    with served(Engine(VIEW), writer=writer) as server:
        yield Target(server.address, writer)


LINES = """
{"op": "upsert", "id": "c1", "fields": {"country": "DE"}}
{"op": "upsert", "id": "c2", "fields": {"birthday": "03/04/2026", "vip": "maybe"}}
{"op": "upsert", "id": "c3", "fields": {"interests": [1.5]}}
nonsense

{"op": "record", "contact": "c1", "type": "open", "time": "2026-05-09T12:00:00"}
{"op": "record", "contact": "c1", "type": "open", "time": "noon"}
{"op": "upsert", "id": "c1", "feilds": {}}
{"op": "suppress", "id": "c9"}
"""


def test_a_file_of_mutations(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Good lines are written, bad ones go to the rejects file with line, place and reason."""
    file = tmp_path / "changes.ndjson.gz"
    file.write_bytes(gzip.compress(LINES.encode()))
    rejects = tmp_path / "rejects.csv"
    assert run(["write", str(file), "--rejects", str(rejects), *target.options]) == 0
    said = capsys.readouterr().out
    assert "mutations 3 written" in said
    assert "5 refused" in said
    assert "visible from version 3.15 on" in said
    with rejects.open(newline="") as found:
        rows = [(row["line"], row["column"], row["value"]) for row in csv.DictReader(found)]
    assert sorted(rows, key=lambda row: int(row[0])) == [
        ("3", "birthday", "03/04/2026"),
        ("3", "vip", "maybe"),
        ("4", "interests", "1.5"),
        ("5", "", "nonsense"),
        ("8", "time", "noon"),
        ("9", "feilds", ""),
    ]
    contacts, events, _ = target.writer.batches[0].changes.steps
    assert isinstance(contacts, ContactStep)
    assert contacts.ids.to_pylist() == ["c1"]
    assert isinstance(events, EventStep)
    # The clock of the workspace, which is Berlin's.
    assert str(events.table.column("time")[0]) == "2026-05-09 10:00:00+00:00"


def test_lines_that_no_message_can_hold(target: Target, tmp_path: Path) -> None:
    """Half of a surrogate pair refuses its line, wherever it is; the others are written."""
    half = "\\ud800"
    file, rejects = tmp_path / "changes.ndjson", tmp_path / "rejects.csv"
    lines = [
        f'{{"op": "upsert", "id": "{half}"}}',
        f'{{"op": "upsert", "id": "c1", "fields": {{"country": "{half}"}}}}',
        f'{{"op": "upsert", "id": "c1", "fields": {{"{half}": 1}}}}',
        f'{{"op": "upsert", "id": "c1", "add_labels": ["{half}"]}}',
        f'{{"op": "merge", "source": "c1", "target": "{half}"}}',
        '{"op": "upsert", "id": "c1"}',
    ]
    file.write_text("\n".join(lines))
    assert run(["write", str(file), "--rejects", str(rejects), *target.options]) == 0
    with rejects.open(newline="") as found:
        assert [row["line"] for row in csv.DictReader(found)] == ["1", "2", "3", "4", "5"]
    assert [len(batch.changes.steps) for batch in target.writer.batches] == [1]


def test_a_line_that_is_not_utf8(target: Target, tmp_path: Path) -> None:
    """It is refused with its line, whatever its place; the others are written."""
    file, rejects = tmp_path / "changes.ndjson", tmp_path / "rejects.csv"
    good, bad = '{"op": "upsert", "id": "Jörg"}'.encode(), b'{"op": "upsert", "id": "J\xf6rg"}'
    file.write_bytes(b"\n".join([bad, good, b"", bad, good, bad]))
    assert run(["write", str(file), "--rejects", str(rejects), *target.options]) == 0
    with rejects.open(newline="") as found:
        rows = [(row["line"], row["value"], row["reason"]) for row in csv.DictReader(found)]
    reason = "expected UTF-8, found a byte that no character has there"
    shown = '{"op": "upsert", "id": "J\\xf6rg"}'
    assert rows == [(line, shown, reason) for line in ("1", "4", "6")]
    (batch,) = target.writer.batches
    (step,) = batch.changes.steps
    assert isinstance(step, ContactStep)
    assert step.ids.to_pylist() == ["Jörg", "Jörg"]


def test_batches(target: Target, tmp_path: Path) -> None:
    """Lines are written as many at once as is said; refusals name the line wherever they are."""
    file = tmp_path / "changes.ndjson"
    lines = [{"op": "suppress", "id": " x" if n == 17 else f"c{n}"} for n in range(25)]
    file.write_text("\n".join(map(json.dumps, lines)))
    rejects = tmp_path / "rejects.csv"
    words = ["write", str(file), "--batch", "10", "--rejects", str(rejects)]
    assert run([*words, *target.options]) == 0
    assert [batch.changes.records for batch in target.writer.batches] == [10, 9, 5]
    assert rejects.read_text().splitlines()[1].startswith("changes.ndjson,18,id,")


def test_strict(target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first refused line ends it, with its number and reason."""
    file = tmp_path / "changes.ndjson"
    file.write_text(LINES)
    assert run(["write", str(file), "--strict", "--batch", "1", *target.options]) == 1
    said = capsys.readouterr().err
    assert "changes.ndjson, line" in said
    assert "what was sent already is written" in said


def test_a_file_that_is_not_there(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped name is a user's error."""
    assert run(["write", "no.ndjson", *target.options]) == 1
    assert "there is no file no.ndjson" in capsys.readouterr().err


def test_ids(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """Contacts are deleted, merged and suppressed by id; a refused id is told, and is 1."""
    assert run(["delete", "a", "b", "--erase", *target.options]) == 0
    assert "2 deleted, version 3.15" in capsys.readouterr().out
    assert run(["merge", "a", "b", *target.options]) == 0
    assert run(["suppress", "a", *target.options]) == 0
    assert run(["suppress", "a", "--off", *target.options]) == 0
    assert [type(batch.changes.steps[0]).__name__ for batch in target.writer.batches] == [
        "DeleteStep",
        "MergeStep",
        "SuppressStep",
        "SuppressStep",
    ]
    capsys.readouterr()
    assert run(["suppress", "a", " b", *target.options]) == 1
    assert "the id has spaces around it" in capsys.readouterr().err


def test_nobody(target: Target, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids that no contact has are told, and are 1."""
    assert run(["get", "nobody", *target.options]) == 1
    assert "no contact has the id nobody" in capsys.readouterr().err
