"""
Near-duplicates: saved segments that hold nearly the same contacts as another segment.

    Jaccard = those in both / those in either >= 0.95, so: those in both >= 19 * those in one

With n contacts in the segment, no near-duplicate differs from it in more than n / 19, so one is
left alone as soon as it has differed in more: for most, in the first block.
Which saved segments are compared is up to `Saved.alike`: the few that are written most alike.
Their members are remembered as those of overlaps are; 5 µs a segment and 2^20 contacts then, 0.2 ms
if the clock moves them, and what a count costs the first time.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.model.errors import UserError
from headcount.model.fold import key
from headcount.query.bound import QueryWarning
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.literals import write_string
from headcount.query.saved import SavedSegment
from headcount.query.whole import Wholes

_AGREE = 19  # for each contact that is in one of the two only: 19 / 20 = 0.95


def duplicates(
    engine: Engine,
    members: Sequence[tuple[Block, BitMap]],
    text: str,
    context: QueryContext,
    *,
    most: int,
    but: str = "",
) -> list[QueryWarning]:
    """
    Return a warning for each saved segment that holds nearly *members*, live rows by block.

    At most *most* are looked at, those most alike to *text*; the one called *but* is not.

    Raises:
        UserError: `context.check` ended it.
    """
    count = sum(len(rows) for _, rows in members)
    if not count:
        return []
    found = []
    for saved in engine.known.saved.alike(text, most + 1 if but else most):
        if but and key(saved.name) == key(but):
            continue
        context.check()
        differ, common = _compared(engine, members, saved, context, count)
        if common >= _AGREE * differ and common:
            share = f"{common:,} of the {common + differ:,} contacts in either"
            message = (
                f"the saved segment {write_string(saved.name)} holds nearly the same contacts"
                f" ({share} are in both)"
                if differ
                else f"the saved segment {write_string(saved.name)} holds the same {common:,}"
                " contacts"
            )
            message += f"; use `in segment {write_string(saved.name)}`, or keep one of the two"
            found.append(QueryWarning("NEAR_DUPLICATE", message))
    return found


def _compared(
    engine: Engine,
    members: Sequence[tuple[Block, BitMap]],
    saved: SavedSegment,
    context: QueryContext,
    count: int,
) -> tuple[int, int]:
    """Return how many are in one of two segments and in both; (1, 0) when they are too unlike."""
    try:
        wholes = Wholes(engine, [saved.text], context)
    except UserError:
        return 1, 0  # the schema has changed: what cannot be asked any more is like nothing
    differ = common = 0
    for block, rows in members:
        other = wholes.members(0, block)
        differ += rows.symmetric_difference_cardinality(other)
        common += rows.intersection_cardinality(other)
        if differ * _AGREE > count:
            return 1, 0
    return differ, common
