"""
The blocks that a load touched, built one after the other from what is stored and what waits.

Two blocks are in memory at a time: one whose parts are being written, and the tables, then the
indexes, of the next. Indexes are built by two threads, most of whose work numpy and Arrow do while
the interpreter is free.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.parts import Part
from headcount.index.workspace import open_block
from headcount.load.ahead import ahead
from headcount.load.assemble import EventTables, contacts_table
from headcount.load.known_ids import KnownIds
from headcount.load.progress import Progress, Step
from headcount.load.spill import Spill
from headcount.model.schema import Schema
from headcount.storage.snapshot import Snapshot

_THREADS = 2


class Blocks:
    """
    What a load makes of a workspace's blocks, once all files are read.

    `touched` are built anew, `unchanged` copied. `repeats` counts the events dropped for their id
    in the blocks built so far.
    """

    def __init__(
        self,
        schema: Schema,
        stored: Snapshot | None,
        known: KnownIds,
        spill: Spill,
        block_rows: int,
    ) -> None:
        self._schema = schema
        self._stored = stored
        self._known = known
        self._spill = spill
        self._block_rows = block_rows
        self._before = () if stored is None else stored.block_numbers
        self.touched = sorted(spill.blocks())
        self.unchanged = sorted(set(self._before) - set(self.touched))
        self.repeats = 0

    def built(self, progress: Progress) -> Iterator[tuple[int, Iterator[Part]]]:
        """Yield each touched block with its parts, ascending; takes what waits for it."""
        total = len(self.touched)
        progress(Step("building", 0, 0, total))
        pool = ThreadPoolExecutor(_THREADS, "build")
        try:
            begun = (self._begun(number, pool) for number in self.touched)
            for done, (block, events) in enumerate(ahead(begun), 1):
                yield block.number, block.parts()
                self.repeats += sum(events.repeats.values())
                self._spill.drop(block.number)
                progress(Step("building", done, done, total))
        finally:
            pool.shutdown(cancel_futures=True)

    def _begun(self, number: int, pool: Executor) -> tuple[Block, EventTables]:
        """Return block *number*, whose indexes the *pool* makes, and where their events are."""
        before = None
        if self._stored is not None and number in self._before:
            before = open_block(self._stored, number, self._schema)
        start = number * self._block_rows
        ids = self._known.between(start, min(start + self._block_rows, self._known.count))
        contacts = contacts_table(number, before, ids, self._spill, self._schema)
        events = EventTables(number, before, self._spill, self._schema)
        live = None
        if before is not None and len(before.live) < before.rows:
            live = before.live | bitmaps.full(len(ids)) - bitmaps.full(before.rows)
        return Block.build(number, contacts, events, self._schema, live, pool), events
