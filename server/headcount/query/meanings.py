"""
Meanings: conditions as they are written, bound once while the segment around them is edited.

    (condition as written, zone, limits)  →  bound condition, who lacks a value, what it names

A segment of ten conditions is asked at every keystroke, and nine of them were bound before: finding
one again takes 5 µs, binding it 25. What a condition means depends on the schema and on what is
saved, so a memory of meanings belongs to an engine's (`Engine.at` hands it on); on the instant, if
it is not timeless; on the labels and lists that there are, if it names some. Where it stands in a
text is nobody's business but that of the places in warnings, which are made anew.

Not remembered: what is refused or warned of, conditions of more than 1,000 code points, and those
whose values are quoted as they were written (dates). At most 1,024 are, some 10 MB.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from headcount.model.schema import FieldType
from headcount.query import bind_values, tree
from headcount.query.bind import Binder
from headcount.query.bound import NO_ONE, Condition, Mention
from headcount.query.conditions import all_of, complement, present
from headcount.query.context import QueryContext
from headcount.query.format import format as canonical
from headcount.query.lately import Lately
from headcount.query.names import Known, Seen
from headcount.query.refusals import Refusals
from headcount.query.rewrite import Signed, rewritten
from headcount.query.timeless import is_timeless
from headcount.query.tree import CompareOp

MOST = 1_024
LONGEST = 1_000  # code points of a condition

_QUOTED = (FieldType.DATE, FieldType.DATETIME)  # whose values are mentioned as they were written


@dataclass(frozen=True, slots=True)
class Meaning:
    """
    What a condition was bound to, as it is and `signed`, as `rewritten` leaves it.

    `lacking` are those who fit it only for lack of a value, `lacking_around` those who so fit the
    `not` that it stands in; None where nobody can. `mentions` have no position. `key` is the hash
    of the condition as it is written.
    """

    condition: Condition
    signed: Signed
    lacking: Condition | None = None
    lacking_around: Condition | None = None
    mentions: tuple[Mention, ...] = ()
    key: int = 0


class Binders:
    """
    Those that bind the conditions of one segment; warnings and mentions are with the `first`.

    Values are bound a second time, to see who lacks them; what is wrong is said only once.
    """

    def __init__(self, known: Known, context: QueryContext, text: str | None) -> None:
        self.first = Binder(known, context, text)
        self._again = Binder(known, context, text)

    @property
    def looked_at_seen(self) -> bool:
        """Return whether the segment names labels or lists, which there must be."""
        return self.first.looked_at_seen or self._again.looked_at_seen

    def lacking(self, node: tree.Segment, *, negated: bool) -> Condition | None:
        """Return those who fit *node*, or with *negated* the `not` of it, for lack of a value."""
        values = compared(node, negated)
        if not values:
            return None
        binder, scope = self._again, self._again.contact_scope
        first = binder.value(values[0], scope)
        others = [bind_values.right(binder, value, scope) for value in values[1:]]
        found = complement(all_of([present(value) for value in (first, *others)]))
        return None if found == NO_ONE else found


@dataclass(frozen=True, slots=True)
class _Held:
    """A meaning, the instant it is for (None: any), the labels and lists there were (None: any)."""

    meaning: Meaning
    as_of: int | None
    seen: Seen | None


class Meanings:
    """What conditions were bound to, for one schema and what is saved. Any thread may ask."""

    def __init__(self, most: int = MOST) -> None:
        self._held: Lately[Hashable, _Held] = Lately(most)

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._held)

    def of(
        self, node: tree.Segment, binders: Binders, context: QueryContext, *, negated: bool
    ) -> Meaning:
        """
        Return what the condition *node* means, and tell the first binder what it mentions.

        *negated*: it stands in a `not` of its own.

        Raises:
            UserError: a name, type or value does not fit.
        """
        binder = binders.first
        refusals, known = binder.refusals, binder.known
        # Only with a text is it known that what is mentioned stands where the condition does.
        key = node, negated, context.zone, context.limits, refusals.text is None
        held = self._held.get(key)
        if held is not None and _is_valid(held, known, context):
            mentions = held.meaning.mentions
            if mentions and (refusals.text is not None or node.place is not None):
                position = refusals.position(node)
                mentions = tuple(replace(mention, position=position) for mention in mentions)
            binder.mentions += mentions
            return held.meaning
        warned, mentioned = len(binder.warnings), len(binder.mentions)
        meaning = meaning_of(node, binders, negated=negated)
        if len(binder.warnings) == warned and _is_plain(
            node, binder.mentions[mentioned:], refusals
        ):
            timeless = is_timeless(node, known.schema, known.calculations, known.saved)
            # What was looked at for a condition before it may be what this one needed again.
            seen = known.seen if binders.looked_at_seen else None
            self._held.keep(key, _Held(meaning, None if timeless else context.as_of, seen))
        return meaning


def meaning_of(node: tree.Segment, binders: Binders, *, negated: bool) -> Meaning:
    """
    Return what `Meanings.of` does, nothing being remembered.

    Raises:
        UserError: a name, type or value does not fit.
    """
    binder = binders.first
    mentioned = len(binder.mentions)
    condition = binder.condition(node, binder.contact_scope)
    return Meaning(
        condition,
        rewritten(condition),
        binders.lacking(node, negated=False),
        binders.lacking(node, negated=True) if negated else None,
        tuple(replace(mention, position=None) for mention in binder.mentions[mentioned:]),
        hash(node),
    )


def _is_valid(held: _Held, known: Known, context: QueryContext) -> bool:
    if held.as_of is not None and held.as_of != context.as_of:
        return False
    return held.seen is None or held.seen == known.seen


def _is_plain(node: tree.Segment, mentions: Sequence[Mention], refusals: Refusals) -> bool:
    """Return whether a condition means and says the same wherever and however it is written."""
    for mention in mentions:
        if mention.field.type in _QUOTED:
            return False
        if mention.field.type is FieldType.NUMBER and any(key == 0 for key, _ in mention.values):
            return False  # -0 is equal to 0, and not shown so
        if mention.field.type is FieldType.BOOLEAN and isinstance(node, tree.In):
            return False  # which stands where the value does
    if mentions:
        position = refusals.position(node)
        if any(mention.position != position for mention in mentions):
            return False
    return len(canonical(node)) <= LONGEST


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
