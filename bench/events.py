"""
What do event questions cost, path by path, on one block of 2^20 contacts?

    python -m bench.events [events]

Prints the figures that `headcount.index.events`, `recency` and `tallies` quote: 5M events over the
last year unless another number is given, at random contacts and whole seconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from rich.console import Console

from bench import machine
from headcount.index.block import BLOCK_ROWS
from headcount.index.events import EventIndex
from headcount.index.interval import EVER, Interval
from headcount.model.schema import EventType, Field, FieldType

_DAY = 86_400_000_000
_NOW = 1_750_000_000_000_000
_OUT = Console(highlight=False, soft_wrap=True)
_AMOUNT = Field("amount", FieldType.NUMBER)


def build(size: int) -> EventIndex:
    """Return the index of *size* events of one block, and print what it cost."""
    dice = np.random.default_rng(1)
    times = _NOW - dice.integers(0, 365 * 86_400, size) * 1_000_000
    table = pa.table(
        {
            "row": dice.integers(0, BLOCK_ROWS, size).astype(np.uint32),
            "time": pa.array(times).cast(pa.timestamp("us", tz="UTC")),
            "property.amount": np.round(dice.random(size) * 100, 2),
        }
    )
    start = time.perf_counter()
    index = EventIndex.build(table, BLOCK_ROWS, EventType("bought", properties=(_AMOUNT,)))
    _OUT.print(f"build with one property    {time.perf_counter() - start:8.2f} s")
    for kind, held in index.memory().items():
        _OUT.print(f"  {kind:<24} {held / size:8.2f} bytes an event")
    return index


def report(name: str, call: Callable[[], object], times: int = 21) -> None:
    """Print the median of *times* calls."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    _OUT.print(f"{name:<52} {statistics.median(taken) * 1e3:8.3f} ms")


def main() -> None:
    """Build one index and ask it."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    _OUT.print({k: v for k, v in machine.describe().items() if k in ("processor", "commit")})
    index = build(size)
    for days in (1, 7, 30, 90, 365):
        now = Interval(_NOW - days * _DAY + 1, _NOW)
        for n in (1, 3):
            for path in index.paths(n, now):
                name = f"at least {n} in the last {days} days, {path}"
                report(name, lambda n=n, w=now, p=path: index.at_least(n, w, path=p), 9)
    dice = np.random.default_rng(2)
    pairs = np.sort(dice.integers(_NOW - 365 * _DAY, _NOW, (50, 2)))
    windows = iter([Interval(low, high) for low, high in pairs.tolist()])
    report("at least 3 between any two instants", lambda: index.at_least(3, next(windows)), 50)
    start, stop = max(0, index.size - 1_000_000), index.size
    last_million = Interval(int(index.times(start, start + 1)[0]), _NOW)
    start, stop = index.slice(last_million)
    amounts = index.property("amount")
    chosen = amounts.vector(start, stop).values > 50
    report(
        "counts of a past window", lambda: index.counts(Interval(_NOW - 200 * _DAY, _NOW - _DAY))
    )
    report("values of a property of 1M events", lambda: amounts.vector(start, stop))
    report("at least 3 of the chosen among 1M", lambda: index.at_least(3, last_million, chosen))
    report("newest ever", lambda: index.newest(EVER))
    report("newest up to a month ago", lambda: index.newest(Interval(0, _NOW - 30 * _DAY)), 5)
    report("oldest ever", lambda: index.oldest(EVER), 5)


if __name__ == "__main__":
    main()
