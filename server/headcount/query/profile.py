"""
Profiles: where the time of one query goes, stage by stage and operator by operator.

    parse → bind → plan → evaluate
                             └─ a node of the plan: calls, rows, bytes, its own seconds

The query is parsed, bound and planned anew, though a server remembers all three for short texts;
conditions are taken from remembered results as they would be, and said to be. Evaluation is that of
a count, on one thread, by the same code: `Profiled` only looks at the clock where a node is entered
and left, and works out what was read when the clock stands still for it.

What a count does not do here although it would: give back a number that is remembered as a whole,
or count two sets of indexes without a plan (`evaluate.quick_count`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block, Rows
from headcount.model.schema import Field
from headcount.query.bindings import bound, tree_of
from headcount.query.bound import InRanges, KeyIn
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.query.estimate import limits
from headcount.query.evaluate import Check, Evaluation
from headcount.query.expressions import FieldValue
from headcount.query.frames import range_index, text_index
from headcount.query.moments import instant_in
from headcount.query.operands import operands
from headcount.query.parse import parse
from headcount.query.plan import Both, Either, Leaf, Node, Plan, Several, plan
from headcount.query.results import Results
from headcount.query.survey import Timer
from headcount.query.touched import touched

_HEADER_BYTES = 16  # of a container, which is all that a cardinality reads
_COUNTED_BYTES = 2  # a number that `at least n of` counts in, for each row and step


@dataclass(frozen=True, slots=True)
class Operator:
    """
    A node of the plan, over all blocks.

    `calls` is how often it was worked out or recalled, `recalled` how often it was remembered.
    `rows` are those it gave, live or not, `estimate` how many the plan expected. `seconds` and
    `bytes` are its own, without its parts'; a shared node's parts are shown once.
    """

    text: str
    negated: bool
    calls: int
    recalled: int
    rows: int
    estimate: int
    bytes: int
    seconds: float
    parts: tuple[Operator, ...]

    @property
    def total(self) -> float:
        """Return the seconds with all parts inside."""
        return self.seconds + sum(part.total for part in self.parts)

    @property
    def total_bytes(self) -> int:
        """Return the bytes with all parts inside."""
        return self.bytes + sum(part.total_bytes for part in self.parts)

    def to_dict(self) -> dict[str, Any]:
        """Return the operator as JSON holds it."""
        return {
            "text": self.text,
            "negated": self.negated,
            "calls": self.calls,
            "recalled": self.recalled,
            "rows": self.rows,
            "estimate": self.estimate,
            "bytes": self.bytes,
            "self_microseconds": round(self.seconds * 1e6, 1),
            "total_microseconds": round(self.total * 1e6, 1),
            "parts": [part.to_dict() for part in self.parts],
        }


@dataclass(frozen=True, slots=True)
class BlockShare:
    """One block: how many contacts it has, how many of them were found, in how many seconds."""

    number: int
    contacts: int
    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time of one query went; `stages` are parse, bind, plan and evaluate, in seconds."""

    count: int
    contacts: int
    as_of: dt.datetime
    time_zone: str
    stages: dict[str, float]
    operands: int
    negated: bool
    root: Operator
    blocks: tuple[BlockShare, ...]

    @property
    def bytes(self) -> int:
        """Return how many bytes were read in all blocks."""
        return self.root.total_bytes

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as JSON holds it."""
        return {
            "count": self.count,
            "contacts": self.contacts,
            "as_of": self.as_of.isoformat(),
            "time_zone": self.time_zone,
            "microseconds": {stage: round(s * 1e6, 1) for stage, s in self.stages.items()},
            "operands": self.operands,
            "bytes": self.bytes,
            "negated": self.negated,
            "root": self.root.to_dict(),
            "blocks": [
                {
                    "block": block.number,
                    "contacts": block.contacts,
                    "count": block.count,
                    "microseconds": round(block.seconds * 1e6, 1),
                }
                for block in self.blocks
            ],
        }


def profile(engine: Engine, query: Query, context: QueryContext, timer: Timer) -> Profile:
    """
    Return where the time of counting *query* goes; *timer* gives seconds.

    Costs what the count costs, 2 µs a node and block, and looking up once more what was read.

    Raises:
        UserError: *query* is not valid, or `context.check` ended it.
    """
    parse("everyone")  # the first text of a process waits for the grammar's tables, 0.3 s
    view, marks = engine.view, [timer()]
    allowed = context.limits
    segment = parse(query, allowed) if isinstance(query, str) else tree_of(query, allowed)
    marks.append(timer())
    text = query if isinstance(query, str) else None
    meaning = bound(segment, context, engine.known, text).bound
    marks.append(timer())
    planned = plan(meaning, view)
    marks.append(timer())
    costs: dict[Node, _Cost] = {}
    shares = []
    for block in view.blocks:
        context.check()
        evaluation = Profiled(block, planned, context.check, engine.results, timer, costs)
        found, seconds = evaluation.counted()
        live = len(block.live)
        shares.append(
            BlockShare(block.number, live, live - found if planned.negated else found, seconds)
        )
    took = {
        stage: marks[place + 1] - marks[place]
        for place, stage in enumerate(("parse", "bind", "plan"))
    }
    took["evaluate"] = sum(share.seconds for share in shares)
    return Profile(
        count=sum(share.count for share in shares),
        contacts=view.live_count,
        as_of=instant_in(context.zone, context.as_of),
        time_zone=context.zone.key,
        stages=took,
        operands=_operands(planned.root),
        negated=planned.negated,
        root=_operator(planned, planned.root, costs, set()),
        blocks=tuple(shares),
    )


@dataclass(slots=True)
class _Cost:
    """What one node took, over all blocks."""

    calls: int = 0
    recalled: int = 0
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Frame:
    """A node being worked out: `inside` is how long its parts took, with what profiling took."""

    node: Node
    cost: _Cost
    inside: float = 0.0
    parts: int = field(default=0)


class Profiled(Evaluation):
    """An evaluation that notes in *costs* what each node takes."""

    def __init__(
        self,
        block: Block,
        plan: Plan,
        check: Check,
        results: Results,
        timer: Timer,
        costs: dict[Node, _Cost],
    ) -> None:
        super().__init__(block, plan, check, results)
        self._timer = timer
        self._costs = costs
        self._stack: list[_Frame] = []
        self._paused = 0.0  # seconds that profiling itself took

    def counted(self) -> tuple[int, float]:
        """Return what `count` does, and the seconds that it took."""
        root = self._plan.root
        cost = self._costs.setdefault(root, _Cost())
        calls = cost.calls
        frame = _Frame(root, cost)
        self._stack.append(frame)
        started = self._timer()
        found = self.count()
        took = self._timer() - started
        self._stack.pop()
        cost.seconds += took - frame.inside
        if cost.calls == calls:  # counted without a bitmap of it
            cost.calls += 1
            cost.rows += found
            cost.bytes += self._bytes_of_count(root)
        elif isinstance(root, Leaf):
            cost.bytes += _HEADER_BYTES * -(-self._block.rows // (1 << 16))
        if not self._all_live:
            cost.bytes += bitmaps.payload(self._block.live)
        return found, took - self._paused

    def rows(self, node: Node, among: BitMap | None = None) -> BitMap:
        """Return what `Evaluation.rows` does, and note what it took."""
        entered = self._timer()
        cost = self._costs.setdefault(node, _Cost())
        outer = self._stack[-1]
        frame = _Frame(node, cost)
        self._stack.append(frame)
        recalled, known = self.recalled, node in self._found
        started = self._timer()
        found = super().rows(node, among)
        took = self._timer() - started
        self._stack.pop()
        cost.calls += 1
        cost.rows += len(found)
        cost.seconds += took - frame.inside
        is_remembered = known or (isinstance(node, Leaf) and self.recalled > recalled)
        cost.recalled += is_remembered
        if isinstance(node, Leaf) and not is_remembered:
            narrowed = among if self._is_narrowed(node.condition, among) else None
            cost.bytes += touched(node.condition, self._block, self._figures, narrowed)
        self._note_joined(outer, found, among)
        inside = self._timer() - entered
        outer.inside += inside
        outer.parts += 1
        self._paused += inside - took
        return found

    def _known(self, node: Node) -> BitMap | None:
        """Return what `Evaluation._known` does, and note what is known as recalled or at hand."""
        entered, outer = self._timer(), self._stack[-1]
        recalled = self.recalled
        started = self._timer()
        found = super()._known(node)
        took = self._timer() - started
        if found is not None:
            cost = self._costs.setdefault(node, _Cost())
            cost.calls += 1
            cost.rows += len(found)
            cost.seconds += took
            cost.recalled += self.recalled > recalled or node in self._found
            outer.cost.bytes += bitmaps.payload(found)
            outer.inside += took
        inside = self._timer() - entered
        outer.inside += inside - took
        self._paused += inside - took
        return found

    def _among(self, condition: InRanges, among: BitMap) -> Rows:
        """Return what `Evaluation._among` does; for the last step of a count, note what it took."""
        outer = self._stack[-1]
        if not isinstance(outer.node, Both):
            return super()._among(condition, among)
        entered = self._timer()
        cost = self._costs.setdefault(outer.node.steps[-1].node, _Cost())
        started = self._timer()
        found = super()._among(condition, among)
        took = self._timer() - started
        cost.calls += 1
        cost.rows += len(found)
        cost.seconds += took
        cost.bytes += touched(condition, self._block, self._figures, among)
        inside = self._timer() - entered
        outer.inside += inside
        self._paused += inside - took
        return found

    def _is_parted(self, item: Leaf, field: Field) -> bool:
        """Return what `Evaluation._is_parted` does, and note a list that is united with others."""
        entered = self._timer()
        parted = super()._is_parted(item, field)
        if parted:
            assert isinstance(item.condition, KeyIn)
            index, outer = text_index(self._block, field), self._stack[-1]
            each = [index.equal((key,)) for key in item.condition.keys]
            cost = self._costs.setdefault(item, _Cost())
            cost.calls += 1
            cost.rows += sum(map(len, each))  # of one value a row
            outer.cost.bytes += sum(map(bitmaps.payload, each))
            inside = self._timer() - entered
            outer.inside += inside
            self._paused += inside
        return parted

    def _note_joined(self, outer: _Frame, found: BitMap, among: BitMap | None) -> None:
        """Note what the node around reads to join *found* with what it has; *among* of an `and`."""
        match outer.node:
            case Both():
                if outer.parts and among is not None:
                    outer.cost.bytes += bitmaps.payload(found) + bitmaps.payload(among)
            case Either():
                outer.cost.bytes += bitmaps.payload(found)
            case Several():
                counted = 2 * _COUNTED_BYTES * self._block.rows
                outer.cost.bytes += bitmaps.payload(found) + counted

    def _bytes_of_count(self, root: Node) -> int:
        """Return what is read where a condition is counted without a bitmap of it."""
        match root:
            case Leaf(InRanges(FieldValue(field), (range_,))):
                ends = sum(end is not None for end in limits(range_)[:2])
                return ends * range_index(self._block, field).touched_by_bound()
            case Leaf(condition):
                return touched(condition, self._block, self._figures)
        return 0


def _operands(node: Node) -> int:
    """Return how many postings, ranges, columns and logs a plan reads in each block."""
    if isinstance(node, Leaf):
        return operands(node.condition)
    return sum(_operands(part) for part, _ in _parts(node))


def _parts(node: Node) -> list[tuple[Node, bool]]:
    match node:
        case Both(steps) | Several(steps):
            return [(step.node, step.negated) for step in steps]
        case Either(items):
            return [(item, False) for item in items]
    return []


def _operator(
    plan: Plan, node: Node, costs: dict[Node, _Cost], shown: set[Node], negated: bool = False
) -> Operator:
    again = node in shown
    shown.add(node)
    cost = _Cost() if again else costs.get(node, _Cost())
    parts = [] if again else _parts(node)
    return Operator(
        text=_text(node) + (" (shown above)" if again else ""),
        negated=negated,
        calls=cost.calls,
        recalled=cost.recalled,
        rows=cost.rows,
        estimate=round(node.estimate.rows * plan.scale),
        bytes=cost.bytes,
        seconds=cost.seconds,
        parts=tuple(_operator(plan, part, costs, shown, sign) for part, sign in parts),
    )


def _text(node: Node) -> str:
    match node:
        case Leaf(condition):
            return str(condition)
        case Both():
            return "all of"
        case Either():
            return "any of"
        case Several(count=count):
            return f"at least {count} of"
