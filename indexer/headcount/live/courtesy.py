"""
Courtesy: whoever writes much gives way to queries, between steps, for some milliseconds in all.

The interpreter is one thread's at a time. CPython takes it from a thread that works in Python after
5 ms; one that calls numpy and Arrow in turn lets it go for some microseconds each time, and has it
again before a thread that waits for it is awake. A query needs it some five times, in three
threads: one that came while a thousand events were indexed waited for most of that. So between its
steps, of half a millisecond or so each, a large commit lets go for long enough that others get it,
and goes on when no query is under way, or when it has waited for as long as it may.

Where nobody asks anything it costs nothing. Rejected: a shorter interval for all threads, by which
queries are interrupted as often as commits (10.4 to 12.8 ms of the 99th percentile).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LULL = 0.1  # seconds without a query after which nobody is waited for
_MOMENT = 0.000_05  # seconds in which another thread gets the interpreter
_AGAIN = 0.000_2  # seconds from one look at whether a query is under way to the next
_EACH = 0.002  # seconds that are waited at one place: longer than most queries take
_MOST = 0.012  # and in all, so that queries without end slow writing down by so much and no more


def _never() -> float:
    return float("inf")


def _no_time() -> float:
    return 0.0


def _no_sleep(_: float) -> None:
    """Sleep for no time."""


@dataclass(eq=False, slots=True)
class Courtesy:
    """
    Whom those who write in this process give way to; nobody, unless it is said.

    `lull` returns for how many seconds no query has been under way, 0 while one is. `sleep` and
    `clock` are in seconds, and must be given where `lull` is.
    """

    lull: Callable[[], float] = _never
    sleep: Callable[[float], None] = _no_sleep
    clock: Callable[[], float] = _no_time

    def begin(self) -> Turn:
        """Return what gives way in the course of one piece of work."""
        return Turn(self)


class Turn:
    """Gives way each time it is called, until it has for as long as it may. For one thread."""

    __slots__ = ("_courtesy", "_left")

    def __init__(self, courtesy: Courtesy) -> None:
        self._courtesy = courtesy
        self._left = _MOST

    def __call__(self) -> None:
        """Let queries that are under way go first."""
        courtesy = self._courtesy
        if self._left <= 0.0 or courtesy.lull() > _LULL:
            return
        started = courtesy.clock()
        end = started + min(_EACH, self._left)
        courtesy.sleep(_MOMENT)
        while not courtesy.lull() and courtesy.clock() < end:
            courtesy.sleep(_AGAIN)
        self._left -= courtesy.clock() - started


def at_once() -> None:
    """Give way to nobody: the work takes less than that."""
