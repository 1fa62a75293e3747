"""
From a failed call to the exception that a caller sees.

    UserError          the request cannot be answered: rebuilt from the details, with its reason,
                       position and suggestions, as `headcount.embedded` would raise it
    UnavailableError   no server answered: try again, or look whether it runs
    ServerError        the server failed; the request id finds the line in its log
"""

from __future__ import annotations

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from headcount.model.errors import HeadcountError, Reason, UserError
from headcount.rpc import status

# What gRPC itself says without our details: of the client's own deadline, of a message too large,
# of a method that an older server does not have.
_WITHOUT_DETAILS = {
    grpc.StatusCode.DEADLINE_EXCEEDED: Reason.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Reason.LIMIT_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED: Reason.UNSUPPORTED,
}


class ServerError(HeadcountError):
    """The server could not answer, and the request is not to blame."""

    def __init__(self, code: str, message: str, request_id: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.request_id = request_id

    def __str__(self) -> str:
        """Return gRPC's name of the status and what the server said."""
        return f"{self.code}: {self.message}"


class UnavailableError(ServerError):
    """No server answered at the address, or the connection broke."""


def error_of(failed: grpc.RpcError, target: str) -> HeadcountError:
    """Return the exception for a call to *target* that failed; the caller raises it."""
    assert isinstance(failed, (grpc.Call, grpc.aio.AioRpcError))
    code, text = failed.code(), failed.details() or ""
    detailed = _details(failed)
    if detailed is not None:
        error = status.user_error(detailed)
        if error is not None:
            return error
        kind = UnavailableError if code is grpc.StatusCode.UNAVAILABLE else ServerError
        return kind(code.name, detailed.message, _request_id(detailed))
    if code in _WITHOUT_DETAILS:
        return UserError(_WITHOUT_DETAILS[code], text or code.name)
    # A server that stops cancels the calls that have just come.
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return UnavailableError(code.name, f"no answer from {target}: {text}")
    return ServerError(code.name, text)


def _details(failed: grpc.Call | grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in failed.trailing_metadata() or ():
        if key == status.DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _request_id(detailed: status_pb2.Status) -> str:
    for detail in detailed.details:
        if detail.Is(error_details_pb2.RequestInfo.DESCRIPTOR):
            found: str = error_details_pb2.RequestInfo.FromString(detail.value).request_id
            return found
    return ""
