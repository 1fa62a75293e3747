"""
The client for asyncio: the methods of `Client`, to be awaited or iterated with `async for`.

The connection belongs to the event loop that makes the first call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Sequence
from types import TracebackType

import grpc
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.answers import Answer, Page, SavedPage, SavedSegment, Validation
from headcount.client import decode, methods
from headcount.client.errors import error_of
from headcount.client.methods import A, Method, Q
from headcount.client.requests import Query, Requests
from headcount.index.stats import Stats
from headcount.index.view import Version
from headcount.model.errors import UserError
from headcount.model.schema import Schema
from headcount.rpc import convert
from headcount.v1 import segments_pb2


class AsyncClient:
    """
    Asks a server about one workspace, from one event loop.

    *timeout* is in seconds and holds for each call; streams have none unless one is given. A
    *token* is sent to loopback addresses only, unless *insecure* is true.
    """

    def __init__(
        self,
        target: str,
        *,
        workspace: str = "default",
        token: str | None = None,
        timeout: float = 10.0,
        insecure: bool = False,
    ) -> None:
        self._metadata = methods.metadata(target, token, insecure=insecure)
        self._target = target
        self._timeout = timeout
        self._requests = Requests(workspace)
        self._channel: grpc.aio.Channel | None = None

    @property
    def seen_version(self) -> Version | None:
        """Return the newest version that an answer has named; every call asks for no older one."""
        return self._requests.seen

    async def count(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> int:
        """Return how many contacts are in a segment, given as text or as a tree."""
        found = await self.answer(query, as_of=as_of, time_zone=time_zone, timeout=timeout)
        return found.count

    async def answer(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Return how many contacts are in a segment, with the instant, version and warnings."""
        request = self._requests.count(query, as_of, time_zone)
        return self._requests.answer(await self._call(methods.COUNT, request, timeout))

    async def count_many(
        self,
        queries: Iterable[Query],
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> list[int | UserError]:
        """Return for each query, in order, its count or why it has none; all from one version."""
        request = self._requests.count_many(queries, as_of, time_zone)
        return self._requests.counts(await self._call(methods.COUNT_MANY, request, timeout))

    async def members(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[list[str]]:
        """Yield the ids in a segment, some thousands at a time; all, or the first *limit*."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_IDS,
            fields=(),
            limit=limit,
        )
        async for message in self._stream(request, timeout):
            if message.count:
                yield decode.ids(message)

    async def member_integers(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[npt.NDArray[np.uint64]]:
        """Yield the ids in a segment as uint64 arrays; a UserError if one is not an integer."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_UINT64,
            fields=(),
            limit=limit,
        )
        async for message in self._stream(request, timeout):
            if message.count:
                yield decode.integers(message)

    async def member_batches(
        self,
        query: Query,
        *,
        fields: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[pa.RecordBatch]:
        """Yield the ids in a segment, and chosen fields, as Arrow record batches."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_ARROW,
            fields=fields,
            limit=limit,
        )
        reader = decode.ArrowReader()
        async for message in self._stream(request, timeout):
            for batch in reader.feed(message):
                yield batch

    async def member_ordinals(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> AsyncIterator[BitMap]:
        """Yield disjoint bitmaps of ordinals; their union is the segment."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_ROARING,
            fields=(),
            limit=limit,
        )
        async for message in self._stream(request, timeout):
            if message.count:
                yield decode.ordinals(message)

    async def list_members(
        self,
        query: Query,
        *,
        fields: Sequence[str] = (),
        page_size: int = 0,
        page_token: str = "",
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Page:
        """Return a page of the contacts in a segment with chosen fields; 0 is the default size."""
        request = self._requests.list_members(
            query, as_of, time_zone, fields=fields, page_size=page_size, page_token=page_token
        )
        return self._requests.page(await self._call(methods.LIST_MEMBERS, request, timeout))

    async def validate(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Validation:
        """Return what is wrong with a segment, and its canonical text."""
        request = self._requests.validate(query, as_of, time_zone)
        return self._requests.validation(await self._call(methods.VALIDATE, request, timeout))

    async def create_segment(
        self,
        name: str,
        query: Query,
        *,
        description: str = "",
        tags: Sequence[str] = (),
        timeout: float | None = None,
    ) -> SavedSegment:
        """Save a segment under a new name, and return it; `in segment "name"` asks for it."""
        request = self._requests.create_segment(name, query, description, tags)
        answer = await self._call(methods.CREATE_SEGMENT, request, timeout)
        return convert.saved(answer.segment, answer.warnings)

    async def get_segment(self, name: str, *, timeout: float | None = None) -> SavedSegment:
        """Return a saved segment, with the names of those that use it."""
        request = self._requests.get_segment(name)
        return convert.saved((await self._call(methods.GET_SEGMENT, request, timeout)).segment)

    async def list_segments(
        self,
        *,
        tag: str = "",
        page_size: int = 0,
        page_token: str = "",
        timeout: float | None = None,
    ) -> SavedPage:
        """Return a page of the saved segments by name, all or those with a tag."""
        request = self._requests.list_segments(tag, page_size, page_token)
        answer = await self._call(methods.LIST_SEGMENTS, request, timeout)
        return self._requests.saved_page(answer)

    async def update_segment(
        self,
        name: str,
        query: Query | None = None,
        *,
        new_name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        etag: str = "",
        timeout: float | None = None,
    ) -> SavedSegment:
        """Change what is given of a saved segment, if it still has *etag*; "" is any."""
        request = self._requests.update_segment(
            name, query, new_name=new_name, description=description, tags=tags, etag=etag
        )
        answer = await self._call(methods.UPDATE_SEGMENT, request, timeout)
        return convert.saved(answer.segment, answer.warnings)

    async def delete_segment(
        self, name: str, *, etag: str = "", timeout: float | None = None
    ) -> None:
        """Remove a saved segment that no other uses, if it still has *etag*."""
        request = self._requests.delete_segment(name, etag)
        await self._call(methods.DELETE_SEGMENT, request, timeout)

    async def schema(self, *, timeout: float | None = None) -> Schema:
        """Return the names and types of the workspace."""
        answer = await self._call(methods.GET_SCHEMA, self._requests.get_schema(), timeout)
        return self._requests.schema(answer)

    async def stats(self, *, timeout: float | None = None) -> Stats:
        """Return how large the workspace is."""
        return self._requests.stats(
            await self._call(methods.STATS, self._requests.get_stats(), timeout)
        )

    async def close(self) -> None:
        """Close the connection; calls under way are cancelled."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _open(self) -> grpc.aio.Channel:
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(self._target, options=methods.OPTIONS)
        return self._channel

    async def _call(self, method: Method[Q, A], request: Q, timeout: float | None) -> A:
        call = self._open().unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        seconds = self._timeout if timeout is None else timeout
        try:
            return await call(request, timeout=seconds, metadata=self._metadata)
        except grpc.aio.AioRpcError as failed:
            raise error_of(failed, self._target) from None

    async def _stream(
        self, request: segments_pb2.StreamMembersRequest, timeout: float | None
    ) -> AsyncIterator[segments_pb2.StreamMembersResponse]:
        method = methods.STREAM_MEMBERS
        open_stream = self._open().unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        stream = open_stream(request, timeout=timeout, metadata=self._metadata)
        try:
            async for message in stream:
                if message.HasField("info"):
                    self._requests.info(message.info)
                yield message
        except grpc.aio.AioRpcError as failed:
            raise error_of(failed, self._target) from None
        finally:
            stream.cancel()  # for a caller who stops early; nothing once it has ended
