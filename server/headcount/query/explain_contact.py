"""
Why a contact is in a segment, or is not: every condition with its verdict and what it looked at.

    ann is not in the segment
      fails   all of
      holds     country in (US, DE)               country: DE
      fails     opened >= 2 in last 30 days       1 in the window: 2026-10-28 09:12:44, campaign may

The verdicts are those of the query itself, worked out for this one contact; the values are read the
way the query reads them, so what is shown is what was compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyroaring import BitMap

from headcount.answers import Scalar
from headcount.index import hashing
from headcount.index.block import LISTS, OPTED_OUT, Block
from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.bind import Binder
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query, tree_of
from headcount.query.explain import Kind, kind_of
from headcount.query.expressions import Constant, Expression, FieldValue
from headcount.query.expressions import Kind as ValueKind
from headcount.query.figures import Figures
from headcount.query.format import format as canonical
from headcount.query.frames import ContactFrame
from headcount.query.history import History, Looked
from headcount.query.moments import instant_in, jsonable, plain
from headcount.query.outline import Outline, Part, outline
from headcount.query.rewrite import rewritten
from headcount.query.sides import BlockSides, Sides
from headcount.query.stretches import Stretch, stretches
from headcount.query.vectors import texts, vector

# What a contact may have a value for; the rest are literals, the same for everyone.
_HELD = (
    tree.Name, tree.EventValue, tree.Aggregate, tree.Arithmetic, tree.Negative, tree.Call,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeldValue:
    """What a contact has for a value of a segment (`plan`, `total / orders`); None for nothing."""

    text: str
    value: Scalar | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {"text": self.text, "value": jsonable(self.value)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    One part of a segment, and whether it holds the contact.

    Of a condition, `values` are those that it compares, what they are made of included; `events`
    what it saw of the contact's events; `stretches` the times that it compares with.
    """

    node: tree.Segment
    kind: Kind
    holds: bool
    values: tuple[HeldValue, ...]
    events: tuple[Looked, ...]
    stretches: tuple[Stretch, ...]
    parts: tuple[Verdict, ...]

    @property
    def text(self) -> str:
        """Return the canonical text of the part."""
        return canonical(self.node)

    def to_dict(self) -> dict[str, Any]:
        """Return the part as JSON holds it; times in ISO 8601, what is empty left out."""
        span = self.node.span
        found: dict[str, Any] = {
            "text": self.text,
            "kind": self.kind.value,
            "span": span and {"start": span.start, "end": span.end},
            "holds": self.holds,
            "values": [value.to_dict() for value in self.values],
            "events": [looked.to_dict() for looked in self.events],
            "stretches": [stretch.to_dict() for stretch in self.stretches],
            "parts": [part.to_dict() for part in self.parts],
        }
        return {name: value for name, value in found.items() if value not in (None, [])}


@dataclass(frozen=True, slots=True)
class ContactExplanation:
    """Whether a contact is in a segment, and why; times are in the query's time zone."""

    contact: str
    root: Verdict
    as_of: dt.datetime
    time_zone: str

    @property
    def holds(self) -> bool:
        """Return whether the contact is in the segment."""
        return self.root.holds

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON holds it."""
        return {
            "contact": self.contact,
            "holds": self.holds,
            "as_of": self.as_of.isoformat(),
            "time_zone": self.time_zone,
            "root": self.root.to_dict(),
        }


def explain_contact(
    engine: Engine, query: Query, contact: str, context: QueryContext
) -> ContactExplanation:
    """
    Return why the contact with the id *contact* is in the segment, or is not.

    Some milliseconds a condition on events, less for others.

    Raises:
        UserError: *query* is not valid, there is no such contact, or `context.check` ended it.
    """
    segment = tree_of(query, context.limits)
    text = query if isinstance(query, str) else None
    written = outline(segment, engine.known, context, text, thorough=False)
    (position,) = engine.view.lookup(pa.array([contact], pa.string())).tolist()
    if position < 0:
        raise UserError(
            Reason.NOT_FOUND, f"there is no contact with the id {contact!r}", field="contact_id"
        )
    reader = _Reader(engine, written, *engine.view.at(position), context)
    return ContactExplanation(
        contact=contact,
        root=reader.verdict(written.root),
        as_of=instant_in(context.zone, context.as_of),
        time_zone=context.zone.key,
    )


class _Reader:
    """Reads what one contact has."""

    def __init__(
        self, engine: Engine, written: Outline, block: Block, row: int, context: QueryContext
    ) -> None:
        self._row = row
        self._clock = written.bound.clock
        wanted = [part.condition for part in written.conditions]
        signed = [(condition, rewritten(condition)) for condition in wanted]
        sides = Sides(signed, self._clock, engine.view, context.check, engine.results)
        self._sides: BlockSides = sides.in_block(block, BitMap([row]))
        figures = Figures(block, self._clock)
        self._rows = np.array([row], dtype=np.uint32)
        self._ids = block.ids
        self._frame = ContactFrame(block, self._clock, figures, self._rows)
        self._history = History(figures, self._clock, row)
        self._binder = Binder(engine.known, context, None)

    def verdict(self, part: Part) -> Verdict:
        parts = tuple(map(self.verdict, part.parts))
        kind = kind_of(part.node)
        values: tuple[HeldValue, ...] = ()
        events: tuple[Looked, ...] = ()
        resolved: tuple[Stretch, ...] = ()
        match kind:
            case Kind.ALL:
                holds = all(inner.holds for inner in parts)
            case Kind.ANY:
                holds = any(inner.holds for inner in parts)
            case Kind.NOT:
                holds = not parts[0].holds
            case Kind.CONDITION:
                side = self._sides.side(part.condition)
                holds = (self._row in side.rows) != side.out
                asked, _ = rewritten(part.condition)
                resolved = stretches(asked, self._clock)
                events = self._history.looked_at(part.condition)
                values = self._values(part.node)
        return Verdict(part.node, kind, holds, values, events, resolved, parts)

    def _values(self, node: tree.Segment) -> tuple[HeldValue, ...]:
        """Return the values that a condition compares, each once."""
        match node:
            case tree.InList():
                return (HeldValue("list", self._value(FieldValue(LISTS))),)
            case tree.OptedOut():
                return (HeldValue("opted out of list", self._value(FieldValue(OPTED_OUT))),)
            case tree.Sample(_, salt):
                return (HeldValue("place of the id in this sample, %", self._place(salt or "")),)
        found: dict[str, HeldValue] = {}
        for value in _compared(node):
            for inner in self._made_of(value):
                text = canonical(inner)
                if text not in found:
                    bound = self._bound(inner)
                    if not isinstance(bound, Constant):
                        found[text] = HeldValue(text, self._value(bound))
        return tuple(found.values())

    def _made_of(self, value: tree.Value) -> Iterator[tree.Value]:
        """Yield a value, and those that it is made of, also behind a name; literals aside."""
        seen: set[tree.Value] = set()
        left = [value]
        while left:
            one = left.pop()
            if one in seen or not isinstance(one, _HELD):
                continue
            seen.add(one)
            yield one
            if isinstance(one, tree.Name):
                calculation = self._binder.known.calculations.get(one.name)
                left += [] if calculation is None else [calculation.value]
            elif not isinstance(one, tree.EventValue | tree.Aggregate):
                inside = (inner for inner in tree.children(one) if isinstance(inner, tree.Value))
                left += reversed(list(inside))

    def _bound(self, node: tree.Value) -> Expression:
        """Return the expression of a value; a bare word that nothing has is a text."""
        scope = self._binder.contact_scope
        if isinstance(node, tree.Name) and not node.quoted and scope.find(node) is None:
            tally = scope.tally(node)
            return Constant(node.name, ValueKind.STRING) if tally is None else tally
        return self._binder.value(node, scope)

    def _place(self, salt: str) -> float:
        """Return the percentage from which on a sample with this salt holds the contact."""
        ids = self._ids.take(self._rows)
        hashed = hashing.fnv1a64(ids) ^ np.uint64(hashing.fnv1a64_bytes(salt.encode()))
        return float(hashing.fmix64(hashed)[0]) / 2**64 * 100

    def _value(self, value: Expression) -> Scalar | None:
        if value.kind in (ValueKind.STRING, ValueKind.STRINGS):
            held: str | list[str] | None = texts(value, self._frame)[0].as_py()
            return held
        found = vector(value, self._frame)
        if not found.present.all():
            return None
        return plain(found.values.reshape(-1)[0], value.kind, self._clock)


def _compared(node: tree.Segment) -> tuple[tree.Value, ...]:
    """Return the values that a condition compares."""
    match node:
        case tree.Compare(left, _, right):
            return left, right
        case tree.Between(value, low, high):
            return value, low, high
        case tree.In(value, options):
            return value, *options
        case tree.TextMatch() | tree.ContainsSet() | tree.IsEmpty() | tree.Within() | tree.Age():
            return (node.value,)
    return ()
