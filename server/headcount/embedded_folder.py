"""
A data folder under an open workspace: read with its log, and written to while nobody else does.

A folder that was written to has a log behind its generation. Reading it needs the folder's lock for
as long as that takes, since only one process may touch a log.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

from headcount.caretaker import Caretaker
from headcount.index.view import View
from headcount.index.workspace import open_view
from headcount.live.commit import Writer
from headcount.live.writer import LiveWorkspace
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.rpc.clock import now
from headcount.storage.definitions import read_definitions
from headcount.storage.folder import WriterLock
from headcount.storage.log import log_files, needs_replay
from headcount.storage.log_mark import read_mark
from headcount.storage.watches import WatchStore, watches_path

_WAIT_SECONDS = 5.0  # for another reader that reads the log
_POLL_SECONDS = 0.05


class FolderWriter:
    """The folder's lock, and a workspace that is written to, until closed."""

    def __init__(self, folder: Path, name: str) -> None:
        """
        Raises:
            UserError: CONFLICT, another process writes to the folder.
            CorruptionError: a file is damaged.
        """
        self.lock = WriterLock(folder)
        try:
            self.live = LiveWorkspace.open(folder, name, self.lock, clock=now)
        except BaseException:
            self.lock.close()
            raise
        self.caretaker = Caretaker(folder, self.live, lambda: None, self._forget)

    def _forget(self, contacts: Sequence[str]) -> None:
        """Take the ids of contacts out of what the watches keep; whoever serves next follows."""
        if contacts and watches_path(self.lock.folder, self.live.name).exists():
            with closing(WatchStore(self.lock.folder, self.live.name, self.lock)) as watches:
                watches.erase(contacts)

    def close(self) -> None:
        """Write what waits, and let others write; again is harmless."""
        self.live.close()
        self.lock.close()


def read(folder: Path, name: str, *, whole: bool = False) -> View:
    """
    Return the newest view of a workspace, that of its log if it has one.

    With *whole* the log is opened, and so verified, also where the generation holds all of it.

    Raises:
        UserError: there is no such workspace; CONFLICT, another process writes to the folder.
        CorruptionError: a file is damaged.
    """
    view = open_view(folder, name)
    after = view.version.sequence
    if not (log_files(folder, name) if whole else needs_replay(folder, name, after)):
        return view
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            writer = FolderWriter(folder, name)
        except UserError as error:
            if error.reason is not Reason.CONFLICT:
                raise
            mark = read_mark(folder, name)
            if mark is not None and mark.sequence <= after and not whole:
                return view  # it is open, and nothing was written
            if time.monotonic() > until:
                raise UserError(
                    Reason.CONFLICT,
                    f"{error.message}: it alone knows what was written last",
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return writer.live.view


def check(folder: Path, name: str) -> tuple[int, list[str]]:
    """
    Return how many contacts a workspace has, and what is wrong with its files and structures.

    Reads all of it: the generation, the log, what is saved, the watches.

    Raises:
        UserError: there is no such workspace; CONFLICT, another process writes to the folder.
    """
    contacts = 0
    wrong: list[str] = []
    try:
        view = read(folder, name, whole=True)
        contacts = view.live_count
        wrong += view.check()
    except CorruptionError as error:
        wrong.append(str(error))
    try:
        read_definitions(folder, name)
    except CorruptionError as error:
        wrong.append(str(error))
    if watches_path(folder, name).exists():
        try:
            with WriterLock(folder) as lock, closing(WatchStore(folder, name, lock)) as watches:
                watches.check()
        except CorruptionError as error:
            wrong.append(str(error))
    return contacts, wrong


class Holding:
    """The part of a workspace that holds its folder, from the first write until `close`."""

    name: str
    _folder: Path | None

    def _begin(self, view: View, writer: Writer | None) -> None:
        """Read from *view*, or from what *writer* has written since."""
        self._given = view
        self._live = writer
        self._held: FolderWriter | None = None
        self._holding = Lock()  # held while the folder is taken or given up

    def close(self) -> None:
        """Write what waits, and let others write to the folder; what was opened stays readable."""
        with self._holding:
            if self._held is not None:
                self._held.close()
                self._given = self._held.live.view
                self._live = self._held = None

    def _newest(self) -> View:
        live = self._live
        return self._given if live is None else live.view

    def _writer(self) -> Writer:
        """Return what writes; the folder is this process's alone from the first write on."""
        with self._holding:
            if self._live is None:
                self._held = FolderWriter(self._data(), self.name)
                self._live = self._held.live
            return self._live

    def _caretaker(self) -> Caretaker:
        """Return who cares for the workspace, which is held for writing from then on."""
        self._writer()
        if self._held is None:
            raise _in_memory()
        return self._held.caretaker

    @contextmanager
    def _locked(self) -> Iterator[WriterLock]:
        """Enter a block in which nobody else writes to the folder."""
        with self._holding:
            if self._held is not None:
                yield self._held.lock
                return
            with WriterLock(self._data()) as lock:
                yield lock

    def _data(self) -> Path:
        if self._folder is None:
            raise _in_memory()
        return self._folder


def _in_memory() -> UserError:
    return UserError(Reason.CONFLICT, "this workspace is in memory only, and can only be read")
