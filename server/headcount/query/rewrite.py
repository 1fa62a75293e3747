"""
Rewrites: a bound condition into an equal one that costs less.

    positive     complements are pulled up, so that every `and` begins with a set and takes others
                 away from it, no `or` holds a complement, and at most the root is one:
                     a or not b            not (b - a)
                     not a and not b       not (a or b)
    merged       conditions on one field become one: `age >= 18 and age < 30` one range, `plan = a
                 or plan = b` one union; what another condition implies is dropped

The set difference is as cheap as the intersection, and `not` at the root is a subtraction of
numbers, so no complement of a set is ever made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from headcount.query import ranges as spans
from headcount.query.bound import (
    EVERYONE,
    NO_ONE,
    All,
    Any,
    Complement,
    Condition,
    Enough,
    InRanges,
    KeyIn,
    Matches,
    Present,
)
from headcount.query.conditions import all_of, any_of, complement, enough_of
from headcount.query.expressions import Expression, Kind

Signed = tuple[Condition, bool]  # without a complement at its root; whether all others are meant


def rewritten(condition: Condition) -> Signed:
    """Return a condition without a complement at its root, and whether it is to be complemented."""
    match condition:
        case Complement(item):
            found, negated = rewritten(item)
            return found, not negated
        case All(items):
            return _all(*_parted(items))
        case Any(items):
            held, left_out = _parted(items)
            if not left_out:
                return _root(_merged_any(held))
            found, negated = _all(left_out, held)
            return found, not negated
        case Enough(items, count):
            signed = [complement(c) if negated else c for c, negated in map(rewritten, items)]
            found = enough_of(signed, count)
            return rewritten(found) if not isinstance(found, Enough) else (found, False)
    return condition, False


def _root(condition: Condition) -> Signed:
    """Return a merged condition as `rewritten` does."""
    if isinstance(condition, Complement):
        return condition.item, True
    return condition, False


def _parted(items: Iterable[Condition]) -> tuple[list[Condition], list[Condition]]:
    """Return the rewritten items, apart from those that are to be complemented."""
    held: list[Condition] = []
    left_out: list[Condition] = []
    for found, negated in map(rewritten, items):
        (left_out if negated else held).append(found)
    return held, left_out


def _all(held: Sequence[Condition], left_out: Sequence[Condition]) -> Signed:
    """Return those in all of *held* and none of *left_out*."""
    if not held:
        found, negated = _root(_merged_any(left_out))
        return found, not negated
    return _root(_merged_all(_opened(held, All), _opened(left_out, Any)))


def _opened(items: Iterable[Condition], kind: type[All] | type[Any]) -> list[Condition]:
    """Return items with those of the inner *kind* in their place."""
    found: list[Condition] = []
    for item in items:
        if isinstance(item, All | Any) and isinstance(item, kind):
            found += item.items
        else:
            found.append(item)
    return found


# --- merging ----------------------------------------------------------------------------------


def _merged_any(items: Sequence[Condition]) -> Condition:
    """Return the union of *items*, none of which is a complement."""
    keys: defaultdict[Expression, frozenset[str]] = defaultdict(frozenset)
    ranges: defaultdict[Expression, spans.Ranges] = defaultdict(tuple)
    rest: list[Condition] = []
    for item in _opened(items, Any):
        match item:
            case KeyIn(value, wanted):
                keys[value] |= wanted
            case InRanges(value, wanted):
                ranges[value] += wanted
            case _:
                rest.append(item)
    found: list[Condition] = [KeyIn(value, wanted) for value, wanted in keys.items()]
    found += [InRanges(value, spans.union(wanted)) for value, wanted in ranges.items()]
    return any_of(dict.fromkeys(found + rest))


def _merged_all(held: Sequence[Condition], left_out: Sequence[Condition]) -> Condition:
    """Return those in all of *held* (at least one) and none of *left_out*."""
    inside, outside = dict.fromkeys(held), dict.fromkeys(left_out)
    if NO_ONE in inside or EVERYONE in outside:
        return NO_ONE
    # An `All` that was opened brings what it leaves out.
    outside |= dict.fromkeys(item.item for item in inside if isinstance(item, Complement))
    inside = {c: None for c in inside if not isinstance(c, Complement) and c != EVERYONE}
    if not inside:
        return complement(_merged_any(list(outside)))
    if any(item in inside for item in outside):
        return NO_ONE
    without = _merged_any(list(outside))
    outside = dict.fromkeys(_opened([without], Any)) if without != NO_ONE else {}
    keys: dict[Expression, frozenset[str]] = {}
    ranges: dict[Expression, spans.Ranges] = {}
    rest: list[Condition] = []
    for item in inside:
        match item:
            case KeyIn(value, wanted) if value.kind is Kind.STRING:
                keys[value] = keys.get(value, wanted) & wanted
            case InRanges(value, wanted):
                ranges[value] = spans.intersection(ranges.get(value, spans.ALL), wanted)
            case _:
                rest.append(item)
    for item in list(outside):
        if isinstance(item, KeyIn) and item.value in keys:
            keys[item.value] -= item.keys
            del outside[item]
    if not all(keys.values()) or not all(ranges.values()):
        return NO_ONE
    found: list[Condition] = [KeyIn(value, wanted) for value, wanted in keys.items()]
    found += [InRanges(value, wanted) for value, wanted in ranges.items()]
    found += rest
    valued = {c.value for c in found if isinstance(c, KeyIn | InRanges | Matches)}
    found = [c for c in found if not (isinstance(c, Present) and c.value in valued)]
    return all_of([*found, *map(Complement, outside)])
