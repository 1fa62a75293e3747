"""Audiences through every door: the same funnel, then as many contacts as it says; frozen files."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pyarrow as pa
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pyarrow import parquet
from pyroaring import BitMap

from headcount.client import AsyncClient, Client, decode
from headcount.embedded import Workspace
from headcount.index.suppressed import Suppressed
from headcount.index.workspace import save_view
from headcount.model.errors import Reason, UserError
from headcount.model.schema_toml import parse as parse_schema
from headcount.query import tree
from headcount.query.engine import Engine
from headcount.query.json_form import from_document
from headcount.query.parse import parse
from headcount.query.proto import to_proto
from headcount.segments.audience import Funnel, Step
from headcount.v1 import audiences_pb2 as pb
from headcount.v1 import segments_pb2
from headcount.v1.audiences_pb2_grpc import AudiencesStub
from support.audiences import sendings
from support.engines import view_of
from support.live_server import live_served, make_folder
from support.named import Shelf
from support.oracle_audience import SENDABLE
from support.serving import Served, served
from support.small import AS_OF, SMALL

NOW = dt.datetime.fromisoformat(AS_OF).replace(tzinfo=dt.UTC)
SAVED = {"recent buyers": parse("converted in last 7 days")}
WHO = ["ada", "cho", "dee", "eli", "ida", "jon", "kim", "lou", "ben"]

Ask = Callable[..., tuple[Funnel, list[dict[str, Any]]]]


def small() -> Engine:
    """Return an engine over the small workspace, in blocks of 4 contacts."""
    return Engine(view_of(SMALL, 4), saved=Shelf(SAVED))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    """A server of the small workspace that freezes."""
    with served(small(), audiences__folder=str(tmp_path / "frozen")) as running:
        yield running


def one_way(target: Any) -> Ask:
    """Return how a client or a folder is asked for who may be sent to."""

    def ask(*args: Any, **options: Any) -> tuple[Funnel, list[dict[str, Any]]]:
        sendable = target.sendable(*args, as_of=NOW, **options)
        rows = [row for batch in sendable.batches() for row in batch.to_pylist()]
        options.pop("fields", None)
        found = target.resolve(*args, as_of=NOW, **options)
        assert (found.funnel, found.info.as_of) == (sendable.funnel, sendable.info.as_of)
        listed = [id_ for ids in target.sendable(*args, as_of=NOW, **options) for id_ in ids]
        assert listed == [row["id"] for row in rows]
        return sendable.funnel, rows

    return ask


def awaited(address: str) -> Ask:
    """Return how the asyncio client is asked."""

    async def ask(*args: Any, **options: Any) -> tuple[Funnel, list[dict[str, Any]]]:
        async with AsyncClient(address) as client:
            sendable = await client.sendable(*args, as_of=NOW, **options)
            rows = [row async for batch in sendable.batches() for row in batch.to_pylist()]
            options.pop("fields", None)
            again = await client.sendable(*args, as_of=NOW, **options)
            listed = [id_ async for ids in again for id_ in ids]
            assert listed == [row["id"] for row in rows]
            assert (await client.resolve(*args, as_of=NOW, **options)).funnel == sendable.funnel
            return sendable.funnel, rows

    return lambda *args, **options: asyncio.run(ask(*args, **options))


@pytest.fixture(params=["embedded", "client", "asyncio"])
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ask]:
    """Each of the three that can be asked."""
    if request.param == "embedded":
        save_view(tmp_path / "data", "default", view_of(SMALL, 4))
        workspace = Workspace.open(tmp_path / "data")
        for name, segment in SAVED.items():
            workspace.create_segment(name, segment)
        yield one_way(workspace)
    elif request.param == "client":
        running = request.getfixturevalue("server")
        with Client(running.address) as client:
            yield one_way(client)
    else:
        yield awaited(request.getfixturevalue("server").address)


def removed(funnel: Funnel) -> list[int]:
    """Return what each step took."""
    return [one.removed for one in funnel.steps]


def test_the_funnel_then_as_many_contacts(ask: Ask) -> None:
    """Everyone but recent buyers, over the list News."""
    funnel, rows = ask(["everyone"], ['in segment "recent buyers"'], on_list="News")
    assert (funnel.matched, removed(funnel)) == (12, [1, 1, 1, 0, 0])
    assert sorted(row["id"] for row in rows) == sorted(WHO)
    assert funnel.sendable == len(WHO)
    assert [one.step for one in funnel.steps] == list(Step)
    assert funnel.exclude == ('in segment "recent buyers"',)
    assert funnel.lists == ("News",)


def test_one_segment_need_not_be_a_list(ask: Ask) -> None:
    """Text or a tree; fields come along."""
    funnel, rows = ask("plan = Pro", tree.InList(("All Subscribers",)), fields=["plan", "city"])
    assert rows == [{"id": "ben", "plan": "Pro", "city": "South Jakarta"}]
    assert removed(funnel) == [2, 0, 0, 0, 0]


def test_nobody_is_an_answer(ask: Ask) -> None:
    """An audience may be empty."""
    funnel, rows = ask("status = Unsubscribed", on_list="News")
    assert (funnel.matched, funnel.sendable, rows) == (1, 0, [])


def test_warnings_come_along(ask: Ask) -> None:
    """What looks wrong does not end the call."""
    funnel, _ = ask("plan = Por")
    assert [one.code for one in funnel.warnings] == ["UNKNOWN_VALUE", "NO_STATUS", "NO_LIST"]


@pytest.mark.parametrize(
    ("args", "options", "field", "reason"),
    [
        (([],), {}, "include", Reason.INVALID_VALUE),
        ((["everyone", "plam = Pro"],), {}, "include[1]", Reason.UNKNOWN_NAME),
        (("everyone", 'in segment "x"'), {}, "exclude[0]", Reason.UNKNOWN_NAME),
        (("everyone",), {"on_list": "Nwes"}, "list", Reason.UNKNOWN_NAME),
        (("everyone",), {"fields": ["plam"]}, "fields[0]", Reason.UNKNOWN_NAME),
    ],
)
def test_errors_are_the_same_from_every_door(
    ask: Ask, args: Any, options: Any, field: str, reason: Reason
) -> None:
    """With the place that is wrong."""
    with pytest.raises(UserError) as refused:
        ask(*args, **options)
    assert refused.value.reason is reason
    if reason is not Reason.NOT_FOUND:
        assert refused.value.field == field


def test_an_instant_needs_a_zone(server: Served) -> None:
    """As everywhere."""
    with Client(server.address) as client, pytest.raises(UserError, match="as_of"):
        client.resolve("everyone", as_of=dt.datetime(2026, 1, 1))  # noqa: DTZ001


# --- the wire -----------------------------------------------------------------------------------


@pytest.fixture
def stub(server: Served) -> Iterator[AudiencesStub]:
    """The generated stub, as other languages have it."""
    with grpc.insecure_channel(server.address) as channel:
        yield AudiencesStub(channel)


def at_noon() -> Timestamp:
    """Return the small workspace's instant."""
    found = Timestamp()
    found.FromDatetime(NOW)
    return found


@pytest.mark.parametrize(
    "source",
    [
        pb.AudienceSource(text='in list "VIP Customers"'),
        pb.AudienceSource(json='{"list": "VIP Customers"}'),
        pb.AudienceSource(segment=to_proto(parse('in list "VIP Customers"'))),
        pb.AudienceSource(list="vip customers"),
    ],
    ids=["text", "json", "segment", "list"],
)
def test_a_source_has_any_form(stub: AudiencesStub, source: pb.AudienceSource) -> None:
    """The same members, and a list that brings people in is respected."""
    (answer,) = stub.Resolve(
        pb.ResolveRequest(audience=pb.Audience(include=[source]), as_of=at_noon(), funnel_only=True)
    )
    assert answer.funnel.matched == 2
    assert list(answer.funnel.lists) == ["VIP Customers"]


def test_a_saved_segment_goes_by_its_name(stub: AudiencesStub) -> None:
    """So the answer says which it was."""
    audience = pb.Audience(
        include=[pb.AudienceSource(text="everyone")],
        exclude=[pb.AudienceSource(saved="Recent Buyers")],
    )
    (answer,) = stub.Resolve(
        pb.ResolveRequest(audience=audience, as_of=at_noon(), funnel_only=True)
    )
    assert answer.funnel.steps[0].removed == 1
    assert list(answer.funnel.exclude) == ['in segment "Recent Buyers"']


def test_contacts_stream_in_each_format(stub: AudiencesStub) -> None:
    """Ids, Arrow and roaring; the ids of this workspace are no integers."""
    audience = pb.Audience(include=[pb.AudienceSource(text="plan = Pro")])

    def streamed(form: segments_pb2.MemberFormat) -> list[pb.ResolveResponse]:
        request = pb.ResolveRequest(audience=audience, as_of=at_noon(), format=form)
        return list(stub.Resolve(request))

    first, *rest = streamed(segments_pb2.MEMBER_FORMAT_IDS)
    assert not first.HasField("members")
    assert first.info.as_of == at_noon()
    assert [id_ for one in rest for id_ in decode.ids(one.members)] == ["ada", "ben"]
    assert not any(one.HasField("funnel") for one in rest)
    reader = decode.ArrowReader()
    rest = streamed(segments_pb2.MEMBER_FORMAT_ARROW)[1:]
    batches = [batch for one in rest for batch in reader.feed(one.members)]
    assert pa.Table.from_batches(batches).column("id").to_pylist() == ["ada", "ben"]
    rest = streamed(segments_pb2.MEMBER_FORMAT_ROARING)[1:]
    assert [decode.ordinals(one.members) for one in rest] == [BitMap([0, 1])]
    with pytest.raises(grpc.RpcError) as failed:
        streamed(segments_pb2.MEMBER_FORMAT_UINT64)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_request_that_says_nothing_is_refused(stub: AudiencesStub) -> None:
    """No audience, a source without a form, fields without Arrow."""
    for request in (
        pb.ResolveRequest(),
        pb.ResolveRequest(audience=pb.Audience(include=[pb.AudienceSource()])),
        pb.ResolveRequest(
            audience=pb.Audience(include=[pb.AudienceSource(text="everyone")]), fields=["plan"]
        ),
    ):
        with pytest.raises(grpc.RpcError) as failed:
            list(stub.Resolve(request))
        assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("seed", range(3))
def test_random_audiences_are_the_oracles(seed: int) -> None:
    """Over gRPC, with the suppression list of the workspace."""
    for one in sendings(seed + 50, 30):
        wanted, expected = one.wanted, one.expected()
        view = replace(view_of(one.world, 16), suppressed=Suppressed(wanted.suppressed))
        engine = Engine(view, saved=Shelf(one.world.saved))
        with served(engine) as running, Client(running.address) as client:
            found = client.sendable(
                list(wanted.include),
                list(wanted.exclude),
                on_list=wanted.channel,
                as_of=one.as_of,
                time_zone=one.zone,
            )
            assert [id_ for ids in found for id_ in ids] == expected[SENDABLE]
            for step in found.funnel.steps:
                assert step.removed == len(expected[step.step])


# --- frozen -------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_frozen_audience_says_what_it_is(server: Served, tmp_path: Path, end: str) -> None:
    """The ids and fields; version, instant, zone, definition and funnel."""
    with Client(server.address) as client:
        found = client.freeze(
            f"may 9.{end}", "plan = Pro", 'in list "All Subscribers"', fields=["city"], as_of=NOW
        )
    assert found.file == f"default/may 9.{end}"
    path = tmp_path / "frozen" / found.file
    if end == "csv":
        with path.open(newline="") as text:
            rows = list(csv.reader(text))
        about = json.loads(path.with_name(path.name + ".json").read_text())
    else:
        table = parquet.read_table(path)
        rows = [table.column_names, *(list(row.values()) for row in table.to_pylist())]
        about = json.loads(table.schema.metadata[b"headcount"])
    assert rows == [["contact", "city"], ["ben", "South Jakarta"]]
    assert about["include"] == ["plan = Pro"]
    assert about["exclude"] == ['in list "All Subscribers"']
    assert (about["matched"], about["sendable"]) == (3, 1)
    assert about["version"] == str(found.info.version)
    assert about["as_of"] == NOW.isoformat()
    assert about["time_zone"] == "UTC"
    assert about["workspace"] == "default"
    assert about["steps"][0] == {"step": "excluded", "removed": 2, "left": 1}


def test_nothing_is_frozen_over_something(server: Served, tmp_path: Path) -> None:
    """A second one of the name is refused, and the first stays."""
    with Client(server.address) as client:
        client.freeze("a.csv", "plan = Pro")
        with pytest.raises(UserError) as there:
            client.freeze("a.csv", "everyone")
    assert there.value.reason is Reason.ALREADY_EXISTS
    assert sorted(os.listdir(tmp_path / "frozen" / "default")) == ["a.csv", "a.csv.json"]
    assert (tmp_path / "frozen/default/a.csv").read_text().count("\n") == 3


@pytest.mark.parametrize(
    "name",
    [
        "", "../a.csv", "/etc/a.csv", "a/b.csv", "..", ".a.csv", "a\\b.csv", "a.txt", "a\n.csv",
        "a.csv\n", "a" * 300 + ".csv", "~/a.csv", "a\0.csv", "C:a.csv", "..csv",
    ],
)  # fmt: skip
def test_no_name_leaves_the_folder(server: Served, tmp_path: Path, name: str) -> None:
    """Anything but a plain name is refused, and nothing is written."""
    before = sorted(tmp_path.rglob("*"))
    with Client(server.address) as client, pytest.raises(UserError) as refused:
        client.freeze(name, "everyone")
    assert refused.value.reason is Reason.INVALID_VALUE
    assert [p for p in sorted(tmp_path.rglob("*")) if p not in before and p.is_file()] == []


def test_a_server_without_a_folder_freezes_nothing() -> None:
    """It says which setting would change that."""
    with (
        served(small()) as running,
        Client(running.address) as client,
        pytest.raises(UserError, match=r"audiences\.folder") as refused,
    ):
        client.freeze("a.csv", "everyone")
    assert refused.value.reason is Reason.UNSUPPORTED


def test_a_folder_freezes_where_it_is_told(tmp_path: Path) -> None:
    """Without a server the name is a path."""
    found = Workspace(view_of(SMALL, 4)).freeze(str(tmp_path / "a.parquet"), "plan = Pro")
    assert found.file == str(tmp_path / "a.parquet")
    assert parquet.read_table(found.file).num_rows == found.funnel.sendable == 2


# --- written to ---------------------------------------------------------------------------------


def test_each_write_is_in_the_next_audience(tmp_path: Path) -> None:
    """Over a server that is written to, and again after it was restarted."""
    schema = parse_schema('lists = ["news"]\n[fields]\nplan = "keyword"\n')
    folder = make_folder(tmp_path / "data", schema)

    def sendable(client: Client) -> list[str]:
        found = client.sendable("plan = Pro", on_list="news")
        return sorted(id_ for ids in found for id_ in ids)

    with live_served(folder) as running, Client(running.address) as client:
        fields = {"plan": "Pro", "status": "Active"}
        client.upsert([{"id": id_, "fields": fields} for id_ in ("ann", "bob", "cem", "dan")])
        assert sendable(client) == ["ann", "bob", "cem", "dan"]
        client.upsert([{"id": "ann", "lists": [{"list": "news", "action": "opt_out"}]}])
        client.suppress(["bob", "stranger"])
        client.upsert([{"id": "cem", "fields": {"status": "Hard Bounce"}}])
        assert sendable(client) == ["dan"]
        before = client.resolve("plan = Pro", on_list="news").funnel
    with live_served(folder) as running, Client(running.address) as client:
        assert client.resolve("plan = Pro", on_list="news").funnel == before
        client.upsert([{"id": "stranger", "fields": fields}])  # suppressed before it was known
        assert sendable(client) == ["dan"]


# --- export -------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_segment_is_exported_from_every_door(server: Served, tmp_path: Path, end: str) -> None:
    """The same file, byte for byte but for the version, and the count."""
    paths = [tmp_path / f"{name}.{end}" for name in ("folder", "client", "asyncio")]
    options: dict[str, Any] = {"fields": ["city", "skills", "mrr", "birthday"], "as_of": NOW}
    counts: list[int] = []
    Workspace(view_of(SMALL, 4)).export("mrr > 0", paths[0], progress=counts.append, **options)
    assert counts[-1] == 4
    with Client(server.address) as client:
        assert client.export("mrr > 0", str(paths[1]), **options).count == 4

    async def export() -> int:
        async with AsyncClient(server.address) as client:
            return (await client.export(parse("mrr > 0"), paths[2], **options)).count

    assert asyncio.run(export()) == 4
    first, *others = [path.read_bytes() for path in paths]
    if end == "csv":
        assert others == [first, first]
        assert first.decode().startswith('"contact","city","skills","mrr","birthday"\n')
    else:
        tables = [parquet.read_table(path) for path in paths]
        assert tables[0] == tables[1] == tables[2]
        about = json.loads(tables[1].schema.metadata[b"headcount"])
        assert (about["segment"], about["as_of"]) == ("mrr > 0", NOW.isoformat())


@pytest.mark.parametrize("form", ["document", "tree"])
def test_the_place_in_a_source_is_named(server: Served, form: str) -> None:
    """180: which source, and where in its document or message."""
    document = {"conditions": [{"list": "News"}, {"field": "mmr", "operator": ">", "value": 1}]}
    query = document if form == "document" else from_document(document)
    with Client(server.address) as client:
        for target in (client, Workspace(view_of(SMALL, 4))):
            with pytest.raises(UserError) as caught:
                target.resolve(["everyone", query], document)
            found = caught.value.field or ""
            assert found.startswith("include[1]")
            if form == "document":
                assert found.replace(".json", "") == "include[1].conditions[1].field"
            elif target is client:
                assert found == "include[1].segment.items[1].compare.left.name"


WORKED_OUT = {
    "mrr_a_day": "mrr / 30",
    "paid": "sum(purchase.amount)",
    "away": "today - last_visit",
}


def test_what_is_worked_out_can_be_chosen_wherever_fields_are(tmp_path: Path) -> None:
    """Calculated fields and engagement times, over events too, are columns like stored ones."""
    world = replace(SMALL, schema=replace(SMALL.schema, calculated=WORKED_OUT))
    fields = ["city", *WORKED_OUT, "last_open"]
    named = ["id", *fields]
    folder = Workspace(view_of(world, 4))
    listed = [
        row
        for batch in folder.member_batches("status = Active", fields=fields, as_of=NOW)
        for row in batch.to_pylist()
    ]
    assert {name for row in listed for name, value in row.items() if value is not None} == {*named}
    with (
        served(Engine(view_of(world, 4)), audiences__folder=str(tmp_path)) as running,
        Client(running.address) as client,
    ):
        for number, target in enumerate((folder, client)):
            sendable = target.sendable("status = Active", fields=fields, as_of=NOW)
            assert sendable.columns.names == named
            rows = [row for batch in sendable.batches() for row in batch.to_pylist()]
            assert rows == listed
            file = tmp_path / f"{number}.parquet"
            target.export("status = Active", file, fields=fields, as_of=NOW)
            assert parquet.read_table(file).rename_columns(named).to_pylist() == listed
            name = f"{number}-frozen.parquet"
            where = tmp_path / name if target is folder else tmp_path / "default" / name
            frozen = str(where) if target is folder else name
            target.freeze(frozen, "status = Active", fields=fields, as_of=NOW)
            assert parquet.read_table(where).rename_columns(named).to_pylist() == listed
            got = target.get([row["id"] for row in listed], fields=["MRR_a_day", "paid"])
            for state, row in zip(got, listed, strict=True):
                assert state is not None
                some = {name: row[name] for name in ("mrr_a_day", "paid")}
                assert state.fields == {n: v for n, v in some.items() if v is not None}
            wrong = {"fields": ["city", "mrr_a_dya"]}
            for ask in (
                partial(target.get, ["ada"]),
                partial(target.sendable, "everyone"),
                partial(target.export, "everyone", tmp_path / "no.csv"),
                partial(target.freeze, "no.csv", "everyone"),
            ):
                with pytest.raises(UserError) as caught:
                    ask(**wrong)
                error = caught.value
                assert (error.field, error.suggestions) == ("fields[1]", ("mrr_a_day",))


def test_an_export_that_cannot_be_leaves_nothing(server: Served, tmp_path: Path) -> None:
    """A wrong segment, field or name."""
    with Client(server.address) as client:
        for target in (client, Workspace(view_of(SMALL, 4))):
            for query, name, fields in (
                ("mmr > 0", "a.csv", []),
                ("everyone", "a.csv", ["mmr"]),
                ("everyone", "a.xls", []),
                ("everyone", "x/a.csv", []),
            ):
                with pytest.raises(UserError):
                    target.export(query, tmp_path / name, fields=fields)
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []
