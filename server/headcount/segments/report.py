"""Reports as they come back, whoever was asked, and what they are true of."""

from __future__ import annotations

from dataclasses import dataclass

from headcount.answers import Info
from headcount.query.bound import QueryWarning
from headcount.segments.history import History
from headcount.segments.performance import Named, Performance


@dataclass(frozen=True, slots=True)
class Report:
    """How segments did, in the order they were asked for, and what was counted."""

    measured: Named
    segments: tuple[Performance, ...]
    warnings: tuple[QueryWarning, ...]
    info: Info


@dataclass(frozen=True, slots=True)
class HistoryReport:
    """How a watched segment grew and shrank."""

    history: History
    info: Info
