"""The command `load`: files into a workspace. What it does not need, it does not import: 0.5 s."""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from headcount.allocator import keep_all_freed_memory
from headcount.cli.output import counted, note, write_lines
from headcount.cli.places import WorkspaceName, read_schema
from headcount.cli.progress import shown_progress
from headcount.index.block import BLOCK_ROWS
from headcount.load.infer import Proposal
from headcount.load.loader import load as load_into
from headcount.load.summary import LoadSummary
from headcount.model.schema import Schema

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
    keep_all_freed_memory()
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
            check=_checked,
            block_rows=block_rows,
            rejects_path=rejects,
            progress=progress,
            now=dt.datetime.now(dt.UTC),
            clock=time.perf_counter,
        )
    write_lines(_summary_text(summary))
    return summary


def _checked(schema: Schema) -> None:
    """Refuse a schema whose calculated fields mean nothing."""
    if schema.calculated:
        # All that reads segments, 0.3 s, which other schemas need not wait for.
        from headcount.query.bind import check_schema

        check_schema(schema)


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
