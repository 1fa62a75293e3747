"""Strings with narrow offsets against the strings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import strings, texts
from headcount.index.parts import Parts
from headcount.index.texts import Texts

KINDS = {
    "one length": ["c00001", "c00002", "éé12"],
    "short": ["", "a", "é", "\0", "abc"],
    "long": ["x" * 300, "", "y" * 70_000],
    "empty": [""],
    "missing": [None],
}


def again(held: Texts) -> Texts:
    """Return *held* as it comes back from its parts."""
    return Texts.from_parts(Parts(list(held.parts("ids/ids"))), "ids/ids")


@given(
    st.sampled_from(sorted(KINDS)),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([0, 1, 63, 64, 100, 1000]),
    st.sampled_from([0, 1, 20, 400]),
    st.booleans(),
    st.integers(0, 9),
)
@settings(max_examples=300, deadline=None)
def test_strings_come_back(
    kind: str, missing: float, rows: int, asked: int, rising: bool, seed: int
) -> None:
    """All, some in any order and more than once, which are missing, and how long they are."""
    random = np.random.default_rng(seed)
    values = [KINDS[kind][n] for n in random.integers(0, len(KINDS[kind]), rows)]
    gone = random.random(rows) < missing
    values = [None if none else value for value, none in zip(values, gone, strict=True)]
    built = Texts.build(strings.compact(pa.array(["before", *values], pa.string()).slice(1)))
    at = random.integers(0, rows, asked if rows else 0).astype(np.uint32)
    at = np.sort(at) if rising else at
    wanted = [values[row] for row in at]
    for held in (built, again(built)):
        assert len(held) == rows
        assert held.array.to_pylist() == values
        assert held.present().tolist() == [value is not None for value in values]
        found = held.take(at)
        found.validate(full=True)
        assert found.to_pylist() == wanted
        assert found.null_count == wanted.count(None)
        for row in at[:5].tolist():
            own = (values[row] or "").encode()
            assert held.is_at(row, own) == (values[row] is not None)
            assert not held.is_at(row, own + b"x")
            assert not held.is_at(row, b"\xff")
        assert held.lengths(at).tolist() == [len((value or "").encode()) for value in wanted]
        held.array.validate(full=True)


@pytest.mark.parametrize(("kind", "offsets"), [("one length", 0), ("short", 1.2)])
def test_what_a_row_takes(kind: str, offsets: float) -> None:
    """The bytes of the strings, and next to nothing for where they begin."""
    values = KINDS[kind] * 1000
    held = Texts.build(pa.array(values))
    assert held.nbytes <= sum(len(v or "") * 2 for v in values) + offsets * len(values)
    assert texts.memory(held, held) == held.nbytes


def test_strings_of_format_2() -> None:
    """One part of its own encoding is what was written before format 3, and for few rows still."""
    values = ["a", None, "bcd"]
    held = Texts.build(pa.array(values))
    (part,) = held.parts("x")
    assert part.encoding == "strings"
    assert Texts.are_in(Parts([part]), "x")
    assert not Texts.are_in(Parts([part]), "y")
