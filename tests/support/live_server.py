"""A server over a data folder that is written to, as `headcount serve` runs it, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headcount.care import workspaces
from headcount.model.schema import Schema
from headcount.rpc.app import Server
from headcount.rpc.clock import now
from headcount.rpc.config import load
from headcount.rpc.workspaces import open_workspaces
from headcount.storage.folder import WriterLock
from support.serving import LogStream, Served


def make_folder(path: Path, schema: Schema) -> Path:
    """Make a data folder with an empty workspace."""
    with WriterLock(path) as lock:
        workspaces.create(path, "default", schema, lock, epoch=7)
    return path


@contextmanager
def live_served(folder: Path, **flags: object) -> Iterator[Served]:
    """Enter a block with a server of *folder*; `calls__queries=3` sets `calls.queries`."""
    settings: dict[str, object] = {"server.listen": "127.0.0.1:0", "server.grace_seconds": 5.0}
    settings |= {name.replace("__", "."): value for name, value in flags.items()}
    config = load(flags=settings)
    stream = LogStream()
    with WriterLock(folder) as lock:
        opened = open_workspaces(folder, lock, clock=now, settings=config.writes.writer())
        server = Server(config, opened, stream)
        server.start()
        try:
            yield Served(server, stream)
        finally:
            server.stop()
            opened.close()
