"""A client, an async client and an open folder write the same, and go on when a stream breaks."""

from __future__ import annotations

import asyncio
import datetime as dt
import queue
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pyarrow as pa
import pytest

from client.test_client import Awaited
from headcount.client import AsyncClient, Client
from headcount.embedded import Workspace
from headcount.index.view import Version, View
from headcount.live.commit import Batch, Written
from headcount.model.changes import ContactStep, EventStep
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from support.held_writer import HeldWriter
from support.serving import served
from support.writing import SCHEMA, plain

VIEW = View(SCHEMA, (), Version(3, 14), block_rows=64)
NOON = dt.datetime(2026, 5, 9, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))


class Asked:
    """One of the three that write, and what has come of it."""

    def __init__(self, api: Any, writer: HeldWriter) -> None:
        self.api = api
        self.writer = writer

    @property
    def batch(self) -> Batch:
        """Return what was written last."""
        return self.writer.batches[-1]


@pytest.fixture(params=["client", "async client", "folder"])
def asked(request: pytest.FixtureRequest) -> Iterator[Asked]:
    """Each of the three that write."""
    writer = HeldWriter(VIEW)
    if request.param == "folder":
        yield Asked(Workspace(VIEW, writer=writer), writer)
        return
    with served(Engine(VIEW), writer=writer) as server:
        if request.param == "client":
            with Client(server.address) as client:
                yield Asked(client, writer)
            return
        client = Awaited(AsyncClient(server.address))
        yield Asked(client, writer)
        client.end()


CONTACTS = [
    {
        "id": "c1",
        "fields": {
            "country": "DE",
            "spent": 12.5,
            "vip": True,
            "birthday": dt.date(2000, 2, 29),
            "seen_at": NOON,
            "interests": {"chess"},
            "email": None,
        },
        "add_labels": ["new"],
        "remove_labels": ("old",),
        "lists": [{"list": "news", "action": "join", "time": NOON}],
    },
    {"id": "c2", "fields": {"spent": "many"}},
    {"id": 3},
]


def test_contacts(asked: Asked) -> None:
    """Python's values become those of fields; what is wrong with one contact is told."""
    result = asked.api.upsert(CONTACTS, request_id="r1")
    assert (result.accepted, result.refused_count, result.version) == (2, 1, Version(3, 15))
    assert [(one.index, one.field, one.reason) for one in result.refused] == [
        (1, "spent", Reason.INVALID_VALUE)
    ]
    assert asked.batch.request_id == "r1"
    (step,) = asked.batch.changes.steps
    assert isinstance(step, ContactStep)
    assert step.creates
    assert step.ids.to_pylist() == ["c1", "3"]
    assert {name: update.values.to_pylist() for name, update in step.fields.items()} == {
        "country": ["DE"],
        "spent": [12.5],
        "vip": [True],
        "birthday": [dt.date(2000, 2, 29)],
        "seen_at": [NOON],
        "interests": [["chess"]],
        "email": [None],
    }
    assert (step.labels.names.to_pylist(), step.labels.add.tolist()) == (
        ["old", "new"],
        [False, True],
    )
    assert step.lists.times.tolist() == [NOON.timestamp() * 1_000_000]
    asked.api.patch(CONTACTS[2:])
    assert isinstance(asked.batch.changes.steps[0], ContactStep)
    assert not asked.batch.changes.steps[0].creates


def test_events(asked: Asked) -> None:
    """Events as mappings and as a table are the same steps."""
    events = [
        {
            "contact": "c1",
            "type": "purchase",
            "time": NOON,
            "id": "o1",
            "properties": {"amount": 5},
        },
        {"contact": "c2", "type": "bought", "time": NOON},
    ]
    result = asked.api.record(events, create_contacts=True)
    assert (result.accepted, [one.field for one in result.refused]) == (1, ["type"])
    (step,) = asked.batch.changes.steps
    assert isinstance(step, EventStep)
    assert step.creates
    table = pa.table(
        {
            "contact": ["c1", "c2"],
            "type": ["purchase", "bought"],
            "time": [NOON, NOON],
            "id": ["o1", None],
            "amount": [5.0, None],
        }
    )
    assert asked.api.record_arrow(table, create_contacts=True).refused == result.refused
    assert plain(asked.batch.changes) == plain(asked.writer.batches[-2].changes)


def test_contacts_as_a_table(asked: Asked) -> None:
    """Columns are fields, for contacts there are if it is said so."""
    table = pa.table({"contact_id": ["c1"], "country": ["DE"]})
    assert asked.api.write_arrow(table, existing_only=True).accepted == 1
    (step,) = asked.batch.changes.steps
    assert isinstance(step, ContactStep)
    assert not step.creates


def test_ids(asked: Asked) -> None:
    """Deletions, merges and suppression take ids."""
    assert asked.api.delete(["c1"], erase=True).accepted == 1
    assert asked.api.merge([("c1", "c2")]).accepted == 1
    assert asked.api.suppress(["c1", "c2"]).accepted == 2
    assert asked.api.unsuppress(iter(["c1"])).accepted == 1
    assert [type(batch.changes.steps[0]).__name__ for batch in asked.writer.batches] == [
        "DeleteStep",
        "MergeStep",
        "SuppressStep",
        "SuppressStep",
    ]
    for write in (asked.api.delete, asked.api.suppress, asked.api.unsuppress):
        with pytest.raises(UserError, match="one string"):
            write("c1")


def test_nobody(asked: Asked) -> None:
    """An id that no contact has is None, in its place."""
    assert asked.api.get(["a", "b"]) == [None, None]
    with pytest.raises(UserError) as failed:
        asked.api.get(["a"], fields=["contry"])
    assert failed.value.suggestions == ("country",)


def test_mutations(asked: Asked) -> None:
    """Mutations go in batches; refused ones are numbered from the first of all."""
    mutations: list[dict[str, object]] = [{"op": "suppress", "id": f"c{n}"} for n in range(95)]
    mutations[90] = {"op": "upsert", "id": " "}
    results = list(asked.api.write(iter(mutations), batch=10))
    assert [result.accepted for result in results] == [10] * 9 + [4]
    assert [one.index for result in results for one in result.refused] == [90]
    assert len(asked.writer.batches) == 10


WRONG: list[tuple[dict[str, object], str]] = [
    ({"op": "upsert", "id": "a", "fieldz": {}}, "mutations[0].fieldz"),
    ({"op": "upsert", "id": "a", "fields": {"spent": object()}}, "mutations[0].fields.spent"),
    ({"op": "upsert", "id": "a", "fields": {"seen_at": NOON.replace(tzinfo=None)}},
     "mutations[0].fields.seen_at"),
    ({"op": "record", "contact": "a", "time": NOON.replace(tzinfo=None)}, "mutations[0].time"),
    ({"op": "explode"}, "mutations[0].op"),
]  # fmt: skip


def test_a_time_that_is_none_refuses_its_record(asked: Asked) -> None:
    """The others are written, and all refusals have the numbers of what was given."""
    good = {"contact": "c1", "type": "open", "time": NOON}
    events = [{**good, "time": "noon"}, good, {**good, "type": "opne"}, {**good, "time": 1e300}]
    events.append(good)
    result = asked.api.record(events)
    assert (result.accepted, result.refused_count) == (2, 3)
    told = [(one.index, one.field, one.reason) for one in result.refused]
    assert told == [
        (0, "time", Reason.INVALID_VALUE),
        (2, "type", Reason.UNKNOWN_NAME),
        (3, "time", Reason.INVALID_VALUE),
    ]
    assert "noon" in result.refused[0].message
    joined = {"list": "news", "action": "join"}
    contacts = [{"id": "c1", "lists": [{**joined, "time": "soon"}]}, {"id": "c2"}]
    for write in (asked.api.upsert, asked.api.patch):
        result = write(contacts)
        assert (result.accepted, result.refused_count) == (1, 1)
        assert result.refused[0].index == 0
    mutations = [{"op": "record", **event} for event in events]
    results = list(asked.api.write(mutations, batch=2))
    assert [(one.accepted, one.refused_count) for one in results] == [(1, 1), (0, 2), (1, 0)]
    assert [one.index for result in results for one in result.refused] == [0, 2, 3]


def test_what_no_message_can_say_refuses_its_record(asked: Asked) -> None:
    """A bad value is a bad record and not a bad call, also where the client has to find it."""
    half = "a\ud800"
    contacts: list[dict[str, object]] = [
        {"id": "c1"},
        {"id": "c2", "fields": {"email": half}},
        {"id": half},
        {"id": None},
        {"id": 5.0},
        {"id": "c3", "lists": [{"list": "news", "action": "jion"}]},
        {"id": "c4", "add_labels": [half]},
    ]
    result = asked.api.upsert(contacts)
    assert (result.accepted, result.refused_count) == (1, 6)
    told = [(one.index, one.field) for one in result.refused]
    assert told[:5] == [(1, "email"), (2, "id"), (3, "id"), (4, "id"), (5, "lists")]
    events = [
        {"contact": "c1", "type": None, "time": NOON},
        {"contact": "c1", "time": NOON},
        {"contact": "c1", "type": "open", "time": NOON, "properties": {"campaign": half}},
        {"contact": "c1", "type": "open", "time": NOON},
    ]
    result = asked.api.record(events)
    assert (result.accepted, result.refused_count) == (1, 3)
    told = [(one.index, one.field) for one in result.refused]
    assert told == [(0, "type"), (1, "type"), (2, "campaign")]
    mutations = [{"op": "upsert", **contact} for contact in contacts]
    (result,) = asked.api.write(mutations)
    assert (result.accepted, result.refused_count) == (1, 6)
    assert [one.index for one in result.refused] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("case", range(len(WRONG)))
def test_a_programs_mistakes_are_errors(asked: Asked, case: int) -> None:
    """What has not the shape of a mutation fails the call, and names its place."""
    mutation, place = WRONG[case]
    with pytest.raises(UserError) as failed:
        list(asked.api.write([mutation]))
    assert failed.value.field == place
    assert not asked.writer.batches


class Breaking(HeldWriter):
    """Breaks the stream at every third batch that comes, until it has come twice."""

    def __init__(self) -> None:
        super().__init__(VIEW)
        self.taken: list[str] = []
        self._broken: set[str] = set()
        self._count = 0

    def submit(self, batch: Batch) -> Future[Written]:
        """Take a batch, or say that there is no room."""
        self._count += 1
        if self._count % 3 == 0 and batch.request_id not in self._broken:
            self._broken.add(batch.request_id)
            raise UserError(Reason.OVERLOADED, "no room")
        self.taken.append(batch.request_id)
        return super().submit(batch)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_broken_stream_goes_on(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not answered is sent again, with the same request ids, and in order."""
    monkeypatch.setattr("headcount.client.writing.PAUSE_SECONDS", 0.001)
    monkeypatch.setattr("headcount.client.aio_writing.PAUSE_SECONDS", 0.001)
    writer = Breaking()
    with served(Engine(VIEW), writer=writer) as server:
        client = kind(server.address)
        api = Awaited(client) if kind is AsyncClient else client
        mutations = [{"op": "suppress", "id": f"c{n}"} for n in range(20)]
        results = list(api.write(mutations, batch=2))
        assert [result.accepted for result in results] == [2] * 10
        assert len(set(writer.taken)) == 10
        first = [batch.changes for batch in writer.batches]
        ids = [str(step.ids[0]) for changes in first for step in changes.steps]
        assert list(dict.fromkeys(ids)) == [f"c{n}" for n in range(0, 20, 2)]
        if kind is AsyncClient:
            api.end()
        else:
            client.close()


class Telling(HeldWriter):
    """Says when it has taken a batch."""

    def __init__(self) -> None:
        super().__init__(VIEW)
        self.takes: queue.SimpleQueue[str] = queue.SimpleQueue()

    def submit(self, batch: Batch) -> Future[Written]:
        """Take a batch."""
        found = super().submit(batch)
        self.takes.put(batch.request_id)
        return found


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_answers_come_while_more_is_written(kind: Any) -> None:
    """Whoever writes little by little is told of the first batch before sixteen are sent."""
    writer = Telling()
    asked = 0

    def mutations() -> Iterator[dict[str, object]]:
        nonlocal asked
        for number in range(40):
            if number:
                writer.takes.get(timeout=30)
            asked = number
            yield {"op": "suppress", "id": f"c{number}"}

    async def first(client: AsyncClient) -> int:
        async with client:
            async for result in client.write(mutations(), batch=1):
                return result.accepted
        return 0

    with served(Engine(VIEW), writer=writer) as server:
        if kind is AsyncClient:
            assert asyncio.run(first(AsyncClient(server.address))) == 1
        else:
            with Client(server.address) as client:
                assert next(client.write(mutations(), batch=1)).accepted == 1
    assert asked < 15


def test_a_caller_may_stop_early() -> None:
    """A stream whose answers nobody wants any more is cancelled."""
    writer = HeldWriter(VIEW)
    with served(Engine(VIEW), writer=writer) as server, Client(server.address) as client:
        answers = client.write(({"op": "suppress", "id": "c"} for _ in range(1000)), batch=1)
        assert next(answers).accepted == 1
        answers.close()
        assert client.suppress(["c"]).accepted == 1


def test_requests_at_the_servers_limit_and_past_it() -> None:
    """A request that is larger than the server takes is a user's error, and is not written."""
    writer = HeldWriter(VIEW)
    limits = {"calls__request_bytes": 1 << 16, "writes__records": 100}
    with served(Engine(VIEW), writer=writer, **limits) as server, Client(server.address) as client:
        assert client.upsert([{"id": f"c{n}"} for n in range(100)]).accepted == 100
        with pytest.raises(UserError) as failed:
            client.upsert([{"id": f"c{n}"} for n in range(101)])
        assert failed.value.reason is Reason.LIMIT_EXCEEDED
        fits = {"id": "a", "fields": {"email": "x" * 60_000}}
        assert client.upsert([fits]).accepted == 1
        with pytest.raises(UserError) as failed:
            client.upsert([fits, fits])
        assert failed.value.reason is Reason.LIMIT_EXCEEDED
        assert len(writer.batches) == 2


def test_in_memory_only() -> None:
    """A workspace without a folder can only be read."""
    with pytest.raises(UserError) as failed:
        Workspace(VIEW).upsert([])
    assert failed.value.reason is Reason.CONFLICT
