"""
Conditions built so that what an index can answer is asked of the index.

`bind` says what a condition means; the functions here return an equal one that is simpler:
constants folded, and questions about derived values turned into questions about stored ones
wherever the two are exactly the same for every contact:

    coalesce(a, b) = "x"       a = "x", or a is empty and b = "x"
    today - signup > 30        signup in a range of days
    last(open) > T             at least one open after T
    last(open) < T             at least one open up to now, and none from T on
    count(open) < 3            not at least 3

What is left (`total / orders > 5`) is computed for every row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from headcount.index.interval import Interval
from headcount.query import ranges as spans
from headcount.query.bound import (
    EVERYONE,
    NO_ONE,
    All,
    Always,
    Any,
    Complement,
    Condition,
    Enough,
    EventCount,
    InRanges,
    Present,
)
from headcount.query.clock import DAYS, EXACT_US
from headcount.query.expressions import Anniversary as _Anniversary
from headcount.query.expressions import (
    Choice,
    Constant,
    DayStart,
    Elapsed,
    EventAggregate,
    EventTally,
    EventTime,
    Expression,
    FieldValue,
    Kind,
    LocalDay,
    Missing,
    Shifted,
    Source,
    Sources,
    Unary,
)
from headcount.query.ranges import Range, Ranges
from headcount.query.zones import DAY_US

_MAX_DAYS = 1 << 24  # more days than the calendar has, where a float is still exact


def all_of(items: Iterable[Condition]) -> Condition:
    """Return those in every one of *items*; everyone when there are none."""
    kept: list[Condition] = []
    for item in items:
        if item == NO_ONE:
            return NO_ONE
        if isinstance(item, All):
            kept += item.items
        elif item != EVERYONE:
            kept.append(item)
    if len(kept) < 2:
        return kept[0] if kept else EVERYONE
    return All(tuple(kept))


def any_of(items: Iterable[Condition]) -> Condition:
    """Return those in at least one of *items*; no one when there are none."""
    kept: list[Condition] = []
    for item in items:
        if item == EVERYONE:
            return EVERYONE
        if isinstance(item, Any):
            kept += item.items
        elif item != NO_ONE:
            kept.append(item)
    if len(kept) < 2:
        return kept[0] if kept else NO_ONE
    return Any(tuple(kept))


def complement(item: Condition) -> Condition:
    """Return those not in *item*."""
    if isinstance(item, Complement):
        return item.item
    if isinstance(item, Always):
        return Always(not item.truth)
    return Complement(item)


def enough_of(items: Sequence[Condition], count: int) -> Condition:
    """Return those in at least *count* of *items*."""
    certain = sum(item == EVERYONE for item in items)
    open_ = [item for item in items if not isinstance(item, Always)]
    needed = count - certain
    if needed <= 0:
        return EVERYONE
    if needed > len(open_):
        return NO_ONE
    if needed == 1:
        return any_of(open_)
    return all_of(open_) if needed == len(open_) else Enough(tuple(open_), needed)


def negated_if(negated: bool, item: Condition) -> Condition:
    """Return *item*, or those not in it."""
    return complement(item) if negated else item


# --- one expression ---------------------------------------------------------------------------


def of_each(value: Expression, test: Callable[[Expression], Condition]) -> Condition:
    """
    Return *test* of an expression, for a `coalesce` of each operand where those before are missing.
    """
    if not (isinstance(value, Choice) and value.function == "coalesce"):
        return test(value)
    first, *rest = value.operands
    found = of_each(first, test)
    if not rest:
        return found
    later = of_each(Choice("coalesce", tuple(rest), value.kind), test)
    return any_of([found, all_of([complement(present(first)), later])])


def present(value: Expression) -> Condition:
    """Return those for whom *value* is not missing."""
    match value:
        case Constant() | EventTally():
            return EVERYONE
        case Missing():
            return NO_ONE
        case Choice(function="coalesce", operands=operands):
            return any_of(map(present, operands))
        case Choice(operands=operands):
            return all_of(map(present, operands))
        case Elapsed(left, right):
            return all_of([present(left), present(right)])
        case Shifted(operand) | DayStart(operand) | LocalDay(operand) | _Anniversary(operand):
            return present(operand)
        case Unary(operand=operand):
            return present(operand)
        case EventTime(_, sources, interval):
            return event_count(sources, interval, 1, None)
        case EventAggregate(op, sources, interval):
            if op in ("sum", "distinct"):
                return EVERYONE
            return event_count(tuple(map(_with_property, sources)), interval, 1, None)
    return Present(value)


def _with_property(source: Source) -> Source:
    """Return the events that have the property which is aggregated."""
    assert source.property is not None
    has = present(FieldValue(source.property))
    where = has if source.where is None else all_of([source.where, has])
    return Source(source.event, where)


def in_ranges(value: Expression, ranges: Ranges) -> Condition:
    """Return those for whom *value*, a number or a time, is in any of *ranges*."""
    return of_each(value, lambda one: _in_ranges(one, spans.union(ranges)))


def _in_ranges(value: Expression, ranges: Ranges) -> Condition:
    if not ranges:
        return NO_ONE
    if ranges == spans.ALL:
        return present(value)
    match value:
        case Missing():
            return NO_ONE
        case Constant(value=number):
            assert isinstance(number, int | float)
            return Always(spans.holds(ranges, number))
        case EventTally(sources, interval):
            return any_of(_counted(sources, interval, r) for r in ranges)
        case EventTime(pick, sources, interval):
            return any_of(_timed(pick, sources, interval, r) for r in ranges)
        case Shifted(operand, duration, sign, kind):
            per_unit = DAYS if kind is Kind.DATE else EXACT_US
            step = per_unit.get(duration.unit)
            if step is not None:
                move = -sign * duration.amount * step
                return in_ranges(operand, tuple(_moved(r, move) for r in ranges))
        case Elapsed(Constant(value=later), earlier):
            assert isinstance(later, int)
            unit = DAY_US if earlier.kind is Kind.INSTANT else 1
            return in_ranges(earlier, tuple(_before(later, r, unit) for r in ranges))
        case Elapsed(later_value, Constant(value=earlier_time)):
            assert isinstance(earlier_time, int)
            unit = DAY_US if later_value.kind is Kind.INSTANT else 1
            lengths = (_whole(r, unit) for r in ranges)
            return in_ranges(later_value, tuple(_moved(r, earlier_time) for r in lengths))
    return InRanges(value, ranges)


def _moved(range_: Range, by: int) -> Range:
    """Return a range of whole numbers moved."""
    return Range(range_.low + by, range_.high + by)


def _before(later: int, range_: Range, unit: int) -> Range:
    """Return the times t for which the days from t to *later* are in the range."""
    lengths = _whole(range_, unit)
    return Range(later - lengths.high, later - lengths.low)


def _whole(range_: Range, unit: int) -> Range:
    """
    Return the whole x for which x / unit, as a double, is in the range.

    By trying doubles and not by multiplying: 0.1 days are 8,640,000,000 µs although the double 0.1
    is a little more than that.
    """
    low, high = range_.low, range_.high
    if low != -math.inf:
        low = _first(low, unit, above=range_.low_open)
    if high != math.inf:
        high = _first(high, unit, above=not range_.high_open) - 1
    return Range(low, high)


def _first(bound: float, unit: int, *, above: bool) -> int:
    """Return the smallest whole x with x / unit >= *bound*, or > *bound* with *above*."""
    if unit == 1:
        return math.floor(bound) + 1 if above else math.ceil(bound)
    bound = max(-_MAX_DAYS, min(_MAX_DAYS, bound))
    x = math.floor(bound * unit)
    while (x / unit > bound) if above else (x / unit >= bound):
        x -= 1
    while not ((x / unit > bound) if above else (x / unit >= bound)):
        x += 1
    return x


# --- events -----------------------------------------------------------------------------------


def event_count(sources: Sources, interval: Interval, low: int, high: int | None) -> Condition:
    """Return those with *low* to *high* (None: no limit) events of *sources* in the interval."""
    sources = _possible(sources)
    if interval.is_empty:
        sources = ()
    if high is not None and high < low:
        return NO_ONE
    if low <= 0:
        if high is None:
            return EVERYONE
        return complement(event_count(sources, interval, high + 1, None))
    if not sources:
        return NO_ONE
    plain = len(sources) == 1 and sources[0].where is None
    if plain and high is not None:  # two questions that the index answers without counting
        more = EventCount(sources, interval, high + 1)
        return all_of([EventCount(sources, interval, low), complement(more)])
    if len(sources) > 1 and low == 1 and high is None:
        return any_of(EventCount((source,), interval, 1) for source in sources)
    return EventCount(sources, interval, low, high)


def _possible(sources: Sources) -> Sources:
    """Return the sources without those that no event can fit."""
    kept = (s for s in sources if s.where != NO_ONE)
    return tuple(Source(s.event, None, s.property) if s.where == EVERYONE else s for s in kept)


def _counted(sources: Sources, interval: Interval, range_: Range) -> Condition:
    """Return those whose number of events is in the range."""
    numbers = _whole(range_, 1)
    low = 0 if numbers.low == -math.inf else max(0, int(numbers.low))
    high = None if numbers.high == math.inf else int(numbers.high)
    return event_count(sources, interval, low, high)


def _timed(pick: str, sources: Sources, interval: Interval, range_: Range) -> Condition:
    """Return those whose first or last event of the interval is in the range of instants."""
    low, high = interval
    first, last = cast("tuple[int, int]", range_[:2])  # instants are whole
    start = low if first == -math.inf else max(low, first)
    end = high if last == math.inf else min(high, last)
    some = event_count(sources, Interval(start, end), 1, None)
    beyond = Interval(end + 1, high) if pick == "last" else Interval(low, start - 1)
    return all_of([some, complement(event_count(sources, beyond, 1, None))])
