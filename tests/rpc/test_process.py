"""A server and the machine: its address, its signals, and gRPC's environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.model.errors import Reason, UserError
from headcount.rpc.app import Server
from support.serving import served


def test_two_servers_do_not_share_a_port() -> None:
    """An address that is taken is an error that says so, not a lottery between two servers."""
    with served() as server:
        config = server.server.config
        taken = type(config)(server=type(config.server)(listen=server.address))
        other = Server(taken, server.server._workspaces)
        with pytest.raises(UserError) as caught:
            other.start()
        assert caught.value.reason is Reason.CONFLICT


def test_an_address_that_is_not_ours_is_refused() -> None:
    """An address that this machine does not have cannot be listened on."""
    with (
        pytest.raises(UserError) as caught,
        served(server__listen="192.0.2.1:7070", server__insecure=True),
    ):
        pass
    assert caught.value.reason is Reason.CONFLICT


def test_sigterm_drains_and_exits_0(tmp_path: Path) -> None:
    """A signal ends the process cleanly, with the call under way answered first."""
    script = tmp_path / "serve.py"
    script.write_text(
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).resolve().parent.parent)!r})\n"
        "from headcount.rpc.app import Server\n"
        "from headcount.rpc.config import load\n"
        "from headcount.rpc.workspaces import Workspaces\n"
        "from headcount.segments.keeper import Keeper\n"
        "from support.serving import EMPTY_VIEW\n"
        "from headcount.query.engine import Engine\n"
        "config = load(flags={'server.listen': '127.0.0.1:0'})\n"
        "sys.exit(Server(config, Workspaces({'default': Keeper(Engine(EMPTY_VIEW))})).run())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "error", script],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    with process:
        assert process.stderr is not None
        serving = json.loads(process.stderr.readline())
        with Client(serving["address"]) as client:
            assert client.count("everyone") == 0
            lines = [json.loads(process.stderr.readline())]
            process.send_signal(signal.SIGTERM)
            lines += [json.loads(line) for line in process.stderr]
            assert process.wait(timeout=20) == 0
    assert [line["event"] for line in lines] == ["call", "draining", "stopped"]
    host, _, port = serving["address"].rpartition(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


@pytest.mark.parametrize("module", ["headcount.rpc.app", "headcount.cli.serve"])
def test_grpc_is_told_how_to_work_before_it_is_imported(module: str) -> None:
    """Later would be in vain: it looks at its environment once."""
    script = f"import sys, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert loaded.index("headcount.rpc.before_grpc") < loaded.index("grpc")
