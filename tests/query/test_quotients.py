"""Quotients compared in whole numbers: what doubles say, row by row, whatever the bound."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
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
from headcount.query import quotients
from headcount.query.bound import InRanges
from headcount.query.clock import Clock
from headcount.query.expressions import Arithmetic, FieldValue
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame
from headcount.query.masks import mask
from headcount.query.ranges import Range
from support.engines import view_of
from support.shop import SHOP

CLOCK = Clock(0, ZoneInfo("UTC"))
ABOVE, BELOW = Field("a", FieldType.NUMBER), Field("b", FieldType.NUMBER)
QUOTIENT = Arithmetic("/", FieldValue(ABOVE), FieldValue(BELOW))
SHOP_BLOCK = view_of(SHOP).blocks[0]
ROWS = 12

whole = st.integers(0, 255).map(float)
tenths = st.integers(1, 255).map(lambda number: number / 10)
cents = st.integers(16, 3_520_086).map(lambda number: number / 100)
large = st.integers(10**6, 4 * 10**9).map(float)
some = st.floats(-5, 5)


def column(*values: st.SearchStrategy[float]) -> st.SearchStrategy[list[float | None]]:
    """Return the values of a column, all of one kind, some missing."""
    return st.one_of(*(st.lists(st.none() | held, min_size=ROWS, max_size=ROWS) for held in values))


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """Let few rows be enough, and be worked out a few at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quotients, "_LEAST", 1)
        patch.setattr(quotients, "_STRIDE", 5)
        yield


def block_of(above: list[float | None], below: list[float | None]) -> Block:
    """Return a block of contacts with two numbers each."""
    fields = {}
    for field, held in ((ABOVE, above), (BELOW, below)):
        present = np.array([value is not None for value in held])
        fields[field.name] = RangeIndex.build(np.array([v or 0.0 for v in held]), present)
    ids = IdColumn.build(pa.array([f"c{n}" for n in range(len(above))]))
    live = bitmaps.full(len(above))
    return dataclasses.replace(SHOP_BLOCK, ids=ids, live=live, fields=fields)


def as_doubles(condition: InRanges, block: Block) -> object:
    """Return the rows that fit, worked out in doubles."""
    frame = ContactFrame(block, CLOCK, Figures(block, CLOCK))
    return bitmaps.from_mask(mask(condition, frame))


def check(above: list[float | None], below: list[float | None], bound: float, shape: int) -> bool:
    """Assert that what is told is right; return whether anything was."""
    block = block_of(above, below)
    ranges = [
        Range(low=bound), Range(low=bound, low_open=True), Range(high=bound),
        Range(high=bound, high_open=True), Range(bound, bound), Range(bound, bound * 2 + 1),
        Range(bound / 2, bound, True, True),
    ]  # fmt: skip
    condition = InRanges(QUOTIENT, (ranges[shape],))
    found = quotients.rows_of(condition, block)
    if found is not None:
        assert found == as_doubles(condition, block)
    return found is not None


@given(
    above=column(whole, tenths, cents, large, some),
    below=column(whole, tenths, cents, some),
    at=st.integers(0, ROWS - 1),
    off=st.sampled_from([0.0, 2**-52, -(2**-52), 1e-7, 0.3]),
    shape=st.integers(0, 6),
)
@settings(max_examples=600, deadline=None)
def test_quotients_say_what_doubles_say(
    above: list[float | None], below: list[float | None], at: int, off: float, shape: int
) -> None:
    """The bound is what some row has, or next to it, where it is hardest to tell."""
    dividend, divisor = above[at], below[at]
    bound = dividend / divisor if dividend is not None and divisor else 5.0
    check(above, below, bound * (1 + off), shape)


@given(
    above=column(cents),
    below=column(whole),
    bound=st.integers(1, 400),
    shape=st.integers(0, 6),
)
@settings(max_examples=600, deadline=None)
def test_whole_bounds_are_met_exactly(
    above: list[float | None], below: list[float | None], bound: int, shape: int
) -> None:
    """Sums of money are put exactly at, one cent below and one above a multiple of the divisor."""
    for place, divisor in enumerate(below[:9]):
        if divisor:
            above[place] = round(bound * divisor + (place % 3 - 1) / 100, 2)
    check(above, below, float(bound), shape)


def test_common_quotients_are_told() -> None:
    """Money by a count, a count by a count, and money by tenths, at whole bounds and half ones."""
    money: list[float | None] = [0.0, 15.01, 15.0, 14.99, None, 300.25]
    counts: list[float | None] = [3.0, 3.0, 3.0, 3.0, 3.0, 0.0]
    for bound in (5.0, 5.25, 0.5, 120.0):
        for shape in range(6):
            assert check(money, counts, bound, shape), (bound, shape)
    assert check([9.0, 4.0, 6.0], [3.0, 2.0, 0.0], 2.0, 1)


def test_what_is_not_on_a_line_is_left_to_others() -> None:
    """A third of each divisor is no whole number; nor are negative and fractional columns."""
    counts: list[float | None] = [9.0, 4.0, 6.0]
    assert not check(counts, [3.0, 2.0, 0.0], 1 / 3, 1)
    assert not check([-9.0, 4.0, 6.0], [3.0, 2.0, 1.0], 2.0, 1)
    assert not check(counts, [-3.0, 2.0, 1.0], 2.0, 1)
    assert not check([0.1234567, 4.0, 6.0], [3.0, 2.0, 1.0], 2.0, 1)
    assert not check(counts, [3.0, 2.0, 1.0], -2.0, 1)


def test_a_mistake_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With bounds that are one too low, the same property does not hold."""
    right = quotients._line

    def one_less(*args: object) -> object:
        line = right(*args)  # type: ignore[arg-type]
        return None if line is None else line._replace(offset=max(line.offset - 1, 0))

    monkeypatch.setattr(quotients, "_line", one_less)
    with pytest.raises(AssertionError):
        test_whole_bounds_are_met_exactly()
