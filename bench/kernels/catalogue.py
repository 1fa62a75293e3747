"""
The kernels: what nearly all time of a query or a write goes into, each on one block of 2^20 rows.

A kernel is a function that prepares its operands and returns the call to be timed. Indexes are
asked directly; where the evaluation adds something of its own (a computed condition, a sequence,
conditions on properties), one condition is counted by an engine that remembers no results.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from bench.kernels.data import DAY_US, NOW_US, block, view
from headcount.index import bitmaps
from headcount.index.block import BLOCK_ROWS
from headcount.index.events import EventIndex, Path
from headcount.index.interval import Interval
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.pattern import Pattern
from headcount.index.ranges import RangeIndex
from headcount.index.text import TextIndex
from headcount.index.view import Version
from headcount.live.draft import Draft
from headcount.model.changes import Changes, ContactStep, EventStep, FieldUpdate
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.results import Results

Call = Callable[[], object]
Kernel = Callable[[], Call]

KERNELS: dict[str, Kernel] = {}


def kernel(name: str) -> Callable[[Kernel], Kernel]:
    """Register a kernel under *name*, by which a baseline knows it."""

    def add(prepare: Kernel) -> Kernel:
        assert name not in KERNELS, name
        KERNELS[name] = prepare
        return prepare

    return add


def _keyword(name: str) -> KeywordIndex:
    index = block().fields[name]
    assert isinstance(index, KeywordIndex)
    return index


def _range(name: str) -> RangeIndex:
    index = block().fields[name]
    assert isinstance(index, RangeIndex)
    return index


def _text() -> TextIndex:
    index = block().fields["email"]
    assert isinstance(index, TextIndex)
    return index


def _events(name: str) -> EventIndex:
    return block().events[name]


def _last(days: int) -> Interval:
    return Interval(NOW_US - days * DAY_US + 1, NOW_US)


_YEAR_AGO = Interval(NOW_US - 500 * DAY_US, NOW_US - 135 * DAY_US)


@cache
def _engine() -> Engine:
    return Engine(view(), Results(0))


def _counted(segment: str) -> Call:
    """Return a call that counts a segment whose text was bound and planned before."""
    engine, context = _engine(), QueryContext(NOW_US, ZoneInfo("UTC"))
    return lambda: engine.size(segment, context)


# --- bitmaps ----------------------------------------------------------------------------------


@kernel("intersection count of two dense bitmaps")
def _() -> Call:
    one = _keyword("country").equal(["c00"])
    other = _range("signed_up_at").between(NOW_US - 365 * DAY_US, None)
    assert len(one) > BLOCK_ROWS // 4, "C00 is everybody's country"
    return lambda: one.intersection_cardinality(other)


@kernel("intersection of a dense and a sparse bitmap")
def _() -> Call:
    one, other = _keyword("country").equal(["c00"]), _keyword("city").equal(["city 7"])
    return lambda: one & other


@kernel("difference of two dense bitmaps")
def _() -> Call:
    one = _range("signed_up_at").between(NOW_US - 365 * DAY_US, None)
    other = _keyword("country").equal(["c00"])
    return lambda: one - other


@kernel("mask to bitmap, half of the rows")
def _() -> Call:
    mask = np.random.default_rng(1).random(BLOCK_ROWS) < 0.5
    return lambda: bitmaps.from_mask(mask)


@kernel("mask to bitmap, 5% of the rows")
def _() -> Call:
    mask = np.random.default_rng(2).random(BLOCK_ROWS) < 0.05
    return lambda: bitmaps.from_mask(mask)


@kernel("bitmap to mask")
def _() -> Call:
    held = _range("signed_up_at").between(NOW_US - 365 * DAY_US, None)
    return lambda: bitmaps.to_mask(held, BLOCK_ROWS)


@kernel("bitmap to rows")
def _() -> Call:
    held = _range("signed_up_at").between(NOW_US - 365 * DAY_US, None)
    return lambda: bitmaps.to_rows(held)


@kernel("100,000 sorted rows to bitmap")
def _() -> Call:
    rows = np.arange(0, BLOCK_ROWS, BLOCK_ROWS // 100_000, dtype=np.uint32)
    return lambda: bitmaps.from_sorted(rows)


# --- fields -----------------------------------------------------------------------------------


@kernel("keyword: one value")
def _() -> Call:
    index = _keyword("country")
    return lambda: index.equal(["c00"])


@kernel("keyword: union of 20 values")
def _() -> Call:
    index, keys = _keyword("country"), [f"c{n:02}" for n in range(20)]
    return lambda: index.equal(keys)


@kernel("keyword: union of 1,000 rare values")
def _() -> Call:
    index, keys = _keyword("city"), [f"city {n}" for n in range(0, 3_000, 3)]
    return lambda: index.equal(keys)


@kernel("labels: both of two")
def _() -> Call:
    index = block().fields["label"]
    assert isinstance(index, KeywordsIndex)
    return lambda: index.all_of(["label 1", "label 2"])


@kernel("number: range as a bitmap")
def _() -> Call:
    index = _range("total_spent")
    return lambda: index.between(50.0, 250.0)


@kernel("number: range as a count")
def _() -> Call:
    index = _range("total_spent")
    return lambda: index.count_between(50.0, 250.0)


@kernel("datetime: window as a bitmap")
def _() -> Call:
    index = _range("signed_up_at")
    return lambda: index.between(NOW_US - 90 * DAY_US, NOW_US - 30 * DAY_US)


@kernel("text: contains, a few rows")
def _() -> Call:
    index, pattern = _text(), Pattern("contains", "tanaka77")
    return lambda: index.match(pattern)


@kernel("text: contains, one row in thirteen")
def _() -> Call:
    index, pattern = _text(), Pattern("contains", "tanaka")
    return lambda: index.match(pattern)


@kernel("text: equal")
def _() -> Call:
    index = _text()
    (key,) = index.keys.take(np.array([777_777])).to_pylist()
    return lambda: index.equal([key])


@kernel("calendar: month of a date")
def _() -> Call:
    return _counted("month(birthday) = 3")


@kernel("calculated: a quotient compared")
def _() -> Call:
    return _counted("total_spent / lead_score > 5")


@kernel("calculated: two fields compared")
def _() -> Call:
    return _counted("total_spent > lead_score * 3 + 1")


# --- events -----------------------------------------------------------------------------------


@kernel("events: at least one in the last 30 days")
def _() -> Call:
    index, window = _events("opened"), _last(30)
    return lambda: index.at_least(1, window)


@kernel("events: at least three in the last 30 days")
def _() -> Call:
    index, window = _events("opened"), _last(30)
    return lambda: index.at_least(3, window)


@kernel("events: at least three in a past year")
def _() -> Call:
    index = _events("opened")
    return lambda: index.at_least(3, _YEAR_AGO)


for _path in (Path.RECENCY, Path.TALLIES, Path.COUNT):

    @kernel(f"events: at least one in the last 7 days, by {_path}")
    def _(path: Path = _path) -> Call:
        index, window = _events("opened"), _last(7)
        assert path in index.paths(1, window), path
        return lambda: index.at_least(1, window, path=path)


@kernel("events: counts of a past year")
def _() -> Call:
    index = _events("opened")
    return lambda: index.counts(_YEAR_AGO)


@kernel("events: newest up to a month ago")
def _() -> Call:
    index, until = _events("purchase"), Interval(0, NOW_US - 30 * DAY_US)
    return lambda: index.newest(until)


@kernel("events: properties scanned, 0.5M events")
def _() -> Call:
    return _counted('did purchase where (category = "category 3" and amount > 20) in last 365 days')


@kernel("events: sum of a property, 0.1M events")
def _() -> Call:
    return _counted("sum(purchase.amount in last 90 days) > 100")


@kernel("events: one then another")
def _() -> Call:
    return _counted("did opened then did purchase within 7 days")


# --- plans, members, writes -------------------------------------------------------------------


@kernel("count of six conditions, planned")
def _() -> Call:
    return _counted(
        "(country in (C00, C01, C02) or city in ('city 1', 'city 2')) and total_spent between 50"
        ' and 500 and label contains "label 1" and signed_up_at within last 365 days'
        " and not vip = true"
    )


@kernel("parse, bind and plan six conditions")
def _() -> Call:
    numbers = iter(range(10**9))
    engine, context = _engine(), QueryContext(NOW_US, ZoneInfo("UTC"))
    text = (
        "(country in (C00, C01, C02) or city in ('city 1', 'city 2')) and total_spent between {}"
        ' and 500000 and label contains "label 1" and signed_up_at within last 365 days'
        " and not vip = true"
    )
    return lambda: engine.prepared(text.format(next(numbers)), context).plan


@kernel("gather: ids of 100,000 rows")
def _() -> Call:
    rows = np.arange(0, BLOCK_ROWS, BLOCK_ROWS // 100_000, dtype=np.uint32)
    ids = block().ids
    return lambda: ids.take(rows)


@kernel("gather: a number of 100,000 rows")
def _() -> Call:
    rows = np.arange(0, BLOCK_ROWS, BLOCK_ROWS // 100_000, dtype=np.uint32)
    return lambda: block().column("total_spent", rows)


@kernel("extract: 100 contacts, one field and one event type read")
def _() -> Call:
    ordinals = np.arange(0, BLOCK_ROWS, BLOCK_ROWS // 100)[:100]

    def call() -> object:
        (small,) = view().extract(ordinals).blocks
        return small.fields["country"], small.events["opened"]

    return call


@kernel("look up 1,000 ids")
def _() -> Call:
    ids = pa.array([f"c{n * 1_000:09}" for n in range(1_000)])
    return lambda: view().lookup(ids)


@kernel("apply: a field of one contact")
def _() -> Call:
    return _applied(1)


@kernel("apply: a field of 1,000 contacts")
def _() -> Call:
    return _applied(1_000)


@kernel("apply: 1,000 events")
def _() -> Call:
    size = 1_000
    places = np.arange(size, dtype=np.uint32)
    ids = pa.array([f"c{n * 1_000:09}" for n in range(size)])
    times = pa.array(NOW_US - np.arange(size) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
    return _drafted(EventStep(places, "opened", ids, pa.table({"time": times})))


def _applied(size: int) -> Call:
    places = np.arange(size, dtype=np.uint32)
    ids = pa.array([f"c{n * 1_000:09}" for n in range(size)])
    scores = FieldUpdate(places, pa.array(places.astype(np.float64)))
    return _drafted(ContactStep(places, ids, False, {"lead_score": scores}))


def _drafted(step: ContactStep | EventStep) -> Call:
    def call() -> object:
        draft = Draft(view())
        draft.take_all(Changes((step,)), NOW_US)
        return draft.finish(Version(1, 2)).view

    return call
