"""Headcount as the engine that is asked: embedded, two threads, without remembered results."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from bench.questions import NOW, SAVED, Question
from headcount.embedded import Workspace
from headcount.query.results import Results

THREADS = 2  # as many as rivals have


class Headcount:
    """Headcount embedded: text to count, without a server and without remembered results."""

    name = "Headcount"

    def __init__(self, folder: Path, threads: int = THREADS) -> None:
        self._folder = folder
        self.workspace = Workspace.open(folder, results=Results(0), threads=threads)
        known = {one.name for one in self.workspace.list_segments().segments}
        for name, text in SAVED.items():
            if name not in known:
                self.workspace.create_segment(name, text)

    def on_threads(self, threads: int) -> Headcount:
        """Return the same data, in memory once, asked on so many threads."""
        other = object.__new__(Headcount)
        other.workspace = Workspace(
            self.workspace.view, folder=self._folder, results=Results(0), threads=threads
        )
        return other

    def ask(self, question: Question, as_of: datetime = NOW) -> Callable[[], int]:
        """Return a call that counts the segment, as of an instant."""
        return lambda: self.workspace.count(question.ours, as_of=as_of)
