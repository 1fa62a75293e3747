"""
Questions: what a request asks, of which view, as of when, with which deadline.

The first half of every handler. The view and the clock are read here, once a call, so that
everything in one answer is true of one version and one instant.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from headcount.index.view import View
from headcount.members.pinned import Pinned
from headcount.members.tokens import PageToken, outdated
from headcount.model.errors import Reason, UserError
from headcount.model.time_zone import time_zone
from headcount.query import tree
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.json_form import from_json
from headcount.query.limits import Limits
from headcount.query.proto import from_proto
from headcount.rpc import convert
from headcount.rpc.call import Call
from headcount.rpc.workspaces import DEFAULT, Workspaces
from headcount.segments.keeper import Keeper
from headcount.v1 import common_pb2, query_pb2, segment_pb2

Query = str | tree.Segment


class Request(Protocol):
    """What every request message has."""

    workspace: str
    min_version: common_pb2.Version

    def HasField(self, field_name: str) -> bool: ...  # noqa: N802 (protobuf's name)


class QueryRequest(Request, Protocol):
    """What the request message of one query has."""

    query: query_pb2.Query


_TREES = 16_384  # remembered: more than one call asks
_LONGEST = 4096  # bytes of a segment that is remembered


@dataclass(frozen=True, slots=True)
class _Sent:
    """
    A segment that was sent, and where: the same bytes at the same place are the same tree.

    Not the message itself: what remembers it would keep the whole request that it is a part of.
    """

    encoded: bytes
    limits: Limits
    path: str


def _read(sent: _Sent) -> tree.Segment:
    """Return the tree of a segment; reading one takes 50 µs, finding it again 1 µs."""
    return _remembered(sent) if len(sent.encoded) <= _LONGEST else _from_message(sent)


def _from_message(sent: _Sent) -> tree.Segment:
    return from_proto(segment_pb2.Segment.FromString(sent.encoded), sent.limits, sent.path)


_remembered = lru_cache(maxsize=_TREES)(_from_message)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a call reads, and as of when."""

    engine: Engine
    context: QueryContext
    call: Call
    _contexts: dict[tuple[str, int | None, int], QueryContext] = field(default_factory=dict)

    @property
    def view(self) -> View:
        """Return the view that the whole call reads."""
        return self.engine.view

    def at(self, query: query_pb2.Query, path: str = "query") -> QueryContext:
        """
        Return the context of *query*, which may name its own instant and zone.

        Raises:
            UserError: they do not exist.
        """
        if not query.time_zone and not query.HasField("as_of"):
            return self.context
        context = self.context
        if query.HasField("as_of"):
            context = replace(context, as_of=convert.micros(query.as_of, f"{path}.as_of"))
        if query.time_zone:
            context = replace(context, zone=time_zone(query.time_zone, f"{path}.time_zone"))
        return context

    def again(self, query: query_pb2.Query, place: int) -> QueryContext:
        """
        Return what `at` does for the query at *place*; most of many name the same, in 1 µs.

        Raises:
            UserError: as for `at`.
        """
        zone, seconds, nanos = query.time_zone, None, 0
        if query.HasField("as_of"):
            seconds, nanos = query.as_of.seconds, query.as_of.nanos
        elif not zone:
            return self.context
        key = zone, seconds, nanos
        found = self._contexts.get(key)
        if found is None:
            found = self._contexts[key] = self.at(query, f"queries[{place}]")
        return found

    def info(self, context: QueryContext | None = None) -> common_pb2.AnswerInfo:
        """Return what the answer says of itself."""
        context = context or self.context
        return convert.to_info(
            context.as_of, context.zone.key, self.view.version, self.call.elapsed
        )


class Questions:
    """Turns requests into what the engine is asked. Any thread may use it."""

    def __init__(
        self,
        workspaces: Workspaces,
        limits: Limits,
        clock: Callable[[], int],
        pinned: Pinned | None = None,
    ) -> None:
        self._workspaces = workspaces
        self._limits = limits
        self._pinned = Pinned(time.monotonic) if pinned is None else pinned
        self._clock = clock  # µs since 1970 UTC

    def about(self, request: Request, call: Call) -> Asked:
        """
        Return what a call about a workspace reads.

        Raises:
            UserError: there is no such workspace, or the client has seen a newer version of it.
        """
        seen = request.min_version if request.HasField("min_version") else None
        engine = self._workspaces.read(
            request.workspace, None if seen is None else convert.version(seen)
        )
        zone = time_zone(engine.view.schema.time_zone)
        context = QueryContext(self._clock(), zone, self._limits, call.check)
        return Asked(engine, context, call)

    def asked(self, request: QueryRequest, call: Call) -> tuple[Asked, Query, QueryContext]:
        """Return what a call about one query reads, the query, and its context."""
        about = self.about(request, call)
        return about, self.query(request.query, about.engine), about.at(request.query)

    def one_of_many(
        self, query: query_pb2.Query, asked: Asked, place: int
    ) -> tuple[Query, QueryContext]:
        """
        Return the query at *place* of a call about many, and its context.

        A text takes 1 µs.

        Raises:
            UserError: as for `query` and `at`.
        """
        if query.WhichOneof("form") == "text":
            return query.text, asked.again(query, place)
        path = f"queries[{place}]"
        return self.query(query, asked.engine, path), asked.again(query, place)

    def keep(self, asked: Asked, workspace: str) -> None:
        """Keep the version that a call reads for the next page of it."""
        self._pinned.keep(workspace or DEFAULT, asked.engine)

    def then(self, asked: Asked, workspace: str, token: PageToken) -> Asked:
        """
        Return a call that reads the version which a page token is for.

        Raises:
            UserError: that version is not kept any more (CONFLICT).
        """
        if token.version == asked.view.version:
            return asked
        engine = self._pinned.find(workspace or DEFAULT, token.version)
        if engine is None:
            raise outdated(token, asked.view.version)
        return replace(asked, engine=engine)

    def saving(self, workspace: str, call: Call) -> tuple[Keeper, QueryContext]:
        """
        Return what is saved in a workspace, and the context in which it is changed.

        Raises:
            UserError: there is no such workspace.
        """
        keeper = self._workspaces.keeper(workspace)
        zone = time_zone(keeper.engine.view.schema.time_zone)
        return keeper, QueryContext(self._clock(), zone, self._limits, call.check)

    def query(self, query: query_pb2.Query, engine: Engine, path: str = "query") -> Query:
        """
        Return the segment of a query, as text or tree; what is saved is what *engine* knows.

        Raises:
            UserError: it has no form, cannot be read, or is the name of no saved segment.
        """
        match query.WhichOneof("form"):
            case "text":
                return query.text
            case "segment":
                encoded = query.segment.SerializeToString(deterministic=True)
                return _read(_Sent(encoded, self._limits, f"{path}.segment"))
            case "json":
                return from_json(query.json, self._limits, f"{path}.json")
            case "saved":
                found = engine.known.saved.find(query.saved)
                if found is not None:
                    return found.text
                raise UserError(
                    Reason.NOT_FOUND,
                    f"there is no saved segment `{query.saved}`",
                    field=f"{path}.saved",
                    suggestions=engine.known.saved.near(query.saved),
                )
        raise UserError(
            Reason.SYNTAX,
            "expected a query: text, JSON, a segment or the name of one; found none",
            field=path,
        )
