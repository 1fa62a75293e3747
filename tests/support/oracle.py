"""
The oracle: docs/language.md as a program, in plain Python, one contact at a time.

It answers one question, `members(world, segment, as_of, zone)`, by asking every contact every
condition. No bitmaps, no arrays, no indexes, nothing shared with the engine but the parser, the
syntax tree and the schema: the two agree only if both follow the page. Each function cites its
section.

    oracle            which events, which names, which conditions: all that walks the tree
    oracle_values     what a value is, and how two of them compare
    oracle_functions  arithmetic, functions, aggregates
    oracle_text       key forms and patterns
    oracle_time       days, durations, windows, the calendar
    oracle_audience   who of a segment may be sent to (docs/audiences.md)

It knows the whole language; saved segments and calculated fields are worked out anew wherever their
names stand. It is asked valid segments: it raises `RefusedError` where it stumbles over something
the page calls an error, but it does not search for errors. What the page leaves open is said at the
top of `oracle_functions`, and here: names of lists are matched in key form, as labels are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query import tree
from headcount.query.parse import parse_value
from headcount.query.tree import CompareOp
from support import oracle_functions as functions
from support import oracle_text, oracle_time
from support.oracle_time import DAY, MICROSECOND, RefusedError, Stretch
from support.oracle_values import (
    TIME_WORDS,
    Contact,
    Occurrence,
    Query,
    SpokenInstant,
    Subject,
    Text,
    Value,
    age_compares,
    compared,
    contains_set,
    in_days,
    in_sample,
    is_day,
    is_number,
    is_within,
    stretch_of,
    text_matches,
    typed,
)
from support.worlds import Event, World


def members(world: World, segment: tree.Segment, as_of: dt.datetime, zone: str) -> set[str]:
    """Section 2: return the ids of the contacts that *segment* holds."""
    query = Query(world, as_of.astimezone(dt.UTC), ZoneInfo(zone))
    return {contact.id for contact in contacts_of(world) if holds(query, contact, segment)}


@lru_cache(maxsize=8)
def contacts_of(world: World) -> tuple[Contact, ...]:
    """Return the contacts with their events, each event counted once (section 8)."""
    histories: dict[str, dict[str, list[Event]]] = {id_: {} for id_ in world.contacts}
    seen = set()
    for event in world.events:
        identity = (event.contact, event.type, event.id)
        if event.id is None or identity not in seen:  # Event identity: the first one is kept
            seen.add(identity)
            histories[event.contact].setdefault(event.type, []).append(event)
    return tuple(Contact(id_, world.contacts[id_], histories[id_]) for id_ in world.contacts)


# --- conditions -------------------------------------------------------------------------------


def holds(query: Query, subject: Subject, segment: tree.Segment) -> bool:
    """
    Section 2: return whether *subject* is in *segment*.

    Every node is true or false, never unknown; a negated node is the complement of its twin.
    """
    match segment:
        case tree.Everyone():
            return True
        case tree.And(items):
            return all(holds(query, subject, item) for item in items)
        case tree.Or(items):
            return any(holds(query, subject, item) for item in items)
        case tree.Not(item):
            return not holds(query, subject, item)
        case tree.Compare() | tree.Between() if did := said_of_event(query, subject, segment):
            return holds(query, subject, did)
        case tree.Compare():
            return compare_holds(query, subject, segment)
        case tree.Between(operand, low, high, negated):
            held = value(query, subject, operand)
            above = compared(query, CompareOp.GE, held, beside(query, subject, held, low))
            below = compared(query, CompareOp.LE, held, beside(query, subject, held, high))
            return (above and below) != negated
        case tree.In(operand, options, negated):
            return is_any_of(query, subject, operand, options) != negated
        case tree.TextMatch(operand, op, pattern, negated):
            return text_matches(value(query, subject, operand), op, pattern) != negated
        case tree.ContainsSet(operand, mode, options, negated):
            return contains_set(value(query, subject, operand), mode, options) != negated
        case tree.IsEmpty(operand, negated):
            return (value(query, subject, operand) is None) != negated
        case tree.Within(operand, direction, duration, negated):
            held = value(query, subject, operand)
            return is_within(query, held, direction, duration) != negated
        case tree.Age(operand, op, duration):
            return age_compares(query, value(query, subject, operand), op, duration)
    if isinstance(subject, Occurrence):  # Section 8, `where`: nothing that asks about the contact
        raise RefusedError(f"{type(segment).__name__} inside where")
    match segment:
        case tree.InList(names, negated):
            return is_listed(subject, "list", names) != negated
        case tree.OptedOut(name, negated):
            return is_listed(subject, "opted_out", (name,)) != negated
        case tree.Sample(percent, salt):
            return in_sample(subject.id, percent, salt or "")
        case tree.Did(selector, times, window, negated):
            count = len(matching(query, subject, selector, window))
            return meets(count, times) != negated
        case tree.Regularly():
            return did_regularly(query, subject, segment)
        case tree.Sequence():
            return did_in_sequence(query, subject, segment)
        case tree.InSegment(name, negated):  # Section 5
            if name not in query.world.saved:
                raise RefusedError(f"no saved segment `{name}`")
            return holds(query, subject, query.world.saved[name]) != negated
    raise RefusedError(f"the oracle does not know {type(segment).__name__}")


# --- comparisons ------------------------------------------------------------------------------


def compare_holds(query: Query, subject: Subject, node: tree.Compare) -> bool:
    """Sections 2 and 8: `!=` is the complement of `=`; `= ""` is `is empty`."""
    held = value(query, subject, node.left)
    if isinstance(node.left, tree.String):
        held = beside(query, subject, right(query, subject, node.right), node.left)
    op = TIME_WORDS.get(node.op, node.op)
    if op in (CompareOp.EQ, CompareOp.NE):
        if node.right == tree.String(""):
            return (held is None) == (op is CompareOp.EQ)
        equal = compared(query, CompareOp.EQ, held, beside(query, subject, held, node.right))
        return equal == (op is CompareOp.EQ)
    return compared(query, op, held, beside(query, subject, held, node.right))


def is_any_of(
    query: Query, subject: Subject, operand: tree.Value, options: Sequence[tree.Value]
) -> bool:
    """Section 8, Strings: `in` is any `=`; an empty string in it is an error."""
    if tree.String("") in options:
        raise RefusedError("an empty string in a list; write `is empty`")
    held = value(query, subject, operand)
    there = (beside(query, subject, held, option) for option in options)
    return any(compared(query, CompareOp.EQ, held, one) for one in there)


def beside(query: Query, subject: Subject, other: Value, node: tree.Value) -> Value:
    """Section 8, Time expressions: a text beside a time is the date or clock time it spells."""
    if isinstance(node, tree.String) and isinstance(other, dt.date | SpokenInstant):
        spelt = dt.datetime.fromisoformat(node.value)
        is_date = len(node.value) == len("2026-03-31")
        literal = tree.Date(spelt.date()) if is_date else tree.DateTime(spelt)
        return value(query, subject, literal)
    return right(query, subject, node)


# --- lists and samples ------------------------------------------------------------------------

LIST_FIELD = Field("list", FieldType.KEYWORDS, builtin=True)


def is_listed(contact: Contact, column: str, names: Iterable[str]) -> bool:
    """Section 4: member of any of the lists, opted out of it or not; or opted out of it."""
    held = typed(contact.fields.get(column), LIST_FIELD)
    return contains_set(held, tree.SetMode.ANY, tuple(names))


def said_of_event(
    query: Query, subject: Subject, node: tree.Compare | tree.Between
) -> tree.Did | None:
    """
    Section 1: return what `opened before D` and `opened between D and E` mean of an event.

    `E` on its own means `did E`; but a field of that name wins, and beside numbers the event is a
    number of events (see `named`).
    """
    left = node.left if isinstance(node, tree.Compare) else node.value
    if not isinstance(left, tree.Name) or isinstance(subject, Occurrence):
        return None
    if names_field(query, subject, left.name):
        return None
    event = tree.EventSelector(left.name)
    match node:
        case tree.Compare(_, op, time) if op in TIME_WORDS:
            return tree.Did(event, window=tree.EdgeWindow(tree.Edge(op), time))
        case tree.Between(_, low, high, negated) if not is_number(constant(query, low)):
            return tree.Did(event, window=tree.BetweenWindow(low, high), negated=negated)
    return None


# --- events -----------------------------------------------------------------------------------


def matching(
    query: Query, contact: Contact, selector: tree.EventSelector, window: tree.Window | None
) -> list[Event]:
    """
    Sections 1 and 3: return the events of a type, alias or group that fit `where`, in the window.

    No window means all up to `as_of`; events after `as_of` are invisible.
    """
    types = query.world.schema.event(selector.name)
    if not types:
        raise RefusedError(f"unknown event {selector.name}")
    inside = window_of(query, window)
    events = [e for t in types for e in contact.events.get(t.name, ()) if inside.holds(e.time)]
    if selector.where is None:
        return events
    return [e for e in events if holds(query, Occurrence(e, types), selector.where)]


def window_of(query: Query, window: tree.Window | None) -> Stretch:
    """Section 8, Event windows: return the stretch of a window, cut at as_of."""
    if window not in query.windows:
        there = uncut_window(query, window)
        cut = query.as_of + MICROSECOND
        end = cut if there.end is None else min(there.end, cut)
        query.windows[window] = Stretch(there.start, end)
    return query.windows[window]


def uncut_window(query: Query, window: tree.Window | None) -> Stretch:
    """Section 8, Event windows: the table, row by row."""
    match window:
        case None | tree.Ever():
            return Stretch(None, None)
        case tree.LastWindow(duration):
            return oracle_time.last_window(query.as_of, duration, query.zone)
        case tree.BetweenWindow(low, high):
            return Stretch(
                stretch_of(query, constant(query, low)).start,
                stretch_of(query, constant(query, high)).end,
            )
        case tree.EdgeWindow(tree.Edge.ON, time):
            day = constant(query, time)
            if not is_day(day):
                raise RefusedError("`on` takes a day")
            return stretch_of(query, day)
        case tree.EdgeWindow(edge, time):
            there = stretch_of(query, constant(query, time))
            match edge:
                case tree.Edge.BEFORE:
                    return Stretch(None, there.start)
                case tree.Edge.AFTER:
                    return Stretch(there.end, None)
                case tree.Edge.SINCE:
                    return Stretch(there.start, None)
        case tree.CalendarWindow(period):
            first, after = oracle_time.calendar_period(period, query.today)
            return Stretch(
                oracle_time.start_of_day(first, query.zone),
                oracle_time.start_of_day(after, query.zone),
            )
    raise AssertionError(window)


def meets(count: int, times: tree.Times | None) -> bool:
    """Section 8, Numbers of events: at least once when no number is given."""
    if times is None:
        return count >= 1
    match times.op:
        case tree.TimesOp.AT_LEAST:
            return count >= times.n
        case tree.TimesOp.AT_MOST:
            return count <= times.n
        case tree.TimesOp.EXACTLY:
            return count == times.n
        case tree.TimesOp.MORE_THAN:
            return count > times.n
        case tree.TimesOp.FEWER_THAN:
            return count < times.n
        case tree.TimesOp.BETWEEN:
            assert times.high is not None
            return times.n <= count <= times.high


def did_regularly(query: Query, contact: Contact, node: tree.Regularly) -> bool:
    """Section 8: how many of the k periods, back to back up to as_of, meet the times."""
    events = matching(query, contact, node.event, None)
    met = 0
    for index in range(node.periods):
        period = oracle_time.regular_period(query.as_of, node.period, index, query.zone)
        met += meets(sum(period.holds(event.time) for event in events), node.times)
    return met >= node.at_least


def did_in_sequence(query: Query, contact: Contact, node: tree.Sequence) -> bool:
    """
    Section 2: some A in the window has a B strictly after it and at most `within` later.

    `then did not`: some A in the window has none, and its time is over by as_of. Section 8: B may
    be after the window's end, but not after as_of.
    """
    answers = [event.time for event in matching(query, contact, node.then, None)]
    for first in matching(query, contact, node.first, node.window):
        deadline = oracle_time.step(first.time, node.within, 1, query.zone)
        answered = any(first.time < time <= deadline for time in answers)
        if node.negated and not answered and deadline <= query.as_of:
            return True
        if not node.negated and answered:
            return True
    return False


# --- values -----------------------------------------------------------------------------------


def constant(query: Query, node: tree.Value) -> Value:
    """Return the value of a time expression, in which no contact takes part."""
    return value(query, Contact("", {}, {}), node)


def right(query: Query, subject: Subject, node: tree.Value) -> Value:
    """Section 8, Names and words: on the right a bare word that names no field is a string."""
    match node:
        case tree.Name(name, False) if not names_field(query, subject, name):
            return name
    return value(query, subject, node)


def value(query: Query, subject: Subject, node: tree.Value) -> Value:
    """Return the value of an expression for one contact or event; None is missing."""
    match node:
        case tree.Number(number):
            return number
        case tree.String(string):
            return string
        case tree.Boolean(truth):
            return truth
        case tree.Date(day):
            return day
        case tree.DateTime(time):
            aware = time.tzinfo is not None
            instant = time if aware else oracle_time.instant_of(time, query.zone)
            return SpokenInstant(instant.astimezone(dt.UTC), None)
        case tree.DurationValue(duration):
            return duration
        case tree.TimeWord(moment):
            return time_word(query, moment)
        case tree.Ago(duration):  # Section 8: `d ago` is `now - d`
            return functions.shifted(query, time_word(query, tree.Moment.NOW), duration, -1)
        case tree.Name(name):
            return named(query, subject, name)
        case tree.Negative(operand):
            held = value(query, subject, operand)
            return None if held is None else -in_days(held)
        case tree.Arithmetic(op, left, right_):
            return functions.arithmetic(
                query, op, value(query, subject, left), value(query, subject, right_)
            )
        case tree.Call(function, arguments):
            return called(query, subject, function, arguments)
    if isinstance(subject, Occurrence):  # Section 8, `where`: nothing that asks about the contact
        raise RefusedError(f"{type(node).__name__} inside where")
    match node:
        case tree.EventValue(pick, selector, window):
            return functions.picked(pick, matching(query, subject, selector, window))
        case tree.Aggregate():
            events = matching(query, subject, node.event, node.window)
            properties = [property_of(query, event, node.property) for event in events]
            return functions.aggregated(node.op, [p for p in properties if p is not None])
    raise AssertionError(node)


def time_word(query: Query, moment: tree.Moment) -> Value:
    """Section 8, Time expressions: `now` is an instant, the other words are dates."""
    match moment:
        case tree.Moment.NOW:
            return SpokenInstant(query.as_of, query.today)
        case tree.Moment.TODAY:
            return query.today
        case tree.Moment.YESTERDAY:
            return query.today - DAY
        case tree.Moment.TOMORROW:
            return query.today + DAY


# --- names ------------------------------------------------------------------------------------

# Section 8, Engagement times: the event types, by name or alias, whose latest event they are.
ENGAGEMENT = {
    "last_send": {"email_send", "send", "sent"},
    "last_open": {"email_open", "open", "opened"},
    "last_click": {"email_click", "click", "clicked"},
}
ENGAGEMENT_NAMES = {*ENGAGEMENT, "last_activity"}


def names_field(query: Query, subject: Subject, name: str) -> bool:
    """Return whether a word names a field of the contact or, inside `where`, a property."""
    if isinstance(subject, Occurrence):
        return any(event_type.property(name) for event_type in subject.types)
    schema = query.world.schema
    return (
        bool(schema.field(name))
        or name.casefold() in ENGAGEMENT_NAMES
        or calculation(schema, name) is not None
    )


def named(query: Query, subject: Subject, name: str) -> Value:
    """
    Section 8, Names and words: return the value of a name, which matches in any case.

    A declared field takes the place of an engagement time of the same name. A name that is no field
    but an event is a number of events: `opens = 0`.
    """
    schema = query.world.schema
    if isinstance(subject, Occurrence):
        if not names_field(query, subject, name):
            raise RefusedError(f"unknown property {name}")
        return property_of(query, subject.event, name)
    field_ = schema.field(name)
    if field_ is not None:
        if oracle_text.is_id(field_):
            return Text(subject.id, field_)
        return typed(subject.fields.get(field_.name), field_)
    if name.casefold() in ENGAGEMENT_NAMES:
        return engagement_time(query, subject, name.casefold())
    expression = calculation(schema, name)
    if expression is not None:
        return value(query, subject, expression)
    if schema.event(name):
        return len(matching(query, subject, tree.EventSelector(name), None))
    raise RefusedError(f"unknown name {name}")


def calculation(schema: Schema, name: str) -> tree.Value | None:
    """Section 4, Calculated fields: return the expression of the one called *name*, in any case."""
    for declared, text in schema.calculated.items():
        if declared.casefold() == name.casefold():
            return parsed(text)
    return None


@lru_cache(maxsize=4096)
def parsed(text: str) -> tree.Value:
    """Return the value that a text is."""
    return parse_value(text)


def property_of(query: Query, event: Event, name: str) -> Value:
    """Section 8, `where`: return a property; missing is as for a field."""
    (event_type,) = query.world.schema.event(event.type)
    field_ = event_type.property(name)
    return None if field_ is None else typed(event.properties.get(field_.name), field_)


def engagement_time(query: Query, contact: Contact, name: str) -> Value:
    """Section 8, Engagement times: the latest event of these types, up to as_of."""
    types = engagement_types(query.world, name)
    times = [e.time for type_ in types for e in contact.events.get(type_.name, ())]
    return max((time for time in times if time <= query.as_of), default=None)


def engagement_types(world: World, name: str) -> list[EventType]:
    """Section 8, Engagement times: `last_activity` is any declared type that is not a send."""
    declared = world.schema.events.values()
    if name == "last_activity":
        sends = engagement_types(world, "last_send")
        return [type_ for type_ in declared if type_ not in sends]
    wanted = ENGAGEMENT[name]
    return [t for t in declared if wanted & {n.casefold() for n in (t.name, *t.aliases)}]


# --- functions --------------------------------------------------------------------------------

CALENDAR = ("month", "day", "weekday", "year", "hour", "anniversary")


def called(query: Query, subject: Subject, function: str, arguments: Sequence[tree.Value]) -> Value:
    """Section 8, Functions: return the value of a function; see the module for `min`, `round`."""
    if function == "current_month":
        return query.today.month
    held = [value(query, subject, argument) for argument in arguments]
    if function == "coalesce":
        return coalesced(query, arguments, held)
    if any(one is None for one in held):
        return None
    if function in CALENDAR:
        return functions.calendar_part(query, function, held[0])
    if function == "length":
        return functions.length(held[0])
    return functions.numeric(function, [in_days(one) for one in held])


def coalesced(query: Query, arguments: Sequence[tree.Value], held: Iterable[Value]) -> Value:
    """Return the first value that is not missing; a literal string compares as the field does."""
    first = next((one for one in held if one is not None), None)
    if isinstance(first, str):
        names = [a.name for a in arguments if isinstance(a, tree.Name)]
        for field_ in filter(None, map(query.world.schema.field, names)):
            return Text(first, field_)
    return first
