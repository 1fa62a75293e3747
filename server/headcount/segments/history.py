"""
History: how a segment grew and shrank, day by day, from the comings and goings of a watch.

    record      since T0, n members        + enter   - exit   + enter ...      in order
    day         start | entries | exits | size        start + entries - exits = size

The record is whatever kept a watch's transitions; here they are only read, once, in order. Days are
calendar days in a time zone, from local midnight to local midnight; the first and the last may be
parts of one. What a contact does and undoes within a day is an entry and an exit.

A *stay* is the time from an entry to the exit that follows. Of those who were members before the
record began nobody knows when they came, so their first stay is in no average.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from headcount.model.errors import Reason, UserError
from headcount.query.clock import Clock, to_datetime
from headcount.query.context import never

MOST_DAYS = 3_700  # ten years

ENTER, EXIT = "enter", "exit"


class Transition(Protocol):
    """A contact that entered or left a segment."""

    @property
    def contact(self) -> Hashable:
        """Return who: the same for the same contact."""

    @property
    def kind(self) -> str:
        """Return `enter` or `exit`."""

    @property
    def at(self) -> int:
        """Return when, in µs since 1970 UTC."""


class Record(Protocol):
    """What is kept of a watched segment."""

    @property
    def since(self) -> int:
        """Return the instant (µs) from which on everything is known."""

    @property
    def until(self) -> int:
        """Return the instant up to which everything is known."""

    @property
    def size(self) -> int:
        """Return how many members there were at `since`, before the first transition."""

    def transitions(self) -> Iterable[Transition]:
        """Return all that happened from `since` up to `until`, in order of time."""


Records = Callable[[str, str], Record]  # of the watch of a workspace, both by name


def no_record(workspace: str, watch: str) -> Record:
    """
    Return the record of a watch where nothing is watched.

    Raises:
        UserError: NOT_FOUND, always.
    """
    del workspace
    raise UserError(
        Reason.NOT_FOUND,
        f"there is no watch `{watch}`; a history is told of what is watched, from then on",
        field="watch",
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    What happened from the instant `low` up to `high`, not included (µs since 1970 UTC).

    `start` is the size when it began, `size` when it ended. `returns` are those entries of contacts
    that had left before, as far as is known. `stays` are the exits whose entry is known, and
    `average_stay` is their mean in seconds, None without any.
    """

    low: int
    high: int
    start: int
    entries: int
    exits: int
    returns: int
    stays: int
    average_stay: float | None

    @property
    def begins(self) -> dt.datetime:
        """Return `low` as a time, in UTC."""
        return to_datetime(self.low)

    @property
    def ends(self) -> dt.datetime:
        """Return `high` as a time, in UTC."""
        return to_datetime(self.high)

    @property
    def size(self) -> int:
        """Return how many members there were at the end."""
        return self.start + self.entries - self.exits

    @property
    def growth(self) -> float | None:
        """Return the change of the size as a share of that at the start; None if it was 0."""
        return (self.size - self.start) / self.start if self.start else None

    @property
    def churn(self) -> float | None:
        """Return the exits as a share of the size at the start; None if it was 0."""
        return self.exits / self.start if self.start else None


@dataclass(frozen=True, slots=True)
class History:
    """
    The days of a segment in order, and all of them as one stretch.

    `stayed` of the members at the start never left: `stability` is their share.
    """

    total: Stretch
    stayed: int
    days: tuple[Stretch, ...]

    @property
    def stability(self) -> float | None:
        """Return the share of the members at the start who never left; None if there were none."""
        return self.stayed / self.total.start if self.total.start else None


def history(
    record: Record,
    low: int | None,
    high: int | None,
    clock: Clock,
    check: Callable[[], None] = never,
) -> History:
    """
    Return what happened from the instant *low* up to *high*, by days in the zone of *clock*.

    None is the beginning of the record, and its end; nothing is told beyond that.

    *check* is called before each day. Reads all transitions before *high*, 5 µs each, and holds a
    number for each contact that has entered.

    Raises:
        UserError: *low* is not before *high*, or before the record begins, there are more than
            3,700 days, or *check* ended it.
    """
    low = record.since if low is None else low
    high = record.until if high is None else min(high, record.until)
    _require(record, low, high)
    days = _edges(low, high, clock)
    telling = _Telling(record.size)
    transitions = iter(record.transitions())
    ahead = next(transitions, None)
    while ahead is not None and ahead.at < low:
        telling.take(ahead)
        ahead = next(transitions, None)
    telling.begin()
    found = []
    for first, after in pairwise(days):
        check()
        telling.begin_day()
        while ahead is not None and ahead.at < after:
            telling.take(ahead)
            ahead = next(transitions, None)
        found.append(telling.day(first, after))
    return History(telling.total(low, high), telling.stayed, tuple(found))


@dataclass(slots=True)
class _Sum:
    start: int = 0
    entries: int = 0
    exits: int = 0
    returns: int = 0
    stays: int = 0
    microseconds: int = 0

    def stretch(self, low: int, high: int) -> Stretch:
        mean = self.microseconds / self.stays / 1e6 if self.stays else None
        counted = (self.start, self.entries, self.exits, self.returns, self.stays, mean)
        return Stretch(low, high, *counted)


class _Telling:
    """What is known after each transition."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._since: dict[Hashable, int] = {}  # of members whose entry is known, when it was
        self._left: set[Hashable] = set()
        self._new: set[Hashable] = set()  # members who were none at the start of what is asked
        self._all, self._day = _Sum(), _Sum()
        self.stayed = 0

    def take(self, one: Transition) -> None:
        """Take the next transition."""
        both = (self._all, self._day)
        if one.kind == ENTER:
            self._size += 1
            self._since[one.contact] = one.at
            self._new.add(one.contact)
            for counted in both:
                counted.entries += 1
                counted.returns += one.contact in self._left
            return
        self._size -= 1
        came = self._since.pop(one.contact, None)
        self._left.add(one.contact)
        if one.contact in self._new:
            self._new.discard(one.contact)
        else:
            self.stayed -= 1
        for counted in both:
            counted.exits += 1
            if came is not None:
                counted.stays += 1
                counted.microseconds += one.at - came

    def begin(self) -> None:
        """Begin what is asked."""
        self._all = _Sum(self._size)
        self._new.clear()
        self.stayed = self._size

    def begin_day(self) -> None:
        """Begin a day."""
        self._day = _Sum(self._size)

    def day(self, low: int, high: int) -> Stretch:
        """Return the day that ends."""
        return self._day.stretch(low, high)

    def total(self, low: int, high: int) -> Stretch:
        """Return all days together."""
        return self._all.stretch(low, high)


def _require(record: Record, low: int, high: int) -> None:
    if low < record.since:
        raise UserError(
            Reason.INVALID_VALUE,
            f"the history of this segment begins at {to_datetime(record.since).isoformat()}; what"
            " was before is not known, or no longer kept",
            field="since",
        )
    if low >= high:
        raise UserError(
            Reason.INVALID_VALUE,
            "expected a beginning before the end, and before"
            f" {to_datetime(record.until).isoformat()}, up to which the history is known; found"
            f" {to_datetime(low).isoformat()}",
            field="since",
        )


def _edges(low: int, high: int, clock: Clock) -> list[int]:
    """Return *low*, each local midnight between, and *high*."""
    first, last = clock.day_of(low), clock.day_of(high - 1)
    if last - first >= MOST_DAYS:
        raise UserError(
            Reason.LIMIT_EXCEEDED,
            f"expected at most {MOST_DAYS:,} days, found {last - first + 1:,}",
            field="since",
        )
    return [low, *(clock.day_start(day) for day in range(first + 1, last + 1)), high]
