"""The index of single-valued strings against reading every value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index.keyword import KeywordIndex
from headcount.index.parts import Parts
from headcount.index.pattern import OPS, Pattern
from headcount.index.postings import Postings
from headcount.model import fold
from headcount.model.schema import Field, FieldType

TEXT = st.one_of(st.sampled_from(["Pro", "PRO", "Free", "é", "ß", "\0"]), st.text(max_size=3))
VALUES = st.lists(st.one_of(st.none(), TEXT), max_size=70)
FIELDS = [Field("f", FieldType.KEYWORD, c, a) for c in (False, True) for a in (False, True)]


def again(index: KeywordIndex) -> KeywordIndex:
    return KeywordIndex.from_parts(Parts(list(index.parts("fields/f"))), "fields/f", index.field)


@given(VALUES, st.lists(TEXT, max_size=4), st.sampled_from(FIELDS), st.sampled_from(OPS[:4]))
@settings(max_examples=150, deadline=None)
def test_every_question(values: list[str | None], asked: list[str], field: Field, op: str) -> None:
    """Equality of any keys, patterns and presence; the same from parts."""
    built = KeywordIndex.build(pa.array(values, pa.string()), field)
    keys = [None if v is None else fold.field_key(v, field) for v in values]
    wanted = {fold.field_key(v, field) for v in asked}
    for index in (built, again(built)):
        assert index.rows == len(values)
        assert index.equal(wanted) == BitMap(r for r, k in enumerate(keys) if k in wanted)
        assert index.count_equal(wanted) == len(index.equal(wanted))
        live = BitMap(range(0, len(values), 2))
        assert index.count_equal(wanted, live) == len(index.equal(wanted) & live)
        assert index.present == BitMap(r for r, k in enumerate(keys) if k is not None)
        assert index.distinct == len({v for v in values if v is not None})
        assert index.to_arrow().to_pylist() == values
        backwards = np.arange(len(values))[::-1]
        assert index.to_arrow(backwards).to_pylist() == values[::-1]
        for literal in asked:
            pattern = Pattern.of(op, literal, field)
            array = pa.array(values, pa.string())
            hits = pattern.test(array, fold.keys(array, field))
            assert index.match(pattern) == BitMap(np.flatnonzero(hits).tolist())
        assert list(index.check()) == []
        assert all(size >= 0 for size in index.memory().values())


def test_a_frequent_value_is_not_copied() -> None:
    """The bitmap that `equal` gives for one value is the one in the index."""
    index = KeywordIndex.build(pa.array(["a", "b"] * 500), FIELDS[0])
    assert index.equal(["a"]) is index.equal({"a"})
    assert index.codes.dtype == np.uint8


@pytest.mark.parametrize("values", [[], [None] * 5])
def test_nothing_there(values: list[str | None]) -> None:
    """No rows, and rows without a value."""
    index = again(KeywordIndex.build(pa.array(values, pa.string()), FIELDS[0]))
    assert len(index.equal(["a"])) == len(index.present) == index.distinct == 0
    assert index.to_arrow().to_pylist() == values
    assert list(index.check()) == []


def test_a_whole_block_of_rare_values() -> None:
    """100,000 values in 2^20 rows: 4 bytes of codes and 4 of postings a row, and the strings."""
    rows = 1 << 20
    values = pa.array(np.char.add("city ", (np.arange(rows) % 100_000).astype(str)))
    index = KeywordIndex.build(values, FIELDS[0])
    assert list(index.equal(["city 31337"])) == list(range(31_337, rows, 100_000))
    assert index.match(Pattern("ends with", "99")) == BitMap(
        row for row in range(99, rows, 100) if row % 100_000 >= 99
    )
    assert sum(index.memory().values()) < 12 * rows


def test_check_finds_damage() -> None:
    """A changed code, a changed posting, a string that no row has, a stale presence."""
    values = pa.array([None, *"abcabcaab"] * 40)
    index = KeywordIndex.build(values, FIELDS[0])
    codes = index.codes.copy()
    codes[1] = 1
    damaged = KeywordIndex(FIELDS[0], index.dictionary, codes, index.postings)
    assert any("'a'" in m for m in damaged.check())
    codes[1] = 9
    assert any("code 9" in m for m in damaged.check())
    rows = np.arange(len(values))
    wrong = Postings.build(np.where(index.codes == 3, 0, index.codes), rows, 3, len(values))
    damaged = KeywordIndex(FIELDS[0], index.dictionary, index.codes, wrong)
    assert any("'a'" in m for m in damaged.check())
    only_a = np.where(index.codes == 3, 3, 0).astype(np.uint8)
    assert any(
        "no row" in m for m in KeywordIndex.of_codes(FIELDS[0], index.dictionary, only_a).check()
    )
    index.present.add(0)
    assert any("rows with a value" in m for m in index.check())
