"""The part of the embedded API that cares for workspaces: schema, compaction, backups."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from headcount.answers_care import (
    BackedUp,
    Compacted,
    SchemaUpdate,
    Snapshotted,
    WorkspaceInfo,
    WorkspacePage,
)
from headcount.care import workspaces as care
from headcount.care.backup import back_up
from headcount.care.schema_change import Renames
from headcount.embedded_folder import Holding, read
from headcount.index.view import View
from headcount.members import pages
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.query.bind import check_schema
from headcount.rpc.clock import now
from headcount.storage import watches
from headcount.storage.manifest import list_workspaces

NO_RENAMES = Renames()


class Caring(Holding):
    """Makes and drops workspaces of the folder, changes their schema, compacts and copies them."""

    def create_workspace(self, name: str, schema: Schema) -> WorkspaceInfo:
        """Make an empty workspace, and return it."""
        check_schema(schema)
        with self._locked() as lock:
            view = care.create(lock.folder, name, schema, lock, epoch=now())
        return WorkspaceInfo(name, 0, view.version)

    def list_workspaces(self, *, page_size: int = 0, page_token: str = "") -> WorkspacePage:
        """Return a page of the workspaces by name; 0 is the default size. Opens each of them."""
        folder = self._data()
        names = list_workspaces(folder)
        size = pages.size(page_size)
        start = bisect_right(names, page_token) if page_token else 0
        found = names[start : start + size]
        views = ((name, read(folder, name)) for name in found)
        infos = tuple(WorkspaceInfo(name, view.live_count, view.version) for name, view in views)
        return WorkspacePage(infos, found[-1] if start + size < len(names) else "")

    def drop_workspace(self, name: str) -> None:
        """Remove another workspace of the folder with everything in it, for good."""
        if name == self.name:
            raise UserError(
                Reason.CONFLICT, f"workspace `{name}` is open; open another one to drop it"
            )
        with self._locked() as lock:
            care.drop(lock.folder, name, lock)

    def update_schema(
        self,
        schema: Schema,
        renames: Renames = NO_RENAMES,
        *,
        allow_drop: bool = False,
        request_id: str | None = None,
    ) -> SchemaUpdate:
        """
        Change the schema of the workspace, all of it or nothing.

        What it lacks is renamed, or dropped with its data if *allow_drop* says so. Values that a
        new type cannot take are in the answer, and then nothing is changed.
        """
        return self._caretaker().update_schema(
            schema, renames, allow_drop=allow_drop, request_id=request_id or ""
        )

    def snapshot(self) -> Snapshotted:
        """Write a new generation of files, so that the next start has less log to read."""
        return self._caretaker().snapshot()

    def compact(self) -> Compacted:
        """Rebuild what writes left behind; return when nothing that was erased is on the disk."""
        return self._caretaker().compact()

    def backup(self, to: str | Path, *, workspaces: Sequence[str] = ()) -> BackedUp:
        """Copy workspaces, all if none is named, into the new folder *to*."""
        folder = self._data()
        names = workspaces or list_workspaces(folder)
        views = {name: self._view_of(folder, name) for name in names}
        size = back_up(folder, Path(to), views, beside=self._copy_watches)
        infos = (WorkspaceInfo(n, view.live_count, view.version) for n, view in views.items())
        return BackedUp(str(to), size, tuple(infos))

    def _view_of(self, folder: Path, name: str) -> View:
        return self.view if name == self.name else read(folder, name)

    @property
    def view(self) -> View:
        """Return the newest view."""
        raise NotImplementedError

    def _copy_watches(self, name: str, to: Path) -> None:
        folder = self._data()
        if watches.watches_path(folder, name).exists():
            with self._locked() as lock, closing(watches.WatchStore(folder, name, lock)) as store:
                store.copy_to(to / watches.FILE)
