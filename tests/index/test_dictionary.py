"""Dictionaries of strings against sorting them in Python."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import dictionary as module
from headcount.index.dictionary import Dictionary
from headcount.index.parts import Parts
from headcount.model import fold
from headcount.model.schema import Field, FieldType

SPELLINGS = ["Pro", "PRO", "pro", "ß", "ss", "é", "e\u0301", "\0", "😀"]
TEXT = st.one_of(st.sampled_from(SPELLINGS), st.text(max_size=4))
VALUES = st.lists(st.one_of(st.none(), TEXT), max_size=20)
FIELDS = [Field("f", FieldType.KEYWORD, c, a) for c in (False, True) for a in (False, True)]


@pytest.mark.parametrize("small", [4096, 0], ids=["dict", "bisection"])
@pytest.mark.parametrize("many", [200, 1], ids=["one by one", "at once"])
@given(VALUES, st.lists(TEXT, max_size=5), st.sampled_from(FIELDS))
@settings(max_examples=80, deadline=None)
def test_codes_and_lookups(
    small: int, many: int, values: list[str | None], asked: list[str], field: Field
) -> None:
    """Codes follow the order of (key, spelling); a key finds all its spellings, and only them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SMALL", small)
        patch.setattr(module, "_MANY", many)
        array = pa.array(["unused", *values], pa.string()).slice(1)
        built, codes = Dictionary.encode(array, field)
        distinct = {v for v in values if v is not None}
        order = sorted(distinct, key=lambda v: (fold.field_key(v, field), v))
        again = Dictionary.from_parts(Parts(list(built.parts("d"))), "d")
        for dictionary in (built, again):
            assert dictionary.values.to_pylist() == order
            assert dictionary.keys.to_pylist() == [fold.field_key(v, field) for v in order]
            assert (dictionary.keys is dictionary.values) == (built.keys is built.values)
            assert list(dictionary.check(field)) == []
            keys = [fold.field_key(v, field) for v in (*asked, *distinct)]
            for key in keys:
                held = [c for c, v in enumerate(order) if fold.field_key(v, field) == key]
                assert list(dictionary.lookup(key)) == held
            found = dictionary.lookup_all([*keys, *keys])
            assert sorted(found) == [
                c for c, v in enumerate(order) if fold.field_key(v, field) in keys
            ]
            assert dictionary.memory() >= 0
        assert [order[c] if c < len(order) else None for c in codes.tolist()] == values


def test_a_hundred_thousand_strings() -> None:
    """Large dictionaries: narrow codes, and strings that share one array with their keys."""
    values = [f"value {i * 7919 % 100_000}" for i in range(100_000)]
    dictionary, codes = Dictionary.encode(pa.array(values), Field("f", FieldType.KEYWORD))
    assert codes.dtype.itemsize == 4
    assert dictionary.keys is dictionary.values
    assert dictionary.lookup("value 77777") == (int(codes[values.index("value 77777")]),)
    assert dictionary.lookup("value 100000") == ()
    assert dictionary.memory() < 100_000 * 24


def test_check_finds_damage() -> None:
    """Keys that are not those of the strings, and strings out of order."""
    field = Field("f", FieldType.KEYWORD)
    good: Any = pa.array(["A", "b"]), pa.array(["a", "b"])
    assert list(Dictionary(*good).check(field)) == []
    assert any("key" in m for m in Dictionary(good[0], pa.array(["a", "c"])).check(field))
    swapped = Dictionary(pa.array(["b", "A"]), pa.array(["b", "a"]))
    assert any("order" in m for m in swapped.check(field))
