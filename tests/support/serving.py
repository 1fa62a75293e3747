"""Servers for tests: on a port of their own, over an engine whose answers a test decides."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
from pyroaring import BitMap

from headcount.index.block import Block
from headcount.index.view import Version, View
from headcount.live.commit import Writer
from headcount.model.schema import Schema
from headcount.query.context import QueryContext
from headcount.query.engine import Counted, Engine, Query
from headcount.query.results import Results
from headcount.rpc.app import Server
from headcount.rpc.config import load
from headcount.rpc.workspaces import Workspaces
from headcount.segments.keeper import Keeper
from headcount.segments.store import SavedSegments

EMPTY_VIEW = View(Schema(), (), Version(epoch=3, sequence=14), block_rows=64)


@cache
def full_block() -> tuple[Block, BitMap]:
    """Return a block of 50,000 contacts, and all of its rows, as an engine finds them."""
    ids = pa.array([f"contact-{row:08}" for row in range(50_000)])
    block = Block.build(0, pa.table({"id": ids}), {}, Schema())
    return block, block.live


class ScriptedEngine(Engine):
    """An engine over nobody, whose counts and members are whatever a test says."""

    def __init__(
        self,
        count: Callable[[QueryContext], int] | None = None,
        members: Callable[[QueryContext], Iterator[tuple[Block, BitMap]]] | None = None,
    ) -> None:
        super().__init__(EMPTY_VIEW)
        self._count = count
        self._members = members

    def count(self, query: Query, context: QueryContext) -> Counted:
        """Return what the script says, after what a real engine does first."""
        found = super().count(query, context)
        return found if self._count is None else Counted(self._count(context), found.warnings)

    def size(self, query: Query, context: QueryContext, results: Results | None = None) -> int:
        """Return what `count` does."""
        del results
        return self.count(query, context).count

    def counter(self, query: Query, context: QueryContext) -> Callable[[], int] | None:
        """Return what `count` does, every time it is asked."""
        return None if self._count is None else lambda: self.count(query, context).count

    def members(
        self, query: Query, context: QueryContext, first_block: int = 0
    ) -> Iterator[tuple[Block, BitMap]]:
        """Yield what the script says, after what a real engine does first."""
        found = super().members(query, context, first_block)
        return found if self._members is None else self._members(context)


class LogStream(io.StringIO):
    """What a server logs. The lines of calls come after their answers: `calls` waits for them."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()
        self._held = threading.Event()
        self._held.set()

    def write(self, text: str) -> int:
        """Take a line; that of a call once it is not held."""
        if '"event": "call"' in text:
            assert self._held.wait(20)
        with self._written:
            self._written.notify_all()
            return super().write(text)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Enter a block in which no line of a call can be written."""
        self._held.clear()
        try:
            yield
        finally:
            self._held.set()

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines so far."""
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def calls(self, count: int) -> list[dict[str, Any]]:
        """Return the lines of calls once there are *count*."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines() if line["event"] == "call"]

        with self._written:
            assert self._written.wait_for(lambda: len(found()) >= count, timeout=20)
            return found()


@dataclass(frozen=True)
class Served:
    """A running server, and what it has logged."""

    server: Server
    stream: LogStream

    @property
    def address(self) -> str:
        """Return where it listens."""
        return self.server.address

    @property
    def log(self) -> list[dict[str, Any]]:
        """Return the lines of its log so far."""
        return self.stream.lines()


@contextmanager
def served(
    engine: Engine | None = None,
    *,
    store: SavedSegments | None = None,
    writer: Writer | None = None,
    **flags: object,
) -> Iterator[Served]:
    """Enter a block with a server; `calls__queries=3` sets `calls.queries`."""
    settings: dict[str, object] = {"server.listen": "127.0.0.1:0", "server.grace_seconds": 5.0}
    settings |= {name.replace("__", "."): value for name, value in flags.items()}
    stream = LogStream()
    writers = {} if writer is None else {"default": writer}
    current = None if writer is None else lambda: writer.view
    keeper = Keeper(engine or Engine(EMPTY_VIEW), store, current)
    workspaces = Workspaces({"default": keeper}, writers)
    server = Server(load(flags=settings), workspaces, stream)
    server.start()
    try:
        yield Served(server, stream)
    finally:
        server.stop()


class Gate:
    """Lets a test hold calls in the engine, and count those that have come."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._came = threading.Semaphore(0)

    def wait(self, context: QueryContext) -> int:
        """Wait until the gate is opened, as long as the call goes on; return 7."""
        self._came.release()
        while not self._open.wait(0.01):
            context.check()
        return 7

    def await_calls(self, count: int) -> None:
        """Return when *count* more calls have come to the gate."""
        for _ in range(count):
            assert self._came.acquire(timeout=20)

    def open(self) -> None:
        """Let all calls through."""
        self._open.set()
