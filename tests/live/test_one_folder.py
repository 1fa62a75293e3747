"""One data folder and several processes: one of them writes, and nobody reads half of anything."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.cli.main import run
from headcount.client import Client
from headcount.storage.folder import workspace_folder
from support.live_server import make_folder
from support.nursery import Nursery, nursery
from support.writing import SCHEMA


@pytest.fixture(scope="module")
def starts() -> Iterator[Nursery]:
    """Return what starts servers."""
    with nursery() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data folder with an empty workspace."""
    return make_folder(tmp_path / "data", SCHEMA)


def count(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Return the status of `headcount count`, and what it said."""
    status = run(["count", "--data", str(folder), "everyone"])
    shown = capsys.readouterr()
    return status, shown.out.strip() or shown.err


def upsert(address: str, contacts: int) -> None:
    """Write contacts."""
    with Client(address) as client:
        client.upsert([{"id": f"c{n}"} for n in range(contacts)])


def test_a_second_server_of_a_folder_is_refused(starts: Nursery, folder: Path) -> None:
    """It says who serves it, and the first goes on."""
    server = starts.serve(folder)
    upsert(server.address, 3)
    said = folder.with_name("second.stderr")
    second = starts.run(["serve", "--data", str(folder), "--listen", "127.0.0.1:0"], said)
    message = said.read_text()
    assert starts.asked({"wait": second}) == "1\n"
    assert f"{folder} is in use by process {server.pid}" in message
    upsert(server.address, 5)
    with Client(server.address) as client:
        assert client.count("everyone") == 5
    assert server.end() == 0


def test_a_reader_of_a_served_folder_sees_all_or_is_sent_to_the_server(
    starts: Nursery,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the generation is all there is it is read; once there is more, the server is named."""
    monkeypatch.setattr("headcount.embedded_folder._WAIT_SECONDS", 0.1)
    server = starts.serve(folder)
    assert count(folder, capsys) == (0, "0")
    upsert(server.address, 3)
    status, said = count(folder, capsys)
    assert status == 1
    assert f"in use by process {server.pid}" in said
    assert "--server HOST:PORT" in said
    with Client(server.address) as client:
        client.compact()
    assert count(folder, capsys) == (0, "3")
    upsert(server.address, 4)
    assert count(folder, capsys)[0] == 1
    assert run(["check", "--data", str(folder)]) == 1
    capsys.readouterr()
    server.kill()
    assert count(folder, capsys) == (0, "4")
    assert count(folder, capsys) == (0, "4")
    assert run(["check", "--data", str(folder)]) == 0


def test_what_a_server_leaves_behind_is_read(
    starts: Nursery, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After SIGTERM and after a kill alike; what is written to it is in the next server."""
    for contacts, number in ((3, signal.SIGTERM), (5, signal.SIGKILL), (6, signal.SIGINT)):
        server = starts.serve(folder)
        upsert(server.address, contacts)
        server.end(number)
        assert count(folder, capsys) == (0, str(contacts))
        lines = folder.with_name("more.ndjson")
        lines.write_text(json.dumps({"op": "upsert", "id": f"c{contacts}"}) + "\n")
        assert run(["write", str(lines), "--data", str(folder)]) == 0
        capsys.readouterr()
        server = starts.serve(folder)
        with Client(server.address) as client:
            assert client.count("everyone") == contacts + 1
        server.kill()


def test_a_log_that_lost_its_end_is_not_served(
    starts: Nursery, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server ends with 3 and says which commits are gone, in which file, and what to do."""
    server = starts.serve(folder)
    upsert(server.address, 3)
    upsert(server.address, 4)
    server.kill()
    (left,) = workspace_folder(folder, "default").glob("log-*.db-wal")
    left.write_bytes(left.read_bytes()[:-100])
    with pytest.raises(AssertionError, match=r"damaged data: .*log-.*the end was lost.*restore"):
        starts.serve(folder)
    assert count(folder, capsys)[0] == 3
    assert run(["check", "--data", str(folder)]) == 3
    assert "log-" in capsys.readouterr().err
