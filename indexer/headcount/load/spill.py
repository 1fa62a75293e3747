"""
Tables waiting for their block: in memory up to a budget, beyond it in a temporary file.

A load meets contacts and events in the files' order, and builds blocks one after the other once all
is read. What belongs to a block waits here by its kind. When what waits is more than the budget,
all of it is appended to one file, each kind's part as an Arrow stream:

    block 0, contacts          [(0, 8192), (20480, 8192), table, table]    in the order of adding
    block 0, events, purchase  [(8192, 12288), table]

One file, so that hundreds of blocks and event types need one descriptor. It is unlinked as soon as
it is open, so it is gone however the process ends.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable, Mapping
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.storage import files

DEFAULT_BUDGET = 256 << 20
_NAME = ".spill"

Kind = tuple[Hashable, ...]
_Key = tuple[int, Kind]
_Stretch = tuple[int, int]  # offset and length in the file


class Spill:
    """Tables by block and kind, in the order they were added; those of one kind share a schema."""

    def __init__(self, folder: Path, budget: int = DEFAULT_BUDGET) -> None:
        self._path = folder / _NAME
        self._budget = budget
        self._held = 0
        self._waiting: defaultdict[_Key, list[pa.Table]] = defaultdict(list)
        self._written: defaultdict[_Key, list[_Stretch]] = defaultdict(list)
        self._descriptor = -1
        self._end = 0

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of everything."""
        self._waiting.clear()
        self._written.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def add(self, block: int, kind: Kind, table: pa.Table) -> None:
        """Add *table* to what waits for *block*."""
        if table.num_rows:
            self._waiting[block, kind].append(table)
            self._held += table.nbytes
            if self._held > self._budget:
                self._flush()

    def read(self, block: int, kind: Kind) -> list[pa.Table]:
        """Return the tables that wait for *block*, in the order they were added."""
        written = self._written.get((block, kind), ())
        return [*map(self._read, written), *self._waiting.get((block, kind), ())]

    def kinds(self, block: int) -> list[Kind]:
        """Return the kinds of which something waits for *block*, in the order they first came."""
        keys = dict.fromkeys([*self._written, *self._waiting])
        return [kind for of, kind in keys if of == block]

    def blocks(self) -> set[int]:
        """Return the blocks that something waits for."""
        return {block for block, _ in [*self._written, *self._waiting]}

    def drop(self, block: int) -> None:
        """Forget what waits for *block*."""
        for kind in self.kinds(block):
            self._held -= sum(table.nbytes for table in self._waiting.pop((block, kind), ()))
            self._written.pop((block, kind), None)

    def _flush(self) -> None:
        with files.explained(self._path, files.UNCHANGED):
            if self._descriptor < 0:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
                os.unlink(self._path)
            with open(self._descriptor, "wb", closefd=False) as file:
                for key, tables in self._waiting.items():
                    start = self._end
                    with pa.ipc.new_stream(file, tables[0].schema) as writer:
                        for table in tables:
                            writer.write_table(table)
                    self._end = file.tell()
                    self._written[key].append((start, self._end - start))
        self._waiting.clear()
        self._held = 0

    def _read(self, stretch: _Stretch) -> pa.Table:
        offset, length = stretch
        data = bytearray(length)
        view, done = memoryview(data), 0
        with files.explained(self._path, files.UNCHANGED):
            while done < length:  # one call reads at most 2 GiB
                count = os.preadv(self._descriptor, [view[done:]], offset + done)
                assert count, "the temporary file is shorter than what was written to it"
                done += count
        with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
            return reader.read_all()


def spread(
    spill: Spill,
    kind: Kind,
    ordinals: npt.NDArray[np.int64],
    columns: Mapping[str, pa.Array],
    block_rows: int,
) -> None:
    """
    Add rows to what waits for their blocks, in order.

    *columns* hold the values of the contacts with *ordinals*; a column `row` is added, the place in
    the block.
    """
    if not len(ordinals):
        return
    blocks, rows = np.divmod(ordinals, block_rows)
    table = pa.table({"row": pa.array(rows.astype(np.uint32)), **columns})
    if (blocks == blocks[0]).all():
        spill.add(int(blocks[0]), kind, table)
        return
    order = np.argsort(blocks, kind="stable")
    table, blocks = table.take(pa.array(order)), blocks[order]
    found, starts = np.unique(blocks, return_index=True)
    for block, start, stop in zip(found, starts, [*starts[1:], len(blocks)], strict=True):
        spill.add(int(block), kind, table.slice(start, stop - start))
