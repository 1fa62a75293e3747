"""Narrow offsets give back what they were made from, whichever form they take."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import parts
from headcount.index.offsets import Offsets
from headcount.index.parts import Parts

LENGTHS = st.lists(
    st.sampled_from([0, 1, 2, 3, 40, 300, 70_000]), min_size=1, max_size=4, unique=True
)


def lengths(kinds: list[int], rows: int, seed: int) -> list[int]:
    """Return the lengths of *rows* rows, each one of *kinds*."""
    found: list[int] = np.random.default_rng(seed).choice(kinds, rows).tolist()
    return found


def again(held: Offsets) -> Offsets:
    """Return *held* as it comes back from its parts."""
    return Offsets.from_parts(Parts(list(held.parts("x"))), "x")


@given(LENGTHS, st.sampled_from([0, 1, 63, 64, 65, 256, 1000]), st.booleans(), st.integers(0, 9))
@settings(max_examples=200, deadline=None)
def test_what_went_in_comes_out(kinds: list[int], rows: int, even: bool, seed: int) -> None:
    """All offsets, and the spans of some rows in any order, as built and from parts."""
    each = lengths(kinds, rows, seed)
    offsets = np.append(0, np.cumsum(each)).astype(np.int64)
    built = Offsets.build(offsets, even=even)
    for held in (built, again(built)):
        assert len(held) == rows + 1
        assert held.all().dtype == np.int32
        assert held.all().tolist() == offsets.tolist()
        asked = np.random.default_rng(seed).permutation(rows)[: 1 + rows // 3].astype(np.uint32)
        starts, ends = held.spans(asked)
        assert starts.tolist() == offsets[asked].tolist()
        assert ends.tolist() == offsets[asked.astype(np.int64) + 1].tolist()
        assert list(held.check(int(offsets[-1]))) == []
        assert held.nbytes <= 4 * (rows + 1)


@pytest.mark.parametrize(
    ("each", "even", "most"),
    [([7] * 5000, True, 0), ([0, 1, 2, 3] * 1250, False, 1.1), ([20, 33] * 2500, True, 2.1)],
    ids=["even", "one byte", "two bytes"],
)
def test_what_a_row_takes(each: list[int], even: bool, most: float) -> None:
    """Strings of one length take nothing, small sets one byte a row, addresses two."""
    held = Offsets.build(np.append(0, np.cumsum(each)), even=even)
    assert held.nbytes <= most * len(each)


def test_offsets_of_format_2() -> None:
    """One array under the name itself is what was written before format 3."""
    offsets = np.append(0, np.cumsum([1, 2, 0, 3] * 100)).astype(np.uint16)
    held = Offsets.from_parts(Parts([parts.array("x", offsets)]), "x")
    assert held.all().tolist() == offsets.tolist()
    assert len(held.anchors)


def test_check_finds_damage() -> None:
    """Offsets that fall, or end elsewhere."""
    assert list(Offsets(2, above=np.array([0, 3, 2], dtype=np.uint8)).check(2))
    assert list(Offsets(2, above=np.array([0, 1, 2], dtype=np.uint8)).check(3))
    assert list(Offsets(2, above=np.array([1, 1, 2], dtype=np.uint8)).check(2))
