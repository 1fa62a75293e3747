"""
Timing side by side: every engine answers in turn, round after round, so that a slow minute of the
machine falls on all of them.

A figure is the median of the rounds, with the 99th percentile (the slowest, for few rounds) beside
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


def side_by_side(
    calls: Mapping[str, Callable[[], Answer]], *, seconds: float = 1.0, most: int = 2000
) -> tuple[dict[str, Timing], dict[str, Answer]]:
    """
    Return the timing and the first answer of every call.

    Each engine is called in turn until it has used *seconds* or made *most* calls; at least 5
    times.
    """
    answers: dict[str, Answer] = {}
    first: dict[str, float] = {}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for name, call in calls.items():
        start = time.perf_counter()
        answers[name] = call()
        first[name] = time.perf_counter() - start
    running = dict(calls)
    while running:
        for name, call in list(running.items()):
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
            spent, made = sum(taken[name]), len(taken[name])
            if made >= most or (made >= 5 and spent >= seconds):
                del running[name]
    return {name: _summary(first[name], times) for name, times in taken.items()}, answers


def _summary(first: float, times: list[float]) -> Timing:
    ordered = sorted(times)
    return Timing(
        first=first,
        median=statistics.median(ordered),
        p99=ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))],
        rounds=len(ordered),
    )
