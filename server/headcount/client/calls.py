"""What the parts of both clients are made of: requests, and a way to send them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from headcount.client.methods import A, Method, Q
from headcount.client.requests import Requests
from headcount.model.schema import Schema


class Calls:
    """A part of `Client`, which has the channel."""

    _requests: Requests

    def schema(self, *, timeout: float | None = None) -> Schema:
        """Return the names and types of the workspace."""
        raise NotImplementedError

    def _call(self, method: Method[Q, A], request: Q, timeout: float | None) -> A:
        raise NotImplementedError

    def _stream(self, method: Method[Q, A], request: Q, timeout: float | None) -> Iterator[A]:
        raise NotImplementedError


class AsyncCalls:
    """A part of `AsyncClient`, which has the channel."""

    _requests: Requests

    async def schema(self, *, timeout: float | None = None) -> Schema:
        """Return the names and types of the workspace."""
        raise NotImplementedError

    async def _call(self, method: Method[Q, A], request: Q, timeout: float | None) -> A:
        raise NotImplementedError

    def _stream(self, method: Method[Q, A], request: Q, timeout: float | None) -> AsyncIterator[A]:
        raise NotImplementedError
