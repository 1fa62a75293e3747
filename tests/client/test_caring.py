"""Workspaces are made, changed, compacted, copied and dropped, by clients and in a folder alike."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.test_client import Awaited
from headcount.care.backup import restore
from headcount.care.schema_change import Renames
from headcount.client import AsyncClient, Client
from headcount.embedded import Workspace
from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType
from support.live_server import live_served, make_folder

SCHEMA = schema_toml.parse("""
id = "contact_id"
[fields]
country = "keyword"
spent = "keyword"
note = "text"
[events.open]
properties = { campaign = "keyword" }
[events.click]
""")
NOW = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
SECRET = "somebody@example.com"


class Asked:
    """One of the three that care for a folder, and where backups go."""

    def __init__(self, api: Any, folder: Path, backups: Path) -> None:
        self.api = api
        self.folder = folder
        self.backups = backups


@pytest.fixture(params=["client", "async client", "folder"])
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    """Each of the three, over a folder of one workspace."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    if request.param == "folder":
        with Workspace.open(folder) as held:
            yield Asked(held, folder, tmp_path / "backups")
        return
    with live_served(folder, server__backups=str(tmp_path / "backups")) as server:
        if request.param == "client":
            with Client(server.address) as client:
                yield Asked(client, folder, tmp_path / "backups")
            return
        client = Awaited(AsyncClient(server.address))
        yield Asked(client, folder, tmp_path / "backups")
        client.end()


def filled(asked: Asked) -> None:
    """Write two contacts and an event."""
    asked.api.upsert(
        [
            {"id": "a", "fields": {"country": "DE", "spent": "12.5", "note": "x"}},
            {"id": "b", "fields": {"spent": "many"}},
        ]
    )
    asked.api.record([{"contact": "a", "type": "open", "time": NOW, "properties": {}}])


def test_workspaces_are_made_listed_and_dropped(asked: Asked) -> None:
    """A new workspace is empty and listed by name; a dropped one leaves nothing behind."""
    made = asked.api.create_workspace("other", SCHEMA)
    assert (made.name, made.contacts) == ("other", 0)
    with pytest.raises(UserError) as failed:
        asked.api.create_workspace("other", SCHEMA)
    assert failed.value.reason is Reason.ALREADY_EXISTS
    page = asked.api.list_workspaces(page_size=1)
    assert [one.name for one in page.workspaces] == ["default"]
    page = asked.api.list_workspaces(page_size=1, page_token=page.next_token)
    assert ([one.name for one in page.workspaces], page.next_token) == (["other"], "")
    asked.api.drop_workspace("other")
    with pytest.raises(UserError) as failed:
        asked.api.drop_workspace("other")
    assert failed.value.reason is Reason.NOT_FOUND
    assert [path.name for path in (asked.folder / "workspaces").iterdir()] == ["default"]
    asked.api.create_workspace("other", SCHEMA)  # the name is free


@pytest.mark.parametrize("name", ["", ".x", "a/b", "../up", "x" * 65])
def test_names_that_no_workspace_has(asked: Asked, name: str) -> None:
    """A name must be safe as that of a folder."""
    with pytest.raises(UserError) as failed:
        asked.api.create_workspace(name, SCHEMA)
    assert failed.value.reason is Reason.INVALID_VALUE


def test_fields_and_events_are_added_and_renamed(asked: Asked) -> None:
    """Data keep their values under a new name; what is new is missing."""
    filled(asked)
    after = schema_toml.parse("""
id = "contact_id"
[fields]
land = "keyword"
spent = "keyword"
note = "text"
vip = "boolean"
[events.opened]
properties = { mailing = "keyword" }
[events.click]
""")
    renames = Renames({"country": "land"}, {"open": "opened"}, {("opened", "campaign"): "mailing"})
    found = asked.api.update_schema(after, renames)
    assert (found.unconverted_count, found.dropped) == (0, ())
    assert "land" in found.schema.fields
    assert asked.api.count("land = DE and vip is empty") == 1
    assert asked.api.count("opened at least 1 times ever") == 1
    assert asked.api.upsert([{"id": "b", "fields": {"vip": True}}]).accepted == 1
    assert asked.api.count("vip = true") == 1


def test_nothing_is_dropped_unsaid(asked: Asked) -> None:
    """A schema that lacks something is refused, naming it, unless dropping is allowed."""
    filled(asked)
    without = {name: field for name, field in SCHEMA.fields.items() if name != "note"}
    after = dataclasses.replace(SCHEMA, fields=without)
    with pytest.raises(UserError, match="lacks field `note`"):
        asked.api.update_schema(after)
    assert asked.api.count("note is not empty") == 1
    found = asked.api.update_schema(after, allow_drop=True)
    assert found.dropped == ("field `note`",)
    with pytest.raises(UserError):
        asked.api.count("note is not empty")


def test_values_that_do_not_convert_are_listed(asked: Asked) -> None:
    """A type changes if every value converts; otherwise nothing does, and those are named."""
    filled(asked)
    number = Field("spent", FieldType.NUMBER)
    after = dataclasses.replace(SCHEMA, fields={**SCHEMA.fields, "spent": number})
    found = asked.api.update_schema(after)
    assert found.unconverted_count == 1
    (one,) = found.unconverted
    assert (one.contact, one.field, one.value) == ("b", "spent", "many")
    assert "expected a number" in one.message
    assert asked.api.count('spent = "many"') == 1
    asked.api.patch([{"id": "b", "fields": {"spent": "7"}}])
    found = asked.api.update_schema(after)
    assert (found.unconverted_count, found.schema.fields["spent"].type) == (0, FieldType.NUMBER)
    assert asked.api.count("spent > 10") == 1


def test_events_are_kept_as_long_as_the_schema_says(asked: Asked) -> None:
    """Older events are in no answer, are refused, and are gone from the disk."""
    old, new = NOW - dt.timedelta(days=400), dt.datetime.now(dt.UTC)
    asked.api.upsert([{"id": "a"}])
    event = {"contact": "a", "type": "open", "properties": {"campaign": SECRET}}
    asked.api.record([{**event, "time": old}])
    asked.api.record([{"contact": "a", "type": "open", "time": new}])
    assert asked.api.count("open at least 2 times ever") == 1
    kept = dataclasses.replace(SCHEMA.events["open"], keep_days=30)
    after = dataclasses.replace(SCHEMA, events={**SCHEMA.events, "open": kept})
    assert asked.api.update_schema(after).schema.events["open"].keep_days == 30
    assert asked.api.count("open at least 2 times ever") == 0
    assert asked.api.record([{**event, "time": old}]).refused_count == 1
    asked.api.compact()
    assert asked.api.count("open at least 2 times ever") == 0
    assert asked.api.count("open at least 1 times ever") == 1
    assert not holds(asked.folder)
    assert asked.api.record([{**event, "time": old}]).refused_count == 1


def test_events_are_kept_no_longer_from_the_first_moment_on(tmp_path: Path) -> None:
    """In a new workspace, and in one that nobody served for long, before anything is answered."""
    kept = dataclasses.replace(SCHEMA.events["open"], keep_days=30)
    schema = dataclasses.replace(SCHEMA, events={**SCHEMA.events, "open": kept})
    old = dt.datetime.now(dt.UTC) - dt.timedelta(days=31)
    event = {"contact": "a", "type": "open", "time": old}
    folder = make_folder(tmp_path / "data", schema)
    with Workspace.open(folder) as held:
        held.upsert([{"id": "a"}])
        assert held.record([event]).accepted == 1
    with live_served(folder) as server, Client(server.address) as client:
        assert client.count("did open") == 0
        client.create_workspace("new", schema)
        with Client(server.address, workspace="new") as new:
            new.upsert([{"id": "a"}])
            assert new.record([event]).refused_count == 1


def test_a_rename_of_nothing(asked: Asked) -> None:
    """A rename of or to what is not there is an error with what is near."""
    with pytest.raises(UserError) as failed:
        asked.api.update_schema(SCHEMA, Renames({"contry": "country"}))
    assert failed.value.suggestions == ("country",)


def test_an_erased_contact_is_gone_from_the_disk(asked: Asked) -> None:
    """When a compaction returns, no file of the folder holds a byte of it."""
    filled(asked)
    asked.api.upsert([{"id": SECRET, "fields": {"note": f"mail {SECRET}"}}])
    event = {"contact": SECRET, "type": "open", "time": NOW, "id": f"e-{SECRET}"}
    asked.api.record([event])
    wrong = {"op": "upsert", "id": SECRET, "lists": [{"list": SECRET * 20, "action": "join"}]}
    assert next(iter(asked.api.write([wrong]))).refused_count == 1
    bad = asked.api.upsert([{"id": f" {SECRET}"}, {"id": "a"}], request_id="r")
    assert SECRET in bad.refused[0].message
    again = asked.api.upsert([{"id": f" {SECRET}"}, {"id": "a"}], request_id="r")
    assert again.already
    assert SECRET not in again.refused[0].message
    assert holds(asked.folder)
    asked.api.delete([SECRET], erase=True)
    found = asked.api.compact()
    assert found.erased == 1
    assert not holds(asked.folder)
    assert asked.api.compact().erased == 0
    assert asked.api.count("everyone") == 2


def holds(folder: Path) -> bool:
    """Return whether any file below a folder holds the secret."""
    return any(SECRET.encode() in path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_snapshot_is_a_generation(asked: Asked) -> None:
    """A snapshot holds the version that was current, and is on the disk."""
    filled(asked)
    found = asked.api.snapshot()
    assert found.version == asked.api.answer("everyone").info.version
    assert found.bytes > 0
    assert asked.api.snapshot().generation == found.generation + 1


def test_pages_are_of_one_version(asked: Asked) -> None:
    """A listing goes on with the version of its first page, whatever is written meanwhile."""
    asked.api.upsert([{"id": f"c{n}"} for n in range(9)])
    page = asked.api.list_members("everyone", page_size=4)
    asked.api.delete(["c5", "c8"])
    asked.api.upsert([{"id": "later"}])
    asked.api.compact()
    seen = [one.id for one in page.contacts]
    while page.next_token:
        page = asked.api.list_members("everyone", page_size=4, page_token=page.next_token)
        seen += [one.id for one in page.contacts]
    assert seen == [f"c{n}" for n in range(9)]
    assert asked.api.count("everyone") == 8


def test_all_is_well(asked: Asked) -> None:
    """Nothing is wrong with what was written."""
    filled(asked)
    assert list(asked.api.check()) == []


def test_a_backup_can_be_restored(asked: Asked, tmp_path: Path) -> None:
    """A copy holds what was there, also what was not yet in a generation, under a new epoch."""
    filled(asked)
    asked.api.create_segment("germans", "country = DE")
    to = "monday" if not isinstance(asked.api, Workspace) else asked.backups / "monday"
    asked.backups.mkdir()
    found = asked.api.backup(to)
    assert [(one.name, one.contacts) for one in found.workspaces] == [("default", 2)]
    asked.api.delete(["a"])
    with pytest.raises(UserError) as failed:
        asked.api.backup(to)
    assert failed.value.reason is Reason.CONFLICT
    restore(asked.backups / "monday", tmp_path / "restored", epoch=99)
    with Workspace.open(tmp_path / "restored") as held:
        assert held.view.version.epoch == 99
        assert held.count('in segment "germans"') == 1
        assert held.count("open at least 1 times ever") == 1
        assert list(held.check()) == []
    with pytest.raises(UserError, match="not empty"):
        restore(asked.backups / "monday", tmp_path / "restored", epoch=100)


def test_a_backup_holds_the_watches(tmp_path: Path) -> None:
    """Watches are in a copy, made while they are followed, and go on in the restored folder."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    backups = tmp_path / "backups"
    with (
        live_served(folder, server__backups=str(backups)) as server,
        Client(server.address) as client,
    ):
        client.create_watch("germans", "country = DE")
        client.upsert([{"id": "a", "fields": {"country": "DE"}}])
        client.backup("monday")
    with Workspace.open(folder) as held:
        held.backup(backups / "tuesday")
    for day in ("monday", "tuesday"):
        restore(backups / day, tmp_path / day, epoch=99)
        with live_served(tmp_path / day) as server, Client(server.address) as client:
            assert [one.name for one in client.list_watches().watches] == ["germans"]
            assert client.count("country = DE") == 1
            client.upsert([{"id": "b", "fields": {"country": "DE"}}])


def test_a_server_without_a_place_for_backups(tmp_path: Path) -> None:
    """A client chooses no folder of the server: without the setting there are no backups."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with live_served(folder) as server, Client(server.address) as client:
        with pytest.raises(UserError, match=r"server\.backups"):
            client.backup("monday")
        with pytest.raises(UserError) as failed:
            client.backup("../monday")
        assert failed.value.reason in (Reason.INVALID_VALUE, Reason.CONFLICT)
