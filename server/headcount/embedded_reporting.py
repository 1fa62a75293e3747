"""The part of the embedded API that is about reports."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence

from headcount.answers import Info
from headcount.index.view import Version
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.segments.performance import WINDOW, Measured, performance
from headcount.segments.report import Report


class Reporting:
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

    def _measured(
        self, queries: Sequence[Query], measured: Measured, context: QueryContext
    ) -> Report:
        started = time.perf_counter()
        engine = self._engine
        found = performance(engine, queries, measured, context)
        info = self._info(context, started, engine.view.version)
        return Report(found.measured, found.segments, found.warnings, info)
