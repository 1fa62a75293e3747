"""The times that conditions were resolved to, in words and as values."""

from __future__ import annotations

import datetime as dt

import pytest

from headcount.index.interval import Interval
from headcount.query.bind import bind
from headcount.query.bound import EventCount
from headcount.query.clock import Clock
from headcount.query.expressions import Source
from headcount.query.parse import parse
from headcount.query.rewrite import rewritten
from headcount.query.stretches import Stretch, stretches
from support.engines import context_at, view_of
from support.shop import AS_OF, SHOP

VIEW = view_of(SHOP)


def resolved(text: str, zone: str = "Europe/Berlin") -> list[Stretch]:
    """Return the stretches of a segment about the shop, on 9 May 2026 at noon UTC."""
    bound = bind(parse(text), VIEW, context_at(AS_OF, zone))
    return list(stretches(rewritten(bound.condition)[0], bound.clock))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("opened in last 30 days",
         ["email_open after 2026-04-09 14:00:00+02:00 to 2026-05-09 14:00:00+02:00"]),
        ("opened", ["email_open to 2026-05-09 14:00:00+02:00"]),
        ("opened last month",
         ["email_open from 2026-04-01 00:00:00+02:00 before 2026-05-01 00:00:00+02:00"]),
        ("opened on 2026-03-29",  # clocks go forward
         ["email_open from 2026-03-29 00:00:00+01:00 before 2026-03-30 00:00:00+02:00"]),
        ("signed_up > 30 days ago", ["signed_up before 2026-04-09 14:00:00+02:00"]),
        ("signed_up = 2026-05-01",
         ["signed_up from 2026-05-01 00:00:00+02:00 before 2026-05-02 00:00:00+02:00"]),
        ("born = 1990-05-09", ["born on 1990-05-09"]),
        ("anniversary(born) between today and today + 7 days",
         ["anniversary(born) from 2026-05-09 to 2026-05-16"]),
        ("born in (1990-05-09, 1991-05-09, 1990-05-10)",
         ["born on 1990-05-09", "born on 1990-05-10", "born on 1991-05-09"]),
        ("did purchase where (due > today) in last 1 hour",
         ["purchase after 2026-05-09 13:00:00+02:00 to 2026-05-09 14:00:00+02:00",
          "due from 2026-05-10"]),
        ("sum(purchase.amount in last 2 days) > 5",
         ["purchase after 2026-05-07 14:00:00+02:00 to 2026-05-09 14:00:00+02:00"]),
        ("did opened then did purchase within 1 day in last 2 days",
         ["email_open after 2026-05-07 14:00:00+02:00 to 2026-05-09 14:00:00+02:00"]),
        ("engaged >= 3 times in last 1 day",
         ["email_open or email_click after 2026-05-08 14:00:00+02:00 to"
          " 2026-05-09 14:00:00+02:00"]),
        ("plan = Pro and spent > 3", []),
    ],
)  # fmt: skip
def test_stretches_in_words(text: str, words: list[str]) -> None:
    """What was looked at, from when to when, in the query's time zone."""
    assert list(map(str, resolved(text))) == words


def test_a_stretch_is_said_once() -> None:
    """A window that a condition asks about twice is one."""
    assert len(resolved("opened exactly 2 times in last 30 days")) == 1


def test_stretches_are_exact() -> None:
    """As values they have their ends as they are: both included, to the microsecond."""
    (found,) = resolved("opened in last 30 days", "UTC")
    assert found == Stretch("email_open", AS_OF - dt.timedelta(30) + dt.timedelta.resolution, AS_OF)
    assert found.to_dict() == {
        "about": "email_open",
        "first": "2026-04-09T12:00:00.000001+00:00",
        "last": "2026-05-09T12:00:00+00:00",
    }
    (found,) = resolved("born < 1990-05-09")
    assert found == Stretch("born", None, dt.date(1990, 5, 8))
    assert found.to_dict() == {"about": "born", "last": "1990-05-08"}


def test_an_hour_that_comes_twice_ends_where_it_does() -> None:
    """The microsecond before the clocks go back for the second time is not an hour off."""
    end = dt.datetime(2026, 10, 25, 1, 0, tzinfo=dt.UTC)  # 02:00, the second time
    source = Source(VIEW.schema.all_events["email_open"])
    clock = Clock(0, context_at(AS_OF, "Europe/Berlin").zone)
    micros = int(end.timestamp()) * 1_000_000
    window = EventCount((source,), Interval(micros - 7_200_000_000, micros - 1), 1)
    assert [str(stretch) for stretch in stretches(window, clock)] == [
        "email_open from 2026-10-25 01:00:00+02:00 before 2026-10-25 02:00:00+01:00"
    ]


def test_the_ends_of_the_calendar_are_no_trouble() -> None:
    """Times that no zone can show are shown in UTC, or as no end."""
    clock = Clock(0, context_at(AS_OF, "Asia/Tokyo").zone)
    source = Source(VIEW.schema.all_events["email_open"])
    last = (dt.datetime.max.replace(tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // (
        dt.timedelta.resolution
    )
    for high, words in [
        (last, "email_open from 1970-01-01 09:00:00+09:00 before 9999-12-31 23:59:59.999999+00:00"),
        (last + 1, "email_open from 1970-01-01 09:00:00+09:00"),
    ]:
        (found,) = stretches(EventCount((source,), Interval(0, high), 1), clock)
        assert str(found) == words
