"""Endpoints do not hold up each other, nor the server; watches may go while they are delivered."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.rpc.config import WebhookSettings
from headcount.rpc.webhooks import Webhooks, post
from headcount.segments.watch.watcher import Watcher
from support.live_server import live_served, make_folder
from support.writing import SCHEMA


class Endpoints:
    """What would answer POSTs: `/slow` when it is let go, all others at once."""

    def __init__(self) -> None:
        self.taken: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self.reached = threading.Event()  # the slow one is being asked
        self.let_go = threading.Event()
        self.reported: list[Exception] = []
        self.broken: Exception | None = None

    def send(self, url: str, body: bytes, _headers: dict[str, str], _s: float) -> tuple[int, str]:
        """Take a message."""
        if url.endswith("/slow"):
            self.reached.set()
            assert self.let_go.wait(30)
        if self.broken is not None and url.endswith("/broken"):
            raise self.broken
        self.taken.put((url.rpartition("/")[2], body))
        return 200, ""


@contextmanager
def delivering(
    folder: Path, endpoints: Endpoints, paths: list[str]
) -> Iterator[tuple[Client, Watcher]]:
    """Serve a folder, watching Germans once for each path; what is due is sent to *endpoints*."""
    with (
        live_served(folder, webhooks__allow="here", webhooks__poll_seconds=60) as running,
        Client(running.address) as client,
    ):
        watchers = running.server._workspaces.watchers
        for path in paths:
            client.create_watch(path, "country = DE", endpoint=(f"http://here/{path}", "key"))
        hooks = Webhooks(
            WebhookSettings(allow="here", poll_seconds=0.01, wait_seconds=0.01, wait_max=0.01),
            watchers,
            time.time,
            report=endpoints.reported.append,
            send=endpoints.send,
        )
        hooks.start()
        try:
            (watcher,) = watchers()
            yield client, watcher
        finally:
            endpoints.let_go.set()
            hooks.stop()


def german(client: Client, name: str) -> None:
    """Make a contact that is watched."""
    client.upsert([{"id": name, "fields": {"country": "DE"}}])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "data", SCHEMA)


def test_a_slow_endpoint_holds_up_no_other(folder: Path) -> None:
    """The others get everything while one does not answer, whatever their names."""
    endpoints = Endpoints()
    with delivering(folder, endpoints, ["slow", "a", "z"]) as (client, _):
        german(client, "ann")
        assert endpoints.reached.wait(30)
        german(client, "bob")
        found: set[tuple[str, bool]] = set()
        while found != {("a", True), ("z", True)}:
            path, body = endpoints.taken.get(timeout=30)
            found.add((path, b'"bob"' in body))
            found.discard((path, False))
        assert not endpoints.let_go.is_set()


def test_a_watch_that_is_deleted_meanwhile_ends_no_other(folder: Path) -> None:
    """What was on its way when it went is neither noted nor missed, and the rest goes on."""
    endpoints = Endpoints()
    with delivering(folder, endpoints, ["slow", "a"]) as (client, watcher):
        german(client, "ann")
        assert endpoints.reached.wait(30)
        client.delete_watch("slow")
        endpoints.let_go.set()
        assert {endpoints.taken.get(timeout=30)[0] for _ in range(2)} == {"slow", "a"}
        german(client, "bob")
        path, body = endpoints.taken.get(timeout=30)
        assert path == "a"
        assert b'"bob"' in body
        assert endpoints.reported == []
        watcher.store.check()


def test_a_workspace_that_is_dropped_meanwhile_ends_no_other(folder: Path) -> None:
    """Its file is closed then; those of other workspaces are delivered."""
    endpoints = Endpoints()
    with delivering(folder, endpoints, ["slow"]) as (client, _):
        german(client, "ann")
        assert endpoints.reached.wait(30)
        client.create_workspace("other", SCHEMA)
        with Client(client._target, workspace="other") as other:
            other.create_watch("a", "country = DE", endpoint=("http://here/a", "key"))
            client.drop_workspace("default")
            endpoints.let_go.set()
            german(other, "bob")
            assert {endpoints.taken.get(timeout=30)[0] for _ in range(2)} == {"slow", "a"}
        assert endpoints.reported == []


def test_a_mistake_of_ours_is_reported_and_ends_no_other(folder: Path) -> None:
    """It does not end the thread that sends, which nobody would see."""
    endpoints = Endpoints()
    endpoints.broken = KeyError("a bug")
    with delivering(folder, endpoints, ["broken", "a"]) as (client, _):
        for name in ("ann", "bob"):
            german(client, name)
            assert endpoints.taken.get(timeout=30)[0] == "a"
        endpoints.broken = None
        assert endpoints.taken.get(timeout=30)[0] == "broken"
        assert {type(error) for error in endpoints.reported} == {KeyError}


def test_stopping_waits_for_no_endpoint(folder: Path) -> None:
    """What it may have taken is sent again after the next start."""
    endpoints = Endpoints()
    with delivering(folder, endpoints, ["slow"]) as (client, _):
        german(client, "ann")
        assert endpoints.reached.wait(30)
        endpoints.let_go = threading.Event()  # nobody sets the one that is waited for
    again = Endpoints()
    again.let_go.set()
    with delivering(folder, again, []):
        assert b'"ann"' in again.taken.get(timeout=30)[1]


def test_an_answer_that_never_ends_is_cut(folder: Path) -> None:
    """A header now and then keeps no attempt alive for longer than it may last."""
    del folder
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            number = 0
            while not over.wait(0.05):
                number += 1
                try:
                    connection.sendall(f"X-Again: {number}\r\n".encode())
                except OSError:
                    return

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        with pytest.raises(OSError, match="no whole answer within"):
            post(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {}, 0.3)
    finally:
        over.set()
        thread.join()
        listening.close()
