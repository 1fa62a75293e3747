"""
JSON document to tree, trusting nothing.

A document can hold anything that JSON can: other types than wanted, keys of other tools, numbers
that no double holds, and nesting without end. What comes out is a tree that the text could have
given, or a UserError whose `field` is the path of the place: `all[2].value`.

The path is a chain of pairs from the inside out, built on the way down and only spelled out for an
error. Every step down is counted, so a document of any depth is refused before the stack is full.
"""

from __future__ import annotations

from typing import Any

from headcount.model.errors import Reason
from headcount.model.schema import nearest
from headcount.query import json_events, rules, tree
from headcount.query import json_values as values
from headcount.query.json_operators import BY_ANY_NAME, Operator, Shape, find
from headcount.query.json_values import below, described, item, listed, refuse, sound
from headcount.query.lexicon import is_bare_word
from headcount.query.limits import (
    DEFAULT,
    Limits,
    excess,
    too_deep,
    too_many_conditions,
    too_many_values,
)
from headcount.query.parse import parse
from headcount.query.place import Path, Place
from headcount.query.tree import Duration, EventSelector, Node, Segment, Value, children

# What a condition is, by the key that says so, and the keys that may stand beside it.
KINDS: dict[str, tuple[str, ...]] = {
    "all": (),
    "any": (),
    "not": (),
    "everyone": (),
    "field": ("operator", "value"),
    "expression": ("operator", "value"),
    "event": ("where", "times", "window", "negated", "then", "within", "regularly"),
    "list": ("negated",),
    "opted_out": ("negated",),
    "segment": ("negated",),
    "sample": ("of",),
    "conditions": ("logic",),
}
_JOINING = ("all", "any", "not", "conditions")
_ABOUT_THE_CONTACT = ("everyone", "event", "list", "opted_out", "segment", "sample")
_LOGIC = {"AND": True, "ALL": True, "OR": False, "ANY": False}

Members = dict[str, Any]


def from_document(document: object, limits: Limits = DEFAULT, field: str = "") -> Segment:
    """
    Return the tree of *document*: what JSON text is decoded to, or the same built in Python.

    *field* is the path of the document in a request, before those of its parts.

    Raises:
        UserError: SYNTAX, UNKNOWN_NAME (of an operator or function), INVALID_VALUE or
            LIMIT_EXCEEDED, with the path of the place.
    """
    return _Reader(limits).whole(document, (None, field))


class _Reader:
    """Reads one segment, and remembers what came from where for the limits of the whole."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._places: list[tuple[Segment, Path]] = []  # what is inside another comes before it
        self._leaves = 0
        self._inside_where = False

    def whole(self, document: object, path: Path) -> Segment:
        segment = self._segment(document, path, 0, at_root=True)
        found = excess(segment, self._limits)
        if found is not None:
            place = next(at for node, at in self._places if _holds(node, found.node))
            refuse(place, found.message, Reason.LIMIT_EXCEEDED)
        return segment

    def _segment(self, value: object, path: Path, level: int, at_root: bool = False) -> Segment:
        """Return the condition in *value*."""
        members = values.members(value, path, "a condition", '{"list": "news"}')
        kind = _kind(members, path)
        name = ("name",) if at_root and kind == "conditions" else ()
        values.only(members, (kind, *KINDS[kind], *name), path)
        if members.get("name") is not None:
            values.text(members["name"], below(path, "name"), "a name")
        if self._inside_where and kind in _ABOUT_THE_CONTACT:
            refuse(below(path, kind), _NOT_OF_THE_EVENT)
        if kind not in _JOINING:
            self._leaves += 1
            if self._leaves > self._limits.conditions:
                refuse(path, too_many_conditions(self._limits.conditions), Reason.LIMIT_EXCEEDED)
        segment = self._read(kind, members, path, level)
        if (
            self._inside_where
            and kind not in _JOINING
            and rules.not_about_the_event(segment) is not None
        ):
            refuse(path, _NOT_OF_THE_EVENT)
        self._places.append((segment, path))
        if segment.place is None:  # a list of one has that one's
            tree.placed(segment, _place(kind, members, path))
        return segment

    def _read(self, kind: str, members: Members, path: Path, level: int) -> Segment:
        found, here = members[kind], below(path, kind)
        match kind:
            case "all" | "any":
                return self._joined(found, here, level, kind == "all")
            case "conditions":
                return self._joined(found, here, level, _logic(members, path))
            case "not":
                return tree.Not(self._segment(found, here, self._deeper(level, here)))
            case "everyone":
                if found is not True:
                    refuse(here, f"expected true, found {described(found)}")
                return tree.Everyone()
            case "field":
                name = values.name(found, here)
                left = tree.Name(name, not is_bare_word(name), place=Place(here))
                return self._compared(left, members, path)
            case "expression":
                return self._expression(values.text(found, here), members, path)
            case "event":
                return self._about_events(members, path, level)
            case "list":
                return tree.InList(
                    self._list_names(found, here), json_events.negated(members, path)
                )
            case "opted_out":
                name = values.text(found, here, "the name of a list")
                return tree.OptedOut(name, json_events.negated(members, path))
            case "segment":
                name = values.text(found, here, "the name of a segment")
                return tree.InSegment(name, json_events.negated(members, path))
        return _sample(members, path)

    # --- structure ----------------------------------------------------------------------------

    def _deeper(self, level: int, path: Path) -> int:
        """Return the next level."""
        if level >= self._limits.depth:
            refuse(path, too_deep(self._limits.depth), Reason.LIMIT_EXCEEDED)
        return level + 1

    def _joined(self, found: object, path: Path, level: int, all_of: bool) -> Segment:
        """Return a list of conditions as one; a list of one is that one, as forms build it."""
        level = self._deeper(level, path)
        if not isinstance(found, list):
            refuse(path, f"expected a list of conditions, found {described(found)}")
        if not found:
            refuse(path, 'expected one or more, found none; all contacts are {"everyone": true}')
        if len(found) > self._limits.conditions:
            refuse(path, too_many_conditions(self._limits.conditions), Reason.LIMIT_EXCEEDED)
        items = tuple(self._segment(one, item(path, i), level) for i, one in enumerate(found))
        if len(items) == 1:
            return items[0]
        return tree.And(items) if all_of else tree.Or(items)

    def _several(self, found: object, path: Path, what: str) -> list[Any]:
        """Return a list of one or more values."""
        if not isinstance(found, list):
            refuse(path, f"expected a list of {what}, found {described(found)}")
        if not found:
            refuse(path, f"expected one or more {what}, found an empty list")
        if len(found) > self._limits.values:
            message = too_many_values(self._limits.values, len(found))
            refuse(path, message, Reason.LIMIT_EXCEEDED)
        return found

    def _list_names(self, found: object, path: Path) -> tuple[str, ...]:
        if isinstance(found, list):
            lists = self._several(found, path, "names of lists")
            return tuple(values.text(one, item(path, i)) for i, one in enumerate(lists))
        return (values.text(found, path, "the name of a list"),)

    # --- comparisons --------------------------------------------------------------------------

    def _expression(self, text: str, members: Members, path: Path) -> Segment:
        """Return the condition of a text, or the comparison of the value that it is."""
        here = below(path, "expression")
        if "operator" in members:
            return self._compared(values.expression(text, here, self._limits), members, path)
        if "value" in members:
            refuse(below(path, "value"), "expected an `operator` beside `value`, found none")
        with values.placed(here):
            found = parse(text, values.widened(self._limits))
        values.located(found, here, text)
        return found

    def _compared(self, left: Value, members: Members, path: Path) -> Segment:
        operator = _operator(members, path)
        found, here = members.get("value"), below(path, "value")
        if operator.shape is Shape.NONE:
            if found is not None:
                refuse(here, f"`{operator.name}` takes no value, found {described(found)}")
            return operator.make(left, None)
        if "value" not in members:
            refuse(here, f"`{operator.name}` needs {operator.shape.value}, found no `value`")
        if found is None:
            if operator.name in ("equals", "not_equals"):
                return tree.IsEmpty(left, operator.name == "not_equals")
            refuse(
                here,
                f"`{operator.name}` needs {operator.shape.value}, found null; missing values are"
                " found by `is_empty`",
            )
        return operator.make(left, self._argument(operator, found, here))

    def _argument(self, operator: Operator, found: object, path: Path) -> Any:
        """Return what the operator makes a condition of."""
        match operator.shape:
            case Shape.VALUE:
                instead = {"equals": "in", "not_equals": "not_in"}.get(operator.name)
                if isinstance(found, list) and instead:
                    refuse(path, f"expected one value, found a list; for several, use `{instead}`")
                return values.value(found, path, self._limits)
            case Shape.TIME:
                return values.time_or_value(found, path, self._limits)
            case Shape.RANGE:
                if not isinstance(found, list) or len(found) != 2:
                    refuse(
                        path, f"expected a list of {Shape.RANGE.value}, found {described(found)}"
                    )
                return self._values(found, path)
            case Shape.LIST:
                return self._values(self._several(found, path, "values"), path)
            case Shape.TEXT:
                if isinstance(found, list) and operator.name == "contains":
                    refuse(path, "expected one text, found a list; for several, use `contains_any`")
                return values.text(found, path)
            case Shape.TEXTS:
                texts = self._several(found, path, "texts")
                return tuple(values.text(one, item(path, i)) for i, one in enumerate(texts))
            case Shape.AMOUNT:
                assert operator.unit is not None
                amount = values.whole(found, path, f"a whole number of {operator.unit}s")
                duration = Duration(amount, operator.unit)
                sound(rules.duration_fault(duration), path)
                return duration
        return values.duration(found, path)

    def _values(self, found: list[Any], path: Path) -> tuple[Value, ...]:
        return tuple(values.value(one, item(path, i), self._limits) for i, one in enumerate(found))

    # --- events -------------------------------------------------------------------------------

    def _about_events(self, members: Members, path: Path, level: int) -> Segment:
        event = self._event(members, path, level)
        then, regularly = "then" in members, "regularly" in members
        if then or regularly:
            of = "then" if then else "regularly"
            others = ("times", "negated", "regularly") if then else ("window", "negated", "within")
            for key in others:
                if key in members:
                    refuse(
                        below(path, key), f"`{key}` does not go with `{of}`{_INSTEAD.get(key, '')}"
                    )
            if then:
                return self._sequence(event, members, path, level)
            return json_events.regularly(event, members, path)
        if "within" in members:
            refuse(below(path, "within"), "`within` needs a `then`; for a window, use `window`")
        times, window = json_events.times(members, path), json_events.window(members, path)
        return tree.Did(event, times, window, json_events.negated(members, path))

    def _event(self, members: Members, path: Path, level: int) -> EventSelector:
        """Return the events in `event`, narrowed by `where`."""
        named = below(path, "event")
        name = values.name(members["event"], named, "the name of an event")
        if "where" not in members:
            return EventSelector(name, place=Place(named))
        here = below(path, "where")
        level = self._deeper(level, here)
        self._inside_where = True
        where = self._segment(members["where"], here, level)
        self._inside_where = False
        return EventSelector(name, where, place=Place(named))

    def _sequence(
        self, first: EventSelector, members: Members, path: Path, level: int
    ) -> tree.Sequence:
        here = below(path, "then")
        then = values.members(members["then"], here, "an event", '{"event": "purchase"}')
        if "event" not in then:
            refuse(here, "expected `event` with the name of the second event, found none")
        values.only(then, ("event", "where", "negated"), here)
        if "within" not in members:
            refuse(path, '`then` needs `within`, such as "7 days", found none')
        return tree.Sequence(
            first,
            self._event(then, here, level),
            values.duration(members["within"], below(path, "within")),
            json_events.negated(then, here),
            json_events.window(members, path),
        )


_NOT_OF_THE_EVENT = "`where` compares properties of the event; ask about other things outside"
_INSTEAD = {
    "negated": '; for the opposite, put the whole into {"not": ...}',
    "times": ": a sequence asks about some event, not a number of them",
    "window": ": the periods already say when",
}


def _holds(node: Node, wanted: Node) -> bool:
    """Return whether *wanted* is *node* or inside it."""
    stack = [node]
    while stack:
        at = stack.pop()
        if at is wanted:
            return True
        stack.extend(children(at))
    return False


def _place(kind: str, members: Members, path: Path) -> Place:
    """Return the place of a condition, and of the texts that it holds itself."""
    if kind == "segment":
        return Place(below(path, kind))
    if kind in ("list", "opted_out"):
        return Place(path, below(path, kind), listed=isinstance(members[kind], list))
    if "value" in members:
        return Place(path, below(path, "value"), listed=isinstance(members["value"], list))
    return Place(path)


def _kind(members: Members, path: Path) -> str:
    """Return the key that says what a condition is."""
    kinds = [key for key in KINDS if key in members]
    if len(kinds) > 1:
        refuse(path, f"expected one condition, found {listed(tuple(kinds))} in one object")
    if not members:
        refuse(path, "expected a condition, found an empty object")
    if not kinds:
        first = next(iter(members))
        refuse(
            path,
            f"expected one of {listed(tuple(KINDS))} to say what the condition is, found"
            f" {values.some(members)}",
            suggestions=values.near(first, KINDS),
        )
    return kinds[0]


def _logic(members: Members, path: Path) -> bool:
    """Return whether all conditions of a flat list must hold, or any."""
    word = members.get("logic", "AND")
    all_of = _LOGIC.get(word.upper()) if isinstance(word, str) else None
    if all_of is None:
        refuse(below(path, "logic"), f'expected "AND" or "OR", found {described(word)}')
    return all_of


def _operator(members: Members, path: Path) -> Operator:
    if "operator" not in members:
        refuse(path, 'expected an `operator`, such as "equals" or "is_empty", found none')
    word, here = members["operator"], below(path, "operator")
    if not isinstance(word, str):
        refuse(here, f'expected an operator, such as "equals", found {described(word)}')
    operator = find(word)
    if operator is None:
        near = (BY_ANY_NAME[name].name for name in nearest(word, BY_ANY_NAME))
        message = f"unknown operator {described(word)}"
        refuse(here, message, Reason.UNKNOWN_NAME, tuple(dict.fromkeys(near)))
    return operator


def _sample(members: Members, path: Path) -> tree.Sample:
    here = below(path, "sample")
    percent = values.number(members["sample"], here, "a share in percent, from 0 to 100")
    sound(rules.percent_fault(percent), here)
    salt = members.get("of")
    return tree.Sample(percent, None if salt is None else values.text(salt, below(path, "of")))
