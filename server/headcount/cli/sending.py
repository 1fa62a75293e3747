"""The commands that are about sending: `resolve`, `export`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from headcount.answers import Info
from headcount.cli.options import (
    AsOf,
    Data,
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
    counted,
    doubts,
    errors,
    note,
    write_document,
    write_lines,
    write_rows,
)
from headcount.cli.target import opened
from headcount.members.member_file import MemberFile, is_csv
from headcount.segments.audience import Funnel
from headcount.segments.documents import audience_document, funnel_document

_PLAIN_SECONDS = 5.0  # between lines of progress where there is no terminal

Segments = list[str]
Fields = Annotated[
    str, typer.Option("--fields", metavar="A,B", help="Fields to write beside the id.")
]


def resolve(
    include: Annotated[
        Segments, typer.Option("--include", metavar="SEGMENT", help="Who is meant; repeatable.")
    ],
    exclude: Annotated[
        Segments | None,
        typer.Option("--exclude", metavar="SEGMENT", help="Who is not; repeatable."),
    ] = None,
    on_list: Annotated[
        str | None,
        typer.Option("--list", metavar="NAME", help="The list that the message goes out on."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write those sendable to a .csv or .parquet."),
    ] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            "--freeze", metavar="NAME", help="The same, in a new file in the server's folder."
        ),
    ] = None,
    fields: Fields = "",
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print how many contacts may be sent to and what became of the others; write down who."""
    when = instant(as_of)
    wanted = [asked(one) for one in include]
    unwanted = [asked(one) for one in exclude or []]
    if to is not None and freeze is not None:
        raise typer.BadParameter("say either --to or --freeze")
    if fields and to is None and freeze is None:
        raise typer.BadParameter("--fields is of the contacts that --to or --freeze writes down")
    if to is not None:
        is_csv(to)
    with opened(data, server, workspace) as target:
        if freeze is not None:
            frozen = target.freeze(
                freeze,
                wanted,
                unwanted,
                on_list=on_list,
                fields=_names(fields),
                as_of=when,
                time_zone=time_zone,
            )
            funnel, info = frozen.funnel, frozen.info
            note(f"{funnel.sendable:,} contacts written to {frozen.file}")
        elif to is None:
            found = target.resolve(
                wanted, unwanted, on_list=on_list, as_of=when, time_zone=time_zone
            )
            funnel, info = found.funnel, found.info
        else:
            schema = target.schema()
            sendable = target.sendable(
                wanted,
                unwanted,
                on_list=on_list,
                fields=_names(fields),
                as_of=when,
                time_zone=time_zone,
            )
            funnel, info = sendable.funnel, sendable.info
            columns = sendable.columns
            about = audience_document(workspace, funnel, info, columns.names[1:])
            with (
                _progress() as progress,
                MemberFile(to, schema.id_column, columns, about, sidecar=True) as file,
            ):
                for batch in sendable.batches():
                    file.write(batch)
                    progress(file.count)
            note(f"{counted(file.count, 'contact')} written to {to}")
    doubts(funnel.warnings)
    _write(funnel, info, output)


def export(
    segment: Segment,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The file, .csv or .parquet.")],
    fields: Fields = "",
    all_fields: Annotated[
        bool, typer.Option("--all-fields", help="Write every field that is stored.")
    ] = False,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    as_of: AsOf = None,
    time_zone: TimeZone = None,
) -> None:
    """Write the contacts in a segment to a file, whole or not at all; `load` reads it again."""
    when = instant(as_of)
    with opened(data, server, workspace) as target:
        names = _names(fields)
        if all_fields:
            names = [field.name for field in target.schema().all_fields.values()]
        with _progress() as progress:
            found = target.export(
                asked(segment),
                to,
                fields=names,
                progress=progress,
                as_of=when,
                time_zone=time_zone,
            )
    note(
        f"{counted(found.count, 'contact')} written to {to}"
        f" (as of {found.info.as_of.isoformat()}, version {found.info.version})"
    )


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Enter a block that shows how many contacts are written, on standard error."""
    if errors.is_terminal:
        with errors.status("writing") as status:
            yield lambda count: status.update(f"{counted(count, 'contact')} written")
        return
    shown = time.monotonic()

    def show(count: int) -> None:
        nonlocal shown
        if time.monotonic() - shown > _PLAIN_SECONDS:
            shown = time.monotonic()
            note(f"{counted(count, 'contact')} written")

    yield show


def _names(fields: str) -> list[str]:
    return [name.strip() for name in fields.split(",") if name.strip()]


def _write(funnel: Funnel, info: Info, output: Format) -> None:
    if output is Format.JSON:
        about = {
            "as_of": info.as_of,
            "time_zone": info.time_zone,
            "version": str(info.version),
            "elapsed_ms": round(info.elapsed * 1000, 3),
        }
        write_document({**funnel_document(funnel), **about})
        return
    if output is Format.CSV:
        rows = [(one.step, one.removed, one.left) for one in funnel.steps]
        write_rows(["step", "removed", "left"], [("matched", 0, funnel.matched), *rows])
        return
    write_lines(_text(funnel))


def _text(funnel: Funnel) -> Iterator[str]:
    yield f"{'matched':<24} {'':>12} {funnel.matched:>12,}"
    for one in funnel.steps:
        yield f"{one.step:<24} {-one.removed:>12,} {one.left:>12,}"
    yield f"{'sendable':<24} {'':>12} {funnel.sendable:>12,}"
    if funnel.lists:
        yield f"opt-outs respected: {', '.join(funnel.lists)}"
