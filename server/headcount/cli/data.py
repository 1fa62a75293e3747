"""The commands about data: `load`, `stats`, `check`."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from headcount.cli.caring import read_schema
from headcount.cli.options import Data, OutputFormat, Server, WorkspaceName
from headcount.cli.output import (
    Format,
    complain,
    counted,
    note,
    size,
    write_document,
    write_lines,
    write_rows,
)
from headcount.cli.progress import shown_progress
from headcount.cli.target import opened
from headcount.embedded_folder import check as check_folder
from headcount.index.block import BLOCK_ROWS
from headcount.index.stats import Stats
from headcount.load.infer import Proposal
from headcount.load.loader import load as load_into
from headcount.load.summary import LoadSummary
from headcount.query.bind import check_schema
from headcount.storage.manifest import list_workspaces

Files = list[Path]


def load(
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", help="The data folder; made if it is not there."),
    ],
    schema: Annotated[
        Path | None, typer.Option("--schema", metavar="FILE", help="The schema, as TOML.")
    ] = None,
    contacts: Annotated[
        Files | None, typer.Option("--contacts", metavar="FILE", help="One row a contact.")
    ] = None,
    events: Annotated[
        Files | None, typer.Option("--events", metavar="FILE", help="One row an event.")
    ] = None,
    lists: Annotated[
        Files | None, typer.Option("--lists", metavar="FILE", help="One row a list membership.")
    ] = None,
    workspace: WorkspaceName = "default",
    infer: Annotated[
        bool, typer.Option("--infer", help="Propose types for columns the schema does not have.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first refused row, and load nothing.")
    ] = False,
    create_contacts: Annotated[
        bool, typer.Option("--create-contacts", help="Create contacts that only events name.")
    ] = False,
    rejects: Annotated[
        Path, typer.Option("--rejects", metavar="FILE", help="Where refused rows are written.")
    ] = Path("rejects.csv"),
    yes: Annotated[
        bool, typer.Option("--yes", help="Take an inferred schema without being asked.")
    ] = False,
    block_rows: Annotated[
        int, typer.Option("--block-rows", hidden=True, help="Contacts in a block; for tests.")
    ] = BLOCK_ROWS,
) -> None:
    """Load CSV, Parquet, NDJSON or Arrow files into a workspace, new or existing."""
    load_files(
        data,
        schema=schema,
        contacts=contacts or [],
        events=events or [],
        lists=lists or [],
        workspace=workspace,
        infer=infer,
        strict=strict,
        create_contacts=create_contacts,
        rejects=rejects,
        yes=yes,
        block_rows=block_rows,
    )


def load_files(
    folder: Path,
    *,
    schema: Path | None,
    contacts: Sequence[Path],
    events: Sequence[Path] = (),
    lists: Sequence[Path] = (),
    workspace: str = "default",
    infer: bool = False,
    strict: bool = False,
    create_contacts: bool = False,
    rejects: Path = Path("rejects.csv"),
    yes: bool = False,
    block_rows: int = BLOCK_ROWS,
) -> LoadSummary:
    """Load files with progress on standard error, write the summary, and return it."""
    if not (contacts or events or lists):
        raise typer.BadParameter("say what to load: --contacts, --events or --lists FILE")
    with shown_progress() as (progress, pause):
        summary = load_into(
            folder,
            workspace=workspace,
            schema=None if schema is None else read_schema(schema),
            contacts=list(contacts),
            events=list(events),
            lists=list(lists),
            strict=strict,
            create_contacts=create_contacts,
            infer=infer,
            show=_quietly(_shown if yes else _asked, pause),
            check=check_schema,
            block_rows=block_rows,
            rejects_path=rejects,
            progress=progress,
            now=dt.datetime.now(dt.UTC),
            clock=time.perf_counter,
        )
    write_lines(_summary_text(summary))
    return summary


def _shown(proposal: Proposal) -> None:
    """Show the schema that the files suggest."""
    note("The schema that the files suggest:\n")
    note(str(proposal))


def _asked(proposal: Proposal) -> None:
    """Show the schema that the files suggest and, at a terminal, ask before going on."""
    _shown(proposal)
    if sys.stdin.isatty():
        typer.confirm("Load with these types?", default=True, abort=True, err=True)


def _summary_text(found: LoadSummary) -> Iterator[str]:
    """Yield the lines of a summary: what is in, what is not and why, and how fast."""
    yield (
        f"contacts  {found.contacts_new:,} new, {found.contacts_updated:,} updated,"
        f" {found.contacts_created:,} created, {found.contacts_refused:,} refused"
    )
    yield f"lists     {found.lists_loaded:,} loaded, {found.lists_refused:,} refused"
    yield (
        f"events    {found.events_loaded:,} loaded, {found.events_repeated:,} repeated"
        f" (counted once), {found.events_refused:,} refused"
    )
    for reason, count in sorted(found.reasons.items(), key=lambda item: -item[1]):
        yield f"  {count:>10,} x {reason}"
    if found.rejects is not None:
        yield f"refused rows, with line and reason: {found.rejects}"
    rows = counted(found.rows, "row")
    yield (
        f"{rows} in {found.seconds:.1f} s ({found.rows_per_second:,.0f} a second;"
        f" {found.read_seconds:.1f} s reading, {found.build_seconds:.1f} s building)"
    )


def _quietly(
    show: Callable[[Proposal], None], pause: Callable[[], AbstractContextManager[None]]
) -> Callable[[Proposal], None]:
    """Return *show* with the progress bars out of its way: they would draw over a question."""

    def shown(proposal: Proposal) -> None:
        with pause():
            show(proposal)

    return shown


def stats(
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how many contacts and events there are, and the memory they take."""
    with opened(data, server, workspace) as target:
        found = target.stats()
    if output is Format.JSON:
        write_document(
            {
                "contacts": found.contacts,
                "blocks": found.blocks,
                "events": found.events,
                "bytes": found.total_bytes,
                "bytes_by_kind": found.bytes_by_kind,
                "bytes_by_index": found.bytes_by_index,
            }
        )
    elif output is Format.CSV:
        rows: list[tuple[str, str, int]] = [("contacts", "", found.contacts)]
        rows += [("events", name, n) for name, n in found.events.items()]
        rows += [("bytes by kind", name, n) for name, n in found.bytes_by_kind.items()]
        rows += [("bytes by index", name, n) for name, n in found.bytes_by_index.items()]
        write_rows(["what", "name", "value"], rows)
    else:
        write_lines(_stats_text(found))


def _stats_text(found: Stats) -> Iterator[str]:
    yield f"contacts  {found.contacts:,} in {found.blocks:,} block{'s' * (found.blocks != 1)}"
    yield f"events    {sum(found.events.values()):,}"
    yield from (f"  {name:<24} {n:>14,}" for name, n in found.events.items() if n)
    yield f"memory    {size(found.total_bytes)}"
    yield from (f"  {name:<24} {size(n):>14}" for name, n in found.bytes_by_kind.items() if n)
    yield "largest"
    yield from (f"  {name:<24} {size(n):>14}" for name, n in found.largest() if n)


def check(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="The data folder to check.")],
    workspace: Annotated[
        str | None,
        typer.Option("--workspace", metavar="NAME", help="One workspace; all of them if absent."),
    ] = None,
) -> None:
    """Verify every byte and every redundant structure of a data folder; 3 if any is wrong."""
    damaged = False
    for name in [workspace] if workspace is not None else list_workspaces(data):
        contacts, wrong = check_folder(data, name)
        for message in wrong:
            complain(f"damaged data: workspace {name}: {message}")
        damaged |= bool(wrong)
        if not wrong:
            write_lines([f"{name}: {counted(contacts, 'contact')}, all structures agree"])
    if damaged:
        raise typer.Exit(3)
