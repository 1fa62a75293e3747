"""The calls of `Segments` that say more than a count: convert, call, convert."""

from __future__ import annotations

import time
from collections.abc import Sequence

from headcount.model.errors import Reason, UserError
from headcount.query.breakdown import TOP, breakdown
from headcount.query.context import QueryContext
from headcount.query.explain import explain
from headcount.query.explain_contact import explain_contact
from headcount.query.explain_text import explanation_text
from headcount.query.histogram import histogram
from headcount.query.match import match
from headcount.query.overlap import overlap
from headcount.query.preview import SAMPLE, preview
from headcount.query.profile import profile
from headcount.rpc import convert, convert_answers
from headcount.rpc.call import Call
from headcount.rpc.config import CallSettings
from headcount.rpc.convert_profiles import to_profile
from headcount.rpc.questions import Asked, Query, Questions
from headcount.segments.needs import Has
from headcount.segments.sessions import Sessions
from headcount.segments.templates import fits
from headcount.v1 import answers_pb2 as pb
from headcount.v1 import query_pb2

MOST_SAMPLED = 1_000  # contacts in a preview


class Explaining:
    """Answers what people ask around a count."""

    def __init__(self, questions: Questions, settings: CallSettings) -> None:
        self._questions = questions
        self._settings = settings
        self._sessions = Sessions()

    def Preview(  # noqa: N802 (the name is the method's)
        self, request: pb.PreviewRequest, call: Call
    ) -> pb.PreviewResponse:
        """Return a segment at a glance; an older call of the same session ends."""
        asked, query, context = self._questions.asked(request, call)
        size = request.sample if request.HasField("sample") else SAMPLE
        _require_most(size, MOST_SAMPLED, "contacts", "sample")
        fields = tuple(request.fields)
        with self._sessions.newest(request.workspace, request.session, context) as watched:
            found = preview(
                asked.engine,
                query,
                watched,
                fields=fields,
                size=size,
                for_send=request.for_send,
                editing=request.editing or request.query.saved,
            )
        return convert_answers.to_preview(found, asked.info(context))

    def Explain(  # noqa: N802
        self, request: pb.ExplainRequest, call: Call
    ) -> pb.ExplainResponse:
        """Return a segment part by part."""
        asked, query, context = self._questions.asked(request, call)
        saved = request.query.saved
        timer = time.perf_counter
        # First, because what an explanation works out is remembered.
        profiled = profile(asked.engine, query, context, timer) if request.profile else None
        found = explain(asked.engine, query, context, timer=timer, editing=saved)
        return pb.ExplainResponse(
            root=convert_answers.to_explained(found.root),
            contacts=found.contacts,
            warnings=map(convert.to_warning, found.warnings),
            rendered=explanation_text(found) if request.render else "",
            info=asked.info(context),
            profile=None if profiled is None else to_profile(profiled),
        )

    def ExplainContact(  # noqa: N802
        self, request: pb.ExplainContactRequest, call: Call
    ) -> pb.ExplainContactResponse:
        """Return why one contact is in a segment, or is not."""
        asked, query, context = self._questions.asked(request, call)
        found = explain_contact(asked.engine, query, request.contact_id, context)
        return pb.ExplainContactResponse(
            root=convert_answers.to_verdict(found.root), info=asked.info(context)
        )

    def Breakdown(  # noqa: N802
        self, request: pb.BreakdownRequest, call: Call
    ) -> pb.BreakdownResponse:
        """Return the members of a segment by value, or by ranges of it."""
        asked, query, context = self._questions.asked(request, call)
        if request.HasField("histogram"):
            layout = convert_answers.layout(request.histogram)
            ranges = histogram(asked.engine, query, request.by, context, layout)
            return convert_answers.to_histogram(ranges, asked.info(context))
        top = request.top if request.HasField("top") else TOP
        _require_most(top, self._settings.page_size_max, "values", "top")
        values = breakdown(asked.engine, query, request.by, context, top=top)
        return convert_answers.to_breakdown(values, asked.info(context))

    def Overlap(  # noqa: N802
        self, request: pb.OverlapRequest, call: Call
    ) -> pb.OverlapResponse:
        """Return how many contacts each two of some segments share."""
        asked = self._questions.about(request, call)
        queries, context = self._several(request.queries, asked)
        call.notes["queries"] = len(queries)
        found = overlap(asked.engine, queries, context)
        return convert_answers.to_overlap(found, asked.info(context))

    def Match(  # noqa: N802
        self, request: pb.MatchRequest, call: Call
    ) -> pb.MatchResponse:
        """Return which of some segments hold each of some contacts."""
        asked = self._questions.about(request, call)
        most = self._settings.page_size_max
        _require_most(len(request.contact_ids), most, "contacts", "contact_ids")
        queries, context = self._several(request.queries, asked)
        call.notes["queries"] = len(queries)
        found = match(asked.engine, queries, list(request.contact_ids), context)
        return pb.MatchResponse(
            matches=map(convert_answers.to_match, found.matches),
            warnings=map(convert_answers.to_warnings, found.warnings),
            info=asked.info(context),
        )

    def ListTemplates(  # noqa: N802
        self, request: pb.ListTemplatesRequest, call: Call
    ) -> pb.ListTemplatesResponse:
        """Return ready-made segments, held against the workspace."""
        asked = self._questions.about(request, call)
        view = asked.view
        found = fits(Has(view.schema, frozenset(view.labels), frozenset(view.lists)))
        return pb.ListTemplatesResponse(
            templates=map(convert_answers.to_template, found), info=asked.info()
        )

    def _several(
        self, messages: Sequence[query_pb2.Query], asked: Asked
    ) -> tuple[list[Query], QueryContext]:
        """Return several queries, and the context of the first, in which all are asked."""
        _require_most(len(messages), self._settings.queries, "queries", "queries")
        queries = [
            self._questions.query(message, asked.engine, f"queries[{place}]")
            for place, message in enumerate(messages)
        ]
        context = asked.at(messages[0], "queries[0]") if messages else asked.context
        return queries, context


def _require_most(found: int, most: int, what: str, field: str) -> None:
    if found > most:
        raise UserError(
            Reason.LIMIT_EXCEEDED, f"expected at most {most:,} {what}, found {found:,}", field=field
        )
