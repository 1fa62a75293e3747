"""
Is "at least n events in the last 30 days" as quick with 100 events a contact as with one?

One index of 2^20 contacts for each number of events a contact, at random contacts over the last
year; with 100 events each, of half as many contacts, because building it would take 4 GB. Figures
are processor seconds for a million contacts: what was measured, scaled by the contacts. The same
windows as `opened >= 3 in last 30 days` has, and one that ended half a year ago.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import pyarrow as pa

from headcount.index.block import BLOCK_ROWS
from headcount.index.events import EventIndex
from headcount.index.interval import Interval
from headcount.model.schema import EventType

EVENTS_A_CONTACT = (1, 5, 10, 30, 100)
_DAY_US = 86_400_000_000
_NOW = 1_790_000_000_000_000
_MONTH = Interval(_NOW - 30 * _DAY_US + 1, _NOW)
_PAST = Interval(_NOW - 200 * _DAY_US, _NOW - 170 * _DAY_US)
_ROUNDS = 41
_MOST_EVENTS = 1 << 26  # of an index; 2 GB to build


def measure() -> dict[str, dict[str, float]]:
    """Return by question and events a contact the median processor seconds per 1M contacts."""
    found: dict[str, dict[str, float]] = {"once": {}, "three": {}, "three in a past month": {}}
    for each in EVENTS_A_CONTACT:
        index = _index(each)
        found["once"][str(each)] = _median(index, 1, _MONTH)
        found["three"][str(each)] = _median(index, 3, _MONTH)
        found["three in a past month"][str(each)] = _median(index, 3, _PAST)
    return found


def _index(each: int) -> EventIndex:
    dice = np.random.default_rng(each)
    contacts = BLOCK_ROWS if each * BLOCK_ROWS <= _MOST_EVENTS else BLOCK_ROWS // 2
    size = each * contacts
    times = _NOW - dice.integers(0, 365 * 86_400, size) * 1_000_000
    rows = dice.integers(0, contacts, size).astype(np.uint32)
    table = pa.table({"row": rows, "time": pa.array(times).cast(pa.timestamp("us", tz="UTC"))})
    del times, rows
    return EventIndex.build(table, contacts, EventType("opened"))


def _median(index: EventIndex, n: int, window: Interval) -> float:
    """Return seconds for a million contacts, of counting those with *n* events."""
    index.count_at_least(n, window)
    taken = []
    for _ in range(_ROUNDS):
        start = time.thread_time()
        index.count_at_least(n, window)
        taken.append(time.thread_time() - start)
    return statistics.median(taken) * 1e6 / index.rows


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the figures as lines of Markdown."""
    names = {
        "once": "at least once in the last 30 days",
        "three": "at least 3 times in the last 30 days",
        "three in a past month": "at least 3 times in 30 days half a year ago",
    }
    events = list(found["once"])
    lines = [
        "| milliseconds of processor time for 1M contacts, by events a contact | "
        + " | ".join(events)
        + " |",
        "|---|" + "---:|" * len(events),
    ]
    for key, name in names.items():
        cells = (f"{found[key][each] * 1e3:.3f}" for each in events)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]
