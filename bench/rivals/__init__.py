"""
What one would otherwise use, each with its best ordinary settings and two threads.

A rival is a class: made from `RivalFiles`, asked for calls that answer questions, closed. One whose
library or program is not here raises `Absent` and the run goes on without it. One that cannot say a
question returns None for it. What they answer must be equal; the caller checks.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Protocol

from bench.data import RivalFiles
from bench.questions import Question

THREADS = 2
KEYWORDS = ("status", "country", "city", "plan", "job_title", "stage")
# Where each is, and its class; the order is that of the tables.
RIVALS = {
    "DuckDB": ("bench.rivals.duck", "DuckDB"),
    "Polars": ("bench.rivals.frames", "Polars"),
    "ClickHouse": ("bench.rivals.clickhouse", "ClickHouse"),
    "ClickHouse bitmaps": ("bench.rivals.clickhouse", "ClickHouseBitmaps"),
    "PostgreSQL": ("bench.rivals.postgres", "PostgreSQL"),
    "Redis": ("bench.rivals.redis_bitmaps", "Redis"),
    "numpy": ("bench.rivals.columns", "Numpy"),
}


class Absent(Exception):  # noqa: N818 - it is a state of the machine, not an error
    """The rival is not installed here, or cannot run; the text says why."""


class GaveUp(Exception):  # noqa: N818 - slow is a result
    """The rival was still at work after so many seconds, and was stopped."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"gave up after {seconds:g} s")
        self.seconds = seconds


class Rival(Protocol):
    """Something that counts."""

    version: str

    def __init__(self, files: RivalFiles) -> None:
        """Load the files, and whatever makes questions fast."""

    def ask(self, question: Question) -> Callable[[], int] | None:
        """Return a call that answers the question, or None if it cannot be said."""

    def close(self) -> None:
        """Stop, and give everything back."""


def open_rival(name: str, files: RivalFiles) -> Rival:
    """
    Return the rival of that name, loaded.

    Raises:
        Absent: its library or program is not installed.
    """
    module, kind = RIVALS[name]
    try:
        rival = getattr(importlib.import_module(module), kind)
    except ModuleNotFoundError as error:
        raise Absent(f"{error.name} is not installed") from error
    return rival(files)
