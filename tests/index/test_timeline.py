"""Timelines against plain arrays of instants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.parts import Parts
from headcount.index.timeline import Timeline

SECOND = 1_000_000
YEAR = 365 * 86_400 * SECOND


@given(
    st.sampled_from((1, 1_000, SECOND)),
    st.lists(st.integers(-(10**16), 10**16) | st.integers(0, 50), max_size=30),
    st.lists(st.integers(-(10**17), 10**17), max_size=5),
    st.integers(0, 10**6),
)
@settings(max_examples=200, deadline=None)
def test_positions_and_instants_are_those_of_the_array(
    unit: int, given_instants: list[int], others: list[int], shift: int
) -> None:
    """`before`, `decode` and `take` agree with a sorted list, at each instant and beside it."""
    instants = np.sort(np.array(given_instants, dtype=np.int64) // unit * unit + shift)
    timeline = Timeline.build(instants)
    timeline = Timeline.from_parts(Parts(timeline.parts("t/")), "t/")
    assert len(timeline) == len(instants)
    for instant in {i + d for i in instants.tolist() for d in (-1, 0, 1)} | set(others):
        assert timeline.before(instant) == sum(i < instant for i in instants.tolist())
    for start in range(0, len(instants) + 1, 3):
        for stop in (start, start + 1, start + 4, None):
            decoded = timeline.decode(start, stop)
            assert decoded.dtype == np.int64
            assert decoded.tolist() == instants[start:stop].tolist()
    backwards = np.arange(len(instants), dtype=np.uint32)[::-1]
    assert timeline.take(backwards).tolist() == instants[::-1].tolist()


@pytest.mark.parametrize("bound", [-(10**30), 10**30])
def test_any_integer_is_a_bound(bound: int) -> None:
    """A bound far outside of what 64 bits hold is before or after everything."""
    timeline = Timeline.build(np.array([5, 7]))
    assert timeline.before(bound) == (0 if bound < 0 else 2)


def test_the_largest_unit_is_used() -> None:
    """Whole seconds from any origin make one span; microseconds make one for every 71 minutes."""
    for unit, spans in ((SECOND, 1), (1_000, 8)):
        timeline = Timeline.build(123 + np.arange(0, YEAR, YEAR // 5_000) // unit * unit)
        assert timeline.unit == unit
        assert len(timeline.high) == spans
    timeline = Timeline.build(np.arange(0, YEAR, YEAR // 5_000 + 1))
    assert timeline.unit == 1
    assert len(timeline.high) == 5_000  # none without an instant


def test_four_bytes_an_instant() -> None:
    """Microseconds take no more room than seconds where events are many."""
    instants = np.sort(np.random.default_rng(1).integers(0, YEAR, 500_000))
    assert Timeline.build(instants).memory() < 4.3 * len(instants)
