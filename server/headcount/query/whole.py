"""
Wholes: the members of whole segments, for questions about several segments at once.

Each segment's rows in a block are remembered as one set, besides those of its conditions, under the
plan that they come from. Plans are remembered by text and instant, so asking about the same
segments at the same instant again costs a look-up a segment and block.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.model.errors import UserError
from headcount.query.bound import QueryWarning
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Prepared, Query
from headcount.query.evaluate import Evaluation
from headcount.query.plan import Plan


class Wholes:
    """Some segments of one engine, planned, at one instant."""

    def __init__(self, engine: Engine, queries: Sequence[Query], context: QueryContext) -> None:
        """
        Plan all of *queries*.

        Raises:
            UserError: one is not valid; `field` says which, as `queries[3]`.
        """
        self._engine = engine
        self._context = context
        self._prepared = [_prepared(engine, *numbered, context) for numbered in enumerate(queries)]

    def __len__(self) -> int:
        return len(self._prepared)

    @property
    def warnings(self) -> tuple[tuple[QueryWarning, ...], ...]:
        """Return what looks wrong in each."""
        return tuple(prepared.warnings for prepared in self._prepared)

    def members(self, place: int, block: Block) -> BitMap:
        """Return the live rows of the segment at *place*, shared."""
        plan = self._prepared[place].plan
        recall = self._engine.results.of(block, plan.clock)
        asked = _asked(plan)
        found = None if recall is None else recall.get(asked)
        if found is None:
            self._context.check()
            evaluation = Evaluation(block, plan, self._context.check, self._engine.results)
            found = evaluation.members()
            if plan.negated:
                found = block.live - found
            if recall is not None:
                recall.keep(asked, found)
        return found


def _asked(plan: Plan) -> Hashable:
    """Return what a segment is remembered under: its plan, which no other segment has."""
    return plan.root, plan.negated


def _prepared(engine: Engine, place: int, query: Query, context: QueryContext) -> Prepared:
    try:
        return engine.prepared(query, context)
    except UserError as error:
        raise UserError(
            error.reason,
            error.message,
            position=error.position,
            field=f"queries[{place}]",
            suggestions=error.suggestions,
        ) from error
