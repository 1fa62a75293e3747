"""
Operands: how many postings, ranges, columns and logs a condition reads in each block.

What a question cannot do without, however it is worked out. How many bytes of them are read is
another matter: see `touched`.
"""

from __future__ import annotations

from headcount.query.bound import (
    All,
    Always,
    Any,
    Compared,
    Complement,
    Condition,
    Enough,
    EventCount,
    Follows,
    InRanges,
    KeyIn,
    KeysAll,
    Sampled,
    children,
)
from headcount.query.expressions import (
    Constant,
    EventAggregate,
    EventTally,
    EventTime,
    Expression,
    FieldValue,
    Missing,
)


def operands(condition: Condition) -> int:
    """Return how many postings, ranges, columns and logs a condition reads in each block."""
    match condition:
        case Always():
            return 0
        case All(items) | Any(items) | Enough(items):
            return sum(map(operands, items))
        case Complement(item):
            return operands(item)
        case KeyIn(keys=keys) | KeysAll(keys=keys):
            return len(keys)
        case InRanges(FieldValue(), ranges):
            return len(ranges)
        case EventCount(sources):
            return len(sources)
        case Follows(first, then):
            return len(first) + len(then)
        case Sampled():
            return 1
        case Compared(left, _, right):
            return _columns(left) + _columns(right)
    return _columns(condition.value)


def _columns(value: Expression) -> int:
    """Return how many columns and logs an expression reads."""
    match value:
        case FieldValue():
            return 1
        case EventTally() | EventTime() | EventAggregate():
            return len(value.sources)
        case Constant() | Missing():
            return 0
    return sum(_columns(child) for child in children(value) if isinstance(child, Expression))
