"""
Turns: at which instants a condition that calculates with the clock begins or ceases to hold.

    round((now - seen) / 7) = 4      a contact seen at s: s + 24.5 days, and s + 31.5 days

What such a condition is made of has, over a stretch of time, values between two bounds, and so has
what is calculated from it. If all of them fit, or none, nothing happens in the stretch. Otherwise
it is halved, and halved again, down to two neighbouring microseconds:

    |---------------- in doubt ----------------|
    |------ no ---------|------- in doubt -----|
                        |-- doubt --|-- yes ---|      ... 37 times from a day to a microsecond

The bounds are worked out by the engine's own arithmetic on doubles, which never turns a larger
value into a smaller one; at one microsecond both are the value that a query would have. So no
turn is missed, and each is found where a query would find it. That few stretches are in doubt at a
time is `trends`' to see to.

All contacts are asked at once. A million of which 1,455 turn within the hour take 0.18 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index.bitmaps import Mask
from headcount.index.columns import Vector
from headcount.model.schema import Field
from headcount.query.bound import Compared, Condition, InRanges, Node, Present, children
from headcount.query.clock import EXACT_US, Clock
from headcount.query.expressions import (
    Arithmetic,
    Choice,
    Elapsed,
    Expression,
    FieldValue,
    Kind,
    Shifted,
    Unary,
)
from headcount.query.frames import Figure, Frame
from headcount.query.ranges import Range
from headcount.query.vectors import rounded, vector
from headcount.query.zones import DAY_US

Rows = npt.NDArray[np.int64]
Instants = npt.NDArray[np.int64]

_STRIDE = 1 << 16  # rows; their bounds stay in the cache


class Stretches(NamedTuple):
    """Rows of a frame, and a stretch of time for each: behind `low`, up to `high`."""

    rows: Rows
    low: Instants
    high: Instants

    def of(self, chosen: Any) -> Stretches:
        """Return some of them."""
        return Stretches(self.rows[chosen], self.low[chosen], self.high[chosen])


def turns(
    condition: Condition, frame: Frame, ahead: Mapping[Field, int], within: Stretches
) -> tuple[Rows, Instants]:
    """
    Return the rows, and the instants t in (low, high], that may differ from t - 1.

    *ahead* are the fields that stand for instants which keep pace with the clock, and by how much
    they are ahead of it. All else in *condition* stays as it is in *frame*.
    """
    bounds = _Bounds(condition, frame, ahead)
    rows, times = [], []
    for start in range(0, len(within.rows), _STRIDE):
        left = within.of(slice(start, start + _STRIDE))
        left = left.of(left.high > left.low)
        while len(left.rows):
            with np.errstate(all="ignore"):  # what is not finite is missing
                left = left.of(bounds.in_doubt(left))
            sides = left.high - left.low <= 1
            rows.append(left.rows[sides])
            times.append(left.high[sides])
            left = left.of(~sides)
            middle = left.low + (left.high - left.low) // 2
            halves = ((left.rows, left.rows), (left.low, middle), (middle, left.high))
            left = Stretches(*map(np.concatenate, halves))
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *rows]), np.concatenate([none, *times])


@dataclass(frozen=True)
class OneRow:
    """The frame of what is the same for everyone: one row that has no fields."""

    clock: Clock

    @property
    def size(self) -> int:
        """Return how many rows there are."""
        return 1

    def vector(self, field: Field) -> Vector:
        """Refuse: what is the same for everyone is no field."""
        raise AssertionError(field)

    def texts(self, field: Field) -> pa.Array:
        """Refuse: what is the same for everyone is no field."""
        raise AssertionError(field)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Refuse: what is the same for everyone is no field."""
        raise AssertionError(field, function)

    def figure(self, figure: Figure) -> Vector:
        """Refuse: what is the same for everyone is no figure."""
        raise AssertionError(figure)


class _Span(NamedTuple):
    """What a value may be over a stretch; whether it has one for sure, and whether it may have."""

    low: npt.NDArray[Any]
    high: npt.NDArray[Any]
    sure: Mask
    possible: Mask


class _Bounds:
    """The bounds of a condition's values, and what they say of it."""

    def __init__(self, condition: Condition, frame: Frame, ahead: Mapping[Field, int]) -> None:
        self._condition = condition
        self._ahead = ahead
        self._fixed: dict[Expression, Vector] = {}
        for value in _values(condition):
            self._keep(value, frame)

    def _keep(self, value: Expression, frame: Frame) -> None:
        """Work out, once, the largest parts that stay."""
        if not any(one.field in self._ahead for one in _fields(value)):
            held = vector(value, frame)
            values = np.broadcast_to(held.values, frame.size)
            self._fixed[value] = Vector(values, np.broadcast_to(held.present, frame.size))
            return
        for child in children(value):
            if isinstance(child, Expression):
                self._keep(child, frame)

    def in_doubt(self, over: Stretches) -> Mask:
        """Return over which stretches the condition may hold at one instant and not at another."""
        match self._condition:
            case InRanges(value, ranges):
                span = self._span(value, over)
                inside = reduce(np.logical_or, [_is_inside(span, one) for one in ranges])
                outside = reduce(np.logical_and, [_is_outside(span, one) for one in ranges])
                holds, fails = span.sure & inside, ~span.possible | outside
            case Present(value):
                span = self._span(value, over)
                holds, fails = span.sure, ~span.possible
            case Compared(left, op, right):
                one, other = self._span(left, over), self._span(right, over)
                never, always = _ordered(op, one, other)
                holds = one.sure & other.sure & always
                fails = ~(one.possible & other.possible) | never
            case _:
                raise AssertionError(self._condition)
        found: Mask = np.broadcast_to(~(holds | fails), over.rows.shape)
        return found

    def _span(self, value: Expression, over: Stretches) -> _Span:
        held = self._fixed.get(value)
        if held is not None:
            values, present = held.values[over.rows], held.present[over.rows]
            return _Span(values, values, present, present)
        match value:
            case FieldValue(field):
                ahead, always = self._ahead[field], np.asarray(True)
                return _Span(over.low + ahead, over.high + ahead, always, always)
            case Arithmetic(op, left, right):
                return _arithmetic(op, self._span(left, over), self._span(right, over))
            case Elapsed(left, right):
                one, other = self._span(left, over), self._span(right, over)
                unit = DAY_US if left.kind is Kind.INSTANT else 1
                low, high = (one.low - other.high) / unit, (one.high - other.low) / unit
                return _Span(low, high, one.sure & other.sure, one.possible & other.possible)
            case Shifted(operand, duration, sign):
                one, by = self._span(operand, over), sign * duration.amount
                by *= EXACT_US[duration.unit]
                return one._replace(low=one.low + by, high=one.high + by)
            case Unary("round", operand):
                one = self._span(operand, over)
                return one._replace(low=rounded(one.low), high=rounded(one.high))
            case Unary("abs", operand):
                return _absolute(self._span(operand, over))
            case Choice("coalesce", operands):
                return reduce(_first_present, [self._span(one, over) for one in operands])
            case Choice(function, operands):
                pick = np.minimum if function == "min" else np.maximum
                low, high, sure, possible = zip(
                    *(self._span(one, over) for one in operands), strict=True
                )
                both = np.logical_and
                return _Span(
                    reduce(pick, low),
                    reduce(pick, high),
                    reduce(both, sure),
                    reduce(both, possible),
                )
        raise AssertionError(value)


def _values(condition: Condition) -> Iterator[Expression]:
    return (child for child in children(condition) if isinstance(child, Expression))


def _fields(value: Expression) -> Iterator[FieldValue]:
    stack: list[Node] = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, FieldValue):
            yield node
        stack.extend(children(node))


# --- bounds -----------------------------------------------------------------------------------


def _arithmetic(op: str, one: _Span, other: _Span) -> _Span:
    """Return the bounds of `one op other`, which is missing where it is not finite."""
    match op:
        case "+":
            ends = [_double(np.add, one.low, other.low), _double(np.add, one.high, other.high)]
        case "-":
            ends = [
                _double(np.subtract, one.low, other.high),
                _double(np.subtract, one.high, other.low),
            ]
        case _:
            scale = np.multiply if op == "*" else np.divide
            ends = [_double(scale, x, y) for x in one[:2] for y in other[:2]]
    low, high = reduce(np.minimum, ends), reduce(np.maximum, ends)  # of a nan they make a nan
    unknown = np.isnan(low)
    never = (low == np.inf) | (high == -np.inf)
    if op == "/":
        unknown |= (other.low <= 0) & (other.high >= 0)
        never = (never & ~unknown) | ((other.low == 0) & (other.high == 0))
    low, high = np.where(unknown, -np.inf, low), np.where(unknown, np.inf, high)
    finite = np.isfinite(low) & np.isfinite(high)
    sure = one.sure & other.sure & finite
    return _Span(low, high, sure, one.possible & other.possible & ~never)


def _double(function: Any, x: npt.NDArray[Any], y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = function(x, y, dtype=np.float64)
    return found


def _absolute(one: _Span) -> _Span:
    low, high = np.abs(one.low), np.abs(one.high)
    spans_zero = (one.low < 0) & (one.high > 0)
    nearest = np.where(spans_zero, 0, np.minimum(low, high))
    return one._replace(low=nearest, high=np.maximum(low, high))


def _first_present(one: _Span, other: _Span) -> _Span:
    """Return the bounds of the first of two that is there."""
    low = np.where(one.possible, np.minimum(one.low, other.low), other.low)
    high = np.where(one.possible, np.maximum(one.high, other.high), other.high)
    return _Span(
        np.where(one.sure, one.low, low),
        np.where(one.sure, one.high, high),
        one.sure | other.sure,
        one.possible | other.possible,
    )


def _is_inside(span: _Span, range_: Range) -> Mask:
    above = span.low > range_.low if range_.low_open else span.low >= range_.low
    below = span.high < range_.high if range_.high_open else span.high <= range_.high
    found: Mask = above & below
    return found


def _is_outside(span: _Span, range_: Range) -> Mask:
    below = span.high <= range_.low if range_.low_open else span.high < range_.low
    above = span.low >= range_.high if range_.high_open else span.low > range_.high
    found: Mask = below | above
    return found


def _ordered(op: str, one: _Span, other: _Span) -> tuple[Mask, Mask]:
    """Return whether `one op other` never is, and whether it always is."""
    never: Mask
    always: Mask
    match op:
        case "<":
            never, always = one.low >= other.high, one.high < other.low
        case "<=":
            never, always = one.low > other.high, one.high <= other.low
        case _:
            never = (one.low > other.high) | (one.high < other.low)
            always = (one.low == other.high) & (one.high == other.low)
    return never, always
