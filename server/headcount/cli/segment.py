"""The commands about saved segments: `segment save`, `list`, `show`, `delete`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from headcount.answers import SavedSegment
from headcount.cli.options import (
    Data,
    Etag,
    ForSend,
    OutputFormat,
    Segment,
    Server,
    Tags,
    WorkspaceName,
    asked,
)
from headcount.cli.output import Format, columns, doubts, write_document, write_lines, write_rows
from headcount.cli.target import Target, opened

app = typer.Typer(
    help='Keep segments under names, to be used as `in segment "NAME"`.',
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Any characters; in any case.")]
Description = Annotated[
    str | None, typer.Option("--description", metavar="TEXT", help="What people say of it.")
]


@app.command()
def save(
    name: Name,
    segment: Segment,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    description: Description = None,
    tags: Tags = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Change the one of this name, if there is one.")
    ] = False,
    etag: Etag = "",
    for_send: ForSend = False,
    output: OutputFormat = Format.TEXT,
) -> None:
    """Save a segment under a name; with --replace or --etag, change the one of that name."""
    query = asked(segment)
    with opened(data, server, workspace) as target:
        if etag or (replace and _exists(target, name)):
            found = target.update_segment(
                name, query, description=description, tags=tags, etag=etag, for_send=for_send
            )
        else:
            found = target.create_segment(
                name, query, description=description or "", tags=tags or (), for_send=for_send
            )
    doubts(found.warnings)
    _write(found, output)


def _exists(target: Target, name: str) -> bool:
    """Return whether a segment of this name is saved, in any case."""
    return any(one.name.casefold() == name.casefold() for one in _all(target, ""))


@app.command("list")
def list_(
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    tag: Annotated[str, typer.Option("--tag", metavar="TAG", help="Only those with it.")] = "",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print the saved segments by name."""
    with opened(data, server, workspace) as target:
        found = _all(target, tag)
        if output is Format.JSON:
            for one in found:
                write_document(_document(one))
        elif output is Format.CSV:
            header = ["name", "text", "description", "tags", "etag", "updated_at"]
            rows = (
                (one.name, one.text, one.description, list(one.tags), one.etag, one.updated_at)
                for one in found
            )
            write_rows(header, rows)
        else:
            write_lines(columns(one.name, one.text) for one in found)


def _all(target: Target, tag: str) -> Iterator[SavedSegment]:
    """Yield the saved segments, page by page."""
    token = ""
    while True:
        page = target.list_segments(tag=tag, page_token=token)
        yield from page.segments
        token = page.next_token
        if not token:
            return


def saved_names(target: Target) -> Iterator[str]:
    """Yield the names of all saved segments."""
    return (one.name for one in _all(target, ""))


@app.command()
def templates(
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print ready-made segments, and what this workspace lacks for them."""
    with opened(data, server, workspace) as target:
        found = target.templates()
    if output is Format.JSON:
        for one in found:
            write_document(
                {
                    "name": one.name,
                    "finds": one.finds,
                    "text": one.text,
                    "uses": list(one.uses),
                    "usable": one.usable,
                    "needs": [{"text": need, "advice": advice} for need, advice in one.needs],
                }
            )
    elif output is Format.CSV:
        rows = (
            (one.name, one.usable, one.text, one.finds, [a for _, a in one.needs if a])
            for one in found
        )
        write_rows(["name", "usable", "text", "finds", "missing"], rows)
    else:
        for one in found:
            write_lines([f"{one.name}: {one.finds}", f"  {one.text}"])
            write_lines(f"  missing: {need}; {advice}" for need, advice in one.needs if advice)


@app.command()
def show(
    name: Name,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    output: OutputFormat = Format.TEXT,
) -> None:
    """Print one saved segment: its definition, who uses it, and its etag."""
    with opened(data, server, workspace) as target:
        _write(target.get_segment(name), output)


@app.command()
def delete(
    name: Name,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    etag: Etag = "",
) -> None:
    """Remove a saved segment that no other one uses."""
    with opened(data, server, workspace) as target:
        target.delete_segment(name, etag=etag)


def _write(found: SavedSegment, output: Format) -> None:
    document = _document(found)
    if output is Format.JSON:
        if found.warnings:
            document["warnings"] = [warning.to_dict() for warning in found.warnings]
        write_document(document)
    elif output is Format.CSV:
        write_rows(list(document), [list(document.values())])
    else:
        write_lines(_text(found))


def _text(found: SavedSegment) -> Iterator[str]:
    yield f"{found.name}: {found.text}"
    if found.description:
        yield f"  {found.description}"
    if found.tags:
        yield f"  tags     {', '.join(found.tags)}"
    if found.dependants:
        yield f"  used by  {', '.join(found.dependants)}"
    yield f"  changed  {found.updated_at.isoformat()}"
    yield f"  etag     {found.etag}"


def _document(found: SavedSegment) -> dict[str, object]:
    return {
        "name": found.name,
        "text": found.text,
        "description": found.description,
        "tags": list(found.tags),
        "etag": found.etag,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "dependants": list(found.dependants),
    }
