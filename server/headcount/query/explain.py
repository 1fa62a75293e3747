"""
Explanations: a segment as it was written, with all that can be said of each part.

    contacts   without
         310             all of
     489,089       1,204   country in (US, DE, GB)
     513,910         330   plan != "Free"               52,333 of them because the value is missing
      94,249      20,117   signed_up_at within last 365 days         after 2025-11-01 00:00:00+01:00

`without` answers "which condition makes it so small": it is the whole segment's count if the part
were taken out. A part that changes nothing has the count of the whole. All counts are exact, of one
view and one instant.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from headcount.query import tree
from headcount.query.bound import QueryWarning
from headcount.query.clock import Clock
from headcount.query.context import QueryContext
from headcount.query.doubts import doubts
from headcount.query.engine import Engine, Query, tree_of
from headcount.query.format import format as canonical
from headcount.query.moments import instant_in
from headcount.query.operands import operands
from headcount.query.outline import Part, outline
from headcount.query.rewrite import rewritten
from headcount.query.stretches import Stretch, stretches
from headcount.query.survey import Survey, Tally, Timer, no_timer


class Kind(StrEnum):
    """What a part is."""

    ALL = "all of"
    ANY = "any of"
    NOT = "not"
    CONDITION = "condition"


class Found(StrEnum):
    """Where the members of a part came from; of several places, the one with most work."""

    AT_HAND = "at hand"  # an index holds them ready
    REMEMBERED = "remembered"  # from an earlier query
    WORKED_OUT = "worked out"


@dataclass(frozen=True, slots=True)
class Explained:
    """
    One part of a segment.

    `without` is the count of the whole segment without it; None for the whole itself, and for what
    stands behind a `not`. `missing` are those who fit a negative condition, or the `not` of a
    condition, only because they lack a value that it compares; None where nobody can. `operands`
    is how many postings, ranges, columns and logs are read in each block, `seconds` how long that
    took, with all parts inside.
    """

    node: tree.Segment
    kind: Kind
    count: int
    without: int | None
    missing: int | None
    stretches: tuple[Stretch, ...]
    operands: int
    seconds: float
    found: Found
    parts: tuple[Explained, ...]

    @property
    def text(self) -> str:
        """Return the canonical text of the part."""
        return canonical(self.node)

    def to_dict(self) -> dict[str, Any]:
        """Return the part as JSON holds it; times in ISO 8601, what is None left out."""
        span = self.node.span
        found: dict[str, Any] = {
            "text": self.text,
            "kind": self.kind.value,
            "span": None if span is None else {"start": span.start, "end": span.end},
            "count": self.count,
            "without": self.without,
            "missing": self.missing,
            "stretches": [one.to_dict() for one in self.stretches] or None,
            "operands": self.operands,
            "microseconds": round(self.seconds * 1e6),
            "found": self.found.value,
            "parts": [part.to_dict() for part in self.parts] or None,
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A whole segment explained: of how many contacts, at which instant, in which time zone."""

    root: Explained
    contacts: int
    as_of: dt.datetime
    time_zone: str
    warnings: tuple[QueryWarning, ...]

    @property
    def count(self) -> int:
        """Return how many contacts the segment holds."""
        return self.root.count

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON holds it."""
        return {
            "count": self.count,
            "contacts": self.contacts,
            "as_of": self.as_of.isoformat(),
            "time_zone": self.time_zone,
            "warnings": [warning.to_dict() for warning in self.warnings],
            "root": self.root.to_dict(),
        }


def explain(
    engine: Engine,
    query: Query,
    context: QueryContext,
    *,
    timer: Timer = no_timer,
    editing: str = "",
) -> Explanation:
    """
    Return the explanation of *query*; *timer* gives seconds, of which only differences count.

    *editing* is the name of the saved segment that is looked at, which is no duplicate of itself.

    Costs what the conditions cost one by one, and 0.1 ms a condition and 2^20 contacts.

    Raises:
        UserError: *query* is not valid, or `context.check` ended it.
    """
    segment = tree_of(query, context.limits)
    text = query if isinstance(query, str) else None
    written = outline(segment, engine.known, context, text, engine.meanings)
    bound = written.bound
    survey = Survey(
        written,
        engine.view,
        context.check,
        engine.results,
        thorough=True,
        timer=timer,
        drafts=engine.drafts,
    )
    members = [(block, side.within(block.live)) for block, side in survey.blocks()]
    return Explanation(
        root=_explained(written.root, survey.tallies, bound.clock),
        contacts=engine.view.live_count,
        as_of=instant_in(context.zone, context.as_of),
        time_zone=context.zone.key,
        warnings=doubts(engine, written, survey.tallies, members, context, text, but=editing),
    )


def _explained(part: Part, tallies: list[Tally], clock: Clock) -> Explained:
    tally = tallies[part.place]
    parts = tuple(_explained(inner, tallies, clock) for inner in part.parts)
    resolved: tuple[Stretch, ...] = ()
    if part.is_condition:
        asked, _ = rewritten(part.condition)
        resolved, read, found = stretches(asked, clock), operands(asked), _found(tally)
    else:
        read = sum(inner.operands for inner in parts)
        found = max((inner.found for inner in parts), key=list(Found).index)
    return Explained(
        node=part.node,
        kind=kind_of(part.node),
        count=tally.count,
        without=tally.without,
        missing=tally.missing,
        stretches=resolved,
        operands=read,
        seconds=tally.seconds,
        found=found,
        parts=parts,
    )


def kind_of(node: tree.Segment) -> Kind:
    """Return what a node of a tree is as a part."""
    match node:
        case tree.And():
            return Kind.ALL
        case tree.Or():
            return Kind.ANY
        case tree.Not():
            return Kind.NOT
    return Kind.CONDITION


def _found(tally: Tally) -> Found:
    if tally.worked_out:
        return Found.WORKED_OUT
    return Found.REMEMBERED if tally.recalled else Found.AT_HAND
