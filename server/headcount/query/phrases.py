"""
Event phrases: an event with what is said about it, on the way from the grammar to the tree.

The grammar takes the parts behind an event in any order and number, so that what is wrong with them
can be said in words: here they are put in their places.

    did E [where] [times] [window]
    did E [where] [times] in at least m of the last k weeks
    did E [where] then did F [where] within d [window]
"""

from __future__ import annotations

from dataclasses import dataclass

from headcount.query import rules, tree
from headcount.query.lexicon import clipped
from headcount.query.scanner import SpanError
from headcount.query.tree import (
    Duration,
    EventSelector,
    Name,
    Segment,
    Span,
    Spanned,
    Times,
    Window,
)


@dataclass(frozen=True, slots=True)
class Property(Spanned):
    """`event.property`, as it stands inside `sum(...)`."""

    event: str
    name: str


@dataclass(frozen=True, slots=True)
class Where(Spanned):
    """`where (...)`."""

    condition: Segment


@dataclass(frozen=True, slots=True)
class Often(Spanned):
    """`at least 3 times`, with a span that `Times` does not have."""

    times: Times


@dataclass(frozen=True, slots=True)
class Regularity(Spanned):
    """`in at least m of the last k weeks`."""

    at_least: int
    periods: int
    period: Duration


@dataclass(frozen=True, slots=True)
class Sequel(Spanned):
    """`then did F within d`."""

    event: EventSelector
    within: Duration
    negated: bool


Part = Where | Often | Regularity | Sequel | Window


@dataclass(frozen=True, slots=True)
class Phrase(Spanned):
    """An event without `did`, and what is said about it."""

    subject: Name | Property
    parts: tuple[Part, ...]


def at(node: Spanned, message: str) -> SpanError:
    """Return the error about *node*, with its place."""
    assert node.span is not None
    return SpanError(message, node.span.start, node.span.end)


@dataclass(slots=True)
class _Slots:
    """The parts of one phrase, each in its place."""

    where: Where | None = None
    often: Often | None = None
    regularity: Regularity | None = None
    sequel: Sequel | None = None
    window: Window | None = None


def _sort(parts: tuple[Part, ...]) -> _Slots:
    """Put parts in their places, and refuse two of a kind and a wrong order."""
    slots = _Slots()
    for part in parts:
        match part:
            case Where():
                if slots.where:
                    raise at(part, "a second `where`: join the conditions inside one with `and`")
                if part is not parts[0]:
                    raise at(part, "`where (...)` comes right behind the event")
                slots.where = part
            case Often():
                if slots.often:
                    raise at(part, "a second number of times; one is enough")
                if slots.window:
                    raise at(part, "the number of times comes before the window")
                if slots.regularity or slots.sequel:
                    raise at(part, "the number of times comes right behind the event")
                slots.often = part
            case Regularity():
                if slots.regularity:
                    raise at(part, "a second `in at least ... of the last ...`; one is enough")
                if slots.window:
                    raise at(part, "the last periods already say when; leave out the window")
                slots.regularity = part
            case Sequel():
                if slots.sequel:
                    raise at(part, "a third event: a sequence has two; join two sequences by `and`")
                if slots.window:
                    raise at(part, "the window of a sequence comes at its end, behind `within`")
                if slots.often or slots.regularity:
                    raise at(part, "a sequence asks about some event, not a number of them")
                slots.sequel = part
            case _:
                if slots.window:
                    raise at(part, "a second window; one is enough")
                if slots.regularity:
                    raise at(part, "the last periods already say when; leave out the window")
                slots.window = part
    return slots


def select(name: str, where: Where | None, span: Span | None) -> EventSelector:
    """Return the events called *name* that fit *where*."""
    if where is None:
        return EventSelector(name, span=span)
    other = rules.not_about_the_event(where.condition)
    if other is not None:
        if isinstance(other, tree.Did) and other == tree.Did(EventSelector(other.event.name)):
            word = clipped(other.event.name)
            raise at(other, f"expected a comparison of `{word}`, such as `{word} = true`")
        raise at(other, "`where` compares properties of the event; ask about other things outside")
    return EventSelector(name, where.condition, span=span)


def did(
    name: str, name_span: Span | None, parts: tuple[Part, ...], negated: bool, span: Span | None
) -> Segment:
    """Return the condition `did name parts`, or `did not` if it is *negated*."""
    slots = _sort(parts)
    event = select(name, slots.where, name_span)
    if negated and (slots.sequel or slots.regularity):
        raise SpanError(
            "`did not` does not go with this; for the opposite, "
            f"write `not did {clipped(name)} ...`",
            span.start if span else 0,
            name_span.end if name_span else 0,
        )
    if slots.sequel:
        then = slots.sequel
        return tree.Sequence(event, then.event, then.within, then.negated, slots.window, span=span)
    times = slots.often.times if slots.often else None
    if slots.regularity:
        found = slots.regularity
        return tree.Regularly(event, times, found.at_least, found.periods, found.period, span=span)
    return tree.Did(event, times, slots.window, negated, span=span)


def events_of(
    argument: Spanned, function: str
) -> tuple[Name | Property, EventSelector, Window | None]:
    """
    Return the subject, the events and the window of the argument of `count(...)` or `sum(...)`.

    `opened between D and E` and `opened before D` arrive as conditions on a name; here they can
    only be a window.
    """
    phrase = _as_phrase(argument)
    if phrase is None:
        if isinstance(argument, tree.Did):
            raise at(argument, f"expected an event inside `{function}(...)`; leave out `did`")
        what = "purchase" if function in ("count", "first", "last") else "purchase.amount"
        raise at(
            argument,
            f"expected an event inside `{function}(...)`, such as "
            f"`{function}({what} in last 30 days)`",
        )
    slots = _sort(phrase.parts)
    for extra in (slots.often, slots.regularity, slots.sequel):
        if extra is not None:
            raise at(extra, f"only `where` and a window go inside `{function}(...)`")
    subject = phrase.subject
    name = subject.event if isinstance(subject, Property) else subject.name
    return subject, select(name, slots.where, subject.span), slots.window


def _as_phrase(argument: Spanned) -> Phrase | None:
    match argument:
        case Phrase():
            return argument
        case Name() | Property():
            return Phrase(argument, (), span=argument.span)
        case tree.Between(value=Name() as subject, negated=False):
            window: Window = window_between(argument.low, argument.high, argument.span)
            return Phrase(subject, (window,), span=argument.span)
        case tree.Compare(left=Name() as subject) if argument.op.value in _EDGES:
            window = window_edge(_EDGES[argument.op.value], argument.right, argument.span)
            return Phrase(subject, (window,), span=argument.span)
    return None


_EDGES = {edge.value: edge for edge in tree.Edge}


def window_between(low: tree.Value, high: tree.Value, span: Span | None) -> tree.BetweenWindow:
    """Return the window from *low* to *high*, which must be times."""
    for time in (low, high):
        _require_time(time)
    return tree.BetweenWindow(low, high, span=span)


def window_edge(edge: tree.Edge, time: tree.Value, span: Span | None) -> tree.EdgeWindow:
    """Return the window on one side of *time*, which must be a time."""
    _require_time(time)
    return tree.EdgeWindow(edge, time, span=span)


def _require_time(value: tree.Value) -> None:
    other = rules.not_a_time(value)
    if other is None:
        return
    wanted = "a fixed time, such as `2026-03-04`, `today - 7 days` or `30 days ago`"
    match other:
        case tree.String():
            found = "text; write the time without quotes"
        case tree.Name():
            found = f"the name `{clipped(other.name)}`"
        case tree.DurationValue():
            found = "a duration; for a time that long ago, add `ago`"
        case tree.Number():
            found = "a number"
        case tree.Arithmetic():
            found = "other arithmetic than adding or taking a duration"
        case _:
            found = "what is no time, or not the same for all contacts"
    raise at(other, f"a window needs {wanted}, found {found}")
