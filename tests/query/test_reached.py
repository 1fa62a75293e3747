"""Reached, against a count of all events: any split into indexes, window, bounds and memory."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from headcount.index.arrow import INSTANT
from headcount.index.bitmaps import Mask
from headcount.index.block import Pieces
from headcount.index.events import EventIndex
from headcount.index.interval import Interval
from headcount.model.schema import EventType
from headcount.query import reached
from headcount.query.expressions import Source
from headcount.query.reached import Reached
from headcount.query.results import Recall, Results

ROWS, TIMES, WORLDS = 12, 30, 200
EVENT = EventType("opened", ())


def piece(dice: random.Random, events: int) -> EventIndex:
    """Return an index of random events, some contacts with many of them."""
    busy = dice.random() < 0.3
    rows = [dice.randrange(3 if busy else ROWS) for _ in range(events)]
    times = [dice.randrange(TIMES) for _ in rows]
    table = pa.table(
        {"row": pa.array(rows, pa.uint32()), "time": pa.array(times, pa.int64()).cast(INSTANT)}
    )
    return EventIndex.build(table, ROWS, EVENT)


def odd(index: EventIndex, interval: Interval) -> Mask:
    """Return which events in an interval are of a contact with an odd row: a condition."""
    start, stop = index.slice(interval)
    found: Mask = index.log_rows[start:stop] % 2 == 1
    return found


def expected(
    pieces: Pieces, interval: Interval, low: int, high: int | None, *, chosen: bool
) -> list[int]:
    """Return the rows within the bounds, counted event by event."""
    counts = [0] * ROWS
    for index in pieces:
        for row, time in zip(index.log_rows.tolist(), index.times().tolist(), strict=True):
            if interval.low <= time <= interval.high and (row % 2 == 1 or not chosen):
                counts[row] += 1
    return [row for row, n in enumerate(counts) if n >= low and (high is None or n <= high)]


def recall(results: Results, block: object) -> Recall:
    """Return a memory for one block that is none."""
    return Recall(results, id(block), ("UTC", 0))


@pytest.mark.parametrize("few", [1, 3, 8])
@pytest.mark.parametrize("loose", [0, 4, 1_000])
@pytest.mark.parametrize("sparse", [8, 0])
def test_levels_are_those_of_a_count(
    sparse: int, loose: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However events are split, and whatever of them is remembered, the same rows are found."""
    monkeypatch.setattr(reached, "_LOOSE", loose)
    monkeypatch.setattr(reached, "_FEW_LEVELS", few)
    monkeypatch.setattr(reached, "_SPARSE", sparse)
    dice = random.Random(loose * 10 + few)
    for _ in range(WORLDS):
        memory = None if dice.random() < 0.2 else recall(Results(), dice)
        conditional = dice.random() < 0.3
        held = [piece(dice, dice.randrange(40))]
        source = Source(EVENT)
        start = dice.randrange(TIMES)
        interval = Interval(start, dice.randrange(start, TIMES + 1))
        for _ in range(dice.randrange(1, 6)):  # as events come, and indexes are joined
            if len(held) > 3 and dice.random() < 0.3:
                tables = pa.concat_tables([one.to_arrow() for one in held[2:]])
                held[2:] = [EventIndex.build(tables, ROWS, EVENT)]
            held.append(piece(dice, dice.randrange(1, 12)))
            low = dice.randrange(1, 5)
            high = None if dice.random() < 0.6 else dice.randrange(low, 7)

            def chosen(index: EventIndex, window: Interval = interval) -> Mask | None:
                return odd(index, window) if conditional else None  # noqa: B023 - asked at once

            asked = Reached(source, interval, tuple(held), chosen, memory)
            wanted = expected(tuple(held), interval, low, high, chosen=conditional)
            assert list(asked.within(low, high)) == wanted


def test_only_what_is_new_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a small index comes, those before it are not asked again."""
    dice = random.Random(3)
    monkeypatch.setattr(reached, "_LOOSE", 5)
    held = (piece(dice, 40), piece(dice, 20), piece(dice, 9))
    memory, window = recall(Results(), dice), Interval(0, TIMES)
    for n in (1, 2, 3):
        Reached(Source(EVENT), window, held, lambda _: None, memory).within(n, None)

    def refuse(*_: object) -> None:
        raise AssertionError("an older index was asked again")

    monkeypatch.setattr(EventIndex, "at_least", refuse)
    longer = (*held, piece(dice, 4))
    found = Reached(Source(EVENT), window, longer, lambda _: None, memory).within(3, None)
    assert list(found) == expected(longer, window, 3, None, chosen=False)
    monkeypatch.undo()
    other = Interval(1, TIMES)
    again = Reached(Source(EVENT), other, longer, lambda _: None, memory).within(3, None)
    assert list(again) == expected(longer, other, 3, None, chosen=False)
