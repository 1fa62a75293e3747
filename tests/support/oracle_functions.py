"""
The arithmetic, functions and aggregates of docs/language.md, on values already found.

Readings that the page leaves open, and the ones taken here:

* A sum is the exact sum of the doubles, rounded once.
* `round` takes halves away from 0.
* A result of arithmetic that is no finite number is missing.
* `abs`, `round`, `min` and `max` of a missing argument are missing.
* `length` of a string is its code points as stored; of a multi-valued field, its values.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from headcount.query import tree
from support import oracle_time
from support.oracle_time import DAY, RefusedError
from support.oracle_values import (
    Query,
    SpokenInstant,
    Text,
    TextSet,
    Value,
    in_days,
    instant_in,
    is_day,
    stretch_of,
)
from support.worlds import Event


def arithmetic(query: Query, op: tree.ArithmeticOp, a: Value, b: Value) -> Value:
    """Section 2: a missing operand gives missing. Section 3: time ± duration, time - time."""
    if a is None or b is None:
        return None
    if isinstance(a, dt.date | SpokenInstant):  # a datetime is a date in Python
        sign = 1 if op is tree.ArithmeticOp.ADD else -1
        if isinstance(b, tree.Duration) and op in (
            tree.ArithmeticOp.ADD,
            tree.ArithmeticOp.SUBTRACT,
        ):
            return shifted(query, a, b, sign)
        if op is tree.ArithmeticOp.SUBTRACT:
            return days_between(query, b, a)
        raise RefusedError(f"{op} on a time")
    return calculated(op, float(in_days(a)), float(in_days(b)))


def calculated(op: tree.ArithmeticOp, a: float, b: float) -> float | None:
    """Section 2: division by zero is missing, and so is what is no finite number."""
    match op:
        case tree.ArithmeticOp.ADD:
            result = a + b
        case tree.ArithmeticOp.SUBTRACT:
            result = a - b
        case tree.ArithmeticOp.MULTIPLY:
            result = a * b
        case tree.ArithmeticOp.DIVIDE:
            if b == 0:
                return None
            result = a / b
    return result if math.isfinite(result) else None


def shifted(query: Query, a: Value, duration: tree.Duration, sign: int) -> Value:
    """
    Section 8, Time expressions: return a time ± duration.

    A date ± hours or minutes is an instant counted from the start of that day. An instant written
    in the segment keeps the day that it means beside a date field, unless a clock time is added.
    """
    clock = oracle_time.is_clock_duration(duration)
    if isinstance(a, SpokenInstant):
        instant = oracle_time.step(a.instant, duration, sign, query.zone)
        if a.day is None or clock:
            return SpokenInstant(instant, None)
        return SpokenInstant(instant, oracle_time.step_day(a.day, duration, sign))
    if isinstance(a, dt.datetime):
        return oracle_time.step(a, duration, sign, query.zone)
    assert isinstance(a, dt.date)
    if clock:
        start = oracle_time.start_of_day(a, query.zone)
        return SpokenInstant(oracle_time.step(start, duration, sign, query.zone), None)
    return oracle_time.step_day(a, duration, sign)


def days_between(query: Query, earlier: Value, later: Value) -> float:
    """Section 3: date - date is a number of days, fractional for instants."""
    if is_day(earlier) and is_day(later):
        return (later - earlier) / DAY  # type: ignore[operator]
    start, end = stretch_of(query, earlier).start, stretch_of(query, later).start
    assert start is not None
    assert end is not None
    return (end - start) / DAY


def calendar_part(query: Query, function: str, a: Value) -> Value:
    """Section 8, Functions: of a datetime they are read in the query's time zone."""
    if isinstance(a, dt.date) and not isinstance(a, dt.datetime):
        if function == "hour":
            raise RefusedError("a date has no hour")
        day, hour = a, 0
    else:
        wall = oracle_time.wall_of(instant_in(a), query.zone)
        day, hour = wall.date(), wall.hour
    match function:
        case "month":
            return day.month
        case "day":
            return day.day
        case "weekday":
            return day.isoweekday()  # 1 is Monday
        case "year":
            return day.year
        case "hour":
            return hour
        case _:
            return oracle_time.anniversary(day, query.today)


def numeric(function: str, numbers: Sequence[float]) -> Value:
    """Section 1: return `abs`, `round`, `min` or `max` of numbers."""
    match function:
        case "abs":
            return abs(numbers[0])
        case "round":
            return rounded(numbers[0])
        case "min":
            return min(numbers)
        case "max":
            return max(numbers)
    raise RefusedError(f"unknown function {function}")


def length(a: Value) -> int:
    """Return how long a string is, or how many values a multi-valued field has."""
    if isinstance(a, TextSet):
        return len(a.texts)
    if isinstance(a, Text):
        return len(a.value)
    raise RefusedError("the length of something that is no string")


def rounded(number: float) -> float:
    """Return the nearest whole number, halves away from zero."""
    if abs(number) >= 2**52:  # every such double is whole
        return number
    return float(Decimal(number).quantize(Decimal(1), ROUND_HALF_UP))


def picked(pick: tree.EventPick, events: Sequence[Event]) -> Value:
    """Section 1: `count`, or the time of the first or last; empty when there is no such event."""
    match pick:
        case tree.EventPick.COUNT:
            return len(events)
        case tree.EventPick.FIRST:
            return min((event.time for event in events), default=None)
        case tree.EventPick.LAST:
            return max((event.time for event in events), default=None)


def aggregated(op: tree.AggregateOp, held: Sequence[Value]) -> Value:
    """
    Section 8, Aggregates: return `sum` and its kin over the values that are not missing.

    Over none `sum` and `distinct` are 0, the others missing. `distinct` counts strings by key form.
    """
    if op is tree.AggregateOp.DISTINCT:
        return len({one.key if isinstance(one, Text) else one for one in held})
    if any(isinstance(one, bool | Text) for one in held):
        raise RefusedError(f"{op} of something that has no size")
    if op is tree.AggregateOp.SUM:
        return math.fsum(held)  # type: ignore[arg-type]
    if not held:
        return None
    match op:
        case tree.AggregateOp.AVG:
            return math.fsum(held) / len(held)  # type: ignore[arg-type]
        case tree.AggregateOp.MIN:
            return min(held)  # type: ignore[type-var]
        case tree.AggregateOp.MAX:
            return max(held)  # type: ignore[type-var]
