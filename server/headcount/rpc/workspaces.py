"""
The workspaces a server has open, by name: of each the one view that a call reads, what is saved,
and who writes.

A handler asks once and keeps what it gets, so that one call reads one version. A workspace that
does not exist is refused without naming those that do: nothing crosses workspaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from headcount.index.view import Version, View
from headcount.index.workspace import open_view
from headcount.live.commit import Writer
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from headcount.query.results import Results
from headcount.segments.keeper import Keeper
from headcount.segments.store import SavedSegments
from headcount.storage.folder import WriterLock
from headcount.storage.manifest import list_workspaces

DEFAULT = "default"


class Workspaces:
    """Open workspaces by name. Any thread may use them."""

    def __init__(
        self, keepers: Mapping[str, Keeper], writers: Mapping[str, Writer] | None = None
    ) -> None:
        self._keepers = dict(keepers)
        self._writers = dict(writers or {})

    def writer(self, name: str, at_least: Version | None = None) -> Writer:
        """
        Return what writes to a workspace; an empty *name* is `default`.

        Raises:
            UserError: no such workspace (NOT_FOUND), one that is in memory only (CONFLICT), or one
                that is older than *at_least* (STALE_READ).
        """
        self.read(name, at_least)
        found = self._writers.get(name or DEFAULT)
        if found is None:
            raise UserError(
                Reason.CONFLICT,
                "this workspace is in memory only, and can only be read",
                field="workspace",
            )
        return found

    def keeper(self, name: str) -> Keeper:
        """
        Return the engine of a workspace with what is saved in it; an empty *name* is `default`.

        Raises:
            UserError: no such workspace (NOT_FOUND).
        """
        found = self._keepers.get(name or DEFAULT)
        if found is None:
            raise UserError(
                Reason.NOT_FOUND,
                f"there is no workspace `{name or DEFAULT}`",
                field="workspace",
            )
        return found

    def read(self, name: str, at_least: Version | None = None) -> Engine:
        """
        Return the engine over the current view of a workspace; an empty *name* is `default`.

        Raises:
            UserError: no such workspace (NOT_FOUND), or its version is older than *at_least*
                (STALE_READ): the only sign that a write which was acknowledged has been lost.
        """
        found = self.keeper(name).engine
        if at_least is not None and found.view.version < at_least:
            raise UserError(
                Reason.STALE_READ,
                f"this server is at version {found.view.version}, and the client has seen"
                f" {at_least}: either the client asks the wrong server, or data was lost; compare"
                " the server's data folder with its backups before writing to it",
                field="min_version",
            )
        return found

    def views(self) -> dict[str, View]:
        """Return the current view of each workspace."""
        return {name: keeper.engine.view for name, keeper in self._keepers.items()}

    def sizes(self) -> dict[str, int]:
        """Return the number of contacts of each workspace."""
        return {name: view.live_count for name, view in self.views().items()}


def open_workspaces(
    folder: Path, lock: WriterLock | None = None, results: Results | None = None
) -> Workspaces:
    """
    Open every workspace of a data folder; the first answer comes after the last one.

    Segments can be saved if the folder's *lock* is held, and for as long as it is. All workspaces
    share *results*, or a memory of the default size.

    Raises:
        UserError: there is no such folder, a newer Headcount wrote it, or a calculated field of a
            schema means nothing.
        CorruptionError: a file is damaged.
    """
    results = Results() if results is None else results
    return Workspaces(
        {
            name: Keeper(
                Engine(open_view(folder, name), results), SavedSegments(folder, name, lock)
            )
            for name in list_workspaces(folder)
        }
    )
