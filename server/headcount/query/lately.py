"""
What was asked lately: a bounded memory without a lock, for what costs little more than to look up.

Two dictionaries: what is asked goes to the newer one, and when that is full it becomes the older
one. So those of the last *most* / 2 to *most* questions are held. A step of a dictionary is one
step for all threads, so all that they can do to each other is to lose an answer, or to make it
twice.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Asked = TypeVar("Asked", bound=Hashable)
Found = TypeVar("Found")


class Lately(Generic[Asked, Found]):
    """Answers by question, those of the last *most* / 2 to *most*. Any thread may ask."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._newer: dict[Asked, Found] = {}
        self._older: dict[Asked, Found] = {}

    def __len__(self) -> int:
        """Return how many are held."""
        return len(self._newer.keys() | self._older.keys())

    def values(self) -> list[Found]:
        """Return the answers that are held, those that were asked last behind the others."""
        return list((self._older | self._newer).values())

    def get(self, asked: Asked) -> Found | None:
        """Return the answer; None if it is not held."""
        found = self._newer.get(asked)
        if found is None:
            found = self._older.get(asked)
            if found is not None:
                self.keep(asked, found)
        return found

    def keep(self, asked: Asked, found: Found) -> None:
        """Hold an answer, in the place of another to the same question."""
        newer = self._newer
        if len(newer) >= self._most // 2:
            self._older, self._newer = newer, {}
            newer = self._newer
        newer[asked] = found
