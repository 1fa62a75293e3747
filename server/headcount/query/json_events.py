"""
What is said about events in JSON: how often, when, and in how many periods.

    {"event": "email_open",
     "times": {"at_least": 3},                                            or 3: exactly three
     "window": {"last": "30 days"}}                                       or "last month", "ever"
    {"event": "email_open",
     "regularly": {"at_least": 3, "of_last": 4, "period": "1 week"}}

Read apart from conditions: none of these holds a condition, so none of them nests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headcount.model.schema import nearest
from headcount.query import json_values as values
from headcount.query import rules, tree
from headcount.query.json_operators import TIMES
from headcount.query.json_values import below, described, item, listed, refuse, sound
from headcount.query.place import Path, Place

_TIMES = {name: op for op, name in TIMES.items()}
_EDGES = {edge.value: edge for edge in tree.Edge}
_WINDOWS = ("last", "between", *_EDGES)
_PERIODS = {period.value: period for period in tree.Period}
_REGULARLY = ("at_least", "of_last", "period")

Members = Mapping[str, Any]


def times(members: Members, path: Path) -> tree.Times | None:
    """Return how often something must have happened, if `times` says so."""
    if "times" not in members:
        return None
    found, here = members["times"], below(path, "times")
    what = "a whole number of times"
    if isinstance(found, int | float | values.NoNumber) and not isinstance(found, bool):
        chosen = tree.Times(tree.TimesOp.EXACTLY, values.whole(found, here, what))
        sound(rules.times_fault(chosen), here)
        return chosen
    kind, inside = _one_of(found, _TIMES, here, "a number of times", '{"at_least": 3}')
    op, here = _TIMES[kind], below(here, kind)
    if op is tree.TimesOp.BETWEEN:
        low, high = _two(inside, here, "numbers")
        ends = values.whole(low, item(here, 0), what), values.whole(high, item(here, 1), what)
        chosen = tree.Times(op, *ends)
    else:
        chosen = tree.Times(op, values.whole(inside, here, what))
    sound(rules.times_fault(chosen), here)
    return chosen


def window(members: Members, path: Path) -> tree.Window | None:
    """Return when something must have happened, if `window` says so."""
    if "window" not in members:
        return None
    found, here = members["window"], below(path, "window")
    if isinstance(found, str):
        return _calendar(found, here)
    kind, inside = _one_of(found, _WINDOWS, here, "a window", '{"last": "30 days"}')
    here = below(here, kind)
    if kind == "last":
        return tree.LastWindow(values.duration(inside, here), place=Place(here))
    if kind == "between":
        low, high = _two(inside, here, "times")
        ends = values.time(low, item(here, 0)), values.time(high, item(here, 1))
        return tree.BetweenWindow(*ends, place=Place(here))
    return tree.EdgeWindow(_EDGES[kind], values.time(inside, here), place=Place(here))


def regularly(event: tree.EventSelector, members: Members, path: Path) -> tree.Regularly:
    """Return the condition that enough of the last periods had such events."""
    here = below(path, "regularly")
    example = '{"at_least": 3, "of_last": 4, "period": "1 week"}'
    parts = values.members(members["regularly"], here, "periods", example)
    values.only(parts, _REGULARLY, here)
    for key in _REGULARLY:
        if key not in parts:
            refuse(here, f"expected `{key}`, as in {example}, found none")
    at_least, periods = (
        values.whole(parts[key], below(here, key), "a number of periods")
        for key in ("at_least", "of_last")
    )
    period = values.duration(parts["period"], below(here, "period"))
    sound(rules.periods_fault(at_least, periods, period), here)
    return tree.Regularly(event, times(members, path), at_least, periods, period)


def negated(members: Members, path: Path) -> bool:
    """Return whether `negated` asks for the opposite."""
    found = members.get("negated", False)
    if not isinstance(found, bool):
        refuse(below(path, "negated"), f"expected true or false, found {described(found)}")
    return found


def _one_of(
    found: object, keys: Iterable[str], path: Path, what: str, example: str
) -> tuple[str, Any]:
    """Return the only member of an object, whose key is one of *keys*."""
    known = tuple(keys)
    parts = values.members(found, path, what, example)
    if len(parts) != 1 or next(iter(parts)) not in known:
        message = f"expected one of {listed(known)}, found {values.some(parts)}"
        refuse(path, message, suggestions=values.near(next(iter(parts), ""), known))
    return next(iter(parts.items()))


def _two(found: object, path: Path, what: str) -> tuple[Any, Any]:
    if not isinstance(found, list) or len(found) != 2:
        refuse(path, f"expected a list of two {what}, the lower first, found {described(found)}")
    return found[0], found[1]


def _calendar(word: str, path: Path) -> tree.Window:
    """Return the window that is one word or two: `ever`, `today`, `last month`."""
    spelled = word.strip().lower().replace("_", " ")
    if spelled == "ever":
        return tree.Ever(place=Place(path))
    period = _PERIODS.get(spelled)
    if period is None:
        refuse(
            path,
            f'expected {{"last": "30 days"}} or a period such as "today", "this week", "last month"'
            f' or "ever", found {described(word)}',
            suggestions=nearest(spelled, (*_PERIODS, "ever")),
        )
    return tree.CalendarWindow(period, place=Place(path))
