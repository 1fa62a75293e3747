"""The commands about data: `stats`, `check`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from headcount.cli.options import Data, OutputFormat, Server, WorkspaceName
from headcount.cli.output import (
    Format,
    complain,
    counted,
    size,
    write_document,
    write_lines,
    write_rows,
)
from headcount.cli.target import opened
from headcount.embedded_folder import check as check_folder
from headcount.index.stats import Stats
from headcount.storage.manifest import list_workspaces


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
