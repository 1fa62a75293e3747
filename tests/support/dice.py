"""
Dice: where random choices come from, so that one generator serves two masters.

`Dice` is a seeded `random.Random`: thousands of worlds and segments a second. `HypothesisDice` asks
Hypothesis for every choice, which then shrinks a failure to the smallest one: the first option, the
lowest number, no. So simple options come first, and `chance` is of the less simple branch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
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


class HypothesisDice:
    """Choices that Hypothesis makes, remembers and shrinks."""

    def __init__(self, draw: Callable[[st.SearchStrategy[T]], T]) -> None:
        self._draw = draw

    def integer(self, low: int, high: int) -> int:
        """Return a whole number, both ends included; shrinks towards *low*."""
        return self._draw(st.integers(low, high))  # type: ignore[arg-type, return-value]

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options; shrinks towards the first."""
        return options[self.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        """Return True in *percent* of a hundred cases; shrinks towards False."""
        return self.integer(0, 99) >= 100 - percent


def some(dice: Choices, options: Sequence[T], low: int, high: int) -> list[T]:
    """Return between *low* and *high* different options, in their order."""
    wanted = min(dice.integer(low, high), len(options))
    left = list(range(len(options)))
    chosen = [left.pop(dice.integer(0, len(left) - 1)) for _ in range(wanted)]
    return [options[i] for i in sorted(chosen)]
