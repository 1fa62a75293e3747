"""
Endpoints: from bytes to a handler and back, the same way for every method.

    receive → decode → handler(message, call) → encode → status, trailers ─→ log line, metrics

A handler is five lines (convert, call, convert); whatever is the same for all of them is here.

* grpcio would answer bytes that do not decode with INTERNAL, so endpoints take bytes and decode
  them where an error becomes a user's error.
* grpcio would wait for the one request of a unary call without end, in one of the lane's threads.
  So every method is registered as one with a stream of requests, which looks the same on the wire,
  and the watchdog ends the wait.
* The synchronous server with a thread pool, not `grpc.aio`: measured on two cores with client and
  server on both, 3.6-4.8k calls/s against 2.1-4.4k, and 170-180 µs of server CPU a call against
  290-300. The pool also lets a count run while another waits for a lock, a socket or a log.

* The log line and the metrics of a call come after its answer: nobody is to wait for them.

What an exception becomes is not decided here: see `headcount.rpc.app.guard`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2
from structlog.typing import FilteringBoundLogger

from headcount.model.errors import Reason, UserError
from headcount.rpc import status
from headcount.rpc.admission import Lane
from headcount.rpc.call import Call
from headcount.rpc.config import CallSettings
from headcount.rpc.metrics import Metrics
from headcount.rpc.watchdog import Watchdog

_LEVELS = {  # of the log line, by status; the rest are the client's own doing
    "INTERNAL": "error",
    "DATA_LOSS": "error",
    "RESOURCE_EXHAUSTED": "warning",
}


class Failure:
    """How a guarded block ended: `status` is set when it failed."""

    __slots__ = ("status",)

    def __init__(self, status: status_pb2.Status | None = None) -> None:
        self.status = status


class Guard(Protocol):
    """Makes a failure of whatever is raised in a block."""

    def __call__(self, call: Call) -> AbstractContextManager[Failure]: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all endpoints of a server share."""

    calls: CallSettings
    watchdog: Watchdog
    guard: Guard
    log: FilteringBoundLogger
    metrics: Metrics

    def end(self, call: Call, code: grpc.StatusCode, lane: Lane) -> None:
        """Write down that a call of *lane* has ended now, once it is answered."""
        lane.afterwards(partial(self._note, call, code, time.monotonic()))

    def _note(self, call: Call, code: grpc.StatusCode, ended: float) -> None:
        name, seconds = code.name, ended - call.started
        self.metrics.observe(call.method, name, seconds)
        getattr(self.log, _LEVELS.get(name, "info"))(
            "call",
            method=call.method,
            code=name,
            elapsed_ms=round(seconds * 1000, 3),
            request_id=call.request_id,
            **call.notes,
        )


class Endpoint:
    """One method, in the form gRPC wants: a callable with the pool it runs in."""

    def __init__(
        self,
        method: str,
        request: type[Message],
        handler: Callable[..., Any],
        lane: Lane,
        surroundings: Surroundings,
    ) -> None:
        self.method = method
        self.lane = lane
        self.experimental_thread_pool = lane  # read by grpcio
        self._request = request
        self._handler = handler
        self._around = surroundings

    def _receive(self, requests: Iterator[bytes], call: Call) -> Message:
        seconds = self._around.calls.stall_seconds
        with self._around.watchdog.limit(call.context, seconds), call.waiting():
            data = next(requests, None)
        if data is None:
            raise UserError(Reason.SYNTAX, "expected one request message, found none")
        call.notes["request_bytes"] = len(data)
        return self.decode(data)

    def decode(self, data: bytes) -> Message:
        """
        Return the request message that *data* are.

        Raises:
            UserError: they are none.
        """
        message = self._request()
        try:
            message.ParseFromString(data)
        except DecodeError:
            raise UserError(
                Reason.SYNTAX,
                f"expected a message {self._request.DESCRIPTOR.full_name}, no deeper than 100"
                " messages in messages; found bytes that are not one",
                field="request",
            ) from None
        return message


class UnaryEndpoint(Endpoint):
    """A method with one answer."""

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """Return the encoded answer, or end the call with a status."""
        call = Call.begin(self.method, context, self.lane.seconds)
        reply: bytes = b""
        with self._around.guard(call) as failure:
            message = self._receive(requests, call)
            reply = self._handler(message, call).SerializeToString()
            call.notes["reply_bytes"] = len(reply)
        finish(call, failure, self._around, self.lane)
        return reply


class StreamEndpoint(Endpoint):
    """A method with a stream of answers."""

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Yield the encoded answers, then end the call with a status."""
        calls, watchdog = self._around.calls, self._around.watchdog
        call = Call.begin(self.method, context, self.lane.seconds)
        sent = 0
        whole = False
        try:
            with (
                watchdog.limit(context, calls.stream_seconds),
                self._around.guard(call) as failure,
            ):
                message = self._receive(requests, call)
                for answer in self._handler(message, call):
                    reply = answer.SerializeToString()
                    with watchdog.limit(context, calls.stall_seconds) as wait, call.waiting():
                        yield reply
                    call.notes["stalled"] = wait.expired
                    sent += len(reply)
                    call.check()
            whole = True
        finally:
            call.notes["reply_bytes"] = sent
            if not whole:  # gRPC has dropped the stream, since nobody reads it any more
                self._around.end(call, grpc.StatusCode.CANCELLED, self.lane)
        finish(call, failure, self._around, self.lane)


class Refusal:
    """What a method answers while its lane is full: come back later."""

    def __init__(self, method: str, control: Lane, surroundings: Surroundings) -> None:
        self.experimental_thread_pool = control
        self._method = method
        self._around = surroundings

    def __call__(self, _requests: Iterator[bytes], context: grpc.ServicerContext) -> Any:
        """End the call with RESOURCE_EXHAUSTED, without waiting for its request."""
        lane = self.experimental_thread_pool
        call = Call.begin(self._method, context, lane.seconds)
        error = UserError(
            Reason.OVERLOADED,
            f"the server has as many calls of this kind as it takes; try again in"
            f" {status.RETRY_SECONDS:g} s",
        )
        finish(call, Failure(status.status_of(error, call.request_id)), self._around, lane)


def finish(call: Call, failure: Failure, around: Surroundings, lane: Lane) -> None:
    """Set the trailers, see to the log line, and end the call of *lane* here if it failed."""
    code = grpc.StatusCode.OK if failure.status is None else status.code_of(failure.status)
    call.context.set_trailing_metadata(status.trailers(failure.status, call.request_id))
    around.end(call, code, lane)
    if failure.status is not None:
        call.context.abort(code, failure.status.message)
