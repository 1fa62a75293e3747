"""
Headcount on one thread and on two: what the second one is worth, question by question.

Both are asked in turns, as rivals are. Where a plan has no long step the second thread is not asked
for help, and the two figures are the same but for chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bench.engines import Headcount
from bench.questions import QUESTIONS
from bench.timing import Budget, once, side_by_side

THREADS = ("1", "2")
_BUDGET = Budget(seconds=1.0, most=1000, least=10)


def measure(folder: Path, budget: Budget = _BUDGET) -> dict[str, dict[str, float]]:
    """Return the median seconds of each question, by its name and the number of threads."""
    opened = Headcount(folder)
    engines = {threads: opened.on_threads(int(threads)) for threads in THREADS}
    found = {}
    for name, question in QUESTIONS.items():
        calls = {threads: engine.ask(question) for threads, engine in engines.items()}
        first = {threads: once(call) for threads, call in calls.items()}
        timings = side_by_side(calls, dict.fromkeys(calls, budget), first)
        found[name] = {threads: timing.median for threads, timing in timings.items()}
    return found


def table(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the table of what was measured, as lines of Markdown."""
    lines = [
        "| Headcount, milliseconds, median | one thread | two threads | one ÷ two |",
        "|---|---:|---:|---:|",
    ]
    for name, by in found.items():
        one, two = (by[threads] * 1000 for threads in THREADS)
        lines.append(f"| {name} | {one:.3f} | {two:.3f} | {one / two:.2f} |")
    return [*lines, ""]
