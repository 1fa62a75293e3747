"""What is said around a count: the same from a server as from a folder, message by message."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import grpc
import pytest

from headcount.client import AsyncClient, Client
from headcount.embedded import Workspace
from headcount.index.block import Block
from headcount.model.errors import Reason, UserError
from headcount.query.clock import Clock
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.explain import Explained, Explanation, Found
from headcount.query.histogram import Calendar, Edges, EqualWidth, Layout
from headcount.query.profile import Operator, Profile
from headcount.query.results import Recall
from headcount.query.tree import Unit
from headcount.rpc import convert_answers
from headcount.segments.sessions import Sessions
from headcount.v1 import answers_pb2, query_pb2
from headcount.v1.segments_pb2_grpc import SegmentsStub
from support.serving import Served, served
from support.small_workspace import AS_OF, view

SEGMENT = (
    "(plan = Pro or spent > 20) and plan != Free and not vip = true"
    " and opened in last 30 days and birthday > 1990-01-05"
)
LOCAL = Workspace(view())


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server of the small workspace."""
    with served(Engine(view())) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[Client]:
    """A client of it."""
    with Client(server.address) as connected:
        yield connected


def timeless(explanation: Explanation) -> Explanation:
    """Return an explanation without what is different every time: how long it took, and where."""

    def still(part: Explained) -> Explained:
        parts = tuple(map(still, part.parts))
        return dataclasses.replace(part, seconds=0.0, found=Found.AT_HAND, parts=parts)

    return dataclasses.replace(explanation, root=still(explanation.root))


def standing(profile: Profile) -> Profile:
    """Return a profile without its times, and without what depends on what was remembered."""

    def still(one: Operator) -> Operator:
        parts = tuple(map(still, one.parts))
        return dataclasses.replace(one, seconds=0.0, bytes=0, recalled=0, parts=parts)

    blocks = tuple(dataclasses.replace(block, seconds=0.0) for block in profile.blocks)
    return dataclasses.replace(profile, stages={}, root=still(profile.root), blocks=blocks)


def test_a_preview_is_the_same_from_both(client: Client) -> None:
    """Counts, conditions with their places, the sample with fields, and warnings."""
    query = SEGMENT + " and city != Nowhere"
    fields = ["plan", "seen_at", "interests"]
    near = LOCAL.preview(query, fields=fields, size=4, as_of=AS_OF)
    far = client.preview(query, fields=fields, size=4, as_of=AS_OF)
    assert far == near
    assert far.count == LOCAL.count(query, as_of=AS_OF) > 0
    assert [one.node.span for one in far.conditions] == [one.node.span for one in near.conditions]
    assert len(far.sample) == min(4, far.count)
    codes = ["UNKNOWN_VALUE", "NO_EFFECT", "NO_EFFECT"]
    assert [warning.code for warning in far.warnings] == codes
    assert client.preview("everyone", size=0).sample == ()


def test_a_segment_for_a_send_is_held_to_more(client: Client) -> None:
    """154: `for_send` warns of a segment that does not ask for the status, from both."""
    for asked in (client, LOCAL):
        found = asked.preview("spent > 20", for_send=True, as_of=AS_OF)
        assert [warning.code for warning in found.warnings] == ["NO_STATUS"]
        assert found.warnings[0].position is not None
        valid = asked.validate("spent > 20", for_send=True, as_of=AS_OF)
        assert [warning.code for warning in valid.warnings] == ["NO_STATUS"]
        assert asked.preview("spent > 20", as_of=AS_OF).warnings == ()


def test_an_explanation_is_the_same_from_both(client: Client) -> None:
    """Counts, drop-one counts, missing values and resolved times of every part."""
    near = LOCAL.explain(SEGMENT, as_of=AS_OF, time_zone="Asia/Kolkata")
    far = client.explain(SEGMENT, as_of=AS_OF, time_zone="Asia/Kolkata")
    assert timeless(far) == timeless(near)
    assert far.as_of == AS_OF
    assert far.count == LOCAL.count(SEGMENT, as_of=AS_OF, time_zone="Asia/Kolkata")
    negative = next(p for p in far.root.parts if p.text == "plan != Free")
    assert negative.missing is not None


def test_an_explanation_can_come_as_text(server: Served) -> None:
    """`render` adds the tree as lines for a terminal."""
    with grpc.insecure_channel(server.address) as channel:
        request = answers_pb2.ExplainRequest(query=query_pb2.Query(text=SEGMENT), render=True)
        answer = SegmentsStub(channel).Explain(request)
    assert "├─ not" in answer.rendered
    assert f"{answer.root.count:,} of 50 contacts" in answer.rendered


def test_a_profile_is_the_same_from_both(client: Client) -> None:
    """Count, operators and their rows; times and what is remembered are each one's own."""
    near = LOCAL.profile(SEGMENT, as_of=AS_OF, time_zone="Asia/Kolkata")
    far = client.profile(SEGMENT, as_of=AS_OF, time_zone="Asia/Kolkata")
    assert standing(far) == standing(near)
    assert far.count == LOCAL.count(SEGMENT, as_of=AS_OF, time_zone="Asia/Kolkata")
    assert far.root.total > 0
    assert sum(block.count for block in far.blocks) == far.count


def test_a_contact_is_explained_the_same_by_both(client: Client) -> None:
    """Verdicts, values, events and times of every condition, whoever the contact is."""
    query = SEGMENT + " and did purchase where (amount > 3) and twice > 9"
    for contact in ("0", "6", "9", "21"):
        near = LOCAL.explain_contact(query, contact, as_of=AS_OF)
        assert client.explain_contact(query, contact, as_of=AS_OF) == near
    with pytest.raises(UserError) as unknown:
        client.explain_contact(query, "nobody")
    assert unknown.value.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    "by", ["plan", "label", "spent", "vip", "birthday", "seen_at", "twice", "count(open)"]
)
def test_a_breakdown_is_the_same_from_both(client: Client, by: str) -> None:
    """Values of every type, those without one, and the others."""
    near = LOCAL.breakdown("everyone", by, top=3, as_of=AS_OF)
    assert client.breakdown("everyone", by, top=3, as_of=AS_OF) == near
    assert near.count == 50


@pytest.mark.parametrize(
    ("by", "layout"),
    [
        ("spent", None),
        ("twice", EqualWidth(5)),
        ("spent", EqualWidth(4, 0.0, 40.0)),
        ("seen_at", Calendar(Unit.MONTH)),
        ("birthday", Calendar(Unit.WEEK, dt.date(1990, 1, 10), dt.date(1990, 2, 1))),
        ("birthday", Edges((dt.date(1990, 1, 1), dt.date(1990, 1, 20), dt.date(1991, 1, 1)))),
        ("seen_at", Edges((AS_OF - dt.timedelta(days=9), AS_OF))),
    ],
)
def test_a_histogram_is_the_same_from_both(client: Client, by: str, layout: Layout | None) -> None:
    """Every layout, over numbers, dates and instants."""
    near = LOCAL.histogram("everyone", by, layout, as_of=AS_OF)
    assert client.histogram("everyone", by, layout, as_of=AS_OF) == near
    assert near.buckets


@pytest.mark.parametrize(
    ("layout", "field"),
    [
        (answers_pb2.HistogramLayout(unit="fortnight"), "histogram.unit"),
        (answers_pb2.HistogramLayout(unit="day", ranges=3), "histogram"),
        (answers_pb2.HistogramLayout(low={"date": "2026-02-30"}), "histogram.low"),
        (answers_pb2.HistogramLayout(edges=[{"string": "a"}]), "histogram.edges[0]"),
    ],
)
def test_a_layout_that_means_nothing_is_a_users_error(
    layout: answers_pb2.HistogramLayout, field: str
) -> None:
    """Unknown units, two ways at once, and ends that are no numbers or times are refused."""
    with pytest.raises(UserError) as refused:
        convert_answers.layout(layout)
    assert refused.value.field == field


def test_overlaps_and_matches_are_the_same_from_both(client: Client) -> None:
    """Several segments in one call, at one instant; contacts that do not exist are None."""
    queries = ["plan = Pro", "vip = true", "opened in last 7 days", "plan = Por"]
    near = LOCAL.overlap(queries, as_of=AS_OF)
    assert client.overlap(queries, as_of=AS_OF) == near
    assert near.sizes[0] == LOCAL.count("plan = Pro")
    assert near.shared[0][1] == LOCAL.count("plan = Pro and vip = true")
    found = LOCAL.match(queries, ["3", "nobody", "4"], as_of=AS_OF)
    assert client.match(queries, ["3", "nobody", "4"], as_of=AS_OF) == found
    assert found.matches[0].segments == (0, 1, 2)
    assert found.matches[1].segments is None
    with pytest.raises(UserError) as wrong:
        client.overlap(["everyone", "plam = Pro"])
    assert wrong.value.suggestions == ("plan",)


def test_templates_are_the_same_from_both(client: Client) -> None:
    """Those that can be used come first; the others say what to do."""
    near = LOCAL.templates()
    assert client.templates() == near
    assert [one.usable for one in near] == sorted((one.usable for one in near), reverse=True)
    assert all(any(advice for _, advice in one.needs) != one.usable for one in near)


def test_asyncio_has_them_all(server: Served) -> None:
    """The same methods, awaited."""

    async def ask() -> None:
        async with AsyncClient(server.address) as client:
            assert await client.preview("vip = true") == LOCAL.preview("vip = true")
            assert (await client.explain("vip = true")).count == LOCAL.count("vip = true")
            assert (await client.profile("vip = true")).count == LOCAL.count("vip = true")
            assert (await client.explain_contact("vip = true", "3")).holds
            assert (await client.breakdown("everyone", "plan")).distinct == 2
            assert (await client.histogram("everyone", "spent")).count == 50
            assert (await client.overlap(["everyone"])).sizes == (50,)
            assert (await client.match(["everyone"], ["3"])).matches[0].segments == (0,)
            assert await client.templates() == LOCAL.templates()

    asyncio.run(ask())


# --- sessions -------------------------------------------------------------------------------------


def test_a_newer_question_of_a_session_ends_the_older() -> None:
    """The older one's next check raises; other sessions, and none, are left alone."""
    sessions, context = Sessions(), QueryContext(0, ZoneInfo("UTC"))
    with (
        sessions.newest("w", "a", context) as first,
        sessions.newest("w", "b", context) as other,
        sessions.newest("v", "a", context) as elsewhere,
        sessions.newest("w", "", context) as none,
    ):
        first.check()
        with sessions.newest("w", "a", context) as second:
            second.check()
            with pytest.raises(UserError) as ended:
                first.check()
            assert ended.value.reason is Reason.CANCELLED
            for left_alone in (other, elsewhere, none):
                left_alone.check()
    assert not sessions._newest


def test_a_newer_preview_cancels_the_older_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over gRPC: the one that still works is told CANCELLED, the newer one is answered."""
    started, go_on = threading.Event(), threading.Event()
    engine = Engine(view())
    recall = engine.results.of

    def of(block: Block, clock: Clock) -> Recall | None:
        if not started.is_set():  # the older one, in its first block
            started.set()
            assert go_on.wait(20)
        return recall(block, clock)

    monkeypatch.setattr(engine.results, "of", of)
    with (
        served(engine) as server,
        Client(server.address) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        older = threads.submit(client.preview, "opened in last 3 days", session="s")
        assert started.wait(20)
        assert client.preview("plan = Pro", session="s").count == LOCAL.count("plan = Pro")
        go_on.set()
        with pytest.raises(UserError) as ended:
            older.result(20)
    assert ended.value.reason is Reason.CANCELLED
