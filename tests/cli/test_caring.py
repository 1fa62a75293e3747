"""A folder from nothing to a restored backup, by the command line, with and without a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headcount.cli.main import run
from support.live_server import live_served

SCHEMA = """
[fields]
country = "keyword"
spent = "keyword"
[events.open]
"""

LINES = [
    {"op": "upsert", "id": "a", "fields": {"country": "DE", "spent": "5"}},
    {"op": "upsert", "id": "b", "fields": {"spent": "many"}, "add_labels": ["vip"]},
    {"op": "record", "contact": "a", "type": "open", "time": "2026-05-09T12:00:00Z"},
    {"op": "suppress", "id": "b"},
    {"op": "patch", "id": "nobody"},
]

Run = Callable[..., str]


@pytest.fixture(params=[False, True], ids=["--data", "--server"])
def at_server(request: pytest.FixtureRequest) -> bool:
    """Whether commands ask a server."""
    return bool(request.param)


@pytest.fixture
def headcount(at_server: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Runs a command on a new folder, or on a server of it, and returns what it printed."""
    (tmp_path / "schema.toml").write_text(SCHEMA)
    (tmp_path / "changes.ndjson").write_text("\n".join(map(json.dumps, LINES)))
    (tmp_path / "backups").mkdir()
    data = tmp_path / "data"
    schema = str(tmp_path / "schema.toml")
    assert run(["workspace", "create", "default", "--schema", schema, "--data", str(data)]) == 0

    target = ["--data", str(data)]

    def headcount(*words: str, status: int = 0) -> str:
        capsys.readouterr()
        assert run([*words, *target]) == status
        found = capsys.readouterr()
        return found.out + found.err

    if not at_server:
        yield headcount
    else:
        with live_served(data, server__backups=str(tmp_path / "backups")) as server:
            target = ["--server", server.address]
            yield headcount


@pytest.fixture
def written(headcount: Run, tmp_path: Path) -> Run:
    """The same, with some contacts."""
    rejects = str(tmp_path / "rejects.csv")
    said = headcount("write", str(tmp_path / "changes.ndjson"), "--rejects", rejects)
    assert "mutations 4 written, 1 refused" in said
    assert "changes.ndjson,5,id,,there is no contact" in (tmp_path / "rejects.csv").read_text()
    return headcount


def test_contacts(written: Run) -> None:
    """What was written is counted, printed, merged and deleted."""
    assert written("count", "open at least 1 times ever") == "1\n"
    found = json.loads(written("get", "b", "--format", "json"))
    assert (found["labels"], found["suppressed"]) == (["vip"], True)
    assert written("get", "a", "--fields", "country") == "a\n  country                  DE\n"
    written("merge", "b", "a")
    assert "vip" in written("get", "a")
    written("get", "b", status=1)
    written("delete", "a", "--erase")
    assert "no byte of an erased contact is left" in written("compact")
    assert written("count", "everyone") == "0\n"


def test_the_schema(written: Run, tmp_path: Path) -> None:
    """Fields are renamed, and a type changes only if all values convert."""
    assert 'country = "keyword"' in written("schema", "show")
    new = tmp_path / "new.toml"
    new.write_text(
        SCHEMA.replace("country", "land").replace('spent = "keyword"', 'spent = "number"')
    )
    words = ["schema", "update", "--schema", str(new), "--rename-field", "country=land"]
    said = written(*words, status=1)
    assert "contact b, field spent, value `many`: expected a number" in said
    new.write_text(SCHEMA.replace("country", "land"))
    written(*words)
    assert written("count", "land = DE") == "1\n"
    new.write_text("[fields]\n")
    assert "lacks field `land`" in written("schema", "update", "--schema", str(new), status=1)
    said = written("schema", "update", "--schema", str(new), "--allow-drop")
    assert "dropped: event type `open`" in said
    written("schema", "update", "--schema", str(new), "--rename-field", "x", status=2)


@pytest.mark.parametrize("at_server", [True])
def test_a_backup_of_a_server_has_a_plain_name(headcount: Run, at_server: bool) -> None:
    """A server makes backups in its own folder only, and says that it is their name."""
    assert at_server
    said = headcount("backup", "../monday", status=1)
    assert "the backup name '../monday' begins with `.`" in said


def test_backup_and_restore(written: Run, at_server: bool, tmp_path: Path) -> None:
    """A backup is restored into another folder, and is well."""
    backup = tmp_path / "backups" / "monday"
    written("backup", backup.name if at_server else str(backup))
    restored = tmp_path / "restored"
    assert run(["restore", str(backup), "--data", str(restored)]) == 0
    assert run(["restore", str(backup), "--data", str(restored)]) == 1
    assert run(["check", "--data", str(restored)]) == 0
    assert run(["get", "b", "--data", str(restored)]) == 0


def test_workspaces(written: Run, tmp_path: Path) -> None:
    """Workspaces are made, listed and dropped."""
    written("workspace", "create", "other", "--schema", str(tmp_path / "schema.toml"))
    listed = written("workspace", "list", "--format", "json").splitlines()
    assert [json.loads(line)["name"] for line in listed] == ["default", "other"]
    written("workspace", "drop", "other", "--yes")
    assert "other" not in written("workspace", "list")
    assert "holds version" in written("snapshot")
