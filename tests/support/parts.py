"""
The parts of a segment counted naively: every question is a segment of its own, asked of the oracle.

What a segment holds without one of its conditions is worked out by taking the condition out of the
tree and asking again; nothing is carried from one question to the next but the members of single
conditions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from zoneinfo import ZoneInfo

from headcount.query import tree
from headcount.query.tree import CompareOp, Segment
from support import oracle
from support.compare import Case
from support.oracle_values import Query

Path = tuple[int, ...]  # which item of the root, which item of that, ...


class Parts:
    """The counts of every part of a case's segment, among the contacts *living* (all when None)."""

    def __init__(self, case: Case, living: Collection[str] | None = None) -> None:
        self._case = case
        self._query = Query(case.world, case.as_of, ZoneInfo(case.zone))
        self._contacts = {c.id: c for c in oracle.contacts_of(case.world)}
        self.living = set(self._contacts if living is None else living)
        self._members: dict[int, set[str]] = {}
        self._nodes = dict(walk(case.segment))  # kept, so that an `id` is not used again

    def count(self, path: Path) -> int:
        """Return how many contacts the part at *path* holds."""
        return len(self.members(self._nodes[path]))

    def without(self, path: Path) -> int | None:
        """Return how many the segment holds without a part; None if it is in no `and` or `or`."""
        if not path or not isinstance(self._nodes[path[:-1]], tree.And | tree.Or):
            return None
        return len(self.members(taken_out(self._case.segment, path)))

    def missing(self, path: Path) -> int | None:
        """Return how many fit a negative condition only for lack of a value it compares."""
        node = self._nodes[path]
        negated = isinstance(node, tree.Not)
        compared = compared_values(node.item if isinstance(node, tree.Not) else node, negated)
        if not compared:
            return None
        first, *others = compared
        return sum(
            oracle.value(self._query, self._contacts[id_], first) is None
            or any(oracle.right(self._query, self._contacts[id_], o) is None for o in others)
            for id_ in self.members(node)
        )

    def members(self, node: Segment) -> set[str]:
        """Return the ids of those whom *node* holds."""
        match node:
            case tree.And(items):
                return set.intersection(*map(self.members, items))
            case tree.Or(items):
                return set.union(*map(self.members, items))
            case tree.Not(item):
                return self.living - self.members(item)
        found = self._members.get(id(node))
        if found is None:
            held = (i for i in self.living if oracle.holds(self._query, self._contacts[i], node))
            found = self._members[id(node)] = set(held)
        return found


def walk(node: Segment, path: Path = ()) -> Iterator[tuple[Path, Segment]]:
    """Yield every `and`, `or`, `not` and condition with its path, as they are read."""
    yield path, node
    items: tuple[Segment, ...] = ()
    if isinstance(node, tree.And | tree.Or):
        items = node.items
    elif isinstance(node, tree.Not):
        items = (node.item,)
    for place, item in enumerate(items):
        yield from walk(item, (*path, place))


def taken_out(node: Segment, path: Path) -> Segment:
    """Return *node* without the part at *path*; an `and` or `or` of one is that one."""
    place, *rest = path
    if isinstance(node, tree.Not):
        return tree.Not(taken_out(node.item, tuple(rest)))
    assert isinstance(node, tree.And | tree.Or)
    items = list(node.items)
    if rest:
        items[place] = taken_out(items[place], tuple(rest))
    else:
        del items[place]
    return items[0] if len(items) == 1 else type(node)(tuple(items))


def compared_values(node: Segment, negated: bool) -> list[tree.Value]:
    """Return what a negative condition, or the complement of a positive one, compares."""
    if isinstance(node, tree.Compare):
        if node.op in (CompareOp.EQ, CompareOp.NE) and node.right == tree.String(""):
            return []
        return [node.left, node.right] if (node.op is CompareOp.NE) != negated else []
    if isinstance(node, tree.ContainsSet):
        says_no = (node.mode is tree.SetMode.NONE) != node.negated
        return [node.value] if says_no != negated else []
    if isinstance(node, tree.Age):
        return [node.value] if negated else []
    if isinstance(node, tree.Between):
        return [node.value, node.low, node.high] if node.negated != negated else []
    if isinstance(node, tree.In | tree.TextMatch | tree.Within):
        return [node.value] if node.negated != negated else []
    return []
