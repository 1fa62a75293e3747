"""
The server: what it is made of, how it starts, and how it stops.

    start   workspaces are open → listen → health SERVING
    drain   health NOT_SERVING → new calls are refused → calls under way end, or are cancelled
            after the grace period → threads end

The lanes, the watchdog, the router and the handlers are made here and know nothing of each other's
lives. Here too is what catches every exception of a handler: what is not an error of ours becomes
INTERNAL and a request id, because grpcio would send the exception's text to the client
(`KeyError: 'ana@example.com'`).
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FrameType, TracebackType
from typing import TextIO

import headcount.rpc.before_grpc  # noqa: F401

# isort: split
import grpc
from google.rpc import status_pb2
from grpc_reflection.v1alpha import (
    reflection,
    reflection_pb2,
)
from structlog.typing import FilteringBoundLogger

from headcount.members.pinned import Pinned
from headcount.model.errors import CorruptionError, Reason, UnknownOutcomeError, UserError
from headcount.query.parse import parse
from headcount.rpc import status
from headcount.rpc.admin import Admin
from headcount.rpc.admission import Lane
from headcount.rpc.audiences import Audiences
from headcount.rpc.call import Call
from headcount.rpc.clock import now
from headcount.rpc.config import Config
from headcount.rpc.contacts import Contacts
from headcount.rpc.endpoint import Failure, Guard, Surroundings
from headcount.rpc.events import Events
from headcount.rpc.health import Health
from headcount.rpc.logging import make_logger, places
from headcount.rpc.metrics import Metrics, MetricsPage
from headcount.rpc.questions import Questions
from headcount.rpc.reports import Reports
from headcount.rpc.router import Router
from headcount.rpc.saved_segments import SavedSegments
from headcount.rpc.segments import Segments
from headcount.rpc.upkeep import Upkeep
from headcount.rpc.watchdog import Watchdog
from headcount.rpc.watches import Watches
from headcount.rpc.webhooks import Webhooks
from headcount.rpc.workspaces import Workspaces
from headcount.rpc.writes import Writes
from headcount.v1 import (
    admin_pb2,
    audiences_pb2,
    contacts_pb2,
    events_pb2,
    reports_pb2,
    saved_segments_pb2,
    segments_pb2,
    watches_pb2,
)

_SEGMENTS = segments_pb2.DESCRIPTOR.services_by_name["Segments"]
_SAVED_SEGMENTS = saved_segments_pb2.DESCRIPTOR.services_by_name["SavedSegments"]
_AUDIENCES = audiences_pb2.DESCRIPTOR.services_by_name["Audiences"]
_CONTACTS = contacts_pb2.DESCRIPTOR.services_by_name["Contacts"]
_EVENTS = events_pb2.DESCRIPTOR.services_by_name["Events"]
_REPORTS = reports_pb2.DESCRIPTOR.services_by_name["Reports"]
_WATCHES = watches_pb2.DESCRIPTOR.services_by_name["Watches"]
_ADMIN = admin_pb2.DESCRIPTOR.services_by_name["Admin"]
_SERVICES = tuple(
    service.full_name
    for service in (
        _SEGMENTS,
        _SAVED_SEGMENTS,
        _AUDIENCES,
        _CONTACTS,
        _EVENTS,
        _REPORTS,
        _WATCHES,
        _ADMIN,
    )
)
_REFLECTION = reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"]

_CONTROL_THREADS = 4
_DEFAULT_THREADS = 4  # health watches and reflection
_DEFAULT_WAITING = 32
_SIGNAL_SECONDS = 0.1  # between looks at whether a second signal has come
_FAILED = 3  # exit status: a write has an unknown outcome
_UNBOUNDED = sys.maxsize  # saying no is what the control lane is for


def guard(log: FilteringBoundLogger) -> Guard:
    """Return what makes a status of an exception, and tells *log* of those that are bugs."""
    return partial(_Guarded, log)


class _Guarded(Failure):
    """
    A block whose exceptions end in it, as `status`.

    A class, because every call enters one: a generator costs three times as much.
    """

    __slots__ = ("_call", "_log")

    def __init__(self, log: FilteringBoundLogger, call: Call) -> None:
        self.status = None
        self._log = log
        self._call = call

    def __enter__(self) -> Failure:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):  # none, or one that ends the thread or the generator
            return False
        self.status = self._status(error)
        return True

    def _status(self, error: Exception) -> status_pb2.Status:
        call, log = self._call, self._log
        if isinstance(error, CorruptionError):
            log.error("damage", request_id=call.request_id, where=str(error))
        if isinstance(error, (UserError, CorruptionError)):
            return status.status_of(error, call.request_id)
        if isinstance(error, UnknownOutcomeError):
            return status.unknown_outcome(call.request_id)
        if isinstance(error, grpc.RpcError):  # the client left while its request was awaited
            gone = UserError(Reason.CANCELLED, "the client has cancelled the call")
            return status.status_of(gone, call.request_id)
        log.error(  # without its text, which may quote data
            "bug",
            method=call.method,
            request_id=call.request_id,
            error=type(error).__qualname__,
            places=places(error),
        )
        return status.internal(call.request_id)


class Server:
    """
    A gRPC server over open workspaces.

    `start`, then `stop`; or `run`, which does both around a wait for SIGTERM or SIGINT.
    """

    def __init__(
        self, config: Config, workspaces: Workspaces, log_to: TextIO | None = None
    ) -> None:
        self.config = config
        self.address = ""  # set by `start`: the port may have been 0
        self._workspaces = workspaces
        self._log = make_logger(config.log, sys.stderr if log_to is None else log_to)
        admission = config.admission
        seconds, streams = config.calls.query_seconds, admission.write_streams
        self._unary = Lane("unary", admission.unary_threads, admission.unary_waiting, seconds)
        self._stream = Lane("stream", admission.stream_threads, admission.stream_waiting, seconds)
        self._write = Lane("write", admission.write_threads, admission.write_waiting, seconds)
        self._write_stream = Lane("write stream", streams, 0, seconds)
        self._write_reader = Lane("write reader", streams, streams, seconds)
        self._care = Lane(
            "care", admission.care_threads, admission.care_waiting, config.calls.care_seconds
        )
        self._watch = Lane("watch", config.watches.streams, 0, seconds)
        self._control = Lane("control", _CONTROL_THREADS, _UNBOUNDED, seconds)
        self._default = Lane("default", _DEFAULT_THREADS, _DEFAULT_WAITING, seconds)
        self._lanes = (
            self._unary,
            self._stream,
            self._write,
            self._write_stream,
            self._write_reader,
            self._care,
            self._watch,
            self._control,
            self._default,
        )
        self._metrics = Metrics(self._lanes, workspaces.sizes)
        self._metrics_page: MetricsPage | None = None
        self._watchdog = Watchdog()
        self._pinned = Pinned(time.monotonic, config.calls.page_seconds, config.calls.page_versions)
        self._health = Health(_SERVICES)
        self._webhooks = Webhooks(
            config.webhooks, workspaces.watchers, time.time, report=self._report
        )
        self._server = grpc.server(self._default, options=_options(config))
        self._server.add_generic_rpc_handlers((self._router(),))
        self._asked = threading.Event()  # to stop, by a signal
        self._hurry = threading.Event()  # by a second one
        self._stopped = False
        self._failed = False
        self._upkeep = Upkeep(workspaces, self._pinned, self._log)
        workspaces.on_failure(self._fail)
        workspaces.courtesy.lull = self._unary.lull

    @property
    def metrics_port(self) -> int | None:
        """Return the port of the metrics page, if there is one."""
        return None if self._metrics_page is None else self._metrics_page.port

    def start(self) -> None:
        """
        Listen and take calls.

        The first query would pay for making the parser, a quarter of a second; so one is read here.

        Raises:
            UserError: the address cannot be listened on.
        """
        listen = self.config.server.listen
        try:
            port = self._server.add_insecure_port(listen)
        except RuntimeError:
            port = 0
        if not port:
            self._end_threads()
            raise UserError(
                Reason.CONFLICT,
                f"cannot listen on {listen}: another program does, or this machine has no such"
                " address; choose another with server.listen (--listen)",
                field="server.listen",
            )
        self.address = listen if listen.startswith("unix:") else _with_port(listen, port)
        if self.config.server.metrics:
            self._metrics_page = MetricsPage(self._metrics, self.config.server.metrics)
        parse("everyone")
        self._server.start()
        self._upkeep.start()
        self._webhooks.start()
        self._health.set_serving()
        for name, error in self._workspaces.unusable.items():
            self._log.error("workspace cannot be opened", workspace=name, reason=str(error))
        self._log.info("serving", address=self.address, workspaces=self._workspaces.sizes())

    def stop(self, grace_seconds: float | None = None) -> None:
        """
        Take no more calls, and return when those under way have ended. Once stopped, does nothing.

        Calls that go on after *grace_seconds* (the setting, if it is None) are cancelled, which
        ends their work at the next block.
        """
        if self._stopped:
            return
        self._stopped = True
        grace = self.config.server.grace_seconds if grace_seconds is None else grace_seconds
        self._health.drain()
        self._log.info("draining", calls=sum(lane.load for lane in self._lanes))
        self._upkeep.stop()
        self._webhooks.stop()
        ended = self._server.stop(grace)
        while not ended.wait(_SIGNAL_SECONDS):
            if self._hurry.is_set():
                self._server.stop(0)
        self._end_threads()
        self._log.info("stopped")

    def run(self) -> int:
        """Start, then `wait`; in the main thread only."""
        with self._signals():
            self.start()
            return self.wait()

    def wait(self) -> int:
        """
        Serve until SIGTERM or SIGINT, stop, and return exit status 0; in the main thread only.

        A second signal ends the grace period. When a write fails so that only reading the log anew
        tells what is in it, this stops by itself, and the status is 3.
        """
        with self._signals():
            self._asked.wait()
            self.stop()
        return _FAILED if self._failed else 0

    def _fail(self, error: BaseException) -> None:
        """Take no more calls: a writer has failed, and only a new process can go on."""
        self._failed = True
        self._health.drain()
        self._log.error("failed", where=str(error))
        self._asked.set()

    def _report(self, error: Exception) -> None:
        """Log an error of a thread that goes on; the text of one that is a bug may quote data."""
        if isinstance(error, CorruptionError):
            self._log.error("damage", where=str(error))
        else:
            kind = type(error).__qualname__
            self._log.error("bug", method="webhooks", error=kind, places=places(error))

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        (self._hurry if self._asked.is_set() else self._asked).set()

    def _router(self) -> Router:
        around = Surroundings(
            calls=self.config.calls,
            watchdog=self._watchdog,
            guard=guard(self._log),
            log=self._log,
            metrics=self._metrics,
        )
        router = Router(self._control, around)
        questions = Questions(self._workspaces, self.config.query, now, self._pinned)
        segments = Segments(questions, self.config.calls)
        router.add_service(_SEGMENTS, segments, self._unary, self._stream)
        saved = SavedSegments(questions, self.config.calls)
        router.add_service(_SAVED_SEGMENTS, saved, self._unary, self._stream)
        audiences = Audiences(questions, self.config.audiences)
        router.add_service(_AUDIENCES, audiences, self._unary, self._stream)
        reports = Reports(questions, self._workspaces.record)
        router.add_service(_REPORTS, reports, self._unary, self._stream)
        writes = Writes(self._workspaces, self.config.writes, now)
        contacts = Contacts(writes, questions, self.config.calls)
        router.add_service(_CONTACTS, contacts, self._unary, self._stream, self._write)
        router.add_duplex(
            _CONTACTS.methods_by_name["Write"],
            contacts.Write,
            self._write_stream,
            self._write_reader,
            self.config.writes.in_flight,
        )
        router.add_service(_EVENTS, Events(writes), self._unary, self._stream, self._write)
        watches = Watches(
            self._workspaces,
            questions,
            self._webhooks,
            self.config.watches,
            self.config.calls,
            self.config.query,
            now,
        )
        router.add_service(_WATCHES, watches, self._unary, self._watch, self._write)
        admin = Admin(questions, self._workspaces, self.config, now)
        router.add_service(_ADMIN, admin, self._unary, self._stream, self._care)
        self._health.add_to(router, self._control, self._default)
        if self.config.server.reflection:
            names = (*_SERVICES, "grpc.health.v1.Health")
            servicer = reflection.ReflectionServicer((*names, reflection.SERVICE_NAME))
            router.add_handler(
                f"/{_REFLECTION.full_name}/ServerReflectionInfo",
                "ServerReflection.ServerReflectionInfo",
                self._default,
                grpc.stream_stream_rpc_method_handler(
                    servicer.ServerReflectionInfo,
                    request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
                    response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
                ),
            )
        return router

    def _end_threads(self) -> None:
        for lane in self._lanes:
            lane.shutdown(wait=True)
        self._watchdog.stop()
        self._upkeep.join()
        if self._metrics_page is not None:
            self._metrics_page.stop()


def _with_port(listen: str, port: int) -> str:
    return f"{listen.rpartition(':')[0]}:{port}"


def _options(config: Config) -> list[tuple[str, int]]:
    connections = config.connections
    named: Mapping[str, float] = {
        "grpc.max_receive_message_length": config.calls.request_bytes,
        "grpc.max_concurrent_streams": connections.streams,
        "grpc.max_allowed_incoming_connections": connections.connections,
        "grpc.max_metadata_size": connections.metadata_bytes,
        "grpc.server_handshake_timeout_ms": connections.handshake_seconds * 1000,
        "grpc.max_connection_idle_ms": connections.idle_seconds * 1000,
        "grpc.max_connection_age_ms": connections.age_seconds * 1000,
        "grpc.so_reuseport": 0,  # a second server on the same port is an error, not a lottery
    }
    return [(name, int(value)) for name, value in named.items()]
