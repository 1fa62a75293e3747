"""
Clock times without an offset, turned into instants of a time zone, a whole array at a time.

`zoneinfo` converts one `datetime` at a time, about a microsecond each. An offset is the same for a
whole hour of the clock but for the few hours in which it changes, so it is asked for once per
distinct hour of the array (at its first and at its last microsecond) and remembered; only instants
in an hour whose ends differ are converted one by one. Ten million events of two years are 17,520
distinct hours.

A time that the clock shows twice is the earlier; one that it skips is read with the offset before
the change: both are what `zoneinfo` does with `fold=0` (PEP 495), and what the language says.

Rejected: `pyarrow.compute.assume_timezone`, which has no such rule for skipped times, and reads
another copy of the zone database.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Micros = npt.NDArray[np.int64]

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - clock times here are naive on purpose
# The instants that can be stored: years 1 to 9999 UTC, as `datetime` and the language have them.
FIRST_US = (dt.date.min - EPOCH.date()).days * DAY_US
LAST_US = ((dt.date.max - EPOCH.date()).days + 1) * DAY_US - 1


def to_utc(clock: Micros, zone: ZoneInfo) -> Micros:
    """
    Return the instants (int64 µs since 1970 UTC) at which *zone*'s clock shows *clock*.

    *clock* is int64 µs since 1970-01-01T00:00 of the clock, within years 1 to 9999.
    """
    if zone.key == "UTC" or not len(clock):
        return clock
    hours, places = np.unique(clock // HOUR_US, return_inverse=True)
    offsets = np.array([_hour_offset(zone, hour) for hour in hours.tolist()], dtype=np.int64)
    found = clock - offsets[places]
    for row in np.flatnonzero((offsets == _CHANGES)[places]).tolist():
        at = int(clock[row])
        found[row] = at - _offset(zone, at)
    return found


_CHANGES = np.iinfo(np.int64).min  # stands for the offset of an hour in which it changes


@lru_cache(maxsize=1 << 18)  # 30 years of hours
def _hour_offset(zone: ZoneInfo, hour: int) -> int:
    """Return the offset in µs through the clock hour *hour*, or `_CHANGES`."""
    first, last = _offset(zone, hour * HOUR_US), _offset(zone, hour * HOUR_US + HOUR_US - 1)
    return first if first == last else _CHANGES


def _offset(zone: ZoneInfo, clock: int) -> int:
    """Return *zone*'s offset from UTC in µs when its clock shows *clock*."""
    shown = EPOCH + dt.timedelta(microseconds=clock)
    offset = shown.replace(tzinfo=zone, fold=0).utcoffset()
    assert offset is not None, zone
    return offset // dt.timedelta(microseconds=1)
