"""
Duplex endpoints: a stream of requests, each with one answer, in order.

    reader thread   receive → decode → take ──slots──→ queue
    serving thread                                     queue → wait → send → free a slot

One thread would do if clients sent without waiting; but one that waits for an answer before it
sends more would wait for a server that waits for it. The reader stops while as many messages as
there are slots are unanswered, and gRPC's flow control stops the client: that is all the
back-pressure there is, and memory is bounded by it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

import grpc
from google.protobuf.message import Message

from headcount.rpc.admission import Lane
from headcount.rpc.call import Call
from headcount.rpc.endpoint import Endpoint, Surroundings, finish

Answer = Callable[[], Message]  # waits for what was begun, and returns the message
Take = Callable[[Any], Answer]  # begins what a message asks for


class DuplexEndpoint(Endpoint):
    """
    A method with a stream of requests and one of answers.

    Its *handler* is called once a stream, with the `Call`, and returns what takes the messages.
    *slots* messages of one stream may be unanswered. *readers* has a thread for every stream.
    """

    def __init__(
        self,
        method: str,
        request: type[Message],
        handler: Callable[[Call], Take],
        lane: Lane,
        readers: Executor,
        slots: int,
        surroundings: Surroundings,
    ) -> None:
        super().__init__(method, request, handler, lane, surroundings)
        self._readers = readers
        self._slots = slots

    def __call__(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """Yield the encoded answers, then end the call with a status."""
        calls, watchdog = self._around.calls, self._around.watchdog
        call = Call.begin(self.method, context, calls.stream_seconds)
        call.notes["messages"] = 0
        whole = False
        stream = _Stream(self._slots)
        try:
            with (
                watchdog.limit(context, calls.stream_seconds),
                self._around.guard(call) as failure,
            ):
                take = self._handler(call)
                reading = self._readers.submit(self._read, requests, call, take, stream)
                while (answer := stream.begun.get()) is not None:
                    reply = answer().SerializeToString()
                    with watchdog.limit(context, calls.stall_seconds):
                        yield reply
                    call.notes["messages"] += 1
                    stream.free.release()
                reading.result()  # raises what ended the reading
            whole = True
        finally:
            stream.stop()
            if not whole:  # gRPC has dropped the stream, since nobody reads it any more
                self._around.end(call, grpc.StatusCode.CANCELLED, self.lane)
        finish(call, failure, self._around, self.lane)

    def _read(self, requests: Iterator[bytes], call: Call, take: Take, stream: _Stream) -> None:
        """Take messages until there are no more, one is wrong, or the stream has ended."""
        try:
            while stream.wait():
                with self._around.watchdog.limit(call.context, self._around.calls.stall_seconds):
                    data = next(requests, None)
                if data is None:
                    return
                stream.begun.put(take(self.decode(data)))
        finally:
            stream.begun.put(None)


class _Stream:
    """What the two threads of a stream share."""

    def __init__(self, slots: int) -> None:
        self.begun: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()  # bounded by `free`
        self.free = threading.Semaphore(slots)
        self._stopped = False

    def wait(self) -> bool:
        """Return True when another message may be read, False when none is to be any more."""
        self.free.acquire()
        return not self._stopped

    def stop(self) -> None:
        """Let nothing more be read."""
        self._stopped = True
        self.free.release()
