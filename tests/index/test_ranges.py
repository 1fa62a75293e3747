"""The range index against comparing every value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index import bitmaps, ranges
from headcount.index.parts import Parts
from headcount.index.ranges import RangeIndex

EDGES = [0.0, -0.0, 5e-324, 0.1, 0.1 + 0.2, 19.99, 2.0**53, -(2.0**53), 1e308, -1e308]
FLOATS = st.one_of(st.sampled_from(EDGES), st.floats(allow_nan=False, allow_infinity=False))
BOUNDS = st.one_of(st.none(), FLOATS, st.just(math.inf), st.just(-math.inf))
FEW = st.integers(-3, 3).map(float)


def build(values: list[float | None]) -> RangeIndex:
    present = np.array([v is not None for v in values], dtype=bool)
    filled = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
    return RangeIndex.build(filled, present)


def naive(values: list[Any], low: Any, high: Any, low_open: bool, high_open: bool) -> BitMap:
    return BitMap(
        row
        for row, v in enumerate(values)
        if v is not None
        and (low is None or (v > low if low_open else v >= low))
        and (high is None or (v < high if high_open else v <= high))
    )


@given(
    st.lists(st.one_of(st.none(), FLOATS, FEW), max_size=20),
    st.one_of(BOUNDS, FEW),
    st.one_of(BOUNDS, FEW),
    st.booleans(),
    st.booleans(),
)
@example([], None, None, False, False)
@example([None, None], 0.0, None, True, False)
@example([-0.0, 0.0], 0.0, -0.0, False, False)
@example([0.1 + 0.2, 0.3], 0.3, None, True, False)
@settings(max_examples=300, deadline=None)
def test_between_is_comparing_every_double(
    values: list[float | None], low: Any, high: Any, low_open: bool, high_open: bool
) -> None:
    """Any doubles and bounds, open and closed, crossed bounds included."""
    index = build(values)
    expected = naive(values, low, high, low_open, high_open)
    assert index.between(low, high, low_open, high_open) == expected
    assert index.count_between(low, high, low_open, high_open) == len(expected)
    assert list(index.check()) == []
    held = [v for v in values if v is not None]
    assert (index.min, index.max) == ((min(held), max(held)) if held else (None, None))
    assert index.present == naive(values, None, None, False, False)


def shapes(rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    return {
        "distinct": rng.permutation(rows).astype(np.float64) / 7,
        "few": rng.integers(1, 6, rows).astype(np.float64),
        "one": np.full(rows, 3.5),
        "skewed": np.minimum(rng.geometric(0.01, rows), 5_000 * rng.integers(1, 3, rows)) * 1.0,
        "sorted": np.sort(rng.normal(size=rows)),
        "micros": 1_700_000_000_000_000 + rng.integers(0, 10**12, rows),
        "days": rng.integers(17_000, 19_000, rows),
        "wide": rng.integers(-(2**62), 2**62, rows),
    }


@pytest.mark.parametrize("shape", list(shapes(1)))
@pytest.mark.parametrize("rows", [64, 5_000, 120_000])
def test_every_way_to_assemble_a_range(shape: str, rows: int, monkeypatch: Any) -> None:
    """Ranges of every width over bins, prefixes and slices, with a third of the rows missing."""
    monkeypatch.setattr(ranges, "_BIN", 64)
    values = shapes(rows)[shape]
    rng = np.random.default_rng(9)
    present = rng.random(rows) < 0.7
    index = RangeIndex.build(values, present)
    assert list(index.check()) == []
    assert len(index.order) == present.sum()
    for width in (0, 1, 30, 64, 200, 1_000, 10_000, rows):
        for _ in range(6):
            start = int(rng.integers(0, rows))
            low, high = np.sort(values)[[start, min(rows - 1, start + width)]].tolist()
            for low_open, high_open in ((False, False), (True, False), (False, True)):
                mask = (values > low) if low_open else (values >= low)
                mask &= (values < high) if high_open else (values <= high)
                found = index.between(low, high, low_open, high_open)
                assert np.array_equal(bitmaps.to_mask(found, rows), mask & present)
                assert index.count_between(low, high, low_open, high_open) == len(found)
            assert index.between(None, high) == bitmaps.from_mask((values <= high) & present)
            assert index.between(low, None) == bitmaps.from_mask((values >= low) & present)
    assert list(index.check()) == []  # results that are shared were not changed


def test_a_whole_block() -> None:
    """2^20 rows: narrow, wide and one-sided ranges."""
    rows = 1 << 20
    values = np.random.default_rng(2).permutation(rows)
    index = RangeIndex.build(values)
    for low, high in ((5, 5), (1000, 30_000), (3, 1_000_000), (700_000, 700_900), (0, rows)):
        found = index.between(low, high)
        assert np.array_equal(bitmaps.to_mask(found, rows), (values >= low) & (values <= high))
    assert sum(index.memory().values()) < 16 * rows


def test_one_frequent_value_is_not_copied() -> None:
    """A value with a bin of its own is that bin; all values are `present`."""
    index = RangeIndex.build(np.arange(60_000) % 5 * 1.0)
    assert index.between(2, 2) is index.between(2, 2)
    assert index.between(None, None) is index.present


def test_rows_and_vector_give_the_values_back() -> None:
    """Arrow in the field's own type, missing rows null, rows in any order and repeated."""
    days = np.array([0, 19_000, -719_162], dtype=np.int64)
    index = RangeIndex.build(days, np.array([True, False, True]), pa.date32())
    assert index.to_arrow().to_pylist() == [
        pa.scalar(0, pa.date32()).as_py(),
        None,
        pa.scalar(-719_162, pa.date32()).as_py(),
    ]
    assert index.to_arrow(np.array([2, 2, 1])).null_count == 1
    vector = index.vector()
    assert vector.values[vector.present].tolist() == [0, -719_162]
    instants = RangeIndex.build(np.array([1, 2]), None, pa.timestamp("us", "UTC"))
    assert instants.to_arrow().type == pa.timestamp("us", "UTC")
    numbers = RangeIndex.build(np.array([0.5, math.nan]), np.array([True, False]))
    assert numbers.to_arrow().to_pylist() == [0.5, None]


@pytest.mark.parametrize("shape", list(shapes(1)))
def test_parts_come_back_the_same(shape: str) -> None:
    """An index that was written and read has the same structures and answers."""
    values = shapes(9_000)[shape]
    arrow_type = pa.timestamp("us", "UTC") if shape == "micros" else None
    index = RangeIndex.build(values, values > np.sort(values)[10], arrow_type)
    again = RangeIndex.from_parts(Parts(list(index.parts("fields/x"))), "fields/x")
    assert np.array_equal(again.order, index.order)
    assert np.array_equal(again.edges, index.edges)
    assert again.bins == index.bins
    assert again.prefixes == index.prefixes
    assert again.to_arrow().equals(index.to_arrow())
    assert list(again.check()) == []


def damaged(index: RangeIndex, **changes: Any) -> list[str]:
    kept = {
        "column": index.column,
        "order": index.order.copy(),
        "edges": index.edges,
        "bins": list(index.bins),
        "arrow_type": index.arrow_type,
    }
    return list(RangeIndex(**(kept | changes)).check())


def test_check_finds_damage_in_each_structure() -> None:
    """A swapped order, a row too many in a bin or prefix, a moved edge, a changed column."""
    index = RangeIndex.build(np.random.default_rng(3).permutation(9_000))
    assert damaged(index) == []
    order = index.order.copy()
    order[[10, 20]] = order[[20, 10]]
    assert any("order" in m for m in damaged(index, order=order))
    order = index.order.copy()
    order[0] = order[1]
    assert any("twice" in m for m in damaged(index, order=order))
    order[1] = 70_000
    assert any("70000" in m for m in damaged(index, order=order))
    bins = list(index.bins)
    bins[1] = bins[1] | BitMap([int(index.order[0])])
    assert any("bin 1" in m for m in damaged(index, bins=bins))
    edges = index.edges.copy()
    edges[1] += 1
    assert any("cut" in m for m in damaged(index, edges=edges))
    values = index.column.decode()
    values[5] += 100
    column = RangeIndex.build(values).column
    assert any("order" in m for m in damaged(index, column=column))
    index.prefixes[1] = index.prefixes[1] - BitMap([int(index.order[0])])
    assert any("prefix" in m for m in index.check())
