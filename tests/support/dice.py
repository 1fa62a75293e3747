"""
Dice: where random choices come from, so that one generator serves two masters.

`Dice` is a seeded `random.Random`: thousands of worlds and segments a second. `HypothesisDice` asks
Hypothesis for every choice, which then shrinks a failure to the smallest one: the first option, the
lowest number, no, fewer items. So simple options come first, and `chance` is of the less simple.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choices(Protocol):
    """A source of choices."""

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""

    def chance(self, percent: int) -> bool:
        """Return True in *percent* of a hundred cases."""

    def many(self, low: int, high: int, make: Callable[[], T]) -> list[T]:
        """Return from *low* to *high* things, each made by a call of *make*."""


class Dice:
    """Choices from a seed: the same seed, the same choices."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[int(self._random() * len(options))]

    def chance(self, percent: int) -> bool:
        """Return True in *percent* of a hundred cases."""
        return self._random() * 100 < percent

    def many(self, low: int, high: int, make: Callable[[], T]) -> list[T]:
        """Return from *low* to *high* things, each made by a call of *make*."""
        return [make() for _ in range(self.integer(low, high))]


class HypothesisDice:
    """Choices that Hypothesis makes, remembers and shrinks."""

    def __init__(self, draw: Callable[[st.SearchStrategy[T]], T]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included; shrinks towards *low*."""
        return self._draw(_integers(low, high))  # type: ignore[arg-type, return-value]

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options; shrinks towards the first."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """Return True in *percent* of a hundred cases; shrinks towards False."""
        return self.integer(0, 99) >= 100 - percent

    def many(self, low: int, high: int, make: Callable[[], T]) -> list[T]:
        """Return from *low* to *high* things; shrinks to fewer, whichever are needed."""
        return self._draw(st.lists(st.builds(make), min_size=low, max_size=high))  # type: ignore[arg-type, return-value]


@lru_cache(maxsize=1024)
def _integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def some(dice: Choices, options: Sequence[T], low: int, high: int) -> list[T]:
    """Return between *low* and *high* different options, in their order."""
    wanted = min(dice.integer(low, high), len(options))
    left = list(range(len(options)))
    chosen = [left.pop(dice.integer(0, len(left) - 1)) for _ in range(wanted)]
    return [options[i] for i in sorted(chosen)]
