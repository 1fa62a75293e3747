"""Repeated events: found by row and id, exactly, and the first given is kept."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import event_ids, hashing
from headcount.index.event_ids import EventIds, deduplicate
from headcount.index.parts import Parts

EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.none() | st.sampled_from(["a", "b", "ä", "ab" * 40])),
    max_size=30,
)


def table(events: list[tuple[int, str | None]], chunks: int = 1) -> pa.Table:
    """Return the events with their number, in several chunks as files give them."""
    whole = pa.table(
        {
            "row": pa.array([row for row, _ in events], pa.uint32()),
            "id": pa.array([name for _, name in events], pa.string()),
            "number": pa.array(range(len(events)), pa.int64()),
        }
    )
    size = -(-len(events) // chunks) or 1
    return pa.concat_tables([whole.slice(i, size) for i in range(0, len(events), size)] or [whole])


def first_ones(events: list[tuple[int, str | None]]) -> list[int]:
    seen: set[tuple[int, str | None]] = set()
    kept = []
    for number, event in enumerate(events):
        if event[1] is None or event not in seen:
            kept.append(number)
        seen.add(event)
    return kept


@given(EVENTS, st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_the_first_of_equal_events_is_kept(
    events: list[tuple[int, str | None]], chunks: int
) -> None:
    """Equal means the same row and the same id; events without an id are all different."""
    kept, dropped = deduplicate(table(events, chunks))
    assert kept["number"].to_pylist() == first_ones(events)
    assert dropped == len(events) - kept.num_rows


def test_equal_hashes_are_not_equal_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """When every hash collides, the strings decide."""
    monkeypatch.setattr(hashing, "fmix64", np.zeros_like)
    events = [(1, "a"), (1, "b"), (2, "a"), (1, "a"), (1, None), (1, None)]
    kept, dropped = deduplicate(table(events))
    assert kept["number"].to_pylist() == [0, 1, 2, 4, 5]
    assert dropped == 1


@given(EVENTS)
@settings(max_examples=50, deadline=None)
def test_ids_follow_the_order_of_the_log(events: list[tuple[int, str | None]]) -> None:
    """Ids come back exactly, nulls included, after a trip through their parts, in any chunks."""
    order = np.random.default_rng(len(events)).permutation(len(events))
    names = [name for _, name in events]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_ids, "_CHUNK", 7)
        ids = EventIds.build(table(events)["id"], order)
    if ids is None:
        assert not any(names)
        return
    again = EventIds.from_parts(Parts(ids.parts("ids/")), "ids/")
    assert again is not None
    assert again.to_arrow().to_pylist() == [names[i] for i in order]
    assert again.memory() > 0


def test_no_ids_are_no_part() -> None:
    """Where no event has an id nothing is held or written."""
    assert EventIds.build(table([(0, None)])["id"], np.array([0])) is None
    assert EventIds.from_parts(Parts([]), "ids/") is None
