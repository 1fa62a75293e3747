"""
Calculated fields: the named expressions of a schema, parsed and put in order.

    average_order_value = "total_revenue / order_count"
    big_spender_score   = "average_order_value * 2 + purchases"
                           └── a calculated field, a stored one, a number of events

Everything that does not depend on the data is refused when the schema is read: an expression that
does not parse, a name that nothing has, a circle, a name that already means something else. Types
are bind's to check, which puts an expression in the place of each name.

Putting one expression into another can make something huge out of little (a = b + b, b = c + c,
...), so the size and the depth of each are limited with all that it uses put in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headcount.model.errors import Position, Reason, UserError
from headcount.model.schema import Schema, nearest
from headcount.query import tree
from headcount.query.dependencies import CircularError, in_order, shown
from headcount.query.limits import DEFAULT, Limits
from headcount.query.parse import parse_value
from headcount.query.tree import Node, Value, children

MAX_PARTS = 1_000  # names, literals and operators in one, with those of all that it uses

_LEVELS = (tree.Arithmetic, tree.Negative, tree.Call, tree.EventValue, tree.Aggregate)


@dataclass(frozen=True, slots=True)
class Calculation:
    """
    One calculated field: its name and text as declared, and the value that the text is.

    `uses` are the calculated fields that the value names, as declared. Spans lie in `text`.
    """

    name: str
    text: str
    value: Value
    uses: tuple[str, ...]


class Calculations:
    """The calculated fields of one schema; `order` has each after those that it uses."""

    def __init__(self, schema: Schema, limits: Limits = DEFAULT) -> None:
        """
        Parse and check them; about 50 µs each.

        Raises:
            UserError: an expression does not parse (reasons of the parser), names what nothing has
                (UNKNOWN_NAME), uses itself or takes a name that is in use (INVALID_SCHEMA), or is
                too large with what it uses (LIMIT_EXCEEDED). `field` is `calculated.<name>`, and
                the position lies in its expression.
        """
        self._schema = schema
        self._names = {name.casefold(): name for name in schema.calculated}
        for name in schema.calculated:
            self._refuse_taken(name)
        found = {
            name: self._calculation(name, text, limits) for name, text in schema.calculated.items()
        }
        try:
            order = in_order({name: one.uses for name, one in found.items()})
        except CircularError as circle:
            raise _circular(found, circle.path) from None
        self.order = tuple(found[name] for name in order)
        _refuse_large(self.order, limits)
        self._found = {name.casefold(): one for name, one in found.items()}

    def get(self, name: str) -> Calculation | None:
        """Return the calculated field called *name*, in any case, or None."""
        return self._found.get(name.casefold())

    def with_used(self, name: str) -> tuple[Calculation, ...]:
        """Return the calculated field *name* after all that it uses; () if there is none."""
        wanted: set[str] = set()
        stack = [found.name] if (found := self.get(name)) else []
        while stack:
            one = stack.pop()
            if one not in wanted:
                wanted.add(one)
                stack.extend(self._found[one.casefold()].uses)
        return tuple(one for one in self.order if one.name in wanted)

    def _refuse_taken(self, name: str) -> None:
        """Refuse the name of a stored field or an engagement time, which it would hide."""
        if self._schema.field(name) is not None:
            means = "is a field already"
        elif self._schema.engagement(name):
            means = "is the time of the latest event already"
        else:
            return
        raise UserError(
            Reason.INVALID_SCHEMA,
            f"`{name}` {means}, which a calculated field of that name would hide; rename it",
            field=_field(name),
        )

    def _calculation(self, name: str, text: str, limits: Limits) -> Calculation:
        try:
            value = parse_value(text, limits)
        except UserError as error:
            raise UserError(
                error.reason,
                error.message,
                position=error.position,
                field=_field(name),
                suggestions=error.suggestions,
            ) from None
        uses = []
        for node in _of_contact(value):
            wrong, suggestions = self._unknown(node)
            if wrong:
                raise _refusal(name, text, Reason.UNKNOWN_NAME, wrong, node, suggestions)
            if isinstance(node, tree.Name) and node.name.casefold() in self._names:
                uses.append(self._names[node.name.casefold()])
        return Calculation(name, text, value, tuple(dict.fromkeys(uses)))

    def _unknown(self, node: Node) -> tuple[str, tuple[str, ...]]:
        """Return what is wrong with a name that nothing has ("" if nothing is), and near ones."""
        schema = self._schema
        match node:
            case tree.Name(name):
                if (
                    name.casefold() in self._names
                    or schema.field(name) is not None
                    or schema.engagement(name)
                    or schema.event(name)
                ):
                    return "", ()
                known = schema.field_names() + schema.event_names()
                return f"unknown field `{name}`", nearest(name, known)
            case tree.EventSelector(name):
                if schema.event(name):
                    return "", ()
                return f"unknown event `{name}`", nearest(name, schema.event_names())
            case tree.Aggregate(event=event):
                types = schema.event(event.name)  # of an unknown event its own node tells
                if not types or any(one.property(node.property) for one in types):
                    return "", ()
                properties = {p.name: None for one in types for p in one.properties}
                wrong = f"`{event.name}` has no property `{node.property}`"
                return wrong, nearest(node.property, properties)
        return "", ()


def _field(name: str) -> str:
    return f"calculated.{name}"


def _of_contact(value: Value) -> Iterator[Node]:
    """Yield the nodes of *value* but those inside `where`, whose names are properties."""
    stack: list[Node] = [value]
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, tree.EventSelector):
            stack.extend(reversed(tuple(children(node))))


def _refusal(
    name: str,
    text: str,
    reason: Reason,
    message: str,
    node: Node,
    suggestions: tuple[str, ...] = (),
) -> UserError:
    """Return the error about *node* in the expression of *name*."""
    assert node.span is not None
    place = Position.at(text, node.span.start, node.span.end)
    return UserError(reason, message, position=place, field=_field(name), suggestions=suggestions)


def _circular(found: dict[str, Calculation], path: tuple[str, ...]) -> UserError:
    first = found[path[0]]
    used = path[1].casefold()
    node = next(
        n
        for n in _of_contact(first.value)
        if isinstance(n, tree.Name) and n.name.casefold() == used
    )
    message = f"a calculated field cannot be made from itself: {shown(path)}"
    return _refusal(first.name, first.text, Reason.INVALID_SCHEMA, message, node)


def _refuse_large(order: tuple[Calculation, ...], limits: Limits) -> None:
    """Refuse one that is too large or too deep with all that it uses put in."""
    sizes: dict[str, tuple[int, int]] = {}  # parts and levels, by folded name
    for one in order:
        parts, levels = 0, 0
        stack: list[tuple[Node, int]] = [(one.value, 0)]
        while stack:
            node, level = stack.pop()
            inside = (1, 0)
            if isinstance(node, tree.Name):
                inside = sizes.get(node.name.casefold(), inside)
            level += isinstance(node, _LEVELS)
            parts += inside[0]
            levels = max(levels, level + inside[1])
            below = () if isinstance(node, tree.EventSelector) else tuple(children(node))
            stack.extend((child, level) for child in below)
        if parts > MAX_PARTS or levels > limits.depth:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"`{one.name}`, with the calculated fields it uses put in, has {parts:,} parts on"
                f" {levels:,} levels; at most {MAX_PARTS:,} on {limits.depth:,} are allowed",
                field=_field(one.name),
            )
        sizes[one.name.casefold()] = (parts, levels)
