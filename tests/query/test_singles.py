"""Arithmetic decided in single precision: what doubles say, row by row, whatever the bound."""

from __future__ import annotations

import dataclasses
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.ids import IdColumn
from headcount.index.ranges import RangeIndex
from headcount.model.schema import Field, FieldType
from headcount.query import singles
from headcount.query.bound import InRanges
from headcount.query.clock import Clock
from headcount.query.expressions import Arithmetic, Constant, Expression, FieldValue, Kind
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame
from headcount.query.masks import mask
from headcount.query.ranges import Range
from headcount.query.vectors import vector
from support.engines import view_of
from support.shop import SHOP

CLOCK = Clock(0, ZoneInfo("UTC"))
FIELDS = [Field(name, FieldType.NUMBER) for name in ("a", "b", "c")]
SHOP_BLOCK = view_of(SHOP).blocks[0]

whole = st.integers(0, 300).map(float)
cents = st.integers(0, 3_000_000).map(lambda number: number / 100)
large = st.integers(10**6, 4 * 10**9).map(float)
values = st.one_of(whole, cents, large, st.floats(-5, 5), st.just(0.0))
columns = st.one_of(
    *(st.lists(st.none() | held, min_size=9, max_size=9) for held in (whole, cents, large, values))
)
leaves = st.one_of(
    st.sampled_from(FIELDS).map(lambda field: FieldValue(field)),
    st.sampled_from([0.5, 3, 100, 1e-9, 7e8, -2, 0]).map(lambda n: Constant(n, Kind.NUMBER)),
)


def nested(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    """Return sums, differences, products and quotients of *inner*."""
    return st.builds(Arithmetic, st.sampled_from("+-*/"), inner, inner)


arithmetic = nested(st.recursive(leaves, nested, max_leaves=4))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few rows be enough, and any number of them be in doubt."""
    monkeypatch.setattr(singles, "_LEAST", 1)
    monkeypatch.setattr(singles, "_STRIDE", 4)
    monkeypatch.setattr(singles, "_DOUBT_SHARE", 1)


def block_of(held: list[list[float | None]]) -> Block:
    """Return a block of as many contacts as each of the three columns has values."""
    rows = len(held[0])
    fields = {}
    for field, column in zip(FIELDS, held, strict=True):
        present = np.array([value is not None for value in column])
        numbers = np.array([value or 0.0 for value in column])
        fields[field.name] = RangeIndex.build(numbers, present)
    ids = IdColumn.build(pa.array([f"c{n}" for n in range(rows)]))
    live = bitmaps.full(rows)
    return dataclasses.replace(SHOP_BLOCK, ids=ids, live=live, fields=fields)


@given(
    held=st.lists(columns, min_size=3, max_size=3),
    value=arithmetic,
    at=st.integers(0, 8),
    off=st.sampled_from([0.0, 1e-15, -1e-15, 1e-7, -1e-7, 0.3]),
    shape=st.integers(0, 6),
)
@settings(max_examples=600, deadline=None)
def test_singles_say_what_doubles_say(
    held: list[list[float | None]], value: Arithmetic, at: int, off: float, shape: int
) -> None:
    """The bound is a value that some row has, or next to it, where it is hardest to tell."""
    block = block_of(held)
    frame = ContactFrame(block, CLOCK, Figures(block, CLOCK))
    with np.errstate(all="ignore"):
        numbers = np.broadcast_to(vector(value, frame).values, block.rows)
    bound = float(numbers[at]) * (1 + off)
    if not np.isfinite(bound):
        bound = 5.0
    ranges = [
        Range(low=bound), Range(low=bound, low_open=True), Range(high=bound),
        Range(high=bound, high_open=True), Range(bound, bound), Range(bound, bound * 2 + 1),
        Range(bound / 2, bound, True, True),
    ]  # fmt: skip
    condition = InRanges(value, (ranges[shape],))
    found = singles.rows_of(condition, frame)
    if found is not None:
        assert found == bitmaps.from_mask(mask(condition, frame))


@pytest.mark.parametrize(("value", "is_told"), [
    (Arithmetic("/", FieldValue(FIELDS[0]), FieldValue(FIELDS[1])), True),
    (Arithmetic("*", FieldValue(FIELDS[0]), Constant(1.19, Kind.NUMBER)), True),
    (Arithmetic("-", FieldValue(FIELDS[0]), FieldValue(FIELDS[1])), False),
    (Arithmetic("/", Constant(1, Kind.NUMBER),
                Arithmetic("/", FieldValue(FIELDS[0]), FieldValue(FIELDS[1]))), False),
    (Arithmetic("*", FieldValue(FIELDS[0]), Constant(1e200, Kind.NUMBER)), False),
    (Arithmetic("+", FieldValue(FIELDS[2]), Constant(1, Kind.NUMBER)), False),
])  # fmt: skip
def test_what_can_be_told(value: Arithmetic, is_told: bool) -> None:
    """Differences, dividing by quotients, negative numbers and huge ones are left to doubles."""
    block = block_of([[1.0, 2.5, 0.0, None], [0.0, 4.0, None, 2.0], [-1.0, 2.0, 3.0, None]])
    frame = ContactFrame(block, CLOCK, Figures(block, CLOCK))
    condition = InRanges(value, (Range(low=0.6),))
    assert (singles.rows_of(condition, frame) is not None) is is_told
    few = ContactFrame(block, CLOCK, Figures(block, CLOCK), np.array([0], dtype=np.uint32))
    assert singles.rows_of(condition, few) is None


def test_a_mistake_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error that is taken for nothing, the same property does not hold."""
    monkeypatch.setattr(singles, "_ROUNDING", 0.0)
    with pytest.raises(AssertionError):
        test_singles_say_what_doubles_say()
