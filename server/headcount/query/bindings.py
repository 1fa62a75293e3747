"""
Bindings: segments bound and planned once, for every version of the data.

What a segment means depends on the schema, on what is saved, on the instant and the zone; of the
contacts only on which labels and lists there are, and only where it names some. So a binding is
shared by the engines of a workspace, of which a live one has a new one 40 times a second, and is
made again when

    the schema, or what is saved, is another      the engine begins with none
    labels or lists came or went                  the segment names one of them
    the first block has other fields              only its plan, whose order came from that one's
                                                  sizes; an order of yesterday is slow at worst
"""

from __future__ import annotations

from dataclasses import replace

from headcount.index.block import Identity
from headcount.index.view import View
from headcount.query import lint, tree
from headcount.query.bind import Binder
from headcount.query.bound import Bound
from headcount.query.by_instant import ByInstant
from headcount.query.by_text import ByText
from headcount.query.context import QueryContext
from headcount.query.forms import Query
from headcount.query.json_reader import from_document
from headcount.query.limits import Limits, require_within
from headcount.query.names import Known, Seen
from headcount.query.parse import parse, parse_edited
from headcount.query.plan import Plan, plan
from headcount.query.reread import Operands
from headcount.query.timeless import is_timeless

LONGEST = 4096  # code points of a text that is remembered


class Binding:
    """A bound segment, and `seen`: the labels and lists there were, None if it names none."""

    def __init__(self, bound: Bound, seen: Seen | None) -> None:
        self.bound = bound
        self.seen = seen
        self._planned: tuple[Identity | None, Plan] | None = None

    def plan(self, view: View) -> Plan:
        """Return its plan, made from the sizes in the first block of *view* or of one before."""
        first = view.blocks[0].identity if view.blocks else None
        planned = self._planned
        if planned is None or planned[0] is not first:
            planned = self._planned = (first, plan(self.bound, view))
        return planned[1]


class Bindings:
    """What short texts were bound to, for one schema and what is saved. Any thread may ask."""

    def __init__(self, known: Known) -> None:
        """Take schema and saved segments of *known*; not the view, which would stay for it."""
        self._slots = ByInstant(lambda *_: _Slot())
        schema, calculations, saved = known.schema, known.calculations, known.saved
        self.is_timeless = ByText(
            lambda text, limits: is_timeless(tree_of(text, limits), schema, calculations, saved)
        )

    def of(self, text: str, context: QueryContext, known: Known) -> Binding:
        """
        Return the binding of *text* to what is *known*.

        Raises:
            UserError: *text* is not valid.
        """
        slot = self._slots(text, context.as_of, context.zone, context.limits)
        found = slot.binding
        if found is None or not (found.seen is None or found.seen == known.seen):
            segment = tree_of(text, context.limits)
            found = slot.binding = bound(segment, context, known, text)
        return found


class _Slot:
    """The place of one binding; two threads may fill it, with the same."""

    __slots__ = ("binding",)

    def __init__(self) -> None:
        self.binding: Binding | None = None


def bound(
    segment: tree.Segment, context: QueryContext, known: Known, text: str | None = None
) -> Binding:
    """
    Return *segment* bound to what is *known*; *text* is what it was parsed from.

    Raises:
        UserError: a name, type or value does not fit.
    """
    binder = Binder(known, context, text)
    found = binder.bound(segment)
    found = replace(found, warnings=found.warnings + lint.written(segment, found, text))
    return Binding(found, known.seen if binder.looked_at_seen else None)


def tree_of(query: Query, limits: Limits) -> tree.Segment:
    """Return the tree of *query*, whose nodes know where they stood in a text or a document."""
    if isinstance(query, dict):
        return from_document(query, limits)
    if not isinstance(query, str):
        require_within(query, limits)
        return query
    return _parsed(query, limits) if len(query) <= LONGEST else parse(query, limits)


_operands = Operands()
_parsed = ByText(lambda text, limits: parse_edited(text, _operands, limits))
