"""Commits as a watch sees them, and those whom one touched, looked at once for all watches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.view import View
from headcount.query.course import Course
from headcount.segments.watch.places import Ordinals, rows_of
from headcount.segments.watch.scene import Stage


class Commit(Protocol):
    """One batch: the views before and after it, when, and the ordinals of whom it touched."""

    @property
    def before(self) -> View:
        """Return the view that the batch was applied to."""

    @property
    def after(self) -> View:
        """Return the view that came of it."""

    @property
    def at(self) -> int:
        """Return when, in µs."""

    @property
    def touched(self) -> BitMap:
        """Return the ordinals of all contacts made, changed or deleted."""

    @property
    def erased(self) -> tuple[str, ...]:
        """Return the ids of those of which nothing may be kept."""


@dataclass(frozen=True, eq=False, slots=True)
class Batches:
    """Several commits, one after the other, taken as one."""

    before: View
    after: View
    at: int
    touched: BitMap
    erased: tuple[str, ...] = ()


def as_one(commits: list[Commit]) -> Commit:
    """Return what the first to the last of *commits* come to."""
    touched = BitMap.union(*[commit.touched for commit in commits])
    erased = tuple(id_ for commit in commits for id_ in commit.erased)
    return Batches(commits[0].before, commits[-1].after, commits[-1].at, touched, erased)


class Extracted:
    """Some contacts of a view, looked at by many watches: extracted once, with what is known."""

    def __init__(self, view: View, ordinals: Ordinals) -> None:
        self.view = view
        self._ordinals = ordinals
        self._stages: dict[tuple[str, int], Stage] = {}

    @cached_property
    def extract(self) -> View:
        """Those of them that are contacts."""
        return self.view.extract(self._ordinals)

    def ids(self, ordinals: Ordinals) -> list[str] | None:
        """Return the id of each of *ordinals*; None if they are not all here."""
        rows = rows_of(self.extract, ordinals)
        if np.any(rows < 0):
            return None
        found: list[str] = self._ids.take(pa.array(rows)).to_pylist()
        return found

    @cached_property
    def _ids(self) -> pa.StringArray:
        return self.extract.blocks[0].column("id")

    def stage(self, course: Course, at: int) -> Stage:
        """Return the stage of these contacts on the day of *at*, shared."""
        clock = course.clock(at)
        asked = (course.zone.key, clock.today)
        found = self._stages.get(asked)
        if found is None:
            found = self._stages[asked] = Stage(self.extract, clock)
        return found


class Touched(Extracted):
    """Those whom a batch touched, as they are after it."""

    def __init__(self, commit: Commit) -> None:
        super().__init__(commit.after, bitmaps.to_rows(commit.touched))
        self.commit = commit
