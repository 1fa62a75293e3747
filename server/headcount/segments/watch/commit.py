"""Commits as a watch sees them, and those whom one touched, looked at once for all watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.view import View
from headcount.query.course import Course
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


class Touched:
    """Those whom a batch touched, extracted once for all watches, with what is known of them."""

    def __init__(self, commit: Commit) -> None:
        self.commit = commit
        self._extract: View | None = None
        self._stages: dict[tuple[str, int], Stage] = {}

    @property
    def extract(self) -> View:
        """Return those of them that are contacts after the batch."""
        if self._extract is None:
            ordinals = bitmaps.to_rows(self.commit.touched)
            self._extract = self.commit.after.extract(ordinals)
        return self._extract

    def stage(self, course: Course, at: int) -> Stage:
        """Return the stage of these contacts on the day of *at*, shared."""
        clock = course.clock(at)
        asked = (course.zone.key, clock.today)
        found = self._stages.get(asked)
        if found is None:
            found = self._stages[asked] = Stage(self.extract, clock)
        return found
