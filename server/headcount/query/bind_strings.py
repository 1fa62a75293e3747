"""
Binding conditions on text: equality in key form, patterns, sets of values, the order of stages.

A literal is brought to the key form of the field it is compared with. Some fields know all their
values: a status or stage outside the schema's list, and a label or list that nobody has seen, are
errors; any other value is noted, and a warning if no contact has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from headcount.index.block import LISTS, OPTED_OUT
from headcount.index.pattern import Pattern
from headcount.model import fold
from headcount.model.errors import UserError
from headcount.model.fold import field_key
from headcount.model.schema import Field, FieldType, nearest
from headcount.query import tree
from headcount.query.bound import NO_ONE, Always, Compared, Condition, KeyIn, KeysAll, Matches
from headcount.query.conditions import negated_if, of_each
from headcount.query.expressions import (
    Choice,
    Constant,
    Expression,
    FieldValue,
    Kind,
    Missing,
    Unary,
)
from headcount.query.literals import write_string
from headcount.query.names import listed
from headcount.query.tree import CompareOp, SetMode, TextOp

if TYPE_CHECKING:
    from headcount.query.bind import Binder
    from headcount.query.names import Scope

_AS_WRITTEN = Field("", FieldType.TEXT, case_sensitive=True)  # literals beside literals


def equals(
    b: Binder, value: Expression, literals: Sequence[tuple[str, tree.Node]], node: tree.Segment
) -> Condition:
    """Return those whose text, or one of whose texts, is one of *literals* (text, where)."""
    nearby = _first_field(value)
    if isinstance(value, FieldValue):
        found = tuple((field_key(text, nearby), text) for text, _ in literals)
        b.mention(nearby, found, node)
    return of_each(value, lambda one: _equals(b, one, nearby, literals))


def _equals(
    b: Binder,
    value: Expression,
    nearby: Field,
    literals: Sequence[tuple[str, tree.Node]],
) -> Condition:
    if isinstance(value, Missing):
        return NO_ONE
    if isinstance(value, Constant):
        keys = {field_key(text, nearby) for text, _ in literals}
        return Always(field_key(str(value.value), nearby) in keys)
    assert isinstance(value, FieldValue)
    field = value.field
    found = set()
    for text, at in literals:
        key = field_key(text, field)
        found.add(key)
        refusal = _unknown_value(b, field, key, text, at)
        if refusal is not None:
            raise refusal
    return KeyIn(value, frozenset(found))


def _first_field(value: Expression) -> Field:
    """Return the field whose key form literals inside *value* take: its first."""
    operands = value.operands if isinstance(value, Choice) else (value,)
    fields = (one.field for one in operands if isinstance(one, FieldValue))
    return next(fields, _AS_WRITTEN)


def _unknown_value(
    b: Binder, field: Field, key: str, text: str, node: tree.Node
) -> UserError | None:
    """Return the error of a value that cannot be in *field*, if it cannot."""
    if field.values:
        if key in places(field):
            return None
        values = list(field.values)
        message = (
            f"`{field.name}` has no value {write_string(text)}; its values are {listed(values)}"
        )
        return b.refusals.invalid(message, node, nearest(text, values))
    if field.builtin and field.name == "label":
        return _unseen(b, "label", key, text, node)
    if field in (LISTS, OPTED_OUT):
        return _unseen(b, "list", key, text, node)
    return None


def _unseen(
    b: Binder, what: Literal["label", "list"], key: str, text: str, node: tree.Node
) -> UserError | None:
    known = b.seen(what)
    if key in known:
        return None
    message = (
        f"unknown {what} {write_string(text)}: no contact has it and the schema does not declare it"
    )
    return b.refusals.unknown(message, node, nearest(text, known.values()))


@lru_cache(maxsize=256)
def places(field: Field) -> dict[str, int]:
    """Return the place of each value of a closed field in its order, by key form."""
    return {field_key(value, field): place for place, value in enumerate(field.values)}


def compare(
    b: Binder,
    left: Expression,
    op: CompareOp,
    right: Expression,
    node: tree.Compare,
    written: str,
) -> Condition:
    """
    Return those for whom `left op right`, where at least one side is text; op is not `!=`.

    *written* is what errors call the operator.
    """
    at = node.right
    if right.kind is Kind.STRINGS or isinstance(left, Constant):
        left, right, op, at = right, left, MIRRORED[op], node.left
    literal = right.value if isinstance(right, Constant) else None
    if op is CompareOp.EQ:
        if isinstance(literal, str):
            return equals(b, left, [(literal, at)], node)
        return of_each(left, lambda one: _same_text(one, right))
    order = _stage(left) or _stage(right)
    if order is None:
        raise b.refusals.mismatch(
            f"text has no order, so `{written}` cannot compare {b.refusals.quoted(node.left)};"
            " use =, !=, in or contains (only a stage has an order)",
            node,
        )
    if isinstance(literal, str):
        return of_each(left, lambda one: _stage_compare(b, one, op, (literal, at), node))
    return _stages_compare(b, left, op, right, node, written)


MIRRORED = {
    CompareOp.EQ: CompareOp.EQ,
    CompareOp.LT: CompareOp.GT,
    CompareOp.LE: CompareOp.GE,
    CompareOp.GT: CompareOp.LT,
    CompareOp.GE: CompareOp.LE,
}


def _same_text(value: Expression, other: Expression) -> Condition:
    """Return those for whom *other*, brought to the key form of *value*'s field, is the same."""
    if isinstance(value, Missing) or isinstance(other, Missing):
        return NO_ONE
    if isinstance(value, Constant):
        return Compared(other, "=", value)
    return Compared(value, "=", other)


def _stage(value: Expression) -> Field | None:
    """Return the field of a stage."""
    if isinstance(value, FieldValue) and value.field.type is FieldType.STAGE:
        return value.field
    return None


def _stage_compare(
    b: Binder,
    value: Expression,
    op: CompareOp,
    literal: tuple[str, tree.Node],
    node: tree.Compare,
) -> Condition:
    """Return those whose stage stands on the given side of *literal* (text, where)."""
    field = _stage(value)
    assert field is not None, node  # what has no order was refused before
    key = field_key(literal[0], field)
    refusal = _unknown_value(b, field, key, *literal)
    if refusal is not None:
        raise refusal
    order = places(field)
    place = order[key]
    side = {
        CompareOp.LT: range(place),
        CompareOp.LE: range(place + 1),
        CompareOp.GT: range(place + 1, len(order)),
        CompareOp.GE: range(place, len(order)),
    }[op]
    keys = frozenset(key for key, at in order.items() if at in side)
    return KeyIn(value, keys) if keys else NO_ONE


def _stages_compare(
    b: Binder,
    left: Expression,
    op: CompareOp,
    right: Expression,
    node: tree.Compare,
    written: str,
) -> Condition:
    """Return those for whom one stage stands on the given side of another of the same order."""
    first, second = _stage(left), _stage(right)
    if first is None or second is None or places(first) != places(second):
        raise b.refusals.mismatch(
            f"`{written}` needs two stages with the same values in the same order", node
        )
    if op in (CompareOp.GT, CompareOp.GE):
        left, right, op = right, left, MIRRORED[op]
    symbol = "<" if op is CompareOp.LT else "<="
    return Compared(Unary("place", left), symbol, Unary("place", right))  # type: ignore[arg-type]


# --- patterns and sets ------------------------------------------------------------------------


def text_match(b: Binder, node: tree.TextMatch, scope: Scope) -> Condition:
    """Return those whose text fits a pattern; `contains` on a set of texts is to have one."""
    value = b.value(node.value, scope)
    if value.kind is Kind.STRINGS and node.op is TextOp.CONTAINS:
        found = _has(b, value, node.pattern, node)
    elif value.kind in (Kind.STRING, Kind.STRINGS):
        nearby = _first_field(value)
        found = of_each(value, lambda one: _matches(b, one, nearby, node))
    else:
        raise b.refusals.mismatch(
            f"`{node.op}` needs text, but {b.refusals.quoted(node.value)} is {value.kind};"
            " compare it with =, <, > or between",
            node,
        )
    return negated_if(node.negated, found)


def _has(b: Binder, value: Expression, text: str, node: tree.Segment) -> Condition:
    if not text:
        quoted = b.refusals.quoted(node)
        message = f"{quoted} asks for an empty text, which nobody has; write `is empty`"
        raise b.refusals.invalid(message, _literal(node, text))
    return equals(b, value, [(text, _literal(node, text))], node)


def _literal(node: tree.Segment, text: str, index: int = 0) -> tree.String:
    """Return a text that a condition holds itself, as a node with its place."""
    place = None if node.place is None else node.place.of_literal(index)
    return tree.String(text, span=node.span, place=place)


def _matches(b: Binder, value: Expression, nearby: Field, node: tree.TextMatch) -> Condition:
    if isinstance(value, Missing):
        return NO_ONE
    field = value.field if isinstance(value, FieldValue) else nearby
    try:
        pattern = Pattern.of(node.op.value, node.pattern, field)
    except UserError as error:
        raise b.refusals.invalid(error.message, _literal(node, node.pattern)) from None
    if isinstance(value, Constant):
        literal = pa.array([str(value.value)])
        return Always(bool(pattern.test(literal, fold.keys(literal, field))[0]))
    return Matches(value, pattern)


def contains_set(b: Binder, node: tree.ContainsSet, scope: Scope) -> Condition:
    """Return those whose set of texts has any, all or none of the options."""
    value = b.value(node.value, scope)
    if value.kind is not Kind.STRINGS:
        raise b.refusals.mismatch(
            f"`contains {node.mode}` needs a multi-valued field, but"
            f" {b.refusals.quoted(node.value)} is {value.kind}; use `in (...)`",
            node,
        )
    if "" in node.options:
        raise b.refusals.invalid(
            "an empty text among the options, which nobody has; write `is empty`",
            _literal(node, "", node.options.index("")),
        )
    literals = [(text, _literal(node, text, i)) for i, text in enumerate(node.options)]
    found = equals(b, value, literals, node)
    if node.mode is SetMode.ALL and isinstance(found, KeyIn) and len(found.keys) > 1:
        found = KeysAll(value, found.keys)
    negated = node.negated != (node.mode is SetMode.NONE)
    return negated_if(negated, found)


def in_list(b: Binder, node: tree.InList) -> Condition:
    """Return the members of any of the lists."""
    return negated_if(node.negated, _on_lists(b, LISTS, node.names, node))


def opted_out(b: Binder, node: tree.OptedOut) -> Condition:
    """Return those who opted out of a list."""
    return negated_if(node.negated, _on_lists(b, OPTED_OUT, (node.name,), node))


def _on_lists(
    b: Binder, field: Field, names: Sequence[str], node: tree.InList | tree.OptedOut
) -> Condition:
    literals = [(name, _literal(node, name, i)) for i, name in enumerate(names)]
    return equals(b, FieldValue(field), literals, node)
