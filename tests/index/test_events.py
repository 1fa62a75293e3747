"""The event index against a dict of lists, path by path, and what `check` finds."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.index.columns import Vector
from headcount.index.events import EventIndex, Path
from headcount.index.interval import EVER, Interval
from headcount.index.parts import Part, Parts
from headcount.index.tuning import DEFAULT, Tuning
from headcount.model.schema import EventType, Field, FieldType
from support.event_worlds import EVENT, TIME, TUNINGS, EventWorld, anything, third, worlds

DAY = 86_400_000_000
NOW = 1_750_000_000_123_456


def build(world: EventWorld, tuning: Tuning = DEFAULT) -> EventIndex:
    return EventIndex.build(world.table(), world.rows, EVENT, tuning)


def reopened(index: EventIndex) -> EventIndex:
    """Return the index after a trip through its parts, which lie at odd addresses as in a file."""
    stored = [
        Part(part.name, part.encoding, memoryview(b"-" + bytes(part.data))[1:])
        for part in index.parts("event/opened/")
    ]
    return EventIndex.from_parts(Parts(stored), "event/opened/", index.event)


def as_list(vector: Vector) -> list[int | None]:
    pairs = zip(vector.values.tolist(), vector.present.tolist(), strict=True)
    return [value if present else None for value, present in pairs]


def chosen(index: EventIndex, interval: Interval) -> np.ndarray:
    """Return which events of the interval have a number that is a multiple of three."""
    found = index.property("value").vector(*index.slice(interval))
    return (found.values % 3 == 0) & found.present


def numbers(world: EventWorld) -> set[int]:
    """Return the n worth asking for: all small ones, and around every row's number of events."""
    totals = set(world.counts(EVER, anything))
    return {1, 2, 3, 4, 7, 9, 255, 256, 257, 10**6} | {t + d for t in totals for d in (-1, 0, 1)}


@given(worlds(), st.sampled_from(TUNINGS))
@settings(max_examples=150, deadline=None)
def test_every_path_agrees_with_the_dict_of_lists(
    drawn: tuple[EventWorld, list[Interval]], tuning: Tuning
) -> None:
    """Each path gives the rows that have n events in the window, for every window and every n."""
    world, windows = drawn
    index = reopened(build(world, tuning))
    for window in windows:
        for n in sorted(numbers(world) - {0, -1}):
            expected = world.at_least(n, window, anything)
            assert set(index.at_least(n, window)) == expected
            assert index.count_at_least(n, window) == len(expected)
            assert len(expected) <= index.estimate(n, window)
            for path in index.paths(n, window):
                assert set(index.at_least(n, window, path=path)) == expected, (path, n, window)


@given(worlds(), st.sampled_from(TUNINGS))
@settings(max_examples=100, deadline=None)
def test_conditions_counts_and_ends_agree_with_the_dict_of_lists(
    drawn: tuple[EventWorld, list[Interval]], tuning: Tuning
) -> None:
    """Counts, newest and oldest, with and without a condition, are those of the plain lists."""
    world, windows = drawn
    index = build(world, tuning)
    for window in windows:
        some = chosen(index, window)
        for mask, condition in ((None, anything), (some, third)):
            counts = index.counts(window, mask)
            assert counts.dtype == np.uint32
            assert counts.tolist() == world.counts(window, condition)
            assert as_list(index.newest(window, mask)) == world.newest(window, condition)
            assert as_list(index.oldest(window, mask)) == world.oldest(window, condition)
        for path in {Path.COUNT, Path.TALLIES} & set(index.paths(1, window)):
            assert index.counts(window, path=path).tolist() == world.counts(window, anything)
        for n in (1, 2, 3, 86, 100):
            expected = world.at_least(n, window, third)
            assert set(index.at_least(n, window, some)) == expected
            assert index.count_at_least(n, window, some) == len(expected)
            for path in (Path.SORT, Path.COUNT):
                assert set(index.at_least(n, window, some, path=path)) == expected


@given(worlds(), st.sampled_from(TUNINGS))
@settings(max_examples=100, deadline=None)
def test_an_index_is_consistent_and_survives_being_written(
    drawn: tuple[EventWorld, list[Interval]], tuning: Tuning
) -> None:
    """`check` finds nothing, parts bring everything back, and the table is the events by time."""
    world, _ = drawn
    index = build(world, tuning)
    again = reopened(index)
    assert list(index.check()) == list(again.check()) == []
    assert again.to_arrow().equals(index.to_arrow())
    assert [p.data for p in again.parts("x")] == [p.data for p in index.parts("x")]
    assert index.size == len(world.events)
    table = index.to_arrow()
    columns = (table["row"].to_pylist(), index.times(), table["property.value"].to_pylist())
    held = zip(*columns, strict=True)
    assert tuple(held) == tuple(sorted(world.events, key=lambda e: (e[1], e[0])))
    assert EventIndex.build(table, world.rows, EVENT).to_arrow().equals(table)


def spread(rows: int, size: int, seed: int = 3, whole_seconds: bool = False) -> EventIndex:
    """Return an index of *size* events over the last year, each row about equally often."""
    dice = np.random.default_rng(seed)
    unit = 1_000_000 if whole_seconds else 1
    times = NOW - dice.integers(0, 365 * DAY // unit, size) * unit
    table = pa.table(
        {
            "row": dice.integers(0, rows, size).astype(np.uint32),
            "time": pa.array(times).cast(TIME),
            "property.value": pa.array(np.arange(size, dtype=np.float64)),
        }
    )
    return EventIndex.build(table, rows, EVENT)


def plain_counts(index: EventIndex, interval: Interval) -> np.ndarray:
    times = index.times()
    inside = (times >= interval.low) & (times <= interval.high)
    return np.bincount(index.log_rows[inside], minlength=index.rows)


@pytest.fixture(scope="module")
def large() -> EventIndex:
    """300,000 events of 5,000 rows: enough that every structure exists with the default budgets."""
    return spread(5_000, 300_000)


def test_every_path_is_chosen_where_it_is_cheapest(large: EventIndex) -> None:
    """A minute is sorted, a short log counted; up to now there is recency, in the past tallies."""
    assert large.tallies.checkpoints > 10
    assert large.recency.depth == 8
    now = Interval(NOW - 30 * DAY, NOW)
    assert large.paths(3, now)[0] is Path.RECENCY
    assert Path.RECENCY not in large.paths(9, now)
    assert large.paths(20, Interval(NOW - 200 * DAY, NOW - 100 * DAY))[0] is Path.TALLIES
    assert large.paths(2, Interval(NOW - 100 * DAY, NOW - 100 * DAY + 60_000_000))[0] is Path.SORT
    short = spread(5_000, 3_000)
    assert short.tallies.checkpoints == short.recency.depth == 0
    assert short.paths(2, Interval(NOW - 200 * DAY, NOW))[0] is Path.COUNT


@pytest.mark.parametrize("days", [(30, 0), (200, 100), (365, 3), (100, 99), (0, 0), (1000, -5)])
@pytest.mark.parametrize("n", [1, 2, 3, 8, 9, 40, 60, 100])
def test_paths_agree_on_many_events(large: EventIndex, days: tuple[int, int], n: int) -> None:
    """With hundreds of thousands of events too, every path gives what counting one by one gives."""
    interval = Interval(NOW - days[0] * DAY + 1, NOW - days[1] * DAY)
    counts = plain_counts(large, interval)
    expected = set(np.flatnonzero(counts >= n).tolist())
    for path in large.paths(n, interval):
        assert set(large.at_least(n, interval, path=path)) == expected, path
    assert large.counts(interval).tolist() == counts.tolist()
    assert len(expected) <= large.estimate(n, interval)


def test_newest_up_to_the_past_walks_only_for_who_came_later(large: EventIndex) -> None:
    """The newest times before some instant are right for rows with and without later events."""
    for days in (0, 1, 10, 364, 366):
        interval = Interval(NOW - 400 * DAY, NOW - days * DAY)
        times = large.times(*large.slice(interval))
        expected = np.full(large.rows, -1)
        expected[large.log_rows[: len(times)]] = times
        found = large.newest(interval)
        assert np.array_equal(np.where(found.present, found.values, -1), expected)


def test_a_few_events_in_the_future_leave_recency_usable() -> None:
    """Three contacts with a wrong clock cost two ranges more, not the fast path."""
    good = spread(500, 20_000).to_arrow()
    future = pa.table(
        {
            "row": pa.array([7, 7, 300], pa.uint32()),
            "time": pa.array([NOW + DAY, NOW + 2 * DAY, NOW + 9 * DAY]).cast(TIME),
            "id": pa.nulls(3, pa.string()),
            "property.value": pa.array([0.0, 0.0, 0.0]),
        }
    )
    index = EventIndex.build(pa.concat_tables([good, future]), 500, EVENT)
    for n in (1, 2, 6):
        interval = Interval(NOW - 30 * DAY, NOW)
        assert index.recency.shift(n, interval) == 2
        expected = set(np.flatnonzero(plain_counts(index, interval) >= n).tolist())
        assert set(index.at_least(n, interval, path=Path.RECENCY)) == expected
    assert index.recency.shift(7, Interval(NOW - 30 * DAY, NOW)) is None


def test_one_contact_with_a_million_events() -> None:
    """It is counted exactly, and costs the others neither their byte nor their checkpoints."""
    dice = np.random.default_rng(4)
    rows = 50_000
    log_rows = np.concatenate([np.full(1_000_000, 77), dice.integers(0, rows, 3_500_000)])
    times = NOW - dice.integers(0, 100 * DAY, len(log_rows))
    table = pa.table({"row": log_rows.astype(np.uint32), "time": pa.array(times).cast(TIME)})
    index = EventIndex.build(table, rows, EventType("page_view"))
    assert index.tallies.counts.dtype == np.uint8
    assert index.tallies.busy.rows.tolist() == [77]
    assert index.tallies.checkpoints > 100
    interval = Interval(NOW - 70 * DAY, NOW - 20 * DAY)
    exact = plain_counts(index, interval)
    for path in (Path.COUNT, Path.TALLIES):
        assert np.array_equal(index.counts(interval, path=path), exact)
    for n in (1, 40, 256, int(exact[77]), int(exact[77]) + 1):
        expected = set(np.flatnonzero(exact >= n).tolist())
        for path in index.paths(n, interval):
            assert set(index.at_least(n, interval, path=path)) == expected


def test_what_is_read_is_aligned(large: EventIndex) -> None:
    """Arrays that a file holds at an odd address are moved once, not at every question."""
    again = reopened(large)
    timeline, tallies = again.log.timeline, again.tallies
    arrays = (again.log.rows, timeline.low, timeline.high, timeline.starts, tallies.counts)
    assert all(array.flags.aligned for array in (*arrays, tallies.busy.rows, tallies.busy.keys))
    window = Interval(NOW - 200 * DAY, NOW - 100 * DAY)
    assert again.at_least(30, window) == large.at_least(30, window)


def test_only_one_contact_and_all_its_events() -> None:
    """A block of one row with 100,000 events: counts are wide, and no window takes long."""
    times = np.arange(100_000) * 1_000 + NOW
    table = pa.table({"row": np.zeros(100_000, np.uint32), "time": pa.array(times).cast(TIME)})
    index = EventIndex.build(table, 1, EventType("page_view"))
    assert index.tallies.counts.dtype == np.uint32
    interval = Interval(NOW + 1, NOW + 70_000_000)
    for path in index.paths(70_000, interval):
        assert list(index.at_least(70_000, interval, path=path)) == [0]
        assert list(index.at_least(70_001, interval, path=path)) == []
    assert list(index.check()) == []


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_no_events(rows: int) -> None:
    """Without events nobody did anything, ever."""
    index = reopened(build(EventWorld(rows, ())))
    assert not index.at_least(1, EVER)
    assert index.counts(EVER).tolist() == [0] * rows
    assert as_list(index.newest(EVER)) == as_list(index.oldest(EVER)) == [None] * rows
    assert index.estimate(1, EVER) == 0
    assert (index.min_time, index.max_time, index.size) == (None, None, 0)
    assert index.to_arrow().num_rows == 0
    assert list(index.check()) == []


def test_windows_without_an_instant() -> None:
    """A window that ends before it begins holds nothing, on every path."""
    index = build(EventWorld(2, ((0, 10, 0.0), (1, 20, 1.0))), TUNINGS[0])
    for window in (Interval(20, 10), Interval(11, 10), Interval(15, 14)):
        assert window.is_empty
        assert not index.at_least(1, window)
        assert index.counts(window).tolist() == [0, 0]
        assert as_list(index.newest(window)) == as_list(index.oldest(window)) == [None, None]
    assert not Interval(10, 10).is_empty


def test_first_and_last_time() -> None:
    """`min_time` and `max_time` are those of the log."""
    index = build(EventWorld(2, ((0, 30, 0.0), (1, -20, 1.0))))
    assert (index.min_time, index.max_time) == (-20, 30)


def test_memory_stays_within_sixteen_bytes_an_event() -> None:
    """Log, tallies and recency together, for few and for many events a contact."""
    for size in (60_000, 200_000, 600_000):
        for whole_seconds in (True, False):
            held = spread(20_000, size, whole_seconds=whole_seconds).memory()
            assert held.keys() == {"log", "tallies", "recency", "properties", "event ids"}
            assert (held["log"] + held["tallies"] + held["recency"]) / size < 16.2


def damaged(array: np.ndarray, at: object, value: int) -> np.ndarray:
    copy = array.copy()
    copy[at] = value
    return copy


def test_check_names_a_wrong_checkpoint(large: EventIndex) -> None:
    """One count that is off by one is found, with its checkpoint and row."""
    counts = large.tallies.counts
    wrong = dataclasses.replace(
        large.tallies, counts=damaged(counts, (5, 123), int(counts[5, 123]) + 1)
    )
    (message,) = dataclasses.replace(large, tallies=wrong).check()
    assert message.startswith("tallies: checkpoint 5 (from event ")
    assert "in 1 rows; the first is row 123" in message


def test_check_names_wrong_busy_contacts() -> None:
    """A busy contact that is missing, or an event of one that moved, is found."""
    events = tuple((i % 3, i, float(i)) for i in range(30)) + tuple((5, i, 0.0) for i in range(300))
    index = build(EventWorld(6, events), TUNINGS[1])
    busy = index.tallies.busy
    assert busy.rows.tolist() == [5]
    for change, expected in (
        ({"rows": busy.rows + np.uint32(1)}, "tallies: the busy contacts are not"),
        ({"keys": damaged(busy.keys, 9, 0)}, "tallies: the events of the busy contacts are not"),
    ):
        tallies = dataclasses.replace(index.tallies, busy=dataclasses.replace(busy, **change))
        (message,) = dataclasses.replace(index, tallies=tallies).check()
        assert message.startswith(expected)


def test_check_names_wrong_recency(large: EventIndex) -> None:
    """Newest times that are those of another k are found by their k."""
    ranges = large.recency.ranges
    swapped = dataclasses.replace(large.recency, ranges=(*ranges[:3], ranges[4], *ranges[4:]))
    messages = list(dataclasses.replace(large, recency=swapped).check())
    assert len(messages) == 1
    assert messages[0].startswith("recency 4: the times of ")


def test_check_names_a_log_out_of_order(large: EventIndex) -> None:
    """Events that are not by time and row, or of a row that is not there, are found."""
    two = build(EventWorld(9, ((1, 10, 0.0), (3, 10, 1.0), (2, 11, 2.0))))
    swapped = dataclasses.replace(two.log, rows=two.log.rows[[1, 0, 2]])
    assert list(dataclasses.replace(two, log=swapped).check()) == [
        "log: event 1 does not come after event 0"
    ]
    outside = dataclasses.replace(large.log, rows=damaged(large.log.rows, 17, 5_000))
    messages = list(dataclasses.replace(large, log=outside).check())
    assert "log: event 17 is of row 5000, of 5000 rows" in messages
    short = dataclasses.replace(two.log, rows=two.log.rows[:2])
    assert list(dataclasses.replace(two, log=short).check()) == ["log: 2 rows, but 3 times"]


def test_check_names_wrong_totals(large: EventIndex) -> None:
    """How many rows have how many events is compared too."""
    for change in ({"peak": large.peak + 1}, {"reach": damaged(large.reach, 3, 1)}):
        (message,) = dataclasses.replace(large, **change).check()
        assert message.startswith("totals: ")


AMOUNT = Field("amount", FieldType.NUMBER)
LIST = Field("list", FieldType.KEYWORD)


def test_properties_and_ids_come_back() -> None:
    """Every column of the table that was given is in the table that comes back, in log order."""
    event = EventType("bought", properties=(AMOUNT, LIST))
    table = pa.table(
        {
            "row": pa.array([3, 1, 1], pa.uint32()),
            "time": pa.array([30, 20, 10]).cast(TIME),
            "id": pa.array(["c", None, "a"]),
            "property.amount": pa.array([3.5, None, 1.0]),
            "property.list": pa.array(["News", "news", None]),
        }
    )
    index = EventIndex.build(table, 4, event)
    assert index.to_arrow().equals(table.take([2, 1, 0]))
    assert reopened(index).to_arrow().equals(table.take([2, 1, 0]))
    assert index.memory()["event ids"] > 0
    assert [index.property("list").dictionary.lookup("news")] == [(0, 1)]


def test_a_property_that_was_not_there_is_missing() -> None:
    """A table or a stored index without some property is read as having none of its values."""
    before = EventType("bought", properties=(LIST,))
    after = EventType("bought", properties=(AMOUNT, LIST))
    table = pa.table(
        {
            "row": pa.array([0], pa.uint32()),
            "time": pa.array([30]).cast(TIME),
            "property.list": pa.array(["news"]),
        }
    )
    stored = Parts(EventIndex.build(table, 1, before).parts("e/"))
    for index in (EventIndex.build(table, 1, after), EventIndex.from_parts(stored, "e/", after)):
        assert index.to_arrow()["property.amount"].to_pylist() == [None]
        assert index.to_arrow()["property.list"].to_pylist() == ["news"]
        assert list(index.check()) == []


def test_check_names_repeated_ids_and_lengths(large: EventIndex) -> None:
    """An event that is there twice, and columns of another length than the log, are found."""
    table = pa.table(
        {
            "row": pa.array([3, 3], pa.uint32()),
            "time": pa.array([30, 31]).cast(TIME),
            "id": pa.array(["a", "a"]),
        }
    )
    index = EventIndex.build(table, 4, EVENT)
    assert list(index.check()) == ["event ids: 1 events have the row and id of another"]
    short = dataclasses.replace(large, ids=index.ids, properties=index.properties)
    assert list(short.check()) == [
        "property value: 2 values for 300000 events",
        "event ids: 2 for 300000 events",
    ]


@example(EventWorld(1, ()))
@given(worlds().map(lambda drawn: drawn[0]))
@settings(max_examples=30, deadline=None)
def test_budgets_change_no_answer(world: EventWorld) -> None:
    """With any budgets the same rows are found; only memory differs."""
    indexes = [build(world, tuning) for tuning in TUNINGS]
    for n in (1, 2, 5, 256):
        assert len({frozenset(index.at_least(n, EVER)) for index in indexes}) == 1
