"""Writes over gRPC: what is refused, in which order answers come, and how much is taken at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
import pyarrow as pa
import pytest
from google.rpc import error_details_pb2, status_pb2

from headcount.index.view import Version, View
from headcount.live.commit import Batch, Written
from headcount.model.changes import DeleteStep, SuppressStep
from headcount.query.engine import Engine
from headcount.rpc import status
from headcount.v1 import contacts_pb2 as pb
from headcount.v1 import contacts_pb2_grpc, events_pb2, events_pb2_grpc
from support.held_writer import HeldWriter
from support.serving import Served, served
from support.small_workspace import view as small_view
from support.writing import SCHEMA

VIEW = View(SCHEMA, (), Version(3, 14), block_rows=64)


_FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


class Stubs:
    """Raw stubs of a server with a writer, without our client's retries and errors."""

    def __init__(self, server: Served, channel: grpc.Channel, writer: HeldWriter) -> None:
        self.server = server
        self.contacts = contacts_pb2_grpc.ContactsStub(channel)
        self.events = events_pb2_grpc.EventsStub(channel)
        self.writer = writer


@contextmanager
def writing(*, held: bool = False, room: int = 1000, **flags: object) -> Iterator[Stubs]:
    """Enter a block with a server whose writer is a test's."""
    writer = HeldWriter(VIEW, held=held, room=room)
    with ExitStack() as stack:
        server = stack.enter_context(served(Engine(VIEW), writer=writer, **flags))
        channel = stack.enter_context(grpc.insecure_channel(server.address))
        yield Stubs(server, channel, writer)


def upsert(count: int, **more: object) -> pb.ContactsUpsertRequest:
    """Return a request of *count* contacts."""
    contacts = [pb.ContactChange(id=f"c{n}") for n in range(count)]
    return pb.ContactsUpsertRequest(contacts=contacts, **more)


def failure(failed: grpc.RpcError) -> tuple[grpc.StatusCode, str, list[str]]:
    """Return the code, the reason and the kinds of details of a failed call."""
    assert isinstance(failed, grpc.Call)
    found = dict(failed.trailing_metadata() or ())[status.DETAILS_KEY]
    assert isinstance(found, bytes)
    message = status_pb2.Status.FromString(found)
    info = error_details_pb2.ErrorInfo()
    for each in message.details:
        each.Unpack(info)
    kinds = [each.type_url.rpartition(".")[2] for each in message.details]
    return failed.code(), info.reason, kinds


def test_what_became_of_a_write() -> None:
    """An answer counts what was accepted, and names what was refused."""
    with writing() as stubs:
        request = upsert(2)
        request.contacts.add(id=" x").fields["contry"].string = "DE"
        result = stubs.contacts.Upsert(request).result
        assert (result.accepted, result.refused_count, result.already) == (2, 1, False)
        assert [(r.index, r.field, r.reason) for r in result.refused] == [
            (2, "contry", "UNKNOWN_NAME"),
            (2, "id", "INVALID_VALUE"),
        ]
        assert result.info.version.sequence == 15
        assert result.info.time_zone == "Europe/Berlin"
        (line,) = stubs.server.stream.calls(1)
        assert (line["method"], line["accepted"], line["refused"]) == ("Contacts.Upsert", 2, 1)


def test_every_kind_of_write() -> None:
    """Each call hands over its step, and whether contacts are made."""
    with writing() as stubs:
        contacts = [pb.ContactChange(id="a")]
        ids = {"ids": ["a"]}
        stubs.contacts.Upsert(pb.ContactsUpsertRequest(contacts=contacts))
        stubs.contacts.Patch(pb.ContactsPatchRequest(contacts=contacts))
        stubs.contacts.Delete(pb.ContactsDeleteRequest(erase=True, **ids))
        stubs.contacts.Suppress(pb.ContactsSuppressRequest(**ids))
        stubs.contacts.Unsuppress(pb.ContactsUnsuppressRequest(**ids))
        pair = pb.ContactPair(source="a", target="b")
        stubs.contacts.Merge(pb.ContactsMergeRequest(pairs=[pair]))
        event = events_pb2.Event(contact="a", type="open")
        event.time.seconds = 1
        stubs.events.Record(events_pb2.RecordRequest(events=[event], create_contacts=True))
        steps = [batch.changes.steps[0] for batch in stubs.writer.batches]
        assert [type(step).__name__ for step in steps] == [
            "ContactStep",
            "ContactStep",
            "DeleteStep",
            "SuppressStep",
            "SuppressStep",
            "MergeStep",
            "EventStep",
        ]
        assert [steps[at].creates for at in (0, 1, 6)] == [True, False, True]
        assert isinstance(steps[2], DeleteStep)
        assert steps[2].erase
        assert [s.add.tolist() for s in steps if isinstance(s, SuppressStep)] == [[True], [False]]


def test_arrow() -> None:
    """Record batches become the steps that messages do."""
    sink = pa.BufferOutputStream()
    table = pa.table({"contact": ["a"], "type": ["open"], "time": [1]})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    with writing(writes__records=1) as stubs:
        request = events_pb2.RecordArrowRequest(batches=data, request_id="r")
        assert stubs.events.RecordArrow(request).result.accepted == 1
        assert stubs.writer.batches[0].request_id == "r"
        with pytest.raises(grpc.RpcError) as failed:
            stubs.contacts.WriteArrow(pb.ContactsWriteArrowRequest(batches=data))
        assert failure(failed.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_NAME")
        with pytest.raises(grpc.RpcError) as failed:
            stubs.events.RecordArrow(events_pb2.RecordArrowRequest(batches=b"garbage"))
        assert failure(failed.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "SYNTAX")


def test_records_at_the_limit_and_past_it() -> None:
    """A request may hold as many records as the setting says, and no more."""
    with writing(writes__records=5) as stubs:
        assert stubs.contacts.Upsert(upsert(5)).result.accepted == 5
        with pytest.raises(grpc.RpcError) as failed:
            stubs.contacts.Upsert(upsert(6))
        assert failure(failed.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "LIMIT_EXCEEDED")
        assert len(stubs.writer.batches) == 1


def test_request_ids_at_the_limit_and_past_it() -> None:
    """A request id has up to 256 bytes."""
    with writing() as stubs:
        stubs.contacts.Upsert(upsert(1, request_id="ü" * 128))
        assert stubs.writer.batches[0].request_id == "ü" * 128
        with pytest.raises(grpc.RpcError) as failed:
            stubs.contacts.Upsert(upsert(1, request_id="ü" * 128 + "x"))
        assert failure(failed.value)[1] == "LIMIT_EXCEEDED"


def test_all_refusals_are_counted_and_the_first_told() -> None:
    """The answer tells the reasons of as many refused records as the setting says."""
    with writing(writes__refusals=3) as stubs:
        request = pb.ContactsUpsertRequest(contacts=[pb.ContactChange(id=" ") for _ in range(10)])
        result = stubs.contacts.Upsert(request).result
        assert result.refused_count == 10
        assert [refused.index for refused in result.refused] == [0, 1, 2]


def test_a_version_that_is_not_there() -> None:
    """A client that has seen a newer version is told that data is gone; nothing is written."""
    with writing() as stubs:
        request = upsert(1)
        request.min_version.epoch, request.min_version.sequence = 3, 15
        with pytest.raises(grpc.RpcError) as failed:
            stubs.contacts.Upsert(request)
        assert failure(failed.value)[:2] == (grpc.StatusCode.DATA_LOSS, "STALE_READ")
        assert not stubs.writer.batches


def test_a_workspace_that_can_only_be_read() -> None:
    """Without a writer, writes are refused as such."""
    with served(Engine(VIEW)) as server, grpc.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.RpcError) as failed:
            contacts_pb2_grpc.ContactsStub(channel).Upsert(upsert(1))
        assert failure(failed.value)[:2] == (grpc.StatusCode.FAILED_PRECONDITION, "CONFLICT")


def test_a_full_lane_says_when_to_come_back() -> None:
    """Writes over the lane's budget are refused at once; those under way are answered."""
    with writing(held=True, admission__write_threads=1, admission__write_waiting=1) as stubs:
        under_way = [stubs.contacts.Upsert.future(upsert(1)) for _ in range(2)]
        stubs.writer.await_batches(1)
        code, reason, kinds = failure(until_refused(stubs))
        assert (code, reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert "RetryInfo" in kinds
        stubs.writer.answer()
        stubs.writer.await_batches(2)
        stubs.writer.answer()
        assert [call.result(timeout=20).result.accepted for call in under_way] == [1, 1]


def until_refused(stubs: Stubs) -> grpc.RpcError:
    """Write until a call is refused at once, and return how it failed."""
    for _ in range(300):
        try:
            stubs.contacts.Upsert(upsert(1), timeout=0.2)
        except grpc.RpcError as failed:
            if isinstance(failed, grpc.Call) and failed.code() is _FULL:
                return failed
    pytest.fail("no call was refused")


def test_a_full_writer_says_when_to_come_back() -> None:
    """A writer without room refuses with the time to come back."""
    with writing(held=True, room=1) as stubs:
        first = stubs.contacts.Upsert.future(upsert(1))
        stubs.writer.await_batches(1)
        with pytest.raises(grpc.RpcError) as failed:
            stubs.contacts.Upsert(upsert(1))
        code, _, kinds = failure(failed.value)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "RetryInfo" in kinds
        stubs.writer.answer()
        first.result(timeout=20)


def test_writes_do_not_hold_up_reads() -> None:
    """While every thread for writes waits for the disk, contacts are read."""
    with writing(held=True, admission__write_threads=1) as stubs:
        under_way = stubs.contacts.Upsert.future(upsert(1))
        stubs.writer.await_batches(1)
        assert stubs.contacts.Get(pb.ContactsGetRequest(ids=["a"]), timeout=20).unknown_ids == ["a"]
        stubs.writer.answer()
        under_way.result(timeout=20)


def test_a_deadline_while_the_disk_is_awaited() -> None:
    """The client is told that the write may have happened."""
    with writing(held=True, calls__query_seconds=0.2) as stubs:
        with pytest.raises(grpc.RpcError) as failed:
            stubs.contacts.Upsert(upsert(1))
        assert failure(failed.value)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "same request_id" in (failed.value.details() or "")  # type: ignore[attr-defined]


def batch(number: int, **more: object) -> pb.ContactsWriteRequest:
    """Return a message of one mutation."""
    return pb.ContactsWriteRequest(
        request_id=f"r{number}", mutations=[pb.Mutation(suppress=f"c{number}")], **more
    )


def test_a_stream_is_answered_in_order() -> None:
    """Each message has one answer, in the order of the messages."""
    with writing() as stubs:
        answers = list(stubs.contacts.Write(batch(n) for n in range(100)))
        assert [answer.batch for answer in answers] == list(range(100))
        assert [answer.result.info.version.sequence for answer in answers] == list(range(15, 115))
        assert [each.request_id for each in stubs.writer.batches] == [f"r{n}" for n in range(100)]


def test_a_stream_answers_a_client_that_waits() -> None:
    """An answer comes though the client sends nothing more until it has it."""
    with writing() as stubs:
        turns = threading.Semaphore(1)

        def requests() -> Iterator[pb.ContactsWriteRequest]:
            for number in range(10):
                assert turns.acquire(timeout=20)
                yield batch(number)

        seen = []
        for answer in stubs.contacts.Write(requests()):
            seen.append(answer.batch)
            turns.release()
        assert seen == list(range(10))


def test_a_stream_reads_no_more_than_it_may_owe() -> None:
    """While as many messages as the setting says are unanswered, no more is read."""
    with writing(held=True, writes__in_flight=3) as stubs:
        answers = stubs.contacts.Write(batch(n) for n in range(10))
        stubs.writer.await_batches(3)
        for answered in range(10):
            stubs.writer.await_batches(min(10, answered + 1))
            assert len(stubs.writer.batches) <= answered + 3
            stubs.writer.answer()
            assert next(answers).batch == answered
        with pytest.raises(StopIteration):
            next(answers)


def test_a_wrong_message_ends_a_stream_after_its_answers() -> None:
    """What was taken before is answered; then the stream fails with the reason."""
    with writing(writes__records=1) as stubs:
        wrong = batch(2)
        wrong.mutations.add(suppress="x")
        answers = stubs.contacts.Write(iter([batch(0), batch(1), wrong, batch(3)]))
        seen = []
        with pytest.raises(grpc.RpcError) as failed:
            seen.extend(answer.batch for answer in answers)
        assert failure(failed.value)[:2] == (grpc.StatusCode.INVALID_ARGUMENT, "LIMIT_EXCEEDED")
        assert len(stubs.writer.batches) == 2


def test_a_stream_is_of_one_workspace() -> None:
    """A later message may name the workspace of the first, or none."""
    with writing() as stubs:
        same = [batch(0, workspace="default"), batch(1), batch(2, workspace="default")]
        assert len(list(stubs.contacts.Write(iter(same)))) == 3
        with pytest.raises(grpc.RpcError) as failed:
            list(stubs.contacts.Write(iter([batch(0), batch(1, workspace="other")])))
        assert failure(failed.value)[1] == "INVALID_VALUE"


def test_streams_over_the_budget_are_refused() -> None:
    """As many streams as there are threads, and no more; a closed one makes room."""
    with writing(admission__write_streams=1) as stubs:
        gate = threading.Event()

        def requests() -> Iterator[pb.ContactsWriteRequest]:
            yield batch(0)
            gate.wait(20)

        first = stubs.contacts.Write(requests())
        next(first)
        with pytest.raises(grpc.RpcError) as failed:
            list(stubs.contacts.Write(iter([batch(1)])))
        assert failure(failed.value)[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        gate.set()
        assert not list(first)


def test_a_client_that_leaves_frees_its_stream() -> None:
    """A cancelled stream ends both of its threads, so that the next one is taken."""
    with writing(admission__write_streams=1) as stubs:
        gate = threading.Event()

        def requests() -> Iterator[pb.ContactsWriteRequest]:
            yield batch(0)
            gate.wait(20)

        for _ in range(3):
            for _ in range(300):
                answers = stubs.contacts.Write(requests())
                with contextlib.suppress(grpc.RpcError):  # the one before is not gone yet
                    next(answers)
                    break
            else:
                pytest.fail("no stream was taken")
            answers.cancel()
        gate.set()


def test_a_silent_stream_is_ended() -> None:
    """A client that sends nothing for long enough loses its stream."""
    with writing(calls__stall_seconds=0.2) as stubs:
        gate = threading.Event()

        def requests() -> Iterator[pb.ContactsWriteRequest]:
            gate.wait(20)
            yield from ()

        with pytest.raises(grpc.RpcError) as failed:
            list(stubs.contacts.Write(requests()))
        gate.set()
        assert isinstance(failed.value, grpc.Call)
        assert failed.value.code() is grpc.StatusCode.CANCELLED


def test_contacts_by_their_ids() -> None:
    """Contacts come in the order of the request, with what was asked for, and unknown ids."""
    view = small_view()
    ids = view.blocks[0].ids.take(pa.array([0, 2]).to_numpy()).to_pylist()
    with served(Engine(view)) as server, grpc.insecure_channel(server.address) as channel:
        stub = contacts_pb2_grpc.ContactsStub(channel)
        found = stub.Get(pb.ContactsGetRequest(ids=[ids[1], "nobody", ids[0]], fields=["PLAN"]))
        assert [state.contact.id for state in found.contacts] == [ids[1], ids[0]]
        assert list(found.unknown_ids) == ["nobody"]
        assert all(set(state.contact.fields) <= {"plan"} for state in found.contacts)
        assert found.info.version.sequence == view.version.sequence


def test_an_answer_of_then() -> None:
    """A repeated request is said to be one."""
    with writing(held=True) as stubs:
        call = stubs.contacts.Upsert.future(upsert(1, request_id="r"))
        stubs.writer.await_batches(1)

        def then(_: Batch) -> Written:
            return Written(Version(3, 9), 1, repeated=2, already=True)

        stubs.writer.answer(then)
        result = call.result(timeout=20).result
        assert (result.already, result.repeated_events) == (True, 2)
        assert result.info.version.sequence == 9
