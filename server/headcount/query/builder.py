"""
Grammar to tree: what each rule of grammar.lark makes of its parts.

lark calls a method here, named like the rule, each time a rule is complete, with the tokens and the
results of the rules in it. So the tree is built from the leaves up while the text is read, with no
parse tree between and no recursion, however deep the text nests.

Values and conditions are one kind of expression in the grammar; `_value` and `_condition` sort them
out where one of the two is wanted. A bare name is a `Did` where a condition is wanted and a name
where a value is. `Phrase` and `Property` (see phrases.py) never get into the tree.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast, get_args

from lark import Token, Transformer

from headcount.model.errors import Reason
from headcount.model.schema import nearest
from headcount.query import rules, tree
from headcount.query.lexicon import (
    AGGREGATE_FUNCTIONS,
    ALL_FUNCTIONS,
    EVENT_FUNCTIONS,
    UNITS,
    clipped,
)
from headcount.query.literals import (
    misplaced,
    read_date,
    read_datetime,
    read_name,
    read_number,
    read_string,
    read_whole,
)
from headcount.query.phrases import (
    Often,
    Phrase,
    Property,
    Regularity,
    Sequel,
    Where,
    at,
    did,
    events_of,
    select,
    window_between,
    window_edge,
)
from headcount.query.scanner import SpanError
from headcount.query.tree import (
    CompareOp,
    Duration,
    EventSelector,
    Segment,
    Span,
    Spanned,
    Times,
    TimesOp,
    Value,
)

Parts = list[Any]  # of one rule: tokens, nodes and what other rules made

_VALUES = frozenset(get_args(Value))
_CONDITIONS = frozenset(get_args(Segment))
_COMPARISONS = {op.value: op for op in CompareOp} | {
    "==": CompareOp.EQ,
    "<>": CompareOp.NE,
    "is": CompareOp.EQ,
    "is not": CompareOp.NE,
}
_AGES = {
    "more than": CompareOp.GT,
    "less than": CompareOp.LT,
    "at least": CompareOp.GE,
    "at most": CompareOp.LE,
}
_PERIODS = {period.value: period for period in tree.Period}
_TIMES = {op.value: op for op in TimesOp}
# `opened >= 5 emails`: how often, and whether that is the complement.
_COUNTS = {
    CompareOp.EQ: (TimesOp.EXACTLY, False),
    CompareOp.NE: (TimesOp.EXACTLY, True),
    CompareOp.LT: (TimesOp.FEWER_THAN, False),
    CompareOp.LE: (TimesOp.AT_MOST, False),
    CompareOp.GT: (TimesOp.MORE_THAN, False),
    CompareOp.GE: (TimesOp.AT_LEAST, False),
}


def _start(part: Any) -> int:
    return cast(int, part.start_pos if isinstance(part, Token) else part.span.start)


def _end(part: Any) -> int:
    return cast(int, part.end_pos if isinstance(part, Token) else part.span.end)


def _span(parts: Parts) -> Span:
    return Span(_start(parts[0]), _end(parts[-1]))


def _words(parts: Parts) -> str:
    """Return the keywords of *parts* in lower case, one space between them."""
    return " ".join(part.value.lower() for part in parts)


def _is_word(part: Any, *words: str) -> bool:
    return isinstance(part, Token) and part.type in words


def _value(part: Any) -> Value:
    """Return *part*, which must be a value."""
    if type(part) in _VALUES:
        return cast(Value, part)
    if isinstance(part, Property):
        written = f"{clipped(part.event)}.{clipped(part.name)}"
        raise at(
            part,
            f"`{written}` is a property of many events; say what to make of them, "
            f"such as `sum({written})`",
        )
    raise at(part, "expected a value here, found a condition")


def _condition(part: Any) -> Segment:
    """Return *part* as a condition; a bare name becomes `did name`."""
    kind = type(part)
    if kind in _CONDITIONS:
        return cast(Segment, part)
    match part:
        case tree.Name():
            return tree.Did(EventSelector(part.name, span=part.span), span=part.span)
        case Phrase(subject=tree.Name() as subject):
            return did(subject.name, subject.span, part.parts, False, part.span)
        case Phrase():
            return cast(Segment, _value(part.subject))  # raises: a property alone
        case tree.Boolean():
            instead = "everyone" if part.value else "not everyone"
            raise at(part, f"expected a condition, found only a value; write `{instead}`")
        case tree.String():
            hint = (
                "repeat what it is compared with, or write "
                f'`... in ("{clipped(part.value)}", ...)`; the name of a field takes no quotes'
            )
        case tree.Call() | tree.EventValue() | tree.Aggregate() | tree.Arithmetic():
            hint = "compare it with something, such as `... > 0`"
        case _:
            _value(part)
            hint = "compare it with something"
    raise at(part, f"expected a condition, found only a value; {hint}")


class Builder(Transformer[Token, Any]):
    """The methods are the rules and aliases of grammar.lark."""

    # --- conditions ---------------------------------------------------------------------------

    def start(self, parts: Parts) -> Segment:
        return _condition(parts[0])

    def lone_value(self, parts: Parts) -> Value:
        return _value(parts[0])

    def disjunction(self, parts: Parts) -> Segment:
        return tree.Or(tuple(map(_condition, parts[::2])), span=_span(parts))

    def conjunction(self, parts: Parts) -> Segment:
        return tree.And(tuple(map(_condition, parts[::2])), span=_span(parts))

    def negation(self, parts: Parts) -> Segment:
        return tree.Not(_condition(parts[1]), span=_span(parts))

    def negated_membership(self, parts: Parts) -> Segment:
        member: tree.InList | tree.OptedOut | tree.InSegment = parts[1]
        return replace(member, negated=True, span=_span(parts))

    def in_list(self, parts: Parts) -> Segment:
        return tree.InList((read_string(parts[2]),), span=_span(parts))

    def in_any_list(self, parts: Parts) -> Segment:
        return tree.InList(parts[4], span=_span(parts))

    def in_segment(self, parts: Parts) -> Segment:
        return tree.InSegment(read_string(parts[2]), span=_span(parts))

    def opted_out(self, parts: Parts) -> Segment:
        return tree.OptedOut(read_string(parts[4]), span=_span(parts))

    def everyone(self, parts: Parts) -> Segment:
        return tree.Everyone(span=_span(parts))

    def sample(self, parts: Parts) -> Segment:
        percent = read_number(parts[1])
        fault = rules.percent_fault(percent)
        if fault is not None:
            raise misplaced(parts[1], fault)
        salt = read_string(parts[4]) if len(parts) > 3 else None
        return tree.Sample(percent, salt, span=_span(parts))

    # --- comparisons --------------------------------------------------------------------------

    def operator(self, parts: Parts) -> Token:
        return Token("OPERATOR", _words(parts), _start(parts[0]), end_pos=_end(parts[-1]))

    def quantity(self, parts: Parts) -> Token:
        return Token("QUANTITY", _words(parts), _start(parts[0]), end_pos=_end(parts[-1]))

    def text_operator(self, parts: Parts) -> tree.TextOp:
        return tree.TextOp(_words(parts))

    def empty(self, parts: Parts) -> Token:
        return cast(Token, parts[0])

    def noun(self, parts: Parts) -> Token:
        return cast(Token, parts[0])

    def compare(self, parts: Parts) -> Segment:
        left, op, right = _value(parts[0]), _COMPARISONS[parts[1].value], _value(parts[2])
        if rules.is_age(op, right):
            assert isinstance(right, tree.Ago)
            return tree.Age(left, op, right.duration, span=_span(parts))
        return tree.Compare(left, op, right, span=_span(parts))

    def compare_times(self, parts: Parts) -> Segment | Phrase:
        word, right = parts[1].value.lower(), _value(parts[2])
        if isinstance(parts[0], Property):
            window = window_edge(tree.Edge(word), right, _span(parts[1:]))
            return Phrase(parts[0], (window,), span=_span(parts))
        return tree.Compare(_value(parts[0]), CompareOp(word), right, span=_span(parts))

    def between(self, parts: Parts) -> Segment | Phrase:
        low, high = _value(parts[-3]), _value(parts[-1])
        negated = _is_word(parts[1], "NOT")
        if isinstance(parts[0], Property) and not negated:
            window = window_between(low, high, _span(parts[1:]))
            return Phrase(parts[0], (window,), span=_span(parts))
        return tree.Between(_value(parts[0]), low, high, negated, span=_span(parts))

    def in_values(self, parts: Parts) -> Segment:
        negated = _is_word(parts[1], "NOT")
        return tree.In(_value(parts[0]), parts[-2], negated, span=_span(parts))

    def text_match(self, parts: Parts) -> Segment:
        negated = _is_word(parts[1], "NOT")
        pattern = read_string(parts[-1])
        return tree.TextMatch(_value(parts[0]), parts[-2], pattern, negated, span=_span(parts))

    def contains_set(self, parts: Parts) -> Segment:
        negated = _is_word(parts[1], "NOT")
        mode = tree.SetMode(parts[-4].value.lower())
        return tree.ContainsSet(_value(parts[0]), mode, parts[-2], negated, span=_span(parts))

    def is_empty(self, parts: Parts) -> Segment:
        operator, empty = parts[1], parts[2]
        op = _COMPARISONS[operator.value]
        by_word = operator.value in ("is", "is not")
        if op not in (CompareOp.EQ, CompareOp.NE) or (empty.type == "EMPTY" and not by_word):
            instead = "is empty" if op is CompareOp.EQ else "is not empty"
            raise SpanError(
                f"expected a value behind `{operator.value}`, found `{empty.value}`; "
                f"write `{instead}`",
                _start(operator),
                _end(empty),
            )
        return tree.IsEmpty(_value(parts[0]), op is CompareOp.NE, span=_span(parts))

    def within(self, parts: Parts) -> Segment:
        negated = _is_word(parts[1], "NOT")
        direction = tree.Direction(parts[-2].value.lower())
        duration = parts[-1].value
        return tree.Within(_value(parts[0]), direction, duration, negated, span=_span(parts))

    def age(self, parts: Parts) -> Segment:
        op = _AGES.get(parts[1].value)
        if op is None:
            raise misplaced(
                parts[1],
                "expected `more than`, `less than`, `at least` or `at most` before an age, "
                f"found `{parts[1].value}`",
                Reason.SYNTAX,
            )
        return tree.Age(_value(parts[0]), op, parts[2].value, span=_span(parts))

    # --- events -------------------------------------------------------------------------------

    def event_count(self, parts: Parts) -> Segment:
        subject, operator, number = parts[:3]
        noun = parts[3] if _is_word(parts[3], "NOUN", "TIMES") else None
        if not isinstance(subject, tree.Name) or not isinstance(number, tree.Number):
            raise _no_count(subject, number, parts[3])
        if not number.value.is_integer():
            raise at(number, f"expected a whole number of events, found {number.value:g}")
        fault = rules.count_fault(int(number.value))
        if fault is not None:
            raise _invalid(number, fault)
        window = None if _is_word(parts[-1], "NOUN", "TIMES") else parts[-1]
        assert noun is not None or window is not None
        op, negated = _COUNTS[_COMPARISONS[operator.value]]
        event = EventSelector(subject.name, span=subject.span)
        times = Times(op, int(number.value))
        return tree.Did(event, times, window, negated, span=_span(parts))

    def bare_event(self, parts: Parts) -> Phrase:
        subject = parts[0]
        if not isinstance(subject, tree.Name | Property):
            raise at(parts[1], _not_an_event(subject))
        return Phrase(subject, tuple(parts[1:]), span=_span(parts))

    def did(self, parts: Parts) -> Segment:
        negated = _is_word(parts[0], "NEVER") or _is_word(parts[1], "NOT")
        event = 2 if negated else 1
        token = parts[event]
        name_span = Span(_start(token), _end(token))
        return did(read_name(token), name_span, tuple(parts[event + 1 :]), negated, _span(parts))

    def event(self, parts: Parts) -> Token:
        return cast(Token, parts[0])

    def where(self, parts: Parts) -> Where:
        return Where(_condition(parts[2]), span=_span(parts))

    def times(self, parts: Parts) -> Often:
        words = parts[0].value
        if words == "less than":
            raise misplaced(parts[0], "expected `fewer than`, found `less than`", Reason.SYNTAX)
        return Often(Times(_TIMES[words], _events(parts[1])), span=_span(parts))

    def exact_times(self, parts: Parts) -> Often:
        word = parts[0].value.lower()
        n = {"once": 1, "twice": 2}.get(word)
        if n is None:
            n = _events(parts[0])
        return Often(Times(TimesOp.EXACTLY, n), span=_span(parts))

    def times_between(self, parts: Parts) -> Often:
        ends = []
        for part in (parts[1], parts[3]):
            if not isinstance(part, tree.Number) or not part.value.is_integer():
                raise at(part, "expected a whole number of times, such as `between 2 and 5 times`")
            ends.append(int(part.value))
        times = Times(TimesOp.BETWEEN, *ends)
        span = _span(parts)
        fault = rules.times_fault(times)
        if fault is not None:
            raise SpanError(fault, span.start, span.end, reason=Reason.INVALID_VALUE)
        return Often(times, span=span)

    def regularity(self, parts: Parts) -> Regularity:
        at_least = _whole(parts[3], "a number of periods", "in at least 3 of the last 4 weeks")
        periods = _whole(parts[7], "a number of periods", "in at least 3 of the last 4 weeks")
        by_unit = isinstance(parts[-1], Token)
        period = Duration(1, UNITS[parts[8].value.lower()]) if by_unit else parts[-1].value
        span = _span(parts)
        fault = rules.periods_fault(at_least, periods, period)
        if fault is not None:
            raise SpanError(fault, span.start, span.end, reason=Reason.INVALID_VALUE)
        return Regularity(at_least, periods, period, span=span)

    def sequel(self, parts: Parts) -> Sequel:
        negated = _is_word(parts[2], "NOT")
        position = 3 if negated else 2
        token = parts[position]
        where = parts[position + 1] if isinstance(parts[position + 1], Where) else None
        event = select(read_name(token), where, Span(_start(token), _end(token)))
        return Sequel(event, parts[-1].value, negated, span=_span(parts))

    # --- windows ------------------------------------------------------------------------------

    def last_window(self, parts: Parts) -> tree.LastWindow:
        last = parts[-1]
        if isinstance(last, Token):
            unit = last.value.lower()
            if unit.endswith("s"):
                raise misplaced(
                    last, f"expected a number of {unit}, such as `in last 3 {unit}`", Reason.SYNTAX
                )
            duration = Duration(1, UNITS[unit])
        else:
            duration = last.value
        return tree.LastWindow(duration, span=_span(parts))

    def between_window(self, parts: Parts) -> tree.BetweenWindow:
        return window_between(_value(parts[1]), _value(parts[3]), _span(parts))

    def edge_window(self, parts: Parts) -> tree.EdgeWindow:
        edge = tree.Edge(parts[0].value.lower())
        return window_edge(edge, _value(parts[1]), _span(parts))

    def calendar_window(self, parts: Parts) -> tree.Window:
        span = _span(parts)
        if _is_word(parts[0], "EVER"):
            return tree.Ever(span=span)
        words = _words(parts)
        if words not in _PERIODS:
            instead = {
                "this day": "write `today`",
                "last day": "write `yesterday`, or `in last day` for the 24 hours up to now",
            }.get(words, f"for the time up to now, write `in last 1 {parts[-1].value}`")
            raise SpanError(
                f"expected a period such as `this week` or `last month`, found `{words}`; "
                + instead,
                span.start,
                span.end,
            )
        return tree.CalendarWindow(_PERIODS[words], span=span)

    # --- values -------------------------------------------------------------------------------

    def arithmetic(self, parts: Parts) -> Value:
        op = tree.ArithmeticOp("*" if parts[1].type == "STAR" else parts[1].value)
        return tree.Arithmetic(op, _value(parts[0]), _value(parts[2]), span=_span(parts))

    def negative(self, parts: Parts) -> Value:
        operand = _value(parts[1])
        if isinstance(operand, tree.Number):
            return tree.Number(-operand.value, span=_span(parts))
        return tree.Negative(operand, span=_span(parts))

    def number(self, parts: Parts) -> Value:
        return tree.Number(read_number(parts[0]), span=_span(parts))

    def string(self, parts: Parts) -> Value:
        return tree.String(read_string(parts[0]), span=_span(parts))

    def date(self, parts: Parts) -> Value:
        return tree.Date(read_date(parts[0]), span=_span(parts))

    def datetime(self, parts: Parts) -> Value:
        return tree.DateTime(read_datetime(parts[0]), span=_span(parts))

    def boolean(self, parts: Parts) -> Value:
        return tree.Boolean(parts[0].type == "TRUE", span=_span(parts))

    def time_word(self, parts: Parts) -> Value:
        return tree.TimeWord(tree.Moment(parts[0].value.lower()), span=_span(parts))

    def name(self, parts: Parts) -> Value:
        quoted = parts[0].type == "QUOTED"
        return tree.Name(read_name(parts[0]), quoted, span=_span(parts))

    def duration(self, parts: Parts) -> tree.DurationValue:
        number, unit = parts
        amount = _whole(number, "a whole number of units of time", f"30 {unit.value}")
        duration = Duration(amount, UNITS[unit.value.lower()])
        fault = rules.duration_fault(duration)
        if fault is not None:
            raise misplaced(number, fault)
        return tree.DurationValue(duration, span=_span(parts))

    def duration_value(self, parts: Parts) -> Value:
        return cast(Value, parts[0])

    def ago(self, parts: Parts) -> Value:
        return tree.Ago(parts[0].value, span=_span(parts))

    def property(self, parts: Parts) -> Property:
        return Property(read_name(parts[0]), read_name(parts[2]), span=_span(parts))

    def group(self, parts: Parts) -> Spanned:
        inner = _condition(parts[1]) if isinstance(parts[1], Phrase) else parts[1]
        return cast(Spanned, replace(inner, span=_span(parts)))

    def values(self, parts: Parts) -> tuple[Value, ...]:
        return tuple(map(_value, parts[::2]))

    def strings(self, parts: Parts) -> tuple[str, ...]:
        return tuple(map(read_string, parts[::2]))

    def call(self, parts: Parts) -> Value:
        name, arguments, span = parts[0], parts[2:-1:2], _span(parts)
        function = name.value.lower()
        aggregates = function in AGGREGATE_FUNCTIONS and (
            function not in tree.FUNCTIONS or any(map(_about_property, arguments))
        )
        if function in EVENT_FUNCTIONS or aggregates:
            if len(arguments) != 1:
                raise SpanError(
                    f"expected one event inside `{function}(...)`, found {len(arguments)} parts",
                    span.start,
                    span.end,
                )
            return _over_events(function, arguments[0], span)
        if function not in tree.FUNCTIONS:
            suggestions = nearest(function, ALL_FUNCTIONS)
            known = "" if suggestions else f"; there are {', '.join(sorted(ALL_FUNCTIONS))}"
            raise SpanError(
                f"unknown function `{clipped(name.value)}`{known}",
                _start(name),
                _end(name),
                reason=Reason.UNKNOWN_NAME,
                suggestions=suggestions,
            )
        return tree.Call(function, tuple(map(_value, arguments)), span=span)


def _over_events(function: str, argument: Spanned, span: Span) -> Value:
    """Return `count(...)`, `sum(...)` or one of their kin."""
    subject, event, window = events_of(argument, function)
    if function in EVENT_FUNCTIONS:
        if isinstance(subject, Property):
            raise at(
                subject, f"`{function}` takes an event, not a property; write `{subject.event}`"
            )
        return tree.EventValue(tree.EventPick(function), event, window, span=span)
    if not isinstance(subject, Property):
        raise at(
            subject,
            f"expected an event and its property with a dot between, such as"
            f" `{function}(purchase.amount)`, found `{clipped(subject.name)}`",
        )
    return tree.Aggregate(tree.AggregateOp(function), event, subject.name, window, span=span)


def _about_property(argument: Any) -> bool:
    """Return whether an argument of `min` or `max` is an event's property."""
    subject = argument.subject if isinstance(argument, Phrase) else argument
    return isinstance(subject, Property)


def _whole(token: Token, what: str, example: str) -> int:
    return read_whole(token, what, example)


def _events(token: Token) -> int:
    """Return a number of events."""
    n = read_whole(token, "a whole number of times", "at least 3 times")
    fault = rules.count_fault(n)
    if fault is not None:
        raise misplaced(token, fault)
    return n


def _invalid(node: Spanned, message: str) -> SpanError:
    """Return the error of a value that cannot be."""
    return SpanError(message, _start(node), _end(node), reason=Reason.INVALID_VALUE)


def _not_an_event(subject: Any) -> str:
    _value(subject)
    return "this asks about an event, and there is none before it; write `did EVENT` in front"


def _no_count(subject: Any, number: Any, extra: Any) -> SpanError:
    """Return the error for a noun or a window behind what is no number of events."""
    _value(subject)
    _value(number)
    if isinstance(extra, Token):
        if isinstance(number, tree.Name) and not number.quoted:
            words = f"{number.name} {extra.value}"
            return SpanError(
                f'text of more than one word needs quotes: `"{clipped(words)}"`',
                _start(number),
                _end(extra),
            )
        message = f"expected `and`, `or` or the end, found `{clipped(extra.value)}`"
        return SpanError(message, _start(extra), _end(extra))
    return SpanError(
        "a window says when events happened; it goes behind an event "
        "(`opened in last 30 days`) or a number of them (`opened >= 5 in last 30 days`)",
        _start(extra),
        _end(extra),
    )
