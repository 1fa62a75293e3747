"""Sequences without sorting: who has a pair in time, as all pairs looked at one by one say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.query import sequences
from headcount.query.sequences import _Moments

SIZE = 6

events = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, 60)), max_size=25)


@pytest.fixture(autouse=True)
def many() -> Iterator[None]:
    """Let any number of stretches be gone through."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_EVENTS_A_STRETCH", 0)
        yield


def moments(held: list[tuple[int, int]], offset: int) -> _Moments:
    """Return events as rows and times, in the order given."""
    rows = np.array([row for row, _ in held], dtype=np.intp)
    return _Moments(rows, np.array([time + offset for _, time in held], dtype=np.int64))


def one_by_one(first: list[tuple[int, int]], then: list[tuple[int, int]], length: int) -> set[int]:
    """Return who has a pair, from all pairs there are."""
    return {row for row, a in first for other, b in then if row == other and a < b <= a + length}


@given(
    first=events,
    then=events,
    length=st.integers(0, 80),
    ordered=st.booleans(),
    offset=st.sampled_from([0, -30, 1_790_000_000_000_000, 253_402_300_799_999_900]),
)
@settings(max_examples=500, deadline=None)
def test_stretches_say_what_pairs_say(
    first: list[tuple[int, int]],
    then: list[tuple[int, int]],
    length: int,
    ordered: bool,
    offset: int,
) -> None:
    """Whatever the length, at one instant or a µs apart, and from several logs at once."""
    if ordered:
        first, then = (sorted(held, key=lambda event: event[1]) for held in (first, then))
    asked = moments(first, offset), moments(then, offset), length, SIZE
    expected = BitMap(one_by_one(first, then, length))
    assert sequences._answered(*asked) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sequences, "_EVENTS_A_STRETCH", 1 << 60)
        assert sequences._answered(*asked) == expected


def test_a_mistake_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """If a pair over the edge of a stretch is overlooked, the same property does not hold."""
    monkeypatch.setattr(sequences, "_LONG_AGO", np.iinfo(np.int64).max)
    with pytest.raises(AssertionError):
        test_stretches_say_what_pairs_say()
