"""
The gate: which of those who belong to a segment count as being in it, under a rule of re-entry.

    belongs      ____‾‾‾‾‾‾‾‾______‾‾‾‾‾‾‾‾‾‾‾‾‾
    barred                   ======pause====
    inside       ____‾‾‾‾‾‾‾‾_______________‾‾‾‾‾
                     enter   exit           enter, reason time

Everybody inside belongs. Whoever leaves is barred for the pause, or for good; a pause that ends
while the contact belongs lets it in at that instant.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple

from pyroaring import BitMap

from headcount.segments.watch.transitions import Kind, Reason, Reentry, Settings


class Flip(NamedTuple):
    """One contact that begins to belong to the segment (`ENTER`) or ceases to."""

    at: int
    ordinal: int
    kind: Kind
    reason: Reason


class Gate:
    """Who is inside, and who is barred until when."""

    def __init__(
        self, settings: Settings, inside: BitMap, gone: BitMap, pauses: dict[int, int]
    ) -> None:
        self._settings = settings
        self.inside = inside
        self.gone = gone  # with ONCE: all that ever left
        self.pauses = pauses  # with AFTER: until when each is barred
        self._due = [(until, ordinal) for ordinal, until in pauses.items()]
        heapq.heapify(self._due)

    @property
    def next(self) -> int | None:
        """Return when the next pause is over."""
        return self._due[0][0] if self._due else None

    def over(self, to: int, belongs: BitMap) -> Iterator[Flip]:
        """Let in those whose pause is over by *to* and who belong, in order."""
        while self._due and self._due[0][0] <= to:
            until, ordinal = heapq.heappop(self._due)
            if self.pauses.get(ordinal) != until:
                continue
            del self.pauses[ordinal]
            if ordinal in belongs:
                self.inside.add(ordinal)
                yield Flip(until, ordinal, Kind.ENTER, Reason.TIME)

    def passed(self, flip: Flip) -> bool:
        """Note a flip, and return whether it is seen: who is barred does not enter or leave."""
        if flip.kind is Kind.EXIT:
            if flip.ordinal not in self.inside:
                return False
            self.inside.discard(flip.ordinal)
            self._bar(flip)
            return True
        if flip.ordinal in self.gone or flip.ordinal in self.pauses:
            return False
        self.inside.add(flip.ordinal)
        return True

    def forget(self, ordinals: BitMap) -> None:
        """Forget contacts that are no more."""
        self.gone -= ordinals
        for ordinal in ordinals:
            self.pauses.pop(ordinal, None)

    def _bar(self, flip: Flip) -> None:
        match self._settings.reentry:
            case Reentry.ONCE:
                self.gone.add(flip.ordinal)
            case Reentry.AFTER:
                until = flip.at + self._settings.pause
                self.pauses[flip.ordinal] = until
                heapq.heappush(self._due, (until, flip.ordinal))
