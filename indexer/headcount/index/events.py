"""
The events of one type in a block: who has how many of them in a window, and when the newest was.

    log         every event by time, the truth                      8 bytes an event
    tallies     counts per contact at checkpoints of the log        4
    marks       who reached n where, made when asked for again      a bit, of few gaps
    recency     times of each contact's newest events               up to 4
    properties  a column each, in the log's order
    selections  events of some values by contact, when asked again  8 and more, of few events
    running     sums by contact from near a window's start, too     8 a contact, of few starts
    event ids   as the client gave them, if any

A window is a stretch of the log, found exactly; then one of four paths answers "at least n":

    SORT     sort the rows of the stretch and compare neighbours n - 1 apart: a few hundred events
    COUNT    count every event of the stretch in one number per contact: a short log, and whenever
             a condition on properties has chosen some of its events
    RECENCY  one range of the n-th newest times: small n, few or no events after the window
    TALLIES  subtract two checkpoints and mend the ends: everything else, whatever its length

Where only a number is wanted and no event comes after the window, nobody is looked at one by one:
the n-th newest times are counted by their ranks, and without them `Marks` counts bits, 0.01 to 0.03
ms for 2^20 rows with any number of events.

All are exact for every n and window, so they are tested against each other; the choice is by
estimated cost. Measured on 2^20 rows and 5M events (`bench/flat.py`): at least one in the last 30
days 0.04 ms, three 0.25 ms, three between any two instants 0.26 ms, where counting 5M events takes
17 ms; three among 0.5M chosen of 1M events 2 ms; built in 2 s.

Rejected: bitmaps per time bucket, united for n = 1 and added for n > 1. They say no more than two
checkpoints do, cost a bitmap per bucket and n, and leave the two edge buckets to be read anyway.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import count

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps, event_ids, properties, recency
from headcount.index import parts as parts_of
from headcount.index.bitmaps import Mask
from headcount.index.columns import Vector
from headcount.index.event_ids import EventIds
from headcount.index.interval import EVER, Interval
from headcount.index.lazy import held
from headcount.index.log import Log
from headcount.index.marks import Marks
from headcount.index.owners import Owners
from headcount.index.parts import Part, Parts
from headcount.index.properties import EventProperty
from headcount.index.ranges import RangeIndex
from headcount.index.recency import Recency
from headcount.index.running import RunningSums
from headcount.index.selection import Selections
from headcount.index.tallies import Tallies
from headcount.index.timeline import Instants
from headcount.index.tuning import DEFAULT, Tuning
from headcount.model.schema import EventType, Field

Rows = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.uint32]

# Nanoseconds, as measured: only their ratios matter, and only near where two paths cost the same.
_SORT_FIXED, _SORT_EVENT = 6_000.0, 25.0
_COUNT_FIXED, _COUNT_EVENT = 28_000.0, 1.7
_COUNT_ROW = 0.12  # a byte cleared, compared, packed
_TALLIES_FIXED, _TALLIES_ROW = 30_000.0, 0.13  # and _COUNT_EVENT for each event of a stride
_RECENCY_FIXED, _RECENCY_ROW = 12_000.0, 0.03  # for each range

_REACH = 255  # "at least n" in all is known for n up to here
_SPARSE = (
    8  # with fewer than one event in so many rows, nothing is made that is as long as the rows
)

_FEW_EVENTS = 500  # of a window, that are sorted as fast as marks are counted

serials = count(1)  # of indexes, one each


class Path(StrEnum):
    """A way to count the events of a window; see the top of the file."""

    SORT = "sort"
    COUNT = "count"
    TALLIES = "tallies"
    RECENCY = "recency"


@dataclass(frozen=True, eq=False)
class EventIndex:
    """
    The events of one type in a block of `rows` rows. Immutable.

    `reach[k]` is how many rows have more than k events in all, `peak` the most that any row has.
    `serial` is a number that no other index of this process has. Events before `floor` (µs) have
    expired: they are in the log, and in no answer.
    """

    event: EventType
    rows: int
    log: Log
    tallies: Tallies
    recency: Recency
    properties: Mapping[str, EventProperty]
    ids: EventIds | None
    reach: npt.NDArray[np.uint32]
    peak: int
    serial: int = field(default_factory=lambda: next(serials))
    floor: int = EVER.low

    @classmethod
    def build(
        cls, table: pa.Table, rows: int, event: EventType, tuning: Tuning = DEFAULT
    ) -> EventIndex:
        """
        Return the index of the events of *table*, in any order, for a block of *rows* rows.

        Columns: `row` (uint32, below *rows*), `time` (timestamp[us, UTC]), both without nulls, `id`
        (string) and `property.<name>` for each property; an absent one of these is all null. The
        events are taken as they are: see `event_ids.deduplicate`. Half a second per million events.
        """
        log_rows = table.column("row").to_numpy()
        assert not len(log_rows) or int(log_rows.max()) < rows, "an event of no row"
        log, order = Log.build(log_rows, table.column("time").cast(pa.int64()).to_numpy())
        held = None
        if len(log) * _SPARSE < rows:
            held, counts = np.unique(log.rows, return_counts=True)
            totals = counts.astype(np.uint32)
        else:
            totals = _totals(log.rows, rows)
        reach, peak = reach_of(totals), int(totals.max(initial=0))
        recency = Recency.build(log, rows, reach, peak, tuning)
        if not recency.depth:
            tuning = tuning.without_recency()
        return cls(
            event=event,
            rows=rows,
            log=log,
            tallies=Tallies.build(log.rows, rows, totals, tuning, held),
            recency=recency,
            properties={
                p.name: properties.build(table.column(f"property.{p.name}"), p, order)
                if f"property.{p.name}" in table.column_names
                else properties.missing(p, len(log))
                for p in event.properties
            },
            ids=EventIds.build(table.column("id"), order) if "id" in table.column_names else None,
            reach=reach,
            peak=peak,
        )

    @property
    def size(self) -> int:
        """Return the number of events in the log."""
        return len(self.log)

    @property
    def start(self) -> int:
        """Return the position of the first event that has not expired."""
        return 0 if self.floor == EVER.low else self.slice(EVER)[0]

    def with_floor(self, floor: int) -> EventIndex:
        """Return the index without the events before an instant (µs), at no cost."""
        return replace(self, floor=max(floor, self.floor), serial=next(serials))

    def with_properties(self, event: EventType, columns: Mapping[str, EventProperty]) -> EventIndex:
        """Return the index of the same events as those of *event*, with other properties."""
        return replace(self, event=event, properties=columns, serial=next(serials))

    @cached_property
    def owners(self) -> Owners:
        """Whose events are where; made when it is first asked for, 35 ms per million events."""
        return Owners.build(self.log.rows)

    @cached_property
    def marks(self) -> Marks:
        """Which events are the n-th newest of their contact; nothing is held until asked for."""
        return Marks(self.tallies, self.log.rows)

    @cached_property
    def selections(self) -> Selections:
        """Events by the values of a text property; nothing is held until asked for."""
        return Selections(self.log.rows, self.properties)

    @cached_property
    def running(self) -> RunningSums:
        """Sums of properties from near a position on; nothing is held until asked for."""
        return RunningSums(self.log.rows, self.properties)

    @cached_property
    def nothing(self) -> pa.Table:
        """No events, as `to_arrow` gives them."""
        return self.to_arrow(np.zeros(0, dtype=np.int64))

    def of_rows(self, rows: Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """
        Return the positions of the events of *rows* (ascending, unique), and whose each is.

        Both int64, ordered by row and then by time; the latter are places in *rows*.
        """
        positions, whose = self.owners.positions(rows)
        start = self.start
        if start:
            kept = positions >= start
            positions, whose = positions[kept], whose[kept]
        return positions, whose

    @property
    def log_rows(self) -> Rows:
        """Return the row of every event in the log's order, uint32[size], not to be changed."""
        return self.log.rows

    @property
    def min_time(self) -> int | None:
        """Return the time of the first event, None without events."""
        start = self.start
        return int(self.times(start, start + 1)[0]) if start < self.size else None

    @property
    def max_time(self) -> int | None:
        """Return the time of the last event, None without events."""
        return int(self.times(self.size - 1)[0]) if self.start < self.size else None

    def times(self, start: int = 0, stop: int | None = None) -> Instants:
        """Return the times of the events at positions *start* to *stop*, fresh int64, ascending."""
        return self.log.timeline.decode(start, stop)

    def slice(self, interval: Interval) -> tuple[int, int]:
        """Return the positions (start, stop) in the log of the events in *interval*."""
        return self.log.slice(self._visible(interval))

    def estimate(self, n: int, interval: Interval) -> int:
        """Return a number that `at_least` does not exceed, often what it will be; 10 µs."""
        interval = self._visible(interval)
        start, stop = self.slice(interval)
        limit = self._limit(n, start, stop)
        since = self.recency.limit(n, interval) if limit else None
        return limit if since is None else min(limit, since)

    def paths(self, n: int, interval: Interval) -> tuple[Path, ...]:
        """Return the paths that can answer `at_least`, the cheapest by estimate first."""
        return self._paths(n, interval, *self.slice(interval))

    def _paths(self, n: int, interval: Interval, start: int, stop: int) -> tuple[Path, ...]:
        costs = self._scans(stop - start)
        if self.tallies.checkpoints:
            strides = self.tallies.strides(start, stop)
            costs[Path.TALLIES] = _TALLIES_FIXED + _TALLIES_ROW * self.rows + _COUNT_EVENT * strides
        shift = self.recency.shift(n, interval)
        if shift is not None:
            costs[Path.RECENCY] = (1 + 2 * shift) * (_RECENCY_FIXED + _RECENCY_ROW * self.rows)
        return tuple(sorted(costs, key=costs.__getitem__))

    def at_least(
        self, n: int, interval: Interval, chosen: Mask | None = None, *, path: Path | None = None
    ) -> BitMap:
        """
        Return the rows with *n* (1 or more) events in *interval*, not to be changed.

        With *chosen* (bool, one for each event of `slice(interval)`) only those events count.
        *path* forces one of `paths`, or with *chosen* `SORT` or `COUNT`.
        """
        found = self._with(n, interval, chosen, path)
        return found if isinstance(found, BitMap) else bitmaps.from_mask(found)

    def count_at_least(
        self, n: int, interval: Interval, chosen: Mask | None = None, *, path: Path | None = None
    ) -> int:
        """
        Return how many rows `at_least` holds, without making a bitmap of them.

        15 µs where no event comes after the interval; asked for the first time, up to 0.3 ms.
        """
        if chosen is None and path is None:
            known = self._known_count(n, interval)
            if known is not None:
                return known
        found = self._with(n, interval, chosen, path)
        return len(found) if isinstance(found, BitMap) else int(np.count_nonzero(found))

    def _known_count(self, n: int, interval: Interval) -> int | None:
        """Return what `count_at_least` does where a structure knows it, or None."""
        interval = self._visible(interval)
        start, stop = self.slice(interval)
        if not self._limit(n, start, stop):
            return 0
        if stop < self.size:
            return None
        if n <= self.recency.depth:
            return self.recency.limit(n, interval)
        if stop - start < _FEW_EVENTS:
            return None
        return self.marks.count(n, start)

    def _with(
        self, n: int, interval: Interval, chosen: Mask | None, path: Path | None
    ) -> BitMap | Mask:
        """Return what `at_least` does, as a mask of all rows where that is what was made."""
        assert n >= 1, n
        interval = self._visible(interval)
        start, stop = self.slice(interval)
        if not self._limit(n, start, stop):
            return bitmaps.EMPTY
        if chosen is None:
            path = path or self._paths(n, interval, start, stop)[0]
            if path is Path.RECENCY:
                return self.recency.at_least(n, interval)
            if path is Path.TALLIES:
                return self._tallied(n, start, stop)
        rows = self.log.rows[start:stop]
        if chosen is not None:
            rows = rows.compress(chosen)
            path = path or min(costs := self._scans(len(rows)), key=costs.__getitem__)
        return _sorted(rows, n) if path is Path.SORT else self._counted(rows, n)

    def ranks(self, n: int, interval: Interval) -> tuple[RangeIndex, int, int] | None:
        """
        Return (index, start, stop): `index.order[start:stop]` are the rows with *n* events.

        None where they are not a stretch of one index. 10 µs.
        """
        return self.recency.ranks(n, self._visible(interval))

    def counts(
        self, interval: Interval, chosen: Mask | None = None, *, path: Path | None = None
    ) -> Counts:
        """
        Return how many events each row has in *interval*, as fresh uint32[rows].

        *chosen* is that of `at_least`; *path* forces `COUNT`, or `TALLIES` where it is in `paths`.
        """
        start, stop = self.slice(interval)
        if path is None and chosen is None:
            counting = (Path.COUNT, Path.TALLIES)
            path = next(p for p in self.paths(1, interval) if p in counting)
        if path is Path.TALLIES:
            assert chosen is None
            busy = self.tallies.busy
            found = self.tallies.between(self.log.rows, start, stop).astype(np.uint32)
            found[busy.rows] = busy.between(start, stop)
            return found
        rows = self.log.rows[start:stop]
        found = np.zeros(self.rows, dtype=np.uint32)
        np.add.at(found, rows if chosen is None else rows.compress(chosen), np.uint32(1))
        return found

    def touched(self, n: int | None, interval: Interval, chosen: int | None = None) -> int:
        """
        Return how many bytes `at_least` (`counts` for no *n*) reads of what is held here.

        *chosen* is how many events fit the condition on properties, whose own columns are not in
        it; None if there is none.
        """
        interval = self._visible(interval)
        start, stop = self.slice(interval)
        if n is not None and not self._limit(n, start, stop):
            return 0
        if chosen is None:
            allowed = (*Path,) if n is not None else (Path.COUNT, Path.TALLIES)
            path = next(p for p in self.paths(n or 1, interval) if p in allowed)
            if path is Path.RECENCY:
                return self.recency.touched(n or 1, interval)
            if path is Path.TALLIES:
                return self.tallies.touched(start, stop)
        mask = 0 if chosen is None else stop - start
        return self.log.rows.itemsize * (stop - start) + mask

    def newest(self, interval: Interval, chosen: Mask | None = None) -> Vector:
        """
        Return the time of each row's newest event in *interval*, fresh, int64 microseconds.

        *chosen* is that of `at_least`.
        """
        interval = self._visible(interval)
        start, stop = self.slice(interval)
        if chosen is not None or not self.recency.depth:
            return self._walk(interval, chosen, backward=True)
        held = self.recency.vector()
        times, present = held.values, held.present
        if stop < self.size:
            later = present & (times > interval.high)
            again = later & self._any(interval)
            present ^= later ^ again
            recency.walk(self.log, start, stop, again, times, backward=True)
        present &= times >= interval.low
        return Vector(times, present)

    def oldest(self, interval: Interval, chosen: Mask | None = None) -> Vector:
        """
        Return the time of each row's oldest event in *interval*, fresh, int64 microseconds.

        *chosen* is that of `at_least`.
        """
        return self._walk(interval, chosen, backward=False)

    def property(self, name: str) -> EventProperty:
        """Return the column of the property declared as *name*; its rows are log positions."""
        return self.properties[name]

    def to_arrow(self, positions: npt.NDArray[np.int64] | None = None) -> pa.Table:
        """
        Return the events at *positions*, in the columns that `build` takes.

        All that have not expired when None.
        """
        if positions is None and self.start:
            positions = np.arange(self.start, self.size)
        if positions is None:
            rows, times = self.log.rows, self.times()
        else:
            rows, times = self.log.rows[positions], self.log.timeline.take(positions)
        none = pa.nulls(len(rows), pa.string())
        ids = none if self.ids is None else self.ids.to_arrow(positions)
        columns = {
            "row": pa.array(rows),
            "time": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "id": ids,
        }
        for name, column in self.properties.items():
            columns[f"property.{name}"] = column.to_arrow(positions)
        return pa.table(columns)

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the index as parts named under *prefix*."""
        about = {
            "rows": self.rows,
            "peak": self.peak,
            "recency": self.recency.depth,
            "properties": list(self.properties),
        }
        yield parts_of.document(f"{prefix}about", about)
        yield parts_of.array(f"{prefix}reach", self.reach)
        yield from self.log.parts(f"{prefix}log/")
        yield from self.tallies.parts(f"{prefix}tallies/")
        yield from self.recency.parts(f"{prefix}recency/")
        for name, column in self.properties.items():
            yield from column.parts(f"{prefix}property/{name}/")
        if self.ids is not None:
            yield from self.ids.parts(f"{prefix}ids/")

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str, event: EventType) -> EventIndex:
        """
        Return the index of *event* that `parts` wrote under *prefix*.

        A property that it was written without is all missing.
        """
        about = parts.document(f"{prefix}about")
        log = Log.from_parts(parts, f"{prefix}log/")
        known = set(about["properties"])

        def column(declared: Field) -> EventProperty:
            if declared.name not in known:
                return properties.missing(declared, len(log))
            return properties.load(parts, f"{prefix}property/{declared.name}/", declared)

        return cls(
            event=event,
            rows=about["rows"],
            log=log,
            tallies=Tallies.from_parts(parts, f"{prefix}tallies/", about["rows"], len(log)),
            recency=Recency.from_parts(parts, f"{prefix}recency/", about["recency"], about["peak"]),
            properties=parts.made({p.name: p for p in event.properties}, column),
            ids=EventIds.from_parts(parts, f"{prefix}ids/"),
            reach=parts.array(f"{prefix}reach"),
            peak=about["peak"],
        )

    def memory(self) -> dict[str, int]:
        """Return the bytes held, by kind of structure."""
        found = {"log": self.log.memory(), "tallies": self.tallies.memory() + self.marks.memory()}
        found["recency"] = self.recency.memory()
        found["properties"] = sum(column.memory() for column in held(self.properties).values())
        found["properties"] += self.selections.memory() + self.running.memory()
        found["event ids"] = 0 if self.ids is None else self.ids.memory()
        return found

    def check(self) -> Iterator[str]:
        """Yield a sentence for each structure that disagrees with the log, naming it."""
        broken = list(self.log.check(self.rows))
        yield from broken
        if broken:
            return  # everything else is compared with the log
        yield from self.tallies.check(self.log.rows)
        yield from self.recency.check(self.log, self.rows)
        totals = _totals(self.log.rows, self.rows)
        if self.peak != totals.max(initial=0) or not np.array_equal(self.reach, reach_of(totals)):
            yield "totals: how many rows have how many events is not what the log says"
        for name, column in self.properties.items():
            for message in column.check():
                yield f"property {name}: {message}"
            if len(column) != self.size:
                yield f"property {name}: {len(column)} values for {self.size} events"
        if self.ids is not None:
            ids = self.ids.to_arrow()
            if len(ids) != self.size:
                yield f"event ids: {len(ids)} for {self.size} events"
            elif repeats := len(event_ids.repeated(pa.chunked_array([self.log.rows]), ids)):
                yield f"event ids: {repeats} events have the row and id of another"

    def _visible(self, interval: Interval) -> Interval:
        """Return the part of an interval in which no event has expired."""
        return interval if interval.low >= self.floor else Interval(self.floor, interval.high)

    def _limit(self, n: int, start: int, stop: int) -> int:
        """Return a number of rows that those with *n* events from *start* to *stop* stay within."""
        if n > self.peak:
            return 0
        return min(int(self.reach[min(n, len(self.reach)) - 1]), (stop - start) // n)

    def _scans(self, events: int) -> dict[Path, float]:
        """Return the estimated costs of going through *events* events."""
        return {
            Path.SORT: _SORT_FIXED + _SORT_EVENT * events,
            Path.COUNT: _COUNT_FIXED + _COUNT_ROW * self.rows + _COUNT_EVENT * events,
        }

    def _any(self, interval: Interval) -> Mask:
        return bitmaps.to_mask(self.at_least(1, interval), self.rows)

    def _walk(self, interval: Interval, chosen: Mask | None, *, backward: bool) -> Vector:
        start, stop = self.slice(interval)
        times = np.zeros(self.rows, dtype=np.int64)
        # Without a condition it is known who will be met, so that the walk can end early.
        wanted = np.ones(self.rows, np.bool_) if chosen is not None else self._any(interval)
        before = wanted.copy()
        recency.walk(self.log, start, stop, wanted, times, chosen=chosen, backward=backward)
        return Vector(times, before & ~wanted)

    def _tallied(self, n: int, start: int, stop: int) -> Mask:
        counts, busy = self.tallies.between(self.log.rows, start, stop), self.tallies.busy
        reached: Mask = counts >= n
        if len(busy.rows):
            reached[busy.rows] = busy.between(start, stop) >= n
        return reached

    def _counted(self, rows: Rows, n: int) -> Mask:
        reached: Mask
        if n == 1:  # marking takes half of what adding does
            reached = np.zeros(self.rows, dtype=np.bool_)
            reached[rows.astype(np.intp)] = True
            return reached
        most = min(self.peak, len(rows))
        counts = np.zeros(self.rows, dtype=np.min_scalar_type(most))
        np.add.at(counts, rows.astype(np.intp), counts.dtype.type(1))
        reached = counts >= n
        return reached


def _sorted(rows: Rows, n: int) -> BitMap:
    if n > 1:
        ordered = np.sort(rows)
        rows = ordered[n - 1 :][ordered[n - 1 :] == ordered[: max(0, len(rows) - n + 1)]]
    return bitmaps.from_rows(rows)


def _totals(log_rows: Rows, rows: int) -> Counts:
    """Return how many events each row has in all."""
    totals = np.zeros(rows, dtype=np.uint32)
    np.add.at(totals, log_rows, np.uint32(1))
    return totals


def reach_of(totals: Counts) -> npt.NDArray[np.uint32]:
    """Return how many rows have at least 1, 2, 3 ... events, up to `_REACH` or to no row."""
    exactly = np.bincount(np.minimum(totals, _REACH), minlength=_REACH + 1)
    at_least = np.cumsum(exactly[::-1])[::-1][1:]
    return at_least[at_least > 0].astype(np.uint32)
