"""
Tables waiting for their block: in memory up to a budget, beyond it in a temporary file.

A load meets contacts and events in the files' order, and builds blocks one after the other once all
is read. What belongs to a block waits here under a key of that block. When what waits is more than
the budget, all of it is appended to one file, each key's part as an Arrow stream:

    key A → [(0, 8192), (20480, 8192), table, table]     pieces in the order they were added
    key B → [(8192, 12288), table]

One file, so that hundreds of blocks and event types need one descriptor. It is unlinked as soon as
it is open, so it is gone however the process ends.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from headcount.storage import files

DEFAULT_BUDGET = 256 << 20
_NAME = ".spill"

_Stretch = tuple[int, int]  # offset and length in the file


class Spill:
    """Tables by key, in the order they were added; those of one key share a schema."""

    def __init__(self, folder: Path, budget: int = DEFAULT_BUDGET) -> None:
        self._path = folder / _NAME
        self._budget = budget
        self._held = 0
        self._waiting: defaultdict[Hashable, list[pa.Table]] = defaultdict(list)
        self._written: defaultdict[Hashable, list[_Stretch]] = defaultdict(list)
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

    def add(self, key: Hashable, table: pa.Table) -> None:
        """Add *table* to what waits under *key*."""
        if table.num_rows:
            self._waiting[key].append(table)
            self._held += table.nbytes
            if self._held > self._budget:
                self._flush()

    def read(self, key: Hashable) -> list[pa.Table]:
        """Return the tables that wait under *key*, in the order they were added."""
        return [*map(self._read, self._written.get(key, ())), *self._waiting.get(key, ())]

    def drop(self, key: Hashable) -> None:
        """Forget what waits under *key*."""
        self._held -= sum(table.nbytes for table in self._waiting.pop(key, ()))
        self._written.pop(key, None)

    def keys(self) -> set[Hashable]:
        """Return the keys that something waits under."""
        return self._waiting.keys() | self._written.keys()

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
