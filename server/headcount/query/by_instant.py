"""
By instant: what was made of texts that move with the clock, remembered for the last instants.

A segment with `in the last 30 days` means something else at every instant, and who asks for it now
and then never asks for the same again. What was made of it is some 30 objects; 16,384 of them, as
`ByText` alone kept, are half a million that every full collection looks through while everybody
waits: 120 ms after 20 seconds of queries, and growing. So they are kept by instant: all of the last
instants, for who counts many segments at one of them or asks again while it edits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from headcount.query.by_text import MANY, ByText

Made = TypeVar("Made")

TIMELESS = 0  # the instant of texts that mean the same at every one
INSTANTS = 32


class ByInstant(Generic[Made]):
    """
    *make*, of a text, an instant (µs) and what else matters, remembered. Any thread may call it.

    For the last *instants* / 2 to *instants*, fewer if they had more than *many* texts.
    """

    def __init__(
        self, make: Callable[..., Made], instants: int = INSTANTS, many: int = MANY
    ) -> None:
        self._make = make
        self._instants = instants
        self._many = many
        self._timeless = ByText(make)
        self._newer: dict[int, ByText[Made]] = {}
        self._older: dict[int, ByText[Made]] = {}

    def __call__(self, text: str, instant: int, *rest: Hashable) -> Made:
        """Return what was made of these, or make it; an error is not remembered."""
        if instant == TIMELESS:
            return self._timeless(text, instant, *rest)
        of = self._newer.get(instant)
        if of is None:
            of = self._again(instant)
        return of(text, instant, *rest)

    def _again(self, instant: int) -> ByText[Made]:
        """Return what is remembered of an instant that was not asked for lately."""
        found = self._older.get(instant)
        if found is None:
            found = ByText(self._make)
        newer = self._newer
        if len(newer) >= self._instants // 2 or sum(map(len, newer.values())) >= self._many // 2:
            self._older, self._newer = newer, {}
        self._newer[instant] = found
        return found
