"""
Who a command asks: a folder of data, or a server. Both answer to the same words.

Exactly one of `--data` and `--server` is given; the environment variable HEADCOUNT_SERVER or
HEADCOUNT_DATA stands in where neither is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from headcount.client import Client
from headcount.embedded import Workspace

Target = Client | Workspace


@contextmanager
def opened(data: Path | None, server: str | None, workspace: str) -> Iterator[Target]:
    """
    Open what the options name, and close it at the end.

    Raises:
        typer.BadParameter: neither or both are named.
    """
    if data is None and server is None:
        server = os.environ.get("HEADCOUNT_SERVER")
        folder = os.environ.get("HEADCOUNT_DATA")
        data = Path(folder) if folder else None
    if (data is None) == (server is None):
        raise typer.BadParameter(
            "say whom to ask: --data DIR for a folder, or --server HOST:PORT for a server"
            " (one of them)"
        )
    if server is not None:
        with Client(server, workspace=workspace) as client:
            yield client
    else:
        assert data is not None
        with Workspace.open(data, workspace=workspace) as embedded:
            yield embedded
