"""Conversions between numpy and roaring bitmaps, against pyroaring's own slow constructor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index import bitmaps

SIZES = (0, 1, 63, 64, 65, 65_535, 65_536, 65_537, 200_000, 1 << 20)
DENSITIES = (0.0, 1e-5, 0.001, 0.03, 0.0625, 0.07, 0.5, 0.99, 1.0)


def sample(size: int, density: float, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).random(size) < density


def _bits(words: np.ndarray, size: int) -> np.ndarray:
    """Return the rows of words as a mask; all words there are hold nothing else."""
    found = np.unpackbits(words.view(np.uint8), bitorder="little")
    assert len(found) - size in range(64)
    assert not found[size:].any()
    return found[:size].view(np.bool_)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("density", DENSITIES)
def test_every_conversion_agrees_with_the_constructor(size: int, density: float) -> None:
    """A mask, its rows in order and its rows shuffled give the bitmap that pyroaring builds."""
    mask = sample(size, density)
    rows = np.flatnonzero(mask).astype(np.uint32)
    expected = BitMap(rows.tolist())
    assert bitmaps.from_mask(mask) == expected
    assert bitmaps.from_sorted(rows) == expected
    shuffled = np.random.default_rng(1).permutation(np.concatenate([rows, rows[::3]]))
    assert bitmaps.from_rows(shuffled) == expected
    assert np.array_equal(bitmaps.to_rows(expected), rows)
    assert bitmaps.to_rows(expected).dtype == np.uint32
    assert np.array_equal(bitmaps.to_mask(expected, size), mask)


@given(st.lists(st.tuples(st.sampled_from(DENSITIES), st.integers(0, 70_000)), max_size=5))
@settings(max_examples=60, deadline=None)
def test_containers_of_mixed_kinds(pieces: list[tuple[float, int]]) -> None:
    """Stretches of different density, so that one bitmap mixes arrays, bits, runs and nothing."""
    mask = np.concatenate([np.zeros(0, bool), *(sample(n, d, n) for d, n in pieces)])
    rows = np.flatnonzero(mask).astype(np.uint32)
    expected = BitMap(rows.tolist())
    assert bitmaps.from_mask(mask) == bitmaps.from_sorted(rows) == expected
    assert np.array_equal(bitmaps.to_mask(expected, len(mask)), mask)
    assert np.array_equal(_bits(bitmaps.to_words(expected, len(mask)), len(mask)), mask)
    expected.run_optimize()
    assert np.array_equal(bitmaps.to_mask(expected, len(mask)), mask)
    assert np.array_equal(_bits(bitmaps.to_words(expected, len(mask)), len(mask)), mask)
    assert bitmaps.memory(expected) >= 96


def test_conversions_leave_their_arguments_alone() -> None:
    """The mask and the rows given are unchanged, and the result shares nothing with them."""
    mask = sample(100_000, 0.01)
    before = mask.copy()
    found = bitmaps.from_mask(mask)
    found.clear()
    assert np.array_equal(mask, before)


def test_rows_far_apart_are_not_turned_into_a_mask() -> None:
    """Rows up to 2^32 - 1 work, and cost no memory in proportion to the largest."""
    rows = np.arange(10_000, dtype=np.uint32) * np.uint32(429_000)
    assert bitmaps.from_rows(rows[::-1]) == bitmaps.from_sorted(rows) == BitMap(rows.tolist())


def test_full_is_every_row() -> None:
    """`full(n)` holds exactly 0 to n - 1."""
    assert list(bitmaps.full(5)) == [0, 1, 2, 3, 4]
    assert len(bitmaps.full(0)) == 0
    assert len(bitmaps.full(1 << 20)) == 1 << 20


def test_memory_counts_the_heap_and_not_the_serialised_size() -> None:
    """One row costs 192 bytes; 100,000 bits cost their two containers; both as measured by RSS."""
    assert bitmaps.memory(BitMap([5])) == 192
    dense = bitmaps.from_mask(sample(131_072, 0.5))
    assert 16_384 < bitmaps.memory(dense) < 16_384 + 400
