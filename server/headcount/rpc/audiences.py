"""The service `Audiences`: convert, call, convert; and the folder that frozen audiences lie in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from headcount.members.contacts import Column
from headcount.members.member_file import is_csv
from headcount.model.errors import Reason, UserError
from headcount.model.time_zone import time_zone
from headcount.query import tree
from headcount.query.chosen import chosen
from headcount.query.context import QueryContext
from headcount.query.engine import Query
from headcount.rpc import convert, members
from headcount.rpc.call import Call
from headcount.rpc.config import AudienceSettings
from headcount.rpc.convert_audiences import to_funnel
from headcount.rpc.questions import Asked, Questions
from headcount.rpc.workspaces import DEFAULT
from headcount.segments.audience import Audience, Resolved, resolve
from headcount.segments.freeze import freeze
from headcount.storage import files
from headcount.v1 import audiences_pb2 as pb
from headcount.v1 import query_pb2, segments_pb2

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,199}")


class Audiences:
    """Says who may be sent to."""

    def __init__(self, questions: Questions, settings: AudienceSettings) -> None:
        self._questions = questions
        self._settings = settings

    def Resolve(  # noqa: N802 (the name is the method's)
        self, request: pb.ResolveRequest, call: Call
    ) -> Iterator[pb.ResolveResponse]:
        """Yield the funnel of an audience, then those who may be sent to."""
        asked = self._questions.about(request, call)
        wanted = segments_pb2.StreamMembersRequest(format=request.format, fields=request.fields)
        context = _context(request, asked)
        engine = asked.engine

        def choose(names: Sequence[str]) -> Sequence[Column]:
            return chosen(engine, names, context)

        members.messages((), wanted, asked.view, choose)  # refused before any work
        found = self._resolved(request, asked, context)
        yield pb.ResolveResponse(
            info=asked.info(context),
            funnel=to_funnel(found.funnel),
            warnings=map(convert.to_warning, found.funnel.warnings),
        )
        if request.funnel_only:
            return
        call.notes["members"] = 0
        for chunk in members.messages(found.members, wanted, asked.view, choose):
            call.notes["members"] += chunk.count
            yield pb.ResolveResponse(members=chunk)

    def Freeze(  # noqa: N802
        self, request: pb.FreezeRequest, call: Call
    ) -> pb.FreezeResponse:
        """Write those who may be sent to into a file of the server."""
        workspace = request.workspace or DEFAULT
        asked = self._questions.about(request, call)
        path = self._path(workspace, request.name)
        context = _context(request, asked)
        fields = chosen(asked.engine, request.fields, context)
        found = self._resolved(request, asked, context)
        info = asked.info(context)
        files.make_folder(path.parent)
        call.notes["members"] = freeze(
            path, found, asked.view.schema, workspace, convert.info(info), fields, call.check
        )
        return pb.FreezeResponse(
            file=f"{workspace}/{path.name}",
            info=asked.info(context),
            funnel=to_funnel(found.funnel),
            warnings=map(convert.to_warning, found.funnel.warnings),
        )

    def _resolved(
        self, request: pb.ResolveRequest | pb.FreezeRequest, asked: Asked, context: QueryContext
    ) -> Resolved:
        audience = Audience(
            tuple(self._sources("include", request.audience.include, asked)),
            tuple(self._sources("exclude", request.audience.exclude, asked)),
            request.audience.list or None,
        )
        return resolve(asked.engine, audience, context)

    def _sources(
        self, what: str, sources: Iterable[pb.AudienceSource], asked: Asked
    ) -> Iterator[Query]:
        for place, source in enumerate(sources):
            match source.WhichOneof("form"):
                case "list":
                    yield tree.InList((source.list,))
                case "saved":
                    yield tree.InSegment(source.saved)
                case form:
                    given = {} if form is None else {form: getattr(source, form)}
                    query = query_pb2.Query(**given)
                    yield self._questions.query(query, asked.engine, f"{what}[{place}]")

    def _path(self, workspace: str, name: str) -> Path:
        """Return where the file *name* goes: right in the workspace's folder, wherever that is."""
        folder = self._settings.folder
        if not folder:
            raise UserError(
                Reason.UNSUPPORTED,
                "this server freezes no audiences: it has no folder for them; set audiences.folder,"
                " or write the file where you are (`headcount resolve --to FILE`)",
            )
        if not _NAME.fullmatch(name):
            raise UserError(
                Reason.INVALID_VALUE,
                "expected the name of a file, without folders: at most 200 letters, digits, spaces"
                f" and ._-, the first a letter or digit; found {name!r}",
                field="name",
            )
        path = Path(folder) / workspace / name
        is_csv(path)
        return path


def _context(request: pb.ResolveRequest | pb.FreezeRequest, asked: Asked) -> QueryContext:
    """Return the context of a call, which may name its own instant and zone."""
    context = asked.context
    if request.HasField("as_of"):
        context = replace(context, as_of=convert.micros(request.as_of, "as_of"))
    if request.time_zone:
        context = replace(context, zone=time_zone(request.time_zone, "time_zone"))
    return context
