"""
Binding comparisons: any two values and an operator become ranges, keys or a comparison of columns.

A constant on the left changes sides. A time beside a constant is a range of whole days or
microseconds, so that every question about time ends in the same index:

    beside an instant, a date D is its whole day:   = D   start(D) <= t <= end(D)
                                                    < D   t < start(D)      > D   t > end(D)
                                                    <= D  t <= end(D)       >= D  t >= start(D)
    beside a date, `now` and `30 days ago` are their calendar days
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from headcount.model.fold import is_exact
from headcount.query import bind_strings, bind_values, tree
from headcount.query.bind_strings import MIRRORED
from headcount.query.bound import NO_ONE, Compared, Condition, Holds
from headcount.query.clock import EXACT_US
from headcount.query.conditions import (
    all_of,
    any_of,
    complement,
    in_ranges,
    negated_if,
    of_each,
    present,
)
from headcount.query.expressions import (
    Constant,
    DayStart,
    Expression,
    FieldValue,
    Kind,
    Missing,
    Shifted,
)
from headcount.query.literals import write_number
from headcount.query.names import Scope
from headcount.query.ranges import Range
from headcount.query.tree import CompareOp, Direction, Duration, Unit
from headcount.query.zones import DAY_US

if TYPE_CHECKING:
    from headcount.query.bind import Binder

_TIME_WORDS = {
    CompareOp.BEFORE: CompareOp.LT,
    CompareOp.AFTER: CompareOp.GT,
    CompareOp.ON: CompareOp.EQ,
}
_ONE_DAY = Duration(1, Unit.DAY)

Times = list[tuple[float | str, str]]


def compare(b: Binder, node: tree.Compare, scope: Scope) -> Condition:
    """Return those for whom `left op right`; `!=` is the complement of `=`."""
    op = node.op
    left = b.value(node.left, scope)
    if op in (CompareOp.EQ, CompareOp.NE) and node.right == tree.String(""):
        return negated_if(op is CompareOp.EQ, present(left))
    right = bind_values.right(b, node.right, scope)
    left, right = _beside(b, left, right, node)
    if op in _TIME_WORDS:
        for side, value in ((node.left, left), (node.right, right)):
            if not value.kind.is_time:
                raise b.refusals.mismatch(
                    f"`{op}` needs a time, but {b.refusals.quoted(side)} is {value.kind}", side
                )
        op = _TIME_WORDS[op]
    if op in (CompareOp.EQ, CompareOp.NE) and isinstance(left, FieldValue):
        times = _written_time(b, left, right, node.right)
        if times:
            b.mention(left.field, tuple(times), node)
    if op is CompareOp.NE:
        return complement(compared(b, left, CompareOp.EQ, right, node))
    return compared(b, left, op, right, node)


def between(b: Binder, node: tree.Between, scope: Scope) -> Condition:
    """Return those with a value from low to high, both included; a date is its whole day."""
    value = b.value(node.value, scope)
    low = bind_values.right(b, node.low, scope)
    high = bind_values.right(b, node.high, scope)
    low = bind_values.beside(b, value, low, node.low)
    high = bind_values.beside(b, value, high, node.high)
    above = tree.Compare(node.value, CompareOp.GE, node.low, span=node.span, place=node.place)
    below = tree.Compare(node.value, CompareOp.LE, node.high, span=node.span, place=node.place)
    found = all_of(
        [
            compared(b, value, CompareOp.GE, low, above, "between"),
            compared(b, value, CompareOp.LE, high, below, "between"),
        ]
    )
    b.warn_if_reversed(low, high, node)
    return negated_if(node.negated, found)


def one_of(b: Binder, node: tree.In, scope: Scope) -> Condition:
    """Return those whose value equals any of the options."""
    value = b.value(node.value, scope)
    literals: list[tuple[str, tree.Node]] = []
    numbers: list[Range] = []
    times: Times = []
    found: list[Condition] = []
    for option in node.options:
        other = bind_values.right(b, option, scope)
        other = _id_text(value, bind_values.beside(b, value, other, option))
        if isinstance(other, Constant):
            if other.value == "" and other.kind is Kind.STRING:
                message = "an empty text in a list, which nobody has; write `is empty`"
                raise b.refusals.invalid(message, option)
            if value.kind in (Kind.STRING, Kind.STRINGS) and not isinstance(value, Constant):
                if other.kind is Kind.STRING:
                    literals.append((str(other.value), option))
                    continue
            elif value.kind.is_numeric and other.kind is Kind.NUMBER:
                assert isinstance(other.value, int | float)
                numbers.append(Range(other.value, other.value))
                continue
        times += _written_time(b, value, other, option)
        equal = tree.Compare(
            node.value, CompareOp.EQ, option, span=option.span or node.span, place=option.place
        )
        found.append(compared(b, value, CompareOp.EQ, other, equal, "in"))
    if literals:
        found.append(bind_strings.equals(b, value, literals, node))
    if isinstance(value, FieldValue) and times:
        b.mention(value.field, tuple(times), node)
    if numbers:
        _mention_numbers(b, value, numbers, node)
        found.append(in_ranges(value, tuple(numbers)))
    return negated_if(node.negated, any_of(found))


def compared(
    b: Binder,
    left: Expression,
    op: CompareOp,
    right: Expression,
    node: tree.Compare,
    written: str = "",
) -> Condition:
    """
    Return those for whom `left op right`, for = < <= > >=; refuse kinds that do not fit.

    *written* is what stands in the place of the operator: `between`, for one side of it.
    """
    written = written or node.op
    left, right = _id_text(right, left), _id_text(left, right)
    kinds = (left.kind, right.kind)
    if any(kind in (Kind.STRING, Kind.STRINGS) for kind in kinds):
        if not all(kind in (Kind.STRING, Kind.STRINGS) for kind in kinds) or (
            kinds == (Kind.STRINGS, Kind.STRINGS)
        ):
            raise _misfit(b, left, right, node, written)
        return bind_strings.compare(b, left, op, right, node, written)
    if Kind.BOOLEAN in kinds:
        return _booleans(b, left, op, right, node, written)
    if left.kind.is_time and right.kind.is_time:
        return _times(b, left, op, right, node)
    if left.kind.is_time or right.kind.is_time or kinds == (Kind.DURATION, Kind.DURATION):
        raise _misfit(b, left, right, node, written)
    left = bind_values.as_number(b, node.left, left, f"`{written}`")
    right = bind_values.as_number(b, node.right, right, f"`{written}`")
    return _numbers(b, left, op, right, node)


def _beside(
    b: Binder, left: Expression, right: Expression, node: tree.Compare
) -> tuple[Expression, Expression]:
    """Return both sides, a text beside a time read as the time it spells."""
    return (
        bind_values.beside(b, right, left, node.left),
        bind_values.beside(b, left, right, node.right),
    )


def _id_text(beside: Expression, value: Expression) -> Expression:
    """Return a whole number beside the id as text: `id = 42` is `id = "42"`."""
    if not (isinstance(beside, FieldValue) and is_exact(beside.field)):
        return value
    if not isinstance(value, Constant) or value.kind is not Kind.NUMBER:
        return value
    assert isinstance(value.value, int | float)
    if value.value != math.floor(value.value):
        return value
    return Constant(str(int(value.value)), Kind.STRING)


def _misfit(
    b: Binder, left: Expression, right: Expression, node: tree.Compare, written: str
) -> Exception:
    """Return the error of two kinds that cannot be compared."""
    word = _taken_as_text(left, node.left) or _taken_as_text(right, node.right)
    hint = ""
    if word is not None:
        hint = f"; `{word}` is no field, so it was taken as text"
        if word.casefold() in b.known.events:
            hint += f" (a number of events is `count({word})`)"
    elif left.kind in (Kind.STRING, Kind.STRINGS) and isinstance(node.right, tree.Name):
        hint = f'; `{node.right.name}` is a field here: write "{node.right.name}" for the text'
    elif left.kind is Kind.STRING and right.kind is Kind.NUMBER:
        hint = "; write the number in quotes"
    elif left.kind.is_time and right.kind is Kind.DURATION:
        hint = "; write `30 days ago`, or `within last 30 days`"
    return b.refusals.mismatch(
        f"`{written}` cannot compare {b.refusals.quoted(node.left)}, {left.kind}, with"
        f" {b.refusals.quoted(node.right)}, {right.kind}{hint}",
        node,
    )


def _taken_as_text(value: Expression, node: tree.Value) -> str | None:
    """Return the bare word that became a text because no field has the name."""
    is_word = isinstance(node, tree.Name) and isinstance(value, Constant)
    return node.name if is_word and isinstance(node, tree.Name) else None


# --- numbers and booleans ---------------------------------------------------------------------


def _numbers(
    b: Binder, left: Expression, op: CompareOp, right: Expression, node: tree.Compare
) -> Condition:
    if isinstance(left, Constant):
        left, right, op = right, left, MIRRORED[op]
    if isinstance(right, Constant):
        assert isinstance(right.value, int | float)
        range_ = _side(op, right.value)
        if op is CompareOp.EQ:
            _mention_numbers(b, left, [range_], node)
        return in_ranges(left, (range_,))
    return _columns(left, op, right)


def _side(op: CompareOp, bound: float) -> Range:
    """Return the numbers x for which `x op bound`."""
    match op:
        case CompareOp.EQ:
            return Range(bound, bound)
        case CompareOp.LT:
            return Range(high=bound, high_open=True)
        case CompareOp.LE:
            return Range(high=bound)
        case CompareOp.GT:
            return Range(low=bound, low_open=True)
        case CompareOp.GE:
            return Range(low=bound)
    raise AssertionError(op)


def _mention_numbers(
    b: Binder, value: Expression, numbers: list[Range], node: tree.Segment
) -> None:
    if isinstance(value, FieldValue):
        b.mention(value.field, tuple((r.low, write_number(float(r.low))) for r in numbers), node)


def _written_time(b: Binder, value: Expression, time: Expression, node: tree.Node) -> Times:
    """Return a day or instant that is written out, and how; `today` is no typo, and nothing."""
    if not isinstance(node, tree.Date | tree.DateTime | tree.String):
        return []
    if not isinstance(time, Constant) or not time.kind.is_time or time.kind is not value.kind:
        return []
    assert isinstance(time.value, int | float)
    return [(time.value, b.refusals.quoted(node).strip("`\"'"))]


def _columns(left: Expression, op: CompareOp, right: Expression) -> Condition:
    """Return the comparison of two expressions of one kind, row by row."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        return NO_ONE
    if op in (CompareOp.GT, CompareOp.GE):
        left, right, op = right, left, MIRRORED[op]
    symbol: Literal["=", "<", "<="] = op.value  # type: ignore[assignment]
    return Compared(left, symbol, right)


def _booleans(
    b: Binder,
    left: Expression,
    op: CompareOp,
    right: Expression,
    node: tree.Compare,
    written: str,
) -> Condition:
    if left.kind is not right.kind:
        raise _misfit(b, left, right, node, written)
    if op is not CompareOp.EQ:
        raise b.refusals.mismatch(
            f"true and false have no order, so `{written}` cannot compare them; use = or !=",
            node,
        )
    if isinstance(left, Constant):
        left, right = right, left
    if isinstance(right, Constant):
        wanted = bool(right.value)
        if isinstance(left, FieldValue):
            b.mention(left.field, ((float(wanted), "true" if wanted else "false"),), node)
        return of_each(left, lambda one: _is(one, wanted))
    return _columns(left, op, right)


def _is(value: Expression, wanted: bool) -> Condition:
    """Return those for whom a boolean is *wanted*; neither holds for a missing one."""
    if isinstance(value, Constant):
        return present(value) if value.value == wanted else NO_ONE
    if isinstance(value, Missing):
        return NO_ONE
    if wanted:
        return Holds(value)
    return all_of([present(value), complement(Holds(value))])


# --- times ------------------------------------------------------------------------------------


def _times(
    b: Binder, left: Expression, op: CompareOp, right: Expression, node: tree.Compare
) -> Condition:
    if isinstance(left, Constant) and not isinstance(right, Constant):
        left, right, op = right, left, MIRRORED[op]
        node = tree.Compare(node.right, op, node.left, span=node.span, place=node.place)
    if isinstance(right, Constant):
        return in_ranges(left, (_time_side(b, left, op, right, node),))
    if left.kind is right.kind:
        return _columns(left, op, right)
    if left.kind is Kind.DATE:
        left, right, op = right, left, MIRRORED[op]
    if isinstance(right, Missing):
        return NO_ONE
    return _instant_beside_date(left, op, right)


def _time_side(
    b: Binder, value: Expression, op: CompareOp, limit: Constant, node: tree.Compare
) -> Range:
    """Return the days or instants t for which `t op limit`."""
    first, last = whole(b, value.kind, limit, node.left, node.right)
    match op:
        case CompareOp.EQ:
            return Range(first, last)
        case CompareOp.LT:
            return Range(high=first - 1)
        case CompareOp.LE:
            return Range(high=last)
        case CompareOp.GT:
            return Range(low=last + 1)
        case CompareOp.GE:
            return Range(low=first)
    raise AssertionError(op)


def whole(
    b: Binder, kind: Kind, limit: Constant, beside: tree.Node, node: tree.Node
) -> tuple[int, int]:
    """Return the first and last day or instant of a constant time, beside a value of *kind*."""
    assert isinstance(limit.value, int)
    moment = limit.value
    if kind is limit.kind:
        return moment, moment
    if kind is Kind.INSTANT:
        first = bind_values.in_calendar(b, node, lambda: b.clock.day_start(moment))
        return first, bind_values.in_calendar(b, node, lambda: b.clock.day_end(moment))
    if limit.day is None:
        raise b.refusals.mismatch(
            f"{b.refusals.quoted(beside)} is a calendar day, so it cannot be compared with"
            f" {b.refusals.quoted(node)}, a clock time; write a date, as 2026-03-31 or"
            " `today - 30 days`",
            node,
        )
    return limit.day, limit.day


def _instant_beside_date(instant: Expression, op: CompareOp, date: Expression) -> Condition:
    """Return those whose instant is on the given side of the whole day of their date."""
    start = DayStart(date)
    next_start = DayStart(Shifted(date, _ONE_DAY, 1, Kind.DATE))
    match op:
        case CompareOp.EQ:
            since, until = _columns(start, CompareOp.LE, instant), CompareOp.LT
            return all_of([since, _columns(instant, until, next_start)])
        case CompareOp.LT | CompareOp.GE:
            return _columns(instant, op, start)
        case CompareOp.LE:
            return _columns(instant, CompareOp.LT, next_start)
        case CompareOp.GT:
            return _columns(instant, CompareOp.GE, next_start)
    raise AssertionError(op)


def _time_value(b: Binder, node: tree.Age | tree.Within, scope: Scope, what: str) -> Expression:
    value = b.value(node.value, scope)
    if not value.kind.is_time:
        raise b.refusals.mismatch(
            f"{what} needs a time, but {b.refusals.quoted(node.value)} is {value.kind}", node
        )
    return value


def within(b: Binder, node: tree.Within, scope: Scope) -> Condition:
    """Return those whose time is in the rolling window before or after now."""
    value = _time_value(b, node, scope, f"`within {node.direction}`")
    sign = -1 if node.direction is Direction.LAST else 1
    if value.kind is Kind.INSTANT:
        now = b.clock.as_of
        edge = bind_values.in_calendar(b, node, lambda: b.clock.step(now, node.duration, sign))
        range_ = Range(edge + 1, now) if sign < 0 else Range(now + 1, edge)
    else:
        if node.duration.unit in (Unit.HOUR, Unit.MINUTE):
            raise b.refusals.mismatch(
                f"{b.refusals.quoted(node.value)} is a calendar day, which has no"
                f" {node.duration.unit}s; write the duration in days",
                node,
            )
        today = b.clock.today
        edge = bind_values.in_calendar(
            b, node, lambda: b.clock.step_day(today, node.duration, sign)
        )
        range_ = Range(edge + 1, today) if sign < 0 else Range(today, edge - 1)
    return negated_if(node.negated, in_ranges(value, (range_,)))


def age(b: Binder, node: tree.Age, scope: Scope) -> Condition:
    """Return those whose time, up to now, is older or younger than the duration."""
    value = _time_value(b, node, scope, "an age (`... ago`)")
    if value.kind is Kind.INSTANT:
        now = b.clock.as_of
        edge = bind_values.in_calendar(b, node, lambda: b.clock.step(now, node.duration, -1))
    else:
        now = b.clock.today
        if node.duration.unit in (Unit.HOUR, Unit.MINUTE):
            return in_ranges(value, (_age_in_hours(node, now),))
        edge = bind_values.in_calendar(b, node, lambda: b.clock.step_day(now, node.duration, -1))
    older = {
        CompareOp.GT: Range(high=edge - 1),
        CompareOp.GE: Range(high=edge),
        CompareOp.LT: Range(low=edge + 1),
        CompareOp.LE: Range(low=edge),
    }[node.op]
    return in_ranges(value, (older.within(Range(high=now)),))


def _age_in_hours(node: tree.Age, today: int) -> Range:
    """Return the days whose age, in days of 24 hours, compares with a duration in hours."""
    length = node.duration.amount * EXACT_US[node.duration.unit]
    days, rest = divmod(length, DAY_US)
    older_than = days  # age > length: at least one day more than the whole days in it
    at_least = days + (rest > 0)
    ages = {
        CompareOp.GT: Range(low=older_than + 1),
        CompareOp.GE: Range(low=at_least),
        CompareOp.LT: Range(0, at_least - 1),
        CompareOp.LE: Range(0, older_than),
    }[node.op]
    return Range(today - ages.high, min(today, today - ages.low))


def is_empty(b: Binder, node: tree.IsEmpty, scope: Scope) -> Condition:
    """Return those without a value."""
    return negated_if(not node.negated, present(b.value(node.value, scope)))
