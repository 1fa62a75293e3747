"""
What it costs to edit one of ten conditions, with remembered results: from text to count.

*Cold* is with everything forgotten, *edited* with nine conditions remembered and a new number in
the tenth, each time another one, so that neither the text nor its plan was ever seen.
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from headcount.embedded import Workspace
from headcount.query.results import Results

_ROUNDS = 15


def measure(folder: Path, segment: str, as_of: dt.datetime) -> dict[str, float]:
    """Return the median seconds of counting *segment*, which has a place `{}` for a number."""
    results = Results()
    with Workspace.open(folder, results=results) as workspace:
        numbers: Iterator[int] = count(100)

        def ask() -> None:
            workspace.count(segment.format(next(numbers)), as_of=as_of)

        return {"cold": _median(ask, results.clear), "edited": _median(ask, lambda: None)}


def _median(call: Callable[[], object], before: Callable[[], object]) -> float:
    call()
    taken = []
    for _ in range(_ROUNDS):
        before()
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def table(found: dict[str, float]) -> list[str]:
    """Return the figures as lines of Markdown."""
    return [
        "| one of ten conditions edited, results remembered | |",
        "|---|---:|",
        f"| count, nothing remembered: median | {found['cold'] * 1e3:.3f} ms |",
        f"| count with another number in one condition | {found['edited'] * 1e3:.3f} ms |",
        "",
    ]
