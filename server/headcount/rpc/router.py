"""
The router: from a method's path to what answers it, or refuses it when its lane is full.

gRPC asks it once a call, in its one serving thread, before anything is read: so it looks up and
compares, and does nothing else. A path it does not know is UNIMPLEMENTED, by gRPC itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message_factory import GetMessageClass

from headcount.rpc.admission import Lane
from headcount.rpc.call import Call
from headcount.rpc.duplex import DuplexEndpoint, Take
from headcount.rpc.endpoint import Refusal, StreamEndpoint, Surroundings, UnaryEndpoint

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]  # generic to the type checker only


class Router(grpc.GenericRpcHandler):
    """The methods of a server, by path."""

    def __init__(self, control: Lane, surroundings: Surroundings) -> None:
        self._control = control
        self._around = surroundings
        self._routes: dict[str, tuple[Lane, Handler, Handler]] = {}

    def add_service(
        self,
        service: ServiceDescriptor,
        servicer: object,
        unary: Lane,
        stream: Lane,
        changes: Lane | None = None,
    ) -> None:
        """
        Answer the methods of *service* for which *servicer* has a method of the same name.

        It is called with the decoded request and the `Call`, and returns the answer, or an iterator
        of answers. What does not only read (by the proto) is in the lane *changes*, if one is
        given. Methods with a stream of requests are left out: see `add_duplex`.
        """
        for method in service.methods:
            handler = getattr(servicer, method.name, None)
            if handler is None or method.client_streaming:
                continue
            request = GetMessageClass(method.input_type)
            path = f"/{service.full_name}/{method.name}"
            name = f"{service.name}.{method.name}"
            if method.server_streaming:
                endpoint = StreamEndpoint(name, request, handler, stream, self._around)
                self._add(path, stream, grpc.stream_stream_rpc_method_handler(endpoint), name)
            else:
                lane = unary if changes is None or _reads(method) else changes
                single = UnaryEndpoint(name, request, handler, lane, self._around)
                self._add(path, lane, grpc.stream_unary_rpc_method_handler(single), name)

    def add_duplex(
        self,
        method: MethodDescriptor,
        handler: Callable[[Call], Take],
        lane: Lane,
        readers: Executor,
        slots: int,
    ) -> None:
        """Answer a method with a stream of requests and one of answers: see `DuplexEndpoint`."""
        service = method.containing_service
        request = GetMessageClass(method.input_type)
        name = f"{service.name}.{method.name}"
        endpoint = DuplexEndpoint(name, request, handler, lane, readers, slots, self._around)
        path = f"/{service.full_name}/{method.name}"
        self._add(path, lane, grpc.stream_stream_rpc_method_handler(endpoint), name)

    def add_handler(self, path: str, name: str, lane: Lane, handler: Handler) -> None:
        """Answer a method in gRPC's own way, in the server's default pool, which is *lane*."""
        self._add(path, lane, handler, name)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Handler | None:
        """Return what answers the call, or None when nothing does."""
        found = self._routes.get(handler_call_details.method)
        if found is None:
            return None
        lane, handler, refusal = found
        return refusal if lane.full else handler

    def _add(self, path: str, lane: Lane, handler: Handler, name: str) -> None:
        refuse: Callable[[Any, Any], Any] = Refusal(name, self._control, self._around)
        refusal: Handler = grpc.stream_unary_rpc_method_handler(refuse)
        self._routes[path] = (lane, handler, refusal)


def _reads(method: MethodDescriptor) -> bool:
    level = method.GetOptions().idempotency_level
    return bool(level == MethodOptions.NO_SIDE_EFFECTS)
