"""
Those who may be sent to: the funnel at once, and then the contacts, from the same view.

They can be read once. What is read comes in batches as it is needed, so an audience of millions is
never held as a whole; over a network, the stream ends when it has been read or let go.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pyarrow as pa

from headcount.answers import Info
from headcount.segments.audience import Funnel


class Sendable:
    """
    An audience's `funnel`, and its contacts: iterated, lists of ids.

    `columns` are the names and types of `batches`: the id, then the chosen fields.
    """

    def __init__(
        self,
        funnel: Funnel,
        info: Info,
        batches: Iterator[pa.RecordBatch],
        columns: pa.Schema,
    ) -> None:
        self.funnel = funnel
        self.columns = columns
        self.info = info
        self._batches = batches

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the ids and the chosen fields as Arrow record batches."""
        return self._batches

    def __iter__(self) -> Iterator[list[str]]:
        for batch in self._batches:
            yield batch.column(0).to_pylist()


class AsyncSendable:
    """The same for asyncio: iterated with `async for`, lists of ids."""

    def __init__(
        self,
        funnel: Funnel,
        info: Info,
        batches: AsyncIterator[pa.RecordBatch],
        columns: pa.Schema,
    ) -> None:
        self.funnel = funnel
        self.columns = columns
        self.info = info
        self._batches = batches

    def batches(self) -> AsyncIterator[pa.RecordBatch]:
        """Yield the ids and the chosen fields as Arrow record batches."""
        return self._batches

    async def __aiter__(self) -> AsyncIterator[list[str]]:
        async for batch in self._batches:
            yield batch.column(0).to_pylist()
