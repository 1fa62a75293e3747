"""The comparison of kernels with the baseline: what it must find, and what it must let pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.kernels import baseline

_MACHINE = {"processor": "P", "cores": "2", "python": "3.11", "commit": "abc"}


def run(machine: dict[str, str] = _MACHINE, **seconds: float) -> dict[str, Any]:
    """Return a run of some kernels."""
    kernels = {name: {"min": s, "median": 2 * s, "rounds": 9} for name, s in seconds.items()}
    return {"machine": machine, "kernels": kernels}


def raw(**seconds: float) -> dict[str, Any]:
    """Return a report as pytest-benchmark writes it, as far as it is read."""
    stats = {"rounds": 5, "iterations": 3, "data": [1.0] * 1000}
    return {
        "benchmarks": [
            {"params": {"name": n}, "stats": {"min": s, "median": s, **stats}}
            for n, s in seconds.items()
        ]
    }


def test_a_slower_kernel_is_a_regression(capsys: pytest.CaptureFixture[str]) -> None:
    """A kernel past the threshold ends with 1 and is named with both figures and by how much."""
    assert baseline.main([run(union=1e-4, scan=1e-3), run(union=3e-4, scan=1e-3)], 1.5) == 1
    printed = capsys.readouterr().out
    (line,) = (line for line in printed.splitlines() if "REGRESSION" in line)
    assert "union" in line
    assert "100 ->" in line
    assert "300 µs" in line
    assert "3.00× slower" in line
    assert "1 more than 1.5 times slower" in printed


@pytest.mark.parametrize("now", [0.5e-4, 1e-4, 1.4e-4])
def test_what_is_within_the_threshold_passes(now: float) -> None:
    """The control: nothing is found in the same run, in a faster one, or in one a little slower."""
    assert baseline.main([run(union=1e-4), run(union=now)], 1.5) == 0


def test_the_threshold_is_what_was_asked_for() -> None:
    """The same two runs fail or pass by the threshold alone."""
    runs = [run(union=1e-4), run(union=1.4e-4)]
    assert baseline.main(runs, 1.3) == 1
    assert baseline.main(runs, 1.5) == 0


def test_what_became_faster_is_said() -> None:
    """An improvement is in the report, behind what became slower."""
    lines = baseline.report(run(a=4e-6, b=1e-6), run(a=1e-6, b=1.3e-6), 1.5)
    (faster,) = (n for n, line in enumerate(lines) if "4.00× faster" in line)
    (slower,) = (n for n, line in enumerate(lines) if "1.30× slower" in line)
    assert slower < faster


def test_another_machine_is_said() -> None:
    """A different processor or library is named, a different commit is no difference."""
    other = _MACHINE | {"processor": "Q", "commit": "def"}
    lines = baseline.report(run(a=1e-6), run(other, a=1e-6), 1.5)
    assert [line for line in lines if "MACHINE" in line] == [
        "NOT THE BASELINE'S MACHINE: processor P, now Q"
    ]
    same = baseline.report(run(a=1e-6), run(_MACHINE | {"commit": "def"}, a=1e-6), 1.5)
    assert not any("MACHINE" in line for line in same)


def test_a_kernel_that_only_one_run_has() -> None:
    """A new kernel is said and is no regression; one that was not run is left out."""
    old, new = run(gone=1e-6, a=1e-6), run(fresh=1.0, a=1e-6)
    assert baseline.main([old, new], 1.5) == 0
    assert "new, not in the baseline: fresh" in baseline.report(old, new, 1.5)
    assert [change.name for change in baseline.changes(old, new)] == ["a"]


def test_a_report_is_slimmed(tmp_path: Path) -> None:
    """What is kept is small, comes back from its file, and compares equal with itself."""
    measured = baseline.slim(raw(**{f"kernel {n}": n * 1.23456789e-6 for n in range(1, 50)}), {})
    path = tmp_path / "baseline.json"
    baseline.write(path, measured)
    assert len(path.read_bytes()) < 5_000
    again = json.loads(path.read_text())
    assert again["kernels"]["kernel 7"] == {"min": 8.642e-06, "median": 8.642e-06, "rounds": 15}
    assert baseline.main([path, measured], 1.01) == 0


def test_a_clock_that_stood_still() -> None:
    """A round of no time at all is no least: the first quartile stands in."""
    report = raw(union=0.0)
    report["benchmarks"][0]["stats"]["q1"] = 2e-6
    assert baseline.slim(report, {})["kernels"]["union"]["min"] == 2e-6


def test_the_committed_baseline_is_of_the_kernels_there_are() -> None:
    """The baseline names its machine and commit, and every kernel of the catalogue."""
    from bench.kernels.catalogue import KERNELS

    held = json.loads(Path(baseline.__file__).with_name("baseline.json").read_text())
    assert list(held["kernels"]) == list(KERNELS)
    assert held["machine"]["processor"]
    assert "dirty" not in held["machine"]["commit"]
