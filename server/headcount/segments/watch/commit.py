"""Commits as a watch sees them, and those whom one touched, looked at once for all watches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.view import View
from headcount.query.course import Course
from headcount.segments.watch.formula import Formula
from headcount.segments.watch.places import Ordinals, held, rows_of
from headcount.segments.watch.scene import Occurred, Stage
from headcount.segments.watch.truths import NOTHING, Together, Truths, bits_of, places_of


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
        self._asked = ordinals
        self._stages: dict[tuple[str, int], Stage] = {}
        self._events: dict[str, Occurred] = {}

    @cached_property
    def extract(self) -> View:
        """Those of them that are contacts."""
        return self.view.extract(self._asked)

    @cached_property
    def ordinals(self) -> Ordinals:
        """The ordinal of each row of the extract, ascending."""
        return held(self.extract)

    def ids(self, ordinals: Ordinals) -> list[str] | None:
        """Return the id of each of *ordinals*; None if they are not all here."""
        rows = rows_of(self.extract, ordinals)
        if np.any(rows < 0):
            return None
        return [self.names[row] for row in rows.tolist()]

    @cached_property
    def names(self) -> list[str]:
        """The id of each row of the extract."""
        found: list[str] = self.extract.blocks[0].column("id").to_pylist()
        return found

    def stage(self, course: Course, at: int) -> Stage:
        """Return the stage of these contacts on the day of *at*, shared."""
        clock = course.clock(at)
        asked = (course.zone.key, clock.today)
        found = self._stages.get(asked)
        if found is None:
            found = self._stages[asked] = Stage(self.extract, clock, self._occurred)
        return found

    def _occurred(self, event: str) -> Occurred:
        """Return whose (a row) and when all events of a type are."""
        found = self._events.get(event)
        if found is None:
            found = self._events[event] = self.view.event_times(self._positions, event)
        return found

    @cached_property
    def _positions(self) -> npt.NDArray[np.int64]:
        return self.view.positions(self.ordinals)


class Touched(Extracted):
    """Those whom a batch touched, as they are after it; *counted* are those of all watches."""

    def __init__(self, commit: Commit, counted: Together = NOTHING) -> None:
        super().__init__(commit.after, bitmaps.to_rows(commit.touched))
        self.commit = commit
        self._counted = counted
        self._truths: dict[tuple[str, int], Truths] = {}

    @cached_property
    def gone(self) -> BitMap:
        """The ordinals of those that are no contacts any more."""
        return self.commit.touched - bitmaps.from_sorted(self.ordinals)

    def holds(self, formula: Formula, course: Course, at: int) -> int:
        """Return which of those that are contacts belong at an instant, a bit for each row."""
        found = self._truths_at(course, at)
        return formula.holds(found, found.everybody) if found.everybody else 0

    def expect(self, formula: Formula, course: Course, at: int) -> None:
        """Note that `holds` will be asked: what is alike in several is then one question."""
        if not formula.is_of_all:
            self._truths_at(course, at).expect(formula)

    def _truths_at(self, course: Course, at: int) -> Truths:
        asked = (course.zone.key, at)
        found = self._truths.get(asked)
        if found is None:
            found = self._truths[asked] = Truths(self.stage(course, at), at, self._counted)
        return found

    def places(self, bits: int) -> npt.NDArray[np.int64]:
        """Return the rows of bits, ascending."""
        return places_of(bits, len(self.ordinals))

    def rows(self, bits: int) -> Ordinals:
        """Return the ordinals of rows that are given as bits."""
        return self.ordinals[self.places(bits)]

    def bits(self, ordinals: BitMap) -> int:
        """Return the rows of contacts, all of them here, as bits."""
        if not ordinals:
            return 0
        mask = np.zeros(len(self.ordinals), dtype=np.bool_)
        mask[np.searchsorted(self.ordinals, bitmaps.to_rows(ordinals))] = True
        return bits_of(mask)
