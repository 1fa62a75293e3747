"""The part of the asyncio client that is about sending: audiences, and files of contacts."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pyarrow as pa

from headcount.answers import Exported, Frozen, Info, Resolution
from headcount.client import decode, methods
from headcount.client.calls import AsyncCalls
from headcount.client.requests import Query
from headcount.members.member_file import MemberFile, is_csv, silent
from headcount.members.sendable import AsyncSendable
from headcount.rpc.convert_audiences import answered
from headcount.segments.audience import Queries, audience_of
from headcount.segments.documents import segment_document
from headcount.v1 import audiences_pb2, segments_pb2


class AsyncSending(AsyncCalls):
    """Says who may be sent to, and writes contacts to files."""

    async def resolve(
        self,
        include: Queries,
        exclude: Queries = (),
        *,
        on_list: str | None = None,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Resolution:
        """Return how many contacts may be sent to, and what became of the others."""
        audience = audience_of(include, exclude, on_list)
        request = self._requests.resolve(audience, as_of, time_zone, funnel_only=True)
        (answer,) = [one async for one in self._stream(methods.RESOLVE, request, timeout)]
        return Resolution(answered(answer), self._requests.info(answer.info))

    async def sendable(
        self,
        include: Queries,
        exclude: Queries = (),
        *,
        on_list: str | None = None,
        fields: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> AsyncSendable:
        """Return those who may be sent to, with chosen fields, and how many they are."""
        audience = audience_of(include, exclude, on_list)
        request = self._requests.resolve(audience, as_of, time_zone, fields=fields)
        stream = self._stream(methods.RESOLVE, request, timeout)
        answer = await anext(stream)
        info = self._requests.info(answer.info)
        reader = decode.ArrowReader()
        first: list[pa.RecordBatch] = []
        while reader.schema is None:
            first += reader.feed((await anext(stream)).members)
        return AsyncSendable(answered(answer), info, _batches(first, reader, stream), reader.schema)

    async def freeze(
        self,
        to: str,
        include: Queries,
        exclude: Queries = (),
        *,
        on_list: str | None = None,
        fields: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Frozen:
        """Write those who may be sent to into the file called *to*, in the server's folder."""
        audience = audience_of(include, exclude, on_list)
        request = self._requests.freeze(to, audience, as_of, time_zone, fields)
        answer = await self._call(methods.FREEZE, request, timeout)
        return Frozen(answer.file, answered(answer), self._requests.info(answer.info))

    async def export(
        self,
        query: Query,
        to: str | Path,
        *,
        fields: Sequence[str] = (),
        progress: Callable[[int], None] = silent,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Exported:
        """
        Write the contacts in a segment to a `.csv` or `.parquet` file here, whole or not at all.

        *progress* is told how many are written.
        """
        path = Path(to)
        is_csv(path)
        schema = await self.schema(timeout=timeout)
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_ARROW,
            fields=fields,
            limit=0,
        )
        text = self._requests.text_of(query)
        stream = self._stream(methods.STREAM_MEMBERS, request, timeout)
        info: Info = self._requests.info((await anext(stream)).info)
        reader = decode.ArrowReader()
        first: list[pa.RecordBatch] = []
        while reader.schema is None:
            first += reader.feed(await anext(stream))
        columns = reader.schema
        about = segment_document(self._requests.workspace, text, info, columns.names[1:])
        with MemberFile(path, schema.id_column, columns, about) as file:
            for batch in first:
                file.write(batch)
                progress(file.count)
            async for message in stream:
                for batch in reader.feed(message):
                    file.write(batch)
                    progress(file.count)
        return Exported(file.count, info)


async def _batches(
    first: list[pa.RecordBatch],
    reader: decode.ArrowReader,
    stream: AsyncIterator[audiences_pb2.ResolveResponse],
) -> AsyncIterator[pa.RecordBatch]:
    for batch in first:
        yield batch
    async for message in stream:
        for batch in reader.feed(message.members):
            yield batch
