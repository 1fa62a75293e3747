"""
A data folder under an open workspace: read with its log, and written to while nobody else does.

A folder that was written to has a log behind its generation. Reading it needs the folder's lock for
as long as that takes, since only one process may touch a log.
"""

from __future__ import annotations

import time
from pathlib import Path

from headcount.index.view import View
from headcount.index.workspace import open_view
from headcount.live.writer import LiveWorkspace
from headcount.model.errors import Reason, UserError
from headcount.rpc.clock import now
from headcount.storage.folder import WriterLock
from headcount.storage.log import needs_replay
from headcount.storage.log_mark import read_mark

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

    def close(self) -> None:
        """Write what waits, and let others write; again is harmless."""
        self.live.close()
        self.lock.close()


def read(folder: Path, name: str) -> View:
    """
    Return the newest view of a workspace, that of its log if it has one.

    Raises:
        UserError: there is no such workspace; CONFLICT, another process writes to the folder.
        CorruptionError: a file is damaged.
    """
    view = open_view(folder, name)
    after = view.version.sequence
    if not needs_replay(folder, name, after):
        return view
    until = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            writer = FolderWriter(folder, name)
        except UserError as error:
            if error.reason is not Reason.CONFLICT:
                raise
            mark = read_mark(folder, name)
            if mark is not None and mark.sequence <= after:
                return view  # it is open, and nothing was written
            if time.monotonic() > until:
                raise UserError(
                    Reason.CONFLICT,
                    f"{error.message}, which alone knows what was written last; ask it, if it is a"
                    " server: --server HOST:PORT",
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            writer.close()
            return writer.live.view
