"""
The queue of a membership: what computed values will bring for each contact, and when.

    round((now - seen) / 7) = 4      08:15:00.000001 contact 17   08:15:42.000001 contact 99   ...
    seen + 1 month > now             08:15:07.500000 contact 42   ...

What edges run over mostly lies in sorted structures, and is read off there when its time comes
(`candidates`). What is computed lies nowhere: every contact is asked an hour ahead when it will be
met, or when a calculation with the clock will turn (`turns`); where a `where` has the clock in it,
so is every event. Those few are kept in order of time. After a batch those whom it touched are
asked again. What a contact would have brought without the batch stays: it is looked at then, and
nothing is found.

A figure in a calculation (`count(open in last 7 days) / (now - created_at)`) changes at instants of
its own. Between two of them it stays, so there the same is asked once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.columns import Vector
from headcount.index.interval import Interval
from headcount.index.view import View
from headcount.model.schema import Field
from headcount.query.clock import Clock
from headcount.query.course import Course, Piece, ahead
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame, Figure, Frame
from headcount.query.moving import Computed, CountedWhere, InWindows, parts
from headcount.query.turns import Stretches, turns
from headcount.segments.watch.candidates import Candidates, computed, of_computed, of_figures
from headcount.segments.watch.commit import Extracted
from headcount.segments.watch.places import Ordinals, ordinals_of, rows_of
from headcount.segments.watch.scene import Scene

Instants = npt.NDArray[np.int64]
Due = tuple[Ordinals, Instants]

AHEAD_US = 3_600_000_000  # as far as is asked at a time
_NOBODY = Candidates(np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64))


def _of_each(piece: Piece) -> list[Computed | InWindows | CountedWhere]:
    """Return the parts of a piece about which every contact is to be asked."""
    found: list[Computed | InWindows | CountedWhere] = []
    for part in parts(piece.condition):
        match part:
            case Computed() if part.instants and not part.is_of_all:
                found.append(part)
            case InWindows() if computed(part):
                found.append(part)
            case CountedWhere():
                found.append(part)
    return found


class Queue:
    """Who may turn, and when, up to some instant."""

    def __init__(self) -> None:
        self._piece: Piece | None = None
        self._parts: list[Computed | InWindows | CountedWhere] = []
        self._from = self._to = 0
        self._waiting: list[Due] = []
        self._due: Candidates | None = None

    def met(self, view: View, course: Course, piece: Piece, after: int, to: int) -> list[Due]:
        """Return who may turn in (*after*, *to*], which lies in *piece*, and when."""
        known = self._piece
        if known is None or (known.start, known.condition) != (piece.start, piece.condition):
            self._piece, self._parts, self._to = piece, _of_each(piece), after
        if not self._parts:
            return []
        if not self._from <= after <= to <= self._to:
            self._from, self._to = after, max(to, min(piece.last, after + AHEAD_US))
            self._waiting = list(self._turning(view, course, after))
            self._due = None
        if self._waiting or self._due is None:
            self._due = _by_time([self._due or _NOBODY, *self._waiting])
            self._waiting = []
        first, last = np.searchsorted(self._due.times, (after, to), side="right").tolist()
        return [(self._due.ordinals[first:last], self._due.times[first:last])]

    def renew(self, touched: Extracted, course: Course, at: int) -> None:
        """Ask again those whom a batch touched at an instant; they lie in an extract."""
        if self._parts and self._from <= at < self._to:
            self._waiting += self._turning(touched.extract, course, at)

    def forget(self) -> None:
        """Begin anew: the segment means something else, or anybody may be another."""
        self._piece, self._parts, self._waiting, self._due = None, [], [], None

    def _turning(self, view: View, course: Course, after: int) -> Iterator[Due]:
        """Yield who may turn behind *after*, and when."""
        piece = self._piece
        assert piece is not None
        clock = course.clock(piece.start)
        for part in self._parts:
            if not isinstance(part, Computed):
                yield from of_computed(view, piece, clock, part, after, self._to)
                continue
            for block in view.blocks:
                figures = Figures(block, clock)
                rows = bitmaps.to_rows(block.live).astype(np.int64)
                frame = _at(part, block, figures, clock, after - piece.start)
                found, times = self._turns(part, frame, rows, after, self._to)
                yield ordinals_of(view, block, found.astype(np.uint32)), times
            if part.figures:
                yield self._between(part, view, course, after)

    def _turns(
        self, part: Computed, frame: Frame, rows: npt.NDArray[np.int64], low: object, high: object
    ) -> tuple[npt.NDArray[np.int64], Instants]:
        assert self._piece is not None
        over = np.broadcast_arrays(rows, np.asarray(low), np.asarray(high))
        return turns(part.condition, frame, ahead(part, self._piece.start), Stretches(*over))

    def _between(self, part: Computed, view: View, course: Course, after: int) -> Due:
        """Return who may turn behind a change of a figure, and before the next."""
        piece = self._piece
        assert piece is not None
        clock = course.clock(piece.start)
        met = of_figures(view, piece, clock, part.figures, after, self._to)
        changed = Extracted(view, np.unique(met.ordinals))
        rows = rows_of(changed.extract, met.ordinals)
        order = np.lexsort((met.times, rows))
        order = order[rows[order] >= 0]
        rows, times = rows[order], met.times[order]
        until = np.full(len(rows), self._to, dtype=np.int64)
        goes_on = np.flatnonzero(rows[1:] == rows[:-1])
        until[goes_on] = times[goes_on + 1] - 1
        frame = Scene(changed.stage(course, piece.start), piece.start, rows, times).frame(
            part.figures
        )
        found, turning = self._turns(part, frame, np.arange(len(rows)), times, until)
        return changed.ordinals[rows[found]], turning


def _by_time(found: list[Due]) -> Candidates:
    ordinals, times = (np.concatenate(one) for one in zip(*found, strict=True))
    order = np.argsort(times, kind="stable")
    return Candidates(ordinals[order], times[order])


def _at(part: Computed, block: Block, figures: Figures, clock: Clock, elapsed: int) -> Frame:
    """Return the contacts of a block, with the figures of a part as they are so much later."""
    whole = ContactFrame(block, clock, figures)
    moved = {}
    for one in part.figures:
        low, high = one.window.low.after(elapsed), one.window.high.after(elapsed)
        interval = Interval(int(low), int(high))
        moved[one.field] = figures(replace(one.figure, interval=interval))
    return _Moved(whole, moved)


@dataclass(frozen=True)
class _Moved:
    """The contacts of a block; figures that move are fields of theirs."""

    whole: ContactFrame
    moved: dict[Field, Vector]

    @property
    def clock(self) -> Clock:
        """Return the clock that local times are read on."""
        return self.whole.clock

    @property
    def size(self) -> int:
        """Return how many rows there are."""
        return self.whole.size

    def vector(self, field: Field) -> Vector:
        """Return a number, day, instant or boolean of every row."""
        moved = self.moved.get(field)
        return self.whole.vector(field) if moved is None else moved

    def texts(self, field: Field) -> pa.Array:
        """Return the text, or the list of texts, of every row as it was stored."""
        return self.whole.texts(field)

    def of_text(self, field: Field, function: Callable[[pa.Array], pa.Array]) -> Vector:
        """Return *function*, of Arrow texts to numbers, of the text of every row."""
        return self.whole.of_text(field, function)

    def figure(self, figure: Figure) -> Vector:
        """Return a figure that does not move, over the events of every row."""
        return self.whole.figure(figure)
