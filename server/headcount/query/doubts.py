"""
Doubts: all that looks wrong in a segment, from what it says to what it holds.

Put together for those who work a segment out part by part anyway: a preview, an explanation, and
whoever saves one. The order is from the words to the data; each kind of warning is in the module
that finds it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap

from headcount.index.block import Block
from headcount.query import lint, tree
from headcount.query.bound import QueryWarning
from headcount.query.context import QueryContext
from headcount.query.duplicates import duplicates
from headcount.query.engine import Engine, Query, tree_of
from headcount.query.format import format as canonical
from headcount.query.outline import Outline, outline
from headcount.query.survey import Survey, Tally

ALIKE = 5  # saved segments that a segment is compared with while it is written: the most alike
ALIKE_TO_SAVED = 100  # when it is saved


def doubts(
    engine: Engine,
    outlined: Outline,
    tallies: Sequence[Tally],
    members: Sequence[tuple[Block, BitMap]],
    context: QueryContext,
    text: str | None,
    *,
    for_send: bool = False,
    most: int = ALIKE,
    but: str = "",
) -> tuple[QueryWarning, ...]:
    """
    Return what looks wrong in a segment after a thorough survey of it.

    *members* are its live rows in each block, *text* is what it was parsed from. *for_send* is that
    of `lint.meant`, *most* and *but* those of `duplicates`.

    Raises:
        UserError: `context.check` ended it.
    """
    bound, segment = outlined.bound, outlined.root.node
    count, contacts = tallies[0].count, engine.view.live_count
    meant = lint.meant(
        outlined,
        text,
        for_send=for_send,
        may_be_empty=count == 0,
        may_be_full=count == contacts,
    )
    always = any(warning.code in lint.ALWAYS for warning in meant)
    found = [
        *bound.warnings,
        *engine.absences.warnings(bound.mentions),
        *lint.written(segment, bound, text),
        *meant,
        *lint.counted(outlined, tallies, contacts, text, always=always),
        *engine.stale.warnings(bound.mentions, context),
    ]
    # `in segment "x"` holds the same as x, and says so itself.
    if len(engine.known.saved) and not isinstance(segment, tree.InSegment):
        words = canonical(segment)
        found += duplicates(engine, members, words, context, most=most, but=but)
    return tuple(found)


def doubts_of(
    engine: Engine,
    query: Query,
    context: QueryContext,
    *,
    for_send: bool = False,
    but: str = "",
) -> tuple[QueryWarning, ...]:
    """
    Return what looks wrong in *query*, compared with the saved segments most alike, without *but*.

    Costs what a preview does, and a count of each of those that was not asked lately.

    Raises:
        UserError: *query* is not valid, or `context.check` ended it.
    """
    segment = tree_of(query, context.limits)
    text = query if isinstance(query, str) else None
    outlined = outline(segment, engine.known, context, text, engine.meanings)
    survey = Survey(
        outlined,
        engine.view,
        context.check,
        engine.results,
        thorough=True,
        drafts=engine.drafts,
    )
    members = [(block, side.within(block.live)) for block, side in survey.blocks()]
    return doubts(
        engine,
        outlined,
        survey.tallies,
        members,
        context,
        text,
        for_send=for_send,
        most=ALIKE_TO_SAVED,
        but=but,
    )
