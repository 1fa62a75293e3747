"""
Newer events: an index of a few thousand events, of which the log alone is made at once.

    table ─→ log, at once ─→ totals ─→ reach, peak, tallies, recency
          └────────────────────────→ properties, ids               when they are asked for

A live workspace makes such an index for each event type of each commit, and soon joins it with
others; queries look at its log, seldom at more. Of a batch of a thousand events of three types the
rest took half of what indexing them costs, with the interpreter held: every query that came
meanwhile waited for it. Answers are those of an `EventIndex` of the same table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import properties
from headcount.index.event_ids import EventIds
from headcount.index.events import EventIndex, reach_of, serials
from headcount.index.interval import EVER
from headcount.index.lazy import Lazy, held
from headcount.index.log import Log, Order
from headcount.index.properties import EventProperty
from headcount.index.recency import Recency
from headcount.index.tallies import Tallies
from headcount.index.tuning import DEFAULT
from headcount.model.schema import EventType

Rows = npt.NDArray[np.uint32]

_SPARSE = 8  # with more than one event in so many rows, the rest is made at once as well
_FEW = 2_000  # or more than so many events


class _Totals(NamedTuple):
    """The rows that have events, ascending, and how many each has."""

    rows: Rows
    counts: npt.NDArray[np.uint32]


class NewerEvents(EventIndex):
    """An index of events that came later; see the top of the file. Any thread may ask."""

    _table: pa.Table
    _order: Order

    @classmethod
    def of(cls, table: pa.Table, rows: int, event: EventType) -> EventIndex:
        """Return the index of the events of *table*, which are as for `EventIndex.build`."""
        if table.num_rows > _FEW and table.num_rows * _SPARSE > rows:
            return EventIndex.build(table, rows, event)
        log_rows = table.column("row").to_numpy()
        assert not len(log_rows) or int(log_rows.max()) < rows, "an event of no row"
        log, order = Log.build(log_rows, table.column("time").cast(pa.int64()).to_numpy())
        found = cls.__new__(cls)
        found.__dict__.update(
            event=event,
            rows=rows,
            log=log,
            serial=next(serials),
            floor=EVER.low,
            _table=table,
            _order=order,
        )
        if len(log) > _FEW:
            _ = found.owners  # asked for by the next query
        return found

    @classmethod
    def joined(cls, pieces: Sequence[EventIndex]) -> EventIndex:
        """Return one index of the events of all *pieces*, of the same type and rows."""
        tables = [one._table if type(one) is cls else one.to_arrow() for one in pieces]
        table = pa.concat_tables(tables, promote_options="default").combine_chunks()
        return cls.of(table, pieces[0].rows, pieces[0].event)

    def whole(self) -> EventIndex:
        """Return the index with all that it can have."""
        return EventIndex(**{each.name: getattr(self, each.name) for each in fields(EventIndex)})

    def with_floor(self, floor: int) -> EventIndex:
        """Return the index without the events before an instant (µs)."""
        return self.whole().with_floor(floor)

    def with_properties(self, event: EventType, columns: Mapping[str, EventProperty]) -> EventIndex:
        """Return the index of the same events as those of *event*, with other properties."""
        return self.whole().with_properties(event, columns)

    @cached_property
    def _totals(self) -> _Totals:
        rows = self.owners.rows
        starts = np.flatnonzero(np.append(True, rows[1:] != rows[:-1])[: len(rows)])
        counts = np.diff(np.append(starts, len(rows)))
        return _Totals(rows[starts], counts.astype(np.uint32))

    @cached_property
    def reach(self) -> npt.NDArray[np.uint32]:
        """How many rows have more than k events in all."""
        return reach_of(self._totals.counts)

    @cached_property
    def peak(self) -> int:
        """The most events that any row has."""
        return int(self._totals.counts.max(initial=0))

    @cached_property
    def recency(self) -> Recency:
        """The newest times, as far as they pay."""
        return Recency.build(self.log, self.rows, self.reach, self.peak, DEFAULT)

    @cached_property
    def tallies(self) -> Tallies:
        """The checkpoints, if there are any."""
        tuning = DEFAULT if self.recency.depth else DEFAULT.without_recency()
        held, counts = self._totals
        return Tallies.build(self.log.rows, self.rows, counts, tuning, held)

    @cached_property
    def properties(self) -> Mapping[str, EventProperty]:
        """The columns, each made when it is asked for."""
        declared = {each.name: each for each in self.event.properties}

        def column(name: str) -> EventProperty:
            given = f"property.{name}"
            if given not in self._table.column_names:
                return properties.missing(declared[name], self.size)
            return properties.build(self._table.column(given), declared[name], self._order)

        return Lazy(declared, column)

    @cached_property
    def ids(self) -> EventIds | None:
        """The ids as the client gave them, if any."""
        if "id" not in self._table.column_names:
            return None
        return EventIds.build(self._table.column("id"), self._order)

    def memory(self) -> dict[str, int]:
        """Return the bytes held, by kind of structure; what was given is with the log."""
        made = self.__dict__
        found = {"log": self.log.memory() + self._table.nbytes + self._order.nbytes}
        found["tallies"] = sum(made[name].memory() for name in ("tallies", "marks") if name in made)
        found["recency"] = self.recency.memory() if "recency" in made else 0
        columns = held(self.properties).values() if "properties" in made else ()
        found["properties"] = sum(column.memory() for column in columns)
        for name in ("selections", "running"):
            found["properties"] += made[name].memory() if name in made else 0
        ids: EventIds | None = made.get("ids")
        found["event ids"] = 0 if ids is None else ids.memory()
        return found
