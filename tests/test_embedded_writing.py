"""A folder without a server is written to, and read again with what was written."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from headcount.answers import Membership
from headcount.care import workspaces
from headcount.embedded import Workspace
from headcount.model.errors import Reason, UserError
from headcount.storage.folder import WriterLock
from support.writing import SCHEMA

NOW = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with an empty workspace."""
    path = tmp_path / "data"
    with WriterLock(path) as lock:
        workspaces.create(path, "default", SCHEMA, lock, epoch=7)
    return path


def test_what_is_written_is_seen_and_stays(folder: Path) -> None:
    """Counts follow each write; after closing, another opening has all of it."""
    with Workspace.open(folder) as held:
        assert held.count("everyone") == 0
        result = held.upsert(
            [
                {"id": "a", "fields": {"country": "DE"}, "add_labels": ["vip"]},
                {"id": "b", "lists": [{"list": "news", "action": "join"}]},
                {"id": " c"},
            ]
        )
        assert (result.accepted, result.refused_count) == (2, 1)
        assert held.count('country = DE and label = "vip"') == 1
        assert held.record([{"contact": "a", "type": "open", "time": NOW, "id": "1"}]).accepted == 1
        assert held.record([{"contact": "a", "type": "open", "time": NOW, "id": "1"}]).repeated == 1
        assert held.count("opened at least 1 times ever") == 1
    with Workspace.open(folder) as again:
        assert again.count("everyone") == 2
        assert again.count("opened at least 1 times ever") == 1
        (found,) = again.get(["b"])
        assert found is not None
        assert found.lists == (Membership("news", member=True, opted_out=False),)


def test_each_kind_of_write(folder: Path) -> None:
    """Contacts are merged, suppressed, changed from columns, and deleted."""
    with Workspace.open(folder) as held:
        table = pa.table({"id": ["a", "b", "c"], "country": ["DE", "US", None]})
        assert held.write_arrow(table).accepted == 3
        assert held.merge([("c", "a")]).accepted == 1
        assert held.get(["c"]) == [None]
        assert held.suppress(["a", "nobody"]).accepted == 2
        (found,) = held.get(["a"], fields=["country"])
        assert found is not None
        assert (found.suppressed, found.fields) == (True, {"country": "DE"})
        held.unsuppress(["a"])
        assert held.patch([{"id": "x"}]).refused_count == 1
        assert held.delete(["b"], erase=True).accepted == 1
        mutations = [{"op": "upsert", "id": f"m{n}"} for n in range(25)]
        assert [r.accepted for r in held.write(mutations, batch=10)] == [10, 10, 5]
        assert held.count("everyone") == 26


def test_a_request_counts_once(folder: Path) -> None:
    """The same request id again gets the first answer, also after a restart."""
    with Workspace.open(folder) as held:
        first = held.upsert([{"id": "a"}], request_id="r")
        assert not first.already
    with Workspace.open(folder) as held:
        again = held.upsert([{"id": "b"}], request_id="r")
        assert again.already
        assert again.version == first.version
        assert held.count("everyone") == 1


def test_saving_segments_while_writing(folder: Path) -> None:
    """The folder that is held for writing can save segments too."""
    with Workspace.open(folder) as held:
        held.upsert([{"id": "a", "fields": {"country": "DE"}}])
        held.create_segment("germans", "country = DE")
        held.upsert([{"id": "b", "fields": {"country": "DE"}}])
        assert held.count('in segment "germans"') == 2


def test_one_writes_at_a_time(folder: Path) -> None:
    """Until the first write anybody may write; then the folder is held, until it is closed."""
    with Workspace.open(folder) as one, Workspace.open(folder) as other:
        one.upsert([{"id": "a"}])
        with pytest.raises(UserError) as failed:
            other.upsert([{"id": "b"}])
        assert failed.value.reason is Reason.CONFLICT
        one.close()
        assert other.upsert([{"id": "b"}]).accepted == 1
        assert other.count("everyone") == 2
        assert one.count("everyone") == 1  # as it was when it was closed


def test_reading_what_another_process_writes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes that only another process knows are not passed over in silence."""
    monkeypatch.setattr("headcount.embedded_folder._WAIT_SECONDS", 0.0)
    script = (
        "import sys\n"
        "from headcount.embedded import Workspace\n"
        f"held = Workspace.open({str(folder)!r})\n"
        "held.upsert([{'id': 'a'}])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "held.close()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(UserError) as failed:
            Workspace.open(folder)
        assert failed.value.reason is Reason.CONFLICT
        assert "ask it" in failed.value.message
        process.communicate()
    assert process.returncode == 0
    with Workspace.open(folder) as held:
        assert held.count("everyone") == 1


def test_values_that_nobody_has_any_more_are_warned_of(folder: Path) -> None:
    """What was overwritten, or went with its contact, is a value that nobody has."""
    with Workspace.open(folder) as held:
        held.upsert(
            [
                {"id": "a", "fields": {"country": "XX", "email": "old@x.io", "spent": 7}},
                {"id": "b", "fields": {"country": "XY", "interests": ["tea"]}},
                {"id": "c", "fields": {"country": "DE", "email": "c@x.io", "spent": 8}},
            ]
        )
        bought = {"type": "purchase", "time": NOW}
        held.record(
            [
                {"contact": "b", "properties": {"amount": 3, "category": "gone"}, **bought},
                {"contact": "c", "properties": {"amount": 4, "category": "Books"}, **bought},
            ]
        )
        asked = (
            'country in (XX, DE) or email = "old@x.io" or spent in (7, 8) or id in (b, c)'
            ' or interests = "tea"'
            " or did purchase where (category in (gone, Books) and amount in (3, 4))"
        )
        assert held.validate(asked).warnings == ()
        held.upsert([{"id": "a", "fields": {"country": "DE", "email": None, "spent": 8}}])
        held.delete(["b"])
        assert [one.message for one in held.validate(asked).warnings] == [
            "no contact has `XX` in `country`",
            "no contact has `old@x.io` in `email`",
            "no contact has `7` in `spent`",
            "no contact has `b` in `id`",
            "no contact has `tea` in `interests`",
            "no `purchase` has `gone` in `purchase.category`",
            "no `purchase` has `3` in `purchase.amount`",
        ]
