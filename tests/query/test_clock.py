"""The query's clock: stepping, periods, anniversaries and the days of a zone."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.query import clock as calendar
from headcount.query.clock import Clock, OutOfCalendarError, to_date, to_day, to_micros
from headcount.query.tree import Duration, Period, Unit

BERLIN = ZoneInfo("Europe/Berlin")
durations = st.builds(Duration, st.integers(0, 40), st.sampled_from(Unit))
day_durations = durations.filter(lambda d: d.unit not in (Unit.MINUTE, Unit.HOUR))
days = st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)).map(to_day)
instants = st.datetimes(dt.datetime(1960, 1, 1), dt.datetime(2060, 1, 1)).map(  # noqa: DTZ001
    lambda m: to_micros(m.replace(tzinfo=dt.UTC))
)


def at(text: str, zone: ZoneInfo = BERLIN) -> Clock:
    """Return the clock at an instant."""
    return Clock(to_micros(dt.datetime.fromisoformat(text)), zone)


def utc(text: str) -> int:
    """Return an instant written in ISO form."""
    return to_micros(dt.datetime.fromisoformat(text))


def day(text: str) -> int:
    """Return a day written in ISO form."""
    return to_day(dt.date.fromisoformat(text))


def test_today_is_the_zones_today() -> None:
    """Half past ten in the evening in UTC is already tomorrow in Berlin in summer."""
    assert at("2026-07-01T22:30:00+00:00").today == day("2026-07-02")
    assert at("2026-07-01T22:30:00+00:00", ZoneInfo("UTC")).today == day("2026-07-01")


@pytest.mark.parametrize(
    ("start", "amount", "unit", "sign", "expected"),
    [
        ("2026-03-31T12:00:00+02:00", 1, Unit.MONTH, -1, "2026-02-28T12:00:00+01:00"),
        ("2024-03-31T12:00:00+02:00", 1, Unit.MONTH, -1, "2024-02-29T12:00:00+01:00"),
        ("2024-02-29T12:00:00+01:00", 1, Unit.YEAR, 1, "2025-02-28T12:00:00+01:00"),
        ("2026-05-31T00:00:00+02:00", 2, Unit.QUARTER, -1, "2025-11-30T00:00:00+01:00"),
        # 29 March 2026, 02:30 does not exist in Berlin: read at +01:00, it is 03:30 at +02:00.
        ("2026-02-28T02:30:00+01:00", 1, Unit.MONTH, 1, "2026-03-28T02:30:00+01:00"),
        ("2026-04-29T02:30:00+02:00", 1, Unit.MONTH, -1, "2026-03-29T03:30:00+02:00"),
        # 25 October 2026, 02:30 occurs twice: the earlier, at +02:00.
        ("2026-11-25T02:30:00+01:00", 1, Unit.MONTH, -1, "2026-10-25T02:30:00+02:00"),
        # A day is 24 hours even when the calendar's has 23.
        ("2026-03-29T12:00:00+02:00", 1, Unit.DAY, -1, "2026-03-28T11:00:00+01:00"),
    ],
)
def test_stepping_an_instant(start: str, amount: int, unit: Unit, sign: int, expected: str) -> None:
    """Months keep the wall clock and the month's end; days and shorter are exact."""
    moved = at(start).step(utc(start), Duration(amount, unit), sign)
    assert moved == utc(expected)


@given(day=days, duration=day_durations, sign=st.sampled_from([1, -1]))
def test_stepping_days_one_or_many(day: int, duration: Duration, sign: int) -> None:
    """`step_days` over an array does what `step_day` does to one."""
    clock = at("2026-07-01T00:00:00+00:00")
    many = calendar.step_days(np.array([day, day]), duration, sign)
    assert many.tolist() == [clock.step_day(day, duration, sign)] * 2


@given(instant=instants, duration=durations, sign=st.sampled_from([1, -1]))
@settings(deadline=None)
def test_stepping_instants_one_or_many(instant: int, duration: Duration, sign: int) -> None:
    """`step_instants` over an array does what `step` does to one."""
    clock = at("2026-07-01T00:00:00+00:00")
    many = calendar.step_instants(np.array([instant]), duration, sign, clock.local)
    assert many.tolist() == [clock.step(instant, duration, sign)]


@given(day=days)
def test_parts_of_a_day(day: int) -> None:
    """Year, month, day of month and weekday of an array are those of `date`."""
    date, one = to_date(day), np.array([day])
    assert calendar.years_of(one).tolist() == [date.year]
    assert calendar.months_of(one).tolist() == [date.month]
    assert calendar.days_of_month(one).tolist() == [date.day]
    assert calendar.weekdays_of(one).tolist() == [date.isoweekday()]


@given(day=days)
@settings(deadline=None)
def test_days_tile_time(day: int) -> None:
    """A day ends one microsecond before the next starts, in one call or in an array."""
    for zone in (BERLIN, ZoneInfo("America/Sao_Paulo"), ZoneInfo("America/St_Johns")):
        clock = Clock(0, zone)
        assert clock.day_end(day) + 1 == clock.day_start(day + 1)
        both = clock.local.day_starts(np.array([day, day + 1]))
        assert both.tolist() == [clock.day_start(day), clock.day_start(day + 1)]
        assert clock.day_of(clock.day_start(day)) >= day


@pytest.mark.parametrize(
    ("period", "first", "after"),
    [
        (Period.TODAY, "2026-08-12", "2026-08-13"),
        (Period.YESTERDAY, "2026-08-11", "2026-08-12"),
        (Period.THIS_WEEK, "2026-08-10", "2026-08-17"),
        (Period.LAST_WEEK, "2026-08-03", "2026-08-10"),
        (Period.THIS_MONTH, "2026-08-01", "2026-09-01"),
        (Period.LAST_MONTH, "2026-07-01", "2026-08-01"),
        (Period.THIS_QUARTER, "2026-07-01", "2026-10-01"),
        (Period.LAST_QUARTER, "2026-04-01", "2026-07-01"),
        (Period.THIS_YEAR, "2026-01-01", "2027-01-01"),
        (Period.LAST_YEAR, "2025-01-01", "2026-01-01"),
    ],
)
def test_periods(period: Period, first: str, after: str) -> None:
    """Calendar periods seen from Wednesday, 12 August 2026; weeks start on Monday."""
    assert at("2026-08-12T10:00:00+02:00").period(period) == (day(first), day(after))


def test_last_month_in_january_is_december() -> None:
    """The previous month, quarter and year cross the new year."""
    clock = at("2026-01-31T10:00:00+01:00")
    assert clock.period(Period.LAST_MONTH) == (day("2025-12-01"), day("2026-01-01"))
    assert clock.period(Period.LAST_QUARTER) == (day("2025-10-01"), day("2026-01-01"))


@given(born=days, today=st.dates(dt.date(1990, 1, 1), dt.date(2050, 1, 1)))
def test_anniversaries(born: int, today: dt.date) -> None:
    """The next anniversary is the first day from today on that bears the month and day."""
    clock = Clock(
        to_micros(dt.datetime.combine(today, dt.time(12), tzinfo=dt.UTC)), ZoneInfo("UTC")
    )
    date = to_date(born)

    def bears(candidate: dt.date) -> bool:
        if (date.month, date.day) != (2, 29):
            return (candidate.month, candidate.day) == (date.month, date.day)
        last = (candidate + dt.timedelta(days=1)).month == 3
        return candidate.month == 2 and last

    expected = next(d for n in range(367) if bears(d := today + dt.timedelta(days=n)))
    assert to_date(clock.anniversary(born)) == expected


@pytest.mark.parametrize(
    "step",
    [
        lambda c: c.step(c.as_of, Duration(3000, Unit.YEAR), -1),
        lambda c: c.step(c.as_of, Duration(9000, Unit.YEAR), 1),
        lambda c: c.step(c.as_of, Duration(10**15, Unit.WEEK), 1),
        lambda c: c.step_day(c.today, Duration(10**7, Unit.DAY), -1),
        lambda c: c.step_day(c.today, Duration(10**12, Unit.QUARTER), 1),
        lambda c: c.day_start(10**9),
        lambda c: c.day_end(10**9),
    ],
)
def test_leaving_the_calendar(step: object) -> None:
    """Stepping outside the years 1 to 9999 is an error of its own kind, not an overflow."""
    assert callable(step)
    with pytest.raises(OutOfCalendarError):
        step(at("2026-01-31T10:00:00+01:00"))


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_the_first_and_last_day_of_the_calendar(zone: str) -> None:
    """Days at either end of the calendar have a start and an end."""
    clock = Clock(0, ZoneInfo(zone))
    for date in (dt.date.min, dt.date.max):
        assert clock.day_end(to_day(date)) - clock.day_start(to_day(date)) == 86_400_000_000 - 1
