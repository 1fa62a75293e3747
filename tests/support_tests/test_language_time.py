"""docs/language.md, section 3 and the parts of 8 about time, sentence by sentence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headcount.model.errors import UserError
from support.asking import happened, instant, schema
from support.oracle_time import RefusedError
from support.worlds import World

Ask = Callable[..., str]


def moments(**times: str) -> World:
    """Return contacts that each have one instant: in the field `seen_at`, and of an open."""
    return World(
        schema(
            fields={"seen_at": "datetime"},
            events={"email_open": {}},
            aliases={"email_open": ("opened",)},
        ),
        {name: {"seen_at": instant(time)} for name, time in times.items()} | {"never": {}},
        [event for name, time in times.items() for event in happened(name, "email_open", time)],
    )


def days(**dates: str) -> World:
    """Return contacts that each have one calendar day, in the field `due`."""
    return World(
        schema(fields={"due": "date"}),
        {name: {"due": instant(date).date()} for name, date in dates.items()} | {"never": {}},
        [],
    )


# --- as of noon on Saturday 9 May 2026, UTC -----------------------------------------------------

SEEN = moments(
    edge="2026-04-09T12:00",  # 30 days and 1 month ago
    inside="2026-04-09T12:00:00.000001",
    now="2026-05-09T12:00",
    later="2026-05-09T12:00:00.000001",
    week="2026-05-16T12:00",
    beyond="2026-05-16T12:00:00.000001",
)

INSTANTS = [
    # Events after as_of are invisible
    ("opened", "edge inside now"),
    ("opened ever", "edge inside now"),
    ("did not opened", "later week beyond never"),
    ("last_open is empty", "later week beyond never"),
    # Fields are not versioned by time
    ("seen_at is not empty", "edge inside now later week beyond"),
    # Rolling windows are half-open
    ("opened in last 30 days", "inside now"),
    ("seen_at within last 30 days", "inside now"),
    ("seen_at within next 7 days", "later week"),
    ("seen_at not within next 7 days", "edge inside now beyond never"),
    ("opened in last 720 hours", "inside now"),
    ("opened in last 0 days", ""),
    # `in last month` rolls, `last month` is the calendar's
    ("opened in last month", "inside now"),
    ("opened in the last month", "inside now"),
    ("opened last month", "edge inside"),
    ("opened this month", "now"),
    ("opened in last 2 months", "edge inside now"),
    ("opened this quarter", "edge inside now"),
    ("opened last quarter", ""),
    ("opened this year", "edge inside now"),
    ("opened last year", ""),
    ("opened today", "now"),
    ("opened yesterday", ""),
    ("opened this week", "now"),
    # The age: older than, and its kin
    ("seen_at > 30 days ago", ""),
    ("seen_at >= 30 days ago", "edge"),
    ("seen_at < 30 days ago", "inside now"),
    ("seen_at <= 30 days ago", "edge inside now"),
    ("seen_at more than 30 days ago", ""),
    ("seen_at at least 30 days ago", "edge"),
    ("seen_at less than 30 days ago", "inside now"),
    ("seen_at at most 30 days ago", "edge inside now"),
    ("seen_at > 29 days ago", "edge inside"),
    ("seen_at < 24 hours ago", "now"),  # a time after as_of has no age
    ("seen_at >= 1 month ago", "edge"),
    ("last_open > 7 days ago", "edge inside"),
    # The instant: later than
    ("seen_at after 30 days ago", "inside now later week beyond"),
    ("seen_at before 30 days ago", ""),
    ("seen_at = 30 days ago", "edge"),
    ("seen_at > now - 30 days", "inside now later week beyond"),
    ("seen_at <= now", "edge inside now"),
    ("last_open > today - 30 days", "now"),  # the last 30 calendar days, today included
    ("seen_at > today - 30 days", "now later week beyond"),
    # A date is that whole day
    ("seen_at = today", "now later"),
    ("seen_at on 2026-05-09", "now later"),
    ("seen_at != 2026-05-09", "edge inside week beyond never"),
    ("seen_at < 2026-05-09", "edge inside"),
    ("seen_at before 2026-05-09", "edge inside"),
    ("seen_at <= 2026-05-09", "edge inside now later"),
    ("seen_at > 2026-05-09", "week beyond"),
    ("seen_at after 2026-05-09", "week beyond"),
    ("seen_at >= 2026-05-09", "now later week beyond"),
    ("seen_at between 2026-04-09 and 2026-05-09", "edge inside now later"),
    ("seen_at not between 2026-04-09 and 2026-05-09", "week beyond never"),
    ("seen_at between 2026-05-09T12:00 and 2026-05-16T12:00", "now later week"),
    ("seen_at between now and 2026-05-16", "now later week beyond"),
    ("seen_at in (2026-04-09, 2026-05-16T12:00)", "edge inside week"),
    ("2026-05-09 > seen_at", "edge inside"),
    # Windows of events, row by row
    ("opened between 2026-04-09 and 2026-04-09", "edge inside"),
    ("opened between 2026-04-09T12:00 and 2026-04-09T12:00", "edge"),
    ("did opened between 2026-04-09 and now", "edge inside now"),
    ("opened between 2026-05-09 and 2027-01-01", "now"),
    ("opened before 2026-05-09", "edge inside"),
    ("opened before 2026-04-09T12:00:00.000001", "edge"),
    ("opened after 2026-04-09", "now"),
    ("opened after 2026-04-09T12:00", "inside now"),
    ("opened since 2026-04-09", "edge inside now"),
    ("opened since 2026-04-09T12:00:00.000001", "inside now"),
    ("opened on 2026-04-09", "edge inside"),
    ("did not opened on 2026-04-09", "now later week beyond never"),
    ("opened since 30 days ago", "edge inside now"),
    ("opened since today - 30 days", "edge inside now"),
    # Time expressions
    ("seen_at = now", "now"),
    ("seen_at = today + 12 hours", "now"),
    ("seen_at = 2026-05-08 + 36 hours", "now"),
    ("seen_at on tomorrow + 6 days", "week beyond"),
    ("seen_at = 2026-05-09T14:00+02:00", "now"),
    ("seen_at = 2026-05-09T12:00Z", "now"),
    # Date - date is a number of days, fractional for instants
    ("now - seen_at = 30", "edge"),
    ("now - seen_at > 29 days", "edge inside"),
    ("seen_at - now > 7 days", "beyond"),
    ("seen_at - now >= 168 hours", "week beyond"),
    ("now - seen_at = 0", "now"),
    # Functions
    ("month(seen_at) = 4", "edge inside"),
    ("day(seen_at) = 16 and year(seen_at) = 2026", "week beyond"),
    ("weekday(seen_at) = 6", "now later week beyond"),  # Saturday
    ("hour(last_open) = 12", "edge inside now"),
    ("month(today) in (5, 6)", "edge inside now later week beyond never"),
    ("month(today) in (11, 12)", ""),
    ("current_month() = 5 and seen_at = now", "now"),
    ("first(email_open) = last(email_open)", "edge inside now"),
]


@pytest.mark.parametrize(("text", "members"), INSTANTS)
def test_instants(ask: Ask, text: str, members: str) -> None:
    """An instant is compared to the microsecond, a date beside it is a whole day."""
    assert ask(SEEN, text) == members


DUE = days(
    apr9="2026-04-09",
    apr10="2026-04-10",
    ago7="2026-05-02",
    ago6="2026-05-03",
    today="2026-05-09",
    in6="2026-05-15",
    in7="2026-05-16",
    jun8="2026-06-08",
    jun9="2026-06-09",
)

DAYS = [
    ("due within last 7 days", "ago6 today"),
    ("due within next 7 days", "today in6"),
    ("due within last 1 week", "ago6 today"),
    ("due within last 1 month", "apr10 ago7 ago6 today"),
    ("due within next 1 month", "today in6 in7 jun8"),
    ("due not within last 1 month", "apr9 in6 in7 jun8 jun9 never"),
    # The age of a date is counted in calendar days up to today
    ("due > 7 days ago", "apr9 apr10"),
    ("due >= 7 days ago", "apr9 apr10 ago7"),
    ("due < 7 days ago", "ago6 today"),
    ("due <= 7 days ago", "ago7 ago6 today"),
    ("due > 1 month ago", ""),
    ("due at least 1 month ago", "apr9"),
    ("due < 1 month ago", "apr10 ago7 ago6 today"),
    ("due < 24 hours ago", "today"),
    ("due > 24 hours ago", "apr9 apr10 ago7 ago6"),
    ("due <= 144 hours ago", "ago6 today"),
    # A date field takes the calendar day
    ("due = now", "today"),
    ("due = today", "today"),
    ("due before now", "apr9 apr10 ago7 ago6"),
    ("due after 7 days ago", "ago6 today in6 in7 jun8 jun9"),
    ("due = 7 days ago", "ago7"),
    ("due on 2026-05-02", "ago7"),
    ("due between 7 days ago and today", "ago7 ago6 today"),
    ("due between today and today + 7 days", "today in6 in7"),
    ("due > today - 7 days", "ago6 today in6 in7 jun8 jun9"),
    ("due = tomorrow - 1 day", "today"),
    ("due = yesterday - 1 month - 2 weeks", ""),
    ("due = today - 1 month", "apr9"),
    ("due != today", "apr9 apr10 ago7 ago6 in6 in7 jun8 jun9 never"),
    ("due in (today, 2026-05-16)", "today in7"),
    # Date - date is a number of days
    ("today - due = 7", "ago7"),
    ("today - due > 6 days", "apr9 apr10 ago7"),
    ("today - due >= 1 week", "apr9 apr10 ago7"),
    ("due - today between 6 and 7", "in6 in7"),
    ("due + 7 days = today", "ago7"),
    ("due - 1 month = 2026-05-08", "jun8"),
    ("weekday(due) = 7", "ago6"),
    ("day(due) = 9", "apr9 today jun9"),
]


@pytest.mark.parametrize(("text", "members"), DAYS)
def test_days(ask: Ask, text: str, members: str) -> None:
    """A date is a calendar day, compared with calendar days."""
    assert ask(DUE, text) == members


@pytest.mark.parametrize(
    "text",
    [
        "due > 2026-05-09T10:00",
        "due within last 24 hours",
        "due before today - 2 hours",
        "due after 3 hours ago",
        "hour(due) = 1",
        "due between 2026-05-09 and 2026-05-09T10:00",
    ],
)
def test_clock_times_beside_a_date_are_refused(ask: Ask, text: str) -> None:
    """A clock time, or a duration in hours or minutes, is an error beside a date field."""
    with pytest.raises((RefusedError, UserError)):
        ask(DUE, text)


def test_an_event_is_on_a_day(ask: Ask) -> None:
    """`on` takes a day: an instant is an error."""
    with pytest.raises((RefusedError, UserError)):
        ask(SEEN, "opened on 2026-05-09T10:00")


# --- zones and the calendar --------------------------------------------------------------------

BERLIN, NEW_YORK, KOLKATA, APIA, SAO_PAULO = (
    "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "America/Sao_Paulo"
)  # fmt: skip

MIDNIGHT = moments(before="2026-05-09T21:59:59.999999", after="2026-05-09T22:00")  # in Berlin
SPRING = moments(  # in Berlin the clocks went from 02:00 to 03:00 on 31 March 2024
    first="2024-03-30T23:00", gap="2024-03-31T01:30", last="2024-03-31T21:59:59.999999",
    out="2024-03-31T22:00",
)  # fmt: skip
AUTUMN = moments(early="2024-10-27T00:30", late="2024-10-27T01:30")  # both were 02:30 in Berlin
SKIPPED = moments(before="2018-11-04T02:59:59.999999", first="2018-11-04T03:00")
LATE_DAY = moments(before="1919-03-31T04:29:59.999999", first="1919-03-31T04:30")
LOST_DAY = moments(before="2011-12-30T09:59:59.999999", after="2011-12-30T10:00")
MONTHS = moments(
    feb28="2023-02-28T12:00", feb28_on="2023-02-28T12:00:00.000001",
    feb29="2024-02-29T11:00", feb29_on="2024-02-29T11:00:00.000001",
    gap="2024-03-31T01:30", gap_on="2024-03-31T01:30:00.000001",
    twice="2024-10-27T00:30", twice_on="2024-10-27T00:30:00.000001",
)  # fmt: skip

ELSEWHERE = [
    # "Today" is that of the time zone
    (MIDNIGHT, "opened today", "2026-05-09T22:30", BERLIN, "after"),
    (MIDNIGHT, "opened yesterday", "2026-05-09T22:30", BERLIN, "before"),
    (MIDNIGHT, "opened today", "2026-05-09T22:30", NEW_YORK, "before after"),
    (MIDNIGHT, "opened today", "2026-05-09T22:30", KOLKATA, "before after"),
    (MIDNIGHT, "opened this week", "2026-05-10T22:30", BERLIN, ""),  # Monday, 00:30
    (MIDNIGHT, "opened last week", "2026-05-10T22:30", BERLIN, "before after"),
    (MIDNIGHT, "seen_at on 2026-05-10", "2026-05-09T22:30", BERLIN, "after"),
    (MIDNIGHT, "seen_at > 2026-05-09", "2026-05-09T22:30", BERLIN, "after"),
    (MIDNIGHT, "hour(seen_at) = 0 and weekday(seen_at) = 7", "2026-05-09T22:30", BERLIN, "after"),
    (MIDNIGHT, "hour(seen_at) = 18", "2026-05-09T22:30", NEW_YORK, "after"),
    (MIDNIGHT, "day(seen_at) = 10", "2026-05-09T22:30", APIA, "before after"),
    (MIDNIGHT, "seen_at = 2026-05-10T00:00", "2026-05-09T22:30", BERLIN, "after"),
    # A clock time that does not exist is read with the offset before the change
    (SPRING, "seen_at = 2024-03-31T02:30", "2024-04-01T00:00", BERLIN, "gap"),
    (SPRING, "opened on 2024-03-31", "2024-04-01T00:00", BERLIN, "first gap last"),
    (SPRING, "seen_at = 2024-03-31 + 150 minutes", "2024-04-01T00:00", BERLIN, "gap"),
    (SPRING, "opened in last 1 day", "2024-03-31T23:00", BERLIN, "gap last out"),  # 24 hours
    # One that occurs twice is the earlier
    (AUTUMN, "seen_at = 2024-10-27T02:30", "2024-10-28T00:00", BERLIN, "early"),
    (AUTUMN, "seen_at = 2024-10-27T02:30+01:00", "2024-10-28T00:00", BERLIN, "late"),
    (AUTUMN, "hour(seen_at) = 2", "2024-10-28T00:00", BERLIN, "early late"),
    # A day starts at its first instant
    (SKIPPED, "seen_at on 2018-11-04", "2018-11-10T00:00", SAO_PAULO, "first"),
    (SKIPPED, "seen_at before 2018-11-04", "2018-11-10T00:00", SAO_PAULO, "before"),
    (LATE_DAY, "seen_at on 1919-03-31", "1919-04-02T00:00", "America/Toronto", "first"),
    (LOST_DAY, "seen_at on 2011-12-30", "2012-01-02T00:00", APIA, ""),
    (LOST_DAY, "seen_at on 2011-12-29", "2012-01-02T00:00", APIA, "before"),
    (LOST_DAY, "seen_at on 2011-12-31", "2012-01-02T00:00", APIA, "after"),
    # Months, quarters and years step the calendar, clamped to the month's end
    (MONTHS, "opened in last 1 year", "2024-02-29T12:00", "UTC", "feb28_on feb29 feb29_on"),
    (MONTHS, "opened in last 1 month", "2023-03-31T12:00", "UTC", "feb28_on"),
    (MONTHS, "opened in last 1 month", "2023-03-29T12:00", "UTC", "feb28_on"),
    (MONTHS, "opened in last 1 month", "2023-03-28T12:00", "UTC", "feb28_on"),
    (MONTHS, "seen_at within next 1 quarter", "2022-11-30T12:00", "UTC", "feb28"),
    # and keep the wall-clock time: 12:00 in Berlin is 10:00 UTC in March, 11:00 in February
    (MONTHS, "opened in last 1 month", "2024-03-31T10:00", BERLIN, "feb29_on gap gap_on"),
    (MONTHS, "opened in last 2 months", "2024-05-31T00:30", BERLIN, "gap_on"),
    (MONTHS, "opened in last 1 month", "2024-11-27T01:30", BERLIN, "twice_on"),
]


@pytest.mark.parametrize(
    ("world", "text", "as_of", "zone", "members"),
    ELSEWHERE,
    ids=[f"{text} in {zone} at {as_of}" for _, text, as_of, zone, _ in ELSEWHERE],
)
def test_zones(ask: Ask, world: World, text: str, as_of: str, zone: str, members: str) -> None:
    """Days, clock times and months are those of the query's time zone."""
    assert ask(world, text, as_of, zone) == members


BORN = days(
    may9="1990-05-09",
    may16="1985-05-16",
    feb28="1990-02-28",
    feb29="2000-02-29",
    dec31="1970-12-31",
    jan2="2030-01-02",  # nothing about the year matters
)

ANNIVERSARIES = [
    ("anniversary(due) = today", "2026-05-09T12:00", "may9"),
    ("anniversary(due) between today and today + 7 days", "2026-05-09T12:00", "may9 may16"),
    ("anniversary(due) between today and today + 7 days", "2026-12-30T12:00", "dec31 jan2"),
    ("anniversary(due) within next 4 days", "2026-12-30T12:00", "dec31 jan2"),
    ("anniversary(due) = today", "2023-02-28T12:00", "feb28 feb29"),  # a common year
    ("anniversary(due) = today", "2024-02-28T12:00", "feb28"),
    ("anniversary(due) = today", "2024-02-29T12:00", "feb29"),
    ("anniversary(due) = 2024-02-29", "2023-03-01T12:00", "feb29"),
    ("anniversary(due) = 2025-02-28", "2024-03-01T12:00", "feb28 feb29"),
    ("anniversary(due) is empty", "2024-03-01T12:00", "never"),
    ("month(due) = current_month()", "2026-05-09T12:00", "may9 may16"),
    ("month(due) = month(today)", "2026-02-09T12:00", "feb28 feb29"),
]


@pytest.mark.parametrize(("text", "as_of", "members"), ANNIVERSARIES)
def test_anniversaries(ask: Ask, text: str, as_of: str, members: str) -> None:
    """An anniversary is the next one, today included; 29 February is observed on the 28th."""
    assert ask(BORN, text, as_of) == members


def test_an_anniversary_of_an_instant_is_that_of_its_day(ask: Ask) -> None:
    """Of a datetime the month and day are read in the query's time zone."""
    assert ask(MIDNIGHT, "anniversary(seen_at) = today", "2027-05-10T12:00", BERLIN) == "after"
