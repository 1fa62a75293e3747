"""
Structures that are made when they are asked for again, and of which a few are kept.

    first question     noted; it is answered without
    second question    made, and kept
    too many kept      those that were made first go, and must be asked for twice again

So a question that comes once never pays for a structure, and two that take each other's place do
not have it made each time. What turns out to be of no use is noted too: to find that out may cost
as much as an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Made = TypeVar("Made")

_WAITS = True  # for a second question; tests do not
_NOTED = 64  # of those that were asked for once, or are of no use


class Again(Generic[Asked, Made]):
    """The structures of one kind for one log. Any thread may ask."""

    def __init__(self, most: int, size: Callable[[Made], int] = lambda _: 1) -> None:
        """Keep structures whose sizes add up to *most*."""
        self._most = most
        self._size = size
        # Replaced, never changed: other threads may be reading them.
        self._held: Mapping[Asked, Made] = {}
        self._noted: Mapping[Asked, bool] = {}  # whether it is of no use

    def get(
        self, asked: Asked, make: Callable[[], Made | None], *, now: bool = False
    ) -> Made | None:
        """
        Return what *make* gives; None if that is of no use, or was not asked for before.

        With *now* it is made the first time.
        """
        found = self._held.get(asked)
        if found is not None:
            return found
        useless = self._noted.get(asked)
        if useless:
            return None
        if useless is None and _WAITS and not now:
            self._note(asked, useless=False)
            return None
        made = make()
        if made is None:
            self._note(asked, useless=True)
            return None
        kept = {**self._held, asked: made}
        while sum(map(self._size, kept.values())) > self._most:
            del kept[next(iter(kept))]
        self._held = kept
        self._noted = {one: held for one, held in self._noted.items() if one != asked}
        return made

    def values(self) -> list[Made]:
        """Return what is kept."""
        return list(self._held.values())

    def _note(self, asked: Asked, *, useless: bool) -> None:
        others = [(one, held) for one, held in self._noted.items() if one != asked]
        self._noted = dict([*others[1 - _NOTED :], (asked, useless)])
