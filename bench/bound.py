"""
What a question reads, and what it would take if reading its operands were all: the bound.

    operands   postings, ranges, columns and logs that it cannot do without, in each block
    bytes      what was read in fact (`headcount explain --profile`)
    bound      operands × bytes of a block as bits ÷ measured bandwidth of ANDs over so much

The bound is that of dense bitmaps, one bit a contact and operand: what a machine that only read
them, at the speed at which CRoaring ANDs them here, would need. An index that answers from less (a
count by two binary searches, a bitmap that is mostly empty) stays below it; a column or a log has
more than a bit a contact, and stays above.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pyroaring import BitMap

from headcount.embedded import Workspace
from headcount.index import bitmaps
from headcount.index.block import BLOCK_ROWS
from headcount.query.profile_text import profile_text
from headcount.query.results import Results

BLOCK_BYTES = BLOCK_ROWS // 8
SIZES = (2, 8, 32, 128, 512, 2048)  # operands of a block: 256 KiB, in the second-level cache, up
_ROUNDS = 7

Bandwidth = Sequence[tuple[int, float]]  # bytes read, bytes a second; ascending in bytes


@dataclass(frozen=True, slots=True)
class Bound:
    """Operands in each block, bytes read in all, and seconds that the operands alone would take."""

    operands: int
    bytes: int
    seconds: float


@cache
def bandwidth() -> Bandwidth:
    """
    Return how fast dense bitmaps are ANDed and counted here, by how many bytes there are of them.

    The best of a few rounds over blocks of their own, as an evaluation goes through them; 3 s.
    """
    dice = np.random.default_rng(1)
    some = bitmaps.from_mask(dice.random(BLOCK_ROWS) < 0.5)
    held = [BitMap(some, optimize=False) for _ in range(max(SIZES))]
    found = []
    for size in SIZES:
        pairs = [(held[n], held[n + 1]) for n in range(0, size, 2)]
        times = max(1, 512 // size)
        best = min(_seconds(pairs, times) for _ in range(_ROUNDS)) / times
        found.append((size * BLOCK_BYTES, size * BLOCK_BYTES / best))
    return found


def _seconds(pairs: Sequence[tuple[BitMap, BitMap]], times: int) -> float:
    start = time.thread_time()
    for _ in range(times):
        for one, other in pairs:
            one.intersection_cardinality(other)
    return time.thread_time() - start


def at(measured: Bandwidth, size: float) -> float:
    """Return the bytes a second for *size* bytes, between the measured sizes around it."""
    sizes = [math.log(one) for one, _ in measured]
    speeds = [speed for _, speed in measured]
    wanted = math.log(max(1.0, size))
    return float(np.interp(wanted, sizes, speeds))


def bound(
    workspace: Workspace, segment: str, as_of: dt.datetime, measured: Bandwidth | None = None
) -> Bound:
    """Return what counting *segment* reads, and its bound at the *measured* bandwidth."""
    profile = workspace.profile(segment, as_of=as_of)
    bits = sum(-(-block.contacts // 8) for block in profile.blocks)
    size = profile.operands * bits
    speed = at(bandwidth() if measured is None else measured, size)
    return Bound(profile.operands, profile.bytes, size / speed)


def measure(folder: Path, segments: Mapping[str, str], as_of: dt.datetime) -> dict[str, Any]:
    """Return the measured bandwidth, and bound and profile of each of *segments* by its name."""
    measured = bandwidth()
    bounds, profiles = {}, {}
    with Workspace.open(folder, results=Results(0)) as workspace:
        for name, text in segments.items():
            bounds[name] = asdict(bound(workspace, text, as_of, measured))
            taken = [workspace.profile(text, as_of=as_of) for _ in range(_ROUNDS)]
            quickest = min(taken, key=lambda one: sum(one.stages.values()))
            profiles[name] = profile_text(quickest).split("\n")
    return {
        "bandwidth": [list(one) for one in measured],
        "bounds": bounds,
        "profiles": profiles,
    }


def table(results: Mapping[str, Any]) -> list[str]:
    """Return the table of what each question reads, as lines of Markdown; none if not measured."""
    if "bounds" not in results or "questions" not in results:
        return []
    speeds = ", ".join(f"{_size(n)} at {speed / 1e9:.0f} GB/s" for n, speed in results["bandwidth"])
    lines = [
        "What each question reads, and its *bound*: operands × bytes of a block as bits ÷ the"
        f" bandwidth of ANDs over so much, measured in this run ({speeds}). Below 1× an index"
        " answered from less than a bit a contact.",
        "",
        "| question | median, ms | p99 | operands a block | read | bound, ms | median ÷ bound |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in results["bounds"].items():
        if name not in results["questions"]:
            continue
        ours = results["questions"][name]["engines"]["Headcount"]
        cells = [name, f"{ours['median'] * 1e3:.3f}", f"{ours['p99'] * 1e3:.3f}"]
        cells += [str(one["operands"]), _size(one["bytes"]), f"{one['seconds'] * 1e3:.4f}"]
        ratio = ours["median"] / one["seconds"] if one["seconds"] else math.inf
        lines.append(f"| {' | '.join(cells)} | {ratio:,.1f}× |")
    return [*lines, ""]


_UNITS = ("B", "kB", "MB", "GB", "TB")


def _size(size: float) -> str:
    """Return bytes in the unit that leaves one to three digits before the point."""
    power = bisect_left([999.5, 999.5e3, 999.5e6, 999.5e9], size)
    value = size / 1000**power
    return (
        f"{value:.0f} {_UNITS[power]}"
        if value >= 10 or not power
        else f"{value:.1f} {_UNITS[power]}"
    )
