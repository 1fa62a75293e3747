"""Moments: the days, instants and numbers of the engine as people and programs know them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from headcount.answers import Scalar
from headcount.query.clock import Clock, to_date, to_datetime
from headcount.query.expressions import Kind

Moment = dt.datetime | dt.date  # an instant in the query's time zone, or a calendar day


def instant_in(zone: ZoneInfo, instant: int) -> dt.datetime:
    """
    Return an instant in a time zone; in UTC where the zone's calendar has no such day.

    Raises:
        OutOfCalendarError: no calendar has.
    """
    moment = to_datetime(instant)
    try:
        return moment.astimezone(zone)
    except OverflowError:  # the first or last hours of the calendar
        return moment


def plain(number: float, kind: Kind, clock: Clock) -> float | bool | Moment:
    """
    Return a number of a vector as the day, instant, flag or number that it stands for.

    Raises:
        OutOfCalendarError: it is a day or instant that no calendar has.
    """
    match kind:
        case Kind.BOOLEAN:
            return bool(number)
        case Kind.DATE:
            return to_date(int(number))
        case Kind.INSTANT:
            return instant_in(clock.zone, int(number))
    return float(number)


def jsonable(value: Scalar | None) -> str | float | bool | list[str] | None:
    """Return a value as JSON holds it: days and instants in ISO 8601."""
    return value.isoformat() if isinstance(value, dt.date) else value
