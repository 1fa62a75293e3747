"""Where a command works: the options that name it, and the schema in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from headcount.model import schema_toml
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema

Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Ask a data folder; no server needed.")
]
Server = Annotated[
    str | None, typer.Option("--server", metavar="HOST:PORT", help="Ask a running server.")
]
WorkspaceName = Annotated[
    str, typer.Option("--workspace", metavar="NAME", help="The workspace to ask.")
]


def read_schema(path: Path) -> Schema:
    """Return the schema in a file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(Reason.INVALID_FILE, f"cannot read the schema {path}: {error}") from error
    return schema_toml.parse(text, str(path))
