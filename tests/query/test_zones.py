"""Local time for arrays says what `zoneinfo` says, one instant at a time."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.query.zones import DAY_US, SECOND_US, LocalTime, local_time

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # changed at 00:01 for years, half hours
    "America/Sao_Paulo",  # changed at midnight: days that start at 01:00
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Apia",  # skipped 30 December 2011
    "Pacific/Kwajalein",  # skipped 21 August 1993
    "Africa/Casablanca",  # winter time in Ramadan
    "Africa/Freetown",  # two changes within four days
    "Asia/Gaza",
    "Asia/Kolkata",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
years = st.integers(1840, 2110) | st.integers(2, 9998)


@st.composite
def moments(draw: st.DrawFn) -> dt.datetime:
    """Return a naive datetime, often near the hours at which clocks change."""
    hour = draw(st.sampled_from([0, 1, 2, 3, 23]) | st.integers(0, 23))
    minute = draw(st.sampled_from([0, 1, 30, 59]) | st.integers(0, 59))
    day = dt.date(draw(years), draw(st.integers(1, 12)), draw(st.integers(1, 28)))
    micro = draw(st.sampled_from([0, 1, 999_999]))
    return dt.datetime.combine(day, dt.time(hour, minute, draw(st.integers(0, 59)), micro))


def micros(moment: dt.datetime) -> int:
    """Return an aware datetime as µs since the epoch."""
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def wall(moment: dt.datetime) -> int:
    """Return what the clock shows as µs since 1970-01-01T00:00 on it."""
    return micros(moment.replace(tzinfo=dt.UTC))


@given(zone=zones, given_moments=st.lists(moments(), min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
def test_local_time_is_zoneinfos(zone: ZoneInfo, given_moments: list[dt.datetime]) -> None:
    """`local` gives the wall clock that `astimezone` gives."""
    aware = [m.replace(tzinfo=dt.UTC) for m in given_moments]
    found = local_time(zone).local(np.array([micros(m) for m in aware]))
    assert found.tolist() == [wall(m.astimezone(zone)) for m in aware]


@given(zone=zones, given_moments=st.lists(moments(), min_size=1, max_size=20))
@settings(max_examples=300, deadline=None)
def test_instants_are_those_of_fold_zero(zone: ZoneInfo, given_moments: list[dt.datetime]) -> None:
    """`instants` reads a wall clock as `fold=0` does: the earlier one, or the offset before."""
    found = local_time(zone).instants(np.array([wall(m) for m in given_moments]))
    assert found.tolist() == [micros(m.replace(tzinfo=zone)) for m in given_moments]


@given(zone=zones, given_moments=st.lists(moments(), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_a_day_starts_at_its_first_instant(
    zone: ZoneInfo, given_moments: list[dt.datetime]
) -> None:
    """No instant before `day_starts` is on that day or later, and the start itself is."""
    days = np.array([wall(m) // DAY_US for m in given_moments])
    clock = local_time(zone)
    starts = clock.day_starts(days)
    assert np.all(clock.days(starts) >= days)
    assert np.all(clock.days(starts - 1) < days)
    for back in (1, 1800, 3600, 7200):
        assert np.all(clock.days(starts - back * SECOND_US) < days)


def test_every_change_of_offset_is_found() -> None:
    """Half-hourly instants over years of frequent change agree with `zoneinfo`."""
    for name, year in [("Africa/Freetown", 1939), ("Asia/Gaza", 2040), ("Europe/Vienna", 1945)]:
        zone = ZoneInfo(name)
        start = micros(dt.datetime(year, 1, 1, tzinfo=dt.UTC))
        instants = start + np.arange(365 * 48, dtype=np.int64) * 1800 * SECOND_US
        expected = [
            wall(dt.datetime.fromtimestamp(i // SECOND_US, zone)) for i in instants.tolist()
        ]
        assert local_time(zone).local(instants).tolist() == expected


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("America/Sao_Paulo", "2017-10-15", "2017-10-15T01:00:00-02:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
        ("Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00"),
        ("America/Havana", "2025-11-02", "2025-11-02T00:00:00-04:00"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30"),
    ],
)
def test_days_without_a_plain_midnight(zone: str, day: str, start: str) -> None:
    """A day starts after a gap at midnight, at the first of two midnights, or as the next does."""
    days = np.array([np.datetime64(day, "D").astype(np.int64)])
    found = LocalTime(ZoneInfo(zone)).day_starts(days)
    assert found.tolist() == [micros(dt.datetime.fromisoformat(start))]


def test_no_instants_no_table() -> None:
    """An empty array comes back empty."""
    nothing = np.array([], dtype=np.int64)
    for found in (
        LocalTime(ZoneInfo("UTC")).local(nothing),
        LocalTime(ZoneInfo("UTC")).instants(nothing),
        LocalTime(ZoneInfo("UTC")).day_starts(nothing),
    ):
        assert len(found) == 0
