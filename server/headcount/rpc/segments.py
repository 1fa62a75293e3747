"""The service `Segments`: convert, call, convert."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from headcount.members import pages, tokens
from headcount.model.errors import Reason, UserError
from headcount.query.chosen import chosen
from headcount.rpc import convert, members
from headcount.rpc.call import Call
from headcount.rpc.explaining import Explaining
from headcount.v1 import segments_pb2 as pb


class Segments(Explaining):
    """Answers questions about who is in a segment; those around a count are in `Explaining`."""

    def Count(  # noqa: N802 (the name is the method's)
        self, request: pb.CountRequest, call: Call
    ) -> pb.CountResponse:
        """Return the number of contacts in one segment."""
        asked, query, context = self._questions.asked(request, call)
        found = asked.engine.count(query, context)
        return pb.CountResponse(
            count=found.count,
            info=asked.info(context),
            warnings=map(convert.to_warning, found.warnings),
        )

    def CountMany(  # noqa: N802
        self, request: pb.CountManyRequest, call: Call
    ) -> pb.CountManyResponse:
        """Return the numbers of contacts in many segments, or why one has none."""
        call.notes["queries"] = len(request.queries)
        if len(request.queries) > self._settings.queries:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"expected at most {self._settings.queries:,} queries, found"
                f" {len(request.queries):,}; send several calls",
                field="queries",
            )
        asked = self._questions.about(request, call)
        answer = pb.CountManyResponse()
        add, errors = answer.results.add, 0
        for found in self._questions.sizes(request.queries, asked):
            result = add()
            if isinstance(found, int):
                result.count = found
            else:
                errors += 1
                result.error.CopyFrom(convert.to_diagnostic(found))
        call.notes["errors"] = errors
        answer.info.CopyFrom(asked.info())
        return answer

    def ListMembers(  # noqa: N802
        self, request: pb.ListMembersRequest, call: Call
    ) -> pb.ListMembersResponse:
        """Return one page of the contacts in a segment, with chosen fields."""
        asked, query, context = self._questions.asked(request, call)
        listing = tokens.digest(
            request.workspace,
            request.query.SerializeToString(deterministic=True),
            request.fields,
        )
        start, warnings = 0, asked.engine.prepared(query, context).warnings
        if request.page_token:
            token = tokens.read(request.page_token, listing)
            asked = self._questions.then(asked, request.workspace, token)
            start, warnings = token.ordinal, ()
            context = replace(context, as_of=token.as_of)
        fields = chosen(asked.engine, request.fields, context)
        settings = self._settings
        size = pages.size(request.page_size, settings.page_size, settings.page_size_max)
        found = asked.engine.members(query, context, start // asked.view.block_rows)
        page = pages.fill(found, asked.view.block_rows, fields, start, size)
        call.notes["members"] = len(page.contacts)
        answer = pb.ListMembersResponse(
            contacts=map(convert.to_contact, page.contacts),
            info=asked.info(context),
            warnings=map(convert.to_warning, warnings),
        )
        if page.next_ordinal is not None:
            self._questions.keep(asked, request.workspace)
            answer.next_page_token = tokens.PageToken(
                listing, context.as_of, asked.view.version, page.next_ordinal
            ).encode()
        return answer

    def StreamMembers(  # noqa: N802
        self, request: pb.StreamMembersRequest, call: Call
    ) -> Iterator[pb.StreamMembersResponse]:
        """Yield all contacts in a segment, in the format that was asked for."""
        asked, query, context = self._questions.asked(request, call)
        chunks = members.messages(
            asked.engine.members(query, context),
            request,
            asked.view,
            lambda names: chosen(asked.engine, names, context),
        )
        yield pb.StreamMembersResponse(
            info=asked.info(context),
            warnings=map(convert.to_warning, asked.engine.prepared(query, context).warnings),
        )
        call.notes["members"] = 0
        for chunk in chunks:
            call.notes["members"] += chunk.count
            yield chunk

    def Validate(  # noqa: N802
        self, request: pb.ValidateRequest, call: Call
    ) -> pb.ValidateResponse:
        """Return what is wrong with a segment, and its canonical text."""
        asked, query, context = self._questions.asked(request, call)
        found = asked.engine.validate(query, context, for_send=request.for_send)
        return pb.ValidateResponse(
            text=found.text,
            errors=map(convert.to_diagnostic, found.errors),
            warnings=map(convert.to_warning, found.warnings),
            info=asked.info(context),
        )
