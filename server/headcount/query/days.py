"""
Calendar conditions on a date field, asked of its days instead of its rows.

`month(birthday) = 3` and `anniversary(birthday) within next 7 days` depend on the day alone, and a
field has some ten thousand days where a block has a million rows. So the condition is worked out
once for every day between the first and the last; then either the few runs of days are looked up as
ranges (`year(birthday) = 1990` is one), or each row's day is looked up in the answer: 2 ms for 2^20
rows where computing the month of each takes 30.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.columns import Vector
from headcount.model.schema import Field
from headcount.query.bound import Condition, InRanges
from headcount.query.clock import Clock
from headcount.query.expressions import Anniversary, Expression, FieldValue, Kind, Shifted, Unary
from headcount.query.frames import Figure, range_index
from headcount.query.masks import in_ranges
from headcount.query.vectors import vector

_MOST_DAYS = 1 << 17  # 358 years
_MOST_RUNS = 16  # ranges cost 60 µs each


@dataclass(frozen=True)
class _DayFrame:
    """Every day from `first` to `last`, as the value of the only field that is asked for."""

    clock: Clock
    first: int
    last: int

    @property
    def size(self) -> int:
        """Return how many days there are."""
        return self.last - self.first + 1

    def vector(self, field: Field) -> Vector:  # noqa: ARG002
        """Return the days."""
        days = np.arange(self.first, self.last + 1, dtype=np.int64)
        return Vector(days, np.ones(len(days), dtype=np.bool_))

    def texts(self, field: Field) -> pa.Array:
        """Refuse: a day is no text."""
        raise AssertionError(field)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Refuse: a day is no text."""
        raise AssertionError(field, function)

    def figure(self, figure: Figure) -> Vector:
        """Refuse: a day has no events."""
        raise AssertionError(figure)


def calendar_rows(condition: Condition, block: Block, clock: Clock) -> BitMap | None:
    """Return the rows that fit, if *condition* is about the days of one date field alone."""
    if not isinstance(condition, InRanges):
        return None
    field = _date_field(condition.value)
    if field is None:
        return None
    index = range_index(block, field)
    if index.min is None or index.max is None:
        return bitmaps.EMPTY
    first, last = int(index.min), int(index.max)
    if last - first >= _MOST_DAYS:
        return None
    days = vector(condition.value, _DayFrame(clock, first, last))
    fits = in_ranges(days.values, condition.ranges) & days.present
    turns = np.flatnonzero(np.diff(fits, prepend=False, append=False))
    runs = turns.reshape(-1, 2) + first  # [first day, day after the last]
    if len(runs) <= _MOST_RUNS:
        found = [index.between(start, end - 1) for start, end in runs.tolist()]
        return BitMap.union(*found) if found else bitmaps.EMPTY
    column = index.column
    if column.base == first and column.unit == 1:
        held = fits.take(column.stored)
    else:
        held = fits.take(np.maximum(column.decode() - first, 0))
    return bitmaps.from_mask(held) & index.present


def _date_field(value: Expression) -> Field | None:
    """Return the date field that *value* depends on alone, by the calendar."""
    match value:
        case FieldValue(field) if value.kind is Kind.DATE:
            return field
        case Unary("month" | "day" | "weekday" | "year", operand) | Anniversary(operand):
            return _date_field(operand)
        case Shifted(operand, kind=Kind.DATE):
            return _date_field(operand)
    return None
