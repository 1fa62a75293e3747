"""The trigram index against testing every value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index import text as module
from headcount.index.parts import Parts
from headcount.index.pattern import OPS, Pattern
from headcount.index.postings import Postings
from headcount.index.text import TextIndex
from headcount.index.texts import Texts
from headcount.model import fold
from headcount.model.schema import Field, FieldType

WORDS = [
    "ann",
    "bob",
    "@",
    ".",
    "mail",
    "Mail",
    "é",
    "e\u0301",
    "ß",
    "SS",
    "İ",
    "😀",
    "\0",
    "\n",
    "x",
]
TEXT = st.lists(st.sampled_from(WORDS), max_size=5).map("".join)
VALUES = st.lists(st.one_of(st.none(), TEXT), max_size=40)
FIELDS = [Field("f", FieldType.TEXT, c, a) for c in (False, True) for a in (False, True)]


def again(index: TextIndex) -> TextIndex:
    return TextIndex.from_parts(Parts(list(index.parts("f"))), "f", index.field)


@pytest.mark.parametrize("settings_of", [{}, {"_ENOUGH": 0, "_MANY": 1}, {"_SLICE_BYTES": 5}])
@given(VALUES, st.lists(TEXT, max_size=3), st.sampled_from(FIELDS), st.sampled_from(OPS[:4]))
@settings(max_examples=60, deadline=None)
def test_every_question(
    settings_of: dict[str, int],
    values: list[str | None],
    asked: list[str],
    field: Field,
    op: str,
) -> None:
    """Equality, patterns and presence, whatever the sizes at which the strategy changes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings_of.items():
            patch.setattr(module, name, value)
        array = pa.array(["before", *values], pa.string()).slice(1)
        built = TextIndex.build(array, field)
        keys = [None if v is None else fold.field_key(v, field) for v in values]
        wanted = {fold.field_key(v, field) for v in asked}
        for index in (built, again(built)):
            assert index.rows == len(values)
            assert index.equal(wanted) == BitMap(r for r, k in enumerate(keys) if k in wanted)
            assert index.present == BitMap(r for r, k in enumerate(keys) if k is not None)
            assert index.to_arrow().to_pylist() == values
            backwards = np.arange(len(values))[::-1]
            assert index.to_arrow(backwards).to_pylist() == values[::-1]
            for literal in asked:
                pattern = Pattern.of(op, literal, field)
                hits = np.flatnonzero(pattern.test(array, fold.keys(array, field)))
                assert index.match(pattern) == BitMap(hits.tolist())
            assert list(index.check()) == []


@pytest.mark.parametrize("values", [[], [None] * 3, ["ab", "c"]])
def test_no_trigram_at_all(values: list[str | None]) -> None:
    """No rows, rows without a value, and values that are too short."""
    index = again(TextIndex.build(pa.array(values, pa.string()), FIELDS[0]))
    assert len(index.match(Pattern("contains", "abc"))) == 0
    assert len(index.equal(["abc"])) == len(index.equal([])) == 0
    assert list(index.check()) == []


@pytest.mark.parametrize("table_bytes", [0, 1 << 30], ids=["table", "sort"])
def test_many_addresses(table_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frequent, rare and absent fragments of 30,000 addresses, and regular expressions."""
    monkeypatch.setattr(module, "_TABLE_BYTES", table_bytes)
    rows = 30_000
    values = [f"User.{i}@{('Gmail', 'gmx', 'acme')[i % 3]}.com" for i in range(rows)]
    index = TextIndex.build(pa.array(values), FIELDS[0])
    for literal in ("gmail", "user.77", "29999", "@acme.com", "nobody", "99@gmx", ".co"):
        found = index.match(Pattern("contains", literal))
        assert found == BitMap(r for r, v in enumerate(values) if literal in v.lower())
    found = index.match(Pattern("matches", r"user\.12\d\d@gm(x|ail)"))
    assert found == BitMap(r for r in range(1200, 1300) if r % 3 != 2)
    asked = [v.lower() for v in values[::500]]
    assert index.equal(asked) == BitMap(range(0, rows, 500))
    assert sum(index.memory().values()) < 120 * rows


def damaged(index: TextIndex, **changes: Any) -> list[str]:
    kept = {
        name: getattr(index, name) for name in ("field", "values", "keys", "trigrams", "postings")
    }
    held = kept | changes
    postings = held.pop("postings")
    return list(TextIndex(**held, postings=lambda: postings).check())


def test_check_finds_damage() -> None:
    """A changed value, a changed key, a changed trigram, rows missing from a posting."""
    values = pa.array(["Anna", "Hanna", None, "Bob"])
    index = TextIndex.build(values, FIELDS[0])
    assert damaged(index) == []
    assert any(
        "key" in m
        for m in damaged(index, values=Texts.build(pa.array(["Anne", "Hanna", None, "Bob"])))
    )
    trigrams = index.trigrams.copy()
    trigrams[0] += 1
    assert any("trigrams" in m for m in damaged(index, trigrams=trigrams))
    codes, rows = index.postings.entries()
    order = np.argsort(rows, kind="stable")[1:]
    fewer = Postings.build(codes[order], rows[order], index.postings.count, 4)
    assert any("b'ann'" in m for m in damaged(index, postings=fewer))
    index.present.add(2)
    assert any("rows with a value" in m for m in index.check())
