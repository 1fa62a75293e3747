"""
The operators of the JSON form: what each is called, what `value` it takes, what it means.

    {"field": "plan", "operator": "not_in", "value": ["Pro", "Team"]}
                                  └── row of the table: shape LIST, and how to make the condition

An operator has one name, which is what is written, and others that are read: symbols, and the words
of query builders people use. Spelling is forgiving where nothing else could be meant: `not equals`,
`NOT_EQUALS` and `notEquals` are `not_equals`. docs/json.md shows the table; a test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from headcount.query import rules, tree
from headcount.query.tree import (
    CompareOp,
    Direction,
    Duration,
    Segment,
    SetMode,
    TextOp,
    TimesOp,
    Unit,
    Value,
)


class Shape(Enum):
    """What the `value` of an operator is in JSON, in words."""

    VALUE = "a value"
    TIME = "a date or time"
    RANGE = "two values, the lower first"
    LIST = "a list of values"
    TEXT = "text"
    TEXTS = "a list of texts"
    NONE = "nothing"
    AMOUNT = "a whole number"
    DURATION = "a duration"


@dataclass(frozen=True, slots=True)
class Operator:
    """
    One operator: its name, other names, the shape of its value, and an example of its text.

    `make` takes the left side and what the value was read as: a `Value`, a tuple of them, a string
    or tuple of strings, a `Duration`, or None. `unit` is that of an AMOUNT.
    """

    name: str
    also: tuple[str, ...]
    shape: Shape
    text: str
    make: Callable[[Value, Any], Segment]
    unit: Unit | None = None


def _compare(op: CompareOp) -> Callable[[Value, Value], Segment]:
    def make(left: Value, right: Value) -> Segment:
        if rules.is_age(op, right):  # `> 30 days ago` compares ages, as in text
            assert isinstance(right, tree.Ago)
            return tree.Age(left, op, right.duration)
        return tree.Compare(left, op, right)

    return make


def _between(negated: bool) -> Callable[[Value, tuple[Value, Value]], Segment]:
    return lambda left, ends: tree.Between(left, *ends, negated)


def _in(negated: bool) -> Callable[[Value, tuple[Value, ...]], Segment]:
    return lambda left, options: tree.In(left, options, negated)


def _match(op: TextOp, negated: bool) -> Callable[[Value, str], Segment]:
    return lambda left, pattern: tree.TextMatch(left, op, pattern, negated)


def _contains(mode: SetMode, negated: bool) -> Callable[[Value, tuple[str, ...]], Segment]:
    return lambda left, options: tree.ContainsSet(left, mode, options, negated)


def _is_empty(negated: bool) -> Callable[[Value, None], Segment]:
    return lambda left, _: tree.IsEmpty(left, negated)


def _within(direction: Direction, negated: bool) -> Callable[[Value, Duration], Segment]:
    return lambda left, duration: tree.Within(left, direction, duration, negated)


def _age(op: CompareOp) -> Callable[[Value, Duration], Segment]:
    return lambda left, duration: tree.Age(left, op, duration)


COMPARISONS = {
    CompareOp.EQ: ("equals", ("=", "==", "eq", "is", "equal", "equal_to")),
    CompareOp.NE: (
        "not_equals",
        ("!=", "<>", "ne", "neq", "is_not", "not_equal", "not_equal_to", "does_not_equal"),
    ),
    CompareOp.LT: ("less_than", ("<", "lt")),
    CompareOp.LE: ("less_than_or_equal", ("<=", "lte", "less_than_or_equal_to", "at_most")),
    CompareOp.GT: ("greater_than", (">", "gt")),
    CompareOp.GE: (
        "greater_than_or_equal",
        (">=", "gte", "greater_than_or_equal_to", "at_least"),
    ),
    CompareOp.BEFORE: ("before", ("is_before",)),
    CompareOp.AFTER: ("after", ("is_after",)),
    CompareOp.ON: ("on", ("is_on",)),
}
TIME_WORDS = (CompareOp.BEFORE, CompareOp.AFTER, CompareOp.ON)

BETWEEN = {False: ("between", ()), True: ("not_between", ())}
IN = {
    False: ("in", ("one_of", "any_of", "is_any_of")),
    True: ("not_in", ("nin", "none_of", "is_none_of")),
}
EMPTY = {
    False: ("is_empty", ("empty", "is_null", "null", "not_exists", "does_not_exist")),
    True: ("is_not_empty", ("not_empty", "is_not_null", "not_null", "exists")),
}
MATCHES = {
    (TextOp.CONTAINS, False): ("contains", ()),
    (TextOp.CONTAINS, True): ("not_contains", ("does_not_contain",)),
    (TextOp.STARTS_WITH, False): ("starts_with", ("begins_with",)),
    (TextOp.STARTS_WITH, True): ("not_starts_with", ("does_not_start_with", "does_not_begin_with")),
    (TextOp.ENDS_WITH, False): ("ends_with", ()),
    (TextOp.ENDS_WITH, True): ("not_ends_with", ("does_not_end_with",)),
    (TextOp.LIKE, False): ("like", ()),
    (TextOp.LIKE, True): ("not_like", ()),
    (TextOp.MATCHES, False): ("matches", ("regex", "matches_regex")),
    (TextOp.MATCHES, True): ("not_matches", ("not_regex", "does_not_match")),
}

# Both forms of each: `within_days` with a number, `within_last` with a duration in words.
WITHIN = {
    (Direction.LAST, False): ("within_{}", ("within_last_{}",), "within_last", ("within",)),
    (Direction.LAST, True): (
        "not_within_{}",
        ("not_within_last_{}",),
        "not_within_last",
        ("not_within",),
    ),
    (Direction.NEXT, False): ("within_next_{}", (), "within_next", ()),
    (Direction.NEXT, True): ("not_within_next_{}", (), "not_within_next", ()),
}
AGES = {
    CompareOp.GT: ("older_than_{}", ("more_than_{}_ago",), "older_than", ("more_than_ago",)),
    CompareOp.LT: ("newer_than_{}", ("less_than_{}_ago",), "newer_than", ("less_than_ago",)),
    CompareOp.GE: ("at_least_{}_ago", (), "at_least_ago", ()),
    CompareOp.LE: ("at_most_{}_ago", (), "at_most_ago", ()),
}
_AGE_TEXTS = {
    CompareOp.GT: "more than {} ago",
    CompareOp.LT: "less than {} ago",
    CompareOp.GE: "at least {} ago",
    CompareOp.LE: "at most {} ago",
}

# `times` of events: {"at_least": 3}
TIMES = {op: op.value.replace(" ", "_") for op in TimesOp}


def _rows() -> Iterator[Operator]:
    """Yield every operator, in the order of the documentation."""
    for op, (name, also) in COMPARISONS.items():
        is_word = op in TIME_WORDS
        shape = Shape.TIME if is_word else Shape.VALUE
        text = f"{op} 2026-03-31" if is_word else f"{op} 5"
        yield Operator(name, also, shape, text, _compare(op))
    for negated, (name, also) in BETWEEN.items():
        yield Operator(
            name, also, Shape.RANGE, f"{_not(negated)}between 1 and 5", _between(negated)
        )
    for negated, (name, also) in IN.items():
        yield Operator(name, also, Shape.LIST, f'{_not(negated)}in ("a", "b")', _in(negated))
    for (text_op, negated), (name, also) in MATCHES.items():
        text = f'{_not(negated)}{text_op} "a"'
        yield Operator(name, also, Shape.TEXT, text, _match(text_op, negated))
    for negated in (False, True):
        for mode in SetMode:
            name = f"{'not_' if negated else ''}contains_{mode}"
            text = f'{_not(negated)}contains {mode} ("a", "b")'
            yield Operator(name, (), Shape.TEXTS, text, _contains(mode, negated))
    for negated, (name, also) in EMPTY.items():
        yield Operator(name, also, Shape.NONE, f"is {_not(negated)}empty", _is_empty(negated))
    for (direction, negated), names in WITHIN.items():
        text = f"{_not(negated)}within {direction} {{}}"
        yield from _timed(names, text, _within(direction, negated))
    for op, names in AGES.items():
        yield from _timed(names, _AGE_TEXTS[op], _age(op))


def _not(negated: bool) -> str:
    return "not " if negated else ""


def _timed(
    names: tuple[str, tuple[str, ...], str, tuple[str, ...]],
    text: str,
    make: Callable[[Value, Duration], Segment],
) -> Iterator[Operator]:
    """Yield an operator about a duration, in each unit and in words."""
    by_unit, units_also, in_words, words_also = names
    for unit in Unit:
        plural = f"{unit}s"
        also = tuple(other.format(plural) for other in units_also)
        name = by_unit.format(plural)
        yield Operator(name, also, Shape.AMOUNT, text.format(f"5 {plural}"), make, unit)
    yield Operator(in_words, words_also, Shape.DURATION, text.format("5 days"), make)


OPERATORS = {operator.name: operator for operator in _rows()}
BY_ANY_NAME = {
    name: operator for operator in OPERATORS.values() for name in (operator.name, *operator.also)
}
assert len(BY_ANY_NAME) == sum(1 + len(operator.also) for operator in OPERATORS.values())

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GAP = re.compile(r"[\s_-]+")


def find(word: str) -> Operator | None:
    """Return the operator that *word* names, in any case and with any gaps, or None."""
    spelled = word.strip()
    if spelled not in BY_ANY_NAME:
        spelled = _GAP.sub("_", _HUMP.sub("_", spelled)).lower()
    return BY_ANY_NAME.get(spelled)
