"""
Rosters: many segments taken apart, so that what they have in common is there once.

    country = US and plan = Pro             country = US ──┬── 0 and 1
    country = US and not plan = Pro    →    plan = Pro   ──┼── 0 and not 1
    country = US or vip = true              vip = true   ──┴── not (not 0 and not 2)

Ten thousand saved segments of two conditions are made of some hundred different ones. Each is bound
once, however many segments ask it, and each segment is a pair of places with three signs. A segment
of more conditions than two, or of other segments, is a condition by itself, bound as a whole.

A roster depends on the segments' words alone: not on the data, nor on the instant. Made in 30 µs a
segment once its text is parsed, and kept as long as the same ones are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from headcount.model.errors import UserError
from headcount.query import tree
from headcount.query.bind import Binder
from headcount.query.bindings import tree_of
from headcount.query.bound import Bound
from headcount.query.context import QueryContext
from headcount.query.limits import Limits
from headcount.query.names import Known, Seen
from headcount.query.timeless import is_timeless

Places = npt.NDArray[np.intp]
Signs = npt.NDArray[np.bool_]


class _Signed(NamedTuple):
    """A condition as it is written, and whether all others are meant."""

    node: tree.Segment
    out: bool


class _Pair(NamedTuple):
    """Those in both of two conditions; with `out` all others."""

    first: _Signed
    second: _Signed
    out: bool


@dataclass(frozen=True, slots=True)
class Pairs:
    """
    Segments, each of two places in a list of sets: `out` xor (first xor its sign, and second ...).

    All arrays have one item a segment. A segment of one set has it twice.
    """

    first: Places
    second: Places
    first_out: Signs
    second_out: Signs
    out: Signs

    def __len__(self) -> int:
        return len(self.first)

    def take(self, which: npt.NDArray[np.intp]) -> Pairs:
        """Return the segments at some places."""
        return Pairs(
            self.first[which],
            self.second[which],
            self.first_out[which],
            self.second_out[which],
            self.out[which],
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What one condition, or a segment as a whole, means; `seen` as in a `Binding`."""

    bound: Bound
    seen: Seen | None


class Roster:
    """
    The segments of one request, in order.

    `nodes` are the different conditions, `refused` the places of segments that cannot be read; they
    stand in `pairs` as what comes first.
    """

    def __init__(self, queries: Sequence[str | tree.Segment], limits: Limits) -> None:
        """Read all segments; those that cannot be are refused."""
        self.queries = tuple(queries)
        self.refused: list[int] = []
        nodes: dict[tree.Segment, int] = {}
        rows: list[tuple[int, int, bool, bool, bool]] = []
        for place, query in enumerate(self.queries):
            try:
                segment = tree_of(query, limits)
            except UserError:
                self.refused.append(place)
                rows.append((0, 0, False, False, False))
                continue
            pair = _pair(segment)
            if pair is None:
                at = nodes.setdefault(segment, len(nodes))
                rows.append((at, at, False, False, False))
                continue
            first, second, out = pair
            one, other = (nodes.setdefault(side.node, len(nodes)) for side in (first, second))
            rows.append((one, other, first.out, second.out, out))
        self.nodes = tuple(nodes)
        columns = tuple(zip(*rows, strict=True)) if rows else ((),) * 5
        first_at, second_at = (np.array(column, dtype=np.intp) for column in columns[:2])
        signs = [np.array(column, dtype=np.bool_) for column in columns[2:]]
        self.pairs = Pairs(first_at, second_at, *signs)

    def __len__(self) -> int:
        return len(self.queries)

    def timeless(self, known: Known) -> Signs:
        """Return which conditions hold the same contacts at every instant."""
        schema, calculations, saved = known.schema, known.calculations, known.saved
        found = (is_timeless(node, schema, calculations, saved) for node in self.nodes)
        return np.fromiter(found, np.bool_, len(self.nodes))

    def bound(self, node: int, known: Known, context: QueryContext) -> Asked:
        """
        Return what the condition at a place means; 30 µs.

        Raises:
            UserError: a name, type or value does not fit. The error knows no place in a text: what
                it says to users is that of their own.
        """
        binder = Binder(known, context, None)
        found = binder.bound(self.nodes[node])
        return Asked(found, known.seen if binder.looked_at_seen else None)


def _pair(segment: tree.Segment) -> _Pair | None:
    """Return a segment as two conditions, or one of them twice; None if it is not that simple."""
    root, out = _peeled(segment)
    match root:
        case tree.And((first, second)):
            sides, turned = (_peeled(first), _peeled(second)), False
        case tree.Or((first, second)):  # those not in neither
            sides, turned = (_peeled(first), _peeled(second)), True
        case _:
            sides, turned = (_Signed(root, False), _Signed(root, False)), False
    if any(isinstance(side.node, tree.And | tree.Or | tree.InSegment) for side in sides):
        return None
    one, other = (_Signed(side.node, side.out != turned) for side in sides)
    return _Pair(one, other, out != turned)


def _peeled(node: tree.Segment) -> _Signed:
    """Return a segment without the `not`s around it."""
    out = False
    while isinstance(node, tree.Not):
        node, out = node.item, not out
    return _Signed(node, out)
