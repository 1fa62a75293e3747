"""
The query's clock: one instant, one time zone, and the calendar seen from there.

Instants are whole microseconds since 1970-01-01T00:00 UTC, days are whole days since 1970-01-01 on
the calendar, both plain `int`. A query reads no other clock: `as_of` comes with it. Arrays of
instants are `zones`' part; the array functions at the end are pure calendar arithmetic, the same in
every zone.

Minutes to weeks are exact. Months, quarters and years step the calendar and keep the wall clock,
clamped to the month's end. A day starts at its first instant, which is not always midnight.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from dateutil.relativedelta import relativedelta

from headcount.query.traced import Traced
from headcount.query.tree import Duration, Period, Unit
from headcount.query.zones import DAY_US, Days, Instants, LocalTime, local_time

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_MICROSECOND = dt.timedelta(microseconds=1)
_ORDINARY_DAYS = 700_000  # this far from 1970 (years 54 to 3886), no sum leaves the calendar

EXACT_US = {
    Unit.MINUTE: 60 * 1_000_000,
    Unit.HOUR: 3_600 * 1_000_000,
    Unit.DAY: DAY_US,
    Unit.WEEK: 7 * DAY_US,
}
MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}
DAYS = {Unit.DAY: 1, Unit.WEEK: 7}


class OutOfCalendarError(ValueError):
    """A date outside the years 1 to 9999. `bind` turns it into a user's error with a place."""


def to_micros(moment: dt.datetime) -> int:
    """Return an aware datetime as µs since the epoch, exactly."""
    return (moment - EPOCH) // _MICROSECOND


def to_datetime(instant: int) -> dt.datetime:
    """Return an instant as a datetime in UTC."""
    try:
        return EPOCH + instant * _MICROSECOND
    except OverflowError:
        raise OutOfCalendarError from None


def to_day(date: dt.date) -> int:
    """Return a date as days since the epoch."""
    return date.toordinal() - _EPOCH_DAY


def to_date(day: int) -> dt.date:
    """Return days since the epoch as a date."""
    try:
        return dt.date.fromordinal(day + _EPOCH_DAY)
    except (ValueError, OverflowError):
        raise OutOfCalendarError from None


@dataclass(frozen=True)
class Clock:
    """The instant `as_of` in `zone`; everything relative in a query is resolved against it."""

    as_of: int
    zone: ZoneInfo

    @cached_property
    def today(self) -> int:
        """The calendar day of `as_of`."""
        return self.day_of(self.as_of)

    @cached_property
    def local(self) -> LocalTime:
        """Local time for arrays."""
        return local_time(self.zone)

    def day_of(self, instant: int) -> int:
        """Return the calendar day of an instant."""
        return to_day(self._wall(instant).date())

    def hour_of(self, instant: int) -> int:
        """Return the hour, 0 to 23, that the clock shows at an instant."""
        return self._wall(instant).hour

    def day_start(self, day: int) -> int:
        """Return the first instant of a calendar day; a skipped day starts as the next does."""
        midnight = dt.datetime.combine(to_date(day), dt.time(), tzinfo=self.zone)
        start = (midnight - EPOCH) // _MICROSECOND
        if -_ORDINARY_DAYS < day < _ORDINARY_DAYS and self._wall(start) == midnight:
            return start
        return int(self.local.day_starts(np.array([day], dtype=np.int64))[0])

    def day_end(self, day: int) -> int:
        """Return the last microsecond of a calendar day."""
        if -_ORDINARY_DAYS < day < _ORDINARY_DAYS:
            return self.day_start(day + 1) - 1
        to_date(day)
        return int(self.local.day_starts(np.array([day + 1], dtype=np.int64))[0]) - 1

    def instant(self, moment: dt.datetime) -> int:
        """
        Return the instant of a clock time; one without an offset is read in the query's zone.

        A naive time that occurs twice is the earlier; one that does not exist is read with the
        offset in force before the change (both are what `fold=0` means, PEP 495).
        """
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=self.zone, fold=0)
        return (moment - EPOCH) // _MICROSECOND

    def step(self, instant: int, duration: Duration, sign: int) -> int:
        """Return *instant* moved by a duration, forward (*sign* 1) or back (-1)."""
        exact = EXACT_US.get(duration.unit)
        if exact is not None:
            moved = instant + sign * duration.amount * exact
            to_datetime(moved)
            return moved
        if not duration.amount:
            return instant
        wall = self._wall(instant)
        date = _add_months(wall.date(), sign * duration.amount * MONTHS[duration.unit])
        try:
            moved = self.instant(dt.datetime.combine(date, wall.time().replace(fold=0)))
        except OverflowError:
            raise OutOfCalendarError from None
        return instant.beside(moved) if isinstance(instant, Traced) else moved

    def step_day(self, day: int, duration: Duration, sign: int) -> int:
        """Return *day* moved by a duration of days, weeks, months, quarters or years."""
        if duration.unit in DAYS:
            moved = day + sign * duration.amount * DAYS[duration.unit]
            to_date(moved)
            return moved
        return to_day(_add_months(to_date(day), sign * duration.amount * MONTHS[duration.unit]))

    def period(self, period: Period) -> tuple[int, int]:
        """Return the first day of a calendar period and the first day after it."""
        today = to_date(self.today)
        match period:
            case Period.TODAY:
                return self.today, self.today + 1
            case Period.YESTERDAY:
                return self.today - 1, self.today
            case Period.THIS_WEEK | Period.LAST_WEEK:
                first = self.today - today.weekday()
                first -= 7 * (period is Period.LAST_WEEK)
                return first, first + 7
            case Period.THIS_MONTH | Period.LAST_MONTH:
                start, months = today.replace(day=1), 1
            case Period.THIS_QUARTER | Period.LAST_QUARTER:
                start, months = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), 3
            case Period.THIS_YEAR | Period.LAST_YEAR:
                start, months = today.replace(month=1, day=1), 12
        if period in (Period.LAST_MONTH, Period.LAST_QUARTER, Period.LAST_YEAR):
            start = _add_months(start, -months)
        return to_day(start), to_day(_add_months(start, months))

    def anniversary(self, day: int) -> int:
        """Return the first day, today or later, with the month and day of *day*."""
        date = to_date(day)
        return int(self._anniversaries[date.month * 32 + date.day])

    def next_anniversaries(self, days: Days) -> Days:
        """Return the first day, today or later, with the month and day of each of *days*."""
        found: Days = self._anniversaries[months_of(days) * 32 + days_of_month(days)]
        return found

    @cached_property
    def _anniversaries(self) -> Days:
        """The next anniversary by `month * 32 + day of month`: int64[13 * 32]."""
        today = to_date(self.today)
        found = np.zeros(13 * 32, dtype=np.int64)
        for month in range(1, 13):
            for day in range(1, calendar.monthrange(2000, month)[1] + 1):
                this = _observed(today.year, month, day)
                later = this if this >= self.today else _observed(today.year + 1, month, day)
                found[month * 32 + day] = later
        return found

    def _wall(self, instant: int) -> dt.datetime:
        try:
            return to_datetime(instant).astimezone(self.zone)
        except OverflowError:
            raise OutOfCalendarError from None


def _add_months(date: dt.date, months: int) -> dt.date:
    """Return *date* moved by whole months, clamped to the month's end."""
    try:
        return date + relativedelta(months=months)
    except (ValueError, OverflowError):
        raise OutOfCalendarError from None


def _observed(year: int, month: int, day: int) -> int:
    """Return the day on which month and day fall in *year*: 29 February may be the 28th."""
    last = calendar.monthrange(year, month)[1]
    # Not `to_day`: the year after 9999 is a day like any other to the caller.
    return int(np.datetime64(f"{year:04}-{month:02}-{min(day, last):02}", "D").astype(np.int64))


# --- arrays -----------------------------------------------------------------------------------


def years_of(days: Days) -> npt.NDArray[np.int64]:
    """Return the year of each day."""
    return days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970


def months_of(days: Days) -> npt.NDArray[np.int64]:
    """Return the month of each day, 1 to 12."""
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12 + 1


def days_of_month(days: Days) -> npt.NDArray[np.int64]:
    """Return the day of the month of each day, from 1."""
    first = days.astype("M8[D]").astype("M8[M]").astype("M8[D]").astype(np.int64)
    return days - first + 1


def weekdays_of(days: Days) -> npt.NDArray[np.int64]:
    """Return the weekday of each day, 1 (Monday) to 7 (Sunday)."""
    return (days + 3) % 7 + 1  # 1970-01-01 was a Thursday


def add_months(days: Days, months: int) -> Days:
    """Return each day moved by whole months, clamped to the month's end."""
    source = days.astype("M8[D]").astype("M8[M]")
    target = source + np.timedelta64(months, "M")
    first = target.astype("M8[D]").astype(np.int64)
    last = (target + np.timedelta64(1, "M")).astype("M8[D]").astype(np.int64) - 1
    moved: Days = np.minimum(first + days_of_month(days) - 1, last)
    return moved


def step_days(days: Days, duration: Duration, sign: int) -> Days:
    """Return each day moved by a duration of days or longer units."""
    if duration.unit in DAYS:
        return days + sign * duration.amount * DAYS[duration.unit]
    return add_months(days, sign * duration.amount * MONTHS[duration.unit])


def step_instants(instants: Instants, duration: Duration, sign: int, local: LocalTime) -> Instants:
    """Return each instant moved by a duration; months keep the wall clock of *local*."""
    exact = EXACT_US.get(duration.unit)
    if exact is not None:
        return instants + sign * duration.amount * exact
    if not duration.amount:
        return instants
    wall = local.local(instants)
    days = wall // DAY_US
    moved = add_months(days, sign * duration.amount * MONTHS[duration.unit])
    return local.instants(moved * DAY_US + (wall - days * DAY_US))
