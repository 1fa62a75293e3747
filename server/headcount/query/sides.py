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

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import reduce
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
from headcount.query.rewrite import Signed
from headcount.query.settled import Askings, settled_whole


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
_MUCH = 32  # with less than one in so many left, a step costs next to nothing
_FEW = 16  # sides

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


def _left(rows: BitMap, away: BitMap) -> BitMap:
    """Return *rows* without *away*; a few in an intersection are found without reading all."""
    few = len(rows) * _FEW_SHARE < len(away)
    return rows - (rows & away if few else away)


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


def others(among: Side, sides: Sequence[Side], live: int) -> list[Side]:
    """
    Return for each of *sides* those of *among* who are in all others.

    What one half of them leaves is where the other half starts from, and the other way round. While
    that is much, the smallest of a few is taken from the rest instead, so that all steps but the
    first are on small sets. n parts take n log n steps, a few at most n² / 2.
    """
    order = sorted(range(len(sides)), key=lambda place: sides[place].size(live))
    found = [among] * len(sides)

    def narrow(left: Side, places: Sequence[int]) -> None:
        if len(places) == 1:
            found[places[0]] = left
            return
        narrowed = left.size(live) * _MUCH < live
        middle = len(places) // 2 if narrowed or len(places) > _FEW else 1
        for some, rest in ((places[:middle], places[middle:]), (places[middle:], places[:middle])):
            narrow(reduce(both, (sides[place] for place in rest), left), some)

    narrow(among, order)
    return found


class _Wanted(NamedTuple):
    """A condition that is asked for: the number of its positive, the plan of that if it has one."""

    number: int
    positive: Condition
    negated: bool
    plan: Plan | None


class Sides:
    """The conditions of one query, made ready once and worked out in each block."""

    def __init__(
        self,
        conditions: Iterable[tuple[Condition, Signed]],
        clock: Clock,
        view: View,
        check: Check,
        results: Results,
        askings: Askings | None = None,
    ) -> None:
        """
        Take the *conditions*, each with what `rewritten` makes of it.

        *askings* knows what they ask of the view's blocks.
        """
        self._check = check
        self._results = results
        self._askings = askings
        self._conditions = list(conditions)  # known by `id`, which costs less than a hash
        numbers: dict[Condition, int] = {}
        for _, (positive, _) in self._conditions:
            numbers.setdefault(positive, len(numbers))
        # What has no parts is asked of the indexes as it is: a plan has nothing to order.
        structured = [positive for positive in numbers if _has_parts(positive)]
        self._nothing, *found = plan_each([NO_ONE, *structured], clock, view)
        plans = dict(zip(structured, found, strict=True))
        self._plan = found[0] if found else self._nothing
        self._size = len(numbers)
        self._wanted = {
            id(condition): _Wanted(
                numbers[positive], positive, negated, plans.get(positive) if plans else None
            )
            for condition, (positive, negated) in self._conditions
        }

    def in_block(self, block: Block, among: BitMap | None = None) -> BlockSides:
        """
        Return the conditions in one block, where nothing has been worked out yet.

        With *among* only these rows will be right, which may be quicker.
        """
        evaluation = Evaluation(
            block, self._plan, self._check, self._results, askings=self._askings
        )
        return BlockSides(block, evaluation, self._check, self._wanted, self._size, among)


class BlockSides:
    """
    The conditions of one query in one block; each is worked out once.

    They are asked for by the very objects that `Sides` was given.
    """

    def __init__(
        self,
        block: Block,
        evaluation: Evaluation,
        check: Check,
        wanted: Mapping[int, _Wanted],
        size: int,
        among: BitMap | None,
    ) -> None:
        self.block = block
        self.live = len(block.live)
        self.evaluation = evaluation
        self._check = check
        self._wanted = wanted
        self._among = among
        self._rows: list[BitMap | None] = [None] * size  # by number
        self._live_rows: list[BitMap | None] = [None] * size

    def side(self, condition: Condition) -> Side:
        """Return those whom one of the conditions holds."""
        wanted = self._wanted[id(condition)]
        rows = self._live_rows[wanted.number]
        if rows is None:
            if wanted.positive == EVERYONE:
                return Side(EMPTY, not wanted.negated)
            rows = self._found(wanted)
            if self.live != self.block.rows:
                rows = rows & self.block.live
            self._live_rows[wanted.number] = rows
        return Side(rows, wanted.negated)

    def with_dead(self, condition: Condition) -> Side:
        """Return what `side` does; of rows that are not live it may say anything."""
        wanted = self._wanted[id(condition)]
        if wanted.positive == EVERYONE:
            return Side(EMPTY, not wanted.negated)
        return Side(self._found(wanted), wanted.negated)

    def asked(self, condition: Condition) -> Hashable:
        """Return what a condition asks of the block; where that is equal, `with_dead` is."""
        wanted = self._wanted[id(condition)]
        if wanted.plan is not None:
            return settled_whole(wanted.positive, self.block), wanted.negated
        return self.evaluation.asked(wanted.positive), wanted.negated

    def _found(self, wanted: _Wanted) -> BitMap:
        rows = self._rows[wanted.number]
        if rows is None:
            self._check()
            if wanted.plan is None:
                rows = self.evaluation.condition(wanted.positive, self._among)
            else:
                rows = self.evaluation.rows(wanted.plan.root, self._among)
            self._rows[wanted.number] = rows
        return rows


def _has_parts(condition: Condition) -> bool:
    return isinstance(condition, All | Any | Enough)
