"""
Anchors: what a segment held of a block at one instant, and who may have come or gone since.

Asked again a second later, a segment with `opened in last 30 days` is bound, settled and looked up
anew, 150 µs. But a contact comes or goes only when an edge of a window runs over one of its own
events, or over an instant in one of its fields:

    log of email_open      . . . |a . .  .  . . . . . .|b
                                 └─ passed ┘            └ nothing behind it
    low edge at the anchor   ────┘         └─── and now

So the rows are kept with the place of each edge in its log, and of one contact it is asked whether
it has an event among those that were passed. How far the clock may go before any edge passes
anything is known beforehand; mostly it has not gone that far, and the answer is one look at the
rows. A contact and 100 segments a second later: 1.0 ms where bound anew they take 14.8.

How a segment moves is `course`'s to say: within one of its pieces edges stay, or keep pace with the
clock. What is in doubt (a computed instant, a deadline, more than 4,096 events passed, a contact
with events that are newer than the large index) is worked out as if there were no anchor.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headcount.index.block import Block, Identity
from headcount.index.ranges import RangeIndex
from headcount.index.view import View
from headcount.model.errors import UserError
from headcount.query.absent import Absences
from headcount.query.bindings import Binding, bound, tree_of
from headcount.query.bound import Condition, QueryWarning, children
from headcount.query.by_text import ByText
from headcount.query.context import QueryContext
from headcount.query.course import Course, Piece
from headcount.query.expressions import Expression, FieldValue, Source, Sources
from headcount.query.grain import grain
from headcount.query.moving import (
    Computed,
    Counted,
    CountedWhere,
    Followed,
    InWindows,
    Moving,
    Window,
    parts,
)
from headcount.query.names import Known
from headcount.query.results import Recall

_MOST_PASSED = 4096  # events; more take longer to look through than to work out again
_TRIES = 1_000  # before a text that could not be anchored is looked at again


class _End(NamedTuple):
    """
    A moving edge over the events of a type, or over the instants in a field.

    `at` is the first instant on its right at the beginning of the piece: what is there is inside
    of a low edge, and outside of a high one.
    """

    name: str
    is_event: bool
    at: int


class _Edge(NamedTuple):
    """An end in one block: its place in the log, and when it will have passed something."""

    end: _End
    place: int
    free: float  # µs from the beginning of the piece: up to there it has passed nothing


@dataclass(frozen=True, slots=True)
class _Held:
    """What a segment held of a block so many µs (`elapsed`) after the beginning of the piece."""

    recall: Recall
    asked: Hashable
    negated: bool
    elapsed: int
    serials: tuple[int, ...]
    edges: tuple[_Edge, ...]
    free: float


@dataclass(frozen=True, slots=True)
class _Course:
    """How a text moves over one piece of time, and what it held of blocks in it."""

    binding: Binding
    piece: Piece
    ends: tuple[_End, ...]
    events: tuple[str, ...]  # all types that the segment asks about
    held: weakref.WeakKeyDictionary[Identity, _Held]

    def elapsed(self, as_of: int) -> int | None:
        """Return the µs from the beginning of the piece to an instant in it, None for others."""
        return as_of - self.piece.start if self.piece.start <= as_of <= self.piece.last else None


class Anchor:
    """One text in one time zone. Any thread may ask it: what it knows is replaced as a whole."""

    def __init__(self) -> None:
        self._misses = 0
        self._course: _Course | None = None
        self._warned: tuple[weakref.ref[View], tuple[QueryWarning, ...]] | None = None

    def is_valid(self, known: Known, as_of: int) -> bool:
        """Return whether the text is known to be a valid segment at an instant."""
        course = self._course
        if course is None or course.elapsed(as_of) is None:
            return False
        return course.binding.seen is None or course.binding.seen == known.seen

    def warnings(self, view: View, absences: Absences) -> tuple[QueryWarning, ...]:
        """Return what looks wrong in a valid one."""
        course, warned = self._course, self._warned
        assert course is not None
        if warned is not None and warned[0]() is view:
            return warned[1]
        bound = course.binding.bound
        found = bound.warnings + absences.warnings(bound.mentions)
        self._warned = weakref.ref(view), found
        return found

    def holds(self, block: Block, row: int, as_of: int) -> bool | None:
        """Return whether it holds a live row; None if that has to be worked out."""
        course = self._course
        if course is None:
            return None
        held, elapsed = course.held.get(block.identity), course.elapsed(as_of)
        if held is None or elapsed is None or elapsed < held.elapsed:
            return None
        for name, serial in zip(course.events, held.serials, strict=True):
            if block.events[name].serial != serial:
                return None
            if any((index.log_rows == row).any() for index in block.newer.get(name, ())):
                return None
        if elapsed > held.free:
            passing = (edge for edge in held.edges if elapsed > edge.free)
            if any(_may_have_passed(edge, block, row, held.elapsed, elapsed) for edge in passing):
                return None
        rows = held.recall.get(held.asked)
        return None if rows is None else (row in rows) is not held.negated

    def begin(self, text: str, context: QueryContext, known: Known) -> None:
        """
        Find out how the text moves from the instant of *context* on, if it is asked once more.

        Costs three bindings.
        """
        self._misses += 1
        if self._misses != 2:
            self._misses %= _TRIES
            return
        segment = tree_of(text, context.limits)
        binding = bound(segment, context, known, text)
        if binding.bound.warnings:  # they may name the instant
            return

        def bind(as_of: int) -> Condition:
            at = QueryContext(as_of, context.zone, context.limits)
            return bound(segment, at, known, text).bound.condition

        try:
            piece = Course(bind, context.zone, grain(segment, known)).beginning(context.as_of)
        except UserError:  # at the end of the calendar
            return
        ends = _ends(piece.condition) if piece.is_even else None
        if ends is None or piece.last == piece.start:
            return
        events = tuple(_events(piece.bound))
        self._course = _Course(binding, piece, ends, events, weakref.WeakKeyDictionary())

    def keep(
        self, block: Block, as_of: int, recall: Recall, asked: Hashable, *, negated: bool
    ) -> None:
        """Take what is remembered as *asked*, of which all others are meant if *negated*."""
        course = self._course
        elapsed = None if course is None else course.elapsed(as_of)
        if course is None or elapsed is None:
            return
        self._misses = 0
        serials = tuple(block.events[name].serial for name in course.events)
        edges = tuple(_edge(end, block, elapsed) for end in course.ends)
        free = min((edge.free for edge in edges), default=math.inf)
        course.held[block.identity] = _Held(recall, asked, negated, elapsed, serials, edges, free)


class Anchors:
    """The anchors of the texts that were asked, for one schema and what is saved."""

    def __init__(self) -> None:
        self.of = ByText(lambda *_: Anchor())  # text, zone, limits


def _ends(condition: Moving) -> tuple[_End, ...] | None:
    """Return the ends that move; None if somebody may come or go otherwise."""
    found: list[_End] = []
    for part in parts(condition):
        match part:
            case Counted(sources, window):
                found += _of_events(sources, window)
            case Computed(figures=figures, instants=()):
                for one in figures:
                    found += _of_events(one.figure.sources, one.window)
            case InWindows(FieldValue(field), windows, ()):
                for window in windows:
                    found += _of(field.name, window, is_event=False)
            case Followed(first, then, _, window, until, never=False):
                found += _of_events(first, window)
                found += _of_events(then, Window(window.low, until))
            case Computed() | InWindows() | CountedWhere() | Followed():
                return None
    return tuple(dict.fromkeys(found))


def _of_events(sources: Sources, window: Window) -> Iterator[_End]:
    for source in sources:
        yield from _of(source.event.name, window, is_event=True)


def _of(name: str, window: Window, *, is_event: bool) -> Iterator[_End]:
    if window.low.moves:
        yield _End(name, is_event, int(window.low.at))
    if window.high.moves:
        yield _End(name, is_event, int(window.high.at) + 1)


def _events(condition: Condition) -> dict[str, None]:
    """Return the names of the event types that are asked about, in any order."""
    found: dict[str, None] = {}
    stack: list[Condition | Expression | Source] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, Source):
            found[node.event.name] = None
        stack.extend(children(node))
    return found


def _edge(end: _End, block: Block, elapsed: int) -> _Edge:
    """Return where an end is in a block, and how long it has a way to go."""
    at = end.at + elapsed
    if end.is_event:
        index = block.events[end.name]
        place = index.log.timeline.before(at)
        following = index.times(place, place + 1)
    else:
        instants = _instants(block, end.name)
        place, _ = instants.ranks(at, None)
        following = instants.column.take(instants.order[place : place + 1])
    return _Edge(end, place, int(following[0]) - end.at if len(following) else math.inf)


def _may_have_passed(edge: _Edge, block: Block, row: int, before: int, elapsed: int) -> bool:
    """Return whether an end passed something of a row between two times; True if that is dear."""
    end = edge.end
    if not end.is_event:
        # The value under a row without one is as good as any: it is only looked at more closely.
        instant = int(_instants(block, end.name).column.take(np.array([row]))[0])
        return end.at + before <= instant < end.at + elapsed
    index = block.events[end.name]
    stop = index.log.timeline.before(end.at + elapsed)
    if stop - edge.place > _MOST_PASSED:
        return True
    return bool((index.log_rows[edge.place : stop] == row).any())


def _instants(block: Block, name: str) -> RangeIndex:
    index = block.fields[name]
    assert isinstance(index, RangeIndex), name
    return index
