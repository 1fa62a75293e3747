"""
Feeds: what happened to one watch, for those who read along.

The newest transitions are in memory, all that are kept on the disk. A reader holds the number of
the last one that it has and asks for what comes after it, in pieces; so it costs nothing while it
is slow, and nobody waits for it. Nothing gets into a feed before it is on the disk.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from headcount.index.view import Version
from headcount.segments.watch.transitions import Kind, Reason, Transition
from headcount.storage.watches import Row, WatchStore

_RECENT = 1024  # in memory, of one watch


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Up to where a watch was followed: all that happened until then has a number up to this."""

    number: int
    version: Version
    instant: int


class Feed:
    """The transitions of one watch. Any thread may read."""

    def __init__(self, store: WatchStore, watch: int, bookmark: Bookmark) -> None:
        self._store = store
        self._watch = watch
        self._bookmark = bookmark
        self._recent: deque[Transition] = deque(maxlen=_RECENT)
        self._changed = threading.Condition()
        self._error: Exception | None = None

    @property
    def bookmark(self) -> Bookmark:
        """Return up to where the watch was followed."""
        return self._bookmark

    @property
    def oldest(self) -> int:
        """Return the number of the oldest transition that is kept; the next one if none is."""
        found = self._store.oldest(self._watch)
        return self._bookmark.number + 1 if found is None else found

    def publish(self, transitions: Sequence[Transition], bookmark: Bookmark) -> None:
        """Show what was written, and wake those who wait for it."""
        if not transitions:
            self._bookmark = bookmark
            return
        with self._changed:
            self._recent.extend(transitions)
            self._bookmark = bookmark
            self._changed.notify_all()

    def end(self, error: Exception) -> None:
        """Let every reader fail with *error* once it has read all."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def mend(self) -> None:
        """Go on after `end`."""
        with self._changed:
            self._error = None

    def forget(self) -> None:
        """Read everything from the disk again: what is in memory may have been erased there."""
        with self._changed:
            self._recent.clear()

    def after(self, number: int, limit: int) -> list[Transition]:
        """Return up to *limit* transitions behind *number*; none if there are none yet."""
        with self._changed:
            recent = list(self._recent)
            newest = self._bookmark.number
        if number >= newest:
            return []
        if recent and recent[0].number <= number + 1:
            return recent[number + 1 - recent[0].number :][:limit]
        return [transition(row) for row in self._store.rows(self._watch, number, limit)]

    def wait(self, number: int, seconds: float) -> bool:
        """
        Wait until there is something behind *number*, for some time at most; return whether it is.

        Raises:
            Exception: the one the feed ended with, if there is nothing to be read before it.
        """
        with self._changed:
            if self._bookmark.number <= number and self._error is None:
                self._changed.wait(seconds)
            if self._bookmark.number > number:
                return True
            if self._error is not None:
                raise self._error
            return False


def transition(row: Row) -> Transition:
    """Return a transition as it was kept."""
    version = Version(row.epoch, row.sequence)
    kind, reason = Kind(row.kind), Reason(row.reason)
    return Transition(row.number, row.ordinal, row.contact, kind, reason, row.at, version)


def kept(found: Transition) -> Row:
    """Return a transition as it is to be kept."""
    version = found.version
    return Row(
        found.number, found.ordinal, found.contact, str(found.kind), str(found.reason),
        found.at, version.epoch, version.sequence,
    )  # fmt: skip
