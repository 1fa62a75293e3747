"""
The engine: questions in, counts and members out, over one view.

    text or tree  --parse-->  --bind-->  --plan-->  remembered  --evaluate-->  count, rows

What the embedded API and the server both call. An engine belongs to one view and one state of the
saved segments, neither of which changes; so plans can be remembered by text, instant and zone (a
timeless segment's by text and zone), and a newer view has an engine of its own. Trees are
remembered by text alone, for every view. Long texts, and queries that come as trees, are not
remembered: they may hold 100,000 values.

Safe to call from several threads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.index.view import View
from headcount.model.errors import UserError
from headcount.query import evaluate, tree
from headcount.query.absent import Absences
from headcount.query.bind import bind, check_calculated
from headcount.query.bound import Bound, QueryWarning
from headcount.query.context import QueryContext
from headcount.query.format import format as canonical
from headcount.query.limits import Limits, require_within
from headcount.query.names import Known
from headcount.query.parse import parse
from headcount.query.plan import Plan, plan
from headcount.query.results import Results
from headcount.query.saved import NOTHING_SAVED, Saved
from headcount.query.settled import Asked, settled_whole
from headcount.query.timeless import is_timeless

Query = str | tree.Segment

_PLANS = 1024  # remembered by each engine
_TREES = 1024  # remembered by the process
_LONGEST = 4096  # code points of a text that is remembered


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


@dataclass(frozen=True, eq=False)
class Prepared:
    """A bound segment with its warnings, and its plan, made when it is first asked for."""

    bound: Bound
    warnings: tuple[QueryWarning, ...]
    view: View

    @cached_property
    def plan(self) -> Plan:
        """The order in which it is worked out."""
        return plan(self.bound, self.view)

    def asked(self, block: Block) -> Asked:
        """Return what it asks of a block of the view; the same for all that hold the same rows."""
        found = self._asked.get(block.number)
        if found is None:
            found = self._asked[block.number] = Asked(settled_whole(self.bound.condition, block))
        return found

    @cached_property
    def _asked(self) -> dict[int, Asked]:
        return {}


class Engine:
    """
    Answers questions about one view.

    *results* remembers what was found: one memory may serve many engines, `Results(0)` turns it
    off, and without one the engine has its own. *saved* are the segments that others may name.

    Raises:
        UserError: a calculated field of the view's schema means nothing.
    """

    def __init__(
        self, view: View, results: Results | None = None, saved: Saved = NOTHING_SAVED
    ) -> None:
        self.view = view
        self.results = Results() if results is None else results
        self.known = Known(view, saved)
        self.absences = Absences(view)
        check_calculated(self.known)
        self._remembered = lru_cache(maxsize=_PLANS)(self._prepare)
        self._timeless = lru_cache(maxsize=_PLANS)(self._is_timeless)

    def with_saved(self, saved: Saved) -> Engine:
        """Return an engine over the same view with other saved segments, and the same memory."""
        return Engine(self.view, self.results, saved)

    def count(self, query: Query, context: QueryContext) -> Counted:
        """
        Return how many live contacts *query* holds.

        Raises:
            UserError: *query* is not valid, or `context.check` ended it.
        """
        prepared = self.prepared(query, context)
        found = evaluate.count(prepared.plan, self.view, context.check, self.results)
        return Counted(found, prepared.warnings)

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

    def validate(self, query: Query, context: QueryContext) -> Validated:
        """Return what is wrong with *query*, and its canonical text."""
        text = ""
        try:
            segment = tree_of(query, context.limits)
            text = canonical(segment)
            prepared = self.prepared(query, context)
        except UserError as error:
            return Validated(text, (error,), ())
        return Validated(text, (), prepared.warnings)

    def prepared(self, query: Query, context: QueryContext) -> Prepared:
        """
        Return the plan of *query*, remembered if the same short text was asked before.

        Raises:
            UserError: *query* is not valid.
        """
        as_of, zone, limits = context.as_of, context.zone, context.limits
        if not isinstance(query, str) or len(query) > _LONGEST:
            return self._prepare(query, as_of, zone, limits)
        if self._timeless(query, limits):
            as_of = 0
        return self._remembered(query, as_of, zone, limits)

    def _prepare(self, query: Query, as_of: int, zone: ZoneInfo, limits: Limits) -> Prepared:
        segment = tree_of(query, limits)
        text = query if isinstance(query, str) else None
        context = QueryContext(as_of, zone, limits)
        bound = bind(segment, self.view, context, text, self.known)
        warnings = bound.warnings + self.absences.warnings(bound.mentions)
        return Prepared(bound, warnings, self.view)

    def _is_timeless(self, text: str, limits: Limits) -> bool:
        known = self.known
        return is_timeless(tree_of(text, limits), known.schema, known.calculations, known.saved)


def tree_of(query: Query, limits: Limits) -> tree.Segment:
    """Return the tree of *query*, with the places of its nodes if it is text."""
    if not isinstance(query, str):
        require_within(query, limits)
        return query
    return _parsed(query, limits) if len(query) <= _LONGEST else parse(query, limits)


_parsed = lru_cache(maxsize=_TREES)(parse)
