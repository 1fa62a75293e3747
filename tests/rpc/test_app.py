"""The server starts, answers, says no, and stops, whatever its clients and handlers do."""

from __future__ import annotations

import queue
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from headcount.client import Client
from headcount.embedded import Workspace
from headcount.model.errors import Reason, UserError
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.query.proto import to_proto
from headcount.rpc import status
from headcount.v1 import query_pb2, segment_pb2, segments_pb2, segments_pb2_grpc
from support.serving import EMPTY_VIEW, Gate, ScriptedEngine, Served, full_block, served
from support.small_workspace import view

PERSONAL = "ana@example.com"


@pytest.fixture
def channels() -> Iterator[ExitStack]:
    """Channels opened by a test, closed at its end."""
    with ExitStack() as stack:
        yield stack


def stub(server: Served, channels: ExitStack) -> segments_pb2_grpc.SegmentsStub:
    """Return a raw stub, without our client's retries and errors."""
    channel = channels.enter_context(grpc.insecure_channel(server.address))
    return segments_pb2_grpc.SegmentsStub(channel)


def everyone() -> query_pb2.Query:
    """Return the simplest query."""
    return query_pb2.Query(text="everyone")


def count_request() -> segments_pb2.CountRequest:
    """Return the simplest request."""
    return segments_pb2.CountRequest(query=everyone())


def stream_request() -> segments_pb2.StreamMembersRequest:
    """Return the simplest request for a stream."""
    return segments_pb2.StreamMembersRequest(query=everyone())


def everything_said(failed: grpc.RpcError) -> bytes:
    """Return all that a failed call told the client, as bytes."""
    assert isinstance(failed, grpc.Call)
    said = [(failed.details() or "").encode()]
    for metadata in (failed.initial_metadata() or (), failed.trailing_metadata() or ()):
        for key, value in metadata:
            said += [key.encode(), value.encode() if isinstance(value, str) else value]
    return b"\0".join(said)


def details(failed: grpc.RpcError) -> status_pb2.Status:
    """Return the rich status of a failed call."""
    assert isinstance(failed, grpc.Call)
    found = dict(failed.trailing_metadata() or ())[status.DETAILS_KEY]
    assert isinstance(found, bytes)
    return status_pb2.Status.FromString(found)


def eventually(attempt: Callable[[], object], code: grpc.StatusCode) -> grpc.RpcError:
    """Make calls until one fails with *code*, and return how; some hundred attempts at most."""
    for _ in range(300):
        try:
            attempt()
        except grpc.RpcError as failed:
            if isinstance(failed, grpc.Call) and failed.code() is code:
                return failed
    pytest.fail(f"no call failed with {code.name}")


def buggy(_context: QueryContext) -> Any:
    """Fail the way code does when it meets data it did not expect."""
    return {}[PERSONAL]


def test_an_answer_says_what_it_is_true_of() -> None:
    """A count carries instant, zone, version and time taken."""
    with served() as server, Client(server.address) as client:
        answer = client.answer("everyone", time_zone="Asia/Tokyo")
        assert answer.count == 0
        assert answer.info.version == EMPTY_VIEW.version
        assert answer.info.time_zone == "Asia/Tokyo"
        assert 0 < answer.info.elapsed < 10
        assert client.seen_version == EMPTY_VIEW.version


FORMS = [
    query_pb2.Query(text="plan = Pro and vip = true"),
    query_pb2.Query(
        json='{"all": [{"field": "plan", "operator": "equals", "value": "Pro"},'
        ' {"field": "vip", "operator": "equals", "value": true}]}'
    ),
    query_pb2.Query(segment=to_proto(parse("plan = Pro and vip = true"))),
]


@pytest.mark.parametrize("query", FORMS, ids=["text", "json", "segment"])
def test_every_form_of_a_query_asks_the_same(query: query_pb2.Query, channels: ExitStack) -> None:
    """Text, JSON and tree are counted alike, alone and among many."""
    with served(Engine(view())) as server:
        calls = stub(server, channels)
        alone = calls.Count(segments_pb2.CountRequest(query=query)).count
        assert alone == Workspace(view()).count("plan = Pro and vip = true") > 0
        many = calls.CountMany(segments_pb2.CountManyRequest(queries=[query] * 3))
        assert [result.count for result in many.results] == [alone] * 3


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        (query_pb2.Query(), "query", "INVALID_ARGUMENT"),
        (query_pb2.Query(json='{"all": [{"field": "plan"}]}'), "query.json", "INVALID_ARGUMENT"),
        (query_pb2.Query(segment=segment_pb2.Segment()), "query.segment", "INVALID_ARGUMENT"),
        (query_pb2.Query(saved="vip"), None, "NOT_FOUND"),
    ],
)
def test_a_form_that_says_nothing_is_a_users_error(
    query: query_pb2.Query, field: str | None, code: str, channels: ExitStack
) -> None:
    """A query that is empty, incomplete or saved nowhere is refused with the path of the place."""
    with served() as server:
        with pytest.raises(grpc.RpcError) as caught:
            stub(server, channels).Count(segments_pb2.CountRequest(query=query))
        assert caught.value.code().name == code
        bad = error_details_pb2.BadRequest()
        said = details(caught.value).details
        violated = [bad.field_violations[0].field for detail in said if detail.Unpack(bad)]
        assert all(path.startswith(field or "?") for path in violated)
        assert bool(violated) is (field is not None)


# --- failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["Count", "CountMany"])
def test_a_bug_tells_the_client_an_id_and_nothing_else(method: str, channels: ExitStack) -> None:
    """An exception whose text holds personal data reaches neither the client nor the log."""
    with served(ScriptedEngine(count=buggy)) as server:
        request: Any = count_request()
        if method == "CountMany":
            request = segments_pb2.CountManyRequest(queries=[everyone()])
        with pytest.raises(grpc.RpcError) as caught:
            getattr(stub(server, channels), method)(request)
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        said = everything_said(caught.value)
        assert b"ana" not in said
        assert b"KeyError" not in said
        (bug,) = [line for line in server.log if line["event"] == "bug"]
        assert bug["error"] == "KeyError"
        assert any("buggy" in place for place in bug["places"])
        assert bug["request_id"].encode() in said
        assert PERSONAL not in server.stream.getvalue()


def test_a_bug_in_the_middle_of_a_stream_is_no_different(channels: ExitStack) -> None:
    """What was streamed before the bug arrives, then the id."""

    def members(context: QueryContext) -> Iterator[Any]:
        yield from ()
        buggy(context)

    with served(ScriptedEngine(members=members)) as server:
        stream = stub(server, channels).StreamMembers(stream_request())
        assert next(stream).HasField("info")
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)
        assert caught.value.code() is grpc.StatusCode.INTERNAL
        assert b"ana" not in everything_said(caught.value)
        assert PERSONAL not in server.stream.getvalue()


def test_a_users_error_carries_all_details(channels: ExitStack) -> None:
    """Reason, place, source line, suggestions and the field of the request arrive."""

    def refuse(_context: QueryContext) -> int:
        raise UserError(Reason.UNKNOWN_NAME, "unknown", field="somewhere", suggestions=("a", "b"))

    with served(ScriptedEngine(count=refuse)) as server:
        with pytest.raises(grpc.RpcError) as caught:
            stub(server, channels).Count(count_request())
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        found = details(caught.value)
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        assert any(detail.Unpack(info) for detail in found.details)
        assert any(detail.Unpack(bad) for detail in found.details)
        assert (info.domain, info.reason) == ("headcount", "UNKNOWN_NAME")
        assert dict(info.metadata) == {"suggestions": "a\nb"}
        assert bad.field_violations[0].field == "somewhere"


def test_the_clients_request_id_is_kept(channels: ExitStack) -> None:
    """A well-formed id of the client's comes back and is logged; another is replaced."""
    with served() as server:
        count = stub(server, channels).Count
        cases = (("trace-7.b_C", True), ("a b", False), ("x" * 65, False))
        for number, (sent, kept) in enumerate(cases, 1):
            _, call = count.with_call(count_request(), metadata=[("x-request-id", sent)])
            returned = dict(call.trailing_metadata())["x-request-id"]
            assert (returned == sent) is kept
            assert server.stream.calls(number)[-1]["request_id"] == returned


def test_an_unknown_workspace_names_no_other() -> None:
    """A workspace that does not exist is refused without listing those that do."""
    with served() as server, Client(server.address, workspace="defaul") as client:
        with pytest.raises(UserError) as caught:
            client.count("everyone")
        assert caught.value.reason is Reason.NOT_FOUND
        assert caught.value.suggestions == ()


@pytest.mark.parametrize(
    ("epoch", "sequence", "lost"), [(3, 14, False), (3, 15, True), (4, 1, True), (2, 99, False)]
)
def test_a_client_from_the_future_learns_of_the_loss(
    epoch: int, sequence: int, lost: bool, channels: ExitStack
) -> None:
    """A server older than what the client has seen answers DATA_LOSS, not an old count."""
    request = count_request()
    request.min_version.epoch, request.min_version.sequence = epoch, sequence
    with served() as server:
        count = stub(server, channels).Count
        if not lost:
            assert count(request).count == 0
            return
        with pytest.raises(grpc.RpcError) as caught:
            count(request)
        assert caught.value.code() is grpc.StatusCode.DATA_LOSS
        found = status.user_error(details(caught.value))
        assert found is not None
        assert found.reason is Reason.STALE_READ


def test_the_log_holds_no_literals() -> None:
    """One line a call, with method, code, time, id and sizes; nothing that was asked or found."""
    with served() as server, Client(server.address) as client:
        client.count('id = "ana@example.com"')
        with pytest.raises(UserError):
            client.count('ana = "example.com"')
        client.count_many(['id = "ana@example.com"'] * 3)
        list(client.members('id = "ana@example.com"'))
        calls = server.stream.calls(4)
        assert [line["method"] for line in calls] == [
            "Segments.Count",
            "Segments.Count",
            "Segments.CountMany",
            "Segments.StreamMembers",
        ]
        assert [line["code"] for line in calls] == ["OK", "INVALID_ARGUMENT", "OK", "OK"]
        assert all(line["elapsed_ms"] > 0 and line["request_id"] for line in calls)
        assert calls[2]["queries"] == 3
        assert calls[3]["members"] == 0
        assert "example" not in server.stream.getvalue()


def test_answers_do_not_wait_for_the_log(channels: ExitStack) -> None:
    """While no line can be written every kind of call is answered; then each has its one line."""
    gate, answered = Gate(), queue.SimpleQueue[Any]()
    limits = {"admission__unary_threads": 1, "admission__unary_waiting": 1}
    with served(ScriptedEngine(count=gate.wait), **limits) as server:
        calls = stub(server, channels)
        with server.stream.held():
            for _ in range(3):
                calls.Count.future(count_request()).add_done_callback(answered.put)
            assert answered.get(timeout=20).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            gate.open()
            assert answered.get(timeout=20).result().count == 7
            assert len(list(calls.StreamMembers(stream_request()))) == 1
            with pytest.raises(grpc.RpcError):
                calls.StreamMembers(segments_pb2.StreamMembersRequest()).next()
            assert not [line for line in server.log if line["event"] == "call"]
        assert answered.get(timeout=20).result().count == 7  # in the same thread as the other
        lines = server.stream.calls(5)
        assert sorted((line["method"], line["code"], line["level"]) for line in lines) == [
            ("Segments.Count", "OK", "info"),
            ("Segments.Count", "OK", "info"),
            ("Segments.Count", "RESOURCE_EXHAUSTED", "warning"),
            ("Segments.StreamMembers", "INVALID_ARGUMENT", "info"),
            ("Segments.StreamMembers", "OK", "info"),
        ]


def test_no_line_is_lost_when_the_server_stops(channels: ExitStack) -> None:
    """A server has stopped when the last call that was answered is in the log."""

    def refuse(_context: QueryContext) -> int:
        raise UserError(Reason.UNKNOWN_NAME, "unknown")

    with served(ScriptedEngine(count=refuse)) as server, ThreadPoolExecutor(1) as threads:
        with server.stream.held():
            with pytest.raises(grpc.RpcError):
                stub(server, channels).Count(count_request())
            stopping = threads.submit(server.server.stop)
        stopping.result(timeout=20)
        events = [line["event"] for line in server.log]
        assert events.count("call") == 1
        assert events[-1] == "stopped"


# --- deadlines, cancellation, budgets -----------------------------------------------------------


def test_work_ends_at_the_servers_deadline() -> None:
    """A call without a deadline of its own is ended by the server's."""
    gate = Gate()
    with (
        served(ScriptedEngine(count=gate.wait), calls__query_seconds=0.05) as server,
        Client(server.address, timeout=30) as client,
        pytest.raises(UserError) as caught,
    ):
        client.count("everyone")
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED


def test_work_ends_when_the_client_leaves(channels: ExitStack) -> None:
    """A cancelled call, and one past its client's deadline, stop working between blocks."""
    gate = Gate()
    ended = threading.Semaphore(0)

    def count(context: QueryContext) -> int:
        try:
            return gate.wait(context)
        except UserError:
            ended.release()
            raise

    with served(ScriptedEngine(count=count)) as server:
        calls = stub(server, channels)
        cancelled = calls.Count.future(count_request())
        gate.await_calls(1)
        cancelled.cancel()
        assert ended.acquire(timeout=20)
        with pytest.raises(grpc.RpcError):
            calls.Count(count_request(), timeout=0.05)
        assert ended.acquire(timeout=20)


def test_a_stream_nobody_reads_holds_up_no_count(channels: ExitStack) -> None:
    """Readers who stop reading use up the streams' budget, and nothing else."""

    def endless(_context: QueryContext) -> Iterator[Any]:
        while True:
            yield full_block()

    with served(
        ScriptedEngine(members=endless), admission__stream_threads=2, admission__stream_waiting=1
    ) as server:
        calls = stub(server, channels)
        streams = [calls.StreamMembers(stream_request()) for _ in range(2)]
        for stream in streams:
            next(stream)  # and no more
        streams.append(calls.StreamMembers(stream_request()))  # which waits for a thread
        refused = eventually(
            lambda: next(calls.StreamMembers(stream_request(), timeout=0.2)),
            grpc.StatusCode.RESOURCE_EXHAUSTED,
        )
        retry = error_details_pb2.RetryInfo()
        assert any(detail.Unpack(retry) for detail in details(refused).details)
        assert calls.Count(count_request(), timeout=10).count == 0
        for stream in streams:
            stream.cancel()


def test_a_reader_that_stalls_is_cut_off(channels: ExitStack) -> None:
    """A stream whose reader takes nothing for too long ends, and its thread is free again."""

    def endless(_context: QueryContext) -> Iterator[Any]:
        while True:
            yield full_block()

    with served(
        ScriptedEngine(members=endless),
        admission__stream_threads=1,
        admission__stream_waiting=1,
        calls__stall_seconds=0.3,
    ) as server:
        calls = stub(server, channels)
        stalled = calls.StreamMembers(stream_request())
        next(stalled)
        other = calls.StreamMembers(stream_request(), timeout=20)
        assert next(other).HasField("info")  # which has waited for the thread
        other.cancel()
        with pytest.raises(grpc.RpcError) as caught:
            for _ in stalled:
                pass
        assert caught.value.code() is grpc.StatusCode.CANCELLED


def test_a_flood_of_counts_is_refused_with_a_time_to_come_back(channels: ExitStack) -> None:
    """Over the unary budget calls are refused at once; health still answers; then all is well."""
    gate = Gate()
    with served(
        ScriptedEngine(count=gate.wait), admission__unary_threads=2, admission__unary_waiting=1
    ) as server:
        calls = stub(server, channels)
        held = [calls.Count.future(count_request()) for _ in range(2)]
        gate.await_calls(2)
        held.append(calls.Count.future(count_request()))
        refused = eventually(
            lambda: calls.Count(count_request(), timeout=0.2), grpc.StatusCode.RESOURCE_EXHAUSTED
        )
        retry = error_details_pb2.RetryInfo()
        assert any(detail.Unpack(retry) for detail in details(refused).details)
        health = health_pb2_grpc.HealthStub(
            channels.enter_context(grpc.insecure_channel(server.address))
        )
        assert health.Check(health_pb2.HealthCheckRequest(), timeout=10).status == 1
        gate.open()
        assert [call.result(timeout=20).count for call in held] == [7, 7, 7]


def test_clients_that_send_no_request_hold_no_thread_for_long(channels: ExitStack) -> None:
    """Calls whose message never comes are ended, and the lane serves others again."""
    with served(
        admission__unary_threads=2, admission__unary_waiting=10, calls__stall_seconds=0.3
    ) as server:
        channel = channels.enter_context(grpc.insecure_channel(server.address))
        silent = channel.stream_unary("/headcount.v1.Segments/Count")
        never = threading.Event()
        calls = [silent.future(iter(never.wait, None)) for _ in range(4)]  # type: ignore[arg-type]
        assert stub(server, channels).Count(count_request(), timeout=20).count == 0
        for call in calls:
            assert call.code() is grpc.StatusCode.CANCELLED
        never.set()


def test_a_call_without_a_message_is_a_users_error(channels: ExitStack) -> None:
    """Half-closing without a request is refused with a reason."""
    with served() as server:
        channel = channels.enter_context(grpc.insecure_channel(server.address))
        with pytest.raises(grpc.RpcError) as caught:
            channel.stream_unary("/headcount.v1.Segments/Count")(iter(()))
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_request_that_is_too_large_is_refused() -> None:
    """A message over the limit never reaches a handler."""
    with (
        served(calls__request_bytes=1000) as server,
        Client(server.address) as client,
        pytest.raises(UserError) as caught,
    ):
        client.count("everyone -- " + "x" * 2000)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


# --- health, reflection, metrics ----------------------------------------------------------------


def test_health_follows_the_servers_life(channels: ExitStack) -> None:
    """Server and services are SERVING, then NOT_SERVING as soon as the server drains."""
    names = [
        "",
        "headcount.v1.Segments",
        "headcount.v1.SavedSegments",
        "headcount.v1.Audiences",
        "headcount.v1.Reports",
        "headcount.v1.Admin",
    ]
    with served() as server:
        health = health_pb2_grpc.HealthStub(
            channels.enter_context(grpc.insecure_channel(server.address))
        )
        for name in names:
            assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == 1
        with pytest.raises(grpc.RpcError) as caught:
            health.Check(health_pb2.HealthCheckRequest(service="nonsense"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watches = [health.Watch(health_pb2.HealthCheckRequest(service=name)) for name in names]
        assert [next(watch).status for watch in watches] == [1] * len(names)
        with ThreadPoolExecutor(1) as threads:
            stopped = threads.submit(server.server.stop, 5)
            assert [next(watch).status for watch in watches] == [2] * len(names)
            for watch in watches:
                watch.cancel()
            stopped.result(timeout=20)


def test_tools_can_ask_for_the_protos(channels: ExitStack) -> None:
    """Reflection names every service and gives the messages that others need to call it."""
    with served() as server:
        channel = channels.enter_context(grpc.insecure_channel(server.address))
        database = ProtoReflectionDescriptorDatabase(channel)
        assert set(database.get_services()) == {
            "headcount.v1.Segments",
            "headcount.v1.SavedSegments",
            "headcount.v1.Audiences",
            "headcount.v1.Reports",
            "headcount.v1.Contacts",
            "headcount.v1.Events",
            "headcount.v1.Watches",
            "headcount.v1.Admin",
            "grpc.health.v1.Health",
            "grpc.reflection.v1alpha.ServerReflection",
        }
        service = DescriptorPool(database).FindServiceByName("headcount.v1.Segments")
        assert service.methods_by_name["Count"].input_type.fields_by_name["query"]


def test_reflection_can_be_turned_off(channels: ExitStack) -> None:
    """Without the setting nobody is told of the protos."""
    with served(server__reflection=False) as server:
        channel = channels.enter_context(grpc.insecure_channel(server.address))
        with pytest.raises(grpc.RpcError) as caught:
            ProtoReflectionDescriptorDatabase(channel).get_services()
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_metrics_count_calls_by_method_and_code() -> None:
    """The page shows calls, times, lanes and contacts, and nothing of a request."""
    with served(server__metrics="127.0.0.1:0") as server, Client(server.address) as client:
        client.count('id = "ana@example.com"')
        with pytest.raises(UserError):
            client.count("not")
        server.stream.calls(2)  # come after what is counted
        url = f"http://127.0.0.1:{server.server.metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            page = answer.read().decode()
    assert 'headcount_calls_total{code="OK",method="Segments.Count"} 1.0' in page
    assert 'headcount_calls_total{code="INVALID_ARGUMENT",method="Segments.Count"} 1.0' in page
    assert 'headcount_call_seconds_count{method="Segments.Count"} 2.0' in page
    assert 'headcount_lane_load{lane="unary"} 0.0' in page
    assert 'headcount_contacts{workspace="default"} 0.0' in page
    assert "ana" not in page


# --- starting and stopping ----------------------------------------------------------------------


def test_calls_under_way_end_before_the_server_does(channels: ExitStack) -> None:
    """While it drains, a running call is finished and a new one is refused."""
    gate = Gate()
    with served(ScriptedEngine(count=gate.wait)) as server, ThreadPoolExecutor(1) as threads:
        calls = stub(server, channels)
        running = calls.Count.future(count_request())
        gate.await_calls(1)
        stopped = threads.submit(server.server.stop, 20)
        eventually(
            lambda: calls.ListMembers(segments_pb2.ListMembersRequest(query=everyone()), timeout=5),
            grpc.StatusCode.UNAVAILABLE,
        )
        assert not running.done()
        gate.open()
        assert running.result(timeout=20).count == 7
        stopped.result(timeout=20)


def test_calls_that_go_on_too_long_are_ended(channels: ExitStack) -> None:
    """After the grace period calls under way are cancelled, and the server stops."""
    gate = Gate()
    with served(ScriptedEngine(count=gate.wait)) as server:
        running = stub(server, channels).Count.future(count_request())
        gate.await_calls(1)
        server.server.stop(0.05)
        assert running.code() in (grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE)
