"""Tallies between any two positions, against counting the rows of the stretch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.parts import Parts
from headcount.index.tallies import BusyRows, Tallies
from headcount.index.tuning import Tuning

ROWS = 20


def build(log_rows: np.ndarray, gap: int, busy_share: float = 0.25) -> Tallies:
    """Return the tallies after a trip through their parts."""
    totals = np.bincount(log_rows, minlength=ROWS).astype(np.uint32)
    tuning = Tuning(tally_bytes=1e9, gap=gap, busy_share=busy_share)
    found = Tallies.build(log_rows, ROWS, totals, tuning)
    assert list(found.check(log_rows)) == []
    return Tallies.from_parts(Parts(found.parts("t/")), "t/", ROWS, len(log_rows))


@given(
    st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=100).map(
        lambda rows: np.array(rows, dtype=np.uint32)
    ),
    st.sampled_from((0, 250, 300, 600)),
    st.integers(1, 40),
    st.sampled_from((0.0, 1.0)),
    st.data(),
)
@settings(max_examples=200, deadline=None)
def test_any_stretch_is_counted(
    few: np.ndarray, many: int, gap: int, busy_share: float, data: st.DataObject
) -> None:
    """Row by row, the busy ones from their positions, all others from checkpoints and strides."""
    log_rows = np.concatenate([few, np.full(many, 3, dtype=np.uint32), few[::-1]])
    tallies = build(log_rows, gap, busy_share)
    if not tallies.checkpoints:
        assert len(log_rows) < gap
        return
    positions = st.integers(0, len(log_rows))
    start, stop = sorted((data.draw(positions), data.draw(positions)))
    counts = tallies.between(log_rows, start, stop).astype(np.int64)
    counts[tallies.busy.rows] = tallies.busy.between(start, stop)
    assert counts.tolist() == np.bincount(log_rows[start:stop], minlength=ROWS).tolist()
    assert tallies.strides(start, stop) <= 2 * (len(log_rows) // tallies.checkpoints)


@pytest.mark.parametrize(("most", "dtype"), [(255, "u1"), (256, "u2"), (65_536, "u4")])
def test_counts_are_as_wide_as_they_must_be(most: int, dtype: str) -> None:
    """Where one contact has nearly all events, a count holds the most that a contact has."""
    tallies = build(np.full(most, 3, dtype=np.uint32), gap=100)
    assert tallies.counts.dtype == np.dtype(dtype)
    assert not len(tallies.busy.rows)


def test_a_few_busy_contacts_do_not_widen_the_counts() -> None:
    """Beyond 255 events, and up to a quarter of all, they are counted by position."""
    others = np.tile(np.arange(ROWS, dtype=np.uint32), 200)
    busy = np.full(400, 3, dtype=np.uint32)
    tallies = build(np.concatenate([others, busy]), gap=100)
    assert tallies.counts.dtype == np.uint8
    assert tallies.busy.rows.tolist() == [3]
    assert tallies.busy.between(3990, 4300).tolist() == [300]
    assert len(tallies.busy.keys) == 600
    assert tallies.memory() > tallies.counts.nbytes


def test_busy_rows_are_all_counted_at_once() -> None:
    """Each of several busy rows gets its own count, also at the very ends."""
    log_rows = np.array([5, 1, 5, 1, 1, 0, 5, 5], dtype=np.uint32)
    busy = BusyRows.build(log_rows, np.bincount(log_rows, minlength=9).astype(np.uint32), 1)
    assert busy.rows.tolist() == [1, 5]
    for start in range(9):
        for stop in range(start, 9):
            expected = [(log_rows[start:stop] == row).sum() for row in (1, 5)]
            assert busy.between(start, stop).tolist() == expected


def test_check_finds_one_wrong_count() -> None:
    """The message names the checkpoint, where it begins, the row and what the log has."""
    log_rows = np.tile(np.arange(ROWS, dtype=np.uint32), 10)
    tallies = build(log_rows, gap=50)
    counts = tallies.counts.copy()
    counts[2, 7] += 1
    (message,) = dataclasses.replace(tallies, counts=counts).check(log_rows)
    assert message == (
        "tallies: checkpoint 2 (from event 100 on) disagrees with the log in 1 rows;"
        " the first is row 7, which has 5 events there"
    )
