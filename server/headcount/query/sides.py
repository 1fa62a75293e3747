"""
Sides: sets of contacts in a block, each kept as those who are in it or as those who are not.

A complement is never made: `not vip = true` is the rows of `vip = true` and a flag, and the
operators of sets work on both (De Morgan). So a negative condition costs what its positive twin
costs, and everyone and no one cost nothing.

    A in, B in     and:  A & B, in            A in, B out     and:  A - B, in
    A out, B out   and:  A | B, out           or: the complement of the and of the complements

Rows are those of live contacts only, and may be shared: nobody changes them. `Sides` works the
conditions of a query out, block by block, with what earlier queries left in `results`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pyroaring import BitMap

from headcount.index.bitmaps import EMPTY
from headcount.index.block import Block
from headcount.index.view import View
from headcount.query.bound import EVERYONE, NO_ONE, All, Any, Condition, Enough
from headcount.query.clock import Clock
from headcount.query.evaluate import Check, Evaluation
from headcount.query.plan import Plan, plan_each
from headcount.query.results import Results
from headcount.query.rewrite import rewritten


class Side(NamedTuple):
    """Those with these rows, or with `out` all others."""

    rows: BitMap
    out: bool = False

    def inverse(self) -> Side:
        """Return all others."""
        return Side(self.rows, not self.out)

    def size(self, live: int) -> int:
        """Return how many there are, of *live* contacts in the block."""
        return live - len(self.rows) if self.out else len(self.rows)

    def within(self, live: BitMap) -> BitMap:
        """Return the rows of those who are in, of the contacts *live*; maybe shared."""
        return live - self.rows if self.out else self.rows


_FEW_SHARE = 32

ALL = Side(EMPTY, True)
NONE = Side(EMPTY)


def both(a: Side, b: Side) -> Side:
    """Return those in *a* and in *b*."""
    if not a.rows:
        return b if a.out else a
    if not b.rows:
        return a if b.out else b
    if a.out:
        return Side(a.rows | b.rows, True) if b.out else Side(_left(b.rows, a.rows))
    return Side(_left(a.rows, b.rows) if b.out else a.rows & b.rows)


def _left(rows: BitMap, others: BitMap) -> BitMap:
    """Return *rows* without *others*; a few in an intersection are found without reading all."""
    few = len(rows) * _FEW_SHARE < len(others)
    return rows - (rows & others if few else others)


def either(a: Side, b: Side) -> Side:
    """Return those in *a* or in *b*."""
    return both(a.inverse(), b.inverse()).inverse()


def common(a: Side, b: Side, live: int) -> int:
    """Return how many are in *a* and in *b*, of *live* contacts, without making a set of them."""
    if a.out:
        if b.out:
            return live - a.rows.union_cardinality(b.rows)
        return b.rows.difference_cardinality(a.rows)
    if b.out:
        return a.rows.difference_cardinality(b.rows)
    return a.rows.intersection_cardinality(b.rows)


class Sides:
    """The conditions of one query, made ready once and worked out in each block."""

    def __init__(
        self,
        conditions: Iterable[Condition],
        clock: Clock,
        view: View,
        check: Check,
        results: Results,
    ) -> None:
        self._check = check
        self._results = results
        self._signed = {condition: rewritten(condition) for condition in conditions}
        # What has no parts is asked of the indexes as it is: a plan has nothing to order.
        structured = [c for c, (found, _) in self._signed.items() if _has_parts(found)]
        self._nothing, *plans = plan_each([NO_ONE, *structured], clock, view)
        self._plans = {self._signed[c][0]: p for c, p in zip(structured, plans, strict=True)}

    def in_block(self, block: Block, among: BitMap | None = None) -> BlockSides:
        """
        Return the conditions in one block, where nothing has been worked out yet.

        With *among* only these rows will be right, which may be quicker.
        """
        plan = next(iter(self._plans.values()), self._nothing)
        evaluation = Evaluation(block, plan, self._check, self._results)
        return BlockSides(block, evaluation, self._check, self._signed, self._plans, among)


class BlockSides:
    """The conditions of one query in one block; each is worked out once."""

    def __init__(
        self,
        block: Block,
        evaluation: Evaluation,
        check: Check,
        signed: Mapping[Condition, tuple[Condition, bool]],
        plans: Mapping[Condition, Plan],
        among: BitMap | None,
    ) -> None:
        self.block = block
        self.live = len(block.live)
        self.evaluation = evaluation
        self._check = check
        self._signed = signed
        self._plans = plans
        self._among = among
        self._found: dict[Condition, BitMap] = {}

    def side(self, condition: Condition) -> Side:
        """Return those whom one of the conditions holds."""
        positive, negated = self._signed[condition]
        if positive == EVERYONE:
            return Side(EMPTY, not negated)
        rows = self._found.get(positive)
        if rows is None:
            rows = self._found[positive] = self._rows(positive)
        return Side(rows, negated)

    def _rows(self, condition: Condition) -> BitMap:
        self._check()
        plan = self._plans.get(condition)
        if plan is None:
            rows = self.evaluation.condition(condition, self._among)
        else:
            rows = self.evaluation.rows(plan.root, self._among)
        return rows if self.live == self.block.rows else rows & self.block.live


def _has_parts(condition: Condition) -> bool:
    return isinstance(condition, All | Any | Enough)
