"""Erasure through a server: after one compaction no file of the data folder knows who it was."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from headcount.cli.main import run
from headcount.client import Client
from headcount.model.errors import Reason
from headcount.segments.watch.transitions import Settings
from headcount.storage.folder import workspace_folder
from headcount.storage.watches import WatchStore
from support.killing import TIME
from support.live_server import live_served, make_folder
from support.writing import SCHEMA

MARKS = {
    "id": "Somebody-7f3a",
    "e-mail": "marie-7f3b@example.com",
    "keyword": "Liechten-7f3c",
    "label": "known by 7f3d",
    "list": "list of 7f3e",
    "property": "campaign 7f3f",
    "event": "event 7f40",
    "refused value": "nonsense 7f41",
    "interest": "hobby 7f42",
}
LEFT_OVER = "gen-000001.db.tmp"  # of a compaction that was killed


def found_in(folder: Path) -> dict[str, list[str]]:
    """Return the names of the files that hold each mark, in any case, for those that are held."""
    files = {path: path.read_bytes().lower() for path in folder.rglob("*") if path.is_file()}
    found = {
        what: sorted(path.name for path, data in files.items() if mark.lower().encode() in data)
        for what, mark in MARKS.items()
    }
    return {what: names for what, names in found.items() if names}


def write(client: Client) -> None:
    """Write a contact with every mark, among others, and be refused with one."""
    client.upsert([{"id": f"other {n}", "fields": {"country": "DE"}} for n in range(100)])
    fields = {
        "email": MARKS["e-mail"],
        "country": MARKS["keyword"],
        "interests": [MARKS["interest"], "chess"],
    }
    who, list_name = MARKS["id"], MARKS["list"]
    joins = [{"list": list_name, "action": "join", "time": TIME}]
    client.upsert([{"id": who, "fields": fields, "add_labels": [MARKS["label"]], "lists": joins}])
    event = {"contact": who, "type": "open", "time": TIME, "id": MARKS["event"]}
    client.record([{**event, "properties": {"campaign": MARKS["property"]}}])
    wrong = client.upsert(
        [{"id": who, "fields": {"spent": MARKS["refused value"]}}, {"id": "other 1"}],
        request_id="refused",
    )
    assert [one.reason for one in wrong.refused] == [Reason.INVALID_VALUE]
    assert MARKS["refused value"] in wrong.refused[0].message
    client.suppress([who])


@pytest.mark.parametrize("stored", [False, True], ids=["in the log", "in a generation"])
def test_no_file_knows_an_erased_contact(tmp_path: Path, *, stored: bool) -> None:
    """Whether it was in the log only or in a generation too, beside what a kill left over."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with live_served(folder) as server, Client(server.address) as client:
        client.create_watch("all", "everyone", settings=Settings(seed=True))
        write(client)
        if stored:
            assert client.compact().erased == 0
            home = workspace_folder(folder, "default")
            shutil.copyfile(next(home.glob("gen-*.db")), home / LEFT_OVER)
        before = found_in(folder)
        assert before.keys() == MARKS.keys() - {"refused value"}  # which no answer keeps
        watched = client.watch(name="all", timeout=20)
        told = itertools.chain.from_iterable(message.transitions for message in watched)
        assert any(one.contact == MARKS["id"] for one in told)
        result = client.delete([MARKS["id"]], erase=True)
        assert result.accepted == 1
        assert found_in(folder)
        assert client.compact().erased == 1
        assert found_in(folder) == {}
        again = client.upsert([{"id": "other 1"}], request_id="refused")
        assert again.already
        assert MARKS["id"] not in client.members("everyone")
        state = client.upsert([{"id": MARKS["id"]}]), client.get([MARKS["id"]])
        assert state[1][0] is not None
        assert state[1][0].suppressed
    with live_served(folder) as server, Client(server.address) as client:
        assert client.compact().erased == 0


def test_erasure_goes_on_after_a_restart(tmp_path: Path) -> None:
    """What was to be erased before a restart is gone with the first compaction after it."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with live_served(folder) as server, Client(server.address) as client:
        client.create_watch("all", "everyone", settings=Settings(seed=True))
        write(client)
        client.compact()
        client.delete([MARKS["id"]], erase=True)
    assert found_in(folder)
    with live_served(folder) as server, Client(server.address) as client:
        assert client.compact().erased == 1
        assert found_in(folder) == {}


def test_erasure_without_a_server_reaches_what_watches_kept(tmp_path: Path) -> None:
    """Deleted and compacted by two commands, on a folder whose watches nobody follows then."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with live_served(folder) as server, Client(server.address) as client:
        client.create_watch("all", "everyone", settings=Settings(seed=True))
        write(client)
    assert "watches.db" in found_in(folder)["id"]
    assert run(["delete", "--erase", MARKS["id"], "--data", str(folder)]) == 0
    assert run(["compact", "--data", str(folder)]) == 0
    assert found_in(folder) == {}
    with live_served(folder) as server, Client(server.address) as client:
        assert client.get_watch("all").size == client.count("everyone") == 100
        client.compact()
    assert found_in(folder) == {}


@pytest.mark.parametrize("way", ["call", "stream", "folder"])
@pytest.mark.parametrize("first", ["deleted", "merged"])
def test_who_is_no_contact_any_more_can_be_erased(tmp_path: Path, first: str, way: str) -> None:
    """Who was deleted before, or merged into another, is still named by watches: until erased."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    secret = MARKS["id"]
    with live_served(folder) as server, Client(server.address) as client:
        client.create_watch("all", "everyone", settings=Settings(seed=True))
        client.upsert([{"id": secret}, {"id": "other"}])
        if first == "merged":
            assert client.merge([(secret, "other")]).accepted == 1
        else:
            assert client.delete([secret]).accepted == 1
        if way == "call":
            assert client.delete([secret], erase=True).refused_count == 1
        elif way == "stream":
            (found,) = client.write([{"op": "delete", "id": secret, "erase": True}])
            assert found.refused_count == 1
        client.compact()
    if way == "folder":
        assert run(["delete", "--erase", secret, "--data", str(folder)]) == 1
        assert run(["compact", "--data", str(folder)]) == 0
    assert found_in(folder) == {}


def test_a_kill_while_watches_forget_somebody_is_made_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what a watch wrote down and what it was to forget; the log knows who it was."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with monkeypatch.context() as killed, live_served(folder) as server:
        killed.setattr(WatchStore, "erase", lambda *_: None)
        with Client(server.address) as client:
            client.create_watch("all", "everyone", settings=Settings(seed=True))
            write(client)
            client.delete([MARKS["id"]], erase=True)
    assert "watches.db" in found_in(folder)["id"]
    with live_served(folder) as server, Client(server.address) as client:
        assert client.compact().erased == 1
        assert found_in(folder) == {}
