"""
Estimates: how many contacts of a block fit a condition, and what it costs to find them.

Only for ordering: nothing that is counted comes from here. Sizes of fields are exact, they are what
the indexes answer in microseconds; for events the index knows a bound; the rest is a guess. Costs
are microseconds for 2^20 rows, as measured (see `bench/`); only their order of magnitude matters.
"""

from __future__ import annotations

from typing import NamedTuple

from headcount.index.block import Block
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.text import TextIndex
from headcount.model.fold import is_exact
from headcount.query.bound import (
    Always,
    Compared,
    Condition,
    EventCount,
    Follows,
    Holds,
    InRanges,
    KeyIn,
    KeysAll,
    Matches,
    Present,
    Sampled,
)
from headcount.query.expressions import FieldValue
from headcount.query.frames import flag_index, index_of, range_index, text_index
from headcount.query.ranges import Range

_LOOKUP, _RANGE, _PATTERN, _SCAN = 2.0, 60.0, 200.0, 2_000.0
_EVENTS, _EVENT, _VECTOR, _SORT = 250.0, 0.005, 5_000.0, 50_000.0
_GUESS = 3  # one row in so many, where nothing is known
HEAVY = 1_000.0  # from here on it pays to work on the candidates left


class Estimate(NamedTuple):
    """Rows of one block, and microseconds to find them."""

    rows: float
    cost: float

    @property
    def is_heavy(self) -> bool:
        """Whether what is left of the others should be found first."""
        return self.cost >= HEAVY


def estimate(condition: Condition, block: Block | None) -> Estimate:
    """Return the estimate of a condition that is no `and`, `or` or `not`."""
    if block is None:
        return Estimate(0.0, _LOOKUP)
    rows = float(block.rows)
    match condition:
        case Always(truth):
            return Estimate(rows if truth else 0.0, 0.0)
        case KeyIn(FieldValue(field), keys) | KeysAll(FieldValue(field), keys):
            if is_exact(field):
                return Estimate(float(len(keys)), _PATTERN)
            return _keys(text_index(block, field), keys)
        case Present(FieldValue(field)):
            size = block.rows if is_exact(field) else len(index_of(block, field).present)
            return Estimate(float(size), _LOOKUP)
        case Holds(FieldValue(field)):
            return Estimate(float(len(flag_index(block, field).true)), _LOOKUP)
        case InRanges(FieldValue(field), ranges):
            index = range_index(block, field)
            size = sum(index.count_between(*limits(r)) for r in ranges[:8])
            return Estimate(float(size), min(_RANGE * len(ranges), _VECTOR))
        case Matches(FieldValue(field)):
            scanned = is_exact(field) or isinstance(text_index(block, field), TextIndex)
            return Estimate(rows / _GUESS, _SCAN if scanned else _PATTERN)
        case EventCount():
            return _events(condition, block)
        case Follows():
            return Estimate(rows / _GUESS, _SORT)
        case Sampled(threshold):
            return Estimate(rows * threshold / 2**64, _VECTOR)
        case Compared() | InRanges() | Present() | Holds():
            return Estimate(rows / _GUESS, _VECTOR)
    raise AssertionError(condition)


def _keys(index: KeywordIndex | KeywordsIndex | TextIndex, keys: frozenset[str]) -> Estimate:
    if isinstance(index, KeywordIndex):
        return Estimate(float(index.count_equal(keys)), _LOOKUP * len(keys))
    if isinstance(index, TextIndex):
        return Estimate(float(len(keys)), _PATTERN)
    if len(keys) == 1:
        return Estimate(float(len(index.equal(keys))), _LOOKUP)
    return Estimate(index.rows / _GUESS, _LOOKUP * len(keys))


def _events(condition: EventCount, block: Block) -> Estimate:
    size = cost = 0.0
    for source in condition.sources:
        for number, index in enumerate(block.pieces(source.event.name)):
            start, stop = index.slice(condition.interval)
            # Whoever has newer events may have enough with what the base holds.
            newer = number > 0
            size += stop - start if newer else index.estimate(condition.low, condition.interval)
            if source.where is None and len(condition.sources) == 1:
                cost += min(_EVENTS, _LOOKUP + 30 * _EVENT * (stop - start))
            else:
                cost += _EVENTS + _EVENT * (stop - start)
    return Estimate(min(size, float(block.rows)), cost)


def limits(range_: Range) -> tuple[float | None, float | None, bool, bool]:
    """Return a range as a range index takes it: None where it is unbounded."""
    low, high, low_open, high_open = range_
    return (
        None if low == -float("inf") else low,
        None if high == float("inf") else high,
        low_open,
        high_open,
    )
