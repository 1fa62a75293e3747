"""
A membership: who is in a watched segment, and every coming and going since it was first asked.

    state        version sequence, instant, who belongs            (and who may not enter again)
    advance      the clock runs on to an instant, the data stay
    commit       one batch was written
    redefine     the segment means something else

Each returns what happened, in order. The same steps from the same state give the same transitions,
and it does not matter into how many steps an advance is cut, because each of its transitions has
the instant at which it happened and not the one at which somebody looked.

A batch is one step: what a contact does and undoes in it is not seen. It happens at its own
instant, or at that of the membership if the clock is ahead already.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.view import Version, View
from headcount.model.errors import UserError
from headcount.query import evaluate
from headcount.query.bound import Bound, Condition
from headcount.query.context import never
from headcount.query.course import Course, Piece
from headcount.query.moving import Moving
from headcount.query.plan import plan
from headcount.query.results import OFF, Results
from headcount.query.zones import DAY_US
from headcount.segments.watch import places
from headcount.segments.watch.candidates import Candidates, Passed, candidates, in_order
from headcount.segments.watch.commit import Extracted, Touched
from headcount.segments.watch.formula import Formula, formula_of
from headcount.segments.watch.gate import Flip, Gate
from headcount.segments.watch.mentions import Names, mentioned
from headcount.segments.watch.queue import Queue
from headcount.segments.watch.scene import Scene
from headcount.segments.watch.transitions import Kind, Reason, Reentry, Settings, Transition
from headcount.segments.watch.waits import Waits, waits_of

_STRIDE_US = DAY_US  # worked out at a time
_LOOKS = 3600


@dataclass(frozen=True, eq=False, slots=True)
class State:
    """Where a membership is: all that is kept of it. Bitmaps hold ordinals."""

    version: Version
    instant: int
    number: int  # of the last transition
    belongs: BitMap
    inside: BitMap
    gone: BitMap
    pauses: dict[int, int]


class Membership:
    """One watch at work on one view; not safe to share between threads."""

    def __init__(
        self,
        view: View,
        course: Course,
        settings: Settings,
        state: State,
        results: Results = OFF,
    ) -> None:
        self._view = view
        self._course = course
        self._results = results
        self._settings = settings
        self._number = state.number
        self.instant = state.instant
        self._belongs = state.belongs.copy()
        self._gate = Gate(settings, state.inside.copy(), state.gone.copy(), dict(state.pauses))
        self._piece = course.beginning(state.instant)
        self._mentions: tuple[Condition, Names] | None = None
        self._waits: tuple[int, Moving, Waits] | None = None
        self._formula: tuple[int, Moving, Formula] | None = None
        self._foreseen: tuple[Piece, int, int, Candidates] | None = None
        self._met_before = Passed()
        self._queue = Queue()

    @classmethod
    def begin(
        cls,
        view: View,
        course: Course,
        settings: Settings,
        at: int,
        results: Results = OFF,
        *,
        seed: bool | None = None,
    ) -> tuple[Membership, list[Transition]]:
        """
        Return the membership as it is at an instant, and the entries it is seeded with.

        With *seed* another than in *settings*, if given.
        """
        nobody = State(view.version, at, 0, BitMap(), BitMap(), BitMap(), {})
        made = cls(view, course, settings, nobody, results)
        members = made._everybody()
        if settings.seed if seed is None else seed:
            flips = made._difference(BitMap(), members, at, Reason.DEFINITION)
            return made, made._announced(flips)
        made._belongs, made._gate.inside = members, members.copy()
        return made, []

    @property
    def state(self) -> State:
        """Return where it is; the bitmaps are copies."""
        return State(
            self._view.version,
            self.instant,
            self._number,
            self._belongs.copy(),
            self._gate.inside.copy(),
            self._gate.gone.copy(),
            dict(self._gate.pauses),
        )

    @property
    def version(self) -> Version:
        """Return the version of the data it is at."""
        return self._view.version

    @property
    def is_exact(self) -> bool:
        """Whether transitions by time are at their microsecond, and none is overlooked."""
        return self._piece.is_even

    @property
    def number(self) -> int:
        """Return the number of the last transition."""
        return self._number

    def skip_to(self, number: int) -> None:
        """Count on from *number*."""
        self._number = number

    @property
    def size(self) -> int:
        """Return how many are inside."""
        return len(self._gate.inside)

    @property
    def waits(self) -> Waits:
        """What time has to reach before somebody may enter or leave."""
        piece = self._piece
        if self._waits is None or self._waits[:2] != (piece.start, piece.condition):
            self._waits = piece.start, piece.condition, waits_of(piece)
        return self._waits[2]

    def is_even_until(self, to: int) -> bool:
        """Return whether who may enter or leave until *to* is known beforehand."""
        return self._piece.is_even and self.instant < to <= min(self._piece.last, self._stride)

    def foresee(self, to: int, met: Candidates | None = None) -> Candidates | None:
        """
        Return who may enter or leave until *to*, None if that is not known beforehand.

        *met* are they, if it was found out already. `advance` then takes as many of these as it is
        given extracted.
        """
        if not self.is_even_until(to):
            return None
        if met is None:
            met = self._met(self.instant, to)
        self._foreseen = (self._piece, self.instant, to, met)
        return met

    def skip(self, to: int) -> list[Transition]:
        """Let time go by until *to*, in which nobody may enter or leave; some pause may end."""
        self.instant = to
        due = self._gate.next
        return [] if due is None or due > to else self._announced([])

    def advance(self, to: int, shared: Extracted | None = None) -> list[Transition]:
        """
        Let time go by until *to*, and return who entered and left meanwhile.

        *shared* are contacts of the same view, at least those that `foresee` named.
        """
        found: list[Transition] = []
        while self.instant < to:
            if not self._piece.is_even:
                # Asleep for long, it looks 3,600 times and not every second.
                last = max(self._piece.last, self.instant + (to - self.instant) // _LOOKS)
                self._piece = replace(self._piece, last=last)
            if self._piece.last <= self.instant:
                try:
                    found += self._next_piece()
                except UserError:  # it cannot be bound for later; told when there is nothing else
                    if found:
                        return found
                    raise
                continue
            end = min(to, self._piece.last, self._stride)
            flips = self._flips(self.instant, end, shared)
            self.instant = end
            found += self._announced(flips, None, shared)
        return found

    @property
    def _stride(self) -> int:
        return self.instant + _STRIDE_US

    def expect(self, touched: Touched) -> None:
        """Say what `commit` will ask about a batch, once time is up to its instant."""
        touched.expect(self.formula, self._course, self.instant)

    def commit(self, touched: Touched) -> list[Transition]:
        """Apply a batch, and return who entered and left up to its instant and by it."""
        commit = touched.commit
        found = self.advance(commit.at)
        at = self.instant
        self._view = commit.after
        self._queue.renew(touched, self._course, at)
        bits = touched.holds(self.formula, self._course, at)
        had = self._belongs & commit.touched
        if touched.gone or self._settings.reentry is not Reentry.ALWAYS:
            holds = bitmaps.from_sorted(touched.rows(bits))
            flips = self._difference(had, holds, at, Reason.DATA)
            found += self._announced(flips, commit.before, touched)
            self._gate.forget(touched.gone)
        elif bits or had:
            found += self._turned(touched, bits, touched.bits(had))
        return found

    def _turned(self, touched: Touched, holds: int, had: int) -> list[Transition]:
        """
        Return who of those touched (bits) enters and leaves by a batch, at once.

        For where nobody is barred, and all are contacts: then all of it is seen.
        """
        turns = holds ^ had
        if not turns:
            return []
        rows = touched.places(turns)
        ordinals = touched.ordinals[rows]
        changed = bitmaps.from_sorted(ordinals)
        self._belongs ^= changed
        self._gate.inside ^= changed
        at, version, number = self.instant, self._view.version, self._number
        self._number += len(rows)
        return [
            Transition(
                number + place,
                ordinal,
                touched.names[row],
                Kind.ENTER if holds >> row & 1 else Kind.EXIT,
                Reason.DATA,
                at,
                version,
            )
            for place, (row, ordinal) in enumerate(
                zip(rows.tolist(), ordinals.tolist(), strict=True), 1
            )
        ]

    def catch_up(self, reason: Reason) -> list[Transition]:
        """Look at everybody, and return how that differs from what was known."""
        self._queue.forget()
        self._piece = self._course.beginning(self.instant)
        flips = self._difference(self._belongs, self._everybody(), self.instant, reason)
        return self._announced(flips)

    def moves_to(self, view: View) -> None:
        """Take a view in which nothing is different that matters: no contact, nothing mentioned."""
        self._view = view

    @property
    def formula(self) -> Formula:
        """What the segment means now, for those whom a batch touched."""
        piece = self._piece
        if self._formula is None or self._formula[:2] != (piece.start, piece.condition):
            self._formula = piece.start, piece.condition, formula_of(piece)
        return self._formula[2]

    @property
    def mentions(self) -> Names:
        """The events that the segment looks at now; all its fields may matter."""
        if self._mentions is None or self._mentions[0] is not self._piece.bound:
            self._mentions = self._piece.bound, mentioned(self._piece.bound)
        return self._mentions[1]

    def redefine(self, course: Course, at: int, reason: Reason, view: View) -> list[Transition]:
        """
        Take another definition, or other data altogether, and return what that changes.

        Raises:
            UserError: it cannot be bound.
        """
        piece = course.beginning(max(at, self.instant))  # raises before anything has changed
        found = self.advance(at)
        before = self._view
        self._course, self._view, self._piece = course, view, piece
        self._queue.forget()
        flips = self._difference(self._belongs, self._everybody(), self.instant, reason)
        return found + self._announced(flips, before)

    # --- time ---------------------------------------------------------------------------------

    def _next_piece(self) -> list[Transition]:
        """Go on to the piece after this one; where edges jump, everybody is looked at."""
        piece = self._course.after(self._piece)
        jumps = piece.start != self._piece.start
        self._piece = piece
        if not jumps:
            return []
        flips = self._difference(self._belongs, self._everybody(), piece.start, Reason.TIME)
        self.instant = piece.start
        return self._announced(flips)

    def _met(self, after: int, to: int) -> Candidates:
        piece, course = self._piece, self._course
        clock = course.clock(piece.start)
        met = candidates(self._view, piece, clock, after, to, self._met_before)
        turning = self._queue.met(self._view, course, piece, after, to)
        return in_order([met, *turning]) if turning else met

    def _flips(self, after: int, to: int, shared: Extracted | None) -> list[Flip]:
        """Return who begins or ceases to belong in (*after*, *to*], in order."""
        piece = self._piece
        if not piece.is_even:
            return []
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is not None and foreseen[:3] == (piece, after, to):
            met = foreseen[3]
        else:
            met, shared = self._met(after, to), None
        if not len(met.ordinals):
            return []
        if shared is None:
            shared = Extracted(self._view, np.unique(met.ordinals))
        assert shared.view is self._view
        stage = shared.stage(self._course, piece.start)
        ordinals = places.held(stage.extract)
        rows = places.rows_of(stage.extract, met.ordinals)
        here = rows >= 0
        rows, times = rows[here], met.times[here]
        truth = Scene(stage, piece.start, rows, times).truth(piece.condition)
        order = np.lexsort((times, rows))
        rows, times, truth = rows[order], times[order], truth[order]
        belonged = places.among(self._belongs, ordinals)[rows]
        first = np.ones(len(rows), dtype=np.bool_)
        first[1:] = rows[1:] != rows[:-1]
        before = np.where(first, belonged, np.roll(truth, 1))
        turns = np.flatnonzero(truth != before)
        turns = turns[np.lexsort((rows[turns], times[turns]))]
        return [
            Flip(at, ordinal, Kind.ENTER if enters else Kind.EXIT, Reason.TIME)
            for at, ordinal, enters in zip(
                times[turns].tolist(),
                ordinals[rows[turns]].tolist(),
                truth[turns].tolist(),
                strict=True,
            )
        ]

    def _everybody(self) -> BitMap:
        """Return the ordinals of all who belong at the beginning of the piece."""
        piece = self._piece
        clock = self._course.clock(piece.start)
        made = plan(Bound(piece.bound, clock), self._view)
        found = evaluate.members(made, self._view, never, results=self._results)
        return BitMap.union(BitMap(), *(places.placed(self._view, *each) for each in found))

    # --- what is said of it -------------------------------------------------------------------

    def _difference(self, had: BitMap, holds: BitMap, at: int, reason: Reason) -> list[Flip]:
        """Return what makes of those who belonged those who do."""
        exits = [Flip(at, ordinal, Kind.EXIT, reason) for ordinal in had - holds]
        enters = [Flip(at, ordinal, Kind.ENTER, reason) for ordinal in holds - had]
        return sorted(exits + enters)

    def _announced(
        self, flips: list[Flip], before: View | None = None, shared: Extracted | None = None
    ) -> list[Transition]:
        """
        Note *flips*, in order, up to the membership's instant, and return what is seen of them.

        Contacts that left may only be in the view *before*; most may be among those *shared*.
        """
        seen: list[Flip] = []
        for flip in flips:
            seen += self._gate.over(flip.at - 1, self._belongs)
            if flip.kind is Kind.ENTER:
                self._belongs.add(flip.ordinal)
            else:
                self._belongs.discard(flip.ordinal)
            if self._gate.passed(flip):
                seen.append(flip)
        seen += self._gate.over(self.instant, self._belongs)
        if not seen:
            return []
        ordinals = np.array([flip.ordinal for flip in seen], dtype=np.uint32)
        ids = None if shared is None else shared.ids(ordinals)
        if ids is None:
            ids = places.ids_of(before or self._view, self._view, ordinals)
        version = self._view.version
        found = []
        for flip, contact in zip(seen, ids, strict=True):
            self._number += 1
            at, ordinal, kind, reason = flip
            found.append(Transition(self._number, ordinal, contact, kind, reason, at, version))
        return found
