"""
Sums over events compared with numbers, from running sums in the place of every event.

`sum(purchase.amount in last 90 days) > 500` is about the sum of doubles, rounded once. Running sums
are whole numbers W, cents for instance, and that sum is W / 100 but for a relative error of 2^-52,
values being none below 0. So W is compared with whole numbers that are surely on one side of a
bound; the contacts whose W is neither (a sum of exactly 500.00) are summed up as doubles.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.events import EventIndex
from headcount.index.properties import NumberProperty
from headcount.index.running import Rows, Units
from headcount.query import ranges as spans
from headcount.query.expressions import EventAggregate, Kind
from headcount.query.masks import in_ranges
from headcount.query.ranges import Range, Ranges
from headcount.query.sums import grouped_sum

_LEAST = 8192  # events of a window; so few are added up in 0.2 ms
_ERROR = Fraction(1, 2**50)  # four times what a sum of doubles can be off
_FAR = (1 << 62) + 1  # beyond any sum


class _Whole(NamedTuple):
    """Sums from `low` to `high` are surely in a range; beyond `least` and `most` surely not."""

    low: int
    high: int
    least: int
    most: int

    @property
    def is_sharp(self) -> bool:
        """Whether every sum is surely in it or not."""
        return self.low == self.least and self.high == self.most


@lru_cache(maxsize=256)
def _whole(range_: Range, scale: int) -> _Whole:
    """Return what a range means for sums in whole numbers, *scale* times as large."""
    least, low = _around(range_.low, scale, range_.low_open, upper=False)
    high, most = _around(range_.high, scale, range_.high_open, upper=True)
    return _Whole(low, high, least, most)


def with_sum(figure: EventAggregate, ranges: Ranges, index: EventIndex) -> BitMap | None:
    """
    Return the rows whose sum over the events of *index* is in *ranges*, fresh.

    None where running sums do not tell.
    """
    if figure.op != "sum" or figure.kind is not Kind.NUMBER or len(figure.sources) > 1:
        return None
    (source,) = figure.sources
    start, stop = index.slice(figure.interval)
    if source.where is not None or stop < index.size or stop - start < _LEAST:
        return None
    assert source.property is not None
    name = source.property.name
    found = index.running.get(name, start)
    if found is None:
        return None
    column = index.property(name)
    assert isinstance(column, NumberProperty)
    assert column.scale is not None
    wholes = [_whole(range_, column.scale) for range_ in ranges]
    (rows, units), (changed, by) = found
    at = np.searchsorted(rows, changed)
    if start < index.running.anchor(start):  # some may have no other events
        at[at == len(rows)] = 0
        known = rows.take(at) == changed if len(rows) else np.zeros(len(changed), np.bool_)
        new, sums = changed.compress(~known), by.compress(~known)
        at, by = at.compress(known), by.compress(known)
    else:
        new, sums = changed[:0], by[:0]
    sure, doubt = _compared(units, wholes)
    put = _compared(units.take(at) + by, wholes)
    sure[at] = put[0]
    fits = bitmaps.from_sorted(rows.take(np.flatnonzero(sure)))
    asked = new[:0]
    if len(new):
        also, doubted = _compared(sums, wholes)
        fits |= bitmaps.from_sorted(new.compress(also))
        if doubted is not None:
            asked = new.compress(doubted)
    if doubt is not None and put[1] is not None:
        doubt[at] = put[1]
        asked = np.sort(np.append(rows.compress(doubt), asked))
    if len(asked):
        fits |= _exactly(asked, ranges, index, column, start)
    if spans.holds(ranges, 0):  # what no events add up to
        some = bitmaps.from_sorted(rows) | bitmaps.from_sorted(new)
        fits |= bitmaps.full(index.rows) - some
    return fits


def _compared(units: Units, wholes: list[_Whole]) -> tuple[Mask, Mask | None]:
    """Return which sums are surely in a range, and which others may be; None if none can."""
    sure = _within(units, wholes[0].low, wholes[0].high)
    for whole in wholes[1:]:
        sure |= _within(units, whole.low, whole.high)
    if all(whole.is_sharp for whole in wholes):
        return sure, None
    doubt = np.zeros(len(units), dtype=np.bool_)
    for low, high, least, most in wholes:
        if low > least:
            doubt |= _within(units, least, low - 1)
        if high < most:
            doubt |= _within(units, high + 1, most)
    doubt &= ~sure
    return sure, doubt


def _within(units: Units, low: int, high: int) -> Mask:
    if low > high:
        return np.zeros(len(units), dtype=np.bool_)
    if high >= _FAR:
        above: Mask = units >= low
        return above
    found: Mask = (units >= low) & (units <= high)
    return found


def _exactly(
    asked: Rows, ranges: Ranges, index: EventIndex, column: NumberProperty, start: int
) -> BitMap:
    """Return those of *asked* (ascending) whose sum of doubles from *start* on is in *ranges*."""
    wanted = np.zeros(index.rows, dtype=np.bool_)
    wanted[asked] = True
    places = np.flatnonzero(wanted.take(index.log_rows[start:])) + start
    held = column.at(places).vector()
    whose = np.searchsorted(asked, index.log_rows.take(places.compress(held.present)))
    total: npt.NDArray[np.float64] = grouped_sum(
        whose, held.values.compress(held.present), len(asked)
    )
    return bitmaps.from_sorted(asked.compress(in_ranges(total, ranges)))


def _around(bound: float, scale: int, is_open: bool, *, upper: bool) -> tuple[int, int]:
    """
    Return where sums in whole numbers are next to *bound*, *scale* times as large.

    (first that may fit, first that surely does) for a lower end, (last that surely fits, last that
    may) for an *upper* one.
    """
    if math.isinf(bound):
        far = _FAR if bound > 0 else -_FAR
        return far, far
    exact = Fraction(bound) * scale
    if not exact:  # nothing but zeros add up to 0
        first = int(is_open)
        return (-first, -first) if upper else (first, first)
    error = abs(exact) * _ERROR
    may, surely = math.ceil(exact - error), math.floor(exact + error) + 1
    may, surely = (_clamped(may), _clamped(surely))
    return (may - 1, surely - 1) if upper else (may, surely)


def _clamped(whole: int) -> int:
    return max(-_FAR, min(_FAR, whole))
