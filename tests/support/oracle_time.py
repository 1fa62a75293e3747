"""
The rules about time of docs/language.md (sections 3 and 8), one function a rule.

Instants are `datetime`s in UTC, days are `date`s, and everything is exact to the microsecond:
`t <= T` is `t < T + 1 us`. A stretch of time is half-open, `[start, end)`; None is unbounded.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

from headcount.query.tree import Direction, Duration, Period, Unit

MICROSECOND = dt.timedelta(microseconds=1)
DAY = dt.timedelta(days=1)

EXACT_UNITS = {
    Unit.MINUTE: dt.timedelta(minutes=1),
    Unit.HOUR: dt.timedelta(hours=1),
    Unit.DAY: dt.timedelta(days=1),
    Unit.WEEK: dt.timedelta(weeks=1),
}
CALENDAR_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


class RefusedError(Exception):
    """The page calls this segment an error."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The instants t with start <= t < end; None is unbounded."""

    start: dt.datetime | None
    end: dt.datetime | None

    def holds(self, instant: dt.datetime) -> bool:
        """Return whether *instant* is in it."""
        after_start = self.start is None or instant >= self.start
        return after_start and (self.end is None or instant < self.end)


# --- clock times and days ---------------------------------------------------------------------


def instant_of(wall: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """
    Section 8, Time expressions: return the instant of a clock time without an offset.

    One that occurs twice is the earlier; one that does not exist is read with the offset in force
    before the change. Both are what PEP 495 calls fold=0.
    """
    return wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)


def wall_of(instant: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the clock time, without an offset, that *zone* shows at *instant*."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


@lru_cache(maxsize=65536)
def day_of(instant: dt.datetime, zone: ZoneInfo) -> dt.date:
    """Return the calendar day of *instant* in *zone*."""
    return instant.astimezone(zone).date()


@lru_cache(maxsize=65536)
def start_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """
    Section 8, Time expressions: a day starts at its first instant in the time zone.

    That is midnight, the earlier of two; where the clocks skip midnight it is the instant they
    change. A day that a zone skipped whole (Apia, 30 December 2011) starts when the next one does.
    """
    midnight = dt.datetime.combine(day, dt.time())
    candidate = instant_of(midnight, zone)
    if wall_of(candidate, zone) == midnight:
        return candidate
    before = midnight.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)  # not yet changed
    after = candidate  # changed
    offset = after.astimezone(zone).utcoffset()
    while after - before > dt.timedelta(seconds=1):  # zones change on whole seconds
        middle = before + dt.timedelta(seconds=(after - before) // dt.timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after


def end_of_day(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """Return the first instant that is no longer in *day*."""
    return start_of_day(day + DAY, zone)


# --- durations --------------------------------------------------------------------------------


def is_clock_duration(duration: Duration) -> bool:
    """Return whether it is in hours or minutes, which a calendar day does not have."""
    return duration.unit in (Unit.HOUR, Unit.MINUTE)


def exact_length(duration: Duration) -> dt.timedelta:
    """Section 3: minutes to weeks are exact multiples of seconds."""
    if duration.unit not in EXACT_UNITS:
        raise RefusedError("a month, quarter or year has no fixed length")
    return duration.amount * EXACT_UNITS[duration.unit]


def times(duration: Duration, factor: int) -> Duration:
    """Return *duration*, *factor* times."""
    return Duration(duration.amount * factor, duration.unit)


def step_day(day: dt.date, duration: Duration, sign: int) -> dt.date:
    """Section 3: return day ± duration; months step the calendar, clamped to the month's end."""
    if is_clock_duration(duration):
        raise RefusedError("hours and minutes beside a calendar day")
    if duration.unit in EXACT_UNITS:
        return day + sign * exact_length(duration)
    months = day.year * 12 + day.month - 1
    months += sign * duration.amount * CALENDAR_MONTHS[duration.unit]
    year, month = divmod(months, 12)
    month += 1
    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


@lru_cache(maxsize=65536)
def step(instant: dt.datetime, duration: Duration, sign: int, zone: ZoneInfo) -> dt.datetime:
    """
    Sections 3 and 8: return instant ± duration.

    Minutes to weeks are exact; months, quarters and years step the calendar in the time zone and
    keep the wall-clock time. No months at all leave the instant as it is.
    """
    if duration.unit in EXACT_UNITS:
        return instant + sign * exact_length(duration)
    if duration.amount == 0:
        return instant
    wall = wall_of(instant, zone)
    return instant_of(dt.datetime.combine(step_day(wall.date(), duration, sign), wall.time()), zone)


# --- windows ----------------------------------------------------------------------------------


def last_window(as_of: dt.datetime, duration: Duration, zone: ZoneInfo) -> Stretch:
    """Section 3: `in last d` is as_of - d < t <= as_of."""
    return Stretch(step(as_of, duration, -1, zone) + MICROSECOND, as_of + MICROSECOND)


def next_window(as_of: dt.datetime, duration: Duration, zone: ZoneInfo) -> Stretch:
    """Section 3: `within next d` is as_of < t <= as_of + d."""
    return Stretch(as_of + MICROSECOND, step(as_of, duration, 1, zone) + MICROSECOND)


def regular_period(as_of: dt.datetime, duration: Duration, index: int, zone: ZoneInfo) -> Stretch:
    """Section 8: period i is as_of - (i+1) d < t <= as_of - i d, each stepped from as_of."""
    earlier = step(as_of, times(duration, index + 1), -1, zone)
    later = step(as_of, times(duration, index), -1, zone)
    return Stretch(earlier + MICROSECOND, later + MICROSECOND)


def day_is_within(day: dt.date, direction: Direction, duration: Duration, today: dt.date) -> bool:
    """
    Section 8, Date fields: `within last 7 days` is today - 6 to today, `next` today to today + 6.

    In months: (today - 1 month) < d <= today, and today <= d < today + 1 month. The days say the
    same: today - 6 is the first day after today - 7.
    """
    if direction is Direction.LAST:
        return step_day(today, duration, -1) < day <= today
    return today <= day < step_day(today, duration, 1)


def calendar_period(period: Period, today: dt.date) -> tuple[dt.date, dt.date]:
    """Section 8: return the first day of a named period and the first day after it."""
    monday = today - today.weekday() * DAY
    month = today.replace(day=1)
    quarter = dt.date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    year = dt.date(today.year, 1, 1)
    match period:
        case Period.TODAY:
            return today, today + DAY
        case Period.YESTERDAY:
            return today - DAY, today
        case Period.THIS_WEEK:
            return monday, monday + 7 * DAY
        case Period.LAST_WEEK:
            return monday - 7 * DAY, monday
        case Period.THIS_MONTH:
            return month, step_day(month, Duration(1, Unit.MONTH), 1)
        case Period.LAST_MONTH:
            return step_day(month, Duration(1, Unit.MONTH), -1), month
        case Period.THIS_QUARTER:
            return quarter, step_day(quarter, Duration(3, Unit.MONTH), 1)
        case Period.LAST_QUARTER:
            return step_day(quarter, Duration(3, Unit.MONTH), -1), quarter
        case Period.THIS_YEAR:
            return year, year.replace(year=year.year + 1)
        case Period.LAST_YEAR:
            return year.replace(year=year.year - 1), year


def anniversary(day: dt.date, today: dt.date) -> dt.date:
    """
    Section 3: return the next occurrence of the day's month and day, today included.

    29 February is observed on 28 February in common years. The year of *day* does not matter.
    """
    for year in (today.year, today.year + 1):
        last = calendar.monthrange(year, day.month)[1]
        occurrence = dt.date(year, day.month, min(day.day, last))
        if occurrence >= today:
            return occurrence
    raise AssertionError("the next year always has one")
