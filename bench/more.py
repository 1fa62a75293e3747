"""
The parts of a run that are about Headcount alone: what is read, and goals that no rival is in.

    bounds    what each question reads, its bound and its profile; after `questions`
    threads   each question on one thread and on two
    flat      event questions with 1 to 100 events a contact, in memory
    edits     one of ten conditions edited, with remembered results
    refresh   10,000 saved segments counted anew
    streams   a million ids through gRPC, in each format
    calls     counts through gRPC, from several clients and many in a call
    memory    bytes a contact and an event
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

from bench import bound, edits, flat, memory, refresh, threads

PARTS = ("bounds", "threads", "flat", "edits", "refresh", "streams", "calls", "memory")


def measure(chosen: Container[str], folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the *chosen* of `PARTS` give, of the data *folder*; *results* are the run's."""
    from bench import streams, throughput
    from bench.answers import TEN
    from bench.questions import NOW

    def bounds() -> dict[str, Any]:
        texts = {name: one["text"] for name, one in results.get("questions", {}).items()}
        return bound.measure(folder, texts, NOW)

    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "bounds": bounds,
        "threads": lambda: {"threads": threads.measure(folder)},
        "flat": lambda: {"flat": flat.measure()},
        "edits": lambda: {"edits": edits.measure(folder, TEN, NOW)},
        "refresh": lambda: {"refresh": refresh.measure(folder, NOW)},
        "streams": lambda: {"streams": streams.measure()},
        "calls": lambda: {"calls": throughput.measure(folder)},
        "memory": lambda: {"memory": memory.measure(folder)},
    }
    assert tuple(parts) == PARTS
    found: dict[str, Any] = {}
    for name in PARTS:
        if name in chosen:
            gc.collect()  # of 100M contacts there is room for one workspace, not for the last too
            found |= parts[name]()
    return found


def tables(results: Mapping[str, Any]) -> list[str]:
    """Return the tables of what was measured, as lines of Markdown."""
    lines = bound.table(results)
    if "threads" in results:
        lines += threads.table(results["threads"])
    if "edits" in results:
        lines += edits.table(results["edits"])
    if "refresh" in results:
        lines += refresh.table(results["refresh"])
    if "flat" in results:
        lines += flat.table(results["flat"])
    if "streams" in results:
        from bench import streams

        lines += streams.table(results["streams"])
    if "calls" in results:
        from bench import throughput

        lines += throughput.table(results["calls"])
    if "memory" in results:
        lines += memory.table(results["memory"])
    return lines
