"""The commands that write contacts, and read them by id: `write`, `get`, `delete`, `merge`, ..."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from headcount.answers import ContactState, WriteResult
from headcount.cli.mutations import MutationFile
from headcount.cli.options import Data, OutputFormat, Server, WorkspaceName
from headcount.cli.output import Format, cell, complain, write_document, write_lines, write_rows
from headcount.cli.progress import shown_progress
from headcount.cli.target import opened
from headcount.load.rejects import Rejects
from headcount.model.errors import Reason, UserError
from headcount.model.time_zone import time_zone

Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of contacts.")]


def write(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.ndjson", help="Mutations, one JSON object a line.")
    ],
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Stop at the first refused line; what was sent already is"
                     " written."),
    ] = False,
    rejects: Annotated[
        Path, typer.Option("--rejects", metavar="FILE", help="Where refused lines are written.")
    ] = Path("rejects.csv"),
    batch: Annotated[
        int, typer.Option("--batch", min=1, help="Lines that are written at once.")
    ] = 1000,
) -> None:  # fmt: skip
    """Write a file of mutations: contacts, labels, lists, events, deletions."""
    started = time.perf_counter()
    accepted = repeated = 0
    version = None
    with (
        opened(data, server, workspace) as target,
        shown_progress() as (progress, _),
        Rejects(
            rejects, strict=strict, inputs=[file], stopped="what was sent already is written"
        ) as refused,
    ):
        source = MutationFile(file, time_zone(target.schema().time_zone), refused, progress)
        for result in target.write(source.mutations(), batch=batch):
            accepted += result.accepted
            repeated += result.repeated
            version = result.version
            source.refuse(result.refused)
    seconds = time.perf_counter() - started
    write_lines(_summary(source, refused, accepted, repeated, seconds))
    if version is not None:
        write_lines([f"all of it is visible from version {version} on"])


def _summary(
    source: MutationFile, rejects: Rejects, accepted: int, repeated: int, seconds: float
) -> Iterator[str]:
    """Yield the lines of a summary: what is in, what is not and why, and how fast."""
    there = f" ({repeated:,} events were there already)" if repeated else ""
    yield f"mutations {accepted:,} written{there}, {rejects.rows:,} refused"
    for reason, count in rejects.reasons.most_common():
        yield f"  {count:>10,} x {reason}"
    if rejects.rows:
        yield f"refused lines, with reason: {rejects.path}"
    yield f"{source.lines:,} lines in {seconds:.1f} s ({source.lines / seconds:,.0f} a second)"


def get(
    ids: Ids,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    fields: Annotated[
        str, typer.Option("--fields", metavar="A,B", help="Fields to print; all if absent.")
    ] = "",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print contacts: fields, labels, lists, consent, suppression."""
    chosen = [name.strip() for name in fields.split(",") if name.strip()]
    with opened(data, server, workspace) as target:
        found = target.get(ids, fields=chosen)
        names = [name for state in found if state is not None for name in state.fields]
    if output is Format.CSV:
        columns = [name for name in dict.fromkeys(names) if name != "label"]
        header = ["id", *columns, "label", "list", "opted_out", "suppressed"]
        write_rows(header, (_row(state, columns) for state in found if state is not None))
    else:
        for state in found:
            if state is not None and output is Format.JSON:
                write_document(_document(state))
            elif state is not None:
                write_lines(_text(state))
    unknown = [contact for contact, state in zip(ids, found, strict=True) if state is None]
    if unknown:
        raise UserError(Reason.NOT_FOUND, f"no contact has the id {', '.join(unknown)}")


def _row(state: ContactState, columns: list[str]) -> list[object]:
    values = [state.fields.get(name) for name in columns]
    member = [one.list for one in state.lists if one.member]
    out = [one.list for one in state.lists if one.opted_out]
    return [state.id, *values, list(state.labels), member, out, state.suppressed]


def _document(state: ContactState) -> dict[str, object]:
    return {
        "id": state.id,
        "fields": {name: _plain(value) for name, value in state.fields.items() if name != "label"},
        "labels": state.labels,
        "lists": [
            {"list": one.list, "member": one.member, "opted_out": one.opted_out}
            for one in state.lists
        ],
        "suppressed": state.suppressed,
    }


def _plain(value: object) -> object:
    return value if isinstance(value, (str, bool, int, float, list)) else cell(value)


def _text(state: ContactState) -> Iterator[str]:
    yield state.id
    for name, value in state.fields.items():
        if name != "label":
            yield f"  {name:<24} {cell(value)}"
    if state.labels:
        yield f"  {'labels':<24} {cell(list(state.labels))}"
    for one in state.lists:
        status = "on it" if one.member else "not on it"
        yield f"  list {one.list:<19} {status}{', opted out' if one.opted_out else ''}"
    if state.suppressed:
        yield "  suppressed"


def delete(
    ids: Ids,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    erase: Annotated[
        bool,
        typer.Option("--erase", help="Leave no byte of them in the data folder, once `headcount"
                     " compact` has run."),
    ] = False,
) -> None:  # fmt: skip
    """Delete contacts."""
    with opened(data, server, workspace) as target:
        _report(target.delete(ids, erase=erase), "deleted", ids)


def merge(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The contact that goes.")],
    into: Annotated[str, typer.Argument(metavar="TARGET", help="The contact that stays.")],
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
) -> None:
    """Make one contact of two: the target stays, and gets what it lacks, lists and events."""
    with opened(data, server, workspace) as target:
        _report(target.merge([(source, into)]), "merged", [f"{source} into {into}"])


def suppress(
    ids: Ids,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    off: Annotated[bool, typer.Option("--off", help="Take them off the suppression list.")] = False,
) -> None:
    """Put ids on the account's suppression list, which no audience contains."""
    with opened(data, server, workspace) as target:
        if off:
            _report(target.unsuppress(ids), "taken off the suppression list", ids)
        else:
            _report(target.suppress(ids), "suppressed", ids)


def _report(result: WriteResult, done: str, ids: list[str]) -> None:
    """Print what became of a write of *ids*; 1 if any was refused."""
    write_lines([f"{result.accepted:,} {done}, version {result.version}"])
    for refusal in result.refused:
        at = "" if refusal.field == "id" else f"{refusal.field}: "
        complain(f"{ids[refusal.index]}: {at}{refusal.message}")
    if result.refused_count:
        raise typer.Exit(1)
