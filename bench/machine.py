"""What the figures were measured on: written beside every one of them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

LIBRARIES = (
    *("pyroaring", "numpy", "pyarrow", "grpcio", "protobuf"),
    *("duckdb", "polars", "chdb", "psycopg", "redis"),
)
# What a result depends on: a result that was written before is no change.
SOURCE = ("bench/*.py", "indexer", "proto", "server", "pyproject.toml")
# Programs that a rival starts, and where they may be besides the path.
PROGRAMS = {"postgres": "/usr/lib/postgresql/15/bin", "redis-server": "/usr/bin"}


def describe() -> dict[str, str]:
    """
    Return processor, cores, memory, Python, versions and commit, as text.

    `dirty` is whether the sources differ from that commit.
    """
    found = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ""),
        "memory": _memory(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "commit": _git("describe", "--always", "--exclude=*"),
        "dirty": "yes" if _git("status", "--porcelain", "--", *SOURCE) else "no",
    }
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            found[library] = "not installed"
    for program, folder in PROGRAMS.items():
        found[program] = _version(program, folder)
    return found


def _version(program: str, folder: str) -> str:
    path = shutil.which(program, path=os.pathsep.join((os.environ.get("PATH", ""), folder)))
    if path is None:
        return "not installed"
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    if not hasattr(os, "sysconf"):
        return ""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return f"{pages * size / 2**30:.1f} GiB"


def _git(*command: str) -> str:
    done = subprocess.run(["git", *command], capture_output=True, text=True, check=False)
    return done.stdout.strip() if not done.returncode else "unknown"
