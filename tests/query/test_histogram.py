"""Histograms against the oracle: ranges that lie side by side, and who is in each."""

from __future__ import annotations

import datetime as dt
import os
from itertools import pairwise

import numpy as np
import pytest

from headcount.model.errors import Reason, UserError
from headcount.query import histogram as histogram_module
from headcount.query import tree
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.histogram import (
    Bucket,
    Calendar,
    Edges,
    EqualWidth,
    Histogram,
    Layout,
    histogram,
)
from headcount.query.tree import Unit
from support import oracle_time
from support.compare import Case
from support.dice import Dice
from support.engines import Engines, context_at, view_of
from support.held import Held, Plain, grouped_cases
from support.shop import AS_OF, SHOP
from support.worlds import World

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 2
CONTEXT = context_at(AS_OF, "Europe/Berlin")
UTC = dt.UTC
NAIVE = AS_OF.replace(tzinfo=None)


def ask(by: str, layout: Layout | None = None, query: str = "everyone") -> Histogram:
    """Return a histogram of the shop, two contacts a block."""
    return histogram(Engine(view_of(SHOP, 2)), query, by, CONTEXT, layout)


# --- against the oracle -----------------------------------------------------------------------


def utc(value: object) -> Plain:
    """Return an end of a bucket, an instant in UTC."""
    assert isinstance(value, str | float | bool | dt.date)
    return value.astimezone(UTC) if isinstance(value, dt.datetime) else value


def is_in(value: Plain, bucket: Bucket) -> bool:
    """Return whether a value is in a bucket."""
    low, high = utc(bucket.low), utc(bucket.high)
    return low <= value <= high if bucket.closed else low <= value < high  # type: ignore[operator]


def faults(case: Case, by: tree.Value, layout: Layout, found: Histogram) -> list[str]:
    """Return what is wrong with a histogram."""
    held = Held(case, by)
    members = case.expected()
    values = [held.plain(contact) for contact in members if not held.is_missing(contact)]
    there = [value for value in values if value is not None]
    wrong = []
    if (found.count, found.missing) != (len(members), len(members) - len(there)):
        wrong.append("count or missing")
    inside = [sum(is_in(value, bucket) for value in there) for bucket in found.buckets]
    if inside != [bucket.count for bucket in found.buckets]:
        wrong.append(f"the buckets hold {inside}")
    if found.beyond != len(there) - sum(inside):
        wrong.append(f"beyond is {len(there) - sum(inside)}")
    if any(a.high != b.low for a, b in pairwise(found.buckets)):
        wrong.append("there are gaps")
    if not found.buckets:
        return [*wrong, "no buckets"] if there else wrong
    lows = [utc(bucket.low) for bucket in found.buckets]
    if found.beyond:
        wrong.append("some are beyond the least and the greatest")
    if isinstance(layout, Calendar):
        wrong += calendar_faults(lows, layout.unit, case.zone)
    elif lows[0] != min(there) or len(lows) > layout.ranges:  # type: ignore[type-var, union-attr]
        wrong.append("not from the least, or too many")
    return wrong


def calendar_faults(lows: list[Plain], unit: Unit, zone: str) -> list[str]:
    """Return the buckets that do not begin where a period begins."""
    wrong = []
    for low in lows:
        assert isinstance(low, dt.date)
        day = low
        if isinstance(low, dt.datetime):
            day = oracle_time.day_of(low, oracle_time.ZoneInfo(zone))
            if oracle_time.start_of_day(day, oracle_time.ZoneInfo(zone)) != low:
                wrong.append(f"{low} is not the start of a day")
        first = {
            Unit.DAY: True,
            Unit.WEEK: day.weekday() == 0,
            Unit.MONTH: day.day == 1,
            Unit.QUARTER: day.day == 1 and day.month in (1, 4, 7, 10),
            Unit.YEAR: day.day == 1 and day.month == 1,
        }
        # A zone may skip a day; the period then starts with the next.
        if not first[unit] and not isinstance(low, dt.datetime):
            wrong.append(f"{low} is not the start of a {unit}")
    return wrong


def layouts(dice: Dice) -> list[Layout]:
    """Return some layouts, one of which fits whatever is asked."""
    unit = dice.pick((Unit.YEAR, Unit.QUARTER, Unit.MONTH, Unit.WEEK, Unit.DAY))
    return [EqualWidth(dice.pick((1, 2, 7, 20))), Calendar(unit)]


def disagreement(seed: int, count: int) -> str | None:
    """Return a histogram that is not what the oracle says; count those that were made."""
    engines, dice, made = Engines(), Dice(seed), 0
    for case, by in grouped_cases(seed, count):
        context = context_at(case.as_of, case.zone)
        for layout in layouts(dice):
            try:
                found = histogram(engines.over(case.world), case.segment, by, context, layout)
            except UserError as error:
                if error.reason not in (Reason.TYPE_MISMATCH, Reason.LIMIT_EXCEEDED):
                    raise
                continue
            made += 1
            wrong = faults(case, by, layout, found)
            if wrong:
                return f"{canonical(by)} of {canonical(case.segment)}, {layout}: {wrong}\n{found}"
    assert made * 3 > count
    return None


@pytest.mark.parametrize("run", range(4))
def test_histograms_are_the_oracles(run: int) -> None:
    """Every member is in its range, of fields and of computed numbers and times."""
    assert disagreement(SEED * 4 + run + 90, SEGMENTS // 4) is None


@pytest.mark.parametrize("mistake", ["side", "last"])
def test_a_mistake_shows(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value on an edge that falls into the wrong range is seen by the same test."""
    right = histogram_module._counted

    def wrong(values: np.ndarray, edges: list[float], *, closed: bool) -> np.ndarray:
        if mistake == "last":
            return right(values, edges, closed=False)
        return right(np.nextafter(values.astype(float), -np.inf), edges, closed=closed)

    monkeypatch.setattr(histogram_module, "_counted", wrong)
    assert disagreement(5, 60) is not None


# --- by hand ----------------------------------------------------------------------------------


def test_ranges_of_equal_width_end_with_the_greatest() -> None:
    """The last range holds its end, so that the greatest value is in one."""
    found = ask("orders", EqualWidth(2))
    assert found.buckets == (Bucket(0.0, 4.0, False, 3), Bucket(4.0, 8.0, True, 1))
    assert (found.count, found.missing, found.beyond) == (6, 2, 0)
    assert found.missing_share == pytest.approx(1 / 3)


def test_what_is_beyond_given_ends_is_counted_apart() -> None:
    """Ends that are given hold, whatever the values."""
    found = ask("orders", EqualWidth(2, low=1, high=5))
    assert found.buckets == (Bucket(1.0, 3.0, False, 1), Bucket(3.0, 5.0, True, 1))
    assert found.beyond == 2
    assert [b.count for b in ask("orders", EqualWidth(3, low=100, high=200)).buckets] == [0, 0, 0]
    assert ask("orders", EqualWidth(3, low=100)).buckets == ()
    assert ask("orders", EqualWidth(3, low=100)).beyond == 4


def test_one_value_is_one_range() -> None:
    """There is nothing to divide."""
    assert ask("orders", None, "orders = 8").buckets == (Bucket(8.0, 8.0, True, 1),)


def test_edges_are_taken_as_given() -> None:
    """Ranges may be of any width."""
    found = ask("spent", Edges((0.0, 1.0, 100.0, 1000.0)))
    assert [bucket.count for bucket in found.buckets] == [1, 1, 2]
    assert found.buckets[-1].closed


def test_months_are_those_of_the_time_zone() -> None:
    """A calendar period begins with its first day in the zone; empty ones are there too."""
    found = ask("signed_up", Calendar(Unit.YEAR))
    assert [(str(b.low), b.count) for b in found.buckets] == [
        ("2025-01-01 00:00:00+01:00", 1),
        ("2026-01-01 00:00:00+01:00", 2),
    ]
    found = ask("signed_up", Calendar(Unit.MONTH, low=dt.date(2026, 3, 15)))
    assert [(str(b.low)[:10], b.count) for b in found.buckets] == [
        ("2026-03-01", 0),
        ("2026-04-01", 0),
        ("2026-05-01", 2),
    ]
    assert found.beyond == 1


def test_days_and_weeks_of_dates() -> None:
    """A date is a calendar day; weeks begin on Monday."""
    found = ask("born", Calendar(Unit.WEEK, dt.date(1990, 5, 9), dt.date(1990, 5, 9)))
    assert found.buckets == (Bucket(dt.date(1990, 5, 7), dt.date(1990, 5, 14), False, 1),)
    assert found.beyond == 2


def test_the_end_of_the_calendar_is_an_end() -> None:
    """Dates that mean "never" are in the last range, which then holds its end."""
    contacts = {"a": {"born": dt.date(9999, 12, 31)}, "b": {"born": dt.date(9990, 1, 1)}}
    engine = Engine(view_of(World(SHOP.schema, contacts, [])))
    for layout in (Calendar(Unit.YEAR), EqualWidth(10), Calendar(Unit.MONTH)):
        found = histogram(engine, "everyone", "born", CONTEXT, layout)
        assert sum(bucket.count for bucket in found.buckets) == 2
        assert found.buckets[-1].high == dt.date(9999, 12, 31)
        assert found.buckets[-1].closed
        assert found.buckets[-1].count == 1


@pytest.mark.parametrize(
    ("by", "layout", "reason", "message"),
    [
        ("plan", None, Reason.TYPE_MISMATCH, "needs a number or a time, but `plan` is text"),
        ("vip", None, Reason.TYPE_MISMATCH, "`vip` is true or false; ask for a breakdown"),
        ("spent", Calendar(Unit.DAY), Reason.TYPE_MISMATCH, "only a time has days"),
        ("born", Calendar(Unit.HOUR), Reason.INVALID_VALUE, "found hours"),
        ("spent", EqualWidth(0), Reason.INVALID_VALUE, "expected 1 to 5,000 ranges, found 0"),
        ("spent", EqualWidth(5001), Reason.INVALID_VALUE, "found 5,001"),
        ("spent", Edges((1.0,)), Reason.INVALID_VALUE, "expected 2 to 5,001 edges, found 1"),
        ("spent", Edges((1.0, 1.0)), Reason.INVALID_VALUE, "edges that rise"),
        ("spent", EqualWidth(2, 5, 4), Reason.INVALID_VALUE, "a low end that is not above"),
        ("spent", EqualWidth(2, float("nan")), Reason.TYPE_MISMATCH, "finite numbers, not nan"),
        ("spent", EqualWidth(2, dt.date(2026, 1, 1)), Reason.TYPE_MISMATCH, "are finite numbers"),
        ("born", EqualWidth(2, 5), Reason.TYPE_MISMATCH, "are dates, not 5"),
        ("born", EqualWidth(2, AS_OF), Reason.TYPE_MISMATCH, "are dates"),
        ("signed_up", EqualWidth(2, NAIVE),
         Reason.TYPE_MISMATCH, "datetimes with a time zone"),
        ("born", Calendar(Unit.DAY), Reason.LIMIT_EXCEEDED,
         "more than 5,000 days from 1984-02-29 to 2000-12-31; give a low and a high end"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    by: str, layout: Layout | None, reason: Reason, message: str
) -> None:
    """The message says what was expected, and what to do."""
    with pytest.raises(UserError, match=message) as caught:
        ask(by, layout)
    assert caught.value.reason is reason


def test_5000_ranges_are_allowed() -> None:
    """At the limit it is an answer."""
    first = dt.date(2000, 1, 1)
    layout = Calendar(Unit.DAY, first, first + dt.timedelta(4999))
    assert len(ask("born", layout).buckets) == 5000
    with pytest.raises(UserError, match="more than 5,000 days"):
        ask("born", Calendar(Unit.DAY, first, first + dt.timedelta(5000)))
    assert len(ask("spent", EqualWidth(5000)).buckets) == 5000
