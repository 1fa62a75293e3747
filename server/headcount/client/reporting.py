"""The part of the client that is about reports."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from headcount.client import methods
from headcount.client.calls import Calls
from headcount.client.requests import Query
from headcount.rpc import convert_reports
from headcount.segments.performance import WINDOW, Measured
from headcount.segments.report import HistoryReport, Report


class Reporting(Calls):
    """Says how segments do."""

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
        request = self._requests.performance(query, measured, as_of, time_zone)
        answer = self._call(methods.PERFORMANCE, request, timeout)
        return convert_reports.report(answer, self._requests.info(answer.info))

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
        request = self._requests.compare(queries, measured, as_of, time_zone)
        answer = self._call(methods.COMPARE, request, timeout)
        return convert_reports.report(answer, self._requests.info(answer.info))

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
        request = self._requests.history(watch, since, until, time_zone)
        answer = self._call(methods.HISTORY, request, timeout)
        return HistoryReport(convert_reports.history(answer), self._requests.info(answer.info))
