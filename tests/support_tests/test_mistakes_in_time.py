"""Broken oracles that get windows, zones, durations or dates wrong."""

from __future__ import annotations

import sys

import pytest

from support.broken import Cases, Mistake, broken_oracle, seen_after

SEED, COUNT = 13, 6000

MISTAKES: list[Mistake] = [
    # windows and their edges
    ("the old edge of a rolling window is in it", "oracle_time",
     "return Stretch(step(as_of, duration, -1, zone) + MICROSECOND, as_of + MICROSECOND)",
     "return Stretch(step(as_of, duration, -1, zone), as_of + MICROSECOND)"),
    ("as_of itself is not in a rolling window", "oracle_time",
     "return Stretch(step(as_of, duration, -1, zone) + MICROSECOND, as_of + MICROSECOND)",
     "return Stretch(step(as_of, duration, -1, zone) + MICROSECOND, as_of)"),
    ("as_of is within next", "oracle_time",
     "return Stretch(as_of + MICROSECOND, step(as_of, duration, 1, zone) + MICROSECOND)",
     "return Stretch(as_of, step(as_of, duration, 1, zone) + MICROSECOND)"),
    ("the far edge of within next is out", "oracle_time",
     "return Stretch(as_of + MICROSECOND, step(as_of, duration, 1, zone) + MICROSECOND)",
     "return Stretch(as_of + MICROSECOND, step(as_of, duration, 1, zone))"),
    ("events after as_of are seen", "oracle",
     "end = cut if there.end is None else min(there.end, cut)",
     "end = there.end"),
    ("events at as_of are not seen", "oracle",
     "cut = query.as_of + MICROSECOND", "cut = query.as_of"),
    ("engagement times look into the future", "oracle",
     "max((time for time in times if time <= query.as_of), default=None)",
     "max(times, default=None)"),
    ("between ends at the start of its last day", "oracle",
     "stretch_of(query, constant(query, high)).end,",
     "stretch_of(query, constant(query, high)).start,"),
    ("since starts after its day", "oracle",
     "return Stretch(there.start, None)", "return Stretch(there.end, None)"),
    ("after starts within its day", "oracle",
     "return Stretch(there.end, None)", "return Stretch(there.start, None)"),
    ("before ends within its day", "oracle",
     "return Stretch(None, there.start)", "return Stretch(None, there.end)"),
    ("weeks start on Sunday", "oracle_time",
     "monday = today - today.weekday() * DAY",
     "monday = today - today.isoweekday() % 7 * DAY"),
    ("last quarter is three months back", "oracle_time",
     "return step_day(quarter, Duration(3, Unit.MONTH), -1), quarter",
     "return step_day(month, Duration(3, Unit.MONTH), -1), month"),
    # days and zones
    ("days are those of UTC", "oracle_time",
     "return instant.astimezone(zone).date()", "return instant.date()"),
    ("days start at midnight UTC", "oracle_time",
     "candidate = instant_of(midnight, zone)", "return midnight.replace(tzinfo=dt.UTC)"),
    ("the later of two equal clock times is meant", "oracle_time",
     "return wall.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)",
     "return wall.replace(tzinfo=zone, fold=1).astimezone(dt.UTC)"),
    ("a skipped midnight is read with the old offset", "oracle_time",
     "if wall_of(candidate, zone) == midnight:", "if True:"),
    ("hours are those of UTC", "oracle_functions",
     "wall = oracle_time.wall_of(instant_in(a), query.zone)", "wall = instant_in(a)"),
    ("a day has 24 hours", "oracle_time",
     "return start_of_day(day + DAY, zone)", "return start_of_day(day, zone) + DAY"),
    # durations
    ("a month has 30 days", "oracle_time",
     "    if duration.unit in EXACT_UNITS:\n        return day + sign * exact_length(duration)",
     "    if duration.unit in CALENDAR_MONTHS:\n"
     "        return day + sign * duration.amount * CALENDAR_MONTHS[duration.unit] * 30 * DAY\n"
     "    if duration.unit in EXACT_UNITS:\n        return day + sign * exact_length(duration)"),
    ("months step in UTC", "oracle_time",
     "    wall = wall_of(instant, zone)\n    return instant_of(",
     "    zone = ZoneInfo('UTC')\n    wall = wall_of(instant, zone)\n    return instant_of("),
    ("days step the clock on the wall", "oracle_time",
     "    if duration.unit in EXACT_UNITS:\n        return instant + sign * exact_length(duration)",
     "    if duration.unit in (Unit.MINUTE, Unit.HOUR):\n"
     "        return instant + sign * exact_length(duration)"),
    ("a day over is not clamped to the month's end", "oracle_time",
     "    return dt.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))",
     "    return dt.date(year, month, 1) + (day.day - 1) * DAY"),
    # dates, ages, anniversaries
    ("today is not within the last days", "oracle_time",
     "return step_day(today, duration, -1) < day <= today",
     "return step_day(today, duration, -1) <= day < today"),
    ("within next days has one too many", "oracle_time",
     "return today <= day < step_day(today, duration, 1)",
     "return today <= day <= step_day(today, duration, 1)"),
    ("times to come have an age", "oracle_values",
     "    if instant > query.as_of:\n        return False\n", ""),
    ("days to come have an age", "oracle_values",
     "        if held > query.today:\n            return False\n", ""),
    ("older is later", "oracle_values",
     "return ordered(MIRRORED[op], instant, edge)", "return ordered(op, instant, edge)"),
    ("29 February is observed on 1 March", "oracle_time",
     "occurrence = dt.date(year, day.month, min(day.day, last))",
     "occurrence = dt.date(year, day.month, 1) + (day.day - 1) * DAY"),
    ("an anniversary is never today", "oracle_time",
     "if occurrence >= today:", "if occurrence > today:"),
    ("beside a date, `30 days ago` is the day of that instant", "oracle_values",
     "            b = b.day\n", "            b = oracle_time.day_of(b.instant, query.zone)\n"),
    ("up to a day is up to its start", "oracle_values",
     "            return instant < there.end", "            return instant <= there.start"),
    ("after a day is after its start", "oracle_values",
     "            return instant >= there.end", "            return instant > there.start"),
]  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> Cases:
    """Return the cases that every mistake is looked for in."""
    return Cases(SEED, COUNT)


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_seen(mistake: Mistake, cases: Cases) -> None:
    """Random cases tell this broken oracle from the right one."""
    assert seen_after(broken_oracle(mistake), cases) is not None


if __name__ == "__main__":  # how many cases each mistake takes, most last
    known = Cases(SEED, COUNT)
    taken = {m[0]: seen_after(broken_oracle(m), known) for m in MISTAKES}
    for name, count in sorted(taken.items(), key=lambda item: item[1] or COUNT + 1):
        sys.stdout.write(f"{count} {name}\n")
