"""Tables that wait in memory or on disk, against lists."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.load.spill import Spill
from headcount.model.errors import Reason, UserError


def table(start: int, rows: int) -> pa.Table:
    """Return a table of some rows with numbers, text and lists."""
    numbers = list(range(start, start + rows))
    return pa.table({
        "n": pa.array(numbers, pa.uint32()),
        "t": pa.array([f"text {n}" if n % 3 else None for n in numbers], pa.string()),
        "l": pa.array([["a", str(n)] for n in numbers], pa.list_(pa.string())),
    })  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), max_size=30),
    st.sampled_from([0, 500, 2000, 1 << 30]),
)
def test_what_was_added_comes_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, added: list[tuple[str, int]], budget: int
) -> None:
    """Whatever the budget, each key's tables are those that were added, in that order."""
    twin: dict[str, list[pa.Table]] = {}
    with Spill(tmp_path_factory.getbasetemp(), budget) as spill:
        for at, (key, rows) in enumerate(added):
            one = table(at * 100, rows)
            spill.add(key, one)
            if rows:
                twin.setdefault(key, []).append(one)
        assert spill.keys() == set(twin)
        for key, tables in twin.items():
            for _ in range(2):  # reading does not forget
                assert pa.concat_tables(spill.read(key)).equals(pa.concat_tables(tables))
        for key in "ab":
            spill.drop(key)
            assert spill.read(key) == []
        assert spill.keys() == set(twin) - set("ab")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The file has no name while it is used, so it cannot outlive the process."""
    spill = Spill(tmp_path, budget=0)
    spill.add("a", table(0, 10))
    assert os.listdir(tmp_path) == []
    assert spill.read("a")[0].num_rows == 10
    spill.close()
    spill.close()
    assert os.listdir(tmp_path) == []


def test_memory_stays_within_the_budget(tmp_path: Path) -> None:
    """What is held in memory is never more than the budget and one table."""
    one = table(0, 1000)
    with Spill(tmp_path, budget=10 * one.nbytes) as spill:
        for at in range(100):
            spill.add(at % 7, one)
            assert spill._held <= 10 * one.nbytes
        assert sum(t.num_rows for key in range(7) for t in spill.read(key)) == 100_000


def test_a_full_disk_is_the_user_s_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says that the disk is full and that nothing was changed."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Spill(tmp_path, budget=0) as spill:
        monkeypatch.setattr(os, "open", full)
        with pytest.raises(UserError) as caught:
            spill.add("a", table(0, 10))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert "the disk is full" in caught.value.message
