"""Whatever bytes come as a request, what goes back is an answer or a user's error."""

from __future__ import annotations

import random
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.query.engine import Engine
from headcount.rpc import status
from headcount.v1 import (
    admin_pb2,
    audiences_pb2,
    contacts_pb2,
    events_pb2,
    reports_pb2,
    saved_segments_pb2,
    segments_pb2,
)
from support.held_writer import HeldWriter
from support.random_messages import damaged, random_message
from support.serving import Served, served
from support.small_workspace import view

SERVICES = (
    segments_pb2.DESCRIPTOR.services_by_name["Segments"],
    saved_segments_pb2.DESCRIPTOR.services_by_name["SavedSegments"],
    contacts_pb2.DESCRIPTOR.services_by_name["Contacts"],
    events_pb2.DESCRIPTOR.services_by_name["Events"],
    audiences_pb2.DESCRIPTOR.services_by_name["Audiences"],
    reports_pb2.DESCRIPTOR.services_by_name["Reports"],
    admin_pb2.DESCRIPTOR.services_by_name["Admin"],
)
METHODS = {m.full_name: m for service in SERVICES for m in service.methods}
METHODS["grpc.health.v1.Health.Check"] = health_pb2.DESCRIPTOR.services_by_name[
    "Health"
].methods_by_name["Check"]

# What a request may bring upon itself. A random page token or version may be of another time.
USER_ERRORS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.DATA_LOSS,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of the small workspace."""
    folder = str(tmp_path_factory.mktemp("frozen"))
    with served(Engine(view()), writer=HeldWriter(view()), audiences__folder=folder) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server: Served) -> Iterator[grpc.Channel]:
    """A channel without our client, so that any bytes can be sent."""
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def send(channel: grpc.Channel, method: MethodDescriptor, request: bytes) -> None:
    """Send bytes to a method, and check that what comes back is an answer or a user's error."""
    service, _, name = method.full_name.rpartition(".")
    try:
        if method.client_streaming:
            for answer in channel.stream_stream(f"/{service}/{name}")(iter([request]), timeout=30):
                GetMessageClass(method.output_type).FromString(answer)
        elif method.server_streaming:
            for answer in channel.unary_stream(f"/{service}/{name}")(request, timeout=30):
                GetMessageClass(method.output_type).FromString(answer)
        else:
            answer = channel.unary_unary(f"/{service}/{name}")(request, timeout=30)
            GetMessageClass(method.output_type).FromString(answer)
    except grpc.RpcError as failed:
        code, said = outcome(failed)
        if code not in USER_ERRORS:
            pytest.fail(f"{method.full_name} of {request!r}: {code.name} {said}")


def outcome(failed: grpc.RpcError) -> tuple[grpc.StatusCode, str]:
    """Return how a call failed; a user's error has our details."""
    assert isinstance(failed, grpc.Call)
    details = dict(failed.trailing_metadata() or ()).get(status.DETAILS_KEY, b"")
    assert isinstance(details, bytes)
    found = status.user_error(status_pb2.Status.FromString(details))
    if found is None:
        return grpc.StatusCode.UNKNOWN, f"without details: {failed.details()}"
    return failed.code(), str(found)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
@example(b"\x12\x02\x0a\x00")  # a query whose text is empty
@example(b"\x12\x06\x1a\x04\xff\xff\xff\xff")  # a segment that ends too soon
@example(b"\x12\x04\x0a\x02\xc3\x28")  # text that is not UTF-8
def test_any_bytes(channel: grpc.Channel, name: str, request_bytes: bytes) -> None:
    """Random bytes are refused, or are a request."""
    send(channel, METHODS[name], request_bytes)


@pytest.mark.parametrize("name", METHODS)
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**64))
def test_any_message(channel: grpc.Channel, name: str, seed: int) -> None:
    """Random messages of the right type, whole and damaged, are answered or refused."""
    dice = random.Random(seed)
    message = random_message(METHODS[name].input_type, dice)
    if dice.random() < 0.8 and "min_version" in METHODS[name].input_type.fields_by_name:
        message.ClearField("min_version")
        message.ClearField("workspace")
    encoded = message.SerializeToString()
    send(channel, METHODS[name], encoded)
    send(channel, METHODS[name], damaged(encoded, dice))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64))
def test_any_segment(channel: grpc.Channel, seed: int) -> None:
    """Random trees are counted, listed and validated, or refused."""
    dice = random.Random(seed)
    request = segments_pb2.CountManyRequest()
    for _ in range(20):
        query = request.queries.add()
        tree = random_message(segments_pb2.CountRequest.DESCRIPTOR, dice, 8)
        query.segment.CopyFrom(tree.query.segment)  # type: ignore[attr-defined]
    send(channel, METHODS["headcount.v1.Segments.CountMany"], request.SerializeToString())


def test_messages_in_messages(channel: grpc.Channel) -> None:
    """Nesting far beyond what protobuf reads is refused as a request, not as a fault."""
    depth = 5000
    request = b""
    for _ in range(depth):
        request = b"\x92\x01" + varint(len(request)) + request  # Segment.items
    for field in (b"\x1a", b"\x12"):  # Query.segment, CountRequest.query
        request = field + varint(len(request)) + request
    send(channel, METHODS["headcount.v1.Segments.Count"], request)


def varint(value: int) -> bytes:
    """Return a number as protobuf writes it."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def test_a_bug_would_be_found(channel: grpc.Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fuzz test fails when a handler does."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Engine, "count", broken)
    with pytest.raises(pytest.fail.Exception, match="UNKNOWN"):
        send(channel, METHODS["headcount.v1.Segments.Count"], b"\x12\x0a\x0a\x08everyone")
