"""Columns give back the very doubles and integers they were built from, and compare like them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.index.columns import NumericColumn, stable_order
from headcount.index.parts import Parts

TINY = 5e-324
EDGES = [0.0, -0.0, TINY, -TINY, 0.1, 0.1 + 0.2, 19.99, 1e-7, 2.0**53, -(2.0**53), 2.0**53 - 1]
EDGES += [1e308, -1e308, 1.7976931348623157e308, 2.0**31, 255.0, 256.0, 65_536.0, 4_294_967_296.0]
FLOATS = st.one_of(
    st.sampled_from(EDGES),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53).map(float),
    st.builds(
        lambda whole, places: whole / 10**places, st.integers(-(10**9), 10**9), st.integers(0, 7)
    ),
)
MICROS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2000, 2000),
    st.builds(
        lambda n, unit: n * unit,
        st.integers(-30_000, 30_000),
        st.sampled_from([1, 10**6, 864 * 10**8]),
    ),
)


def check(column: NumericColumn, values: list[float], bounds: list[float]) -> None:
    decoded = column.decode()
    assert decoded.tolist() == values
    if values:
        middle = len(values) // 2
        assert column.decode(1, middle).tolist() == values[1:middle]
        backwards = np.arange(len(values))[::-1].astype(np.uint32)
        assert column.take(backwards).tolist() == values[::-1]
    stored = column.stored.tolist()
    for bound in bounds:
        at_least, above = column.first_at_least(bound), column.first_above(bound)
        assert [s >= at_least for s in stored] == [v >= bound for v in values], bound
        assert [s >= above for s in stored] == [v > bound for v in values], bound
        within = column.within
        assert within(column.stored, bound, None).tolist() == [v >= bound for v in values]
        assert within(column.stored, bound, None, True).tolist() == [v > bound for v in values]
        assert within(column.stored, None, bound).tolist() == [v <= bound for v in values]
        assert within(column.stored, None, bound, False, True).tolist() == [
            v < bound for v in values
        ]
    assert column.within(column.stored, None, None).all()
    again = NumericColumn.from_parts(Parts(list(column.parts("p"))), "p")
    assert again.decode().tolist() == values
    assert again.stored.dtype == column.stored.dtype
    assert (again.base, again.unit, again.places) == (column.base, column.unit, column.places)


@given(st.lists(FLOATS, max_size=12), st.lists(FLOATS, max_size=4))
@example([0.0, -0.0], [-0.0, 0.0])
@example([TINY], [0.0, TINY, -TINY])
@example([2.0**53, 2.0**53 - 1], [2.0**53, 2.0**53 + 2])
@example([-(2.0**53), 2.0**53], [1e300])
@example([0.1, 0.2, 0.30000000000000004], [0.3])
@settings(max_examples=400, deadline=None)
def test_numbers(values: list[float], bounds: list[float]) -> None:
    """Any doubles, compared with each other, their neighbours and infinity."""
    column = NumericColumn.build(np.array(values, dtype=np.float64))
    near = [math.nextafter(v, d) for v in values for d in (math.inf, -math.inf)]
    check(column, values, [*bounds, *values, *near, math.inf, -math.inf])


@given(st.lists(MICROS, max_size=12), st.lists(MICROS, max_size=4))
@example([-(2**63), 2**63 - 1], [0])
@settings(max_examples=300, deadline=None)
def test_integers(values: list[int], bounds: list[int]) -> None:
    """Any 64-bit integers, compared with each other, their neighbours and infinity."""
    column = NumericColumn.build(np.array(values, dtype=np.int64))
    near = [v + d for v in values for d in (-1, 1)]
    check(column, values, [*bounds, *values, *near, math.inf, -math.inf])


@given(st.lists(st.one_of(st.none(), FLOATS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_missing_rows_are_left_out_of_the_choice_of_a_form(values: list[float | None]) -> None:
    """What lies under a missing row, NaN here, neither widens the column nor shows."""
    present = np.array([v is not None for v in values], dtype=bool)
    filled = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
    column = NumericColumn.build(filled, present)
    assert len(column) == len(values)
    assert column.decode()[present].tolist() == [v for v in values if v is not None]
    alone = NumericColumn.build(filled[present])
    assert column.stored.dtype == alone.stored.dtype


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([1.0, 200.0], "uint8"),
        ([1000.0, 1200.0], "uint8"),
        ([19.99, 5.0, 0.01], "uint16"),
        ([48.137154, 11.576124], "uint32"),
        ([0.1, 1e10], "float64"),
        ([1 / 3, 2 / 3], "float64"),
        ([float(np.float32(1 / 3)), 0.5], "float32"),
        ([0.0, 2.0**33], "float32"),
        ([0.0, 2.0**33 + 1], "float64"),
        ([1e300, 1.0], "float64"),
    ],
)
def test_the_narrowest_exact_form_is_chosen(values: list[float], dtype: str) -> None:
    """Whole numbers and decimals become small integers; the rest stay floats."""
    assert NumericColumn.build(np.array(values)).stored.dtype == dtype


def test_instants_are_stored_in_their_largest_common_unit() -> None:
    """Whole seconds of a few years take four bytes, whole days two."""
    start = 1_700_000_000_000_000
    seconds = start + np.arange(1000, dtype=np.int64) * 86_399_000_000
    assert NumericColumn.build(seconds).stored.dtype == np.uint32
    days = start + np.arange(1000, dtype=np.int64) * 86_400_000_000
    assert NumericColumn.build(days).stored.dtype == np.uint16
    assert NumericColumn.build(seconds + np.arange(1000)).stored.dtype == np.uint64


@settings(deadline=None)
@given(
    st.sampled_from(["u1", "u2", "u4", "u8", "i8", "f8"]),
    st.lists(st.integers(0, 2**64 - 1), max_size=40),
    st.integers(0, 63),
)
def test_stable_order_leaves_equal_values_as_they_stand(
    dtype: str, values: list[int], shift: int
) -> None:
    """Radix passes of any number, and other sorts, give what sorting pairs does."""
    array = np.array([value >> shift for value in values], np.uint64).astype(dtype)
    listed = array.tolist()
    expected = sorted(range(len(listed)), key=lambda at: (listed[at], at))
    assert stable_order(array).tolist() == expected
