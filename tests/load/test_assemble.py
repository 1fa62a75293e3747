"""Sets united with new members, against Python sets."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.load import assemble
from headcount.load.assemble import contacts_table, united
from headcount.load.spill import Spill
from headcount.model.errors import Reason, UserError
from headcount.model.schema_toml import parse

names = st.sampled_from(["a", "b", "c", ""])
sets = st.lists(st.one_of(st.none(), st.lists(names, min_size=1, unique=True)), min_size=1)


@settings(deadline=None)
@given(sets, st.lists(st.tuples(st.integers(0, 100), names), max_size=20))
def test_sets_are_united(stored: list[list[str] | None], added: list[tuple[int, str]]) -> None:
    """Each row has what it had, in that order, and what was added, once; none stays missing."""
    added = [(row % len(stored), name) for row, name in added]
    twin = [dict.fromkeys(values or []) for values in stored]
    for row, name in added:
        twin[row][name] = None
    rows = np.array([row for row, _ in added], dtype=np.int64)
    members = pa.array([name for _, name in added], pa.string())
    found = united(pa.array(stored, pa.list_(pa.string())), rows, members)
    found.validate(full=True)
    assert found.to_pylist() == [list(values) or None for values in twin]


def test_text_beyond_32_bits_is_an_error(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More text of one field in one block than Arrow's offsets reach is told, with the field."""
    monkeypatch.setattr(assemble, "_MAX_ARRAY_BYTES", 1000)
    schema = parse("[fields]\nbio = 'text'")
    with Spill(tmp_path_factory.mktemp("spill")) as spill:
        rows = pa.array(np.arange(10, dtype=np.uint32))
        spill.add(0, ("contacts", ("bio",)), pa.table({"row": rows, "bio": ["x" * 200] * 10}))
        with pytest.raises(UserError, match="field `bio` are over 2 GiB") as caught:
            contacts_table(0, None, pa.array([str(at) for at in range(10)]), spill, schema)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
