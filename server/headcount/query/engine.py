"""
The engine: questions in, counts and members out, over one view.

    text or tree  --parse-->  --bind-->  --plan-->  remembered  --evaluate-->  count, rows

What the embedded API and the server both call. An engine belongs to one view and one state of the
saved segments, neither of which changes; so plans can be remembered by text, instant and zone (a
timeless segment's by text and zone). A newer view has an engine of its own, made by `at` in a few
microseconds: it keeps what was bound and planned as far as that holds (`Bindings`). Long texts, and
queries that come as trees, are not remembered: they may hold 100,000 values.

Safe to call from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.index.view import View
from headcount.model.errors import Reason, UserError
from headcount.query import evaluate, lint, pairs, tree
from headcount.query.absent import Absences
from headcount.query.anchors import Anchor, Anchors
from headcount.query.bind import check_calculated
from headcount.query.bindings import LONGEST, Binding, Bindings, bound
from headcount.query.bindings import tree_of as tree_of
from headcount.query.bound import Bound, QueryWarning
from headcount.query.by_instant import TIMELESS, ByInstant
from headcount.query.census import FEWEST, Census
from headcount.query.context import QueryContext
from headcount.query.counters import Counters
from headcount.query.format import format as canonical
from headcount.query.forms import Query as Query
from headcount.query.lately import Lately
from headcount.query.limits import Limits
from headcount.query.meanings import Meanings
from headcount.query.names import Known
from headcount.query.outline import outline
from headcount.query.plan import Plan
from headcount.query.rests import Edits
from headcount.query.results import Results
from headcount.query.saved import NOTHING_SAVED, Saved
from headcount.query.settled import Asked, Askings, settled_whole
from headcount.query.stale import StaleLabels
from headcount.query.survey import Drafts
from headcount.query.timeless import is_timeless
from headcount.query.twins import Twins
from headcount.query.words import WordTwins
from headcount.query.workers import ALONE, Workers

_SHOWN = 1_024  # contacts
_LISTS = 16  # of queries


@dataclass(frozen=True, slots=True)
class Counted:
    """How many contacts a segment holds, and what looks wrong in it."""

    count: int
    warnings: tuple[QueryWarning, ...]


@dataclass(frozen=True, slots=True)
class Validated:
    """
    What is wrong with a segment: it can be asked if there are no `errors`.

    `text` is its canonical text, "" when it could not be read.
    """

    text: str
    errors: tuple[UserError, ...]
    warnings: tuple[QueryWarning, ...]


@dataclass(eq=False)
class Prepared:
    """
    A bound segment over one view, with what looks wrong in it there.

    `counted` is its size there, once it is known and if results are to be remembered.
    """

    binding: Binding
    view: View
    absences: Absences
    twins: Twins
    counted: int | None = None

    @property
    def bound(self) -> Bound:
        """Return what it means."""
        return self.binding.bound

    @cached_property
    def warnings(self) -> tuple[QueryWarning, ...]:
        """What looks wrong in it."""
        return self.bound.warnings + self.absences.warnings(self.bound.mentions)

    @cached_property
    def plan(self) -> Plan:
        """The order in which it is worked out."""
        return self.binding.plan(self.view)

    @cached_property
    def quick_count(self) -> Callable[[], int] | None:
        """What counts it without a plan being walked, if it is that simple."""
        return pairs.counter(self.plan, self.view, self.twins)

    def asked(self, block: Block) -> Asked:
        """Return what it asks of a block of the view; the same for all that hold the same rows."""
        found = self._asked.get(block.number)
        if found is None:
            found = self._asked[block.number] = Asked(settled_whole(self.bound.condition, block))
        return found

    @cached_property
    def _asked(self) -> dict[int, Asked]:
        return {}


class _Memory:
    """What engines over versions of a workspace share, for one schema and what is saved."""

    def __init__(self, known: Known, twins: Twins, words: WordTwins) -> None:
        self.bindings = Bindings(known)
        self.anchors = Anchors()
        self.twins = twins
        self.words = words
        self.meanings = Meanings()
        self.edits = Edits()
        self.census = Census(twins)
        self.lists: Lately[tuple[bytes, ...], tuple[str | tree.Segment, ...]] = Lately(_LISTS)


def _preparing(
    view: View, known: Known, absences: Absences, memory: _Memory
) -> Callable[[str, int, ZoneInfo, Limits], Prepared]:
    """Return what prepares texts, without the engine: as a cycle it would outlive its use."""

    def prepare(text: str, as_of: int, zone: ZoneInfo, limits: Limits) -> Prepared:
        binding = memory.bindings.of(text, QueryContext(as_of, zone, limits), known)
        return Prepared(binding, view, absences, memory.twins)

    return prepare


class Engine:
    """
    Answers questions about one view.

    *results* remembers what was found: one memory may serve many engines, `Results(0)` turns it
    off, and without one the engine has its own. *saved* are the segments that others may name.
    *workers* are further threads for long counts; they may serve many engines too.

    Raises:
        UserError: a calculated field of the view's schema means nothing.
    """

    def __init__(
        self,
        view: View,
        results: Results | None = None,
        saved: Saved = NOTHING_SAVED,
        workers: Workers = ALONE,
    ) -> None:
        known = Known(view, saved)
        check_calculated(known)
        results = Results() if results is None else results
        memory = _Memory(known, Twins(), WordTwins())
        self._begin(view, results, known, memory, workers)

    def _begin(
        self, view: View, results: Results, known: Known, memory: _Memory, workers: Workers
    ) -> None:
        self.view = view
        self.results = results
        self.workers = workers
        self.known = known
        self.absences = Absences(view)
        self.stale = StaleLabels(view)
        # By block number, row and names: the contacts that previews showed (`query.shown`).
        self.shown: Lately[tuple[int, int, tuple[str, ...]], Any] = Lately(_SHOWN)
        self.drafts = Drafts(memory.edits, Askings())
        self._memory = memory
        self._bindings = memory.bindings
        self._remembered = ByInstant(_preparing(view, known, self.absences, memory))
        self._counters: dict[Limits, Counters] = {}

    def at(self, view: View) -> Engine:
        """
        Return an engine over another version of the same workspace, with the same memory.

        What was bound and planned is kept as far as it holds; 10 µs while the schema is the same
        object, as `Engine(view)` when it is another one.

        Raises:
            UserError: a calculated field of the view's schema means nothing.
        """
        known = self.known
        if view.schema is not self.view.schema:
            return Engine(view, self.results, known.saved, self.workers)
        self._memory.census.follow(view)
        return self._with(view, Known(view, known.saved, known.calculations), self._memory)

    def with_saved(self, saved: Saved) -> Engine:
        """Return an engine over the same view with other saved segments, and the same memory."""
        known = Known(self.view, saved, self.known.calculations)
        memory = _Memory(known, self._memory.twins, self._memory.words)
        return self._with(self.view, known, memory)

    def _with(self, view: View, known: Known, memory: _Memory) -> Engine:
        engine = Engine.__new__(Engine)
        engine._begin(view, self.results, known, memory, self.workers)
        return engine

    @property
    def meanings(self) -> Meanings:
        """What conditions were bound to, for those who edit the segment around them."""
        return self._memory.meanings

    @property
    def lists(self) -> Lately[tuple[bytes, ...], tuple[str | tree.Segment, ...]]:
        """Return the segments that lists of encoded queries stand for; none, if seen only once."""
        return self._memory.lists

    def count(self, query: Query, context: QueryContext) -> Counted:
        """
        Return how many live contacts *query* holds.

        Raises:
            UserError: *query* is not valid, or `context.check` ended it.
        """
        prepared = self.prepared(query, context)
        return Counted(self._size_of(prepared, context), prepared.warnings)

    def size(self, query: Query, context: QueryContext, results: Results | None = None) -> int:
        """
        Return what `count` does, without asking what looks wrong.

        *results* are where to look for what was found, and to keep it, in the place of the engine's
        own.

        Raises:
            UserError: as for `count`.
        """
        return self._size_of(self.prepared(query, context), context, results)

    def sizes(self, queries: Sequence[Query], context: QueryContext) -> list[int | UserError]:
        """
        Return what `size` does for each of *queries*, in order, or why it has none.

        Many are counted together, and in another version by what changed: see `census`.

        Raises:
            UserError: `context.check` ended it.
        """
        plain = [query for query in queries if not isinstance(query, dict)]
        if FEWEST <= len(plain) == len(queries):
            return self._memory.census.sizes(self, plain, context)
        return [self.size_or_error(query, context) for query in queries]

    def size_or_error(self, query: Query, context: QueryContext) -> int | UserError:
        """
        Return what `size` does, or the error that it raises.

        Raises:
            UserError: `context.check` ended it.
        """
        context.check()
        try:
            return self.size(query, context)
        except UserError as error:
            if error.reason in (Reason.DEADLINE_EXCEEDED, Reason.CANCELLED):
                raise
            return error

    def counter(self, query: Query, context: QueryContext) -> Callable[[], int] | None:
        """
        Return what counts *query* in a few microseconds, None if it takes more.

        Raises:
            UserError: *query* is not valid.
        """
        return self.prepared(query, context).quick_count

    def counters(self, limits: Limits) -> Counters:
        """Return what counts the queries that were kept there, all of them within *limits*."""
        found = self._counters.get(limits)
        return found or self._counters.setdefault(limits, Counters())

    def is_timeless(self, query: Query, limits: Limits) -> bool:
        """Return whether *query* is known to hold the same contacts at every instant."""
        if isinstance(query, str) and len(query) <= LONGEST:
            return self._bindings.is_timeless(query, limits)
        known = self.known
        return is_timeless(tree_of(query, limits), known.schema, known.calculations, known.saved)

    def _size_of(
        self, prepared: Prepared, context: QueryContext, results: Results | None = None
    ) -> int:
        known = prepared.counted
        if known is not None:  # its view does not change, so neither does its size
            return known
        quick = prepared.quick_count
        if quick is None:
            results = self.results if results is None else results
            words = self._memory.words
            found = evaluate.count(
                prepared.plan, self.view, context.check, results, words, self.workers
            )
        else:
            context.check()
            found = quick()
        if self.results.capacity:
            prepared.counted = found
        return found

    def members(
        self, query: Query, context: QueryContext, first_block: int = 0
    ) -> Iterator[tuple[Block, BitMap]]:
        """
        Return an iterator of the blocks from number *first_block* on, with the rows in each.

        The query is planned at once, each block is worked out when it is asked for. The rows may be
        shared: they are not to be changed.

        Raises:
            UserError: *query* is not valid; while iterating, `context.check` ended it.
        """
        prepared = self.prepared(query, context)
        return evaluate.members(prepared.plan, self.view, context.check, first_block, self.results)

    def validate(self, query: Query, context: QueryContext, *, for_send: bool = False) -> Validated:
        """
        Return what is wrong with *query*, and its canonical text; *for_send* is that of `lint`.

        Nothing is counted, so what only the counts of its parts would show is not there.

        Raises:
            UserError: `context.check` ended it.
        """
        text = ""
        try:
            segment = tree_of(query, context.limits)
            text = canonical(segment)
            prepared = self.prepared(query, context)
        except UserError as error:
            return Validated(text, (error,), ())
        source = query if isinstance(query, str) else None
        outlined = outline(segment, self.known, context, source, thorough=False)
        found = lint.meant(outlined, source, for_send=for_send)
        found += self.stale.warnings(prepared.bound.mentions, context)
        return Validated(text, (), (*prepared.warnings, *found))

    def anchor(self, query: Query, context: QueryContext) -> Anchor | None:
        """
        Return where a text that moves with the clock is anchored; None if it does not, or is long.

        Raises:
            UserError: *query* is not valid.
        """
        if not isinstance(query, str) or len(query) > LONGEST or not self.results.capacity:
            return None
        if self._bindings.is_timeless(query, context.limits):
            return None
        return self._memory.anchors.of(query, context.zone, context.limits)

    def prepared(self, query: Query, context: QueryContext) -> Prepared:
        """
        Return the plan of *query*, remembered if the same short text was asked before.

        Raises:
            UserError: *query* is not valid.
        """
        if not isinstance(query, str) or len(query) > LONGEST:
            text = query if isinstance(query, str) else None
            segment = tree_of(query, context.limits)
            return self._prepared(bound(segment, context, self.known, text))
        as_of, zone, limits = context.as_of, context.zone, context.limits
        if self._bindings.is_timeless(query, limits):
            as_of = TIMELESS
        return self._remembered(query, as_of, zone, limits)

    def _prepared(self, binding: Binding) -> Prepared:
        return Prepared(binding, self.view, self.absences, self._memory.twins)
