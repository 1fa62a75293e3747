"""
Stale labels: those that a segment asks for and nobody has used for 90 days.

When a contact got a label is not kept, so a label counts as used while somebody who has it is: a
contact with it was created, or did anything (any event that is no send), in the 90 calendar days
before today or today. Nothing is said of labels that no contact has (`absent` does), nor in a
workspace where nobody at all was created or did anything in that time: its data are old, or say
nothing of time.

What was found of a label is remembered for the day; finding it costs what `last_activity within
last 90 days` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo

from headcount.index.interval import Interval
from headcount.index.view import View
from headcount.model.schema import LAST_ACTIVITY
from headcount.query.bound import Condition, InRanges, KeyIn, Mention, QueryWarning
from headcount.query.clock import Clock, OutOfCalendarError
from headcount.query.conditions import any_of, event_count
from headcount.query.context import QueryContext
from headcount.query.expressions import FieldValue, Source
from headcount.query.names import listed
from headcount.query.ranges import Range
from headcount.query.results import Results
from headcount.query.sides import Sides, common

DAYS = 90

_LABEL = "label"
_REMEMBERED = 4096  # labels and days


class StaleLabels:
    """Which labels of a view are out of use. Any thread may ask."""

    def __init__(self, view: View, results: Results) -> None:
        self._view = view
        self._results = results
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._is_stale)

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
        return self._remembered(key, first, last, context.zone)

    def _is_stale(self, key: str, first: int, last: int, zone: ZoneInfo) -> bool:
        schema = self._view.schema
        label, created = schema.field(_LABEL), schema.field("created_at")
        assert label is not None
        assert created is not None
        held: Condition = KeyIn(FieldValue(label), frozenset({key}))
        events = tuple(Source(event) for event in schema.engagement(LAST_ACTIVITY))
        active = any_of([
            event_count(events, Interval(first, last), 1, None),
            InRanges(FieldValue(created), (Range(first, last),)),
        ])  # fmt: skip
        sides = Sides([held, active], Clock(last, zone), self._view, _go_on, self._results)
        anybody_has_it = anybody_is_active = False
        for block in self._view.blocks:
            found = sides.in_block(block)
            having = found.side(held)
            if not having.rows and anybody_is_active:
                continue
            anybody_has_it = anybody_has_it or bool(having.rows)
            acting = found.side(active)
            anybody_is_active = anybody_is_active or acting.size(found.live) > 0
            if common(having, acting, found.live):
                return False
        return anybody_has_it and anybody_is_active


def _go_on() -> None:
    """Let it go on: what is remembered must not depend on who asked first."""
