"""The service `Events`: convert, call, convert."""

from __future__ import annotations

from headcount.rpc import convert_writes
from headcount.rpc.call import Call
from headcount.rpc.writes import Writes
from headcount.v1 import events_pb2 as pb


class Events:
    """Records what contacts did."""

    def __init__(self, writes: Writes) -> None:
        self._writes = writes

    def Record(  # noqa: N802 (the name is the method's)
        self, request: pb.RecordRequest, call: Call
    ) -> pb.RecordResponse:
        """Record events, and return which were refused."""
        creates = request.create_contacts
        submitted = self._writes.recorded(
            request,
            call,
            len(request.events),
            lambda: convert_writes.events(request.events, creates=creates),
        )
        return pb.RecordResponse(result=submitted.result(call.remaining))

    def RecordArrow(  # noqa: N802
        self, request: pb.RecordArrowRequest, call: Call
    ) -> pb.RecordArrowResponse:
        """Record events from Arrow record batches, and return which were refused."""
        submitted = self._writes.events(
            request, call, request.batches, creates=request.create_contacts
        )
        return pb.RecordArrowResponse(result=submitted.result(call.remaining))
