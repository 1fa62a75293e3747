"""The part of the client that watches segments: who enters, who leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headcount.answers_watch import DeadLetter, NamedWatch, Redelivered, Told, WatchPage
from headcount.client import methods, watch_requests
from headcount.client.calls import Calls
from headcount.client.requests import Query
from headcount.rpc import convert_watches
from headcount.segments.watch.transitions import Settings
from headcount.v1 import watches_pb2 as pb

PLAIN = Settings()


class Watching(Calls):
    """Watches segments, and keeps watches under names."""

    def watch(
        self,
        query: Query | None = None,
        *,
        name: str | None = None,
        token: str | None = None,
        settings: Settings = PLAIN,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[Told]:
        """
        Yield who enters and leaves a segment, or the watch called *name*, until it is closed.

        Without *token* from now on, with one behind it. A message without transitions is a bookmark
        that says up to when nothing happened. When the stream breaks, come back with the last
        token: nothing is missed.
        """
        request = watch_requests.watch(self._requests, query, name, token, settings, time_zone)
        for message in self._stream(methods.WATCH, request, timeout):
            yield convert_watches.told(message)

    def create_watch(
        self,
        name: str,
        query: Query,
        *,
        settings: Settings = PLAIN,
        time_zone: str | None = None,
        endpoint: tuple[str, str] | None = None,
        timeout: float | None = None,
    ) -> NamedWatch:
        """Make a watch that lasts; *endpoint* is an address to POST to and the key that signs."""
        request = watch_requests.create(self._requests, name, query, settings, time_zone, endpoint)
        answer = self._call(methods.CREATE_WATCH, request, timeout)
        return convert_watches.watch(answer.watch)

    def get_watch(self, name: str, *, timeout: float | None = None) -> NamedWatch:
        """Return a watch as it is now."""
        request = pb.WatchesGetRequest(workspace=self._requests.workspace, name=name)
        answer = self._call(methods.GET_WATCH, request, timeout)
        return convert_watches.watch(answer.watch)

    def list_watches(
        self, *, page_size: int = 0, page_token: str = "", timeout: float | None = None
    ) -> WatchPage:
        """Return a page of the watches by name; 0 is the default size."""
        request = pb.WatchesListRequest(
            workspace=self._requests.workspace, page_size=page_size, page_token=page_token
        )
        answer = self._call(methods.LIST_WATCHES, request, timeout)
        found = tuple(map(convert_watches.watch, answer.watches))
        return WatchPage(found, answer.next_page_token)

    def delete_watch(self, name: str, *, timeout: float | None = None) -> None:
        """Remove a watch with all that it kept."""
        request = pb.WatchesDeleteRequest(workspace=self._requests.workspace, name=name)
        self._call(methods.DELETE_WATCH, request, timeout)

    def dead_letters(self, name: str, *, timeout: float | None = None) -> tuple[DeadLetter, ...]:
        """Return what the endpoint of a watch did not take."""
        request = pb.ListDeadLettersRequest(workspace=self._requests.workspace, name=name)
        answer = self._call(methods.LIST_DEAD_LETTERS, request, timeout)
        return tuple(map(convert_watches.letter, answer.letters))

    def redeliver(
        self, name: str, ids: Sequence[int] = (), *, timeout: float | None = None
    ) -> Redelivered:
        """Send dead letters once more, all of them if *ids* is empty."""
        request = pb.RedeliverRequest(workspace=self._requests.workspace, name=name, ids=ids)
        answer = self._call(methods.REDELIVER, request, timeout)
        return Redelivered(answer.delivered, answer.left)
