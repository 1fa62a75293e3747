"""
Versions that are kept for those who page through them.

All pages of a listing are of one version. A workspace that is written to has a new one many times a
second, so the one that a page was taken from is kept for a while, counted from its last page, and
only so many: a version holds on to memory that newer ones have let go.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from headcount.index.view import Version
from headcount.query.engine import Engine

SECONDS = 120.0
VERSIONS = 16


class Pinned:
    """Engines by workspace and version, each until it is *seconds* old. Any thread may use it."""

    def __init__(
        self, clock: Callable[[], float], seconds: float = SECONDS, versions: int = VERSIONS
    ) -> None:
        """*clock* returns seconds from any start."""
        self._clock = clock
        self._seconds = seconds
        self._versions = versions
        self._held: OrderedDict[tuple[str, Version], tuple[float, Engine]] = OrderedDict()
        self._lock = Lock()

    def keep(self, workspace: str, engine: Engine) -> None:
        """Keep the version of *engine*, from now on; the one used least lately goes for it."""
        key = (workspace, engine.view.version)
        with self._lock:
            self._held[key] = (self._clock() + self._seconds, engine)
            self._held.move_to_end(key)
            while len(self._held) > self._versions:
                self._held.popitem(last=False)

    def find(self, workspace: str, version: Version) -> Engine | None:
        """Return the engine over a version that is kept."""
        self.expire()
        with self._lock:
            found = self._held.get((workspace, version))
        return None if found is None else found[1]

    def expire(self) -> None:
        """Let go of what is too old."""
        now = self._clock()
        with self._lock:
            while self._held and next(iter(self._held.values()))[0] < now:
                self._held.popitem(last=False)
