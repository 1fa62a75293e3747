"""
Trends: which way a value goes as the clock runs on, for any one contact.

    now - seen                          rises
    (seen - now) / 7                    falls
    spent / (now - created_at)          bends: which way, and where it turns, is the contact's
    round(now - seen)                   rises, in steps
    now - seen > now - created_at       two that rise, against each other: nobody can tell

Where everything in a comparison stays, or goes one way, or there is one thing only that moves, the
values that it has over a stretch of time are those between two bounds, and the bounds close in as
the stretch gets shorter; so `turns` finds where it begins or ceases to hold. Adding, multiplying
and rounding doubles never turns a larger value into a smaller one, so that is exact.

Two that move against each other are another matter: what is left of them is the rounding of their
last digits, and may turn at each of a billion microseconds. They are refused, as is a calendar part
of a time that is sometimes now and sometimes the contact's own.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import Enum

from headcount.model.schema import Field
from headcount.query.bound import Compared, Condition, InRanges, Present
from headcount.query.clock import EXACT_US
from headcount.query.expressions import (
    Anniversary,
    Arithmetic,
    Choice,
    Constant,
    DayStart,
    Elapsed,
    Expression,
    FieldValue,
    LocalDay,
    Shifted,
    Unary,
)
from headcount.query.traced import CannotMoveError


class Trend(Enum):
    """Which way a value goes; `BENDS` may be any, piece by piece."""

    STAYS = 0
    RISES = 1
    FALLS = -1
    BENDS = 2

    @property
    def mirrored(self) -> Trend:
        """The trend of the same value with the other sign."""
        return _MIRRORED.get(self, self)


_MIRRORED = {Trend.RISES: Trend.FALLS, Trend.FALLS: Trend.RISES}


def require_followed(condition: Condition, instants: Container[Field]) -> None:
    """
    Refuse a condition whose turns could not be found; *instants* keep pace with the clock.

    Raises:
        CannotMoveError: two things in it move against each other, or one by the calendar.
    """
    match condition:
        case InRanges(value) | Present(value):
            trend(value, instants)
        case Compared(left, _, right):
            _together(trend(left, instants), trend(right, instants).mirrored)
        case _:
            raise CannotMoveError("a condition that is no comparison")


def trend(value: Expression, instants: Container[Field]) -> Trend:
    """
    Return which way *value* goes.

    Raises:
        CannotMoveError: nobody can tell.
    """
    match value:
        case FieldValue(field):
            return Trend.RISES if field in instants else Trend.STAYS
        case Arithmetic("+", left, right):
            return _together(trend(left, instants), trend(right, instants))
        case Arithmetic("-", left, right) | Elapsed(left, right):
            return _together(trend(left, instants), trend(right, instants).mirrored)
        case Arithmetic(op, left, right):
            return _scaled(op, left, right, instants)
        case Choice(operands=operands):
            return _one_of(trend(operand, instants) for operand in operands)
        case Unary("round", operand):
            return trend(operand, instants)
        case Unary("abs", operand):
            stays = trend(operand, instants) is Trend.STAYS
            return Trend.STAYS if stays else Trend.BENDS
        case Shifted(operand, duration) if duration.unit in EXACT_US:
            return trend(operand, instants)
        case Shifted(operand) | DayStart(operand) | LocalDay(operand):
            return _by_calendar(operand, instants)
        case Unary(operand=operand) | Anniversary(operand):
            return _by_calendar(operand, instants)
    return Trend.STAYS


def _together(one: Trend, other: Trend) -> Trend:
    """Return the trend of a sum."""
    if other is Trend.STAYS:
        return one
    if one is Trend.STAYS or (one is other and one is not Trend.BENDS):
        return other
    raise CannotMoveError("two values that move against each other")


def _one_of(trends: Iterable[Trend]) -> Trend:
    """Return the trend of the least, the greatest or the first present of several."""
    moving = [one for one in trends if one is not Trend.STAYS]
    if len(moving) > 1 and (len(set(moving)) > 1 or Trend.BENDS in moving):
        raise CannotMoveError("two values that move against each other")
    return moving[0] if moving else Trend.STAYS


def _scaled(op: str, left: Expression, right: Expression, instants: Container[Field]) -> Trend:
    """Return the trend of a product or a quotient."""
    one, other = trend(left, instants), trend(right, instants)
    if one is not Trend.STAYS and other is not Trend.STAYS:
        raise CannotMoveError("a product of two values that move")
    if one is other:
        return Trend.STAYS
    factor = right if other is Trend.STAYS else left
    if isinstance(factor, Constant) and (op == "*" or factor is right):
        assert isinstance(factor.value, int | float)
        moving = one if other is Trend.STAYS else other
        return moving if factor.value >= 0 else moving.mirrored
    return Trend.BENDS


def _by_calendar(operand: Expression, instants: Container[Field]) -> Trend:
    if trend(operand, instants) is not Trend.STAYS:
        raise CannotMoveError("a calendar part of what is not the same for everyone")
    return Trend.STAYS
