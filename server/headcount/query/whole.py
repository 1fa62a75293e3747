"""
Wholes: the members of whole segments, for questions about several segments at once.

Each segment's rows in a block are remembered as one set, besides those of its conditions, under
what it asks of the block. At the same instant that is known: a look-up a segment and block. At a
later one segments are bound again, 0.1 ms each, but what they ask is mostly the same; only what is
not is planned and worked out.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.model.errors import UserError
from headcount.query.bound import Condition, QueryWarning
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Prepared, Query
from headcount.query.evaluate import Evaluation
from headcount.query.plan import Plan


class Wholes:
    """Some segments of one engine, planned, at one instant."""

    def __init__(
        self,
        engine: Engine,
        queries: Sequence[Query],
        context: QueryContext,
        places: Sequence[str] | None = None,
    ) -> None:
        """
        Plan all of *queries*.

        Raises:
            UserError: one is not valid; `field` says which, by its name in *places*, or as
                `queries[3]`.
        """
        named = [f"queries[{n}]" for n in range(len(queries))] if places is None else places
        self._engine = engine
        self._context = context
        self._prepared = [
            _prepared(engine, place, query, context)
            for place, query in zip(named, queries, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._prepared)

    @property
    def warnings(self) -> tuple[tuple[QueryWarning, ...], ...]:
        """Return what looks wrong in each."""
        return tuple(prepared.warnings for prepared in self._prepared)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return what each means."""
        return tuple(prepared.bound.condition for prepared in self._prepared)

    def members(self, place: int, block: Block) -> BitMap:
        """Return the live rows of the segment at *place*, shared."""
        rows, negated = self.rows(place, block)
        if negated:
            return block.live - rows
        return rows if len(block.live) == block.rows else rows & block.live

    def rows(self, place: int, block: Block) -> tuple[BitMap, bool]:
        """
        Return shared rows, and whether all others are meant; some of them may not be live.

        What is remembered must not depend on which rows are: versions of a block differ in that.
        Where all are, it is the members themselves.
        """
        prepared = self._prepared[place]
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
        return found, negated

    def _worked_out(self, plan: Plan, block: Block, *, all_live: bool) -> BitMap:
        self._context.check()
        found = Evaluation(block, plan, self._context.check, self._engine.results).root()
        return block.live - found if plan.negated and all_live else found


def _prepared(engine: Engine, place: str, query: Query, context: QueryContext) -> Prepared:
    try:
        return engine.prepared(query, context)
    except UserError as error:
        raise UserError(
            error.reason,
            error.message,
            position=error.position,
            field=place,
            suggestions=error.suggestions,
        ) from error
