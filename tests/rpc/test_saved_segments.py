"""Saved segments through a server: kept on disk, asked by name, changed one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from headcount.answers import SavedSegment
from headcount.client import AsyncClient, Client
from headcount.embedded import Workspace
from headcount.index.workspace import save_view
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.rpc.workspaces import open_workspaces
from headcount.segments.store import SavedSegments
from headcount.storage.folder import WriterLock
from headcount.v1 import common_pb2, query_pb2, saved_segments_pb2_grpc, segments_pb2
from headcount.v1 import saved_segments_pb2 as pb
from headcount.v1.segments_pb2_grpc import SegmentsStub
from support.serving import Served, served
from support.small_workspace import view


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with the small workspace in it."""
    save_view(tmp_path / "data", "default", view())
    return tmp_path / "data"


@pytest.fixture
def server(folder: Path) -> Iterator[Served]:
    """A server that holds the folder's lock."""
    with (
        WriterLock(folder) as lock,
        served(Engine(view()), store=SavedSegments(folder, "default", lock)) as running,
    ):
        yield running


@pytest.fixture(params=["server", "embedded"])
def target(request: pytest.FixtureRequest, folder: Path) -> Iterator[Client | Workspace]:
    """Each of the two ways to save."""
    if request.param == "embedded":
        yield Workspace.open(folder)
    else:
        with Client(request.getfixturevalue("server").address) as client:
            yield client


def test_what_is_saved_can_be_asked_by_name(target: Client | Workspace) -> None:
    """A definition is kept with what is said of it, and its name asks for who is in it now."""
    saved = target.create_segment(
        "VIP (größte)", "plan=Pro", description="who pays", tags=["money", "Money"]
    )
    assert (saved.name, saved.text, saved.description) == ("VIP (größte)", "plan = Pro", "who pays")
    assert saved.tags == ("money",)
    assert saved.created_at == saved.updated_at
    assert target.count('in segment "vip (GRÖSSTE)"') == target.count("plan = Pro")
    assert target.get_segment("vip (größte)") == saved
    target.create_segment("others", 'not in segment "VIP (größte)"')
    assert target.get_segment("VIP (größte)").dependants == ("others",)
    both = target.count('in segment "others"') + target.count('in segment "VIP (größte)"')
    assert both == target.count("everyone")


def test_a_tree_can_be_saved(target: Client | Workspace) -> None:
    """A segment that did not come from text is kept as its canonical text."""
    assert target.create_segment("x", parse("plan = Pro AND vip = true")).text == (
        "plan = Pro and vip = true"
    )


def test_changes_keep_what_is_not_named(target: Client | Workspace) -> None:
    """An update sets what it gives; an etag that is no longer right is refused."""
    first = target.create_segment("a", "plan = Pro", description="one", tags=["t"])
    second = target.update_segment("A", description="two", etag=first.etag)
    assert (second.text, second.description, second.tags) == ("plan = Pro", "two", ("t",))
    assert second.etag != first.etag
    assert second.created_at == first.created_at
    with pytest.raises(UserError) as stale:
        target.update_segment("a", "plan = Free", etag=first.etag)
    assert stale.value.reason is Reason.CONFLICT
    third = target.update_segment("a", "plan = Free", tags=[])
    assert (third.text, third.description, third.tags) == ("plan = Free", "two", ())
    assert target.count('in segment "a"') == target.count("plan = Free")


def test_renaming_follows_into_those_that_use_it(target: Client | Workspace) -> None:
    """Those that name it say the new name; the old one is free."""
    target.create_segment("a", "plan = Pro")
    target.create_segment("b", 'in segment "a" and vip = true')
    assert target.update_segment("a", new_name="c").dependants == ("b",)
    assert target.get_segment("b").text == 'in segment "c" and vip = true'
    with pytest.raises(UserError) as gone:
        target.get_segment("a")
    assert gone.value.reason is Reason.NOT_FOUND


def test_deletion_names_the_dependants(target: Client | Workspace) -> None:
    """A segment that another uses stays; without users it goes, and its name means nothing."""
    target.create_segment("a", "plan = Pro")
    target.create_segment("b", 'in segment "a"')
    with pytest.raises(UserError, match="used by `b`") as used:
        target.delete_segment("a")
    assert used.value.reason is Reason.CONFLICT
    target.delete_segment("b")
    target.delete_segment("a")
    with pytest.raises(UserError) as unknown:
        target.count('in segment "a"')
    assert unknown.value.reason is Reason.UNKNOWN_NAME


def test_what_cannot_be_asked_is_not_saved(target: Client | Workspace) -> None:
    """Unknown names, circles and names that are taken are refused, and nothing is kept."""
    with pytest.raises(UserError) as unknown:
        target.create_segment("a", "plam = Pro")
    assert unknown.value.suggestions == ("plan",)
    assert unknown.value.position is not None
    target.create_segment("a", "plan = Pro")
    with pytest.raises(UserError) as taken:
        target.create_segment("A", "plan = Free")
    assert taken.value.reason is Reason.ALREADY_EXISTS
    target.create_segment("b", 'in segment "a"')
    with pytest.raises(UserError, match="`a` → `b` → `a`"):
        target.update_segment("a", 'not in segment "b"')
    assert [one.text for one in target.list_segments().segments] == ["plan = Pro", 'in segment "a"']


def nested(inner: str, levels: int) -> str:
    """Return a segment of *inner* inside so many levels."""
    for level in range(levels):
        inner = f"(everyone {'and' if level % 2 else 'or'} {inner})"
    return inner


def test_what_is_too_deep_by_name_is_not_saved(target: Client | Workspace) -> None:
    """A segment that nobody could ask by name is refused, and a change that makes one such."""
    target.create_segment("a", nested("plan = Pro", 40))
    target.create_segment("b", nested('in segment "a"', 24))
    size = target.count('in segment "b"')
    with pytest.raises(UserError, match=r"this segment,.*on 74 levels") as found:
        target.create_segment("c", nested('in segment "b"', 10))
    assert found.value.reason is Reason.LIMIT_EXCEEDED
    with pytest.raises(UserError, match=r'segment "b".*on 65 levels'):
        target.update_segment("a", nested("plan = Pro", 41))
    assert [one.name for one in target.list_segments().segments] == ["a", "b"]
    assert target.count('in segment "b"') == size
    assert target.count(nested('in segment "a"', 24)) == size
    for query in (nested('in segment "a"', 25), nested('in segment "b"', 1)):
        with pytest.raises(
            UserError, match=r"this segment, .* on 65 levels; at most .* 64"
        ) as deep:
            target.count(query)
        assert deep.value.reason is Reason.LIMIT_EXCEEDED
        for answer in (target.preview, target.explain):
            with pytest.raises(UserError, match=r"this segment, .* on 65 levels"):
                answer(query)


def test_likely_mistakes_are_warnings(target: Client | Workspace) -> None:
    """What is legal is saved, with what looks wrong in it."""
    saved = target.create_segment("a", "plan = Por")
    assert [warning.code for warning in saved.warnings] == ["UNKNOWN_VALUE", "EMPTY_NOW"]


def test_for_a_send_the_status_is_missed_on_save(target: Client | Workspace) -> None:
    """154: saving what a send uses warns if it does not ask for the status, also when changed."""

    def missed(saved: SavedSegment) -> bool:
        return "NO_STATUS" in [one.code for one in saved.warnings]

    assert not missed(target.create_segment("news", "plan = Pro"))
    assert missed(target.create_segment("sent", {"field": "plan", "operator": "=", "value": "Pro"},
                                        for_send=True))  # fmt: skip
    assert missed(target.update_segment("news", description="now sent to", for_send=True))
    asks = "plan = Pro and status = Active"
    assert not missed(target.update_segment("news", asks, for_send=True))
    assert not missed(target.create_segment("others", 'not in segment "news"', for_send=True))


def test_near_duplicates_are_warnings(target: Client | Workspace) -> None:
    """184: of a new segment and of an old one that is changed, but not of itself."""
    target.create_segment("rich", "spent > 20")
    (warning,) = target.create_segment("wealthy", "spent > 20.1").warnings
    assert warning.code == "NEAR_DUPLICATE"
    assert '"rich" holds the same' in warning.message
    target.delete_segment("wealthy")
    assert target.update_segment("RICH", "spent > 20.1").warnings == ()
    assert target.update_segment("rich", description="who spends").warnings == ()
    seen = target.preview("spent > 20").warnings
    assert [one.code for one in seen] == ["NEAR_DUPLICATE"]
    assert target.preview("spent > 20", editing="Rich").warnings == ()


def test_lists_come_in_pages(target: Client | Workspace) -> None:
    """Pages follow each other by name; a tag chooses some; a token is one that was given."""
    for place in range(5):
        target.create_segment(f"s{place}", "everyone", tags=["even"] if place % 2 == 0 else [])
    first = target.list_segments(page_size=2)
    second = target.list_segments(page_size=2, page_token=first.next_token)
    third = target.list_segments(page_size=2, page_token=second.next_token)
    names = [one.name for page in (first, second, third) for one in page.segments]
    assert names == ["s0", "s1", "s2", "s3", "s4"]
    assert third.next_token == ""
    even = target.list_segments(tag="EVEN").segments
    assert [one.name for one in even] == ["s0", "s2", "s4"]
    with pytest.raises(UserError) as wrong:
        target.list_segments(page_token="nonsense!")
    assert wrong.value.field == "page_token"


def test_what_was_saved_is_there_after_a_restart(server: Served, folder: Path) -> None:
    """Definitions are on disk when the call returns; one who only reads cannot write meanwhile."""
    with Client(server.address) as client:
        client.create_segment("a", "plan = Pro")
        workspace = Workspace.open(folder)
        assert workspace.count('in segment "a"') == client.count("plan = Pro")
        with pytest.raises(UserError) as held:
            workspace.create_segment("b", "everyone")
        assert held.value.reason is Reason.CONFLICT
    reopened = open_workspaces(folder).read("default")
    assert reopened.known.saved.find("A") is not None


def test_a_query_can_be_a_name(server: Served) -> None:
    """`Query.saved` asks for what the name stands for, in every call that takes a query."""
    with Client(server.address) as client, grpc.insecure_channel(server.address) as channel:
        client.create_segment("a", "plan = Pro")
        query = query_pb2.Query(saved="A")
        answer = SegmentsStub(channel).Count(segments_pb2.CountRequest(query=query))
        assert answer.count == client.count("plan = Pro")


def test_the_update_message_tells_unset_from_empty(server: Served) -> None:
    """Fields that are not set stay; a set of no tags takes all away."""
    with grpc.insecure_channel(server.address) as channel:
        stub = saved_segments_pb2_grpc.SavedSegmentsStub(channel)
        query = query_pb2.Query(json='{"field": "plan", "operator": "equals", "value": "Pro"}')
        made = stub.Create(
            pb.SavedSegmentsCreateRequest(name="a", query=query, description="d", tags=["t"])
        ).segment
        assert made.text == 'plan = "Pro"'
        changed = stub.Update(
            pb.SavedSegmentsUpdateRequest(name="a", tags=common_pb2.StringSet())
        ).segment
        assert (changed.text, changed.description, list(changed.tags)) == ('plan = "Pro"', "d", [])
        assert (
            stub.Update(pb.SavedSegmentsUpdateRequest(name="a", description="")).segment.description
            == ""
        )


def test_without_a_folder_nothing_is_saved() -> None:
    """A workspace that is only in memory says so."""
    with pytest.raises(UserError, match="in memory only"):
        Workspace(view()).create_segment("a", "everyone")
    assert Workspace(view()).list_segments().segments == ()


def test_the_client_for_asyncio_saves_too(server: Served) -> None:
    """The same methods, awaited."""

    async def ask() -> None:
        async with AsyncClient(server.address) as client:
            made = await client.create_segment("a", "plan = Pro", tags=["t"])
            assert await client.get_segment("a") == made
            changed = await client.update_segment("a", description="d", etag=made.etag)
            assert (await client.list_segments(tag="t")).segments[0].etag == changed.etag
            await client.delete_segment("a", etag=changed.etag)
            assert (await client.list_segments()).segments == ()

    asyncio.run(ask())
