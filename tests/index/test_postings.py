"""Postings against a dict of sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.parts import Parts
from headcount.index.postings import Postings


def entries(block_rows: int, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (codes, rows), by row: a few frequent codes, many rare ones, some of none."""
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.geometric(0.2, block_rows) * rng.integers(1, 9, block_rows), count) - 1
    return codes.astype(np.min_scalar_type(count)), np.arange(block_rows)


@pytest.mark.parametrize(("block_rows", "count"), [(0, 0), (0, 3), (64, 5), (64, 300), (9_000, 40)])
def test_every_code_and_union(block_rows: int, count: int) -> None:
    """Rows, cardinalities and unions of heads, tails, both and none; and again after parts."""
    codes, rows = entries(block_rows, count, 4) if count else (np.zeros(0, np.uint8),) * 2
    expected = {code: BitMap(rows[codes == code].tolist()) for code in range(count)}
    built = Postings.build(codes, rows, count, block_rows)
    again = Postings.from_parts(Parts(list(built.parts("p"))), "p")
    for postings in (built, again):
        for code in range(count):
            assert postings.get(code) == expected[code]
            assert postings.cardinality(code) == len(expected[code])
        for chosen in ([], [0], [count - 1], list(range(0, count, 2)), list(range(count))):
            chosen = [code for code in chosen if 0 <= code < count]
            wanted = BitMap.union(BitMap(), *(expected[code] for code in chosen))
            assert postings.union(chosen) == wanted
            assert postings.union(np.array(chosen, dtype=np.uint32)) == wanted
        assert list(postings.differences(built)) == []
        assert postings.memory() > 0
        found_codes, found_rows = postings.entries()
        pairs = sorted(zip(found_codes.tolist(), found_rows.tolist(), strict=True))
        assert pairs == sorted(zip(codes.tolist(), rows.tolist(), strict=True))


@given(st.lists(st.sets(st.integers(0, 12), max_size=5), max_size=70))
@settings(max_examples=60, deadline=None)
def test_several_codes_in_one_row(sets: list[set[int]]) -> None:
    """A row may have many codes; each code lists its rows in order."""
    pairs = [(code, row) for row, held in enumerate(sets) for code in sorted(held)]
    codes = np.array([code for code, _ in pairs], dtype=np.uint8)
    rows = np.array([row for _, row in pairs], dtype=np.uint32)
    postings = Postings.build(codes, rows, 13, len(sets))
    for code in range(13):
        assert list(postings.get(code)) == [row for row, held in enumerate(sets) if code in held]


def test_a_frequent_code_is_shared_and_a_rare_one_is_a_list() -> None:
    """100,000 values of one row each take 8 bytes a row, not 192."""
    rows = 1 << 17
    codes = np.arange(rows) % 100_000
    codes[::2] = 0
    postings = Postings.build(codes.astype(np.uint32), np.arange(rows), 100_000, rows)
    assert postings.get(0) is postings.get(0)
    assert postings.memory() < 9 * rows
    assert bitmaps.to_rows(postings.get(99_999)).tolist() == [99_999]


def test_differences_name_the_code() -> None:
    """A bit flipped in a head, and a row changed in the tail, are found under their codes."""
    codes, rows = entries(9_000, 400, 7)
    right = Postings.build(codes, rows, 400, 9_000)
    changed = codes.copy()
    rare = int(np.flatnonzero(np.bincount(codes) == 1)[0])
    changed[np.flatnonzero(codes == rare)[0]] = 0
    wrong = Postings.build(changed, rows, 400, 9_000)
    assert set(wrong.differences(right)) == {0, rare}
    assert set(right.differences(wrong)) == {0, rare}
