"""
Time the kernels and compare them with the baseline: `make bench-kernels`, or `python -m
bench.kernels`.

    --only TEXT        kernels whose name contains it
    --threshold 1.5    how many times slower than the baseline ends with status 1
    --save             write what was measured as the new baseline
    --out FILE         keep what was measured, to be compared later

Kernels are timed in processor seconds of this process (`time.process_time`), not in seconds of the
wall, so that a busy machine moves them less.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pytest

from bench import machine
from bench.kernels import baseline
from bench.kernels.catalogue import KERNELS

HERE = Path(__file__).parent
BASELINE = HERE / "baseline.json"
SECONDS = 0.5  # for each kernel


def main() -> int:
    """Time, compare, maybe save; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.kernels", description="Time kernels.")
    parser.add_argument("--only", default="")
    parser.add_argument("--threshold", type=float, default=baseline.THRESHOLD)
    parser.add_argument("--save", action="store_true")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headcount-kernels-") as scratch:
        raw = Path(scratch) / "raw.json"
        chosen = [name for name in KERNELS if options.only in name]
        command = [f"{HERE / 'test_kernels.py'}::test_kernel[{name}]" for name in chosen]
        command += ["-q", "--benchmark-quiet", "-W", "ignore"]
        command += [f"--benchmark-json={raw}", "--benchmark-timer=time.process_time"]
        command += [f"--benchmark-max-time={SECONDS}", "--benchmark-disable-gc"]
        status = pytest.main(command)
        if status:
            return int(status)
        measured = baseline.slim(json.loads(raw.read_text()), machine.describe())
    if options.out:
        baseline.write(options.out, measured)
    if BASELINE.exists():
        status = baseline.main([BASELINE, measured], options.threshold)
    if options.save:
        baseline.write(BASELINE, measured)
        print(f"written to {BASELINE}", file=sys.stderr)
        return 0
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
