"""The requests about watches, which both clients send."""

from __future__ import annotations

from headcount.client.requests import Query, Requests, query_message
from headcount.rpc import convert_watches
from headcount.segments.watch.transitions import Settings
from headcount.v1 import watches_pb2 as pb


def watch(
    requests: Requests,
    query: Query | None,
    name: str | None,
    token: str | None,
    settings: Settings,
    time_zone: str | None,
) -> pb.WatchRequest:
    """Return the request for the transitions of a query, or of the watch called *name*."""
    assert (query is None) != (name is None), "either a query or a name"
    return pb.WatchRequest(
        workspace=requests.workspace,
        name=name,
        query=None if query is None else query_message(query, time_zone),
        settings=convert_watches.to_settings(settings),
        token=token or "",
    )


def create(
    requests: Requests,
    name: str,
    query: Query,
    settings: Settings,
    time_zone: str | None,
    endpoint: tuple[str, str] | None,
) -> pb.WatchesCreateRequest:
    """Return the request to make a watch; *endpoint* is an address and a secret."""
    where = None if endpoint is None else pb.WatchEndpoint(url=endpoint[0], secret=endpoint[1])
    return pb.WatchesCreateRequest(
        workspace=requests.workspace,
        name=name,
        query=query_message(query, time_zone),
        settings=convert_watches.to_settings(settings),
        endpoint=where,
    )
