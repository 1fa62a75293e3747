"""
Tables waiting for their block: in memory up to a budget, beyond it in a temporary file.

A load meets contacts and events in the files' order, and builds blocks one after the other once all
is read. What belongs to a block waits here by its kind. When what waits is more than the budget,
all of it is appended to files, each kind's part as an Arrow stream:

    block 0, contacts          [(0, 8192), (20480, 8192), table, table]    in the order of adding
    block 0, events, purchase  [(8192, 12288), table]

A file for every sixteen blocks, so that hundreds of blocks and event types need few descriptors,
and room on the disk comes free while the blocks are written elsewhere. Files are unlinked as soon
as they are open, so they are gone however the process ends. What is in them is packed with LZ4, to
half its size: 100M contacts with 200M events are 25 GB in memory's form. Another thread packs and
writes, while as much again may be added; what it meets is raised by whoever next asks or adds.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.storage import files

DEFAULT_BUDGET = 256 << 20
_NAME = ".spill"
_GROUP = 16  # blocks in a file
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")

Kind = tuple[Hashable, ...]
_Key = tuple[int, Kind]
_Stretch = tuple[int, int]  # offset and length in the file


@dataclass(slots=True)
class _File:
    """A file that has no name any more, and how long it is."""

    descriptor: int
    end: int = 0


class Spill:
    """Tables by block and kind, in the order they were added; those of one kind share a schema."""

    def __init__(self, folder: Path, budget: int = DEFAULT_BUDGET) -> None:
        self._path = folder / _NAME
        self._budget = budget
        self._held = 0
        self._waiting: defaultdict[_Key, list[pa.Table]] = defaultdict(list)
        self._written: defaultdict[_Key, list[_Stretch]] = defaultdict(list)
        self._files: dict[int, _File] = {}  # by group of blocks
        self._writer = ThreadPoolExecutor(1, "spill")
        self._writing: Future[list[tuple[_Key, _Stretch]]] | None = None

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
        self._writer.shutdown()
        self._waiting.clear()
        self._written.clear()
        while self._files:
            os.close(self._files.popitem()[1].descriptor)

    def add(self, block: int, kind: Kind, table: pa.Table) -> None:
        """Add *table* to what waits for *block*."""
        if table.num_rows:
            self._waiting[block, kind].append(table)
            self._held += table.nbytes
            if self._held > self._budget:
                self._flush()

    def read(self, block: int, kind: Kind) -> list[pa.Table]:
        """Return the tables that wait for *block*, in the order they were added."""
        self._written_down()
        written = self._written.get((block, kind), ())
        file = self._files.get(block // _GROUP)
        found = [_read(self._path, file.descriptor, at) for at in written] if file else []
        return [*found, *self._waiting.get((block, kind), ())]

    def kinds(self, block: int) -> list[Kind]:
        """Return the kinds of which something waits for *block*, in the order they first came."""
        self._written_down()
        keys = dict.fromkeys([*self._written, *self._waiting])
        return [kind for of, kind in keys if of == block]

    def blocks(self) -> set[int]:
        """Return the blocks that something waits for."""
        self._written_down()
        return {block for block, _ in [*self._written, *self._waiting]}

    def drop(self, block: int) -> None:
        """Forget what waits for *block*, and let go of a file of which all is forgotten."""
        for kind in self.kinds(block):
            self._held -= sum(table.nbytes for table in self._waiting.pop((block, kind), ()))
            self._written.pop((block, kind), None)
        group = block // _GROUP
        if group in self._files and all(of // _GROUP != group for of, _ in self._written):
            os.close(self._files.pop(group).descriptor)

    def _flush(self) -> None:
        """Have all that waits in memory written, once what was before is."""
        self._written_down()
        waiting, self._waiting = self._waiting, defaultdict(list)
        self._held = 0
        self._writing = self._writer.submit(self._write, waiting)

    def _written_down(self) -> None:
        """Wait until all that was to be written is, and remember where; raise what went wrong."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            for key, stretch in writing.result():
                self._written[key].append(stretch)

    def _write(self, waiting: Mapping[_Key, list[pa.Table]]) -> list[tuple[_Key, _Stretch]]:
        groups = defaultdict(list)
        for key, tables in waiting.items():
            groups[key[0] // _GROUP].append((key, tables))
        found: list[tuple[_Key, _Stretch]] = []
        with files.explained(self._path, files.UNCHANGED):
            for group, members in groups.items():
                if group not in self._files:
                    self._files[group] = _File(_unlinked(self._path))
                found += _append(self._files[group], members)
        return found


def _append(
    to: _File, waiting: list[tuple[_Key, list[pa.Table]]]
) -> Iterator[tuple[_Key, _Stretch]]:
    with open(to.descriptor, "wb", closefd=False) as file:
        for key, tables in waiting:
            start = to.end
            with pa.ipc.new_stream(file, tables[0].schema, options=_PACKED) as writer:
                for table in tables:
                    writer.write_table(table)
            to.end = file.tell()
            yield key, (start, to.end - start)


def _unlinked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    os.unlink(path)
    return descriptor


def _read(path: Path, descriptor: int, stretch: _Stretch) -> pa.Table:
    offset, length = stretch
    data = bytearray(length)
    view, done = memoryview(data), 0
    with files.explained(path, files.UNCHANGED):
        while done < length:  # one call reads at most 2 GiB
            count = os.preadv(descriptor, [view[done:]], offset + done)
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
