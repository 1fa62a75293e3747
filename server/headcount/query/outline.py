"""
Outlines: a segment as it was written, each part of it bound.

A plan merges and reorders until little is left of what a person wrote; an outline keeps it, so that
every `and`, `or`, `not` and condition can be counted on its own and shown where it stood:

    place   part                        bound
    0       and                         all of 1, 2
    1         plan != "Free"            not plan in {free}; lacking: plan is empty
    2         not                       not 3
    3           opened in last 30 days  email_open from ... to ...

The root is bound to exactly what `bind` gives, warnings and errors included.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headcount.query import bind_values, tree
from headcount.query.bind import Binder
from headcount.query.bound import NO_ONE, Bound, Condition
from headcount.query.conditions import all_of, any_of, complement, present
from headcount.query.context import QueryContext
from headcount.query.names import Known
from headcount.query.tree import CompareOp


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """
    A node of the tree as written; `place` is its number when they are read from the left, from 0.

    `parts` are what an `and`, `or` or `not` holds; a condition has none. Of a condition, or a `not`
    of one, that fits whoever lacks a value, `lacking` are those who lack it: all of them fit.
    """

    place: int
    node: tree.Segment
    condition: Condition
    parts: tuple[Part, ...] = ()
    lacking: Condition | None = None

    @property
    def is_condition(self) -> bool:
        """Return whether it is no `and`, `or` or `not`."""
        return not self.parts

    def walk(self) -> Iterator[Part]:
        """Yield it and everything in it, in the order of `place`."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A whole segment; `parts` are all of its parts by their place, the first is the root."""

    bound: Bound
    parts: tuple[Part, ...]

    @property
    def root(self) -> Part:
        """Return the whole segment."""
        return self.parts[0]

    @property
    def conditions(self) -> Iterator[Part]:
        """Yield the conditions, in the order they were written."""
        return (part for part in self.parts if part.is_condition)


def outline(
    segment: tree.Segment,
    known: Known,
    context: QueryContext,
    text: str | None = None,
    *,
    thorough: bool = True,
) -> Outline:
    """
    Return the outline of *segment*; *text* is what it was parsed from.

    Without *thorough* nobody is `lacking`. About 15 µs a condition.

    Raises:
        UserError: a name, type or value does not fit.
    """
    writer = _Writer(known, context, text, thorough)
    root = writer.part(segment)
    binder = writer.binder
    bound = Bound(root.condition, binder.clock, tuple(binder.warnings), tuple(binder.mentions))
    return Outline(bound, tuple(root.walk()))


class _Writer:
    """Binds one segment from the left."""

    def __init__(
        self, known: Known, context: QueryContext, text: str | None, thorough: bool
    ) -> None:
        self._thorough = thorough
        self.binder = Binder(known, context, text)
        # Values are bound a second time to see who lacks them; what is wrong is said only once.
        self._again = Binder(known, context, text)
        self._place = 0

    def part(self, node: tree.Segment) -> Part:
        place = self._place
        self._place += 1
        match node:
            case tree.And(items):
                parts = tuple(map(self.part, items))
                return Part(place, node, all_of([part.condition for part in parts]), parts)
            case tree.Or(items):
                parts = tuple(map(self.part, items))
                return Part(place, node, any_of([part.condition for part in parts]), parts)
            case tree.Not(item):
                part = self.part(item)
                found = complement(part.condition)
                return Part(place, node, found, (part,), self._lacking(item, negated=True))
        found = self.binder.condition(node, self.binder.contact_scope)
        return Part(place, node, found, (), self._lacking(node, negated=False))

    def _lacking(self, node: tree.Segment, *, negated: bool) -> Condition | None:
        """Return those for whom a value that a negative condition compares is missing."""
        values = compared(node, negated) if self._thorough else ()
        if not values:
            return None
        binder, scope = self._again, self._again.contact_scope
        first = binder.value(values[0], scope)
        others = [bind_values.right(binder, value, scope) for value in values[1:]]
        found = complement(all_of([present(value) for value in (first, *others)]))
        return None if found == NO_ONE else found


def compared(node: tree.Segment, negated: bool) -> tuple[tree.Value, ...]:
    """
    Return the values that *node* compares if it, or with *negated* its complement, is negative.

    A missing one makes a comparison false, so its complement true. Options of an `in` are no such
    values: with one missing, the others are compared all the same.
    """
    match node:
        case tree.Compare(_, CompareOp.EQ | CompareOp.NE, tree.String("")):
            return ()  # `is empty`
        case tree.Compare(left, op, right):
            return (left, right) if (op is CompareOp.NE) != negated else ()
        case tree.Between(value, low, high, not_between):
            return (value, low, high) if not_between != negated else ()
        case tree.ContainsSet(value, mode, _, not_contains):
            is_negative = not_contains != (mode is tree.SetMode.NONE)
            return (value,) if is_negative != negated else ()
        case tree.In() | tree.TextMatch() | tree.Within():
            return (node.value,) if node.negated != negated else ()
        case tree.Age(value):
            return (value,) if negated else ()
    return ()
