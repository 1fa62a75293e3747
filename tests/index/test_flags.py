"""The index of booleans against the values."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index.flags import FlagIndex
from headcount.index.parts import Parts


@given(st.lists(st.sampled_from([None, True, False]), max_size=100))
def test_every_question(values: list[bool | None]) -> None:
    """True, false, missing; as a vector, as Arrow, and again from parts."""
    built = FlagIndex.build(pa.array(values, pa.bool_()))
    for index in (built, FlagIndex.from_parts(Parts(list(built.parts("f"))), "f")):
        assert index.equal(True) == BitMap(r for r, v in enumerate(values) if v is True)
        assert index.equal(False) == BitMap(r for r, v in enumerate(values) if v is False)
        assert index.present == BitMap(r for r, v in enumerate(values) if v is not None)
        assert index.to_arrow().to_pylist() == values
        backwards = np.arange(len(values))[::-1]
        assert index.to_arrow(backwards).to_pylist() == values[::-1]
        vector = index.vector()
        assert vector.values[vector.present].tolist() == [v for v in values if v is not None]
        assert list(index.check()) == []
        assert index.memory()["postings"] > 0


def test_check_finds_damage() -> None:
    """True without a value, and rows outside the block."""
    assert any("true" in m for m in FlagIndex(3, BitMap([1]), BitMap([0])).check())
    assert any("3 rows" in m for m in FlagIndex(3, BitMap(), BitMap([3])).check())
