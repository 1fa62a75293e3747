"""
Ranges of values: what every comparison of a number, a day or an instant with fixed ones becomes.

A set of values is a tuple of ranges, ascending and apart, so that `in (1, 2, 3)`, `between` and
`<` are one thing to everything behind `bind`. Days and instants are whole, so their ranges have
closed ends only (`< T` is `high = T - 1`); numbers may have open ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

Number = int | float


class Range(NamedTuple):
    """The values v with low <= v <= high, without an end that is open; infinite where unbounded."""

    low: Number = -math.inf
    high: Number = math.inf
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no value is in it."""
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, int | float)
        above = value > self.low if self.low_open else value >= self.low
        return above and (value < self.high if self.high_open else value <= self.high)

    def within(self, other: Range) -> Range:
        """Return the values that are in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, closed = min((self.high, not self.high_open), (other.high, not other.high_open))
        return Range(low, high, low_open, not closed)

    def text(self, spell: Callable[[Number], str]) -> str:
        """Return the range as a person writes it: `= 3`, `>= 3`, `in [3, 5)`."""
        if self.low == self.high:
            return f"= {spell(self.low)}"
        if self.low == -math.inf and self.high == math.inf:
            return "is any"
        if self.low == -math.inf:
            return f"{'<' if self.high_open else '<='} {spell(self.high)}"
        if self.high == math.inf:
            return f"{'>' if self.low_open else '>='} {spell(self.low)}"
        left, right = "(" if self.low_open else "[", ")" if self.high_open else "]"
        return f"in {left}{spell(self.low)}, {spell(self.high)}{right}"


Ranges = tuple[Range, ...]

ALL: Ranges = (Range(),)


def union(ranges: Iterable[Range]) -> Ranges:
    """Return the values in any of *ranges*, as ascending ranges that do not touch."""
    merged: list[Range] = []
    for nxt in sorted((r for r in ranges if not r.is_empty), key=lambda r: (r.low, r.low_open)):
        if not merged:
            merged.append(nxt)
            continue
        last = merged[-1]
        apart = nxt.low > last.high or (nxt.low == last.high and nxt.low_open and last.high_open)
        if apart:
            merged.append(nxt)
            continue
        high, closed = max((last.high, not last.high_open), (nxt.high, not nxt.high_open))
        merged[-1] = Range(last.low, high, last.low_open, not closed)
    return tuple(merged)


def intersection(a: Ranges, b: Ranges) -> Ranges:
    """Return the values in both, as ascending ranges that do not touch."""
    return union(x.within(y) for x in a for y in b)


def holds(ranges: Ranges, value: Number) -> bool:
    """Return whether *value* is in any of *ranges*."""
    return any(value in r for r in ranges)
