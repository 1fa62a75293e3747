"""
Quotients: one stored number by another, compared with a bound in whole numbers.

`total_spent / orders > 50` is what people calculate most. Both columns are stored as whole numbers
above a base, in cents or units, so that for each divisor there is a least dividend that fits, and
hardly ever is it not a multiple of it:

    orders      1      2      3           stored:   spent >= 5000 * orders + 1
    spent  >   50    100    150

The least dividend of every possible divisor is found with doubles, by the very division that would
have been done; if they do not lie on a line, `rows_of` says nothing. What is left for each row is
a multiplication and a comparison of 32-bit integers: 0.4 ms for 2^20 rows, where singles take 1.6
(`singles`) and doubles 2.5 (`masks`). Rejected: looking each divisor's bound up (`np.take`), 0.8 ms
alone; comparing products in floats, whose errors would have to be bounded again.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask
from headcount.index.block import Block
from headcount.index.columns import NumericColumn
from headcount.query.bound import Condition, InRanges
from headcount.query.expressions import Arithmetic, FieldValue, Kind
from headcount.query.frames import range_index

_STRIDE = 1 << 18  # rows worked out at once: 1 MiB of bounds; a quarter of it takes a third longer
_LEAST = 1 << 15  # rows of a block for which it is worth it
_LARGEST_DIVISOR = 1 << 16  # for so many the bounds are found, in 5 ms once
_TOP = 1 << 32  # what is stored, and every bound, is below
_AROUND = 3  # whole numbers on either side of a bound, one of which is the least that fits


class _Line(NamedTuple):
    """
    The least stored dividend that fits, by the stored divisor: slope * divisor + offset.

    With `crosses` it is below 0 for some divisors, all of whose dividends fit.
    """

    slope: int
    offset: int
    crosses: bool = False


def rows_of(condition: Condition, block: Block) -> BitMap | None:
    """Return the rows of the contacts that fit *condition*; None if it is not of this kind."""
    match condition:
        case InRanges(Arithmetic("/", FieldValue() as above, FieldValue() as below), (range_,)):
            if block.rows < _LEAST or not (above.kind is below.kind is Kind.NUMBER):
                return None
        case _:
            return None
    upper, lower = range_index(block, above.field), range_index(block, below.field)
    if not (_is_whole(upper.column) and _is_whole(lower.column)):
        return None
    low, high = range_.low, range_.high
    fits = None if low == -math.inf else _line(low, range_.low_open, upper.column, lower.column)
    over = (
        None if high == math.inf else _line(high, not range_.high_open, upper.column, lower.column)
    )
    if (fits is None) != (low == -math.inf) or (over is None) != (high == math.inf):
        return None
    held = _held(upper.column.stored, lower.column.stored, fits, over)
    found = bitmaps.from_mask(held) & upper.present & lower.present
    if not lower.column.base:
        found -= lower.between(0.0, 0.0)  # divided by nothing is missing
    return found


def _is_whole(column: NumericColumn) -> bool:
    return column.stored.dtype.kind == "u" and column.stored.itemsize <= 4 and column.base >= 0


def _line(bound: float, above: bool, upper: NumericColumn, lower: NumericColumn) -> _Line | None:
    """Return the least dividends *above* a bound, or also at it; None if they are on no line."""
    largest = int(np.iinfo(lower.stored.dtype).max)
    if not 0 < bound < _TOP or largest > _LARGEST_DIVISOR:
        return None
    first, last = max(lower.base, 1), lower.base + largest
    found = _least(float(bound), above, upper.places, lower.places, first, last)
    if found is None:
        return None
    slope, offset = found.slope, found.offset + found.slope * lower.base - upper.base
    is_below = slope * (last - lower.base) + max(offset, 0) < _TOP
    crosses = slope * (first - lower.base) + offset < 0
    return _Line(slope, offset, crosses) if is_below and offset > -_TOP else None


@lru_cache(maxsize=256)
def _least(
    bound: float, above: bool, places: int, divided_places: int, first: int, last: int
) -> _Line | None:
    """
    Return the least dividend of each divisor from *first* to *last*, if they are on a line.

    Both are whole numbers, to be divided by ten so many *places* times, as columns decode them.
    """
    divisors = np.arange(first, last + 1)
    near = np.floor(divisors * (bound * 10.0**places / 10.0**divided_places))
    if near[-1] >= _TOP:
        return None
    tried = near[:, np.newaxis] + np.arange(-_AROUND, _AROUND + 1)
    quotients = _decoded(tried, places) / _decoded(divisors, divided_places)[:, np.newaxis]
    fit = quotients > bound if above else quotients >= bound
    misses = np.count_nonzero(~fit, axis=1)  # as dividends rise, so do quotients
    if not np.all((misses > 0) & (misses <= 2 * _AROUND)):
        return None
    least = near.astype(np.int64) - _AROUND + misses
    slope = int(least[1] - least[0])
    offset = int(least[0]) - slope * first
    return _Line(slope, offset) if np.array_equal(least, slope * divisors + offset) else None


def _decoded(whole: npt.NDArray[Any], places: int) -> npt.NDArray[np.float64]:
    """Return stored numbers and their base as `NumericColumn` decodes them."""
    values = whole.astype(np.float64)
    return values / 10**places if places else values


def _held(
    dividends: npt.NDArray[Any], divisors: npt.NDArray[Any], fits: _Line | None, over: _Line | None
) -> Mask:
    """Return which dividends are at or above one line and below another, one of which is there."""
    held = (
        np.ones(len(dividends), dtype=np.bool_)
        if fits is None
        else np.empty(len(dividends), np.bool_)
    )
    bounds = np.empty(_STRIDE, dtype=np.uint32)
    for start in range(0, len(dividends), _STRIDE):
        above, below = dividends[start : start + _STRIDE], divisors[start : start + _STRIDE]
        part = held[start : start + _STRIDE]
        if fits is not None:
            np.greater_equal(above, _bounds(below, fits, bounds), out=part)
        if over is not None:
            part &= above < _bounds(below, over, bounds)
    return held


def _bounds(
    divisors: npt.NDArray[Any], line: _Line, out: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    """Return the least dividend of each divisor, in *out*; for a divisor of 0 anything."""
    found = out[: len(divisors)]
    np.copyto(found, divisors)
    found *= np.uint32(line.slope)
    if line.offset < 0:
        if line.crosses:
            np.maximum(found, np.uint32(-line.offset), out=found)
        found -= np.uint32(-line.offset)
    elif line.offset:
        found += np.uint32(line.offset)
    return found
