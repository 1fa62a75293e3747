"""
The saved segments of one workspace: the catalogue in memory, and its rows on disk.

Readers take `catalogue`, which never changes; a change replaces it once the rows are stored. One
change at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from headcount.model.errors import HeadcountError, Reason, UserError
from headcount.segments.definition import Definition, Draft
from headcount.segments.saved import Catalogue, Commit
from headcount.storage.definitions import Definitions, read_definitions, write_definitions
from headcount.storage.folder import WriterLock


class SavedSegments:
    """
    The saved segments of a workspace. Safe to call from several threads.

    `catalogue` is the one of the last change; whoever asks several questions takes it once.
    """

    def __init__(self, folder: Path, workspace: str, lock: WriterLock | None = None) -> None:
        """
        Read what is stored. Without the folder's *lock* it can only be read.

        Raises:
            CorruptionError, UserError: what is stored is damaged, or written by a newer Headcount.
        """
        self._folder = folder
        self._workspace = workspace
        self._lock = lock
        self._changing = threading.Lock()  # held while `_stored` and `catalogue` are replaced
        self._read()

    def _read(self) -> None:
        self._stored: Definitions = read_definitions(self._folder, self._workspace)
        self.catalogue = Catalogue.load(self._stored)

    def create(self, draft: Draft, now: int) -> Definition:
        """Save *draft* at the instant *now*, and return it; errors as for `Catalogue.create`."""
        after = self._change(lambda catalogue, commit: catalogue.create(draft, now, commit))
        return after.get(draft.name)

    def update(self, name: str, draft: Draft, now: int, etag: str | None = None) -> Definition:
        """Put *draft* in the place of *name*, and return it; errors as for `Catalogue.update`."""
        after = self._change(
            lambda catalogue, commit: catalogue.update(name, draft, now, commit, etag)
        )
        return after.get(draft.name)

    def delete(self, name: str, etag: str | None = None) -> None:
        """Remove the segment *name*; errors as for `Catalogue.delete`."""
        self._change(lambda catalogue, commit: catalogue.delete(name, commit, etag))

    def _change(self, change: Callable[[Catalogue, Commit], Catalogue]) -> Catalogue:
        """Return the next catalogue, once it is stored and in the place of the one before."""
        with self._changing:
            self.catalogue = change(self.catalogue, self._commit)
            return self.catalogue

    def _commit(self, rows: Mapping[str, str]) -> None:
        if self._lock is None:
            raise UserError(
                Reason.CONFLICT,
                f"{self._folder} was opened for reading; open it for writing to save segments",
            )
        try:
            self._stored = write_definitions(self._stored, rows, self._lock)
        except HeadcountError:
            self._read()  # the change may have taken effect before the error, or somebody else's
            raise
