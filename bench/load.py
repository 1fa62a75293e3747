"""
How long it takes, and how much memory, to load files and to open what was loaded.

Each runs in a process of its own, so that the peak is its alone; the kernel's account of the
finished process gives it. Contacts are loaded once more alone, where there are not too many: that
gives their rate, and what the whole takes longer the rate of events, with the lists' rows.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from headcount.load.synthetic import SyntheticFiles

_MOST_ALONE = 1 << 30  # bytes of contacts: 10M, not 100M
_ROUNDS = 3  # of loading the contacts alone: the median

_OPEN = """
import sys, time
from headcount.embedded import Workspace
start = time.perf_counter()
workspace = Workspace.open(sys.argv[1])
count = workspace.count("everyone")
print(time.perf_counter() - start, count)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """
    Wall seconds, peak resident bytes, and bytes on disk afterwards.

    `contacts_seconds` are those of a load of the contacts alone; None where they are too many.
    """

    load_seconds: float
    contacts_seconds: float | None
    load_peak_bytes: int
    disk_bytes: int
    open_seconds: float
    open_peak_bytes: int


def measure(files: SyntheticFiles, folder: Path) -> Measured:
    """Load *files* into *folder*, in place of what is there, and open it again."""
    shutil.rmtree(folder, ignore_errors=True)
    contacts_seconds = None
    if files.contacts.stat().st_size < _MOST_ALONE:
        contacts_seconds = statistics.median(_alone(files, folder) for _ in range(_ROUNDS))
    others = ["--events", str(files.events), "--lists", str(files.lists)]
    load_seconds, load_peak, _ = _run([*_load(files, folder), *others])
    _, open_peak, printed = _run([sys.executable, "-c", _OPEN, str(folder)])
    return Measured(
        load_seconds=load_seconds,
        contacts_seconds=contacts_seconds,
        load_peak_bytes=load_peak,
        disk_bytes=sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()),
        open_seconds=float(printed.split()[0]),
        open_peak_bytes=open_peak,
    )


def _alone(files: SyntheticFiles, folder: Path) -> float:
    """Return how long it takes to load the contacts, which are removed again."""
    seconds, _, _ = _run(_load(files, folder))
    shutil.rmtree(folder)
    return seconds


def _load(files: SyntheticFiles, folder: Path) -> list[str]:
    """Return the command that loads the contacts."""
    load = [sys.executable, "-m", "headcount.cli.main", "load", "--data", str(folder)]
    return [*load, "--schema", str(files.schema), "--contacts", str(files.contacts)]


def _run(command: list[str]) -> tuple[float, int, str]:
    """Return wall seconds, peak bytes and standard output of a command that must succeed."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return time.perf_counter() - start, usage.ru_maxrss * unit, printed
