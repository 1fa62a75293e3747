"""
Binding events: selectors, windows, numbers of times, sequences and regularity.

A window becomes a closed interval of microseconds, cut at `as_of`. A name of several event types (a
group) becomes several sources, each with the `where` bound to its own properties.

`opens = 0`, `opened before D` and `opened between D and E` look like comparisons; they are about
events when the name on the left is no field but an event. A field wins if both have the name.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from headcount.index.interval import EVER, Interval
from headcount.model.schema import FieldType, nearest
from headcount.query import bind_comparisons, bind_values, tree
from headcount.query.bound import Condition, Follows
from headcount.query.conditions import enough_of, event_count, negated_if
from headcount.query.expressions import (
    KINDS,
    Constant,
    EventAggregate,
    EventTally,
    EventTime,
    Expression,
    Kind,
    Source,
    Sources,
)
from headcount.query.names import ContactScope, PropertyScope, Scope, no_property
from headcount.query.tree import CompareOp, Duration, Edge, TimesOp

if TYPE_CHECKING:
    from headcount.query.bind import Binder

_AS_TIMES = {
    CompareOp.EQ: TimesOp.EXACTLY,
    CompareOp.NE: TimesOp.EXACTLY,
    CompareOp.LT: TimesOp.FEWER_THAN,
    CompareOp.LE: TimesOp.AT_MOST,
    CompareOp.GT: TimesOp.MORE_THAN,
    CompareOp.GE: TimesOp.AT_LEAST,
}
_EDGES = {CompareOp.BEFORE: Edge.BEFORE, CompareOp.AFTER: Edge.AFTER, CompareOp.ON: Edge.ON}


# --- what stands before the window ------------------------------------------------------------


def sources(b: Binder, node: tree.EventSelector) -> Sources:
    """Return the events that a name and its `where` stand for, one source a type."""
    events = b.known.events.get(node.name.casefold(), ())
    if not events:
        raise _unknown_event(b, node)
    if node.where is None:
        return tuple(Source(event) for event in events)
    where = node.where
    scopes = (PropertyScope(b.known, b.refusals, event, events) for event in events)
    return tuple(Source(scope.event, b.where(where, scope)) for scope in scopes)


def _unknown_event(b: Binder, node: tree.EventSelector) -> Exception:
    schema = b.known.schema
    field = schema.field(node.name)
    if field is not None or schema.engagement(node.name):
        message = f"`{node.name}` is a field, not an event; compare it with something"
        if field is not None and field.type is FieldType.BOOLEAN:
            message += f", as `{field.name} = true`"
        elif field is None or field.type in (FieldType.DATE, FieldType.DATETIME):
            message += ", or write `within last 30 days`, not `in last 30 days`"
        return b.refusals.mismatch(message, node)
    message = f"unknown event `{node.name}`"
    return b.refusals.unknown(message, node, nearest(node.name, schema.event_names()))


def bounds(times: tree.Times | None) -> tuple[int, int | None]:
    """Return the fewest and the most times (None: no limit); no number means at least once."""
    if times is None:
        return 1, None
    match times.op:
        case TimesOp.AT_LEAST:
            return times.n, None
        case TimesOp.MORE_THAN:
            return times.n + 1, None
        case TimesOp.AT_MOST:
            return 0, times.n
        case TimesOp.FEWER_THAN:
            return 0, times.n - 1
        case TimesOp.EXACTLY:
            return times.n, times.n
        case TimesOp.BETWEEN:
            assert times.high is not None
            return times.n, times.high


# --- windows ----------------------------------------------------------------------------------


def window(b: Binder, node: tree.Window | None) -> Interval:
    """Return the instants of a window, cut at as_of."""
    low, high = _uncut(b, node)
    return Interval(low, min(high, b.clock.as_of))


def _uncut(b: Binder, node: tree.Window | None) -> Interval:
    match node:
        case None | tree.Ever():
            return EVER
        case tree.LastWindow(duration):
            return last(b, duration, node)
        case tree.BetweenWindow(low, high):
            early, late = _moment(b, low), _moment(b, high)
            b.warn_if_reversed(early, late, node)
            return Interval(_edges(b, early, low)[0], _edges(b, late, high)[1])
        case tree.EdgeWindow():
            return _edge(b, node)
        case tree.CalendarWindow(period):
            first, after = b.clock.period(period)
            in_calendar = bind_values.in_calendar
            start = in_calendar(b, node, lambda: b.clock.day_start(first))
            return Interval(start, in_calendar(b, node, lambda: b.clock.day_end(after - 1)))


def last(b: Binder, duration: Duration, node: tree.Node) -> Interval:
    """Return the instants after as_of - duration, up to as_of."""
    now = b.clock.as_of
    start = bind_values.in_calendar(b, node, lambda: b.clock.step(now, duration, -1))
    return Interval(start + 1, now)


def _edge(b: Binder, node: tree.EdgeWindow) -> Interval:
    moment = _moment(b, node.time)
    if node.edge is Edge.ON and moment.kind is Kind.INSTANT:
        raise b.refusals.mismatch(
            f"`on` needs a day, but {b.refusals.quoted(node.time)} is an instant; use `between` two"
            " instants",
            node.time,
        )
    first, end = _edges(b, moment, node.time)
    match node.edge:
        case Edge.BEFORE:
            return Interval(EVER.low, first - 1)
        case Edge.AFTER:
            return Interval(end + 1, EVER.high)
        case Edge.SINCE:
            return Interval(first, EVER.high)
        case Edge.ON:
            return Interval(first, end)


def _moment(b: Binder, node: tree.Value) -> Constant:
    """Return a time that is the same for everyone."""
    scope = b.contact_scope
    found = bind_values.value(b, node, scope)
    if not found.kind.is_time:
        message = f"a window needs a time, but {b.refusals.quoted(node)} is {found.kind}"
        if found.kind is Kind.DURATION:
            message += "; write `in last 30 days`, or `since 30 days ago`"
        raise b.refusals.mismatch(message, node)
    if not isinstance(found, Constant):
        raise b.refusals.mismatch(
            f"a window needs a time that is the same for everyone, but {b.refusals.quoted(node)}"
            " differs from contact to contact",
            node,
        )
    return found


def _edges(b: Binder, moment: Constant, node: tree.Value) -> tuple[int, int]:
    """Return the first and last instant of a time: a date stands for its whole day."""
    return bind_comparisons.whole(b, Kind.INSTANT, moment, node, node)


# --- conditions -------------------------------------------------------------------------------


def did(b: Binder, node: tree.Did) -> Condition:
    """Return those with the given number of events in the window."""
    low, high = bounds(node.times)
    _warn_if_impossible(b, low, high, node)
    found = event_count(sources(b, node.event), window(b, node.window), low, high)
    return negated_if(node.negated, found)


def _warn_if_impossible(b: Binder, low: int, high: int | None, node: tree.Segment) -> None:
    if high is not None and high < max(low, 0):
        b.warn("EMPTY_RANGE", f"no number is between {low} and {high}, so nobody matches", node)


def regularly(b: Binder, node: tree.Regularly) -> Condition:
    """Return those who met the number of times in enough of the periods up to as_of."""
    found = sources(b, node.event)
    low, high = bounds(node.times)
    _warn_if_impossible(b, low, high, node)
    edges = [b.clock.as_of]
    for number in range(1, node.periods + 1):
        span = Duration(node.period.amount * number, node.period.unit)
        edges.append(last(b, span, node).low - 1)
    periods = (Interval(early + 1, late) for late, early in pairwise(edges))
    met = [event_count(found, period, low, high) for period in periods]
    return enough_of(met, node.at_least)


def follows(b: Binder, node: tree.Sequence) -> Condition:
    """Return those with a first event that is, or never was, followed by another in time."""
    bind_values.require_length(b, node.within, node)
    first, then = sources(b, node.first), sources(b, node.then)
    return Follows(
        first, then, node.within, window(b, node.window), b.clock.as_of, never=node.negated
    )


def comparison(b: Binder, node: tree.Compare, scope: Scope) -> Condition | None:
    """Return what `opens = 0` or `opened before D` means; None if it is not about an event."""
    name = _event_name(node.left, scope)
    if name is None:
        return None
    if node.op in _EDGES:
        edge = tree.EdgeWindow(_EDGES[node.op], node.right, span=node.span, place=node.place)
        return event_count(sources(b, name), window(b, edge), 1, None)
    if not isinstance(node.right, tree.Number):
        return None
    times = tree.Times(_AS_TIMES[node.op], _whole_number(b, node.right))
    low, high = bounds(times)
    found = event_count(sources(b, name), window(b, None), low, high)
    return negated_if(node.op is CompareOp.NE, found)


def between(b: Binder, node: tree.Between, scope: Scope) -> Condition | None:
    """Return what `opens between 2 and 5` or `opened between D and E` means; None if no event."""
    name = _event_name(node.value, scope)
    if name is None:
        return None
    low, high = node.low, node.high
    if isinstance(low, tree.Number) and isinstance(high, tree.Number):
        fewest, most = _whole_number(b, low), _whole_number(b, high)
        _warn_if_impossible(b, fewest, most, node)
        found = event_count(sources(b, name), window(b, None), fewest, most)
    elif bind_values.right(b, low, scope).kind.is_time:
        span = tree.BetweenWindow(low, high, span=node.span, place=node.place)
        found = event_count(sources(b, name), window(b, span), 1, None)
    else:
        return None
    return negated_if(node.negated, found)


def _event_name(node: tree.Value, scope: Scope) -> tree.EventSelector | None:
    """Return the event that *node* names, if no field has the name."""
    if not isinstance(node, tree.Name) or not isinstance(scope, ContactScope):
        return None
    if scope.find(node) is not None or scope.tally(node) is None:
        return None
    return tree.EventSelector(node.name, span=node.span, place=node.place)


def _whole_number(b: Binder, node: tree.Number) -> int:
    if node.value < 0 or node.value != int(node.value):
        message = f"a number of events is a whole number from 0, found {b.refusals.quoted(node)}"
        raise b.refusals.invalid(message, node)
    return int(node.value)


# --- values -----------------------------------------------------------------------------------


def event_value(b: Binder, node: tree.EventValue) -> Expression:
    """Return `count`, `first` or `last` of the events of a window."""
    found, interval = sources(b, node.event), window(b, node.window)
    if node.pick is tree.EventPick.COUNT:
        return EventTally(found, interval)
    return EventTime("first" if node.pick is tree.EventPick.FIRST else "last", found, interval)


def aggregate(b: Binder, node: tree.Aggregate) -> Expression:
    """Return a figure over a property of the events of a window."""
    found, interval = sources(b, node.event), window(b, node.window)
    held = [(source, source.event.property(node.property)) for source in found]
    having = tuple(Source(s.event, s.where, p) for s, p in held if p is not None)
    if not having:
        message, names = no_property(node.property, [source.event for source in found])
        raise b.refusals.unknown(message, node, nearest(node.property, names))
    kinds = {KINDS[s.property.type] for s in having if s.property is not None}
    if len(kinds) > 1:
        message = f"`{node.property}` is {' in one event and '.join(sorted(kinds))} in another"
        raise b.refusals.mismatch(message, node)
    kind = kinds.pop()
    wanted = {
        tree.AggregateOp.SUM: "a number",
        tree.AggregateOp.AVG: "a number",
        tree.AggregateOp.MIN: "a number or a time",
        tree.AggregateOp.MAX: "a number or a time",
    }.get(node.op)
    fits = wanted is None or kind is Kind.NUMBER or (kind.is_time and "time" in wanted)
    if not fits:
        message = f"`{node.op}` needs {wanted}, but `{node.property}` is {kind}"
        raise b.refusals.mismatch(message, node)
    if node.op is tree.AggregateOp.DISTINCT:
        kind = Kind.NUMBER
    return EventAggregate(node.op.value, having, interval, kind)
