"""
Timeless segments: those whose members do not depend on the instant they are asked for.

`plan = Pro and country in (US, DE)` means the same at every `as_of`, so its plan can be remembered
from one call to the next although the clock has moved. Whatever looks at events, ages or today does
not. The time zone still counts: a date compared with a datetime is a day in some zone.

What stands behind a name, saved or calculated, is looked at too. Said of the tree, by the nodes and
names that are known to be timeless: what is added to the language is bound anew at each instant
until it is listed here.
"""

from __future__ import annotations

from headcount.model.fold import key
from headcount.model.schema import ENGAGEMENT_EVENTS, LAST_ACTIVITY, Schema
from headcount.query import tree
from headcount.query.calculated import Calculations
from headcount.query.saved import NOTHING_SAVED, Saved
from headcount.query.tree import Node, children

_TIMELESS = frozenset({
    tree.Everyone, tree.And, tree.Or, tree.Not, tree.Compare, tree.Between, tree.In, tree.TextMatch,
    tree.ContainsSet, tree.IsEmpty, tree.InList, tree.OptedOut, tree.Sample,
    tree.Number, tree.String, tree.Boolean, tree.Date, tree.DateTime, tree.DurationValue,
    tree.Name, tree.Arithmetic, tree.Negative, tree.Call, tree.InSegment,
})  # fmt: skip
_OF_TODAY = frozenset(("anniversary", "current_month"))


def is_timeless(
    segment: tree.Segment,
    schema: Schema,
    calculations: Calculations | None = None,
    saved: Saved = NOTHING_SAVED,
) -> bool:
    """
    Return whether *segment* has the same members at every instant, in one view and time zone.

    False may be said of one that has, as of one that names what is not in *calculations* or
    *saved*; about 1 µs a node. Does not recurse.
    """
    stack: list[Node] = [segment]
    behind: set[str] = set()  # calculated fields that were looked behind
    inside: set[str] = set()  # keys of saved segments that were
    while stack:
        node = stack.pop()
        if type(node) not in _TIMELESS:
            return False
        if isinstance(node, tree.Name) and not _is_stored(node.name, schema):
            calculation = None if calculations is None else calculations.get(node.name)
            if calculation is None:
                return False
            if calculation.name not in behind:
                behind.add(calculation.name)
                stack.append(calculation.value)
        if isinstance(node, tree.InSegment):
            definition = saved.find(node.name)
            if definition is None:
                return False
            if key(node.name) not in inside:
                inside.add(key(node.name))
                stack.append(definition.segment)
        if isinstance(node, tree.Call) and node.function in _OF_TODAY:
            return False
        stack.extend(children(node))
    return True


def _is_stored(name: str, schema: Schema) -> bool:
    """Return whether a name is a stored field, or nothing the schema knows: then it is text."""
    if schema.field(name) is not None:
        return True
    folded = name.casefold()
    if folded in ENGAGEMENT_EVENTS or folded == LAST_ACTIVITY:
        return False
    computed = (calculated.casefold() for calculated in schema.calculated)
    return folded not in computed and not schema.event(name)
