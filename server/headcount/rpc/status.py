"""
The one table from our errors to gRPC status, and the details that go with a status.

    UserError         the code of its reason; ErrorInfo, BadRequest, RetryInfo where it helps
    CorruptionError   DATA_LOSS; the file and the part go to the log, not to the client
    UnknownOutcome    UNAVAILABLE: the same again, with its request id, tells what came of it
    anything else     INTERNAL and the request id, by which the log line is found: an exception's
                      text may quote personal data, and grpcio would send it as it is

A status travels in HTTP/2 trailers, and gRPC clients refuse trailers over 8 KiB: the client would
see RESOURCE_EXHAUSTED instead of the error. So every text is cut to a length, and the source line
to a piece around the place. The worst case (all text outside ASCII, which gRPC percent-encodes to
three bytes a byte) stays under 7 KiB.

The inverse, for clients, is here too, so that what is written and what is read are one page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from headcount.model.errors import CorruptionError, Position, Reason, UserError

DOMAIN = "headcount"
REQUEST_ID_KEY = "x-request-id"
DETAILS_KEY = "grpc-status-details-bin"
CORRUPTION = "CORRUPTION"
UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
RETRY_SECONDS = 1.0

CODES: Mapping[Reason, grpc.StatusCode] = {
    Reason.SYNTAX: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.UNKNOWN_NAME: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.TYPE_MISMATCH: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.INVALID_VALUE: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.LIMIT_EXCEEDED: grpc.StatusCode.INVALID_ARGUMENT,  # the same again is refused again
    Reason.INVALID_SCHEMA: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.INVALID_FILE: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Reason.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Reason.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.UNSUPPORTED: grpc.StatusCode.UNIMPLEMENTED,
    Reason.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.CANCELLED: grpc.StatusCode.CANCELLED,
    Reason.DISK_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,  # once there is room again
    Reason.OVERLOADED: grpc.StatusCode.RESOURCE_EXHAUSTED,  # the same again later may do
    Reason.TOO_OLD: grpc.StatusCode.OUT_OF_RANGE,
    Reason.STALE_READ: grpc.StatusCode.DATA_LOSS,
}

MESSAGE_BYTES = 800
FIELD_BYTES = 200
_NAME_BYTES = 100
_SUGGESTIONS = 3
_SOURCE_POINTS = 160  # shown of a long line, two thirds of them in front of the place


def status_of(error: UserError | CorruptionError, request_id: str) -> status_pb2.Status:
    """Return the status of a call that failed with *error*."""
    if isinstance(error, CorruptionError):
        return _status(
            grpc.StatusCode.DATA_LOSS,
            f"stored data is damaged; the server's log says where (request {request_id})",
            error_details_pb2.ErrorInfo(reason=CORRUPTION, domain=DOMAIN),
            error_details_pb2.RequestInfo(request_id=request_id),
        )
    message = shorten(error.message, MESSAGE_BYTES)
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=_metadata(error))
    ]
    code = CODES[error.reason]
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=shorten(error.field or "query", FIELD_BYTES), description=message
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.reason is Reason.OVERLOADED:
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(int(RETRY_SECONDS * 1000))
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    details.append(error_details_pb2.RequestInfo(request_id=request_id))
    return _status(code, message, *details)


def unknown_outcome(request_id: str) -> status_pb2.Status:
    """Return the status of a write of which nobody knows whether it is on the disk."""
    return _status(
        grpc.StatusCode.UNAVAILABLE,
        "the disk failed while this was written, and it may be there or not; the server ends. Send"
        f" it again with the same request_id when it is back (request {request_id})",
        error_details_pb2.ErrorInfo(reason=UNKNOWN_OUTCOME, domain=DOMAIN),
        error_details_pb2.RequestInfo(request_id=request_id),
    )


def internal(request_id: str) -> status_pb2.Status:
    """Return the status of a call that met a bug: nothing but the request id."""
    return _status(
        grpc.StatusCode.INTERNAL,
        f"internal error; the server's log says more (request {request_id})",
        error_details_pb2.RequestInfo(request_id=request_id),
    )


def code_of(status: status_pb2.Status) -> grpc.StatusCode:
    """Return the gRPC code of a status made here."""
    return _BY_NUMBER[status.code]


def trailers(
    status: status_pb2.Status | None, request_id: str
) -> tuple[tuple[str, str | bytes], ...]:
    """Return the trailing metadata of a call; *status* is None when it succeeded."""
    named = (REQUEST_ID_KEY, request_id)
    return (named,) if status is None else (named, (DETAILS_KEY, status.SerializeToString()))


def user_error(status: status_pb2.Status) -> UserError | None:
    """Return the error that `status_of` was given, as far as it was sent; None if it was none."""
    info, field = None, None
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo.FromString(detail.value)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = error_details_pb2.BadRequest.FromString(detail.value)
            field = next((v.field for v in request.field_violations if v.field != "query"), None)
    if info is None or info.domain != DOMAIN or info.reason not in Reason.__members__:
        return None
    metadata = info.metadata
    position = None
    if "line" in metadata:
        position = placed(
            line=int(metadata["line"]),
            column=int(metadata["column"]),
            length=int(metadata["length"]),
            source=metadata["source"],
            offset=int(metadata["source_offset"]),
        )
    suggestions = metadata["suggestions"].split("\n") if "suggestions" in metadata else []
    return UserError(
        Reason(info.reason),
        status.message,
        position=position,
        field=field,
        suggestions=tuple(suggestions),
    )


def shorten(text: str, limit: int) -> str:
    """Return *text*, or as much of its start as fits *limit* bytes of UTF-8 with an ellipsis."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - 3].decode(errors="ignore") + "…"


def names(suggestions: Sequence[str]) -> list[str]:
    """Return the nearest few of *suggestions*, each cut to a length."""
    return [shorten(name, _NAME_BYTES) for name in suggestions[:_SUGGESTIONS]]


def excerpt(position: Position) -> tuple[str, int]:
    """Return the piece of the source line to send, and how many code points were cut before it."""
    line = position.source
    if len(line) <= _SOURCE_POINTS:
        return line, 0
    start = max(0, min(position.column - 1 - _SOURCE_POINTS * 2 // 3, len(line) - _SOURCE_POINTS))
    return line[start : start + _SOURCE_POINTS], start


def placed(*, line: int, column: int, length: int, source: str, offset: int) -> Position:
    """Return the position of an excerpt; spaces stand for what was cut, so that carets fit."""
    return Position(line, column, length, " " * offset + source)


_BY_NUMBER: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def _status(code: grpc.StatusCode, message: str, *details: Message) -> status_pb2.Status:
    packed = []
    for detail in details:
        wrapped = any_pb2.Any()
        wrapped.Pack(detail)
        packed.append(wrapped)
    return status_pb2.Status(code=code.value[0], message=message, details=packed)


def _metadata(error: UserError) -> dict[str, str]:
    found = {}
    if error.position is not None:
        source, offset = excerpt(error.position)
        found = {
            "line": str(error.position.line),
            "column": str(error.position.column),
            "length": str(error.position.length),
            "source": source.encode(errors="replace").decode(),
            "source_offset": str(offset),
        }
    if error.suggestions:
        found["suggestions"] = "\n".join(names(error.suggestions))  # a name may hold a comma
    return found
