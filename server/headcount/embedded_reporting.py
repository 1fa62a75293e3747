"""The part of the embedded API that is about reports."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from contextlib import closing

from headcount.answers import Info
from headcount.embedded_folder import Holding
from headcount.index.view import Version
from headcount.model.errors import Reason, UserError
from headcount.query.clock import Clock, to_micros
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.segments.history import Record, history, no_record
from headcount.segments.performance import WINDOW, Measured, performance
from headcount.segments.report import HistoryReport, Report
from headcount.segments.watch.record import stored
from headcount.storage.watches import WatchStore, watches_path


class Reporting(Holding):
    """Says how segments do: a part of `Workspace`."""

    @property
    def _engine(self) -> Engine:
        raise NotImplementedError

    def _context(
        self, as_of: dt.datetime | None, time_zone: str | None, timeout: float | None
    ) -> QueryContext:
        raise NotImplementedError

    def _info(self, context: QueryContext, started: float, version: Version | None = None) -> Info:
        raise NotImplementedError

    def performance(
        self,
        query: Query,
        *,
        window: str = WINDOW,
        send: str = "",
        open: str = "",  # noqa: A002 (what it counts)
        click: str = "",
        conversion: str = "",
        revenue: str = "",
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Report:
        """Return what was sent to a segment in a window of time, and what came of it."""
        measured = Measured(window, send, open, click, conversion, revenue)
        return self._measured([query], measured, self._context(as_of, time_zone, timeout))

    def compare(
        self,
        queries: Sequence[Query],
        *,
        window: str = WINDOW,
        send: str = "",
        open: str = "",  # noqa: A002
        click: str = "",
        conversion: str = "",
        revenue: str = "",
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Report:
        """Return the same of several segments, side by side, as of one instant."""
        measured = Measured(window, send, open, click, conversion, revenue)
        return self._measured(queries, measured, self._context(as_of, time_zone, timeout))

    def history(
        self,
        watch: str,
        *,
        since: dt.datetime | None = None,
        until: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> HistoryReport:
        """Return how a watched segment grew and shrank, day by day; as far as it is known."""
        started = time.perf_counter()
        context = self._context(None, time_zone, timeout)
        low, high = _instant(since, "since"), _instant(until, "until")
        clock = Clock(context.as_of, context.zone)
        found = history(self._record(watch), low, high, clock, context.check)
        return HistoryReport(found, self._info(context, started, self._engine.view.version))

    def _record(self, watch: str) -> Record:
        """Return what is kept of a watch; nobody may write to the folder meanwhile."""
        if self._folder is None or not watches_path(self._folder, self.name).exists():
            return no_record(self.name, watch)
        with self._locked() as lock, closing(WatchStore(self._folder, self.name, lock)) as store:
            return stored(watch, store)

    def _measured(
        self, queries: Sequence[Query], measured: Measured, context: QueryContext
    ) -> Report:
        started = time.perf_counter()
        engine = self._engine
        found = performance(engine, queries, measured, context)
        info = self._info(context, started, engine.view.version)
        return Report(found.measured, found.segments, found.warnings, info)


def _instant(moment: dt.datetime | None, name: str) -> int | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise UserError(
            Reason.INVALID_VALUE,
            f"expected {name} with a time zone, such as datetime(2026, 1, 1, tzinfo=UTC); found one"
            " without",
            field=name,
        )
    return to_micros(moment)
