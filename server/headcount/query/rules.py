"""
What a tree must be like beyond what its types say, for the text and the protobuf form alike.

Each rule returns the message of what is wrong, or None; who asks adds the place. Nothing here needs
the schema: what does is found by bind.
"""

from __future__ import annotations

import math
import unicodedata

from headcount.query import tree
from headcount.query.lexicon import clipped, is_bare_word
from headcount.query.tree import ArithmeticOp, Duration, Node, Times, Unit, children

MAX_COUNT = 2**31 - 1  # more events than a contact can have; what the wire format holds
MAX_EXACT = 2**53  # whole numbers above it are not all doubles

# 1,000 years in each unit: no longer step can leave the calendar from a date that anyone means.
_LONGEST = {
    Unit.MINUTE: 525_960_000,
    Unit.HOUR: 8_766_000,
    Unit.DAY: 365_250,
    Unit.WEEK: 52_178,
    Unit.MONTH: 12_000,
    Unit.QUARTER: 4_000,
    Unit.YEAR: 1_000,
}

_ABOUT_THE_CONTACT = (
    tree.Everyone, tree.InList, tree.OptedOut, tree.InSegment, tree.Sample, tree.Did,
    tree.Regularly, tree.Sequence, tree.EventValue, tree.Aggregate,
)  # fmt: skip


def duration_fault(duration: Duration) -> str | None:
    """Return what is wrong with a length of time."""
    if duration.amount < 0:
        return f"expected a duration from 0, found {duration.amount} {duration.unit}s"
    if duration.amount > _LONGEST[duration.unit]:
        return (
            "expected a duration of at most 1,000 years, "
            f"found {duration.amount:,} {duration.unit}s"
        )
    return None


def count_fault(n: int) -> str | None:
    """Return what is wrong with a number of events."""
    if n < 0:
        return f"expected a number of events from 0, found {n:,}"
    if n > MAX_COUNT:
        return f"expected a number of events up to {MAX_COUNT:,}, found {n:,}"
    return None


def times_fault(times: Times) -> str | None:
    """Return what is wrong with how often something must have happened."""
    if times.high is not None and times.high < times.n:
        return (
            "expected the smaller number first, found "
            f"`between {times.n} and {times.high} times`, which is never true"
        )
    return count_fault(times.n) or count_fault(times.high or 0)


def periods_fault(at_least: int, periods: int, period: Duration) -> str | None:
    """Return what is wrong with `in at least m of the last k periods`."""
    if period.amount == 0:
        return "expected periods of some length, found 0"
    if periods < 1:
        return f"expected periods from 1 on, found {periods:,}"
    if not 1 <= at_least <= periods:
        return f"expected from 1 to {periods:,} of the last {periods:,} periods, found {at_least:,}"
    longest = Duration(period.amount * periods, period.unit)
    return duration_fault(period) or duration_fault(longest)


def percent_fault(percent: float) -> str | None:
    """Return what is wrong with the share of a sample."""
    if 0 <= percent <= 100:
        return None
    return f"expected a share from 0% to 100%, found {percent:g}%"


def number_fault(value: float) -> str | None:
    """Return what is wrong with a number literal."""
    return None if math.isfinite(value) else f"expected a finite number, found {value}"


def text_fault(value: str) -> str | None:
    """Return what is wrong with a string: only what is no Unicode text at all."""
    if value.isascii():
        return None
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"expected Unicode text, found half a surrogate pair at character {error.start + 1}"
    return None


def name_fault(name: str) -> str | None:
    """Return what is wrong with a name of a field, property or event."""
    if not name:
        return "expected a name, found an empty one"
    if name.isprintable():
        return None
    if any(unicodedata.category(character) == "Cc" for character in name):
        return f"expected a name without control characters, found {clipped(name)!a}"
    return text_fault(name)


def bare_name_fault(name: str) -> str | None:
    """Return what is wrong with a name that is written without backticks."""
    if is_bare_word(name):
        return None
    return f"`{clipped(name)}` is no bare word: a name like this is written in backticks"


def not_about_the_event(where: tree.Segment) -> Node | None:
    """Return the first part of *where* that is not about the event's own properties."""
    stack: list[Node] = [where]
    while stack:
        node = stack.pop()
        if isinstance(node, _ABOUT_THE_CONTACT):
            return node
        stack.extend(reversed(tuple(children(node))))
    return None


def not_a_time(value: tree.Value) -> tree.Value | None:
    """
    Return the part of *value* that keeps it from being a time, or None if it is one.

    A time is a date, a clock time, `now` and its kin, or `d ago`, then durations added or taken.
    """
    while isinstance(value, tree.Arithmetic):
        if value.op not in (ArithmeticOp.ADD, ArithmeticOp.SUBTRACT):
            return value
        if not isinstance(value.right, tree.DurationValue):
            return value.right
        value = value.left
    if isinstance(value, tree.Date | tree.DateTime | tree.TimeWord | tree.Ago):
        return None
    return value


def is_age(op: tree.CompareOp, right: tree.Value) -> bool:
    """Return whether `... op right` compares ages: `< <= > >=` with `d ago` on its own."""
    return isinstance(right, tree.Ago) and op in AGE_OPS


AGE_OPS = (tree.CompareOp.LT, tree.CompareOp.LE, tree.CompareOp.GT, tree.CompareOp.GE)
