"""Ranges of values against the sets of numbers that they stand for."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from headcount.query import ranges as spans
from headcount.query.ranges import Range

NUMBERS = [n / 2 for n in range(-2, 13)]  # between and beside all bounds below
bounds = st.integers(0, 5).map(float)


@st.composite
def ranges(draw: st.DrawFn) -> Range:
    """Return a range, maybe empty, maybe unbounded."""
    return Range(
        draw(bounds | st.just(-math.inf)),
        draw(bounds | st.just(math.inf)),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def held(found: spans.Ranges) -> set[float]:
    """Return the numbers in any of the ranges."""
    return {n for n in NUMBERS if any(n in r for r in found)}


@given(a=ranges(), b=ranges())
def test_within_is_intersection(a: Range, b: Range) -> None:
    """A number is in `a.within(b)` when it is in both."""
    assert held((a.within(b),)) == held((a,)) & held((b,))


@given(many=st.lists(ranges(), max_size=6))
def test_union_holds_what_any_holds(many: list[Range]) -> None:
    """A union holds the numbers that any of its ranges holds, in ranges that are apart."""
    found = spans.union(many)
    assert held(found) == held(tuple(many))
    for before, after in itertools.pairwise(found):
        assert before.high < after.low or (before.high_open and after.low_open)
        assert before.high <= after.low


@given(a=st.lists(ranges(), max_size=4), b=st.lists(ranges(), max_size=4))
def test_intersection_holds_what_both_hold(a: list[Range], b: list[Range]) -> None:
    """An intersection of two unions holds the numbers that are in both."""
    found = spans.intersection(spans.union(a), spans.union(b))
    assert held(found) == held(tuple(a)) & held(tuple(b))


@given(a=ranges())
def test_empty_means_no_number(a: Range) -> None:
    """A range that says it is empty holds nothing, and one that holds nothing here may be open."""
    if a.is_empty:
        assert not held((a,))


def test_text() -> None:
    """A range reads as a person would write it."""
    spell = "{:g}".format
    assert Range(3, 3).text(spell) == "= 3"
    assert Range(3).text(spell) == ">= 3"
    assert Range(3, low_open=True).text(spell) == "> 3"
    assert Range(high=3, high_open=True).text(spell) == "< 3"
    assert Range(3, 5, high_open=True).text(spell) == "in [3, 5)"
    assert Range().text(spell) == "is any"
