"""The growing index of ids against a dict."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.words import Words
from headcount.load import known_ids
from headcount.load.known_ids import UNKNOWN, KnownIds

texts = st.text(max_size=4) | st.text("ab", min_size=15, max_size=18)


@settings(deadline=None)
@given(st.lists(st.lists(texts, max_size=30), max_size=12), st.lists(texts, max_size=20))
def test_ids_and_ordinals_lead_to_each_other(batches: list[list[str]], others: list[str]) -> None:
    """After any additions every id has the ordinal it was given, and no other id has one."""
    known, twin = KnownIds(), dict[str, int]()
    for batch in batches:
        new = [text for text in dict.fromkeys(batch) if text not in twin]
        known.add(pa.array(new, pa.string()))
        twin |= {text: len(twin) + at for at, text in enumerate(new)}
        assert known.count == len(twin)
        asked = [*batch, *others]
        found = known.lookup(pa.array(asked, pa.string()))
        assert found.tolist() == [twin.get(text, UNKNOWN) for text in asked]
    for start in range(0, len(twin) + 1, 3):
        stop = min(len(twin), start + 5)
        assert known.between(start, stop).to_pylist() == list(twin)[start:stop]


def test_equal_hashes_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ids themselves are compared, so a hash that says nothing changes no answer."""
    monkeypatch.setattr(Words, "hashes", lambda ids: ids.lengths.astype(np.uint64))
    ids = [f"{at:03}" for at in range(200)]
    known = KnownIds()
    for start in range(0, 200, 50):
        known.add(pa.array(ids[start : start + 50]))
    assert known.lookup(pa.array(ids[::-1])).tolist() == list(range(200))[::-1]
    assert known.lookup(pa.array(["xyz", "x", ""])).tolist() == [UNKNOWN] * 3


def test_runs_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of like size are merged, but never beyond the text that one array can hold."""
    known = KnownIds()
    for start in range(0, 64_000, 1000):
        known.add(pa.array([f"c{at}" for at in range(start, start + 1000)]))
    assert len(known._runs) <= 7
    assert known.lookup(pa.array(["c63999", "c0"])).tolist() == [63_999, 0]
    monkeypatch.setattr(known_ids, "_RUN_BYTES", 10_000)
    bounded = KnownIds()
    for start in range(0, 8000, 1000):
        bounded.add(pa.array([f"c{at}" for at in range(start, start + 1000)]))
    assert len(bounded._runs) == 8
    assert bounded.between(999, 3001).to_pylist() == [f"c{at}" for at in range(999, 3001)]
    assert bounded.lookup(pa.array(["c7000"])).tolist() == [7000]


def test_slices_are_taken_as_they_are() -> None:
    """A slice of a larger array is added and looked up without what lies around it."""
    whole = pa.array(["x", "a", "b", "y"])
    known = KnownIds()
    known.add(whole.slice(1, 2))
    assert known.lookup(whole).tolist() == [UNKNOWN, 0, 1, UNKNOWN]
    assert known.lookup(whole.slice(2)).tolist() == [1, UNKNOWN]


def test_settled_runs_are_one_as_far_as_text_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """After settling there is one run, or as many as the text needs, and nothing else changed."""
    known = KnownIds()
    for start, stop in ((0, 500), (500, 700), (700, 710)):
        known.add(pa.array([f"c{at}" for at in range(start, stop)]))
    assert len(known._runs) > 1
    known.settle()
    assert len(known._runs) == 1
    assert known.lookup(pa.array(["c0", "c709", "c710"])).tolist() == [0, 709, UNKNOWN]
    monkeypatch.setattr(known_ids, "_RUN_BYTES", 1000)
    known.add(pa.array([f"d{at}" for at in range(100)]))
    known.settle()
    assert len(known._runs) == 2
    assert known.lookup(pa.array(["c709", "d99"])).tolist() == [709, 809]
