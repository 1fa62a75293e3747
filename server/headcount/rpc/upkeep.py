"""
Upkeep: compacts workspaces when that is due, and lets go of old versions, in a thread of its own.

Compaction runs beside readers and writers, and one at a time: it takes a core for seconds.
"""

from __future__ import annotations

import threading

from structlog.typing import FilteringBoundLogger

from headcount.members.pinned import Pinned
from headcount.model.errors import CorruptionError, HeadcountError, UnknownOutcomeError
from headcount.rpc.workspaces import Workspaces

_PERIOD_SECONDS = 5.0
_AGAIN_SECONDS = 300.0  # after a compaction that failed: a full disk does not mend itself soon


class Upkeep:
    """Compacts the workspaces of a server, from `start` until `stop`."""

    def __init__(self, workspaces: Workspaces, pinned: Pinned, log: FilteringBoundLogger) -> None:
        self._workspaces = workspaces
        self._pinned = pinned
        self._log = log
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; a compaction under way is not waited for."""
        self._stopped.set()

    def _run(self) -> None:
        pause = _PERIOD_SECONDS
        while not self._stopped.wait(pause):
            pause = _PERIOD_SECONDS
            self._pinned.expire()
            for caretaker in self._workspaces.due():
                try:
                    found = caretaker.compact()
                except UnknownOutcomeError:
                    return  # the server is told by the writer, and ends
                except HeadcountError as error:
                    level = self._log.error if isinstance(error, CorruptionError) else None
                    (level or self._log.warning)(
                        "not compacted", workspace=caretaker.live.name, why=str(error)
                    )
                    pause = _AGAIN_SECONDS
                else:
                    self._log.info(
                        "compacted",
                        workspace=caretaker.live.name,
                        version=str(found.version),
                        erased=found.erased,
                    )
