"""
A column: the number, day or instant of every row, in the narrowest form that gives it back exactly.

Comparing and gathering cost bytes, so a column is stored as unsigned integers above its smallest
value wherever that loses nothing:

    int64  (days, microseconds)   value = base + unit * stored         unit 1 µs to 1 day
    float64, decimals             value = (base + stored) / 10^places   places 0 to 6
    float64, anything else        value = stored                        float32 if exact, or float64

"Exact" is tested on every value: 19.99 is stored as 1999 because 1999 / 100 is the very same
double. A comparison with a bound is turned into one with a stored integer, by the same division, so
that it agrees with comparing the doubles. -0.0 is stored as 0.0, which equals it.

Which rows have a value is not known here: a missing row holds `base`, to be masked by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.bitmaps import Mask
from headcount.index.parts import Part, Parts

Values = npt.NDArray[Any]  # float64 or int64

_PLACES = range(7)  # cents are 2, coordinates in degrees 6
_UNITS = (86_400_000_000, 60_000_000, 1_000_000, 1_000, 1)  # day, minute, second, millisecond, µs
_SAMPLE = 1024  # values that rule out a wrong scale before all are tried
_EXACT = 2**53  # integers up to here are doubles
_DIGIT, _MOST_DIGITS = 16, 3  # bits of a pass of radix sort, and passes up to which it is faster
_NARROW = tuple(np.dtype(f"<u{size}") for size in (1, 2, 4))


@dataclass(frozen=True)
class Vector:
    """
    The value of an expression for every row of a block.

    `values` is float64[n], int64[n] (days, microseconds) or bool[n], `present` bool[n]; the value
    under a missing row is undefined.
    """

    values: npt.NDArray[Any]
    present: Mask


@dataclass(frozen=True)
class NumericColumn:
    """One value per row, `stored` narrow; `decode` gives them back as `domain`."""

    stored: npt.NDArray[Any]
    domain: np.dtype[Any]  # float64 or int64
    base: int = 0
    unit: int = 1
    places: int = 0

    @classmethod
    def build(cls, values: Values, present: Mask | None = None) -> NumericColumn:
        """
        Return the column of *values* (float64[n] or int64[n]), those not *present* (bool[n]) aside.

        About 10 ms per million values.
        """
        held = values if present is None else values[present]
        if values.dtype == np.float64:
            column = _of_floats(held + 0.0)
        else:
            assert values.dtype == np.int64, values.dtype
            column = _of_ints(held)
        if present is None:
            return column
        stored = np.zeros(len(values), dtype=column.stored.dtype)
        stored[present] = column.stored
        return cls(stored, column.domain, column.base, column.unit, column.places)

    def __len__(self) -> int:
        return len(self.stored)

    def decode(self, start: int = 0, stop: int | None = None) -> Values:
        """Return the values of rows *start* to *stop*, fresh, float64 or int64."""
        return self._decode(self.stored[start:stop])

    def take(self, rows: npt.NDArray[Any]) -> Values:
        """Return the values of *rows* (any integer dtype, any order), fresh, float64 or int64."""
        return self._decode(self.stored[rows])

    def within(
        self,
        stored: npt.NDArray[Any],
        low: float | None,
        high: float | None,
        low_open: bool = False,
        high_open: bool = False,
    ) -> Mask:
        """
        Return which of some *stored* values are decoded to one from *low* to *high* (None: no end).

        None is decoded: 30 µs for a million of 2 bytes, where decoding takes 1 ms.
        """
        if stored.dtype == np.float32:
            stored = stored.astype(np.float64)  # or a bound would be made a float32
        found: Mask | None = None
        if low is not None:
            found = stored >= (self.first_above(low) if low_open else self.first_at_least(low))
        if high is not None:
            upto: Mask = stored < (
                self.first_at_least(high) if high_open else self.first_above(high)
            )
            found = upto if found is None else found & upto
        return np.ones(len(stored), dtype=np.bool_) if found is None else found

    def first_at_least(self, bound: float) -> float:
        """
        Return the smallest stored value whose decoded value is >= *bound*.

        Stored integers are clamped to 0 and one above the dtype's largest. *bound* is a number of
        the domain, or infinite; for int64 a fraction counts.
        """
        if self.stored.dtype.kind == "f":
            return bound
        top = int(np.iinfo(self.stored.dtype).max)
        if self.domain.kind == "i":
            if math.isinf(bound):
                return 0 if bound < 0 else top + 1
            steps: int = -((self.base - math.ceil(bound)) // self.unit)
            return min(max(steps, 0), top + 1)
        scale = 10**self.places
        if bound <= self.base / scale:
            return 0
        if bound > (self.base + top) / scale:
            return top + 1
        # Within the range of the column the product is off by a step or two at most.
        whole: int = math.floor(bound * scale)
        while whole / scale >= bound:
            whole -= 1
        while whole / scale < bound:
            whole += 1
        return whole - self.base

    def first_above(self, bound: float) -> float:
        """Return the smallest stored value whose decoded value is > *bound*."""
        if self.stored.dtype.kind == "f" or self.domain.kind == "f":
            return self.first_at_least(math.nextafter(bound, math.inf))
        if math.isinf(bound):
            return self.first_at_least(bound)
        return self.first_at_least(math.floor(bound) + 1)

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the column as parts named under *prefix*."""
        about = {
            "domain": self.domain.str, "base": self.base, "unit": self.unit, "places": self.places,
        }  # fmt: skip
        yield parts_of.document(f"{prefix}/column", about)
        yield parts_of.array(f"{prefix}/stored", self.stored)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> NumericColumn:
        """Return the column that `parts` wrote under *prefix*."""
        about = parts.document(f"{prefix}/column")
        domain = np.dtype(about.pop("domain"))
        return cls(strings.aligned(parts.array(f"{prefix}/stored")), domain, **about)

    def _decode(self, stored: npt.NDArray[Any]) -> Values:
        if stored.dtype.kind == "f":
            return stored.astype(np.float64)
        if self.domain.kind == "i":
            wrapped = stored.astype(np.uint64)
            wrapped *= np.uint64(self.unit)
            wrapped += np.uint64(self.base % 2**64)
            return wrapped.view(np.int64)
        values = stored.astype(np.float64)
        if self.base:
            values += self.base
        if self.places:
            values /= 10**self.places
        return values


def stable_order(values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """
    Return the positions of *values* in ascending order, equal ones as they stand.

    Radix sort of unsigned integers up to 48 bits: 13 ms per million of 16 bits, twice that for 32,
    80 for 48; others 120 ms.
    """
    if values.dtype.kind != "u" or values.dtype.itemsize * 8 <= _DIGIT:
        return np.argsort(values, kind="stable")
    bits = int(values.max(initial=0)).bit_length()
    if bits > _MOST_DIGITS * _DIGIT:
        return np.argsort(values, kind="stable")
    # numpy sorts 16 bits by radix, and wider ones are a pass for each 16 of theirs.
    order = np.argsort(values.astype(np.uint16), kind="stable")
    for shift in range(_DIGIT, bits, _DIGIT):
        digits = (values >> values.dtype.type(shift)).astype(np.uint16)
        order = order[np.argsort(digits[order], kind="stable")]
    return order


def narrowed(values: npt.NDArray[Any], top: int) -> npt.NDArray[Any]:
    """Return *values* (from 0 to *top*) in the smallest unsigned dtype that holds *top*."""
    return values.astype(np.min_scalar_type(top), copy=False)


def _of_floats(values: npt.NDArray[np.float64]) -> NumericColumn:
    """Return the column of *values*, all present."""
    domain = np.dtype(np.float64)
    for places in _PLACES:
        if _scaled(values[:_SAMPLE], places) is None:
            continue
        whole = _scaled(values, places)
        if whole is None:
            continue
        base = int(whole.min()) if len(whole) else 0
        dtype = _narrowest(int(whole.max()) - base if len(whole) else 0)
        if dtype is None:
            break
        return NumericColumn((whole - base).astype(dtype), domain, base, 1, places)
    with np.errstate(over="ignore"):
        single = values.astype("<f4")
    if np.array_equal(single, values):
        return NumericColumn(single, domain)
    return NumericColumn(values, domain)


def _scaled(values: npt.NDArray[np.float64], places: int) -> npt.NDArray[np.float64] | None:
    """Return the whole numbers w with w / 10^places == value for every value, if there are."""
    scale = float(10**places)
    with np.errstate(over="ignore"):
        whole = np.rint(values * scale) + 0.0
    if np.all(np.abs(whole) <= _EXACT) and np.array_equal(whole / scale, values):
        return whole
    return None


def _of_ints(values: npt.NDArray[np.int64]) -> NumericColumn:
    """Return the column of *values*, all present."""
    domain = np.dtype(np.int64)
    if not len(values):
        return NumericColumn(np.zeros(0, dtype=np.uint8), domain)
    base = int(values.min())
    above = values.view(np.uint64) - np.uint64(base % 2**64)
    for unit in _UNITS:
        step = np.uint64(unit)
        if not np.any(above[:_SAMPLE] % step) and not np.any(above % step):
            break
    dtype = _narrowest((int(values.max()) - base) // unit) or np.dtype("<u8")
    return NumericColumn((above // step).astype(dtype), domain, base, unit)


def _narrowest(top: int) -> np.dtype[Any] | None:
    """Return the smallest unsigned dtype below 8 bytes that holds 0 to *top*."""
    return next((dtype for dtype in _NARROW if top <= np.iinfo(dtype).max), None)
