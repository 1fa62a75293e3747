"""
Stretches: the times that a condition was resolved to, as a person can check them.

`opened in last 30 days` is about the instants after 2 October 08:15:01 up to 1 November 08:15:01,
in one time zone; `anniversary(birthday) within next 7 days` about seven calendar days. They are
read from the bound condition, so they are what was really asked: each window of events and each
range that a time is compared with, both ends included, no end where there is none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from headcount.index.interval import EVER, Interval
from headcount.query.bound import Condition, EventCount, Follows, InRanges, Node, children
from headcount.query.clock import Clock, OutOfCalendarError, to_date
from headcount.query.expressions import (
    EventAggregate,
    EventTally,
    EventTime,
    Kind,
    Sources,
)
from headcount.query.moments import Moment, instant_in
from headcount.query.ranges import Range

_ENDLESS = (EVER.low, EVER.high, float("-inf"), float("inf"))
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    What was looked at (`email_open`, `birthday`), and from when to when, both included.

    `first` and `last` are days, or instants in the query's time zone; None is no end.
    """

    about: str
    first: Moment | None
    last: Moment | None

    def to_dict(self) -> dict[str, str]:
        """Return it as JSON holds it: times in ISO 8601, an end that is not there left out."""
        ends = {"first": self.first, "last": self.last}
        found = {name: end.isoformat() for name, end in ends.items() if end is not None}
        return {"about": self.about, **found}

    def __str__(self) -> str:
        """Return it in words, with `before 00:00:00` in the place of `to 23:59:59.999999`."""
        if self.first is None and self.last is None:
            return f"{self.about} ever"
        if self.first == self.last:
            return f"{self.about} on {_spelt(self.first)}"
        words = [self.about]
        if self.first is not None:
            words.append(_beginning(self.first))
        if self.last is not None:
            words.append(_ending(self.last))
        return " ".join(words)


def stretches(condition: Condition, clock: Clock) -> tuple[Stretch, ...]:
    """Return the stretches of a bound condition, each once, in the order they are met."""
    return tuple(dict.fromkeys(_of(condition, clock)))


def _of(node: Node, clock: Clock) -> Iterator[Stretch]:
    match node:
        case EventCount(sources, interval) | Follows(sources, interval=interval):
            yield _window(sources, interval, clock)
        case InRanges(value, ranges) if value.kind.is_time:
            for one in ranges:
                yield Stretch(str(value), *_ends(one, value.kind, clock))
        case EventTally() | EventTime() | EventAggregate():
            yield _window(node.sources, node.interval, clock)
    for child in children(node):
        yield from _of(child, clock)


def _window(sources: Sources, interval: Interval, clock: Clock) -> Stretch:
    names = " or ".join(dict.fromkeys(source.event.name for source in sources))
    return Stretch(names, *_ends(Range(*interval), Kind.INSTANT, clock))


def _ends(range_: Range, kind: Kind, clock: Clock) -> tuple[Moment | None, Moment | None]:
    return _end(range_.low, kind, clock), _end(range_.high, kind, clock)


def _end(end: float, kind: Kind, clock: Clock) -> Moment | None:
    """Return a day or an instant as a person reads it; None if the calendar does not have it."""
    if end in _ENDLESS:
        return None
    try:
        return to_date(int(end)) if kind is Kind.DATE else instant_in(clock.zone, int(end))
    except (OutOfCalendarError, OverflowError):
        return None


def _beginning(first: Moment) -> str:
    """Return `from` a time; for one µs after a whole second, `after` that second."""
    if isinstance(first, dt.datetime) and first.microsecond == 1:
        return f"after {_spelt(_beside(first, -1))}"
    return f"from {_spelt(first)}"


def _ending(last: Moment) -> str:
    """Return `to` a time; for one µs before a whole second, `before` that second."""
    if isinstance(last, dt.datetime) and last.microsecond == 999_999:
        return f"before {_spelt(_beside(last, 1))}"
    return f"to {_spelt(last)}"


def _beside(instant: dt.datetime, steps: int) -> dt.datetime:
    """Return an instant some µs later; counted in UTC, because clocks change."""
    try:
        moved = instant.astimezone(dt.UTC) + steps * _MICROSECOND
        return moved.astimezone(instant.tzinfo)
    except OverflowError:  # the last instant of the calendar
        return instant


def _spelt(moment: Moment | None) -> str:
    if isinstance(moment, dt.datetime):
        return moment.isoformat(" ")
    return "" if moment is None else moment.isoformat()
