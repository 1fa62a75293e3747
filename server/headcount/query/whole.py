"""
Wholes: the members of whole segments, for questions about several segments at once.

Each segment's rows in a block are remembered as one set, besides those of its conditions, under
what it asks of the block. At the same instant that is known: a look-up a segment and block. At a
later one segments are bound again, 0.1 ms each, but what they ask is mostly the same; only what is
not is planned and worked out. Of a single contact it may be known without that: see `anchors`.

Alone, a segment asks a costly condition of those alone who are left by its others, which is not
worth remembering. A condition that several segments ask is worked out once, for all contacts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.model.errors import UserError
from headcount.query.anchors import Anchor
from headcount.query.bound import Condition, QueryWarning
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Prepared, Query
from headcount.query.evaluate import Evaluation
from headcount.query.plan import Plan, leaves

_MANY = 3  # segments with a condition; for all contacts it costs as much as for those left by two


class Wholes:
    """Some segments of one engine, planned, at one instant."""

    def __init__(
        self,
        engine: Engine,
        queries: Sequence[Query],
        context: QueryContext,
        places: Sequence[str] | None = None,
        *,
        anchored: bool = False,
    ) -> None:
        """
        Plan all of *queries*; with *anchored* those that are not anchored, the rest when needed.

        Raises:
            UserError: one is not valid; `field` says which, by its name in *places*, or as
                `queries[3]`.
        """
        self._engine = engine
        self._context = context
        self._queries = queries
        self._places = places
        self._anchored = anchored
        self._anchors: list[Anchor | None] = []
        self._prepared: list[Prepared | None] = []
        for place in range(len(queries)):
            anchor, prepared = self._begun(place)
            self._anchors.append(anchor)
            self._prepared.append(prepared)

    def __len__(self) -> int:
        return len(self._queries)

    @property
    def warnings(self) -> tuple[tuple[QueryWarning, ...], ...]:
        """Return what looks wrong in each."""
        view, absences = self._engine.view, self._engine.absences
        return tuple(
            anchor.warnings(view, absences)
            if prepared is None and anchor is not None
            else self._query_at(place).warnings
            for place, (anchor, prepared) in enumerate(
                zip(self._anchors, self._prepared, strict=True)
            )
        )

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return what each means."""
        return tuple(self._query_at(place).bound.condition for place in range(len(self)))

    def members(self, place: int, block: Block) -> BitMap:
        """Return the live rows of the segment at *place*, shared."""
        rows, negated = self.rows(place, block)
        if negated:
            return block.live - rows
        return rows if len(block.live) == block.rows else rows & block.live

    def holds(self, place: int, block: Block, row: int) -> bool | None:
        """Return whether the segment at *place* holds a live row; None if `rows` must be asked."""
        anchor = self._anchors[place]
        return None if anchor is None else anchor.holds(block, row, self._context.as_of)

    def rows(self, place: int, block: Block) -> tuple[BitMap, bool]:
        """
        Return shared rows, and whether all others are meant; some of them may not be live.

        What is remembered must not depend on which rows are: versions of a block differ in that.
        Where all are, it is the members themselves.
        """
        prepared = self._query_at(place)
        plan, all_live = prepared.plan, len(block.live) == block.rows
        negated = plan.negated and not all_live
        recall = self._engine.results.of(block, prepared.bound.clock)
        if recall is None:
            return self._worked_out(plan, block, all_live=all_live), negated
        asked = prepared.asked(block), all_live
        found = recall.get(asked)
        if found is None:
            found = self._worked_out(plan, block, all_live=all_live)
            recall.keep(asked, found)
        anchor = self._anchors[place]
        if anchor is not None:
            anchor.keep(block, self._context.as_of, recall, asked, negated=negated)
        return found, negated

    def _begun(self, place: int) -> tuple[Anchor | None, Prepared | None]:
        """Return where a query is anchored, and, if it is not there yet, the query prepared."""
        query, context, engine = self._queries[place], self._context, self._engine
        try:
            anchor = engine.anchor(query, context) if self._anchored else None
            if anchor is not None:
                if anchor.is_valid(engine.known, context.as_of):
                    return anchor, None
                assert isinstance(query, str)
                anchor.begin(query, context, engine.known)
            return anchor, engine.prepared(query, context)
        except UserError as error:
            named = f"queries[{place}]" if self._places is None else self._places[place]
            inside = error.field or ""
            if inside.startswith(f"{named}."):  # a message was read with its place
                named = inside
            elif inside and isinstance(query, dict):
                named = f"{named}.{inside}"
            raise UserError(
                error.reason,
                error.message,
                position=error.position,
                field=named,
                suggestions=error.suggestions,
            ) from error

    def _query_at(self, place: int) -> Prepared:
        """Return a query prepared."""
        found = self._prepared[place]
        if found is None:
            found = self._engine.prepared(self._queries[place], self._context)
            self._prepared[place] = found
        return found

    def _worked_out(self, plan: Plan, block: Block, *, all_live: bool) -> BitMap:
        self._context.check()
        results, check = self._engine.results, self._context.check
        found = Evaluation(block, plan, check, results, self._asked_again).root()
        return block.live - found if plan.negated and all_live else found

    @cached_property
    def _asked_again(self) -> frozenset[Condition]:
        """Conditions of so many segments that they are worked out once, and not for each one's."""
        if len(self) < _MANY or not self._engine.results.capacity:
            return frozenset()
        prepared = (one.plan for one in self._prepared if one is not None)
        asked = Counter(leaf.condition for plan in prepared for leaf in leaves(plan.root))
        return frozenset(condition for condition, count in asked.items() if count >= _MANY)
