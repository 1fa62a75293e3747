"""A report as it comes back, whoever was asked: how segments did, and what that is true of."""

from __future__ import annotations

from dataclasses import dataclass

from headcount.answers import Info
from headcount.query.bound import QueryWarning
from headcount.segments.performance import Named, Performance


@dataclass(frozen=True, slots=True)
class Report:
    """How segments did, in the order they were asked for, and what was counted."""

    measured: Named
    segments: tuple[Performance, ...]
    warnings: tuple[QueryWarning, ...]
    info: Info
