"""
One call: its id, its deadline, whether its client is still there, and what the log says of it.

`check` is what the engine runs between blocks. A client that goes away, or whose deadline passes,
only stops waiting: gRPC tells the handler nothing, so the handler has to look.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from types import TracebackType

import grpc

from headcount.model.errors import Reason, UserError
from headcount.rpc.status import REQUEST_ID_KEY

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(slots=True)
class Call:
    """
    A call that is being answered. Times are seconds on the monotonic clock.

    `notes` are numbers for the log: how many queries, contacts, bytes; never what was asked.
    """

    method: str
    context: grpc.ServicerContext
    request_id: str
    started: float
    deadline: float
    notes: dict[str, int | bool] = field(default_factory=dict)

    @classmethod
    def begin(cls, method: str, context: grpc.ServicerContext, seconds: float) -> Call:
        """Return the call behind *context*, which may be worked on for *seconds* at most."""
        now = time.monotonic()
        # Without a deadline of the client's own, the time remaining is some centuries.
        return cls(
            method=method,
            context=context,
            request_id=_request_id(context),
            started=now,
            deadline=now + min(seconds, context.time_remaining()),
        )

    @property
    def elapsed(self) -> float:
        """Return the seconds since the call began."""
        return time.monotonic() - self.started

    @property
    def remaining(self) -> float:
        """Return the seconds left to work on it."""
        return self.deadline - time.monotonic()

    def check(self) -> None:
        """
        Return if there is still somebody to answer and time to do it.

        Raises:
            UserError: DEADLINE_EXCEEDED or CANCELLED.
        """
        if time.monotonic() > self.deadline:
            raise UserError(
                Reason.DEADLINE_EXCEEDED,
                "the time for this call is over; ask for less, or raise the client's timeout or the"
                " server's setting calls.query_seconds, whichever is the shorter",
            )
        if not self.context.is_active():
            raise UserError(Reason.CANCELLED, "the client has cancelled the call")

    def waiting(self) -> Waiting:
        """Return a block that waits for the client: its time does not count as work."""
        return Waiting(self)


class Waiting:
    """A wait for the client of a call, which puts its deadline off."""

    __slots__ = ("_call", "_since")

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        self._since = time.monotonic()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call.deadline += time.monotonic() - self._since


def _request_id(context: grpc.ServicerContext) -> str:
    """Return the id the client gave the call, if it looks like one, or a new one."""
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID_KEY and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return os.urandom(8).hex()
