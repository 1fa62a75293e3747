"""A server of a folder that is written to: what it does when the disk fails, and after a kill."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
import sys
import threading
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headcount.care.schema_change import Renames, change
from headcount.client import Client, UnavailableError
from headcount.live.commit import Batch, StaleSchema
from headcount.model.changes import Changes
from headcount.model.errors import Reason, UnknownOutcomeError, UserError
from headcount.model.schema import Field, FieldType
from headcount.query.parse import parse
from headcount.storage.log import CommitLog
from support.live_server import live_served, make_folder
from support.writing import SCHEMA


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with an empty workspace."""
    return make_folder(tmp_path / "data", SCHEMA)


def test_a_write_of_unknown_outcome_ends_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client may send it again, health says NOT_SERVING, and the process exits with 3."""
    with live_served(folder) as server:
        with Client(server.address) as client:
            assert client.upsert([{"id": "a"}]).accepted == 1

            def broken(*_: object, **__: object) -> None:
                raise UnknownOutcomeError(folder, "the sync failed")

            monkeypatch.setattr(CommitLog, "append", broken)
            with pytest.raises(UnavailableError):
                client.upsert([{"id": "b"}])
            with pytest.raises(UnavailableError):
                client.upsert([{"id": "c"}])
        with grpc.insecure_channel(server.address) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
            assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        assert server.server.wait() == 3
        failed = [line for line in server.log if line["event"] == "failed"]
        assert len(failed) == 1
    monkeypatch.undo()
    with live_served(folder) as server, Client(server.address) as client:
        assert client.count("everyone") == 1
        assert client.upsert([{"id": "b"}]).accepted == 1


def test_reads_see_whole_batches(folder: Path) -> None:
    """While batches are written, every count is a whole number of them, and never goes back."""
    with live_served(folder) as server:
        done = threading.Event()
        seen: list[int] = []

        def count() -> None:
            with Client(server.address) as client:
                while not done.is_set():
                    seen.append(client.count("country = DE"))

        reader = threading.Thread(target=count)
        reader.start()
        with Client(server.address) as client:
            for batch in range(30):
                contacts = [{"id": f"c{batch}-{n}", "fields": {"country": "DE"}} for n in range(10)]
                client.upsert(contacts)
                assert client.count("country = DE") == 10 * (batch + 1)
        done.set()
        reader.join()
        assert all(count % 10 == 0 for count in seen)
        assert seen == sorted(seen)


def test_a_list_that_is_sent_again_is_counted_anew(folder: Path) -> None:
    """In every version, whether its segments are texts, trees or saved ones, and one is refused."""
    with live_served(folder) as server, Client(server.address) as client:
        client.upsert([{"id": f"c{n}", "fields": {"country": "DE"}} for n in range(20)])
        client.create_segment("germans", "country = DE")
        texts = [f'country = DE and id != "c{n}"' for n in range(70)]
        asked = [*texts, parse("country = FR"), "contry = FR", 'in segment "germans"']
        for french in range(4):
            found = client.count_many(asked)
            assert found[:20] == [19 - french if n >= french else 20 - french for n in range(20)]
            assert found[70] == french
            assert isinstance(found[71], UserError)
            assert found[71].reason is Reason.UNKNOWN_NAME
            assert found[72] == 20 - french
            client.patch([{"id": f"c{french}", "fields": {"country": "FR"}}])
        client.update_segment("germans", "country = FR")
        assert client.count_many(asked)[72] == 4


def test_upkeep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server compacts by itself when enough was written, and lets go of what is too old."""
    monkeypatch.setattr("headcount.rpc.upkeep._PERIOD_SECONDS", 0.01)
    limits = {"writes__compact_contacts": 50}
    opened = dataclasses.replace(SCHEMA.events["open"], keep_days=30)
    schema = dataclasses.replace(SCHEMA, events={**SCHEMA.events, "open": opened})
    folder = make_folder(tmp_path / "kept", schema)
    with live_served(folder, **limits) as server, Client(server.address) as client:
        client.upsert([{"id": f"c{n}"} for n in range(100)])
        client.record([{"contact": "c1", "type": "purchase", "time": 0}])
        for _ in range(2000):
            client.count("everyone")
            if {"compacted", "expired"} <= {line["event"] for line in server.log}:
                break
        assert {"compacted", "expired"} <= {line["event"] for line in server.log}
        assert client.count("purchase at least 1 times ever") == 1
        late = client.record([{"contact": "c1", "type": "open", "time": 0}])
        assert late.refused_count == 1


def test_writes_while_the_schema_changes(folder: Path) -> None:
    """A write that is typed under a schema of just before is typed anew, or refused by name."""
    with live_served(folder) as server:
        done = threading.Event()
        failures: list[Exception] = []

        def write() -> None:
            with Client(server.address) as client:
                number = 0
                while not done.is_set():
                    number += 1
                    contact = {"id": f"c{number}", "fields": {"plan": "5", "email": "x"}}
                    try:
                        client.upsert([contact])
                    except Exception as error:
                        failures.append(error)

        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        plan = dataclasses.replace(SCHEMA.fields["plan"], case_sensitive=False)
        with Client(server.address) as client:
            for turn in range(12):
                kind = FieldType.NUMBER if turn % 2 else FieldType.KEYWORD
                fields = {**SCHEMA.fields, "plan": dataclasses.replace(plan, type=kind)}
                if turn % 3 == 0:
                    del fields["email"]
                after = dataclasses.replace(SCHEMA, fields=fields)
                assert client.update_schema(after, allow_drop=True).unconverted_count == 0
            assert list(client.check()) == []
        done.set()
        for writer in writers:
            writer.join()
        assert not failures
        assert not [line for line in server.log if line["event"] == "bug"]


def test_two_who_change_the_schema_at_once(folder: Path) -> None:
    """Nobody drops what another has just added: one of them is told to look again."""
    with live_served(folder) as server, Client(server.address) as one:
        before = one.schema()
        added = {**before.fields, "added": Field("added", FieldType.NUMBER)}
        caretaker = server.server._workspaces.caretaker("")
        view = caretaker.live.view
        made = change(view.schema, before, Renames(), allow_drop=False)
        one.update_schema(dataclasses.replace(before, fields=added))
        late = Batch(Changes((made.step,)), "", (), view.schema)
        with pytest.raises(StaleSchema):
            caretaker.live.write(late)
        assert "added" in one.schema().fields


def test_what_was_acknowledged_is_there_after_a_kill(folder: Path) -> None:
    """A server that is killed and started again has every acknowledged write, and no more."""
    command = [sys.executable, "-m", "headcount.cli.main", "serve", "--data", str(folder)]
    acknowledged = 0
    for _ in range(2):
        address = f"unix:{folder.parent / 'socket'}"
        with subprocess.Popen([*command, "--listen", address], stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            assert b'"serving"' in process.stderr.readline()
            with Client(address) as client:
                assert client.count("everyone") == acknowledged
                results = client.write(
                    ({"op": "upsert", "id": f"{acknowledged}-{n}"} for n in range(10_000)), batch=10
                )
                try:
                    for at, result in enumerate(results):
                        acknowledged += result.accepted
                        if at == 20:
                            process.send_signal(signal.SIGKILL)
                            break
                finally:
                    results.close()
            process.stderr.close()
        with live_served(folder) as server, Client(server.address) as client:
            found = client.count("everyone")
            assert acknowledged <= found <= acknowledged + 16 * 10  # those under way
            acknowledged = found


def test_a_stream_goes_on_with_the_next_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream whose server is restarted sends again what was not answered; all count once."""
    monkeypatch.setattr("headcount.client.writing.PAUSE_SECONDS", 0.3)
    command = [sys.executable, "-m", "headcount.cli.main", "serve", "--data", str(folder)]
    address = f"unix:{folder.parent / 'socket'}"

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*command, "--listen", address], stderr=subprocess.PIPE)
        assert process.stderr is not None
        assert b'"serving"' in process.stderr.readline()
        return process

    process = start()
    accepted = 0
    with Client(address) as client:
        mutations = ({"op": "upsert", "id": f"c{n}"} for n in range(500))
        for at, result in enumerate(client.write(mutations, batch=10)):
            accepted += result.accepted
            if at == 10:
                process.kill()
                process.communicate()
                process = start()
        assert accepted == 500
        assert client.count("everyone") == 500
    process.terminate()
    process.communicate()
    assert process.returncode == 0


def test_a_stream_of_a_watch_ends_with_its_workspace(folder: Path) -> None:
    """It said that nothing happened, until its deadline."""
    with live_served(folder) as server, Client(server.address) as client:
        client.create_workspace("other", SCHEMA)
        with Client(server.address, workspace="other") as other:
            stream = other.watch("everyone", timeout=20)
            next(stream)
            client.drop_workspace("other")
            with pytest.raises(UserError) as ended:
                list(stream)
        assert ended.value.reason is Reason.NOT_FOUND


def test_a_workspace_that_is_made_again_is_another(folder: Path) -> None:
    """Old clients do not write to it before they have read it, and old tokens do not fit."""
    with (
        live_served(folder) as server,
        Client(server.address) as admin,
        Client(server.address, workspace="other") as old,
        Client(server.address, workspace="other") as maker,
    ):
        admin.create_workspace("other", SCHEMA)
        old.upsert([{"id": "c1"}])
        old.create_watch("who", "everyone")
        watched = old.watch(name="who", timeout=20)
        token = next(watched).token
        watched.close()
        maker.upsert([{"id": "c2"}])
        maker.drop_workspace("other")
        maker.create_workspace("other", SCHEMA)
        assert maker.upsert([{"id": "c3"}]).accepted == 1  # it made the new one itself
        maker.create_watch("who", "everyone")
        for write in (
            lambda: old.upsert([{"id": "c1"}]),
            lambda: list(old.write([{"op": "upsert", "id": "c1"}])),
            lambda: old.delete(["c3"]),
        ):
            with pytest.raises(UserError, match="made again") as refused:
                write()
            assert refused.value.reason is Reason.CONFLICT
        with pytest.raises(UserError, match="deleted since") as stale:
            next(old.watch(name="who", token=token, timeout=20))
        assert stale.value.field == "token"
        assert old.count("everyone") == 1
        assert old.upsert([{"id": "c1"}]).accepted == 1


def test_a_watch_of_a_document_names_the_place_of_a_mistake(folder: Path) -> None:
    """180: the path in what was sent, and not the column of the text that is kept."""
    wrong = {"all": [{"everyone": True}, {"field": "contry", "operator": "=", "value": "DE"}]}
    with live_served(folder) as server, Client(server.address) as client:
        with pytest.raises(UserError) as streamed:
            next(client.watch(wrong, timeout=20))
        with pytest.raises(UserError) as named:
            client.create_watch("germans", wrong)
    for caught in (streamed, named):
        assert caught.value.field == "query.json.all[1].field"
        assert caught.value.position is None
