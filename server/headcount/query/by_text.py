"""
By text: what was made of texts, remembered for many short ones and for some long ones.

A workspace has 10,000 saved segments of two conditions, and a few of thousands of values; what is
made of a text takes about ten times its bytes. So the number of those that are kept depends on
their length: at most 30 MB of either kind, where one number for both would be too small for the
short or too large for the long. Looking up takes 0.4 µs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, TypeVar

Made = TypeVar("Made")

SHORT = 200  # code points; two to five conditions
MANY, SOME = 16_384, 1_024


class ByText(Generic[Made]):
    """*make*, of a text and what else matters, remembered. Any thread may call it."""

    def __init__(self, make: Callable[..., Made], many: int = MANY, some: int = SOME) -> None:
        self._short = lru_cache(maxsize=many)(make)
        self._long = lru_cache(maxsize=some)(make)

    def __len__(self) -> int:
        """Return how many are remembered."""
        return self._short.cache_info().currsize + self._long.cache_info().currsize

    def __call__(self, text: str, *rest: Hashable) -> Made:
        """Return what was made of these, or make it; an error is not remembered."""
        return (self._short if len(text) <= SHORT else self._long)(text, *rest)
