"""Newer events, whose log alone is made at once: in everything as an index that was made whole."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.events import EventIndex
from headcount.index.interval import Interval
from headcount.index.newer import NewerEvents
from support.event_worlds import EVENT, EventWorld, worlds

MADE_WHEN_ASKED = ("tallies", "recency", "reach", "peak", "properties", "ids")


@given(worlds(), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_newer_events_are_an_index(drawn: tuple[EventWorld, list[Interval]], cuts: int) -> None:
    """In one piece or joined of several, answers are those of an index of the same table."""
    world, windows = drawn
    table = world.table()
    whole = EventIndex.build(table, world.rows, EVENT)
    edges = np.linspace(0, table.num_rows, cuts + 2).astype(int).tolist()
    parts = [
        NewerEvents.of(table.slice(start, stop - start), world.rows, EVENT)
        for start, stop in pairwise(edges)
    ]
    newer = NewerEvents.joined(parts)
    assert type(newer) is NewerEvents
    assert not newer.__dict__.keys() & set(MADE_WHEN_ASKED)
    assert newer.memory()["log"] >= whole.memory()["log"]
    assert not newer.__dict__.keys() & set(MADE_WHEN_ASKED)
    assert newer.to_arrow().equals(whole.to_arrow())
    assert (newer.reach.tolist(), newer.peak) == (whole.reach.tolist(), whole.peak)
    for window in windows:
        for n in (1, 2, 3):
            assert newer.at_least(n, window) == whole.at_least(n, window)
            assert newer.count_at_least(n, window) == whole.count_at_least(n, window)
        assert newer.counts(window).tolist() == whole.counts(window).tolist()
    assert list(newer.check()) == []
    assert sum(newer.memory().values()) >= sum(whole.memory().values())


@given(worlds())
@settings(max_examples=20, deadline=None)
def test_newer_events_that_change_are_made_whole(
    drawn: tuple[EventWorld, list[Interval]],
) -> None:
    """With a floor or other properties they are an index like any other, and join as one."""
    world, _ = drawn
    newer = NewerEvents.of(world.table(), world.rows, EVENT)
    middle = int(np.median(newer.times())) if newer.size else 0
    late, same = newer.with_floor(middle), newer.with_properties(EVENT, newer.properties)
    for changed in (late, same):
        assert type(changed) is EventIndex
        assert all(hasattr(changed, each.name) for each in fields(EventIndex))
        assert changed.serial != newer.serial
    assert same.to_arrow().equals(newer.to_arrow())
    kept = late.to_arrow()
    assert kept.num_rows == newer.size - late.start
    joined = NewerEvents.joined((late, newer))
    both = pa.concat_tables([kept, newer.to_arrow()])
    assert joined.to_arrow().equals(EventIndex.build(both, world.rows, EVENT).to_arrow())


def test_many_events_in_few_rows_are_made_whole() -> None:
    """Where checkpoints or newest times may pay, nothing is left to the first query."""
    rows = pa.array(np.arange(3_000) % 7, pa.uint32())
    times = pa.array(np.arange(3_000)).cast(pa.timestamp("us", tz="UTC"))
    table = pa.table({"row": rows, "time": times})
    assert type(NewerEvents.of(table, 7, EVENT)) is EventIndex
    assert type(NewerEvents.of(table, 1 << 20, EVENT)) is NewerEvents
