"""The commands that care for workspaces: `compact`, `backup`, `restore`, `schema`, ..."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from headcount.answers_care import WorkspaceInfo
from headcount.care import backup as copies
from headcount.care import workspaces as care
from headcount.care.schema_change import Renames
from headcount.cli.options import Data, OutputFormat, Server, WorkspaceName
from headcount.cli.output import Format, complain, note, size, write_document, write_lines
from headcount.cli.places import read_schema
from headcount.cli.progress import shown_progress
from headcount.cli.target import Target, opened
from headcount.load.progress import Step
from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.query.bind import check_schema
from headcount.rpc.clock import now
from headcount.storage.folder import WriterLock

workspace_app = typer.Typer(
    help="Make, list and drop workspaces.", no_args_is_help=True, rich_markup_mode=None
)
schema_app = typer.Typer(
    help="Show and change the names and types of a workspace.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Letters, digits, `-`, `_` and `.`, up to 64.")
]
SchemaFile = Annotated[Path, typer.Option("--schema", metavar="FILE", help="The schema, as TOML.")]
Pairs = list[str]


def compact(data: Data = None, server: Server = None, workspace: WorkspaceName = "default") -> None:
    """Rebuild what writes left behind; when it ends, no byte of an erased contact is left."""
    with opened(data, server, workspace) as target:
        found = target.compact()
    write_lines(
        [
            f"compacted at version {found.version}: {size(found.bytes_before)} before,"
            f" {size(found.bytes_after)} after",
            "no byte of an erased contact is left in its files"
            + (f" ({found.erased:,} were erased since the last time)" if found.erased else ""),
        ]
    )


def snapshot(
    data: Data = None, server: Server = None, workspace: WorkspaceName = "default"
) -> None:
    """Write a new generation of files, so that the next start has less log to read."""
    with opened(data, server, workspace) as target:
        found = target.snapshot()
    write_lines(
        [f"generation {found.generation}, {size(found.bytes)}, holds version {found.version}"]
    )


def backup(
    to: Annotated[
        str,
        typer.Argument(metavar="TO", help="A new folder; of a server, a name in its own folder for"
                       " backups."),
    ],
    data: Data = None,
    server: Server = None,
    workspaces: Annotated[
        list[str] | None,
        typer.Option("--workspace", metavar="NAME", help="Only this one; repeatable."),
    ] = None,
) -> None:  # fmt: skip
    """Copy a data folder, as of one version of each workspace, while writes go on."""
    with opened(data, server, (workspaces or ["default"])[0]) as target:
        found = target.backup(to, workspaces=workspaces or ())
    write_lines([f"{size(found.bytes)} in {found.folder}", *map(_line, found.workspaces)])


def restore(
    source: Annotated[
        Path, typer.Argument(metavar="BACKUP", help="The folder that `backup` made.")
    ],
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="The new data folder; not there yet.")
    ],
) -> None:
    """Make a new data folder from a backup, every byte of it verified."""
    with shown_progress() as (progress, _):
        views = copies.restore(
            source,
            data,
            epoch=now(),
            progress=lambda name, done, of: progress(Step(name, done, done, of)),
        )
    infos = [WorkspaceInfo(name, view.live_count, view.version) for name, view in views.items()]
    write_lines([f"restored into {data}", *map(_line, infos)])


@workspace_app.command()
def create(
    name: Name,
    schema: SchemaFile,
    data: Data = None,
    server: Server = None,
) -> None:
    """Make an empty workspace; with --data in a folder that may be new."""
    wanted = read_schema(schema)
    if data is not None and server is None:
        check_schema(wanted)
        with WriterLock(data) as lock:
            view = care.create(data, name, wanted, lock, epoch=now())
        write_lines([_line(WorkspaceInfo(name, 0, view.version))])
        return
    with opened(data, server, "default") as target:
        write_lines([_line(target.create_workspace(name, wanted))])


@workspace_app.command("list")
def list_(data: Data = None, server: Server = None, output: OutputFormat = Format.TEXT) -> None:
    """Print the workspaces, with contacts and version."""
    with opened(data, server, "default") as target:
        for one in _all(target):
            if output is Format.JSON:
                write_document(
                    {"name": one.name, "contacts": one.contacts, "version": str(one.version)}
                )
            else:
                write_lines([_line(one)])


@workspace_app.command()
def drop(
    name: Name,
    data: Data = None,
    server: Server = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a workspace with everything in it, for good."""
    if not yes:
        typer.confirm(f"Remove workspace {name} with everything in it?", abort=True, err=True)
    if data is not None and server is None:
        with WriterLock(data) as lock:
            care.drop(data, name, lock)
    else:
        with opened(data, server, "default") as target:
            target.drop_workspace(name)
    write_lines([f"{name} is removed"])


@schema_app.command()
def show(data: Data = None, server: Server = None, workspace: WorkspaceName = "default") -> None:
    """Print the schema of a workspace as TOML."""
    with opened(data, server, workspace) as target:
        write_lines(schema_toml.render(target.schema()).splitlines())


@schema_app.command()
def update(
    schema: SchemaFile,
    data: Data = None,
    server: Server = None,
    workspace: WorkspaceName = "default",
    fields: Annotated[
        Pairs | None,
        typer.Option("--rename-field", metavar="OLD=NEW", help="Keep its values; repeatable."),
    ] = None,
    events: Annotated[
        Pairs | None,
        typer.Option("--rename-event", metavar="OLD=NEW", help="Keep its events; repeatable."),
    ] = None,
    properties: Annotated[
        Pairs | None,
        typer.Option("--rename-property", metavar="EVENT.OLD=NEW", help="Keep its values, EVENT in"
                     " its new name; repeatable."),
    ] = None,
    allow_drop: Annotated[
        bool, typer.Option("--allow-drop", help="Drop what the schema lacks, with its data.")
    ] = False,
) -> None:  # fmt: skip
    """Change the schema of a workspace: all of it, or nothing."""
    wanted = read_schema(schema)
    renames = Renames(
        dict(_pairs(fields, "--rename-field")),
        dict(_pairs(events, "--rename-event")),
        {
            _split(old, "--rename-property"): new
            for old, new in _pairs(properties, "--rename-property")
        },
    )
    with opened(data, server, workspace) as target:
        found = target.update_schema(wanted, renames, allow_drop=allow_drop)
    for dropped in found.dropped:
        note(f"dropped: {dropped}")
    for one in found.unconverted:
        complain(f"contact {one.contact}, field {one.field}, value `{one.value}`: {one.message}")
    if found.unconverted_count:
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"{found.unconverted_count:,} values do not convert, so nothing was changed; correct"
            " them first, or add a new field",
        )
    write_lines([f"the schema is changed, at version {found.version}"])


def _all(target: Target) -> Iterator[WorkspaceInfo]:
    token = ""
    while True:
        page = target.list_workspaces(page_token=token)
        yield from page.workspaces
        token = page.next_token
        if not token:
            return


def _line(one: WorkspaceInfo) -> str:
    return f"{one.name}\t{one.contacts:,} contacts\tversion {one.version}"


def _pairs(given: Sequence[str] | None, option: str) -> Iterator[tuple[str, str]]:
    for text in given or ():
        old, equals, new = text.partition("=")
        if not (old and equals and new):
            raise typer.BadParameter(f"expected OLD=NEW, found {text!r}", param_hint=option)
        yield old, new


def _split(name: str, option: str) -> tuple[str, str]:
    event, dot, prop = name.partition(".")
    if not (event and dot and prop):
        raise typer.BadParameter(f"expected EVENT.OLD=NEW, found {name!r}", param_hint=option)
    return event, prop
