"""Watches through a server: streams, tokens, named watches, and their delivery."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import grpc
import pytest
from typer.testing import CliRunner

from headcount.answers_watch import Told, Transition
from headcount.cli.main import command_line
from headcount.client import AsyncClient, Client
from headcount.model.errors import Reason as Why
from headcount.model.errors import UserError
from headcount.model.schema_toml import parse as parse_schema
from headcount.rpc.config import WebhookSettings
from headcount.rpc.webhooks import Webhooks, signature
from headcount.segments.watch.document import Endpoint
from headcount.segments.watch.transitions import Kind, Reason, Reentry, Settings
from headcount.v1 import watches_pb2 as pb
from headcount.v1.watches_pb2_grpc import WatchesStub
from support.live_server import live_served, make_folder
from support.serving import Served

SCHEMA = parse_schema('[fields]\nplan = "keyword"\n[events.open]\n')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "data", SCHEMA)


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    with live_served(folder, webhooks__allow="127.0.0.1", webhooks__poll_seconds=0.01) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    with Client(server.address) as found:
        yield found


def put(client: Client, **plans: str) -> None:
    """Put contacts on plans."""
    client.upsert([{"id": id_, "fields": {"plan": plan}} for id_, plan in plans.items()])


def transitions(stream: Iterator[Told], count: int) -> list[Transition]:
    """Return the next *count* transitions of a stream."""
    found: list[Transition] = []
    while len(found) < count:
        found += next(stream).transitions
    assert len(found) == count
    return found


def test_who_enters_and_leaves_is_told_at_once(client: Client) -> None:
    """A stream says what is written while it is open, and why."""
    put(client, ann="Pro", bob="Free")
    stream = client.watch("plan = Pro")
    assert next(stream).transitions == ()  # from now on
    put(client, bob="Pro")
    put(client, ann="Free")
    first, second = transitions(stream, 2)
    assert (first.contact, first.kind, first.reason) == ("bob", Kind.ENTER, Reason.DATA)
    assert (second.contact, second.kind, second.number) == ("ann", Kind.EXIT, 2)
    assert client.seen_version is not None
    assert second.version == client.seen_version


def test_a_stream_goes_on_behind_its_token_after_a_restart(folder: Path) -> None:
    """What was written while nobody read, and before the server stopped, is told once."""
    with live_served(folder) as running, Client(running.address) as client:
        stream = client.watch("plan = Pro", settings=Settings(seed=True))
        token = next(stream).token
        put(client, ann="Pro")
        told = next(stream)
        assert [one.contact for one in told.transitions] == ["ann"]
        put(client, bob="Pro", ann="Free")
    with live_served(folder) as running, Client(running.address) as client:
        put(client, eve="Pro")
        settings = Settings(seed=True)
        again = transitions(client.watch("plan = Pro", token=told.token, settings=settings), 3)
        assert [(one.contact, one.kind) for one in again] == [
            ("ann", Kind.EXIT), ("bob", Kind.ENTER), ("eve", Kind.ENTER),
        ]  # fmt: skip
        whole = transitions(client.watch("plan = Pro", token=token, settings=settings), 4)
        assert [one.number for one in whole] == [1, 2, 3, 4]
        with pytest.raises(UserError, match="another watch"):
            next(client.watch("plan = Free", token=token))


def test_a_named_watch_is_kept_listed_and_deleted(client: Client) -> None:
    """It begins with those who are in it if asked to, and tells its size."""
    put(client, ann="Pro")
    made = client.create_watch(
        "pro",
        "plan=Pro",
        settings=Settings(True, Reentry.AFTER, 60_000_000),
        time_zone="Asia/Tokyo",
    )
    assert (made.text, made.time_zone, made.size, made.number) == ("plan = Pro", "Asia/Tokyo", 1, 1)
    assert made.settings == Settings(True, Reentry.AFTER, 60_000_000)
    assert made.exact
    assert client.get_watch("pro") == made
    client.create_watch("other", "everyone")
    page = client.list_watches(page_size=1)
    assert [one.name for one in page.watches] == ["other"]
    assert client.list_watches(page_token=page.next_token).watches == (made,)
    stream = client.watch(name="pro")
    (seeded,) = transitions(stream, 1)
    assert (seeded.contact, seeded.reason) == ("ann", Reason.DEFINITION)
    client.delete_watch("pro")
    with pytest.raises(UserError) as gone:
        list(stream)
    assert gone.value.reason is Why.NOT_FOUND
    with pytest.raises(UserError) as unknown:
        client.get_watch("othr")
    assert unknown.value.suggestions == ("other",)


def test_a_saved_segment_is_followed_in_its_definition(client: Client) -> None:
    """Changing it tells who is in it by that, and who not any more."""
    put(client, ann="Pro", bob="Free")
    client.create_segment("payers", "plan = Pro")
    stream = client.watch('in segment "payers"')
    next(stream)
    client.update_segment("payers", "plan = Free")
    found = transitions(stream, 2)
    assert {(one.contact, one.kind, one.reason) for one in found} == {
        ("ann", Kind.EXIT, Reason.DEFINITION),
        ("bob", Kind.ENTER, Reason.DEFINITION),
    }


def test_what_cannot_be_watched_is_refused(client: Client, server: Served) -> None:
    """With the reason and the place, as every other request is."""
    for wrong, message in (
        ("plam = Pro", "unknown field"),
        ("plan = ", "expected"),
    ):
        with pytest.raises(UserError, match=message):
            next(client.watch(wrong))
    with pytest.raises(UserError, match="found something else"):
        next(client.watch("everyone", token="nonsense"))
    with pytest.raises(UserError, match="no watch"):
        next(client.watch(name="nobody"))
    with grpc.insecure_channel(server.address) as channel, pytest.raises(grpc.RpcError) as caught:
        next(WatchesStub(channel).Watch(pb.WatchRequest()))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT  # type: ignore[attr-defined]


def test_bookmarks_say_that_nothing_happened(folder: Path) -> None:
    """An idle stream tells up to when it knows."""
    with (
        live_served(folder, watches__bookmark_seconds=0.01) as running,
        Client(running.address) as client,
    ):
        stream = client.watch("everyone")
        first, second = next(stream), next(stream)
        assert second.transitions == ()
        assert second.instant >= first.instant
        assert second.token == first.token


def test_streams_have_a_lane_of_their_own(folder: Path) -> None:
    """One too many is refused at once, and queries go on."""
    with live_served(folder, watches__streams=1) as running, Client(running.address) as client:
        stream = client.watch("everyone")
        next(stream)
        with pytest.raises(UserError) as full:
            next(client.watch("plan = Pro"))
        assert full.value.reason is Why.OVERLOADED
        assert client.count("everyone") == 0


def test_the_asyncio_client_watches_too(server: Served) -> None:
    """The same words."""

    async def run() -> list[str]:
        async with AsyncClient(server.address) as client:
            await client.create_watch("pro", "plan = Pro")
            stream = client.watch(name="pro")
            await anext(stream)
            await client.upsert([{"id": "zoe", "fields": {"plan": "Pro"}}])
            told = await anext(stream)
            await client.delete_watch("pro")
            return [one.contact for one in told.transitions]

    assert asyncio.run(run()) == ["zoe"]


def test_the_command_line_watches(server: Served, client: Client) -> None:
    """One line a transition, and the token to go on with."""
    run, app = CliRunner().invoke, command_line()
    server_option = ["--server", server.address]
    assert run(app, ["watches", "create", "pro", "plan = Pro", *server_option]).exit_code == 0
    token = client.get_watch("pro").token
    put(client, ann="Pro", bob="Pro")
    client.get_watch("pro")
    found = run(
        command_line(), ["watch", "--name", "pro", "--from", token, "--limit", "2", *server_option]
    )
    assert found.exit_code == 0, found.output
    lines = [line.split("\t")[1:] for line in found.stdout.splitlines() if "\t" in line]
    assert lines == [["enter", "ann", "data"], ["enter", "bob", "data"]]
    listed = run(app, ["watches", "list", *server_option]).stdout
    assert listed == "pro\t2\tplan = Pro\n"
    assert run(app, ["watches", "dead", "pro", *server_option]).stdout == ""
    assert run(app, ["watches", "delete", "pro", *server_option]).exit_code == 0
    assert run(app, ["watch", *server_option]).exit_code == 2


# --- webhooks ---------------------------------------------------------------------------------


class Hook(BaseHTTPRequestHandler):
    """An endpoint that keeps what it gets, and answers with what it is told."""

    def do_POST(self) -> None:
        """Take one message."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        inbox: Inbox = self.server  # type: ignore[assignment]
        status = inbox.statuses.pop(0) if inbox.statuses else 200
        inbox.messages.append((status, dict(self.headers), body))
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:{inbox.server_port}/elsewhere")
        self.end_headers()
        with inbox.changed:
            inbox.changed.notify_all()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Inbox(HTTPServer):
    """A server for `Hook`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.messages: list[tuple[int, dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.changed = threading.Condition()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}/hook?x=1"

    def wait_for(self, count: int) -> None:
        """Wait until so many messages have come."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.messages) >= count, 30)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox() as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        try:
            yield found
        finally:
            found.shutdown()
            thread.join()


def test_a_named_watch_delivers_signed_json(client: Client, inbox: Inbox) -> None:
    """Requirement 148: the body is what a stream says, and the secret checks its signature."""
    client.create_watch("pro", "plan = Pro", endpoint=(inbox.url, "key"))
    put(client, ann="Pro")
    inbox.wait_for(1)
    _, headers, body = inbox.messages[0]
    document = json.loads(body)
    assert (document["workspace"], document["watch"]) == ("default", "pro")
    (one,) = document["transitions"]
    assert (one["contact"], one["kind"], one["reason"], one["number"]) == (
        "ann",
        "enter",
        "data",
        1,
    )
    stamp, _, found = headers["Headcount-Signature"].partition(",")
    second = int(stamp.removeprefix("t="))
    expected = hmac.new(b"key", f"{second}.".encode() + body, hashlib.sha256).hexdigest()
    assert found == f"v1={expected}"
    assert next(client.watch(name="pro", token=document["token"])).transitions == ()
    assert client.get_watch("pro").endpoint == inbox.url


def test_only_allowed_addresses_are_reached(client: Client, inbox: Inbox) -> None:
    """Nor what is no http address, nor without a secret; a redirect is a failure."""
    for url in (
        "http://169.254.169.254/latest", "http://localhost:1/", "ftp://127.0.0.1/", "nonsense",
        "http://user@127.0.0.1/", "http://127.0.0.1.example.com/", "http://[::1]/",
        "http://127.0.0.1:99999/", "http://127.0.0.1/\r\nX: y",
    ):  # fmt: skip
        with pytest.raises(UserError) as refused:
            client.create_watch("x", "everyone", endpoint=(url, "key"))
        assert refused.value.field == "endpoint.url", url
    with pytest.raises(UserError, match="secret"):
        client.create_watch("x", "everyone", endpoint=(inbox.url, ""))
    assert client.list_watches().watches == ()


class Clockwork:
    """Webhooks over a server's watchers, with a clock and answers in our hands."""

    def __init__(self, server: Served, inbox: Inbox, attempts: int) -> None:
        settings = WebhookSettings(allow="127.0.0.1", attempts=attempts, wait_seconds=2.0)
        self.now = 1_000.0
        self.inbox = inbox
        self.watchers = server.server._workspaces.watchers()
        self.hooks = Webhooks(settings, lambda: self.watchers, lambda: self.now, chance=lambda: 0.5)


@pytest.fixture
def clockwork(folder: Path, inbox: Inbox) -> Iterator[tuple[Clockwork, Client]]:
    # The server's own may deliver nowhere, so that only ours does.
    with live_served(folder) as running, Client(running.address) as client:
        work = Clockwork(running, inbox, attempts=3)
        (watcher,) = work.watchers
        client.create_watch("pro", "plan = Pro")
        watch = watcher.get("pro")
        object.__setattr__(watch.spec, "endpoint", Endpoint(inbox.url, "key"))
        yield work, client


def test_what_fails_is_tried_again_later_and_later_then_a_dead_letter(
    clockwork: tuple[Clockwork, Client],
) -> None:
    """Twice the wait each time; what is dead does not hold up the rest, and can be sent again."""
    work, client = clockwork
    (watcher,) = work.watchers
    put(client, ann="Pro")
    watcher.step()
    work.inbox.statuses = [500, 302, 503]
    for now, sent in ((0, 1), (1.9, 1), (2.1, 2), (6.0, 2), (6.2, 3), (60, 3)):
        work.now = 1_000 + now
        work.hooks.deliver()
        assert len(work.inbox.messages) == sent, now
    bodies = {body for _, _, body in work.inbox.messages}
    assert len(bodies) == 1
    (letter,) = client.dead_letters("pro")
    assert (letter.first, letter.last, letter.attempts) == (1, 1, 3)
    assert "503" in letter.error
    put(client, bob="Pro")
    watcher.step()
    assert work.hooks.deliver() == 1
    assert client.get_watch("pro").delivered == 2
    watch = watcher.get("pro")
    work.inbox.statuses = [500]
    assert work.hooks.redeliver(watcher, watch, frozenset()) == (0, 1)
    assert work.hooks.redeliver(watcher, watch, frozenset((letter.id,))) == (1, 0)
    assert client.dead_letters("pro") == ()
    assert b"ann" in work.inbox.messages[-1][2]
    assert not any("elsewhere" in str(headers) for _, headers, _ in work.inbox.messages)


def test_nobody_there_is_a_failure_like_another(clockwork: tuple[Clockwork, Client]) -> None:
    """A connection that is refused waits and is tried again."""
    work, client = clockwork
    (watcher,) = work.watchers
    object.__setattr__(watcher.get("pro").spec, "endpoint", Endpoint("http://127.0.0.1:9/", "k"))
    put(client, ann="Pro")
    watcher.step()
    for attempt in range(3):
        work.now += 100 * attempt
        assert work.hooks.deliver() == 0
    assert "Refused" in client.dead_letters("pro")[0].error


def test_the_signature_depends_on_key_time_and_body() -> None:
    """A changed byte of any shows."""
    right = signature("key", 5, b"{}")
    assert right == signature("key", 5, b"{}")
    assert len({right, signature("kex", 5, b"{}"), signature("key", 6, b"{}"),
                signature("key", 5, b"[]")}) == 4  # fmt: skip


def test_a_history_is_told_of_a_watch(client: Client) -> None:
    """The same transitions, day by day."""
    put(client, ann="Pro")
    client.create_watch("pro", "plan = Pro")
    put(client, bob="Pro", ann="Free")
    total = client.history("pro").history.total
    assert (total.start, total.entries, total.exits, total.size) == (1, 1, 1, 1)
    with pytest.raises(UserError) as unknown:
        client.history("prp")
    assert unknown.value.suggestions == ("pro",)
