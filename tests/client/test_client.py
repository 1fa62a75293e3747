"""A client, an async client and an open folder give the same answers and raise the same errors."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.answers import Page
from headcount.client import AsyncClient, Client, ServerError, UnavailableError
from headcount.embedded import Workspace
from headcount.index.view import Version
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from headcount.query.json_form import from_json
from headcount.query.parse import parse
from headcount.segments.keeper import Keeper
from support.serving import EMPTY_VIEW, Gate, ScriptedEngine, Served, served
from support.small_workspace import AS_OF, COUNT, SCHEMA, contact, view

T = TypeVar("T")

ANYONE = "plan = Pro or spent >= 30 or engaged in last 3 days"
FIELDS = ["PLAN", "city", "spent", "vip", "birthday", "seen_at", "interests", "stage", "label"]


class Awaited:
    """An `AsyncClient` with the manners of a `Client`, on an event loop of its own."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            found = getattr(self._client, name)(*args, **kwargs)
            return self._listed(found) if inspect.isasyncgen(found) else self._wait(found)

        return call

    def _wait(self, awaitable: Any) -> Any:
        async def wait() -> Any:
            return await awaitable

        return self._runner.run(wait())

    def _listed(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        async def collect() -> list[Any]:
            return [item async for item in items]

        yield from self._runner.run(collect())

    def end(self) -> None:
        """Close the client and the loop."""
        self._wait(self._client.close())
        self._runner.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server of the small workspace."""
    with served(Engine(view()), calls__page_size_max=20) as running:
        yield running


@pytest.fixture(scope="module", params=["client", "async client", "folder"])
def asked(request: pytest.FixtureRequest, server: Served) -> Iterator[Any]:
    """Each of the three that can be asked."""
    if request.param == "folder":
        yield Workspace(view())
    elif request.param == "client":
        with Client(server.address) as client:
            yield client
    else:
        awaited = Awaited(AsyncClient(server.address))
        yield awaited
        awaited.end()


def expected(condition: Callable[[int, dict[str, Any]], bool]) -> list[str]:
    """Return the ids for which *condition* holds of number and values, in order."""
    return [str(n) for n in range(COUNT) if condition(n, contact(n))]


def flat(batches: Iterator[list[T]]) -> list[T]:
    """Return the items of all batches."""
    return [item for batch in batches for item in batch]


def shown(error: UserError) -> tuple[object, ...]:
    """Return everything that an error says."""
    return error.reason, error.message, error.position, error.field, error.suggestions


def test_counts_and_what_they_are_true_of(asked: Any) -> None:
    """Count and answer agree; the answer names instant, zone and version."""
    pro = expected(lambda _, c: c.get("plan") == "Pro")
    assert asked.count("plan = Pro") == len(pro)
    answer = asked.answer("plan = Pro", as_of=AS_OF)
    assert answer.count == len(pro)
    assert answer.info.as_of == AS_OF
    assert answer.info.time_zone == "Europe/Berlin"
    assert answer.info.version == Version(3, 14)
    assert 0 < answer.info.elapsed < 10
    assert asked.answer("plan = Pro", time_zone="UTC").info.time_zone == "UTC"


def test_a_tree_asks_what_its_text_asks(asked: Any) -> None:
    """A segment may be given as text or as a tree."""
    assert asked.count(parse(ANYONE), as_of=AS_OF) == asked.count(ANYONE, as_of=AS_OF)
    assert flat(asked.members(parse("plan = Pro"))) == flat(asked.members("plan = Pro"))


def test_the_instant_is_exact_to_the_microsecond(asked: Any) -> None:
    """`as_of` is used as it is given, whatever its zone."""
    text = "seen_at within last 1 day"
    second = AS_OF - dt.timedelta(days=1, microseconds=1)  # when contact 1 was seen
    zone = dt.timezone(dt.timedelta(hours=9))
    edge = (second + dt.timedelta(days=1)).astimezone(zone)
    assert "1" not in flat(asked.members(text, as_of=edge))
    assert "1" in flat(asked.members(text, as_of=edge - dt.timedelta(microseconds=1)))


def test_a_warning_is_no_error(asked: Any) -> None:
    """A value that no contact has is an answer with a warning that names the place."""
    answer = asked.answer("plan = Gold or spent = 3")
    assert answer.count == 1
    (warning,) = answer.warnings
    assert warning.position is not None
    assert "Gold" in warning.message
    assert asked.list_members("plan = Gold").warnings == (asked.answer("plan = Gold").warnings)


def test_many_counts_are_those_of_each(asked: Any) -> None:
    """Each of many queries has its count, or the error it has alone."""
    texts = ["plan = Pro", "everyone", "contry = DE", "plan =", "spent < 30"] * 30
    found = asked.count_many([*texts, parse("vip = true")], as_of=AS_OF)
    assert len(found) == len(texts) + 1
    for text, result in zip(texts, found, strict=False):
        if isinstance(result, UserError):
            with pytest.raises(UserError) as caught:
                asked.count(text)
            assert shown(result)[:3] == shown(caught.value)[:3]
            assert result.suggestions == caught.value.suggestions
        else:
            assert result == asked.count(text, as_of=AS_OF)
    assert found[-1] == asked.count("vip = true")
    assert asked.count_many([]) == []


@pytest.mark.parametrize("limit", [0, 1, 17, 1000])
def test_members_are_the_same_in_every_form(asked: Any, limit: int) -> None:
    """Ids, integers, Arrow batches and ordinals name the same contacts, up to the limit."""
    everyone = expected(
        lambda n, c: c.get("plan") == "Pro" or c.get("spent", 0) >= 30 or n < 4 or n % 3 == 0
    )
    cut = everyone[: limit or None]
    assert flat(asked.members(ANYONE, as_of=AS_OF, limit=limit)) == cut
    integers = list(asked.member_integers(ANYONE, as_of=AS_OF, limit=limit))
    assert np.concatenate(integers).astype(str).tolist() == cut
    batches = list(asked.member_batches(ANYONE, fields=["spent"], as_of=AS_OF, limit=limit))
    table = pa.Table.from_batches(batches)
    assert table.column("id").to_pylist() == cut
    assert table.column("spent").to_pylist() == [contact(int(i)).get("spent") for i in cut]
    ordinals = list(asked.member_ordinals(ANYONE, as_of=AS_OF, limit=limit))
    assert [str(n) for n in BitMap.union(*ordinals)] == cut


def test_nobody_is_no_batch(asked: Any) -> None:
    """A segment of nobody gives no batches, in any form."""
    for form in ("members", "member_integers", "member_batches", "member_ordinals"):
        assert list(getattr(asked, form)("not everyone")) == []


def pages(asked: Any, query: str, size: int, fields: list[str]) -> list[Page]:
    """Return all pages of a listing."""
    found: list[Page] = []
    token = ""
    while not found or token:
        page = asked.list_members(
            query, fields=fields, page_size=size, page_token=token, as_of=AS_OF
        )
        found.append(page)
        token = page.next_token
    return found


@pytest.mark.parametrize("size", [1, 7, 16, 20])
def test_pages_hold_every_value_of_every_member(asked: Any, size: int) -> None:
    """Pages make up the segment, and bring each chosen field in its own type."""
    listed = [c for page in pages(asked, "everyone", size, FIELDS) for c in page.contacts]
    assert [c.id for c in listed] == [str(n) for n in range(COUNT)]
    for found in listed:
        values = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in contact(int(found.id)).items()
            if value != () and name != "list"
        }
        assert found.fields == values


def test_a_listing_keeps_its_instant(asked: Any) -> None:
    """Later pages are of the instant of the first, though no request names one."""
    first = asked.list_members("everyone", page_size=5)
    second = asked.list_members("everyone", page_size=5, page_token=first.next_token)
    assert second.info.as_of == first.info.as_of
    assert [c.id for c in second.contacts] == ["5", "6", "7", "8", "9"]


def test_a_page_token_holds_for_its_listing_only(asked: Any) -> None:
    """Another query, other fields and another token are refused."""
    token = asked.list_members("everyone", page_size=5).next_token
    for query, fields, sent in (
        ("plan = Pro", [], token),
        ("everyone", ["plan"], token),
        ("everyone", [], token[:-1] + "x"),
    ):
        with pytest.raises(UserError) as caught:
            asked.list_members(query, fields=fields, page_token=sent)
        assert caught.value.reason is Reason.INVALID_VALUE
        assert caught.value.field == "page_token"


@pytest.mark.parametrize(
    "text",
    [
        "contry = DE",
        "plan =\n  Pro and\n  spent contains 3",
        "birthday = 31 and (",
        "spent > 'a'",
        'city matches "("',
        "in list nwes",
        "",
        "not " * 70 + "everyone",
        "city = '" + "x" * 70_000 + "'",
        "ü" * 300 + " = 3",
    ],
)
def test_errors_are_the_same_wherever_they_arise(asked: Any, text: str) -> None:
    """A server's error has the reason, message, place and suggestions of the engine's own."""
    with pytest.raises(UserError) as caught:
        asked.count(text)
    with pytest.raises(UserError) as plain:
        Workspace(view()).count(text)
    ours, theirs = plain.value, caught.value
    assert theirs.reason is ours.reason
    assert theirs.message[:100] == ours.message[:100]
    assert theirs.suggestions == ours.suggestions
    if ours.position is None:
        assert theirs.position is None
    else:
        assert theirs.position is not None
        assert theirs.position.line == ours.position.line
        assert theirs.position.column == ours.position.column


@pytest.mark.parametrize(
    ("document", "path", "column"),
    [
        ({"field": "contry", "operator": "=", "value": "DE"}, "field", 0),
        ({"all": [{"list": "news"}, {"all": [{"event": "opend"}]}]}, "all[1].all[0].event", 0),
        ({"conditions": [{"field": "status", "operator": "=", "value": "X"}]},
         "conditions[0].value", 0),
        ({"not": {"expression": "spent > 3 and contry = DE"}}, "not.expression", 15),
        ({"all": [{"everyone": True}, {"field": "plan", "operator": "=", "value": {"a"}}]},
         "all[1].value", 0),
    ],
)  # fmt: skip
def test_a_document_is_asked_and_its_errors_name_the_path(
    asked: Any, document: dict[str, Any], path: str, column: int
) -> None:
    """180: what is wrong in JSON has its place there, also where only the data show it."""
    assert asked.count({"field": "plan", "operator": "=", "value": "Pro"}) == asked.count(
        "plan = Pro"
    )
    with pytest.raises(UserError) as caught:
        asked.count(document)
    assert caught.value.field is not None
    assert caught.value.field.removeprefix("query.json.") == path
    place = caught.value.position
    assert (place.column if place else 0) == column


def test_a_message_names_the_field_that_is_wrong(server: Served) -> None:
    """180: a tree that a client sends has the path of the message in its error, wherever asked."""
    wrong = from_json('{"all": [{"list": "news"}, {"field": "contry", "operator": "is_empty"}]}')
    with Client(server.address) as client:
        found: list[Any] = []
        for ask in (client.count, client.preview):
            with pytest.raises(UserError) as caught:
                ask(wrong)
            found.append(caught.value)
        found += [client.count_many(["everyone", wrong])[1], *client.validate(wrong).errors]
    paths = [error.field for error in found]
    inside = "segment.items[1].is_empty.value.name"
    assert paths == [
        f"query.{inside}",
        f"query.{inside}",
        f"queries[1].{inside}",
        f"query.{inside}",
    ]


def test_validation_says_what_is_wrong(asked: Any) -> None:
    """A right segment has its canonical text, a wrong one an error with its place."""
    right = asked.validate("PLAN is Pro   AND (spent>3)")
    assert right.text == "PLAN = Pro and spent > 3"
    assert right.errors == ()
    doubtful = asked.validate("plan = Gold")
    assert doubtful.errors == ()
    assert len(doubtful.warnings) == 1
    unknown = asked.validate("contry = DE")
    (error,) = unknown.errors
    assert error.reason is Reason.UNKNOWN_NAME
    assert error.position is not None
    assert (error.position.line, error.position.column) == (1, 1)
    unreadable = asked.validate("plan =")
    assert unreadable.text == ""
    assert unreadable.errors[0].reason is Reason.SYNTAX
    assert unreadable.info.version == Version(3, 14)


def test_the_schema_is_the_schema(asked: Any) -> None:
    """Everything in the schema arrives."""
    assert asked.schema() == SCHEMA


def test_stats_are_those_of_the_view(asked: Any) -> None:
    """Numbers of contacts, blocks, events and bytes arrive."""
    found = asked.stats()
    assert found == Workspace(view()).stats()
    assert found.contacts == COUNT
    assert found.events["open"] == COUNT
    assert found.total_bytes > 0


def test_wrong_arguments_are_users_errors(asked: Any) -> None:
    """A naive instant, an unknown zone, field or form of a number are refused."""
    wrong: list[Callable[[], Any]] = [
        lambda: asked.count("everyone", as_of=dt.datetime(2026, 1, 1)),  # noqa: DTZ001
        lambda: asked.count("everyone", time_zone="Europe/Berlim"),
        lambda: asked.count("everyone", time_zone="../../etc/passwd"),
        lambda: asked.count("everyone", time_zone="Europe"),
        lambda: asked.list_members("everyone", fields=["plna"]),
        lambda: asked.list_members("everyone", page_size=-1),
        lambda: list(asked.members("everyone", limit=-1)),
        lambda: list(asked.member_batches("everyone", fields=["nme"])),
        lambda: asked.count("city = '\ud800'"),
    ]
    for attempt in wrong:
        with pytest.raises(UserError):
            attempt()


def test_a_zone_that_is_misspelt_is_suggested(asked: Any) -> None:
    """The nearest time zones are named."""
    with pytest.raises(UserError) as caught:
        asked.count("everyone", time_zone="Europe/Berlim")
    assert "Europe/Berlin" in caught.value.suggestions


# --- only clients -------------------------------------------------------------------------------


# Somebody has to be there all the time.
SERVER_ONLY = {
    *("watch", "create_watch", "get_watch", "list_watches", "delete_watch"),
    *("dead_letters", "redeliver"),
}


def test_all_three_have_the_same_words() -> None:
    """Client, async client and folder have the same methods with the same options."""
    methods = [n for n in dir(Client) if not n.startswith("_") and n != "seen_version"]
    for name in methods:
        client = inspect.signature(getattr(Client, name))
        assert inspect.signature(getattr(AsyncClient, name)).parameters == client.parameters
        if name in SERVER_ONLY:
            assert not hasattr(Workspace, name)
            continue
        folder = inspect.signature(getattr(Workspace, name)).parameters
        assert {p for p in client.parameters if p != "timeout"} <= set(folder)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    """Nobody at the address is an error that names it."""
    with Client("127.0.0.1:1") as client, pytest.raises(UnavailableError) as caught:
        client.count("everyone")
    assert "127.0.0.1:1" in str(caught.value)


def test_a_server_that_forgot_is_found_out() -> None:
    """A client that has seen a newer version gets an error, not an old answer."""
    with served(Engine(view())) as server, Client(server.address) as client:
        assert client.seen_version is None
        client.count("everyone")
        assert client.seen_version == Version(3, 14)
        old = EMPTY_VIEW.__class__(EMPTY_VIEW.schema, (), Version(3, 13), 64)
        server.server._workspaces._keepers["default"] = Keeper(Engine(old))
        for ask in (client.stats, client.schema, lambda: client.count("everyone")):
            with pytest.raises(UserError) as caught:
                ask()
            assert caught.value.reason is Reason.STALE_READ


def test_a_call_that_takes_too_long_is_a_users_error() -> None:
    """The client's own deadline is an error with a reason, from client and folder alike."""
    gate = Gate()
    with (
        served(ScriptedEngine(count=gate.wait)) as server,
        Client(server.address, timeout=0.05) as client,
        pytest.raises(UserError) as caught,
    ):
        client.count("everyone")
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED
    with pytest.raises(UserError) as caught:
        Workspace(view()).count("everyone", timeout=-1)
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED


def test_a_token_goes_to_loopback_only(server: Served) -> None:
    """A token is not sent where others can read it, unless asked for."""
    for kind in (Client, AsyncClient):
        with pytest.raises(UserError) as caught:
            kind("example.com:7070", token="secret")
        assert caught.value.field == "token"
    with Client(server.address, token="secret") as client:
        assert client.count("everyone") == COUNT
    with Client("example.com:7070", token="secret", insecure=True):
        pass


def test_an_address_without_a_port_is_refused() -> None:
    """An address must name host and port."""
    with pytest.raises(UserError):
        Client("localhost")


def test_a_reader_may_stop_early(server: Served) -> None:
    """Leaving a stream of members unfinished ends it."""
    with Client(server.address) as client:
        batches = client.members("everyone")
        assert next(batches)
        batches.close()  # type: ignore[attr-defined]
        assert client.count("everyone") == COUNT


def test_server_errors_have_a_code_and_an_id() -> None:
    """What the server could not help is told apart from what the request could."""
    error = ServerError("INTERNAL", "internal error", "request-1")
    assert str(error) == "INTERNAL: internal error"
    assert error.request_id == "request-1"
    assert not isinstance(error, UserError)
