"""
How large a segment may be, and the check that a tree keeps to it.

A level is whatever nests: `and`, `or`, `not`, an operator or sign of arithmetic, and each pair of
parentheses that the text of a tree cannot do without (`where (...)`, `in (...)`, a function's). So
the parentheses of canonical text never outnumber the levels, and text that is accepted stays
accepted when it is formatted. Parentheses that could be left out are counted while text is read.

Depth is limited in one place, here, so that nothing later needs a limit of its own: with 64 levels
a walk may recurse, and the protobuf form stays below the 100 nested messages that protobuf reads.
That is why `depth` is the one setting with a ceiling.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import NamedTuple, get_args

from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.tree import Node, Segment, children

MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Settings. What exceeds one is refused with LIMIT_EXCEEDED, never cut short."""

    text_bytes: int = 64 * 1024  # of the text in UTF-8
    depth: int = MAX_DEPTH  # levels inside each other
    conditions: int = 1_000  # in a whole segment, those inside `where` included
    values: int = 100_000  # in one `in (...)`, and in any other list
    periods: int = 1_000  # in one `of the last k weeks`

    def __hash__(self) -> int:
        return self.conditions  # in the key of whatever is remembered; few differ

    def __post_init__(self) -> None:
        """Refuse a limit that nothing can keep to, and a depth that protobuf cannot hold."""
        for setting in fields(self):
            value = getattr(self, setting.name)
            if value < 1:
                raise UserError(
                    Reason.INVALID_VALUE, f"the limit `{setting.name}` is {value}; it starts at 1"
                )
        if self.depth > MAX_DEPTH:
            raise UserError(
                Reason.INVALID_VALUE, f"the limit `depth` is {self.depth}; it ends at {MAX_DEPTH}"
            )


DEFAULT = Limits()
_DEPTH_ONLY = Limits(conditions=sys.maxsize, values=sys.maxsize, periods=sys.maxsize)

_CONDITIONS = frozenset(get_args(Segment)) - {tree.And, tree.Or, tree.Not}
_LEVELS = frozenset({
    tree.And, tree.Or, tree.Not, tree.Arithmetic, tree.Negative, tree.Call, tree.In,
    tree.ContainsSet, tree.InList, tree.EventValue, tree.Aggregate,
})  # fmt: skip


class Excess(NamedTuple):
    """Where a tree exceeds a limit, and the message that says so."""

    node: Node
    message: str


def too_deep(limit: int) -> str:
    """Return the message for more than *limit* levels."""
    return (
        f"expected at most {limit} levels inside each other, found more; parentheses, `not`, "
        "`and`, `or` and arithmetic operators count as one each"
    )


def too_many_conditions(limit: int) -> str:
    """Return the message for more than *limit* conditions."""
    return (
        f"this segment has more than {limit:,} conditions; "
        "write a list of values as one condition: `country in (...)`"
    )


def too_many_values(limit: int, found: int) -> str:
    """Return the message for *found* values in one list."""
    return f"expected at most {limit:,} values in one list, found {found:,}"


def too_many_periods(limit: int, found: int) -> str:
    """Return the message for `of the last *found* weeks`."""
    return f"expected at most {limit:,} periods, found {found:,}"


def excess(segment: Node, limits: Limits) -> Excess | None:
    """
    Return the first place where *segment* exceeds a limit other than that of its text, or None.

    Does not recurse, so it may be asked about a tree of any depth. About 1 µs a node.
    """
    conditions = 0
    stack: list[tuple[Node, int]] = [(segment, 0)]
    while stack:  # as `levels` does, without its price: every text and tree comes by here
        node, level = stack.pop()
        deepens, is_one, listed = _SHAPES.get(type(node), _PLAIN)
        if deepens or (isinstance(node, tree.EventSelector) and node.where is not None):
            level += 1
        if level > limits.depth:
            return Excess(node, too_deep(limits.depth))
        if listed is not None and len(getattr(node, listed)) > limits.values:
            return Excess(node, too_many_values(limits.values, len(getattr(node, listed))))
        if is_one:
            conditions += 1
            if isinstance(node, tree.Regularly) and node.periods > limits.periods:
                return Excess(node, too_many_periods(limits.periods, node.periods))
            if conditions > limits.conditions:
                return Excess(node, too_many_conditions(limits.conditions))
        below = tuple(children(node))
        if below:
            stack.extend([(child, level) for child in reversed(below)])
    return None


class _Shape(NamedTuple):
    """What a kind of node counts as: a level, a condition; and the name of its list."""

    deepens: bool
    is_condition: bool
    listed: str | None


_LISTS = {
    tree.In: "options", tree.ContainsSet: "options", tree.InList: "names", tree.Call: "arguments"
}  # fmt: skip


_SHAPES = {
    kind: _Shape(kind in _LEVELS, kind in _CONDITIONS, _LISTS.get(kind))
    for kind in _LEVELS | _CONDITIONS
}
_PLAIN = _Shape(deepens=False, is_condition=False, listed=None)


def levels(segment: Node) -> Iterator[tuple[Node, int]]:
    """
    Yield every node of *segment*, and the number of levels that it is inside of, its own included.

    From the left, each node before what it holds. Does not recurse.
    """
    stack: list[tuple[Node, int]] = [(segment, 0)]
    while stack:
        node, level = stack.pop()
        if type(node) in _LEVELS or (
            isinstance(node, tree.EventSelector) and node.where is not None
        ):
            level += 1
        yield node, level
        stack.extend((child, level) for child in reversed(tuple(children(node))))


def is_condition(node: Node) -> bool:
    """Return whether *node* is a segment that is no `and`, `or` or `not`."""
    return type(node) in _CONDITIONS


def require_within(segment: Node, limits: Limits) -> None:
    """Raise a UserError if *segment* exceeds a limit; for trees that were built by hand."""
    found = excess(segment, limits)
    if found is not None:
        raise UserError(Reason.LIMIT_EXCEEDED, found.message)


def require_depth(node: Node) -> None:
    """Raise a UserError if *node* is too deep to be walked; of any other size it may be."""
    require_within(node, _DEPTH_ONLY)
