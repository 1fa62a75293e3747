"""Courses: where the pieces of a segment's time begin and end."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from headcount.index.view import Version, View
from headcount.model.schema_toml import parse as parse_schema
from headcount.query.clock import to_datetime, to_micros
from headcount.query.course import Course, Piece
from headcount.segments.watch.binding import Definition, course_of

SCHEMA = parse_schema(
    """
[fields]
birthday = "date"
seen = "datetime"
[events.open]
[events.order]
properties = { ships = "datetime", cost = "number" }
"""
)
VIEW = View(SCHEMA, (), Version(1, 1))


def at(text: str) -> int:
    """Return the instant that a text names in UTC."""
    return to_micros(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC))


def course(segment: str, zone: str = "UTC") -> Course:
    """Return the course of a segment."""
    return course_of(Definition(segment, ZoneInfo(zone)), VIEW)


def pieces(segment: str, start: str, end: str, zone: str = "UTC") -> list[Piece]:
    """Return the pieces from one instant to another, each once."""
    found = [course(segment, zone).beginning(at(start))]
    walked = course(segment, zone)
    while found[-1].last < at(end):
        piece = walked.after(found[-1])
        if piece.start == found[-1].start:
            found[-1] = piece
        else:
            found.append(piece)
    for one, other in pairwise(found):
        assert other.start == one.last + 1
    return found


def starts(segment: str, start: str, end: str, zone: str = "UTC") -> list[str]:
    """Return when pieces begin, without the microsecond that a piece may begin with."""
    return [
        to_datetime(one.start).strftime("%m-%d %H:%M")
        for one in pieces(segment, start, end, zone)
        if one.last > one.start
    ]


@pytest.mark.parametrize(
    "segment", ["seen > 2024-03-01", "did open in last 30 days", "seen within next 36 hours"]
)
def test_exact_durations_are_one_piece(segment: str) -> None:
    """A window of days keeps pace with the clock, also over a change of the zone's offset."""
    assert len(pieces(segment, "2024-03-01T08:00", "2024-05-01", "Europe/Berlin")) == 1


def test_today_is_a_piece_a_day() -> None:
    """What looks at today begins anew at local midnight."""
    found = starts("birthday = today", "2024-03-29T12:00", "2024-04-01", "Europe/Berlin")
    assert found == ["03-29 12:00", "03-29 23:00", "03-30 23:00", "03-31 22:00"]


def test_an_anniversary_is_a_piece_a_day_though_its_text_is_the_same() -> None:
    """`month(anniversary(d)) = 3` binds to the same every day, and means another thing."""
    found = starts("month(anniversary(birthday)) = 3", "2024-03-29T12:00", "2024-03-31T12:00")
    assert found == ["03-29 12:00", "03-30 00:00", "03-31 00:00"]


def test_a_month_ago_goes_back_at_the_end_of_a_long_month() -> None:
    """30 March − 1 month = 31 March − 1 month = 29 February, so at midnight it goes back."""
    found = starts("did open in last month", "2024-03-25T12:00", "2024-04-03")
    assert found == ["03-25 12:00", "03-30 00:00", "03-31 00:00"]


def test_a_month_ago_may_jump_where_the_clocks_changed_then() -> None:
    """A month after the clocks went back, a month ago there is an hour that came twice."""
    segment = "did open in last month"
    found = starts(segment, "2024-11-26T12:00", "2024-11-28T12:00", "Europe/Berlin")
    assert found == ["11-26 12:00", "11-27 02:00"]
    found = starts(segment, "2024-11-26T12:00", "2024-11-28T12:00", "UTC")
    assert found == ["11-26 12:00"]


def test_a_window_that_ends_is_two_pieces() -> None:
    """Cut at the instant of the question up to its end, and fixed from there on."""
    segment = "did open between 2024-01-01 and 2024-03-30T10:00:00Z"
    found = starts(segment, "2024-03-29T12:00", "2024-05-01")
    assert found == ["03-29 12:00", "03-30 10:00"]


def test_the_time_of_day_is_looked_at_every_hour() -> None:
    """`hour(now)` is everyone or no one, which shows in no condition."""
    found = starts("hour(now) between 9 and 16", "2024-03-29T06:30", "2024-03-29T23:00")
    assert found == ["03-29 06:30", "03-29 09:00", "03-29 17:00"]
    found = starts("weekday(now + 90 minutes) = 6", "2024-03-29T06:30", "2024-03-29T23:00")
    assert found == ["03-29 06:30", "03-29 22:30"]


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("now between 2024-03-29T09:30:00Z and 2024-03-29T10:15:00Z", ["09:30", "10:15"]),
        ("seen is empty or now > 2024-03-29T09:30:00Z and now < 2024-03-29T10:15:00Z",
         ["09:30", "10:15"]),
        ("coalesce(seen, 2024-03-29T09:30:00Z) within last 2 hours", ["09:30", "11:30"]),
        ("last(open between 2024-03-29T09:30:00Z and 2024-03-29T10:00:00Z) > now - 2 hours",
         ["09:30", "10:00", "11:30", "12:00"]),
        ("now - 2024-01-01 > 88.5", ["12:00"]),
        ("round((now - 2024-01-01) * 24) = 2123", ["10:30", "11:30"]),
        ("abs(2024-03-29T12:00:00Z - now) * 24 < 1.5", ["10:30", "13:30"]),
    ],
)  # fmt: skip
def test_what_is_so_for_a_while_begins_and_ends_at_its_instant(
    segment: str, expected: list[str]
) -> None:
    """It is the same at both ends of the day, and another thing in between."""
    found = starts(segment, "2024-03-29T06:30", "2024-03-29T23:00")
    times = [start[6:] for start in found[1:]]
    assert sorted(set(times)) == expected


@pytest.mark.parametrize(
    "segment",
    [
        "sum(order.cost where (ships > now - 3 days)) > 5",
        "did order where (ships > now) then did open within 1 day",
        "now - seen > (now - created_at) / 2",
        "year(coalesce(seen, now - 2 hours)) = 2024",
        "max(seen, now - 3 days) > now - 2 days",
    ],
)
def test_what_cannot_be_followed_is_looked_at_every_second(segment: str) -> None:
    """A figure whose `where` moves, and what moves against itself or by the calendar."""
    piece = course(segment).beginning(at("2024-03-29T06:30:00.25"))
    assert not piece.is_even
    assert to_datetime(piece.last).microsecond == 999_999
    following = course(segment).after(piece)
    assert following.start == piece.last + 1


@pytest.mark.parametrize(
    "segment",
    [
        "now - seen > 30",
        "(today - seen) * 2 > count(open)",
        "(now - seen) * 2 > count(open)",
        "round((now - last(open)) / 7) = 4",
        "count(open) / (now - created_at) > 0.5",
        "abs(seen - now) < 3",
        "(now - birthday) / 365.25 >= 18",
        "min(now - seen, now - created_at) > 5",
        "now - (now - 3 days) = 3",
        "did order where (ships > now - 3 days)",
        "did not order where (round(now - ships) = 2) at least 2 times in last 30 days",
    ],
)
def test_what_is_calculated_with_now_is_exact(segment: str) -> None:
    """One piece up to midnight, in which it is known who turns when."""
    piece = course(segment).beginning(at("2024-03-29"))
    assert piece.is_even
    assert piece.last == at("2024-03-30") - 1
