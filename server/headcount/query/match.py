"""
Matches: which of some segments hold a contact, for a journey that branches on it.

The sets of the segments are worked out once and remembered, a block at a time; then a contact is
one look into each. One contact and 100 segments that are remembered take 0.5 ms, also at an instant
that moves with the clock (`anchors`); bound anew they take 15. A block in which nobody has been
looked for yet costs what a count of each segment does there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyroaring import BitMap

from headcount.index.block import Block
from headcount.query.bound import QueryWarning
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.query.whole import Wholes


@dataclass(frozen=True, slots=True)
class Match:
    """
    Which segments hold one contact: their places in the request, ascending.

    None if there is no contact with this id.
    """

    contact: str
    segments: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Matches:
    """A match for each contact in the order they were asked; what looks wrong in each query."""

    matches: tuple[Match, ...]
    warnings: tuple[tuple[QueryWarning, ...], ...]


def match(
    engine: Engine, queries: Sequence[Query], contacts: Sequence[str], context: QueryContext
) -> Matches:
    """
    Return which of *queries* hold each of *contacts*, given by id; all as of one instant.

    Raises:
        UserError: a query is not valid (`field` says which, as `queries[3]`), or `context.check`
            ended it.
    """
    wholes = Wholes(engine, queries, context, anchored=True)
    view = engine.view
    positions = view.lookup(pa.array(contacts, pa.string())).tolist()
    rows: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)  # block → place, row
    held: list[list[int] | None] = [None] * len(contacts)
    for place, position in enumerate(positions):
        if position >= 0:
            number, row = divmod(position, view.block_rows)
            rows[number].append((place, row))
            held[place] = []
    for number, places in rows.items():
        for segment in range(len(queries)):
            holds = _asked(wholes, segment, view.blocks[number])
            for place, row in places:
                if holds(row):
                    held[place].append(segment)  # type: ignore[union-attr]
    found = (None if segments is None else tuple(segments) for segments in held)
    return Matches(tuple(map(Match, contacts, found)), wholes.warnings)


def _asked(wholes: Wholes, segment: int, block: Block) -> Callable[[int], bool]:
    """Return what tells whether a segment holds a row; its rows are asked for once, if at all."""
    rows: list[tuple[BitMap, bool]] = []

    def holds(row: int) -> bool:
        known = wholes.holds(segment, block, row)
        if known is not None:
            return known
        if not rows:
            rows.append(wholes.rows(segment, block))
        found, negated = rows[0]
        return (row in found) is not negated

    return holds
