"""Freed memory is kept: seen from the pages that a process of its own has to be given anew."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from headcount.allocator import keep_all_freed_memory, keep_freed_memory

_FAULTS = """
import resource, sys
import numpy as np
from headcount.allocator import keep_all_freed_memory, keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory() and keep_freed_memory()
if sys.argv[1] == "all kept":
    assert keep_all_freed_memory() and keep_all_freed_memory()

def query():
    steps = [np.ones(3 << 20, dtype=np.uint8) for _ in range(8)]  # 24 MiB, a step each

query()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    query()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
_PAGES = 10 * (24 << 20) // 4096  # of all that is made


_OBJECTS = """
import gc
import headcount.cli.serve
from headcount.allocator import set_aside_imports
before = len(gc.get_objects())
aside = set_aside_imports()
print(before, aside, len(gc.get_objects()))
"""


def _faults(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_what_one_query_freed_is_there_for_the_next() -> None:
    """With glibc the pages stay, where they were handed out anew each time; else nothing is."""
    if platform.libc_ver()[0] != "glibc":
        assert sys.platform == "linux" or not keep_freed_memory()
        return
    assert _faults("as it is") > _PAGES // 2
    assert _faults("kept") < _PAGES // 100
    assert _faults("all kept") < _PAGES // 100


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system has no such switch, and is left as it is."""
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
    assert not keep_all_freed_memory()


def test_collections_do_not_look_at_modules() -> None:
    """Nearly all of what was imported is set aside, and hardly anything is left to look at."""
    done = subprocess.run(
        [sys.executable, "-c", _OBJECTS], capture_output=True, text=True, check=True
    )
    before, aside, left = map(int, done.stdout.split())
    assert before > 50_000
    assert aside > before * 0.9
    assert left < 1_000
