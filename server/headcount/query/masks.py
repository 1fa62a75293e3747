"""
Masks: which rows of a frame fit a condition, as bool[size].

Used inside `where`, on the events of a stretch of the log, and for conditions on contacts that no
index answers. A text property is compared by code: the condition is tried once on the dictionary.

What is mere arithmetic is worked out 32,768 rows at a time: its operands, 256 KiB each, stay in the
second-level cache, where those of 2^20 rows would be read from memory, and written to pages that
the system hands out anew each time. `total_spent / lead_score > 5` takes 2.5 ms for 2^20 rows, in
one piece 13. Rejected: columns kept as doubles, 8 bytes a row and field to save a third of it.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index.bitmaps import Mask
from headcount.model import fold
from headcount.query.bound import (
    All,
    Always,
    Compared,
    Complement,
    Condition,
    Holds,
    InRanges,
    KeyIn,
    Matches,
    Present,
)
from headcount.query.bound import (
    Any as AnyOf,
)
from headcount.query.estimate import limits
from headcount.query.expressions import FieldValue, Kind
from headcount.query.frames import ContactFrame, EventFrame, Frame
from headcount.query.ranges import Range, Ranges
from headcount.query.vectors import is_arithmetic_value, texts, vector

_STRIDE = 1 << 15  # rows; half and twice as many cost 5 to 20 % more
_FEW = 4  # ranges that are compared one by one
_LOWEST, _HIGHEST = -(1 << 63), (1 << 63) - 1


def mask(condition: Condition, frame: Frame) -> Mask:
    """Return which rows of *frame* fit *condition*, fresh or shared: not to be changed."""
    if (
        isinstance(frame, ContactFrame | EventFrame)  # a stretch is not cut again
        and frame.size > _STRIDE
        and is_arithmetic(condition)
        and not _is_as_stored(condition, frame)
    ):
        return np.concatenate([mask(condition, part) for part in frame.stretches(_STRIDE)])
    found = _mask(condition, frame)
    return found if found.shape else np.broadcast_to(found, frame.size)


def is_arithmetic(condition: Condition) -> bool:
    """Return whether *condition* compares values that are worked out of stored ones, by row."""
    match condition:
        case InRanges(value):
            return is_arithmetic_value(value)
        case Compared(left, _, right):
            return is_arithmetic_value(left) and is_arithmetic_value(right)
    return False


def _is_as_stored(condition: Condition, frame: Frame) -> bool:
    """Return whether stored values are compared as they are, narrow and in one pass."""
    match condition:
        case InRanges(FieldValue(), (_,)):
            return isinstance(frame, EventFrame)
    return False


def _mask(condition: Condition, frame: Frame) -> Mask:
    match condition:
        case All(items):
            return reduce(np.logical_and, [_mask(item, frame) for item in items])
        case AnyOf(items):
            return reduce(np.logical_or, [_mask(item, frame) for item in items])
        case Complement(item):
            return np.logical_not(_mask(item, frame))
        case Always(truth):
            return np.asarray(truth)
        case InRanges(FieldValue(field), (range_,)) if isinstance(frame, EventFrame):
            return frame.within(field, *limits(range_))
        case InRanges(value, ranges):
            held = vector(value, frame)
            return in_ranges(held.values, ranges) & held.present
        case KeyIn(FieldValue(field), keys):
            assert isinstance(frame, EventFrame)
            return frame.with_keys(field, keys)
        case Matches(FieldValue(field), pattern):
            assert isinstance(frame, EventFrame)
            dictionary = frame.strings(field).dictionary
            return frame.with_codes(field, pattern.test(dictionary.values, dictionary.keys))
        case Present(value):
            return _present(value, frame)
        case Holds(value):
            held = vector(value, frame)
            return held.values & held.present
        case Compared():
            return _compared(condition, frame)
    raise AssertionError(condition)


def _present(value: Any, frame: Frame) -> Mask:
    if value.kind is Kind.STRING and isinstance(frame, EventFrame):
        column = frame.strings(value.field)
        held: Mask = column.codes(frame.start, frame.stop) != column.missing
        return held
    return vector(value, frame).present


def in_ranges(values: npt.NDArray[Any], ranges: Ranges) -> Mask:
    """Return which of *values* are in any of *ranges*, fresh."""
    if len(ranges) <= _FEW:
        found: Mask = reduce(np.logical_or, [_in_range(values, r) for r in ranges])
        return found
    lows, highs = _closed(ranges)
    # The last range that begins at or below the value is the only one that can hold it.
    at = np.searchsorted(lows, values, side="right") - 1
    held: Mask = (at >= 0) & (values <= highs[at])
    return held


def _in_range(values: npt.NDArray[Any], range_: Range) -> Mask:
    if range_.low == range_.high:
        same: Mask = values == range_.low
        return same
    found: Mask = np.ones(values.shape, dtype=np.bool_)
    if range_.low != -np.inf:
        found = values > range_.low if range_.low_open else values >= range_.low
    if range_.high != np.inf:
        found = found & (values < range_.high if range_.high_open else values <= range_.high)
    return found


def _closed(ranges: Ranges) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return both ends of ranges, an open one replaced by the next double."""
    low = [math.nextafter(r.low, math.inf) if r.low_open else r.low for r in ranges]
    high = [math.nextafter(r.high, -math.inf) if r.high_open else r.high for r in ranges]
    if all(isinstance(bound, int) or math.isinf(bound) for bound in low + high):
        # Days and µs: whole numbers that a double may not hold. Only the outer ends are infinite.
        low[0] = _LOWEST if math.isinf(low[0]) else low[0]
        high[-1] = _HIGHEST if math.isinf(high[-1]) else high[-1]
    return np.array(low), np.array(high)


_COMPARE = {"=": np.equal, "<": np.less, "<=": np.less_equal}


def _compared(condition: Compared, frame: Frame) -> Mask:
    left, right = condition.left, condition.right
    if left.kind in (Kind.STRING, Kind.STRINGS):
        assert isinstance(left, FieldValue)
        return _same_text(left, texts(left, frame), texts(right, frame))
    x, y = vector(left, frame), vector(right, frame)
    found: Mask = _COMPARE[condition.op](x.values, y.values)
    return found & x.present & y.present


def _same_text(left: FieldValue, held: pa.Array, other: pa.Array) -> Mask:
    """Return where *other*, in the key form of *left*'s field, is its text or one of its texts."""
    keys = fold.keys(other, left.field)
    if pa.types.is_list(held.type):
        owners = pc.list_parent_indices(held)
        same = pc.equal(fold.keys(pc.list_flatten(held), left.field), keys.take(owners))
        found = np.zeros(len(held), dtype=np.bool_)
        found[owners.to_numpy()[same.fill_null(False).to_numpy(zero_copy_only=False)]] = True
        return found
    same = pc.equal(fold.keys(held, left.field), keys)
    result: Mask = same.fill_null(False).to_numpy(zero_copy_only=False)
    return result
