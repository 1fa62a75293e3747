"""Rewrites keep their meaning, and reach the form that they promise."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.model.schema import Field, FieldType
from headcount.query import ranges as spans
from headcount.query.bound import (
    EVERYONE,
    NO_ONE,
    All,
    Always,
    Any,
    Complement,
    Condition,
    Enough,
    InRanges,
    KeyIn,
    Present,
)
from headcount.query.expressions import FieldValue
from headcount.query.ranges import Range
from headcount.query.rewrite import rewritten

AGE = FieldValue(Field("age", FieldType.NUMBER))
PLAN = FieldValue(Field("plan", FieldType.KEYWORD))
TAGS = FieldValue(Field("tags", FieldType.KEYWORDS))

Row = tuple[float | None, str | None, frozenset[str]]
ROWS: list[Row] = list(
    itertools.product(
        (None, 0.0, 1.0, 1.5, 2.0, 3.0),
        (None, "a", "b", "c"),
        (frozenset(), frozenset("a"), frozenset("b"), frozenset("ab")),
    )
)

keys = st.frozensets(st.sampled_from("abc"), min_size=1)
age_ranges = st.builds(
    Range, st.sampled_from([0.0, 1.0, 2.0]), st.sampled_from([1.0, 2.0, 3.0]), st.booleans()
)
leaves = st.one_of(
    st.sampled_from([EVERYONE, NO_ONE, Present(AGE), Present(PLAN), Present(TAGS)]),
    st.builds(KeyIn, st.sampled_from([PLAN, TAGS]), keys),
    st.lists(age_ranges, min_size=1, max_size=2)
    .map(spans.union)
    .filter(bool)
    .map(lambda ranges: InRanges(AGE, ranges)),
)


def nested(items: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """Return the conditions that join *items*."""
    several = st.lists(items, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        several.map(All),
        several.map(Any),
        items.map(Complement),
        st.lists(items, min_size=3, max_size=4).map(lambda found: Enough(tuple(found), 2)),
    )


conditions = st.recursive(leaves, nested, max_leaves=12)


def fits(condition: Condition, row: Row) -> bool:
    """Return whether *row* (age, plan, tags) fits, one condition at a time."""
    age, plan, tags = row
    match condition:
        case Always(truth):
            return truth
        case All(items):
            return all(fits(item, row) for item in items)
        case Any(items):
            return any(fits(item, row) for item in items)
        case Complement(item):
            return not fits(item, row)
        case Enough(items, count):
            return sum(fits(item, row) for item in items) >= count
        case Present(value):
            return {AGE: age is not None, PLAN: plan is not None, TAGS: bool(tags)}[value]
        case KeyIn(value, wanted):
            held = {plan} if value == PLAN else tags
            return bool(wanted & held)
        case InRanges(_, ranges):
            return age is not None and spans.holds(ranges, age)
    raise AssertionError(condition)


@given(condition=conditions)
@settings(max_examples=500, deadline=None)
def test_rewriting_keeps_every_member(condition: Condition) -> None:
    """The rewritten condition, complemented if it says so, holds for the same rows."""
    found, negated = rewritten(condition)
    for row in ROWS:
        assert (fits(found, row) != negated) == fits(condition, row)


def is_positive(condition: Condition, *, beside: bool) -> bool:
    """Return whether complements stand only beside something in an `All` (or in `Enough`)."""
    match condition:
        case Complement(item):
            return beside and not isinstance(item, Complement) and is_positive(item, beside=False)
        case All(items):
            some = any(not isinstance(item, Complement) for item in items)
            return some and all(is_positive(item, beside=True) for item in items)
        case Any(items):
            return all(is_positive(item, beside=False) for item in items)
        case Enough(items):
            return all(is_positive(item, beside=True) for item in items)
        case Always():
            return False
    return True


@given(condition=conditions)
@settings(max_examples=500, deadline=None)
def test_rewriting_leaves_no_set_to_be_complemented(condition: Condition) -> None:
    """No `or` holds a complement, every `and` has something to take away from; no constants."""
    found, _ = rewritten(condition)
    assert isinstance(found, Always) or is_positive(found, beside=False)


def test_conditions_on_one_field_become_one() -> None:
    """Two bounds are a range, two equalities a set, what is implied is dropped."""
    at_least, below = InRanges(AGE, (Range(18.0),)), InRanges(AGE, (Range(high=30.0),))
    assert rewritten(All((at_least, below)))[0] == InRanges(AGE, (Range(18.0, 30.0),))
    a, b = KeyIn(PLAN, frozenset("a")), KeyIn(PLAN, frozenset("b"))
    assert rewritten(Any((a, b)))[0] == KeyIn(PLAN, frozenset("ab"))
    assert rewritten(All((a, b)))[0] == NO_ONE
    assert rewritten(All((a, Present(PLAN))))[0] == a
    assert rewritten(All((Any((a, b)), Complement(b))))[0] == a


def test_sets_of_texts_are_not_merged_under_and() -> None:
    """A contact can have both of two labels."""
    a, b = KeyIn(TAGS, frozenset("a")), KeyIn(TAGS, frozenset("b"))
    assert rewritten(All((a, b)))[0] == All((a, b))


def test_a_root_complement_is_a_flag() -> None:
    """`not a and not b` is everyone but those in `a or b`."""
    a, b = KeyIn(PLAN, frozenset("a")), InRanges(AGE, (Range(18.0),))
    assert rewritten(All((Complement(a), Complement(b)))) == (Any((a, b)), True)
    assert rewritten(Any((a, Complement(b)))) == (All((b, Complement(a))), True)
