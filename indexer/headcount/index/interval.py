"""
An interval of time: from `low` to `high`, both included, in microseconds since 1970 UTC.

Every window of the language ends up as one. Instants are whole microseconds, so a half-open edge
needs no flag: `t < T` is `high = T - 1`, and `as_of - 30 d < t` is `low = as_of - 30 d + 1`.
"""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """The instants t with low <= t <= high; none when low > high. Any integers will do."""

    low: int
    high: int

    @property
    def is_empty(self) -> bool:
        """Whether no instant is in it."""
        return self.low > self.high


EVER = Interval(-(1 << 63), (1 << 63) - 1)  # every instant that Arrow can hold
