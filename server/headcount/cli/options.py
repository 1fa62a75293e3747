"""The options that several commands share, declared once so that they mean the same everywhere."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from headcount.cli.output import Format
from headcount.cli.places import Data as Data
from headcount.cli.places import Server as Server
from headcount.cli.places import WorkspaceName as WorkspaceName
from headcount.query.engine import Query
from headcount.query.json_form import document_of

Segment = Annotated[
    str,
    typer.Argument(metavar="SEGMENT", help="The segment, text or JSON, in one argument: quote it."),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="The instant to answer for, RFC 3339. The clock's if absent.",
    ),
]
TimeZone = Annotated[
    str | None,
    typer.Option(
        "--time-zone", metavar="ZONE", help="An IANA time zone. The workspace's own if absent."
    ),
]
ForSend = Annotated[
    bool, typer.Option("--for-send", help="Warn if the segment does not ask for the status.")
]
OutputFormat = Annotated[Format, typer.Option("--format", help="How to write the result.")]


Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="A word to find it by; repeatable.")
]
Etag = Annotated[
    str, typer.Option("--etag", metavar="ETAG", help="Only if it still has this etag.")
]


def asked(segment: str) -> Query:
    """
    Return the query of a SEGMENT argument: text, or the document of its JSON form.

    Raises:
        UserError: it starts with `{` and is not the JSON form of a segment.
    """
    return document_of(segment) if segment.lstrip().startswith("{") else segment


def instant(text: str | None, option: str = "--as-of") -> dt.datetime | None:
    """
    Return the aware instant that an *option* names, or None where it is absent.

    Raises:
        typer.BadParameter: not RFC 3339, or without an offset.
    """
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{option} takes an instant such as 2026-03-01T12:00:00Z, not {text!r}"
        ) from None
    if found.tzinfo is None:
        raise typer.BadParameter(
            f"{option} needs an offset: {text}Z for UTC, or {text}+01:00 an hour east of it"
        )
    return found
