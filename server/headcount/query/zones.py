"""
Local time of a whole array of instants: what `zoneinfo` knows, as a table that numpy can search.

`zoneinfo` converts one `datetime` at a time (0.7 µs each, 0.7 s for a million). Here the offsets of
a zone become two short arrays, found once by asking `zoneinfo` every two days and bisecting where
two answers differ:

    starts   [ -inf, 2025-03-30T01:00Z, 2025-10-26T01:00Z, ... ]   UTC
    offsets  [   1h,                2h,                1h, ... ]   from that start on

Two days are enough: the shortest time between two changes of offset, over all 599 zones, is 4 days
(Africa/Freetown, 1939). The table grows to the instants it is asked about, 0.2 ms a year. No zone
changed before 1844, and after 2100 every zone follows a rule, which repeats with the Gregorian
calendar every 400 years; so instants outside are looked up inside, and a column with a sentinel in
the year 9999 costs nothing extra.

Rejected: `pyarrow.compute.local_timestamp`, which reads another copy of the zone database (the
system's) and could disagree with the one that `zoneinfo` resolved the query's own dates with.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Instants = npt.NDArray[np.int64]  # µs since 1970-01-01T00:00Z; or of the wall clock, where said
Days = npt.NDArray[np.int64]  # days since 1970-01-01

SECOND_US = 1_000_000
DAY_S = 86_400
DAY_US = DAY_S * SECOND_US

_STEP_S = 2 * DAY_S
_MARGIN_S = 400 * DAY_S  # built around what was asked for, so that small steps do not rebuild
_FIRST_S = -3_976_300_800  # 1844-01-01: every zone is at its local mean time
_RULES_S = 4_102_444_800  # 2100-01-01: from here on a zone is its rule
_CYCLE_S = 146_097 * DAY_S  # 400 years, a whole number of weeks
_LAST_S = _RULES_S + _CYCLE_S + _MARGIN_S

_FIRST_US = _FIRST_S * SECOND_US
_RULES_US = _RULES_S * SECOND_US
_CYCLE_US = _CYCLE_S * SECOND_US


class _Table(NamedTuple):
    """Offsets of a zone, right for instants from `low` to `high`; all in microseconds."""

    low: int
    high: int
    starts: Instants
    offsets: Instants
    reach: Instants  # the latest wall clock reached up to the end of each stretch


class LocalTime:
    """
    The wall clock of one time zone, for arrays.

    Safe to share between threads: the table is replaced as a whole, and building it twice gives
    the same table.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._table: _Table | None = None

    def local(self, instants: Instants) -> Instants:
        """Return the wall clock at each instant, as µs since 1970-01-01T00:00 on that clock."""
        if not len(instants):
            return instants
        inside = _into_table(instants)
        table = self._covering(inside)
        found = np.searchsorted(table.starts, inside, side="right") - 1
        return instants + table.offsets.take(found)

    def days(self, instants: Instants) -> Days:
        """Return the calendar day of each instant."""
        return self.local(instants) // DAY_US

    def instants(self, local: Instants) -> Instants:
        """
        Return the instant at which the clock shows each wall-clock time.

        A time that occurs twice is the earlier one; one that does not exist is read with the offset
        in force before the change.
        """
        return self._from_wall(local, first_after=False)

    def day_starts(self, days: Days) -> Instants:
        """Return the first instant of each calendar day; a skipped day starts as the next does."""
        return self._from_wall(days * DAY_US, first_after=True)

    def _from_wall(self, local: Instants, *, first_after: bool) -> Instants:
        if not len(local):
            return local
        inside = _into_table(local)
        table = self._covering(inside)
        # The first stretch of one offset whose clock gets beyond the time asked for.
        found = np.searchsorted(table.reach, inside, side="right")
        found = np.minimum(found, len(table.starts) - 1)
        result = inside - table.offsets[found]
        skipped = result < table.starts[found]
        if first_after:
            result = np.where(skipped, table.starts[found], result)
        else:
            result = np.where(skipped, inside - table.offsets[np.maximum(found - 1, 0)], result)
        result += local - inside
        return result

    def _covering(self, instants: Instants) -> _Table:
        low, high = int(instants.min()) - DAY_US, int(instants.max()) + DAY_US
        table = self._table
        if table is None:
            table = self._table = self._build(low, high)
        elif low < table.low or high > table.high:
            table = self._table = self._build(min(low, table.low), max(high, table.high))
        return table

    def _build(self, low_us: int, high_us: int) -> _Table:
        low = max(low_us // SECOND_US - _MARGIN_S, _FIRST_S - DAY_S)
        high = min(high_us // SECOND_US + _MARGIN_S, _LAST_S)
        known = self._offset(low)
        changes: list[int] = []
        offsets = [known]
        for at in range(low + _STEP_S, high + _STEP_S, _STEP_S):
            offset = self._offset(at)
            if offset != known:
                changes.append(self._change(at - _STEP_S, at))
                offsets.append(offset)
                known = offset
        ends = np.array([*changes, high], dtype=np.int64) * SECOND_US
        starts = np.append(np.iinfo(np.int64).min, ends[:-1])
        shifts = np.array(offsets, dtype=np.int64) * SECOND_US
        reach = np.maximum.accumulate(ends + shifts)
        return _Table(low * SECOND_US, high * SECOND_US, starts, shifts, reach)

    def _offset(self, second: int) -> int:
        offset = dt.datetime.fromtimestamp(second, self._zone).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())

    def _change(self, before: int, after: int) -> int:
        """Return the first second with the offset of *after*, which *before* does not have."""
        new = self._offset(after)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == new:
                after = middle
            else:
                before = middle
        return after


@lru_cache(maxsize=64)
def local_time(zone: ZoneInfo) -> LocalTime:
    """Return the table of *zone*, shared."""
    return LocalTime(zone)


def _into_table(instants: Instants) -> Instants:
    """Return *instants* moved to where a zone has the same offset and the table reaches."""
    if int(instants.min()) < _FIRST_US:
        instants = np.maximum(instants, _FIRST_US)
    if int(instants.max()) >= _RULES_US + _CYCLE_US:
        folded = _RULES_US + (instants - _RULES_US) % _CYCLE_US
        instants = np.where(instants >= _RULES_US, folded, instants)
    return instants
