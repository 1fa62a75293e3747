"""
Traced instants: what binding makes of the clock, and what it compares that with.

A bound condition is what it is because `now` was before something, or behind it: a window is cut at
the instant of the question, an interval is empty, `now > 2026-03-31` is everyone. None of that is
left to be seen in what comes out. So whoever wants to know for how long a condition is bound to the
same thing gives binding a traced instant. It is a number like any other that, with what is added to
it and taken from it, notes when it will meet each fixed one that it is compared with:

    now - 2 hours >= 06:30     at 05:00 no, and so it stays up to 08:30

Up to the first such meeting binding does the same steps with the same outcomes, so that what comes
out differs by where the clock is and in nothing else. Looking at the beginning and at the end of a
stretch would not tell: `now between 06:30 and 07:30` is no one at both ends of a day.
"""

from __future__ import annotations

from typing import Any, Self


class CannotMoveError(Exception):
    """The clock is in a place where what it does cannot be followed."""


class Meetings:
    """When comparisons with traced instants will turn; `soonest` is in µs from now."""

    def __init__(self) -> None:
        self.soonest: int | None = None

    def note(self, turn: int) -> None:
        """Note that the outcome of a comparison turns in so many µs; not if that is over."""
        if turn > 0 and (self.soonest is None or turn < self.soonest):
            self.soonest = turn


class Traced(int):
    """An instant that keeps pace with the clock; it notes what it is compared with."""

    meetings: Meetings

    def __new__(cls, at: int, meetings: Meetings) -> Self:
        """Return the instant *at*, which notes its comparisons in *meetings*."""
        found = super().__new__(cls, at)
        found.meetings = meetings
        return found

    def beside(self, at: int) -> Traced:
        """Return another instant that keeps pace with the clock."""
        return Traced(at, self.meetings)

    def __add__(self, other: Any) -> Any:
        return self._moved(super().__add__(other))

    def __radd__(self, other: Any) -> Any:
        return self._moved(super().__radd__(other))

    def __sub__(self, other: Any) -> Any:
        found = super().__sub__(other)
        return found if isinstance(other, Traced) else self._moved(found)

    def __rsub__(self, other: Any) -> Any:
        raise CannotMoveError("what comes closer as the clock goes on")

    def _moved(self, found: Any) -> Any:
        return found if found is NotImplemented else self.beside(found)

    def _note(self, other: object, *late: int) -> None:
        """Note when the two meet, and so many µs later, if *other* is an instant that stays."""
        if isinstance(other, int) and not isinstance(other, Traced):
            for one in late:
                self.meetings.note(other - int(self) + one)

    def __lt__(self, other: int) -> bool:
        self._note(other, 0)
        return super().__lt__(other)

    def __le__(self, other: int) -> bool:
        self._note(other, 1)
        return super().__le__(other)

    def __gt__(self, other: int) -> bool:
        self._note(other, 1)
        return super().__gt__(other)

    def __ge__(self, other: int) -> bool:
        self._note(other, 0)
        return super().__ge__(other)

    def __eq__(self, other: object) -> bool:
        self._note(other, 0, 1)
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        self._note(other, 0, 1)
        return super().__ne__(other)

    __hash__ = int.__hash__
