"""
Binding values: from a value of the syntax tree to an expression with a kind.

What is the same for everyone is worked out here, once: `today - 30 days` is a constant day,
`now - 2 hours` a constant instant. An instant that was written as `now` or `30 days ago` remembers
the calendar day it stands for beside a date; a clock time has none.

A date beside an instant stands for its first instant; `date ± hours` is an instant for that reason.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from headcount.query import tree
from headcount.query.clock import EXACT_US, OutOfCalendarError, to_date, to_day
from headcount.query.expressions import (
    Anniversary,
    Arithmetic,
    Choice,
    Constant,
    DayStart,
    Elapsed,
    EventTally,
    Expression,
    Kind,
    LocalDay,
    Missing,
    Shifted,
    Unary,
)
from headcount.query.literals import quoted_time
from headcount.query.names import ContactScope, Scope
from headcount.query.rules import duration_fault
from headcount.query.traced import Traced
from headcount.query.tree import Duration, Moment, Unit
from headcount.query.zones import DAY_US

if TYPE_CHECKING:
    from headcount.query.bind import Binder

_CLOCK_UNITS = (Unit.MINUTE, Unit.HOUR)
_ONE_ARGUMENT = ("month", "day", "weekday", "year", "hour", "anniversary", "abs", "round", "length")
_MOST_ARGUMENTS = 32  # each `coalesce` argument nests the condition on it one deeper
_CALENDAR = ("month", "day", "weekday", "year")


def value(b: Binder, node: tree.Value, scope: Scope) -> Expression:
    """Return the bound expression of *node*; names are fields, properties or event counts."""
    match node:
        case tree.Number(number):
            return Constant(number, Kind.NUMBER)
        case tree.String(text):
            return Constant(text, Kind.STRING)
        case tree.Boolean(truth):
            return Constant(truth, Kind.BOOLEAN)
        case tree.Name():
            return name(node, scope)
        case tree.Date(date):
            return Constant(to_day(date), Kind.DATE)
        case tree.DateTime(moment):
            return Constant(in_calendar(b, node, lambda: b.clock.instant(moment)), Kind.INSTANT)
        case tree.DurationValue(duration):
            return Constant(duration, Kind.DURATION)
        case tree.TimeWord(word):
            return _time_word(b, word)
        case tree.Ago(duration):
            return shift(b, _time_word(b, Moment.NOW), duration, -1, node)
        case tree.Negative(operand):
            return _negative(b, node, value(b, operand, scope))
        case tree.Arithmetic():
            return _arithmetic(b, node, scope)
        case tree.Call():
            return _call(b, node, scope)
        case tree.EventValue() | tree.Aggregate():
            return b.event_value(node, scope)


def name(node: tree.Name, scope: Scope) -> Expression:
    """Return what a name stands for where a value is wanted."""
    found = scope.find(node)
    if found is None and isinstance(scope, ContactScope):
        found = scope.tally(node)
    if found is None:
        raise scope.unknown(node)
    return found


def right(b: Binder, node: tree.Value, scope: Scope) -> Expression:
    """Return the expression on the right-hand side: a bare word that no field has is a text."""
    if not isinstance(node, tree.Name):
        return value(b, node, scope)
    found = scope.find(node)
    if found is not None:
        return found
    if node.quoted:
        return name(node, scope)
    return Constant(node.name, Kind.STRING)


def beside(b: Binder, other: Expression, found: Expression, node: tree.Value) -> Expression:
    """
    Return *found*, what *node* is bound to, as it is read beside *other*.

    A text beside a time is the date or time it spells: JSON has no other way to write one.
    """
    if not (other.kind.is_time and isinstance(node, tree.String)):
        return found
    spelt = quoted_time(node.value)
    if spelt is None:
        message = (
            f"expected a date such as 2026-03-31, or a time such as 2026-03-31T17:30:00Z, found"
            f" {b.refusals.quoted(node)}; other times take no quotes: `today - 30 days`, in JSON"
            ' {"expression": "today - 30 days"}'
        )
        raise b.refusals.invalid(message, node)
    if isinstance(spelt, dt.datetime):
        return value(b, tree.DateTime(spelt, span=node.span, place=node.place), b.contact_scope)
    return value(b, tree.Date(spelt, span=node.span, place=node.place), b.contact_scope)


def in_calendar(b: Binder, node: tree.Node, work: Callable[[], int]) -> int:
    """Return what *work* does; a date outside the calendar is the user's error."""
    try:
        return work()
    except OutOfCalendarError:
        message = (
            f"{b.refusals.quoted(node)} is outside the years 1 to 9999; use a shorter duration"
        )
        raise b.refusals.invalid(message, node) from None


def require_length(b: Binder, duration: Duration, node: tree.Node) -> None:
    """Refuse a duration that no calendar has: a tree that no parser made may hold one."""
    fault = duration_fault(duration)
    if fault is not None:
        raise b.refusals.invalid(fault, node)


def days_in(b: Binder, duration: Duration, node: tree.Node) -> float:
    """Return an exact duration as a number of days."""
    exact = EXACT_US.get(duration.unit)
    if exact is None:
        raise b.refusals.mismatch(
            f"a {duration.unit} has no fixed length, so it cannot be compared with a number of"
            " days; write days, or compare the time itself (`signup > 2 months ago`)",
            node,
        )
    return duration.amount * exact / DAY_US


def as_number(b: Binder, node: tree.Value, expression: Expression, use: str) -> Expression:
    """Return *expression* if it can be calculated with, durations in days; else refuse."""
    if expression.kind.is_numeric:
        return expression
    if isinstance(expression, Constant) and isinstance(expression.value, Duration):
        return Constant(days_in(b, expression.value, node), Kind.DAYS)
    raise b.refusals.mismatch(
        f"{use} needs a number, but {b.refusals.quoted(node)} is {expression.kind}", node
    )


# --- time -------------------------------------------------------------------------------------


def _time_word(b: Binder, word: Moment) -> Constant:
    today = b.clock.today
    match word:
        case Moment.NOW:
            return Constant(b.clock.as_of, Kind.INSTANT, today)
        case Moment.TODAY:
            return Constant(today, Kind.DATE)
        case Moment.YESTERDAY:
            return Constant(today - 1, Kind.DATE)
        case Moment.TOMORROW:
            return Constant(today + 1, Kind.DATE)


def shift(
    b: Binder, time: Expression, duration: Duration, sign: int, node: tree.Node
) -> Expression:
    """Return a time moved by a duration; a date moved by hours or minutes is an instant."""
    clock_time = duration.unit in _CLOCK_UNITS
    if time.kind is Kind.DATE and clock_time:
        time = day_start(b, time, node)
    require_length(b, duration, node)
    if not isinstance(time, Constant):
        return Shifted(time, duration, sign, time.kind)
    moment = time.value
    assert isinstance(moment, int)
    if time.kind is Kind.DATE:
        step = b.clock.step_day
        return Constant(in_calendar(b, node, lambda: step(moment, duration, sign)), Kind.DATE)
    moved = in_calendar(b, node, lambda: b.clock.step(moment, duration, sign))
    if time.day is None or clock_time:
        return Constant(moved, Kind.INSTANT)
    day = time.day
    stands_for = in_calendar(b, node, lambda: b.clock.step_day(day, duration, sign))
    return Constant(moved, Kind.INSTANT, stands_for)


def day_start(b: Binder, date: Expression, node: tree.Node) -> Expression:
    """Return the first instant of a date."""
    if not isinstance(date, Constant):
        return DayStart(date) if not isinstance(date, Missing) else Missing(Kind.INSTANT)
    day = date.value
    assert isinstance(day, int)
    return Constant(in_calendar(b, node, lambda: b.clock.day_start(day)), Kind.INSTANT)


def _elapsed(b: Binder, left: Expression, right: Expression, node: tree.Arithmetic) -> Expression:
    """Return the days from *right* to *left*."""
    if left.kind is not right.kind:
        left = left if left.kind is Kind.INSTANT else day_start(b, left, node.left)
        right = right if right.kind is Kind.INSTANT else day_start(b, right, node.right)
    if isinstance(left, Missing) or isinstance(right, Missing):
        return Missing(Kind.DAYS)
    if isinstance(left, Constant) and isinstance(right, Constant):
        assert isinstance(left.value, int)
        assert isinstance(right.value, int)
        if isinstance(left.value, Traced) is not isinstance(right.value, Traced):
            return Elapsed(left, right)  # a number that goes with the clock is worked out later
        unit = DAY_US if left.kind is Kind.INSTANT else 1
        return Constant((left.value - right.value) / unit, Kind.DAYS)
    return Elapsed(left, right)


# --- arithmetic -------------------------------------------------------------------------------


def _negative(b: Binder, node: tree.Negative, operand: Expression) -> Expression:
    operand = as_number(b, node.operand, operand, "`-`")
    return calculate("-", Constant(0.0, Kind.NUMBER), operand, operand.kind)


def _arithmetic(b: Binder, node: tree.Arithmetic, scope: Scope) -> Expression:
    left, right_ = value(b, node.left, scope), value(b, node.right, scope)
    op = node.op.value
    if left.kind.is_time or right_.kind.is_time:
        return _time_arithmetic(b, node, left, right_)
    use = f"`{op}`"
    in_days = op in "+-" and Kind.NUMBER not in (left.kind, right_.kind)
    left = as_number(b, node.left, left, use)
    right_ = as_number(b, node.right, right_, use)
    return calculate(op, left, right_, Kind.DAYS if in_days else Kind.NUMBER)


def _time_arithmetic(
    b: Binder, node: tree.Arithmetic, left: Expression, right_: Expression
) -> Expression:
    plus = node.op is tree.ArithmeticOp.ADD
    minus = node.op is tree.ArithmeticOp.SUBTRACT
    for time, other in ((left, right_), (right_, left)):
        if isinstance(other, Constant) and isinstance(other.value, Duration):
            if plus or (minus and time is left):
                if isinstance(time, Missing):
                    return time
                return shift(b, time, other.value, 1 if plus else -1, node)
            break
    if minus and left.kind.is_time and right_.kind.is_time:
        return _elapsed(b, left, right_, node)
    raise b.refusals.mismatch(
        f"cannot calculate {left.kind} {node.op} {right_.kind}; a time takes `+` or `-` a duration"
        " (`today - 30 days`), and `-` another time",
        node,
    )


def calculate(op: str, left: Expression, right: Expression, kind: Kind) -> Expression:
    """Return `left op right`, worked out where both are constant."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        return Missing(kind)
    if not (isinstance(left, Constant) and isinstance(right, Constant)):
        return Arithmetic(op, left, right, kind)  # type: ignore[arg-type]
    assert isinstance(left.value, int | float)
    assert isinstance(right.value, int | float)
    x, y = float(left.value), float(right.value)
    if op == "/" and y == 0:
        return Missing(kind)
    result = {"+": x + y, "-": x - y, "*": x * y}[op] if op != "/" else x / y
    return Constant(result, kind) if math.isfinite(result) else Missing(kind)


# --- functions --------------------------------------------------------------------------------


def _call(b: Binder, node: tree.Call, scope: Scope) -> Expression:
    function, count = node.function, len(node.arguments)
    if function == "current_month":
        _needs(b, node, count == 0, "no arguments")
        return Constant(to_date(b.clock.today).month, Kind.NUMBER)
    if function not in tree.FUNCTIONS:
        message = f"unknown function `{function}`; there are {', '.join(tree.FUNCTIONS)}"
        raise b.refusals.unknown(message, node, ())
    operands = [value(b, argument, scope) for argument in node.arguments]
    if function in _ONE_ARGUMENT:
        _needs(b, node, count == 1, "one argument")
        return _unary(b, node, operands[0])
    _needs(b, node, 1 <= count <= _MOST_ARGUMENTS, f"1 to {_MOST_ARGUMENTS} arguments")
    return _choice(b, node, operands)


def _needs(b: Binder, node: tree.Call, fits: bool, wanted: str) -> None:
    if not fits:
        message = f"`{node.function}` takes {wanted}, found {len(node.arguments)}"
        raise b.refusals.mismatch(message, node)


def _unary(b: Binder, node: tree.Call, operand: Expression) -> Expression:
    function, argument = node.function, node.arguments[0]
    if function in ("abs", "round"):
        operand = as_number(b, argument, operand, f"`{function}`")
    elif function == "length":
        _expects(b, node, operand, (Kind.STRING, Kind.STRINGS), "text")
    elif function == "hour":
        _expects(b, node, operand, (Kind.INSTANT,), "a datetime")
    else:
        _expects(b, node, operand, (Kind.DATE, Kind.INSTANT), "a date or a datetime")
        operand = local_day(b, operand, argument)
    if isinstance(operand, Missing):
        return Missing(Kind.DATE if function == "anniversary" else Kind.NUMBER)
    if isinstance(operand, Constant):
        return _unary_constant(b, node, function, operand)
    if function == "anniversary":
        return Anniversary(operand)
    kind = operand.kind if function in ("abs", "round") else Kind.NUMBER
    return Unary(function, operand, kind)  # type: ignore[arg-type]


def _expects(
    b: Binder, node: tree.Call, operand: Expression, kinds: tuple[Kind, ...], wanted: str
) -> None:
    if operand.kind not in kinds:
        argument = node.arguments[0]
        found = f"{b.refusals.quoted(argument)} is {operand.kind}"
        raise b.refusals.mismatch(f"`{node.function}` needs {wanted}, but {found}", argument)


def local_day(b: Binder, time: Expression, node: tree.Node) -> Expression:
    """Return the calendar day of a time; a date is its own."""
    if time.kind is Kind.DATE:
        return time
    if isinstance(time, Missing):
        return Missing(Kind.DATE)
    if isinstance(time, Constant):
        instant = time.value
        assert isinstance(instant, int)
        return Constant(in_calendar(b, node, lambda: b.clock.day_of(instant)), Kind.DATE)
    return LocalDay(time)


def _unary_constant(b: Binder, node: tree.Call, function: str, operand: Constant) -> Constant:
    held = operand.value
    if function == "length":
        assert isinstance(held, str)
        return Constant(len(held), Kind.NUMBER)
    assert isinstance(held, int | float)
    match function:
        case "abs":
            return Constant(abs(held), operand.kind)
        case "round":
            return Constant(round_half_away(held), operand.kind)
        case "hour":
            hour = in_calendar(b, node, lambda: b.clock.hour_of(int(held)))
            return Constant(hour, Kind.NUMBER)
        case "anniversary":
            return Constant(in_calendar(b, node, lambda: b.clock.anniversary(int(held))), Kind.DATE)
    date = to_date(int(held))
    parts = {"month": date.month, "day": date.day, "year": date.year}
    return Constant(parts.get(function, date.isoweekday()), Kind.NUMBER)


def round_half_away(number: float) -> float:
    """Return the nearest whole number, halves away from zero."""
    if abs(number) >= 2**52:  # whole already, and adding a half would not be exact
        return float(number)
    whole = math.floor(abs(number))
    return math.copysign(whole + (abs(number) - whole >= 0.5), number)


def _choice(b: Binder, node: tree.Call, operands: list[Expression]) -> Expression:
    """Return `min`, `max` or `coalesce` of operands of one kind."""
    for place, argument in enumerate(node.arguments):
        if operands[place].kind is Kind.DURATION:
            operands[place] = as_number(b, argument, operands[place], f"`{node.function}`")
    kind = _common_kind(b, node, operands)
    function = node.function
    if function == "coalesce":
        return _coalesce(operands, kind)
    if kind in (Kind.STRING, Kind.BOOLEAN):
        raise b.refusals.mismatch(
            f"`{function}` needs numbers or times, but {b.refusals.quoted(node.arguments[0])} is"
            f" {kind}",
            node.arguments[0],
        )
    if any(isinstance(operand, Missing) for operand in operands):
        return Missing(kind)
    if len(operands) == 1:
        return operands[0]
    constants = [o for o in operands if isinstance(o, Constant)]
    if len(constants) == len(operands):
        pick = min if function == "min" else max
        return pick(constants, key=lambda c: c.value)  # type: ignore[arg-type, return-value]
    return Choice(function, tuple(operands), kind)  # type: ignore[arg-type]


def _common_kind(b: Binder, node: tree.Call, operands: list[Expression]) -> Kind:
    kinds = {operand.kind for operand in operands}
    if len(kinds) == 1 and Kind.STRINGS not in kinds:
        return kinds.pop()
    if kinds == {Kind.NUMBER, Kind.DAYS}:
        return Kind.NUMBER
    for argument, operand in zip(node.arguments, operands, strict=True):
        if operand.kind is Kind.STRINGS or operand.kind is not operands[0].kind:
            raise b.refusals.mismatch(
                f"`{node.function}` needs values of one kind, but"
                f" {b.refusals.quoted(node.arguments[0])} is {operands[0].kind} and"
                f" {b.refusals.quoted(argument)} is {operand.kind}",
                argument,
            )
    raise AssertionError(kinds)


def _coalesce(operands: list[Expression], kind: Kind) -> Expression:
    """Return the first present of *operands*; nothing after one that always is."""
    kept: list[Expression] = []
    for operand in operands:
        if isinstance(operand, Missing):
            continue
        kept.append(operand)
        if isinstance(operand, Constant | EventTally):
            break
    if not kept:
        return Missing(kind)
    return kept[0] if len(kept) == 1 else Choice("coalesce", tuple(kept), kind)
