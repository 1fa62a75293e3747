"""Masks of ranges over columns of doubles and of whole numbers."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from headcount.query import ranges as spans
from headcount.query.masks import in_ranges
from headcount.query.ranges import Range

whole = st.integers(-6, 12)
HUGE = 2**53 + 1  # no double


@given(
    bounds=st.lists(st.tuples(whole, whole), min_size=1, max_size=12),
    open_ends=st.tuples(st.booleans(), st.booleans()),
    unbounded=st.booleans(),
)
def test_in_ranges_of_doubles(
    bounds: list[tuple[int, int]], open_ends: tuple[bool, bool], unbounded: bool
) -> None:
    """However many ranges there are, each number is looked up as if alone."""
    given_ranges = [Range(float(a), float(b), *open_ends) for a, b in bounds]
    given_ranges += [Range(high=-5.5)] if unbounded else []
    held = spans.union(given_ranges)
    numbers = np.arange(-8, 14, 0.5)
    if held:
        expected = [spans.holds(held, n) for n in numbers.tolist()]
        assert in_ranges(numbers, held).tolist() == expected


@given(bounds=st.lists(st.tuples(whole, whole), min_size=1, max_size=12), ends=st.booleans())
def test_in_ranges_of_instants(bounds: list[tuple[int, int]], ends: bool) -> None:
    """Whole numbers beyond the exact doubles are compared as whole numbers."""
    given_ranges = [Range(HUGE + 2 * a, HUGE + 2 * b) for a, b in bounds]
    given_ranges += [Range(high=-HUGE), Range(low=2 * HUGE)] if ends else []
    held = spans.union(given_ranges)
    numbers = np.array([HUGE + n for n in range(-20, 30)] + [-HUGE, 1 - HUGE, 2 * HUGE])
    if held:
        expected = [spans.holds(held, n) for n in numbers.tolist()]
        assert in_ranges(numbers, held).tolist() == expected


def test_infinite_ends_of_whole_numbers() -> None:
    """An unbounded range holds the first and last instant that there can be."""
    numbers = np.array([np.iinfo(np.int64).min, 0, np.iinfo(np.int64).max])
    ends = (Range(high=-9), *(Range(n, n) for n in range(1, 7)), Range(low=9))
    assert in_ranges(numbers, ends).tolist() == [True, False, True]
    assert math.isinf(ends[0].low)
