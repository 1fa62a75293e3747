"""The index of sets of strings against reading every set."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index.keywords import KeywordsIndex
from headcount.index.offsets import Offsets
from headcount.index.parts import Parts
from headcount.index.pattern import OPS, Pattern
from headcount.index.postings import Postings
from headcount.model import fold
from headcount.model.schema import Field, FieldType

LABELS = ["VIP", "vip", "New", "é", "\0", "long label"]
SET = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.sampled_from(LABELS)), max_size=5))
FIELDS = [Field("f", FieldType.KEYWORDS, c, a) for c in (False, True) for a in (False, True)]
LIST = pa.list_(pa.string())


def again(index: KeywordsIndex) -> KeywordsIndex:
    return KeywordsIndex.from_parts(Parts(list(index.parts("label"))), "label", index.field)


@given(
    st.lists(SET, max_size=70),
    st.lists(st.sampled_from([*LABELS, "none"]), min_size=1, max_size=3),
    st.sampled_from(FIELDS),
    st.sampled_from(OPS[:4]),
    st.integers(0, 3),
)
@settings(max_examples=150, deadline=None)
def test_every_question(
    values: list[list[str | None] | None], asked: list[str], field: Field, op: str, skip: int
) -> None:
    """Any, all, patterns and presence, also of a slice; the same from parts."""
    built = KeywordsIndex.build(pa.array(values, LIST).slice(skip), field)
    sets = [{v for v in held or () if v is not None} for held in values[skip:]]
    keys = [{fold.field_key(v, field) for v in held} for held in sets]
    wanted = {fold.field_key(v, field) for v in asked}
    for index in (built, again(built)):
        assert index.rows == len(sets)
        assert index.equal(wanted) == BitMap(r for r, k in enumerate(keys) if k & wanted)
        assert index.all_of(wanted) == BitMap(r for r, k in enumerate(keys) if wanted <= k)
        assert index.present == BitMap(r for r, k in enumerate(keys) if k)
        pattern = Pattern.of(op, asked[0], field)
        hits = [
            bool(pattern.test(pa.array(sorted(k)), pa.array(sorted(k))).any()) if k else False
            for k in keys
        ]
        assert index.match(pattern) == BitMap(r for r, hit in enumerate(hits) if hit)
        given_back = index.to_arrow().to_pylist()
        assert [set(held or ()) for held in given_back] == sets
        assert all(held is None or len(held) == len(set(held)) > 0 for held in given_back)
        backwards = np.arange(len(sets))[::-1]
        assert index.to_arrow(backwards).to_pylist() == given_back[::-1]
        assert index.to_arrow().type == LIST
        assert list(index.check()) == []


def test_a_hundred_thousand_labels_in_one_block() -> None:
    """As many labels as rows: nothing becomes a bitmap, and each is found."""
    rows = 100_000
    values = pa.array([[f"label {i}", "all"] for i in range(rows)], LIST)
    index = KeywordsIndex.build(values, FIELDS[0])
    assert len(index.equal(["all"])) == rows
    assert list(index.all_of(["label 99999", "all"])) == [rows - 1]
    assert sum(index.memory().values()) < 60 * rows


def test_check_finds_damage() -> None:
    """A changed member, a changed posting, offsets that do not fit."""
    index = KeywordsIndex.build(pa.array([["a", "b"], ["b"], None, ["c"]] * 20, LIST), FIELDS[0])
    members = index.members.copy()
    members[0] = 2
    damaged = KeywordsIndex(FIELDS[0], index.dictionary, index.offsets, members, index.postings)
    assert any("'a'" in m for m in damaged.check())
    members[0] = 7
    assert any("code 7" in m for m in damaged.check())
    offsets = index.offsets.all()
    offsets[-1] -= 1
    shorter = Offsets.build(offsets)
    damaged = KeywordsIndex(FIELDS[0], index.dictionary, shorter, index.members, index.postings)
    assert any("offsets" in m for m in damaged.check())
    wrong = Postings.build(np.zeros(80, np.uint8), np.arange(80), 3, 80)
    damaged = KeywordsIndex(FIELDS[0], index.dictionary, index.offsets, index.members, wrong)
    assert any("'a'" in m for m in damaged.check())
    index.present.add(2)
    assert any("rows with a set" in m for m in index.check())
