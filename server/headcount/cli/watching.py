"""The commands about watches: `watch`, which follows, and `watches`, which keeps them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from headcount.answers_watch import NamedWatch, Told
from headcount.cli.options import OutputFormat, Segment, Server, TimeZone, WorkspaceName, asked
from headcount.cli.output import Format, columns, note, write_document, write_lines, write_rows
from headcount.client import Client
from headcount.segments.watch.transitions import Reentry, Settings

app = typer.Typer(
    help="Keep watches under names, which also deliver to an endpoint.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the watch.")]
Seed = Annotated[
    bool, typer.Option("--seed", help="Tell of those who are members already as entering.")
]
ReentryRule = Annotated[
    Reentry, typer.Option("--reentry", help="Whether a contact that left may enter again.")
]
Pause = Annotated[
    float, typer.Option("--pause", metavar="SECONDS", help="With --reentry after: not before.")
]


@contextmanager
def _server(server: str | None, workspace: str) -> Iterator[Client]:
    server = server or os.environ.get("HEADCOUNT_SERVER")
    if server is None:
        raise typer.BadParameter("a watch runs in a server: say which with --server HOST:PORT")
    with Client(server, workspace=workspace) as client:
        yield client


def watch(
    segment: Annotated[
        str | None, typer.Argument(metavar="[SEGMENT]", help="Text or JSON; or use --name.")
    ] = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="A watch that has a name.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TOKEN", help="Go on behind it.")
    ] = None,
    seed: Seed = False,
    reentry: ReentryRule = Reentry.ALWAYS,
    pause: Pause = 0.0,
    time_zone: TimeZone = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Stop after so many transitions.")
    ] = 0,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print a line for each contact that enters or leaves, until it is interrupted."""
    if (segment is None) == (name is None):
        raise typer.BadParameter("say what to watch: a SEGMENT, or --name (one of them)")
    settings = _settings(seed, reentry, pause)
    query = None if segment is None else asked(segment)
    if output is Format.CSV:
        write_rows(["number", "at", "kind", "contact", "reason", "token"], ())
    left, token = limit, ""
    with _server(server, workspace) as client:
        stream = client.watch(query, name=name, token=from_, settings=settings, time_zone=time_zone)
        try:
            for told in stream:
                told = _first(told, left) if limit else told
                token = told.token
                _write(told, output)
                left -= len(told.transitions)
                if limit and left <= 0:
                    break
        finally:
            if token:
                note(f"go on with --from {token}")


def _first(told: Told, left: int) -> Told:
    return Told(told.transitions[:left], told.token, told.instant, told.version)


def _write(told: Told, output: Format) -> None:
    for one in told.transitions:
        if output is Format.JSON:
            write_document({
                "number": one.number,
                "contact": one.contact,
                "kind": one.kind,
                "reason": one.reason,
                "at": one.at,
                "version": str(one.version),
                "token": told.token,
            })  # fmt: skip
        elif output is Format.CSV:
            write_rows(None, [[one.number, one.at, one.kind, one.contact, one.reason, told.token]])
        else:
            write_lines([columns(one.at, one.kind, one.contact, one.reason)])
    sys.stdout.flush()


def _settings(seed: bool, reentry: Reentry, pause: float) -> Settings:
    return Settings(seed, reentry, round(pause * 1_000_000))


@app.command()
def create(
    name: Name,
    segment: Segment,
    server: Server = None,
    workspace: WorkspaceName = "default",
    seed: Seed = False,
    reentry: ReentryRule = Reentry.ALWAYS,
    pause: Pause = 0.0,
    time_zone: TimeZone = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="URL", help="POST transitions there as JSON."),
    ] = None,
    secret: Annotated[
        str,
        typer.Option(
            "--secret",
            metavar="KEY",
            envvar="HEADCOUNT_WEBHOOK_SECRET",
            help="Signs what is delivered.",
        ),
    ] = "",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Make a watch that lasts."""
    where = None if endpoint is None else (endpoint, secret)
    settings = _settings(seed, reentry, pause)
    with _server(server, workspace) as client:
        made = client.create_watch(
            name, asked(segment), settings=settings, time_zone=time_zone, endpoint=where
        )
    _write_watches([made], output)


@app.command("list")
def list_(
    server: Server = None,
    workspace: WorkspaceName = "default",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print the watches that have a name."""
    with _server(server, workspace) as client:
        found: list[NamedWatch] = []
        token = ""
        while True:
            page = client.list_watches(page_token=token)
            found += page.watches
            token = page.next_token
            if not token:
                break
    _write_watches(found, output)


@app.command()
def delete(name: Name, server: Server = None, workspace: WorkspaceName = "default") -> None:
    """Remove a watch with all that it kept."""
    with _server(server, workspace) as client:
        client.delete_watch(name)


@app.command()
def dead(
    name: Name,
    server: Server = None,
    workspace: WorkspaceName = "default",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print what the endpoint of a watch did not take."""
    with _server(server, workspace) as client:
        letters = client.dead_letters(name)
    header = ["id", "first", "last", "attempts", "at", "error"]
    rows = [[one.id, one.first, one.last, one.attempts, one.at, one.error] for one in letters]
    if output is Format.JSON:
        for row in rows:
            write_document(dict(zip(header, row, strict=True)))
    elif output is Format.CSV:
        write_rows(header, rows)
    else:
        write_lines(
            columns(one.id, f"{one.first} to {one.last}", f"{one.attempts} attempts", one.error)
            for one in letters
        )


@app.command()
def redeliver(
    name: Name,
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="[ID]...", help="Which; all if none is given.")
    ] = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
) -> None:
    """Send dead letters once more, now."""
    with _server(server, workspace) as client:
        found = client.redeliver(name, ids or ())
    write_lines([f"{found.delivered} delivered, {found.left} left"])


def _write_watches(watches: list[NamedWatch], output: Format) -> None:
    if output is Format.JSON:
        for one in watches:
            write_document({
                "name": one.name,
                "text": one.text,
                "time_zone": one.time_zone,
                "size": one.size,
                "number": one.number,
                "token": one.token,
                "seed": one.settings.seed,
                "reentry": one.settings.reentry,
                "pause_seconds": one.settings.pause / 1e6,
                "fault": one.fault,
                "endpoint": one.endpoint,
                "delivered": one.delivered,
                "exact": one.exact,
                "created_at": one.created_at,
            })  # fmt: skip
    elif output is Format.CSV:
        header = ["name", "text", "size", "number", "token", "fault", "endpoint", "delivered"]
        write_rows(
            header,
            (
                [w.name, w.text, w.size, w.number, w.token, w.fault, w.endpoint, w.delivered]
                for w in watches
            ),
        )
    else:
        write_lines(columns(w.name, w.size, w.fault or w.text) for w in watches)
