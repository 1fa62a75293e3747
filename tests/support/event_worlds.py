"""
Small worlds of events, and a naive twin of the event index: a dict of lists, counted one by one.

Times sit on a few anchors and one microsecond beside them, and windows begin and end there, so that
every comparison with an edge is tried. One contact may have hundreds of events (counts are kept
modulo 256), and anchors may lie so far apart that times need all their bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from hypothesis import strategies as st

from headcount.index.interval import EVER, Interval
from headcount.index.tuning import Tuning
from headcount.model.schema import EventType, Field, FieldType

VALUE = Field("value", FieldType.NUMBER)
EVENT = EventType("opened", properties=(VALUE,))
TIME = pa.timestamp("us", tz="UTC")

# Checkpoints every few events and recency as deep as it goes, or neither.
TUNINGS = (
    Tuning(tally_bytes=1e9, recency_bytes=1e9, gap=1),
    Tuning(tally_bytes=1e9, recency_bytes=1e9, gap=7, busy_share=1.0),
    Tuning(tally_bytes=1e9, recency_bytes=0.0, gap=50, busy_share=0.0),
    Tuning(tally_bytes=0.0001, recency_bytes=200.0, gap=1),
)

Condition = Callable[[float], bool]


@dataclass(frozen=True)
class EventWorld:
    """Events in the order given: (row, time, value), the value being the event's number."""

    rows: int
    events: tuple[tuple[int, int, float], ...]

    def table(self) -> pa.Table:
        """Return the events as the index takes them."""
        rows, times, values = zip(*self.events, strict=True) if self.events else ((), (), ())
        return pa.table(
            {
                "row": pa.array(rows, pa.uint32()),
                "time": pa.array(times, pa.int64()).cast(TIME),
                "property.value": pa.array(values, pa.float64()),
            }
        )

    def times_of(self, interval: Interval, condition: Condition) -> dict[int, list[int]]:
        """Return the times of each row's events that are in the interval and meet the condition."""
        found: dict[int, list[int]] = {}
        for row, time, value in self.events:
            if interval.low <= time <= interval.high and condition(value):
                found.setdefault(row, []).append(time)
        return found

    def at_least(self, n: int, interval: Interval, condition: Condition) -> set[int]:
        """Return the rows with n such events."""
        return {r for r, times in self.times_of(interval, condition).items() if len(times) >= n}

    def counts(self, interval: Interval, condition: Condition) -> list[int]:
        """Return how many such events each row has."""
        found = self.times_of(interval, condition)
        return [len(found.get(row, ())) for row in range(self.rows)]

    def newest(self, interval: Interval, condition: Condition) -> list[int | None]:
        """Return the time of each row's newest such event."""
        found = self.times_of(interval, condition)
        return [max(found.get(row, ()), default=None) for row in range(self.rows)]

    def oldest(self, interval: Interval, condition: Condition) -> list[int | None]:
        """Return the time of each row's oldest such event."""
        found = self.times_of(interval, condition)
        return [min(found.get(row, ()), default=None) for row in range(self.rows)]


def anything(_: float) -> bool:
    """Return true: no condition."""
    return True


def third(value: float) -> bool:
    """Return whether the event's number is a multiple of three."""
    return value % 3 == 0


UNITS = (1, 1_000, 1_000_000)
ANCHORS = st.integers(-(10**16), 10**16) | st.integers(0, 20)  # years 1653 to 2286, or close by


@st.composite
def worlds(draw: st.DrawFn) -> tuple[EventWorld, list[Interval]]:
    """Draw a world and windows that begin and end at or one microsecond beside its times."""
    rows = draw(st.integers(1, 40))
    unit = draw(st.sampled_from(UNITS))
    anchors = draw(st.lists(ANCHORS, min_size=1, max_size=5))
    instants = [(a // unit + d) * unit for a in anchors for d in (-1, 0, 1)]
    pairs = st.tuples(st.integers(0, rows - 1), st.sampled_from(instants))
    events = draw(st.lists(pairs, max_size=60))
    many = draw(st.sampled_from((0, 0, 3, 9, 254, 255, 256, 257, 300)))
    heavy = draw(st.integers(0, rows - 1))
    at = draw(st.integers(0, 7))
    events += [(heavy, instants[(at + i * i) % len(instants)]) for i in range(many)]
    edges = st.sampled_from([i + d for i in instants for d in (-1, 0, 1)])
    windows = draw(st.lists(st.tuples(edges, edges), min_size=1, max_size=4))
    numbered = tuple((row, time, float(i)) for i, (row, time) in enumerate(events))
    return EventWorld(rows, numbered), [Interval(*w) for w in windows] + [EVER]
