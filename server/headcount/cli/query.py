"""The commands that ask: `count`, `members`, `validate`, `format`."""

from __future__ import annotations

from typing import Annotated

import typer

from headcount.answers import Info
from headcount.cli.options import (
    AsOf,
    Data,
    ForSend,
    OutputFormat,
    Segment,
    Server,
    TimeZone,
    WorkspaceName,
    asked,
    instant,
)
from headcount.cli.output import (
    Format,
    columns,
    complain,
    doubts,
    plain,
    write_document,
    write_lines,
    write_rows,
)
from headcount.cli.target import opened
from headcount.model.errors import UserError
from headcount.query.bound import QueryWarning
from headcount.query.format import format as canonical
from headcount.query.forms import text_of
from headcount.query.parse import parse


def count(
    segment: Segment,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how many contacts are in a segment: exact, and true for one instant."""
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        answer = target.answer(asked(segment), as_of=when, time_zone=time_zone)
    doubts(answer.warnings)
    if output is Format.JSON:
        write_document({"count": answer.count, **_about(answer.info)})
    elif output is Format.CSV:
        write_rows(["count"], [[answer.count]])
    else:
        write_lines([str(answer.count)])


def members(
    segment: Segment,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="How many at most; 0 for all of them.")
    ] = 0,
    fields: Annotated[
        str, typer.Option("--fields", metavar="A,B", help="Fields to print beside the id.")
    ] = "",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print the ids of the contacts in a segment, one a line, with chosen fields beside them."""
    names = [name.strip() for name in fields.split(",") if name.strip()]
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        found = target.member_batches(
            asked(segment), fields=names, as_of=when, time_zone=time_zone, limit=limit
        )
        header = False
        for batch in found:
            rows = batch.to_pylist()
            if output is Format.JSON:
                for row in rows:
                    write_document({n: plain(v) for n, v in row.items() if v is not None})
            elif output is Format.CSV:
                _write_csv(batch.schema.names, rows, header=not header)
                header = True
            else:
                write_lines(columns(*row.values()) for row in rows)
        if output is Format.CSV and not header:
            write_rows(["id", *names], [])


def _write_csv(names: list[str], rows: list[dict[str, object]], *, header: bool) -> None:
    write_rows(names if header else None, (list(row.values()) for row in rows))


def validate(
    segment: Segment,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    for_send: ForSend = False,
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Check a segment against the schema: print it in canonical form, or say what is wrong."""
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        found = target.validate(asked(segment), for_send=for_send, as_of=when, time_zone=time_zone)
    if output is Format.JSON:
        write_document(
            {
                "valid": not found.errors,
                "text": found.text,
                "errors": [_described(e) for e in found.errors],
                "warnings": [_described(w) for w in found.warnings],
            }
        )
    else:
        doubts(found.warnings)
        for error in found.errors:
            complain(str(error))
        if not found.errors:
            write_lines([found.text])
    if found.errors:
        raise typer.Exit(1)


def format_(segment: Segment) -> None:
    """Print a segment in canonical form; needs no data, so names are not checked."""
    query = asked(segment)
    write_lines([canonical(parse(query)) if isinstance(query, str) else text_of(query)])


def _about(info: Info) -> dict[str, object]:
    return {
        "as_of": info.as_of,
        "time_zone": info.time_zone,
        "version": str(info.version),
        "elapsed_ms": round(info.elapsed * 1000, 3),
    }


def _described(found: UserError | QueryWarning) -> dict[str, object]:
    described: dict[str, object] = {
        "code": str(found.reason if isinstance(found, UserError) else found.code),
        "message": found.message,
    }
    if found.position is not None:
        described["line"] = found.position.line
        described["column"] = found.position.column
    if isinstance(found, UserError) and found.suggestions:
        described["suggestions"] = list(found.suggestions)
    return described
