"""
The context of a query: what it is told by whoever asks, and could not know otherwise.

The engine reads no clock and knows no deadline. `check` is called between blocks and before long
work; it raises the UserError that ends the query (DEADLINE_EXCEEDED, CANCELLED), or returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.query.limits import DEFAULT, Limits


def never() -> None:
    """Let the query go on."""


@dataclass(frozen=True, slots=True)
class QueryContext:
    """The instant (µs since 1970 UTC) and time zone to answer for, the limits, and the check."""

    as_of: int
    zone: ZoneInfo
    limits: Limits = DEFAULT
    check: Callable[[], None] = never
