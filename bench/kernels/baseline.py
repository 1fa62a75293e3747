"""
The baseline of the kernels, and how a run compares with it: which became slower or faster, by what.

    python -m bench.kernels.baseline OLD.json NEW.json [--threshold 1.5]

What is compared is the least of all rounds: other work on the machine can only add to a round, so
the least is what moves least between runs of the same code (a few per cent, where medians move by a
third). A kernel that is more than *threshold* times slower is a regression and the status is 1. A
baseline of another machine says nothing in microseconds; so it is noted, and what remains worth
reading is one kernel against the others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THRESHOLD = 1.5
NOTED = 1.15  # slower or faster by less is not worth a word
SAME = ("processor", "cores", "python", "pyroaring", "numpy", "pyarrow")


@dataclass(frozen=True, slots=True)
class Change:
    """One kernel in two runs: the least processor seconds of a call, before and now."""

    name: str
    before: float
    now: float

    @property
    def ratio(self) -> float:
        """Return how many times slower it is now; below 1 for faster."""
        return self.now / self.before

    def __str__(self) -> str:
        word = "slower" if self.ratio > 1 else "faster"
        by = max(self.ratio, 1 / self.ratio)
        return f"{self.name:<58} {us(self.before):>10} -> {us(self.now):>10} µs  {by:.2f}× {word}"


def us(seconds: float) -> str:
    """Return microseconds, with as many digits as are worth reading."""
    value = seconds * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def slim(raw: Mapping[str, Any], machine: Mapping[str, str]) -> dict[str, Any]:
    """Return what is kept of a report of pytest-benchmark: seconds and rounds by kernel."""
    kernels = {
        one["params"]["name"]: {
            # A clock of processor time was seen to stand still for a round.
            "min": one["stats"]["min"] or one["stats"]["q1"],
            "median": one["stats"]["median"],
            "rounds": one["stats"]["rounds"] * one["stats"]["iterations"],
        }
        for one in raw["benchmarks"]
    }
    return {"machine": dict(machine), "kernels": kernels}


def write(path: Path, measured: Mapping[str, Any]) -> None:
    """Write what `slim` gave, a kernel a line."""
    machine = json.dumps(measured["machine"], indent=1)
    kernels = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(_rounded(stats))}"
        for name, stats in measured["kernels"].items()
    )
    path.write_text(f'{{"machine": {machine},\n "kernels": {{\n{kernels}\n }}}}\n')


def _rounded(stats: Mapping[str, float]) -> dict[str, float]:
    return {n: v if isinstance(v, int) else float(f"{v:.4g}") for n, v in stats.items()}


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Return the kernels that are in both runs, the most slowed first."""
    found = [
        Change(name, old["kernels"][name]["min"], stats["min"])
        for name, stats in new["kernels"].items()
        if name in old["kernels"]
    ]
    return sorted(found, key=lambda change: -change.ratio)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what is different about the machine, as sentences' ends."""
    was, now = old["machine"], new["machine"]
    pairs = ((what, was.get(what, "unknown"), now.get(what, "unknown")) for what in SAME)
    return [f"{what} {before}, now {after}" for what, before, after in pairs if before != after]


def report(old: Mapping[str, Any], new: Mapping[str, Any], threshold: float) -> list[str]:
    """Return the comparison as lines."""
    found = changes(old, new)
    then, now = old["machine"].get("commit", "unknown"), new["machine"].get("commit", "unknown")
    lines = [f"{len(found)} kernels: the baseline at {then}, now at {now}"]
    lines += [f"NOT THE BASELINE'S MACHINE: {what}" for what in differences(old, new)]
    lines += [f"new, not in the baseline: {n}" for n in new["kernels"] if n not in old["kernels"]]
    slower = [one for one in found if one.ratio > threshold]
    lines += [f"REGRESSION {change}" for change in slower]
    lines += [f"           {change}" for change in found if NOTED < change.ratio <= threshold]
    lines += [f"           {change}" for change in found if change.ratio < 1 / NOTED]
    if found:
        middle = statistics.median(change.ratio for change in found)
        lines.append(f"the middle one takes {middle:.2f} times what it took")
    lines.append(f"{len(slower)} more than {threshold:g} times slower")
    return lines


def main(runs: Sequence[Path | Mapping[str, Any]], threshold: float) -> int:
    """Print how the second of two runs compares with the first; return 1 for a regression."""
    old, new = (json.loads(r.read_text()) if isinstance(r, Path) else r for r in runs)
    print("\n".join(report(old, new, threshold)))
    return int(any(change.ratio > threshold for change in changes(old, new)))


def _command() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kernels.baseline")
    parser.add_argument("runs", nargs=2, type=Path, metavar="FILE")
    parser.add_argument("--threshold", type=float, default=THRESHOLD)
    options = parser.parse_args()
    return main(options.runs, options.threshold)


if __name__ == "__main__":
    sys.exit(_command())
