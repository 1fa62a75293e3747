"""
Plans: what is worked out for each block, in which order.

    bound condition  --rewritten-->  condition  --estimated, ordered-->  plan

An `and` becomes steps: begin with one set, then intersect or take away, the cheapest way to shrink
what is left first. The order is by cost / share removed, from the sizes in one block: exact for
fields (their indexes know), bounded for events, guessed for what must be computed. A subtree that
occurs twice is worked out once a block.

A plan prints as a tree, with the number of contacts that each node was estimated at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

from headcount.index.block import BLOCK_ROWS, Block
from headcount.index.view import View
from headcount.query.bound import (
    All,
    Always,
    Any,
    Bound,
    Complement,
    Condition,
    Enough,
)
from headcount.query.clock import Clock
from headcount.query.estimate import Estimate, estimate
from headcount.query.rewrite import rewritten

_INTERSECT_US = 5.0  # two bitmaps of a block


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """One condition, asked of an index or computed."""

    condition: Condition
    estimate: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A node of an `and` or a count; its contacts are kept, or with `negated` taken away."""

    node: Node
    negated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Both:
    """Those in every step; the first one is not negated."""

    steps: tuple[Step, ...]
    estimate: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """Those in at least one of two or more."""

    items: tuple[Node, ...]
    estimate: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Several:
    """Those in at least `count` of the steps."""

    steps: tuple[Step, ...]
    count: int
    estimate: Estimate


Node = Leaf | Both | Either | Several


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """
    What to work out in each block, and whether the contacts wanted are all the others.

    `shared` are the nodes that occur more than once. `scale` is how many blocks of the size that
    was looked at there are.
    """

    root: Node
    negated: bool
    clock: Clock
    shared: frozenset[Node]
    scale: float

    def __str__(self) -> str:
        lines = ["not", *_lines(self, self.root, 1)] if self.negated else _lines(self, self.root, 0)
        return "\n".join(lines)


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the leaves of a plan below *node*, from the left."""
    match node:
        case Leaf():
            yield node
        case Both(steps) | Several(steps):
            for step in steps:
                yield from leaves(step.node)
        case Either(items):
            for item in items:
                yield from leaves(item)


def plan(bound: Bound, view: View) -> Plan:
    """Return the plan of a bound segment; about 10 µs a condition."""
    (found,) = plan_each([bound.condition], bound.clock, view)
    return found


def plan_each(conditions: Iterable[Condition], clock: Clock, view: View) -> list[Plan]:
    """Return a plan of each condition; what is equal in several is one node, shared by all."""
    sample = view.blocks[0] if view.blocks else None
    builder = _Builder(sample, clock)
    signed = ((builder.node(found), negated) for found, negated in map(rewritten, conditions))
    roots = list(signed)
    rows = sum(block.rows for block in view.blocks)
    scale = rows / sample.rows if sample and sample.rows else 0.0
    shared = frozenset(builder.shared)
    return [Plan(root, negated, clock, shared, scale) for root, negated in roots]


class _Builder:
    """Makes one node for each different condition."""

    def __init__(self, sample: Block | None, clock: Clock) -> None:
        self._nodes: dict[Condition, Node] = {}
        self.shared: set[Node] = set()
        self._sample = sample
        self._rows = sample.rows if sample else BLOCK_ROWS
        self._clock = clock

    def node(self, condition: Condition) -> Node:
        found = self._nodes.get(condition)
        if found is None:
            found = self._nodes[condition] = self._node(condition)
        else:
            self.shared.add(found)
        return found

    def _node(self, condition: Condition) -> Node:
        match condition:
            case All(items):
                return self._both([self._step(item) for item in items])
            case Any(items):
                nodes = tuple(map(self.node, items))
                outside = prod(1 - n.estimate.rows / max(1, self._rows) for n in nodes)
                rows = self._rows * (1 - outside)
                cost = sum(n.estimate.cost + _INTERSECT_US for n in nodes)
                return Either(nodes, Estimate(rows, cost))
            case Enough(items, count):
                steps = tuple(map(self._step, items))
                rows = sum(self._kept(step) for step in steps) / count
                cost = sum(s.node.estimate.cost for s in steps) + 100.0 * len(steps)
                return Several(steps, count, Estimate(min(float(self._rows), rows), cost))
        return Leaf(condition, estimate(condition, self._sample))

    def _step(self, condition: Condition) -> Step:
        if isinstance(condition, Complement):
            return Step(self.node(condition.item), negated=True)
        return Step(self.node(condition), negated=False)

    def _kept(self, step: Step) -> float:
        rows = step.node.estimate.rows
        return self._rows - rows if step.negated else rows

    def _both(self, steps: list[Step]) -> Both:
        steps.sort(key=self._rank)
        first = next(step for step in steps if not step.negated)
        steps.remove(first)
        ordered = (first, *steps)
        rows = float(self._rows)
        for step in ordered:
            rows *= self._kept(step) / max(1, self._rows)
        cost = sum(step.node.estimate.cost + _INTERSECT_US for step in ordered)
        return Both(ordered, Estimate(rows, cost))

    def _rank(self, step: Step) -> float:
        """Return the cost of each share of the rows that the step removes."""
        removed = 1.0 - self._kept(step) / max(1, self._rows)
        return (step.node.estimate.cost + _INTERSECT_US) / max(removed, 1e-3)


def _lines(plan: Plan, node: Node, depth: int, prefix: str = "") -> Iterator[str]:
    match node:
        case Leaf(condition):
            text = str(condition)
        case Both():
            text = "all of"
        case Either():
            text = "any of"
        case Several(count=count):
            text = f"at least {count} of"
    size = (
        ""
        if isinstance(node, Leaf) and isinstance(node.condition, Always)
        else (f"  ~{node.estimate.rows * plan.scale:,.0f}")
    )
    shared = "  (shared)" if node in plan.shared else ""
    yield f"{'  ' * depth}{prefix}{text}{size}{shared}"
    match node:
        case Both(steps) | Several(steps):
            for step in steps:
                yield from _lines(plan, step.node, depth + 1, "not " if step.negated else "")
        case Either(items):
            for item in items:
                yield from _lines(plan, item, depth + 1)
