"""What is said to be read is what is read: arrays and bitmaps that note it are put in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.events import EventIndex, Path
from headcount.index.interval import EVER, Interval
from headcount.index.postings import Postings
from headcount.index.ranges import RangeIndex
from headcount.index.text import TextIndex
from headcount.index.tuning import Tuning
from headcount.model.schema import EventType, Field, FieldType

ROWS = 120_000


class Watched(np.ndarray[Any, Any]):
    """An array that adds up the bytes of what is taken out of it, in `read`."""

    read: list[int]

    def __getitem__(self, key: Any) -> Any:
        found = np.asarray(self)[key]
        if isinstance(found, np.ndarray):
            self.read.append(found.nbytes)
        return found


class WatchedBitmaps(list[BitMap]):
    """A list that adds up the bytes of the bitmaps that are taken out of it, in `read`."""

    read: list[int]

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.read += map(bitmaps.payload, found if isinstance(key, slice) else [found])
        return found


def watched(values: npt.NDArray[Any], read: list[int]) -> Watched:
    """Return *values* as an array that notes what is read of it."""
    found = values.view(Watched)
    found.read = read
    return found


def watched_bitmaps(held: list[BitMap], read: list[int]) -> WatchedBitmaps:
    """Return *held* as a list that notes what is read of it."""
    found = WatchedBitmaps(held)
    found.read = read
    return found


@pytest.mark.parametrize("distinct", [40, 3_000, 10**9])
def test_a_range_says_what_it_reads(distinct: int) -> None:
    """For any two ranks: bins, prefixes and rows of the order, and nothing for a shared bitmap."""
    dice = np.random.default_rng(distinct)
    values = dice.integers(0, distinct, ROWS).astype(np.float64)
    index, plain = RangeIndex.build(values), RangeIndex.build(values)
    read: list[int] = []
    index.order = watched(index.order, read)
    index.bins = watched_bitmaps(index.bins, read)
    index.prefixes = watched_bitmaps(index.prefixes, read)
    solid = 2 * bitmaps.payload(bitmaps.solid(ROWS))
    for start, stop in np.sort(dice.integers(0, ROWS + 1, (300, 2))).tolist():
        read.clear()
        found = index.at_ranks(start, stop)
        said = plain.touched(start, stop)
        if any(found is held for held in [*list(index.bins), *list(index.prefixes)]):
            assert said == 0
        else:
            assert said in (sum(read), sum(read) + solid), (start, stop)


def events(size: int, rows: int) -> EventIndex:
    """Return an index of random events with checkpoints, and newest times for some depth."""
    dice = np.random.default_rng(7)
    table = pa.table(
        {
            "row": dice.integers(0, rows, size).astype(np.uint32),
            "time": pa.array(dice.integers(0, 10**6, size) * 1_000_000).cast(
                pa.timestamp("us", tz="UTC")
            ),
        }
    )
    return EventIndex.build(table, rows, EventType("opened"), Tuning(gap=1000, recency_bytes=8.0))


def test_event_paths_say_what_they_read() -> None:
    """Checkpoints and stretches of the log, whatever window is asked for."""
    index = events(100_000, 20_000)
    read: list[int] = []
    seen = replace(
        index,
        log=replace(index.log, rows=watched(index.log.rows, read)),
        tallies=replace(index.tallies, counts=watched(index.tallies.counts, read)),
    )
    dice = np.random.default_rng(8)
    used = set()
    for low, high in np.sort(dice.integers(0, 10**12, (200, 2))).tolist():
        for n in (1, 2, 5):
            window = Interval(low, high)
            path = index.paths(n, window)[0]
            read.clear()
            seen.at_least(n, window)
            if path is not Path.RECENCY:
                assert index.touched(n, window) == sum(read), (path, n, window)
            used.add(path)
        read.clear()
        seen.counts(window)
        assert index.touched(None, window) == sum(read)
    assert Path.TALLIES in used
    assert index.touched(1, EVER) > 0
    assert index.touched(10**6, EVER) == 0, "nobody has so many, so nothing is read"


def test_postings_say_what_they_read() -> None:
    """One frequent value is handed out; others are read, four bytes a row in the tail."""
    codes = np.repeat(np.arange(3), [50_000, 40_000, 5])
    postings = Postings.build(codes, np.arange(len(codes)), 3, 100_000)
    assert postings.touched([0]) == 0
    assert postings.touched([2]) == 4 * 5
    whole = sum(bitmaps.payload(postings.get(code)) for code in (0, 1))
    assert postings.touched([0, 1, 2]) == whole + 4 * 5
    assert postings.touched([]) == 0


def test_texts_say_what_they_read() -> None:
    """Rows of trigrams, and the keys of the candidates; all keys where nothing narrows."""
    texts = pa.array([f"person{n}@example.org" for n in range(5_000)] + ["zebra"])
    index = TextIndex.build(texts, Field("email", FieldType.TEXT))
    zebra = index.touched("zebra")
    assert zebra == bitmaps.payload(BitMap([5_000])) + len("zebra") + 2 * 4
    assert index.touched("zeb", decides=True) == bitmaps.payload(BitMap([5_000]))
    assert index.touched("ze") == index.keys.nbytes
    assert index.touched("qqq") == 0
    assert index.touched("example.org") > index.keys.nbytes


def test_the_watch_would_see_a_mistake() -> None:
    """The control: what is read is noted, so a figure that leaves half of it out is found."""
    read: list[int] = []
    array = watched(np.arange(100, dtype=np.uint32), read)
    assert array[10:20].sum() == 145
    assert array[50:].nbytes == 200
    assert sum(read) == 240
