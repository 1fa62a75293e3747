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

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench import bound, edits, flat, memory, refresh, threads

PARTS = ("bounds", "threads", "flat", "edits", "refresh", "streams", "calls", "memory")


def measure(chosen: Iterable[str], folder: Path, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the *chosen* of `PARTS` give, of the data *folder*; *results* are the run's."""
    from bench.answers import TEN
    from bench.questions import NOW

    found: dict[str, Any] = {}
    if "bounds" in chosen:
        texts = {name: one["text"] for name, one in results.get("questions", {}).items()}
        found |= bound.measure(folder, texts, NOW)
    if "threads" in chosen:
        found["threads"] = threads.measure(folder)
    if "flat" in chosen:
        found["flat"] = flat.measure()
    if "edits" in chosen:
        found["edits"] = edits.measure(folder, TEN, NOW)
    if "refresh" in chosen:
        found["refresh"] = refresh.measure(folder, NOW)
    if "streams" in chosen:
        from bench import streams

        found["streams"] = streams.measure()
    if "calls" in chosen:
        from bench import throughput

        found["calls"] = throughput.measure(folder)
    if "memory" in chosen:
        found["memory"] = memory.measure(folder)
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
