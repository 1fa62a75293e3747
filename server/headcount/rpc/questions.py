"""
Questions: what a request asks, of which view, as of when, with which deadline.

The first half of every handler. The view and the clock are read here, once a call, so that
everything in one answer is true of one version and one instant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

from headcount.index.view import View
from headcount.members.pinned import Pinned
from headcount.members.tokens import PageToken, outdated
from headcount.model.errors import Reason, UserError
from headcount.model.time_zone import time_zone
from headcount.query import tree
from headcount.query.census import FEWEST
from headcount.query.context import QueryContext
from headcount.query.counters import Counters
from headcount.query.engine import Engine
from headcount.query.json_form import from_json
from headcount.query.limits import Limits
from headcount.query.proto import from_proto
from headcount.query.results import Results
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
_LEAF_BYTES = (
    32 << 20
)  # of what the queries of one call have in common, where nothing is remembered
_UNCHECKED = 256  # quick queries between two looks at the clock: 1 ms

# What ends a call, not one of its queries.
_ENDS_THE_CALL = frozenset((Reason.DEADLINE_EXCEEDED, Reason.CANCELLED))


@dataclass(frozen=True, slots=True)
class _Sent:
    """
    A segment that was sent, encoded or as JSON, and where: the same there is the same tree.

    Not the message itself: what remembers it would keep the whole request that it is a part of.
    """

    encoded: bytes | str
    limits: Limits
    path: str


def _read(sent: _Sent) -> tree.Segment:
    """Return the tree of a segment; reading one takes 50 µs, finding it again 1 µs."""
    return _remembered(sent) if len(sent.encoded) <= _LONGEST else _from_sent(sent)


def _from_sent(sent: _Sent) -> tree.Segment:
    if isinstance(sent.encoded, str):
        return from_json(sent.encoded, sent.limits, sent.path)
    return from_proto(segment_pb2.Segment.FromString(sent.encoded), sent.limits, sent.path)


_remembered = lru_cache(maxsize=_TREES)(_from_sent)


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

    def sizes(self, queries: Sequence[query_pb2.Query], asked: Asked) -> Iterator[int | UserError]:
        """
        Yield how many contacts are in each segment, or why it cannot be said.

        A segment of one or two conditions that was asked before takes 0.6 µs beside its count. What
        others have in common is worked out once. A list that was asked before is counted as one, in
        a newer version by what changed (`Engine.sizes`).

        Raises:
            UserError: there is no time left, or nobody who waits.
        """
        check, counters = asked.context.check, asked.engine.counters(self._limits)
        known = counters.get
        leaves = None if asked.engine.results.capacity else Results(_LEAF_BYTES)
        sent = tuple([query.SerializeToString() for query in queries])
        listed = self._listed(queries, sent, asked)
        if listed:
            yield from asked.engine.sizes(listed, asked.context)
            return
        for place, (query, encoded) in enumerate(zip(queries, sent, strict=True)):
            count = known(encoded)
            if count is not None:
                if not place % _UNCHECKED:
                    check()
                yield count()
                continue
            try:
                check()  # a query that cannot be bound looks at no block
                yield self._size(query, encoded, asked, place, counters, leaves)
            except UserError as error:
                if error.reason in _ENDS_THE_CALL:
                    raise
                yield error

    def _listed(
        self, queries: Sequence[query_pb2.Query], sent: tuple[bytes, ...], asked: Asked
    ) -> tuple[Query, ...]:
        """Return the segments of a list that is sent again; none of one to be asked one by one."""
        lists = asked.engine.lists
        if len(sent) < FEWEST or not asked.engine.results.capacity:
            return ()
        found = lists.get(sent)
        if found is None:
            lists.keep(sent, ())
            return ()
        if not found and not any(query.time_zone or query.HasField("as_of") for query in queries):
            try:
                found = tuple(self.query(query, asked.engine) for query in queries)
            except UserError:  # which the one that cannot be read will have
                return ()
            lists.keep(sent, found)
        return found

    def _size(
        self,
        query: query_pb2.Query,
        encoded: bytes,
        asked: Asked,
        place: int,
        counters: Counters,
        leaves: Results | None,
    ) -> int:
        """Return how many contacts are in a segment, and keep what counts it, if it is quick."""
        engine = asked.engine
        segment = self.query(query, engine, f"queries[{place}]")
        context = asked.again(query, place)
        count = engine.counter(segment, context)
        if count is None:
            return engine.size(segment, context, leaves)
        if query.HasField("as_of") or engine.is_timeless(segment, self._limits):
            counters.keep(encoded, count)
        return count()

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
                return _read(_Sent(query.json, self._limits, f"{path}.json"))
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
