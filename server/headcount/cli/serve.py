"""The commands that serve: `serve`, and `demo`, which makes something to serve first."""

from __future__ import annotations

import datetime as dt
import os
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import headcount.rpc.before_grpc  # noqa: F401
from headcount.allocator import keep_freed_memory, set_aside_imports
from headcount.cli.loading import load_files
from headcount.cli.output import errors, note
from headcount.client import Client
from headcount.load import synthetic
from headcount.query.results import Results
from headcount.query.workers import Workers
from headcount.rpc import config
from headcount.rpc.app import Server
from headcount.rpc.clock import now
from headcount.rpc.workspaces import open_workspaces
from headcount.storage.folder import WriterLock
from headcount.storage.manifest import list_workspaces

# What the demo counts; each line shows another part of the language.
DEMO_SEGMENTS = (
    "plan = Pro and country in (US, DE, GB)",
    "total_spent > $500 and vip = true",
    'status = "Active" and label contains "newsletter"',
    "opened in last 30 days",
    "opened >= 3 emails in last 30 days and clicked in last 14 days",
    "did purchase where (category = Books and amount > 20) at least 2 times in last 1 year",
    'did page_view where (page = "pricing") in last 7 days and never did purchase',
    "did purchase and did not engaged in last 60 days",
    "anniversary(birthday) within next 7 days",
    'in list "newsletter" and not opted out of list "newsletter"',
    '(country = FR or city starts with "DE") and plan != Free and last_open > 90 days ago',
    'email contains "tanaka" and stage >= Customer',
)


def serve(
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The data folder to serve.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Where to listen; 127.0.0.1:7070."),
    ] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings as TOML.")
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option("--insecure", help="Allow an address that other machines can reach."),
    ] = False,
    metrics: Annotated[
        str | None,
        typer.Option("--metrics", metavar="HOST:PORT", help="Serve Prometheus metrics there."),
    ] = None,
) -> None:
    """Serve a data folder over gRPC until SIGTERM or Ctrl-C; then finish the calls under way."""
    settings = config.load(
        config_file,
        os.environ,
        {
            "server.data": None if data is None else str(data),
            "server.listen": listen,
            "server.insecure": True if insecure else None,
            "server.metrics": metrics,
        },
    )
    if not settings.server.data:
        raise typer.BadParameter("say what to serve: --data DIR, or [server] data in --config")
    folder = Path(settings.server.data)
    list_workspaces(folder)  # before the lock, which would make a folder that is not there
    keep_freed_memory()
    set_aside_imports()
    with WriterLock(folder) as lock:
        results = Results(settings.memory.results_bytes if settings.memory.remember else 0)
        workspaces = open_workspaces(
            folder,
            lock,
            results,
            now,
            settings.writes.writer(),
            settings.watches.watcher(),
            Workers(settings.calls.query_threads),
        )
        try:
            status = Server(settings, workspaces).run()
        finally:
            workspaces.close()
    if status:
        raise typer.Exit(status)


def demo(
    contacts: Annotated[
        int, typer.Option("--contacts", min=1, help="How many contacts; ten events each.")
    ] = 1_000_000,
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Where to keep the demo's data.")
    ] = Path("demo-data"),
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="Where to listen.")
    ] = "127.0.0.1:7070",
    once: Annotated[
        bool, typer.Option("--once", help="Show the counts once and leave, without serving on.")
    ] = False,
) -> None:
    """Make a realistic workspace, start the server, print live counts and how to go on."""
    folder = data / f"{contacts}-contacts"
    if not (folder / "manifest.json").exists():
        note(f"Making {contacts:,} contacts and {10 * contacts:,} events of a shop ...")
        files = synthetic.generate(
            data / "files", contacts=contacts, events=10 * contacts, now=dt.datetime.now(dt.UTC)
        )
        load_files(
            folder,
            schema=files.schema,
            contacts=[files.contacts],
            events=[files.events],
            lists=[files.lists],
        )
    settings = config.load(None, {}, {"server.listen": listen, "log.level": "warning"})
    keep_freed_memory()
    set_aside_imports()
    with WriterLock(folder) as lock:
        started = time.perf_counter()
        workspaces = open_workspaces(folder, lock, clock=now)
        server = Server(settings, workspaces)
        note(f"Opened in {time.perf_counter() - started:.1f} s.")
        server.start()
        try:
            errors.print(counts(server.address))
            note(_how_to_go_on(server.address, folder))
            if not once:
                note("Serving. Ctrl-C ends it.")
                server.wait()
        finally:
            server.stop()
            workspaces.close()


def counts(address: str) -> Table:
    """Return a table of the demo's segments, counted by the server at *address*, and how fast."""
    table = Table("segment", title="Counted over gRPC, by the server's clock", title_justify="left")
    table.add_column("contacts", justify="right")
    table.add_column("first", justify="right")
    table.add_column("again", justify="right")
    with Client(address) as client:
        for segment in DEMO_SEGMENTS:
            first = client.answer(segment)
            again = client.answer(segment)
            table.add_row(
                segment,
                f"{again.count:,}",
                f"{first.info.elapsed * 1000:.2f} ms",
                f"{again.info.elapsed * 1000:.2f} ms",
            )
    return table


def _how_to_go_on(address: str, folder: Path) -> str:
    return f"""
Ask it yourself, from another terminal:

  headcount count   --server {address} 'plan = Pro and opened in last 7 days'
  headcount members --server {address} 'total_spent > 900' --limit 5 --fields email,plan
  headcount validate --server {address} 'contry = DE'
  headcount stats   --server {address}

or without a server:

  headcount count --data {folder} 'did purchase at least 3 times in last 90 days'

(`headcount` is in .venv/bin after `make demo`.)
"""
