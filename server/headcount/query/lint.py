"""
Lint: what is legal in a segment, and probably not what was meant.

    written    from the tree: `and` beside `or` without parentheses, `status = Active` alone
    meant      from the bound conditions: what can hold nobody, or leave nobody out; no `status`
    counted    from the counts of a survey: parts that change nothing, negatives that mostly find
               missing values, a segment that is empty or full today

Each warning has a stable code, a place if the segment is text, and says what to do. None of them
refuses anything. `written` costs 1 µs a node and `meant` 10 µs a condition; `counted` costs nothing
beside the survey. Those that look into the data are in `absent`, `stale` and `duplicates`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from headcount.index.interval import Interval
from headcount.query import tree
from headcount.query.bound import (
    All,
    Always,
    Any,
    Bound,
    Complement,
    Condition,
    EventCount,
    Holds,
    InRanges,
    KeyIn,
    KeysAll,
    Matches,
    Node,
    Present,
    QueryWarning,
    children,
)
from headcount.query.conditions import all_of, complement
from headcount.query.expressions import Expression, FieldValue, Sources
from headcount.query.format import format as canonical
from headcount.query.meanings import compared
from headcount.query.outline import Outline, Part
from headcount.query.refusals import Refusals
from headcount.query.rewrite import rewritten
from headcount.query.survey import Tally

STATUS = "status"
ALWAYS = ("ALWAYS_EMPTY", "ALWAYS_FULL")

_ACTIVE = frozenset({"active"})  # in key form
_MOST_PAIRED = 32  # conditions of one `and` in which two that exclude each other are looked for


# --- as it was written ------------------------------------------------------------------------


def written(segment: tree.Segment, bound: Bound, text: str | None) -> tuple[QueryWarning, ...]:
    """Return what the words alone show; *text* is what *segment* was parsed from."""
    refusals = Refusals(text)
    found = [] if text is None else list(mixed(segment, refusals))
    match bound.condition:
        case KeyIn(FieldValue(field), keys) if field.name == STATUS and keys == _ACTIVE:
            message = (
                "`status = Active` alone is everybody who can be written to; add what this audience"
                " has in common"
            )
            found.append(QueryWarning("STATUS_ALONE", message, refusals.position(segment)))
    return tuple(found)


def mixed(segment: tree.Segment, refusals: Refusals) -> Iterator[QueryWarning]:
    """Yield a warning for each `and` that stands beside an `or` without parentheses."""
    # Inside a condition there is an `or` only behind a `where`.
    within = refusals.text is None or "where" in refusals.text.lower()
    stack: list[tree.Node] = [segment]
    while stack:
        node = stack.pop()
        if within or isinstance(node, tree.And | tree.Or | tree.Not):
            stack += reversed(tuple(tree.children(node)))
        for item in node.items if isinstance(node, tree.Or) else ():
            if isinstance(item, tree.And) and _is_bare(item):
                message = (
                    f"`and` binds tighter than `or`, so {refusals.quoted(item)} is one alternative"
                    " of the `or`; write parentheses around it, or where you mean them"
                )
                yield QueryWarning("MIXED_AND_OR", message, refusals.position(item))


def _is_bare(node: tree.And) -> bool:
    """Return whether an `and` was written without parentheses around it: they are in its span."""
    span, first = node.span, node.items[0].span
    return span is not None and first is not None and span.start == first.start


# --- what it means ----------------------------------------------------------------------------


def meant(
    outlined: Outline,
    text: str | None,
    *,
    for_send: bool = False,
    may_be_empty: bool = True,
    may_be_full: bool = True,
) -> list[QueryWarning]:
    """
    Return what can be said of a segment whatever the data are.

    *for_send*: it is going to choose who is written to, so that it should ask for the status. Who
    knows that it holds somebody, or not everybody, need not have it looked at for that.
    """
    refusals, root = Refusals(text), outlined.root
    found = []
    if may_be_empty and never(root.condition):
        because = _conflict(root, refusals)
        message = f"no contact can ever be in this segment: {because}"
        found.append(QueryWarning("ALWAYS_EMPTY", message, refusals.position(root.node)))
    elif (
        may_be_full
        and never(complement(root.condition))
        and not isinstance(root.node, tree.Everyone)
    ):
        message = (
            "this segment leaves nobody out, whatever the data: its conditions cover every case;"
            " change one, or write `everyone` if that is meant"
        )
        found.append(QueryWarning("ALWAYS_FULL", message, refusals.position(root.node)))
    if for_send and not asks_status(root.condition):
        message = (
            "nothing in this segment asks for `status`, so it may hold contacts who unsubscribed or"
            " bounced; add `and status = Active`"
        )
        found.append(QueryWarning("NO_STATUS", message, refusals.position(root.node)))
    return found


def asks_status(condition: Condition) -> bool:
    """Return whether a condition, saved segments and calculated fields included, asks `status`."""
    stack: list[Node] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, FieldValue) and node.field.name == STATUS:
            return True
        stack.extend(children(node))
    return False


def never(condition: Condition) -> bool:
    """
    Return whether it is certain that nobody can be in *condition*, whatever the data are.

    False says nothing. 10 µs a condition.
    """
    found, negated = rewritten(condition)
    return _always(found) if negated else _never(found)


def _never(condition: Condition) -> bool:
    match condition:
        case Always(truth):
            return not truth
        case All(items):
            return any(map(_never, items)) or _exclude(items)
        case Any(items):
            return all(map(_never, items))
        case Complement(item):
            return _always(item)
    return False


def _always(condition: Condition) -> bool:
    match condition:
        case Always(truth):
            return truth
        case All(items):
            return all(map(_always, items))
        case Any(items):
            return any(map(_always, items))
        case Complement(item):
            return _never(item)
    return False


def _exclude(items: Iterable[Condition]) -> bool:
    """Return whether conditions of one `and` contradict each other."""
    valued: set[Expression] = set()  # that must have a value
    empty: set[Expression] = set()  # that must have none
    at_least: list[tuple[Sources, Interval, int]] = []
    at_most: list[tuple[Sources, Interval, int]] = []
    for item in items:
        match item:
            case KeyIn(value) | KeysAll(value) | InRanges(value) | Matches(value):
                valued.add(value)
            case Holds(value) | Present(value):
                valued.add(value)
            case Complement(Present(value)):
                empty.add(value)
            case EventCount(sources, interval, low, high):
                at_least.append((sources, interval, low))
                if high is not None:
                    at_most.append((sources, interval, high))
            case Complement(EventCount(sources, interval, low, None)):
                at_most.append((sources, interval, low - 1))
    return not valued.isdisjoint(empty) or any(
        events == same and low > high and wide.low <= narrow.low and narrow.high <= wide.high
        for events, narrow, low in at_least
        for same, wide, high in at_most
    )


def _conflict(root: Part, refusals: Refusals) -> str:
    """Return which condition, or which two of one `and`, nobody can fit, and what to do."""
    parts = list(_factors(root))
    for part in parts:
        if never(part.condition):
            return f"{refusals.quoted(part.node)} holds nobody; change it"
    for one, other in combinations(parts[:_MOST_PAIRED], 2):
        if never(all_of([one.condition, other.condition])):
            return (
                f"{refusals.quoted(one.node)} and {refusals.quoted(other.node)} exclude each other;"
                " change one of them"
            )
    return "its conditions exclude each other; change one of them"


def _factors(part: Part) -> Iterator[Part]:
    """Yield what the `and`s at the top of a segment join."""
    if isinstance(part.node, tree.And):
        for inner in part.parts:
            yield from _factors(inner)
    else:
        yield part


# --- what it holds ----------------------------------------------------------------------------


def counted(
    outlined: Outline,
    tallies: Sequence[Tally],
    contacts: int,
    text: str | None,
    *,
    always: bool,
) -> list[QueryWarning]:
    """
    Return what the counts of a thorough survey show; *contacts* is how many there are in all.

    That a segment is empty or full today is not said of one that *always* is, nor of `everyone`.
    """
    refusals, root = Refusals(text), outlined.root
    count = tallies[0].count
    found = [_mostly_missing(part, tallies[part.place], refusals) for part in outlined.parts]
    if not contacts:
        return []
    if count == 0:
        found.append(None if always else _empty(outlined, tallies, refusals))
    elif count == contacts:
        certain = always or isinstance(root.node, tree.Everyone)
        message = (
            f"this segment holds all {contacts:,} contacts today; check the conditions, or write"
            " `everyone` if that is meant"
        )
        warning = QueryWarning("FULL_NOW", message, refusals.position(root.node))
        found.append(None if certain else warning)
    else:
        found += _without_effect(root, tallies, refusals)
    return [warning for warning in found if warning is not None]


def _mostly_missing(part: Part, tally: Tally, refusals: Refusals) -> QueryWarning | None:
    if tally.missing is None or tally.missing * 2 <= tally.count:
        return None
    negated = isinstance(part.node, tree.Not)
    node = part.node.item if isinstance(part.node, tree.Not) else part.node
    values = [refusals.quoted(value) for value in compared(node, negated)[:1]]
    message = (
        f"{tally.missing:,} of the {tally.count:,} contacts that {refusals.quoted(part.node)} holds"
        f" are there only because {' or '.join(values)} is missing; to leave them out, add"
        f" `and {canonical(compared(node, negated)[0])} is not empty`"
    )
    return QueryWarning("MOSTLY_MISSING", message, refusals.position(part.node))


def _empty(outlined: Outline, tallies: Sequence[Tally], refusals: Refusals) -> QueryWarning:
    message = "no contact is in this segment today"
    others = [(tallies[part.place].without or 0, -part.place, part) for part in outlined.parts]
    most, _, part = max(others)
    if most:
        message += f"; without {refusals.quoted(part.node)} it would hold {most:,}"
    else:
        message += "; check its values, or leave conditions out until it holds somebody"
    return QueryWarning("EMPTY_NOW", message, refusals.position(outlined.root.node))


def _without_effect(
    part: Part, tallies: Sequence[Tally], refusals: Refusals
) -> Iterator[QueryWarning]:
    """Yield a warning for each part that changes nothing, but not for what is inside of it."""
    tally = tallies[part.place]
    if tally.without == tallies[0].count and part.place and not asks_status(part.condition):
        message = (
            f"{refusals.quoted(part.node)} changes nothing today: without it the segment holds the"
            f" same {tally.without:,}; leave it out, or check what it compares with"
        )
        yield QueryWarning("NO_EFFECT", message, refusals.position(part.node))
        return
    for inner in part.parts:
        yield from _without_effect(inner, tallies, refusals)
