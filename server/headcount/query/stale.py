"""
Stale labels: those that a segment asks for and nobody has used for 90 days.

When a contact got a label is not kept, so a label counts as used while somebody who has it is: a
contact with it was created, or did anything (any event that is no send), in the 90 calendar days
before today or today. Nothing is said of labels that no contact has (`absent` does), nor in a
workspace where nobody at all was created or did anything in that time: its data are old, or say
nothing of time.

The events are looked through from the newest on until one is of somebody with the label: for a
label in use that is the first stretch of a log, half a millisecond for 2^20 contacts. What was
found is remembered for the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache, partial

from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.interval import Interval
from headcount.index.view import View
from headcount.model.schema import LAST_ACTIVITY, Schema
from headcount.query.bound import Mention, QueryWarning
from headcount.query.clock import Clock, OutOfCalendarError
from headcount.query.context import QueryContext
from headcount.query.frames import range_index, text_index
from headcount.query.names import listed

DAYS = 90

_LABEL = "label"
_REMEMBERED = 4096  # labels and days
_STRETCH = 1 << 16  # events that are looked at together


class StaleLabels:
    """Which labels of a view are out of use. Any thread may ask."""

    def __init__(self, view: View) -> None:
        # Not a method: with one in its own memory this would be a cycle, and hold on to the view.
        self._remembered = lru_cache(maxsize=_REMEMBERED)(partial(_is_stale, view))

    def warnings(
        self, mentions: Iterable[Mention], context: QueryContext
    ) -> Iterator[QueryWarning]:
        """
        Yield a warning for each of *mentions* with labels that are out of use.

        Raises:
            UserError: `context.check` ended it.
        """
        for mention in mentions:
            if mention.event is not None or mention.field.name != _LABEL:
                continue
            stale = [
                shown for key, shown in mention.values if self._stale(str(key), context)
            ]  # fmt: skip
            if stale:
                labels, are = ("labels", "are") if len(stale) > 1 else ("label", "is")
                message = (
                    f"nobody with the {labels} {listed(stale)} was created or did anything in the"
                    f" last {DAYS} days; check whether the {labels} {are} still given, or leave the"
                    " condition out"
                )
                yield QueryWarning("STALE_LABEL", message, mention.position)

    def _stale(self, key: str, context: QueryContext) -> bool:
        clock = Clock(context.as_of, context.zone)
        try:
            first, last = clock.day_start(clock.today - DAYS), clock.day_end(clock.today)
        except OutOfCalendarError:
            return False
        context.check()
        return self._remembered(key, Interval(first, last))


def _is_stale(view: View, key: str, days: Interval) -> bool:
    label = view.schema.field(_LABEL)
    assert label is not None
    held = [(block, text_index(block, label).equal([key]) & block.live) for block in view.blocks]
    return (
        any(rows for _, rows in held)
        and not any(_acted(view.schema, block, rows, days) for block, rows in held)
        and any(_acted(view.schema, block, block.live, days) for block in view.blocks)
    )


def _acted(schema: Schema, block: Block, rows: BitMap, days: Interval) -> bool:
    """Return whether anybody in *rows* was created or did something in *days*."""
    if not rows:
        return False
    asked = bitmaps.to_mask(rows, block.rows)
    for event in schema.engagement(LAST_ACTIVITY):
        for index in block.pieces(event.name):
            start, stop = index.slice(days)
            for high in range(stop, start, -_STRETCH):
                if asked[index.log_rows[max(start, high - _STRETCH) : high]].any():
                    return True
    created = schema.field("created_at")
    assert created is not None
    return bool(range_index(block, created).between(*days).intersect(rows))
