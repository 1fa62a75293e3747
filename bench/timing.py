"""
Timing side by side: engines take turns, so that a slow minute of the machine falls on all of them.

The next turn is that of the engine that has used least of what it may use: its calls, or its
seconds. So the calls of each are spread over the whole time, and none gets more than its share. A
figure is the median, with the 99th percentile (the slowest, for fewer than a hundred calls) beside
it. The first call of each engine is timed apart, as `first`: it is not in the median.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a call took: the first, and the median and 99th percentile of the rest."""

    first: float
    median: float
    p99: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How long an engine may go on: *most* calls or *seconds*, but *least* calls at any rate."""

    seconds: float = 1.0
    most: int = 1000
    least: int = 3

    def used(self, spent: float, made: int) -> float:
        """Return which share is used up after *made* calls of *spent* seconds together."""
        return max(made / self.most, min(spent / self.seconds, made / self.least))


def side_by_side(
    calls: Mapping[str, Callable[[], Answer]],
    budgets: Mapping[str, Budget],
    first: Mapping[str, float],
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """
    Return the timing of every call.

    *budgets* and *first*, the seconds of the call that was made before, are by the same names.
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    used = dict.fromkeys(calls, 0.0)
    while used:
        name = min(used, key=used.__getitem__)
        taken[name].append(once(calls[name], clock))
        used[name] = budgets[name].used(sum(taken[name]), len(taken[name]))
        if used[name] >= 1:
            del used[name]
    return {name: _summary(first[name], times) for name, times in taken.items()}


def once(call: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that one call takes."""
    start = clock()
    call()
    return clock() - start


def _summary(first: float, times: list[float]) -> Timing:
    ordered = sorted(times)
    return Timing(
        first=first,
        median=statistics.median(ordered),
        p99=ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))],
        rounds=len(ordered),
    )
