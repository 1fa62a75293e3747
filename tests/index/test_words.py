"""Strings as words against the strings themselves."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.words import Words

# Lengths on both sides of one word and of the two that are kept; NUL, which pads, among the bytes.
TEXTS = st.lists(st.text("a\0é", max_size=3) | st.text("a\0", min_size=7, max_size=18), max_size=12)


@settings(deadline=None)
@given(TEXTS, TEXTS, st.integers(0, 3))
def test_equal_words_are_equal_strings(some: list[str], others: list[str], skip: int) -> None:
    """Every string is compared with every other, in slices of arrays; equal ones hash alike."""
    mine = Words.build(pa.array(["xx", *some], pa.string()).slice(1))
    theirs = Words.build(pa.array(others, pa.string()).slice(skip))
    left, right = some, others[skip:]
    pairs = [(a, b) for a in range(len(left)) for b in range(len(right))]
    places, at = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    expected = [left[a] == right[b] for a, b in pairs]
    assert mine.equal(places, theirs, at).tolist() == expected
    same_hash = mine.hashes()[places] == theirs.hashes()[at]
    assert same_hash.tolist() == expected


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_words_are_put_together(first: list[str], later: list[str]) -> None:
    """Two arrays one after the other are what the whole would be."""
    built = [Words.build(pa.array(part, pa.string())) for part in (first, later, first + later)]
    joined = built[0].followed_by(built[1])
    assert len(joined) == len(first) + len(later)
    assert joined.values.to_pylist() == first + later
    assert joined.heads.tolist() == built[2].heads.tolist()
    assert joined.hashes().tolist() == built[2].hashes().tolist()


def test_the_end_of_a_string_ends_its_words() -> None:
    """What stands after a string in memory is no part of it."""
    words = Words.build(pa.array(["abcdefgh", "abc", "defghijklmnopqrstuv"]))
    heads = [bytes(row) for row in words.heads.T.copy().view(np.uint8)]
    assert heads == [b"abcdefgh" + bytes(8), b"abc" + bytes(13), b"defghijklmnopqrs"]
