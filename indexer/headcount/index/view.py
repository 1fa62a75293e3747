"""
A view: an immutable look at a workspace at one version. All that a reader ever holds.

The writer makes a new view for every batch it publishes, sharing the blocks that the batch did not
touch. A reader takes the current view once and uses it to the end, so it sees all of a batch or
none of it, without a lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index.block import BLOCK_ROWS, Block
from headcount.index.keywords import KeywordsIndex
from headcount.model.schema import Schema


@dataclass(frozen=True, order=True, slots=True)
class Version:
    """
    Which state of a workspace was read.

    `sequence` rises with every published batch; `epoch` changes when a workspace is created or
    restored, so that a sequence from before is not taken for one of now.
    """

    epoch: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.sequence}"


@dataclass(frozen=True)
class View:
    """The blocks of a workspace in ordinal order, their schema, and the version they are at."""

    schema: Schema
    blocks: tuple[Block, ...]
    version: Version
    block_rows: int = BLOCK_ROWS

    @cached_property
    def live_count(self) -> int:
        """The number of contacts."""
        return sum(len(block.live) for block in self.blocks)

    @cached_property
    def labels(self) -> frozenset[str]:
        """Every label declared in the schema or seen on a contact, in its own spelling."""
        seen: set[str] = set()
        for block in self.blocks:
            index = block.fields["label"]
            assert isinstance(index, KeywordsIndex)
            seen.update(index.distinct_values())
        return frozenset(seen | set(self.schema.labels))

    @cached_property
    def lists(self) -> frozenset[str]:
        """Every list declared in the schema or seen on a contact, in its own spelling."""
        joined = {v for block in self.blocks for v in block.lists.distinct_values()}
        left = {v for block in self.blocks for v in block.opted_out.distinct_values()}
        return frozenset(joined | left | set(self.schema.lists))

    def lookup(self, ids: pa.StringArray) -> npt.NDArray[np.int64]:
        """Return the ordinal of each id, as int64[n]; -1 where there is no such live contact."""
        found = np.full(len(ids), -1, dtype=np.int64)
        for block in self.blocks:
            rows = block.ids.lookup(ids)
            hit = rows >= 0
            if len(block.live) != block.rows:
                live = np.fromiter((r in block.live for r in rows[hit].tolist()), np.bool_)
                hit[hit] = live
            found[hit] = rows[hit] + block.number * self.block_rows
        return found

    def check(self) -> Iterator[str]:
        """Yield a sentence for each thing that is not as it must be, naming block and structure."""
        for place, block in enumerate(self.blocks):
            if block.number != place:
                yield f"block {block.number} stands in place {place}"
            if block.rows > self.block_rows:
                yield f"block {block.number}: {block.rows} rows, the limit is {self.block_rows}"
            if place < len(self.blocks) - 1 and block.rows != self.block_rows:
                yield f"block {block.number}: {block.rows} rows, but only the last may be short"
            for message in block.check():
                yield f"block {block.number}, {message}"
            for other in self.blocks[:place]:
                twice = np.flatnonzero(other.ids.lookup(block.ids.array) >= 0)
                if len(twice):
                    yield (
                        f"block {block.number}, ids: {len(twice)} of them also in block"
                        f" {other.number}, the first in row {twice[0]}"
                    )
