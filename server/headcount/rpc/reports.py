"""The service `Reports`: convert, call, convert."""

from __future__ import annotations

from dataclasses import replace

from headcount.model.time_zone import time_zone
from headcount.query.clock import Clock
from headcount.rpc import convert
from headcount.rpc.call import Call
from headcount.rpc.convert_reports import measure, to_history, to_measured, to_performance
from headcount.rpc.questions import Questions
from headcount.rpc.workspaces import DEFAULT
from headcount.segments.history import Records, history, no_record
from headcount.segments.performance import performance
from headcount.v1 import reports_pb2 as pb


class Reports:
    """Says how segments do."""

    def __init__(self, questions: Questions, records: Records = no_record) -> None:
        self._questions = questions
        self._records = records

    def Performance(  # noqa: N802 (the name is the method's)
        self, request: pb.PerformanceRequest, call: Call
    ) -> pb.PerformanceResponse:
        """Return what was sent to a segment, and what came of it."""
        asked, query, context = self._questions.asked(request, call)
        found = performance(asked.engine, [query], measure(request.measure), context)
        return pb.PerformanceResponse(
            segment=to_performance(found.segments[0]),
            measured=to_measured(found.measured),
            warnings=map(convert.to_warning, found.warnings),
            info=asked.info(context),
        )

    def Compare(  # noqa: N802
        self, request: pb.CompareRequest, call: Call
    ) -> pb.CompareResponse:
        """Return the same of several segments, side by side."""
        asked = self._questions.about(request, call)
        queries = [
            self._questions.query(message, asked.engine, f"queries[{place}]")
            for place, message in enumerate(request.queries)
        ]
        context = asked.context
        if request.queries:
            context = asked.at(request.queries[0], "queries[0]")
        call.notes["queries"] = len(queries)
        found = performance(asked.engine, queries, measure(request.measure), context)
        return pb.CompareResponse(
            segments=map(to_performance, found.segments),
            measured=to_measured(found.measured),
            warnings=map(convert.to_warning, found.warnings),
            info=asked.info(context),
        )

    def History(  # noqa: N802
        self, request: pb.HistoryRequest, call: Call
    ) -> pb.HistoryResponse:
        """Return how a watched segment grew and shrank, day by day."""
        asked = self._questions.about(request, call)
        zone = time_zone(request.time_zone or asked.view.schema.time_zone, "time_zone")
        record = self._records(request.workspace or DEFAULT, request.watch)
        low, high = (
            convert.micros(getattr(request, name), name) if request.HasField(name) else None
            for name in ("since", "until")
        )
        context = replace(asked.context, zone=zone)
        found = history(record, low, high, Clock(context.as_of, zone), call.check)
        return to_history(found, asked.info(context))
