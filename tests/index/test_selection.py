"""Selections of events by the values of a property, against going through every event."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.events import EventIndex
from headcount.index.selection import Selection
from headcount.model.schema import EventType, Field, FieldType
from support.event_worlds import TIME

KINDS = ("books", "toys", None)
EVENT = EventType(
    "bought",
    properties=(
        Field("kind", FieldType.KEYWORD),
        Field("amount", FieldType.NUMBER),
        Field("paid", FieldType.BOOLEAN),
        Field("day", FieldType.DATE),
    ),
)


def bought(rows: list[int], seed: int = 0, size: int = 0) -> EventIndex:
    """Return the index of an event for each of *rows*, with random properties, some missing."""
    dice = np.random.default_rng([seed, len(rows)])
    count = len(rows)

    def some(values: pa.Array) -> pa.Array:
        return values.take(pa.array(np.arange(count), mask=dice.random(count) < 0.2))

    table = pa.table(
        {
            "row": pa.array(rows, pa.uint32()),
            "time": pa.array(dice.permutation(count) * 10**6).cast(TIME),
            "property.kind": pa.array(
                [KINDS[at] for at in dice.integers(0, 3, count)], pa.string()
            ),
            "property.amount": some(pa.array(dice.integers(0, 500, count) / 100)),
            "property.paid": some(pa.array(dice.random(count) < 0.5, pa.bool_())),
            "property.day": some(pa.array(dice.integers(0, 99, count), pa.int32()).cast("date32")),
        }
    )
    return EventIndex.build(table, max([size, *(row + 1 for row in rows)]), EVENT)


def books(index: EventIndex) -> tuple[Selection, dict[int, dict[str, object]]]:
    """Return the selection of books, and the event at each of its positions."""
    codes = frozenset(index.property("kind").dictionary.lookup_all({"books"}))
    found = index.selections.get("kind", codes, now=True)
    assert found is not None
    events = dict(enumerate(index.to_arrow().to_pylist()))
    return found, {at: e for at, e in events.items() if e["property.kind"] == "books"}


@pytest.fixture(autouse=True)
def of_any_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a selection have all events."""
    monkeypatch.setattr("headcount.index.selection._SHARE", 1)


@given(st.lists(st.integers(0, 12), max_size=150), st.integers(0, 99), st.data())
@settings(max_examples=200, deadline=None)
def test_contacts_are_counted_as_one_by_one(
    rows: list[int], seed: int, data: st.DataObject
) -> None:
    """Whatever events of it are chosen, contacts that have n of them are those of a counter."""
    index = bought(rows, seed)
    selection, _ = books(index)
    odds = data.draw(st.sampled_from([0.0, 0.2, 0.8, 1.0]))
    fits = np.random.default_rng(seed).random(len(selection)) < odds
    counted = Counter(selection.rows[fits].tolist())
    for n in (1, 2, 3, 4, 7, 50):
        expected = {row for row, count in counted.items() if count >= n}
        assert set(selection.at_least(n, fits)) == expected
        assert selection.count_at_least(n, fits) == len(expected)


@given(st.lists(st.integers(0, 12), max_size=80), st.integers(0, 99))
@settings(max_examples=100, deadline=None)
def test_columns_are_those_of_the_selected_events(rows: list[int], seed: int) -> None:
    """By contact and then by time, each event with all its properties; windows are positions."""
    index = bought(rows, seed)
    selection, events = books(index)
    order = sorted(events, key=lambda at: (events[at]["row"], at))
    assert selection.positions.tolist() == order
    assert selection.rows.tolist() == [events[at]["row"] for at in order]
    for name in ("kind", "amount", "paid", "day"):
        held = selection.properties[name].to_arrow().to_pylist()
        assert held == [events[at][f"property.{name}"] for at in order]
        assert list(selection.properties[name].check()) == []
    size = index.size
    for start, stop in ((0, size), (0, size // 2), (size // 3, size), (size // 3, size // 2)):
        within = selection.within(start, stop, size)
        fits = [start <= at < stop for at in order]
        assert all(fits) if within is None else within.tolist() == fits


@pytest.mark.parametrize("size", [63, 64, 65, 5_000])
def test_contacts_at_the_ends_of_words(size: int) -> None:
    """A carry goes through any number of words, and never out of its contact."""
    rows = np.sort(np.random.default_rng(size).integers(0, size // 20 + 1, size)).astype(np.uint32)
    selection = Selection(np.arange(size, dtype=np.uint32), rows, {})
    for chosen in ([0], [size - 1], [0, size - 1], range(size), range(0, size, 37)):
        fits = np.zeros(size, dtype=np.bool_)
        fits[list(chosen)] = True
        assert selection.count_at_least(1, fits) == len(set(rows[fits].tolist()))


def test_a_selection_is_made_when_asked_for_again() -> None:
    """The first question is left to others; the same values, in any order, find the same one."""
    index = bought([1, 2, 3, 3] * 20)
    dictionary = index.property("kind").dictionary
    both = frozenset(dictionary.lookup_all({"books", "toys"}))
    assert index.selections.get("kind", both) is None
    assert index.selections.memory() == 0
    found = index.selections.get("kind", both)
    assert found is not None
    assert index.selections.get("kind", frozenset(sorted(both)[::-1])) is found
    before = index.memory()["properties"]
    column = found.properties["amount"]
    assert index.memory()["properties"] == before + column.memory() > before


def test_selections_have_no_more_events_than_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many events are no selection, and an older one goes where two would be too many."""
    monkeypatch.setattr("headcount.index.selection._SHARE", 2)
    index = bought([1, 2, 3, 3] * 100)
    dictionary = index.property("kind").dictionary
    one, other = (frozenset(dictionary.lookup_all({kind})) for kind in ("books", "toys"))
    assert index.selections.get("kind", one | other, now=True) is None
    first = index.selections.get("kind", one, now=True)
    assert first is not None
    second = index.selections.get("kind", other, now=True)
    assert second is not None
    assert len(first) + len(second) > index.size // 2
    assert index.selections.get("kind", other) is second
    assert index.selections.memory() == second.memory()
