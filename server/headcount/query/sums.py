"""
Exact sums of doubles by group: each is the true sum, rounded once, in whatever order it was added.

    v  =  high + low        high: a multiple of 2^t, where no group's sum reaches 2^(t + 53)
                            low: the rest, below 2^t

Sums of the highs are exact in doubles, because they are multiples of 2^t below 2^(t + 53); sums of
the lows are, while their bits fit in 53 too. Adding the two is then the only rounding. Two passes
of `np.bincount`, 10 ms a million values; amounts in money always fit. What does not (1e300 beside
1e-300) goes through `math.fsum`, group by group.

A plain running sum would depend on the order of events: 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_DIGITS = 53  # bits of a double's mantissa
_LARGEST, _SMALLEST = 1000, -900  # exponents well inside those of a double

Groups = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]


def grouped_sum(groups: Groups, values: Floats, size: int) -> Floats:
    """
    Return the sum of the *values* (float64[n], finite) of each of *groups* (int[n]), float64[size].

    0 for a group without values, NaN for a sum that no double can hold.
    """
    size_of = np.abs(values)
    with np.errstate(over="ignore"):
        total = float(size_of.sum())
    if not total:
        return np.zeros(size)
    smallest = np.min(size_of, where=size_of > 0, initial=math.inf)
    bottom = math.frexp(float(smallest))[1] - _DIGITS
    # What is true of all values as one group is true of each; only then groups are looked at.
    cut = _cut(total, bottom, len(values))
    if cut is None:
        with np.errstate(over="ignore"):
            reach = float(_added(groups, size_of, size).max())
        cut = _cut(reach, bottom, int(np.bincount(groups, minlength=size).max()))
    if cut is None:
        return _one_by_one(groups, values, size)
    if bottom >= cut:
        return _added(groups, values, size)
    high = np.ldexp(np.trunc(np.ldexp(values, -cut)), cut)
    low = values - high
    return _added(groups, high, size) + _added(groups, low, size)


def _cut(reach: float, bottom: int, most: int) -> int | None:
    """
    Return t, where no sum of sizes is above *reach*, nor of more than *most* values.

    None if the lows would not fit in a double, or the exponents are near the last that there are.
    """
    top = math.frexp(reach)[1] + 1 if math.isfinite(reach) else _LARGEST + 1
    if top > _LARGEST or bottom < _SMALLEST:
        return None
    cut = top - _DIGITS
    return None if cut + most.bit_length() - bottom > _DIGITS and bottom < cut else cut


def _added(groups: Groups, values: Floats, size: int) -> Floats:
    return np.bincount(groups, values, size).astype(np.float64, copy=False)


def _one_by_one(groups: Groups, values: Floats, size: int) -> Floats:
    order = np.argsort(groups, kind="stable")
    ordered, held = groups[order], values[order].tolist()
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])).tolist()
    total = np.zeros(size)
    for start, end in zip(starts, [*starts[1:], len(held)], strict=True):
        try:
            total[ordered[start]] = math.fsum(held[start:end])
        except OverflowError:
            total[ordered[start]] = math.nan
    return total
