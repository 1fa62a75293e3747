"""The service `Watches`: convert, call, convert; and the streams, which wait for what happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from headcount.members import pages
from headcount.model.errors import Reason, UserError
from headcount.model.time_zone import time_zone
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, tree_of
from headcount.query.format import format as canonical
from headcount.query.limits import Limits
from headcount.query.literals import write_string
from headcount.rpc import convert, convert_watches
from headcount.rpc.call import Call
from headcount.rpc.config import CallSettings, WatchSettings
from headcount.rpc.questions import Questions
from headcount.rpc.webhooks import Webhooks
from headcount.rpc.workspaces import Workspaces
from headcount.segments.watch.document import Endpoint, Spec
from headcount.segments.watch.opening import Watch as Watched
from headcount.segments.watch.transitions import Transition
from headcount.segments.watch.watcher import Watcher
from headcount.v1 import query_pb2
from headcount.v1 import watches_pb2 as pb

_LOOK_SECONDS = 0.25  # between looks at whether the client is still there
_AT_ONCE = 500  # transitions in a message


@dataclass(frozen=True, slots=True)
class _Reading:
    """A stream: of which watch, behind which number."""

    watcher: Watcher
    watch: Watched
    number: int


class Watches:
    """Announces who enters and leaves."""

    def __init__(
        self,
        workspaces: Workspaces,
        questions: Questions,
        webhooks: Webhooks,
        settings: WatchSettings,
        calls: CallSettings,
        limits: Limits,
        clock: Callable[[], int],
    ) -> None:
        self._workspaces = workspaces
        self._questions = questions
        self._webhooks = webhooks
        self._settings = settings
        self._calls = calls
        self._limits = limits
        self._clock = clock

    def Watch(  # noqa: N802 (the name is the method's)
        self, request: pb.WatchRequest, call: Call
    ) -> Iterator[pb.WatchResponse]:
        """Yield what happens behind a token, or from now on, and bookmarks in between."""
        reading = self._reading(request)
        watch, number = reading.watch, reading.number
        watch.readers += 1
        call.notes["transitions"] = 0
        quiet = 0.0
        try:
            yield self._message(reading, number, [])
            while True:
                found = watch.feed.after(number, _AT_ONCE)
                if found:
                    number = found[-1].number
                    call.notes["transitions"] += len(found)
                    quiet = 0.0
                    yield self._message(reading, number, found)
                    continue
                with call.waiting():
                    happened = watch.feed.wait(number, _LOOK_SECONDS)
                call.check()
                quiet += _LOOK_SECONDS
                if not happened and quiet >= self._settings.bookmark_seconds:
                    quiet = 0.0
                    yield self._message(reading, number, [])
        finally:
            watch.readers -= 1
            watch.read_at = self._clock()

    def Create(  # noqa: N802
        self, request: pb.WatchesCreateRequest, call: Call
    ) -> pb.WatchesCreateResponse:
        """Make a watch, and return it."""
        watcher = self._workspaces.watcher(request.workspace)
        engine = self._questions.saving(request.workspace, call)[0].engine
        endpoint = None
        if request.HasField("endpoint"):
            endpoint = Endpoint(request.endpoint.url, request.endpoint.secret)
            self._webhooks.check(endpoint)
        watch = watcher.create(
            self._spec(request.name, request.query, request.settings, engine, endpoint)
        )
        return pb.WatchesCreateResponse(watch=self._named(watcher, watch))

    def Get(  # noqa: N802
        self, request: pb.WatchesGetRequest, _call: Call
    ) -> pb.WatchesGetResponse:
        """Return one watch."""
        watcher = self._workspaces.watcher(request.workspace)
        return pb.WatchesGetResponse(watch=self._named(watcher, watcher.get(request.name)))

    def List(  # noqa: N802
        self, request: pb.WatchesListRequest, _call: Call
    ) -> pb.WatchesListResponse:
        """Return one page of the watches, by name."""
        watcher = self._workspaces.watcher(request.workspace)
        calls = self._calls
        size = pages.size(request.page_size, calls.page_size, calls.page_size_max)
        rest = [one for one in watcher.watches() if one.spec.name > request.page_token]
        page = rest[:size]
        return pb.WatchesListResponse(
            watches=[self._named(watcher, one) for one in page],
            next_page_token=page[-1].spec.name if len(rest) > size else "",
        )

    def Delete(  # noqa: N802
        self, request: pb.WatchesDeleteRequest, _call: Call
    ) -> pb.WatchesDeleteResponse:
        """Remove a watch."""
        self._workspaces.watcher(request.workspace).delete(request.name)
        return pb.WatchesDeleteResponse()

    def ListDeadLetters(  # noqa: N802
        self, request: pb.ListDeadLettersRequest, _call: Call
    ) -> pb.ListDeadLettersResponse:
        """Return what was given up."""
        watcher = self._workspaces.watcher(request.workspace)
        letters = watcher.store.dead(watcher.get(request.name).id)
        return pb.ListDeadLettersResponse(letters=map(convert_watches.to_letter, letters))

    def Redeliver(  # noqa: N802
        self, request: pb.RedeliverRequest, _call: Call
    ) -> pb.RedeliverResponse:
        """Try dead letters once more."""
        watcher = self._workspaces.watcher(request.workspace)
        watch = watcher.get(request.name)
        delivered, left = self._webhooks.redeliver(watcher, watch, frozenset(request.ids))
        return pb.RedeliverResponse(delivered=delivered, left=left)

    # --- what a request is about --------------------------------------------------------------

    def _reading(self, request: pb.WatchRequest) -> _Reading:
        watcher = self._workspaces.watcher(request.workspace)
        match request.WhichOneof("watch"):
            case "name":
                watch = watcher.get(request.name)
            case "query":
                engine = self._workspaces.read(request.workspace)
                spec = self._spec("", request.query, request.settings, engine, None)
                watch = watcher.private(spec)
            case _:
                raise UserError(
                    Reason.SYNTAX, "expected a name or a query to watch; found none", field="watch"
                )
        if request.token:
            number = watcher.resume(watch, request.token)
        elif watch.spec.settings.seed and watch.feed.oldest == 1:
            number = 0
        else:
            number = watch.feed.bookmark.number
        return _Reading(watcher, watch, number)

    def _spec(
        self,
        name: str,
        query: query_pb2.Query,
        settings: pb.WatchSettings,
        engine: Engine,
        endpoint: Endpoint | None,
    ) -> Spec:
        """Return the watch that a request describes."""
        if query.HasField("as_of"):
            raise UserError(
                Reason.INVALID_VALUE,
                "a watch goes on for ever: leave out as_of",
                field="query.as_of",
            )
        zone = time_zone(query.time_zone or engine.view.schema.time_zone, "query.time_zone")
        if query.WhichOneof("form") == "saved":
            self._questions.query(query, engine)
            text = f"in segment {write_string(query.saved)}"
        else:
            asked = self._questions.query(query, engine)
            if not isinstance(asked, str):
                # The text is what is watched; errors have the places of what was sent.
                engine.prepared(asked, QueryContext(self._clock(), zone, self._limits))
            text = canonical(tree_of(asked, self._limits))
        made = convert_watches.settings(settings)
        return Spec(name, text, zone.key, made, self._clock(), endpoint)

    def _named(self, watcher: Watcher, watch: Watched) -> pb.NamedWatch:
        token = watcher.token(watch, watch.feed.bookmark.number)
        return convert_watches.to_watch(watch, token, watcher.store.progress(watch.id).delivered)

    def _message(self, reading: _Reading, number: int, found: list[Transition]) -> pb.WatchResponse:
        bookmark = reading.watch.feed.bookmark
        instant, version = bookmark.instant, bookmark.version
        if found and bookmark.number != number:
            instant, version = found[-1].at, found[-1].version
        return pb.WatchResponse(
            transitions=map(convert_watches.to_transition, found),
            token=reading.watcher.token(reading.watch, number),
            instant=convert.to_timestamp(instant),
            version=convert.to_version(version),
        )
