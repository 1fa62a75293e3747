"""
Tree to JSON document: one document a tree, with leaves that a person or a form can edit.

A leaf names its field, operator and value wherever it can; what it cannot say (arithmetic,
functions, figures over events) stands in the text of the language, as `{"expression": "..."}`, in
the place of the field or of the value. `from_document` gives the same tree back.
"""

from __future__ import annotations

import sys
from typing import Any

from headcount.query import json_operators as names
from headcount.query import rules, tree
from headcount.query.format import format as canonical
from headcount.query.lexicon import is_bare_word
from headcount.query.limits import Limits, require_within
from headcount.query.literals import write_datetime
from headcount.query.rules import MAX_EXACT
from headcount.query.tree import Duration, Segment, Value

_ANY_SIZE = Limits(conditions=sys.maxsize, values=sys.maxsize, periods=sys.maxsize)

Document = dict[str, Any]


def to_document(segment: Segment) -> Document:
    """
    Return *segment* as what `json.dumps` takes: dicts, lists, strings, numbers and booleans.

    Raises:
        UserError: LIMIT_EXCEEDED; nested more than 64 levels deep.
    """
    require_within(segment, _ANY_SIZE)
    return _segment(segment)


def _segment(node: Segment) -> Document:
    match node:
        case tree.And():
            return {"all": [_segment(item) for item in node.items]}
        case tree.Or():
            return {"any": [_segment(item) for item in node.items]}
        case tree.Not():
            return {"not": _segment(node.item)}
        case tree.Everyone():
            return {"everyone": True}
        case tree.InList():
            lists = node.names[0] if len(node.names) == 1 else list(node.names)
            return {"list": lists, **_negated(node.negated)}
        case tree.OptedOut():
            return {"opted_out": node.name, **_negated(node.negated)}
        case tree.InSegment():
            return {"segment": node.name, **_negated(node.negated)}
        case tree.Sample():
            of = {} if node.salt is None else {"of": node.salt}
            return {"sample": _number(node.percent), **of}
        case tree.Did() | tree.Regularly() | tree.Sequence():
            return _about_events(node)
        case tree.Compare():
            return _compare(node)
    left = _left(node.value)
    match node:
        case tree.Between():
            return _leaf(left, names.BETWEEN[node.negated], [_value(node.low), _value(node.high)])
        case tree.In():
            return _leaf(left, names.IN[node.negated], [_value(option) for option in node.options])
        case tree.TextMatch():
            return _leaf(left, names.MATCHES[node.op, node.negated], node.pattern)
        case tree.ContainsSet():
            operator = f"{'not_' if node.negated else ''}contains_{node.mode}"
            return {**left, "operator": operator, "value": list(node.options)}
        case tree.IsEmpty():
            return {**left, "operator": names.EMPTY[node.negated][0]}
        case tree.Within():
            return _timed(left, names.WITHIN[node.direction, node.negated][0], node.duration)
        case tree.Age():
            return _timed(left, names.AGES[node.op][0], node.duration)


def _leaf(left: Document, operator: tuple[str, tuple[str, ...]], value: Any) -> Document:
    return {**left, "operator": operator[0], "value": value}


def _timed(left: Document, operator: str, duration: Duration) -> Document:
    return {**left, "operator": operator.format(f"{duration.unit}s"), "value": duration.amount}


def _negated(negated: bool) -> Document:
    return {"negated": True} if negated else {}


def _compare(node: tree.Compare) -> Document:
    right: Any = _value(node.right)
    if node.op in names.TIME_WORDS:  # only a time makes sense here, so its text says enough
        is_time = rules.not_a_time(node.right) is None
        right = canonical(node.right) if is_time else _expression(node.right)
    return _leaf(_left(node.left), names.COMPARISONS[node.op], right)


# --- events -----------------------------------------------------------------------------------


def _about_events(node: tree.Did | tree.Regularly | tree.Sequence) -> Document:
    match node:
        case tree.Did():
            found = {**_event(node.event), **_negated(node.negated), **_times(node.times)}
        case tree.Regularly():
            every = {
                "at_least": node.at_least,
                "of_last": node.periods,
                "period": _duration(node.period),
            }
            return {**_event(node.event), **_times(node.times), "regularly": every}
        case tree.Sequence():
            then = {**_event(node.then), **_negated(node.negated)}
            found = {**_event(node.first), "then": then, "within": _duration(node.within)}
    if node.window is not None:
        found["window"] = _window(node.window)
    return found


def _event(event: tree.EventSelector) -> Document:
    where = {} if event.where is None else {"where": _segment(event.where)}
    return {"event": event.name, **where}


def _times(times: tree.Times | None) -> Document:
    if times is None:
        return {}
    n = times.n if times.high is None else [times.n, times.high]
    return {"times": {names.TIMES[times.op]: n}}


def _window(window: tree.Window) -> Document | str:
    match window:
        case tree.LastWindow():
            return {"last": _duration(window.duration)}
        case tree.BetweenWindow():
            return {"between": [canonical(window.low), canonical(window.high)]}
        case tree.EdgeWindow():
            return {window.edge.value: canonical(window.time)}
        case tree.CalendarWindow():
            return window.period.value
        case tree.Ever():
            return "ever"


def _duration(duration: Duration) -> str:
    return canonical(tree.DurationValue(duration))


# --- values -----------------------------------------------------------------------------------


def _left(node: Value) -> Document:
    """Return the left side of an operator: the name of a field if that says it all."""
    if isinstance(node, tree.Name) and node.quoted is not is_bare_word(node.name):
        return {"field": node.name}
    return _expression(node)


def _expression(node: Value) -> Document:
    return {"expression": canonical(node)}


def _value(node: Value) -> Any:
    match node:
        case tree.Number():
            return _number(node.value)
        case tree.String() | tree.Boolean():
            return node.value
        case tree.Date():
            return {"date": node.value.isoformat()}
        case tree.DateTime():
            return {"datetime": write_datetime(node.value)}
        case tree.Ago():
            return {"ago": _duration(node.duration)}
        case tree.DurationValue():
            return {"duration": _duration(node.value)}
        case tree.Name(quoted=True):
            return {"field": node.name}
        case _:
            return _expression(node)


def _number(value: float) -> float | int:
    """Return a whole number without a point, as text does."""
    return int(value) if value.is_integer() and abs(value) < MAX_EXACT else value
