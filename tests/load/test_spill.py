"""Tables that wait in memory or on disk, against lists."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.load.spill import Spill, spread
from headcount.model.errors import Reason, UserError


def table(start: int, rows: int) -> pa.Table:
    """Return a table of some rows with numbers, text and lists."""
    numbers = list(range(start, start + rows))
    return pa.table({
        "n": pa.array(numbers, pa.uint32()),
        "t": pa.array([f"text {n}" if n % 3 else None for n in numbers], pa.string()),
        "l": pa.array([["a", str(n)] for n in numbers], pa.list_(pa.string())),
    })  # fmt: skip


KINDS = [("contacts",), ("events", "open"), ("events", "click")]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 40]), st.sampled_from(KINDS), st.integers(0, 20)),
        max_size=30,
    ),
    st.sampled_from([0, 500, 2000, 1 << 30]),
)
def test_what_was_added_comes_back_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    added: list[tuple[int, tuple[str, ...], int]],
    budget: int,
) -> None:
    """Whatever the budget, each kind's tables are those that were added, in that order."""
    twin: dict[tuple[int, tuple[str, ...]], list[pa.Table]] = {}
    with Spill(tmp_path_factory.getbasetemp(), budget) as spill:
        for at, (block, kind, rows) in enumerate(added):
            one = table(at * 100, rows)
            spill.add(block, kind, one)
            if rows:
                twin.setdefault((block, kind), []).append(one)
        assert spill.blocks() == {block for block, _ in twin}
        assert {(b, k) for b in spill.blocks() for k in spill.kinds(b)} == set(twin)
        for (block, kind), tables in twin.items():
            for _ in range(2):  # reading does not forget
                found = pa.concat_tables(spill.read(block, kind))
                assert found.equals(pa.concat_tables(tables))
        spill.drop(0)
        assert spill.read(0, KINDS[0]) == []
        assert spill.blocks() == {block for block, _ in twin} - {0}
        spill.drop(40)
        assert all(group == 0 for group in spill._files)
        spill.drop(1)
        assert not spill._files


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The file has no name while it is used, so it cannot outlive the process."""
    spill = Spill(tmp_path, budget=0)
    spill.add(0, KINDS[0], table(0, 10))
    assert os.listdir(tmp_path) == []
    assert spill.read(0, KINDS[0])[0].num_rows == 10
    spill.close()
    spill.close()
    assert os.listdir(tmp_path) == []


def test_memory_stays_within_the_budget(tmp_path: Path) -> None:
    """What is held in memory is never more than the budget, and all of it can be read."""
    one = table(0, 1000)
    with Spill(tmp_path, budget=10 * one.nbytes) as spill:
        for at in range(100):
            spill.add(at % 7, KINDS[0], one)
            assert spill._held <= 10 * one.nbytes
        rows = [t.num_rows for block in range(7) for t in spill.read(block, KINDS[0])]
        assert sum(rows) == 100_000


def test_a_full_disk_is_the_user_s_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that the disk is full and that nothing was changed."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Spill(tmp_path, budget=0) as spill:
        monkeypatch.setattr(os, "open", full)
        spill.add(0, KINDS[0], table(0, 10))
        with pytest.raises(UserError) as caught:
            spill.blocks()
    assert caught.value.reason is Reason.DISK_FULL
    assert "the disk is full" in caught.value.message


def test_rows_are_spread_over_their_blocks(tmp_path: Path) -> None:
    """Each row waits for its contact's block, at its place there, in the order of adding."""
    ordinals = np.array([5, 64, 3, 200, 65, 5])
    with Spill(tmp_path) as spill:
        spread(spill, KINDS[0], ordinals, {"n": pa.array(range(6))}, 64)
        spread(spill, KINDS[0], ordinals[:0], {"n": pa.array([], pa.int64())}, 64)
        spread(spill, KINDS[0], ordinals[:1], {"n": pa.array([9])}, 64)
        found = {
            block: [row for t in spill.read(block, KINDS[0]) for row in t.to_pylist()]
            for block in spill.blocks()
        }
    assert found == {
        0: [{"row": 5, "n": 0}, {"row": 3, "n": 2}, {"row": 5, "n": 5}, {"row": 5, "n": 9}],
        1: [{"row": 0, "n": 1}, {"row": 1, "n": 4}],
        3: [{"row": 8, "n": 3}],
    }
