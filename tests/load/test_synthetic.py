"""The seeded data of the demo and the benchmarks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from headcount.load import synthetic

NOW = dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)


def test_the_same_seed_gives_the_same_rows(tmp_path: Path) -> None:
    """Two runs with one seed write equal tables; another seed writes others."""
    first, again, other = (
        synthetic.generate(tmp_path / name, contacts=300, events=2000, now=NOW, seed=seed)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    for kind in ("contacts", "events", "lists"):
        assert pq.read_table(getattr(first, kind)) == pq.read_table(getattr(again, kind))
        assert pq.read_table(getattr(first, kind)) != pq.read_table(getattr(other, kind))


def test_it_looks_like_a_shop(tmp_path: Path) -> None:
    """The numbers asked for are there, some values are missing, and nothing is in the future."""
    files = synthetic.generate(tmp_path, contacts=5000, events=40_000, now=NOW)
    contacts, events = pq.read_table(files.contacts), pq.read_table(files.events)
    assert contacts.num_rows == 5000
    assert events.num_rows == 40_000
    assert len(set(contacts["id"].to_pylist())) == 5000
    assert 0 < contacts["total_spent"].null_count < 5000
    assert max(events["time"].to_pylist()) < NOW
    per_contact = sorted(c["counts"] for c in events["contact"].value_counts().to_pylist())
    assert per_contact[-1] > 20 * per_contact[len(per_contact) // 2]


def test_no_contacts_is_a_workspace_too(tmp_path: Path) -> None:
    """Zero contacts and events write files with all the columns and no rows."""
    files = synthetic.generate(tmp_path, contacts=0, events=0, now=NOW)
    assert pq.read_table(files.contacts).num_rows == 0
    assert pq.read_table(files.events).num_rows == 0


def test_large_data_is_the_same_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members and activity do not depend on how many contacts are made at a time."""
    monkeypatch.setattr(synthetic, "_SLICE", 64)
    members = synthetic._members(300, 0.5, np.random.default_rng(1))
    assert members.tolist() == np.flatnonzero(np.random.default_rng(1).random(300) < 0.5).tolist()
    sliced = synthetic._activity(300, np.random.default_rng(1))
    monkeypatch.undo()
    assert np.array_equal(sliced, synthetic._activity(300, np.random.default_rng(1)))
