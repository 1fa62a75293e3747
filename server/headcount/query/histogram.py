"""
Histograms: the members of a segment in ranges of a number or a time.

    equal width    [0, 50)  [50, 100)  ...  [950, 1000]     numbers; the last range has its end
    calendar       October, November, December 2026          days; instants in the query's time zone
    edges          [0, 10)  [10, 100)  [100, 1000]           as they are given

Ranges lie side by side and every member with a value between the ends is in exactly one; values
beyond the ends, where these were given, are counted apart. Ranges that nobody is in are there too.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.answers import Scalar
from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.model.errors import Reason, UserError
from headcount.query.bound import QueryWarning
from headcount.query.clock import Clock, OutOfCalendarError, to_date, to_day, to_micros
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.query.expressions import Kind
from headcount.query.grouping import By, Grouping, grouping
from headcount.query.tree import Duration, Unit

RANGES = 20
MOST_RANGES = 5_000

End = float | dt.date | dt.datetime  # of the kind of the value; a datetime has a time zone


@dataclass(frozen=True, slots=True)
class EqualWidth:
    """So many ranges of one width, from *low* to *high*: by default the least to the greatest."""

    ranges: int = RANGES
    low: End | None = None
    high: End | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days, weeks (from Monday), months, quarters or years, from *low*'s to *high*'s."""

    unit: Unit
    low: End | None = None
    high: End | None = None


@dataclass(frozen=True, slots=True)
class Edges:
    """Ranges from each edge to the next, at least two edges, ascending."""

    edges: tuple[End, ...]


Layout = EqualWidth | Calendar | Edges


@dataclass(frozen=True, slots=True)
class Bucket:
    """The members whose value v is low <= v < high, or with `closed` low <= v <= high."""

    low: Scalar
    high: Scalar
    closed: bool
    count: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """
    The members of a segment by ranges of a value; `beyond` are those outside of all `buckets`.

    `count` is the size of the segment, `missing` how many have no value.
    """

    by: str
    count: int
    missing: int
    beyond: int
    buckets: tuple[Bucket, ...]
    warnings: tuple[QueryWarning, ...]

    @property
    def missing_share(self) -> float:
        """Return the share of members without a value, 0 to 1; 0 of an empty segment."""
        return self.missing / self.count if self.count else 0.0


def histogram(
    engine: Engine, query: Query, by: By, context: QueryContext, layout: Layout | None = None
) -> Histogram:
    """
    Return the histogram of a segment by a number or a time.

    Without a *layout* it is 20 ranges of equal width. Besides the segment itself 20 ms for 2^20
    members; 10 to 20 more where the least and the greatest are not given.

    Raises:
        UserError: the segment, the value or the layout is not valid, or `context.check` ended it.
    """
    layout = layout or EqualWidth()
    group = grouping(engine, by, context)
    _require_fitting(group, layout)
    prepared = engine.prepared(query, context)
    found = [(b, rows) for b, rows in engine.members(query, context) if rows]
    edges = _edges(group, layout, found, context)
    closed = group.kind.is_numeric  # days and instants are whole: their last edge is one beyond
    counts = np.zeros(max(0, len(edges) - 1), dtype=np.int64)
    present = 0
    for values in _values(group, found, context):
        present += len(values)
        counts += _counted(values, edges, closed=closed)
    size = sum(len(rows) for _, rows in found)
    buckets = [
        _bucket(group, *ends, n) for ends, n in zip(pairwise(edges), counts.tolist(), strict=True)
    ]
    if buckets and closed:
        buckets[-1] = replace(buckets[-1], closed=True)
    return Histogram(
        by=group.text,
        count=size,
        missing=size - present,
        beyond=present - int(counts.sum()),
        buckets=tuple(buckets),
        warnings=prepared.warnings,
    )


def _bucket(group: Grouping, low: float, high: float, count: int) -> Bucket:
    """Return a range; one that reaches beyond the calendar ends with its last value."""
    try:
        return Bucket(group.plain(low), group.plain(high), False, int(count))
    except OutOfCalendarError:
        return Bucket(group.plain(low), group.plain(high - 1), True, int(count))


Found = Sequence[tuple[Block, BitMap]]
Numbers = npt.NDArray[np.float64] | npt.NDArray[np.int64]


def _values(group: Grouping, found: Found, context: QueryContext) -> Iterator[Numbers]:
    """Yield the values of the members of each block that have one."""
    for block, rows in found:
        context.check()
        held = group.vector(block, bitmaps.to_rows(rows))
        values = held.values[held.present]
        yield values.astype(np.float64, copy=False) if group.kind.is_numeric else values


def _counted(values: Numbers, edges: Sequence[float], *, closed: bool) -> npt.NDArray[np.int64]:
    """Return how many of *values* are in each range; with *closed* the last edge is in the last."""
    ranges = max(0, len(edges) - 1)
    if not ranges or not len(values):
        return np.zeros(ranges, dtype=np.int64)
    bounds = np.array(edges, dtype=values.dtype)
    place = np.searchsorted(bounds, values, side="right") - 1
    if closed:
        place[values == bounds[-1]] = ranges - 1
    inside = place[(place >= 0) & (place < ranges)]
    return np.bincount(inside, minlength=ranges)


# --- edges ------------------------------------------------------------------------------------


def _require_fitting(group: Grouping, layout: Layout) -> None:
    """Refuse a layout that the value's kind cannot have."""
    if not (group.kind.is_numeric or group.kind.is_time):
        raise UserError(
            Reason.TYPE_MISMATCH,
            f"a histogram needs a number or a time, but `{group.text}` is {group.kind}; ask for a"
            " breakdown by its values",
        )
    match layout:
        case EqualWidth(ranges) if not 1 <= ranges <= MOST_RANGES:
            message = f"expected 1 to {MOST_RANGES:,} ranges, found {ranges:,}"
            raise UserError(Reason.INVALID_VALUE, message)
        case Calendar(unit):
            if not group.kind.is_time:
                raise UserError(
                    Reason.TYPE_MISMATCH,
                    f"only a time has {unit}s, but `{group.text}` is {group.kind}; ask for ranges"
                    " of equal width",
                )
            if unit in (Unit.MINUTE, Unit.HOUR):
                message = f"expected days, weeks, months, quarters or years, found {unit}s"
                raise UserError(Reason.INVALID_VALUE, message)
        case Edges(edges) if not 2 <= len(edges) <= MOST_RANGES + 1:
            message = f"expected 2 to {MOST_RANGES + 1:,} edges, found {len(edges):,}"
            raise UserError(Reason.INVALID_VALUE, message)


def _edges(group: Grouping, layout: Layout, found: Found, context: QueryContext) -> list[float]:
    """Return the edges of the ranges; none if there is nothing to lay them out by."""
    if isinstance(layout, Edges):
        edges = [_number(group, end)[0] for end in layout.edges]
        if any(low >= high for low, high in pairwise(edges)):
            raise UserError(Reason.INVALID_VALUE, "expected edges that rise from one to the next")
        return edges
    low = None if layout.low is None else _number(group, layout.low)[0]
    high = None if layout.high is None else _number(group, layout.high)[1]
    if low is None or high is None:
        least, greatest = _extremes(group, found, context)
        low = least if low is None else low
        high = greatest if high is None else high
    if low is None or high is None:
        return []
    if low > high:
        if layout.low is not None and layout.high is not None:
            raise UserError(Reason.INVALID_VALUE, "expected a low end that is not above the high")
        return []  # everybody is beyond the end that was given
    if isinstance(layout, Calendar):
        return _calendar(group, layout.unit, int(low), int(high))
    return _equal(layout.ranges, low, high, whole=group.kind.is_time)


def _extremes(
    group: Grouping, found: Found, context: QueryContext
) -> tuple[float | None, float | None]:
    """Return the least and the greatest value of all members."""
    least: float | None = None
    greatest: float | None = None
    for values in _values(group, found, context):
        if len(values):
            low, high = values.min().item(), values.max().item()
            least = low if least is None else min(least, low)
            greatest = high if greatest is None else max(greatest, high)
    return least, greatest


def _equal(ranges: int, low: float, high: float, *, whole: bool) -> list[float]:
    """Return the edges of ranges of equal width; of whole numbers, up to one above *high*."""
    if whole:
        first, span = int(low), int(high) + 1 - int(low)
        return sorted({first + span * place // ranges for place in range(ranges + 1)})
    if low == high:
        return [low, high]
    shares = (place / ranges for place in range(ranges + 1))
    inner = {low * (1 - share) + high * share for share in shares}
    return [low, *sorted(edge for edge in inner if low < edge < high), high]


def _calendar(group: Grouping, unit: Unit, low: int, high: int) -> list[float]:
    """Return the starts of the periods from that of *low* to that of *high*, and the end of it."""
    clock = group.clock
    instants = group.kind is Kind.INSTANT
    try:
        first, last = (clock.day_of(low), clock.day_of(high)) if instants else (low, high)
    except OutOfCalendarError:
        message = f"`{group.text}` has times that are no day here; give a low and a high end"
        raise UserError(Reason.INVALID_VALUE, message) from None
    days = [_period_start(first, unit)]
    while days[-1] <= last:
        if len(days) > MOST_RANGES:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"there would be more than {MOST_RANGES:,} {unit}s from {to_date(first)} to"
                f" {to_date(last)}; give a low and a high end, or ask for longer periods",
            )
        days.append(_after(clock, days[-1], unit))
    if not instants:
        return list(days)
    return [*map(clock.day_start, days[:-1]), clock.day_end(days[-1] - 1) + 1]


def _after(clock: Clock, day: int, unit: Unit) -> int:
    """Return the first day of the next period; after the last, the day that no calendar has."""
    try:
        return clock.step_day(day, Duration(1, unit), 1)
    except OutOfCalendarError:
        return to_day(dt.date.max) + 1


def _period_start(day: int, unit: Unit) -> int:
    date = to_date(day)
    match unit:
        case Unit.WEEK:
            return day - date.weekday()
        case Unit.MONTH:
            return to_day(date.replace(day=1))
        case Unit.QUARTER:
            return to_day(date.replace(month=(date.month - 1) // 3 * 3 + 1, day=1))
        case Unit.YEAR:
            return to_day(date.replace(month=1, day=1))
    return day


def _number(group: Grouping, end: End) -> tuple[float, float]:
    """Return the least and greatest number or time that *end* stands for: a day is all of it."""
    kind, clock = group.kind, group.clock
    is_day = isinstance(end, dt.date) and not isinstance(end, dt.datetime)
    if kind.is_numeric and isinstance(end, int | float) and not isinstance(end, bool):
        if math.isfinite(end):
            return end, end
    elif kind is Kind.DATE and isinstance(end, dt.date) and is_day:
        return to_day(end), to_day(end)
    elif kind is Kind.INSTANT and isinstance(end, dt.date):
        if isinstance(end, dt.datetime):
            if end.tzinfo is not None:
                return to_micros(end), to_micros(end)
        else:
            return clock.day_start(to_day(end)), clock.day_end(to_day(end))
    raise UserError(
        Reason.TYPE_MISMATCH,
        f"`{group.text}` is {kind}, so the ends of its ranges are {_WANTED[kind]}, not {end!r}",
    )


_WANTED = {
    Kind.NUMBER: "finite numbers",
    Kind.DAYS: "finite numbers",
    Kind.DATE: "dates",
    Kind.INSTANT: "dates, or datetimes with a time zone",
}
