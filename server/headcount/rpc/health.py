"""
Standard health checks: `grpc.health.v1.Health` for the server ("") and for each service.

SERVING from when calls are taken until the server begins to drain. `Check` is an endpoint like any
other, so that a client that never sends its request cannot hold the control lane's threads;
`Watch` is the health package's own, which holds no thread while nothing changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import grpc
from grpc_health.v1 import health, health_pb2

from headcount.model.errors import Reason, UserError
from headcount.rpc.admission import Lane
from headcount.rpc.call import Call
from headcount.rpc.router import Router

_SERVICE = health_pb2.DESCRIPTOR.services_by_name["Health"]
_SERVING = health_pb2.HealthCheckResponse.SERVING


class _Watched(health.HealthServicer):
    """
    The package's servicer, without its deadlock.

    It sends a changed status while it holds its lock, and sending waits for the thread that serves
    gRPC's events; but when a watcher leaves at that moment, that thread waits for the lock, and the
    server hangs for good while it drains. So the watcher is taken off the list by another thread.
    """

    def _on_close_callback(
        self, send_response_callback: Callable[..., None], service: str
    ) -> Callable[[], None]:
        leave = super()._on_close_callback(send_response_callback, service)
        return lambda: threading.Thread(target=leave, daemon=True).start()


class Health:
    """The health of one server."""

    def __init__(self, services: Iterable[str]) -> None:
        self._watched = _Watched()
        self._services = frozenset(("", *services))
        self._status = health_pb2.HealthCheckResponse.NOT_SERVING
        for service in self._services:
            self._watched.set(service, self._status)

    def add_to(self, router: Router, control: Lane, default: Lane) -> None:
        """Answer health checks: `Check` in *control*, `Watch` in gRPC's *default* pool."""
        router.add_service(_SERVICE, self, unary=control, stream=control)
        router.add_handler(
            f"/{_SERVICE.full_name}/Watch",
            "Health.Watch",
            default,
            grpc.unary_stream_rpc_method_handler(
                self._watched.Watch,
                request_deserializer=health_pb2.HealthCheckRequest.FromString,
                response_serializer=health_pb2.HealthCheckResponse.SerializeToString,
            ),
        )

    def set_serving(self) -> None:
        """Say that calls are taken."""
        self._status = _SERVING
        for service in self._services:
            self._watched.set(service, _SERVING)

    def drain(self) -> None:
        """Say that no more calls are taken, for good."""
        self._status = health_pb2.HealthCheckResponse.NOT_SERVING
        self._watched.enter_graceful_shutdown()

    def Check(  # noqa: N802 (the name is the method's)
        self, request: health_pb2.HealthCheckRequest, _call: Call
    ) -> health_pb2.HealthCheckResponse:
        """Return the status of one service, or of the server."""
        if request.service not in self._services:
            raise UserError(
                Reason.NOT_FOUND,
                f"expected one of {', '.join(sorted(self._services - {''}))}, or nothing",
                field="service",
            )
        return health_pb2.HealthCheckResponse(status=self._status)
