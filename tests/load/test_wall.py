"""Clock times of a zone: the array form against `zoneinfo`, one at a time."""

# ruff: noqa: DTZ001 - clock times without a zone are what is tested

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.load.wall import EPOCH, to_utc

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
         "America/St_Johns", "Africa/Casablanca", "Asia/Beirut", "Pacific/Apia",
         "Africa/Monrovia"]  # fmt: skip


def micros(clock: dt.datetime) -> int:
    """Return a naive time as µs since 1970 of its own clock."""
    return (clock - EPOCH) // dt.timedelta(microseconds=1)


def one(clock: dt.datetime, zone: str) -> str:
    """Return the instant at which *zone* shows *clock*, as text."""
    found = to_utc(np.array([micros(clock)]), ZoneInfo(zone))
    return (EPOCH + dt.timedelta(microseconds=int(found[0]))).isoformat()


@settings(deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(1850, 1, 1), dt.datetime(2150, 1, 1)), max_size=20),
    st.sampled_from(ZONES),
)
def test_any_times_are_read_as_zoneinfo_reads_them(clocks: list[dt.datetime], zone: str) -> None:
    """Every element is what `datetime.astimezone(UTC)` gives for it."""
    expected = [
        micros(c.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).replace(tzinfo=None))
        for c in clocks
    ]
    array = np.array([micros(c) for c in clocks], dtype=np.int64)
    assert to_utc(array, ZoneInfo(zone)).tolist() == expected


@pytest.mark.parametrize(
    ("clock", "zone", "instant"),
    [
        ("2026-03-29T02:30:00", "Europe/Berlin", "2026-03-29T01:30:00"),  # skipped
        ("2026-10-25T02:30:00", "Europe/Berlin", "2026-10-25T00:30:00"),  # shown twice
        ("2026-10-25T02:59:59.999999", "Europe/Berlin", "2026-10-25T00:59:59.999999"),
        ("2026-10-25T03:00:00", "Europe/Berlin", "2026-10-25T02:00:00"),
        ("2026-04-05T01:45:00", "Australia/Lord_Howe", "2026-04-04T14:45:00"),  # by half an hour
        ("2011-12-30T12:00:00", "Pacific/Apia", "2011-12-30T22:00:00"),  # a day that was skipped
        ("1987-04-05T00:00:30", "America/St_Johns", "1987-04-05T03:30:30"),  # changes at 00:01
        ("0001-01-01T00:00:00", "UTC", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999", "Asia/Kolkata", "9999-12-31T18:29:59.999999"),
    ],
)
def test_the_edges_of_a_change(clock: str, zone: str, instant: str) -> None:
    """Times around a change of the clock, in zones that change in unusual ways."""
    assert one(dt.datetime.fromisoformat(clock), zone) == instant


def test_every_minute_around_each_change_of_a_year() -> None:
    """No minute of the days with a change is off, whichever hour it falls in."""
    for zone in ZONES:
        for month in (3, 4, 9, 10, 11):
            start = dt.datetime(2010, month, 1)
            clocks = [start + dt.timedelta(minutes=m) for m in range(0, 30 * 24 * 60, 7)]
            found = to_utc(np.array([micros(c) for c in clocks]), ZoneInfo(zone)).tolist()
            sample = range(0, len(clocks), 11)
            for i in sample:
                aware = clocks[i].replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
                assert found[i] == micros(aware.replace(tzinfo=None)), (zone, clocks[i])
