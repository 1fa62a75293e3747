"""
Upkeep: lets go of old events and versions and compacts workspaces, in a thread of its own.

Compaction runs beside readers and writers, and one at a time: it takes a core for seconds.
"""

from __future__ import annotations

import threading

from structlog.typing import FilteringBoundLogger

from headcount.caretaker import Caretaker
from headcount.members.pinned import Pinned
from headcount.model.errors import CorruptionError, HeadcountError, UnknownOutcomeError
from headcount.rpc.clock import now
from headcount.rpc.workspaces import Workspaces

_PERIOD_SECONDS = 5.0
_AGAIN_SECONDS = 300.0  # after a compaction that failed: a full disk does not mend itself soon


class Upkeep:
    """Keeps the workspaces of a server well, from `start` until `stop`."""

    def __init__(self, workspaces: Workspaces, pinned: Pinned, log: FilteringBoundLogger) -> None:
        self._workspaces = workspaces
        self._pinned = pinned
        self._log = log
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)

    def start(self) -> None:
        """Let go of events that grew too old while nobody served, and begin."""
        for caretaker in self._workspaces.caretakers():
            try:
                self._expire(caretaker)
            except HeadcountError as error:
                self._log.warning("not kept up", workspace=caretaker.live.name, why=str(error))
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def join(self) -> None:
        """Return when what is under way has ended: a compaction is not cut short."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause = _PERIOD_SECONDS
        while not self._stopped.wait(pause):
            self._pinned.expire()
            pause = _PERIOD_SECONDS
            for caretaker in self._workspaces.caretakers():
                if self._stopped.is_set():
                    return
                try:
                    self._care_for(caretaker)
                except UnknownOutcomeError:
                    return  # the server is told by the writer, and ends
                except HeadcountError as error:
                    bad = isinstance(error, CorruptionError)
                    (self._log.error if bad else self._log.warning)(
                        "not kept up", workspace=caretaker.live.name, why=str(error)
                    )
                    pause = _AGAIN_SECONDS

    def _care_for(self, caretaker: Caretaker) -> None:
        name = caretaker.live.name
        self._expire(caretaker)
        if caretaker.live.is_compaction_due:
            found = caretaker.compact()
            version = str(found.version)
            self._log.info("compacted", workspace=name, version=version, erased=found.erased)

    def _expire(self, caretaker: Caretaker) -> None:
        expired = caretaker.expire(now())
        if expired:
            self._log.info("expired", workspace=caretaker.live.name, events=expired)
