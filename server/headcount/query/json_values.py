"""
JSON values: what stands in `value` and its kin to the values, names and numbers of the tree.

    "Pro"   5   true                          text, a number, a boolean
    {"date": "2026-03-31"}                    a day; {"datetime": "2026-03-31T17:30:00Z"} a time
    {"ago": "30 days"}  {"duration": "30 days"}
    {"field": "city"}                         another field's value
    {"expression": "total_spent / orders"}    anything else, in the text of the language

A plain string is kept as text: JSON has no dates, so whether one is meant is known only beside a
date field, where bind reads it as one. Where nothing but a time can stand (windows; `before`,
`after`, `on`), a string is the text of a time: "2026-03-31", "today", "30 days ago".
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest
from headcount.query import rules, tree
from headcount.query.limits import Limits
from headcount.query.parse import parse_value
from headcount.query.place import Path, Place, spelled
from headcount.query.tree import Duration, Node, Value

# JSON spells out what text has a symbol for, so its limit in bytes is that of text, times this:
# `a<b or ` is 7 bytes of text and 71 of JSON.
WIDER = 16

_LONGEST_SHOWN = 40  # code points of what was found
_TYPED = ("date", "datetime", "ago", "duration", "field", "expression")


@dataclass(frozen=True, slots=True)
class NoNumber:
    """What stands in the place of a number that no double can be: NaN, or 400 digits."""

    shown: str


class Members(dict[str, Any]):
    """A JSON object; `twice` is a key that it had more than once, if there was one."""

    twice: str | None = None


# --- places and refusals ----------------------------------------------------------------------


def below(path: Path, key: str) -> Path:
    """Return the path of a member."""
    shown = key if len(key) <= _LONGEST_SHOWN else key[:_LONGEST_SHOWN] + "..."
    return path, "." + (shown if shown.isprintable() else ascii(shown)[1:-1])


def item(path: Path, index: int) -> Path:
    """Return the path of an item of a list."""
    return path, f"[{index}]"


def refuse(
    path: Path,
    message: str,
    reason: Reason = Reason.SYNTAX,
    suggestions: tuple[str, ...] = (),
) -> NoReturn:
    """Raise the error about the place *path*."""
    raise UserError(reason, message, field=spelled(path), suggestions=suggestions)


def sound(fault: str | None, path: Path) -> None:
    """Raise the fault of a rule, if there is one."""
    if fault is not None:
        refuse(path, fault, Reason.INVALID_VALUE)


@contextlib.contextmanager
def placed(path: Path) -> Iterator[None]:
    """Give the errors of the parser the place of the text in the document; theirs is inside it."""
    try:
        yield
    except UserError as error:
        raise UserError(
            error.reason,
            error.message,
            position=error.position,
            field=spelled(path),
            suggestions=error.suggestions,
        ) from None


def described(value: object) -> str:
    """Return what was found, for the end of a message."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            shown = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "..."
            return f'"{shown}"' if shown.isprintable() else ascii(shown)
        case NoNumber():
            return value.shown
        case int() | float():
            return f"{value:g}" if abs(value) < 1e300 else "a huge number"
        case list() | tuple():
            return f"a list of {len(value)}" if value else "an empty list"
        case dict():
            return "an object" if value else "an empty object"
    return f"a Python {type(value).__name__}"


def listed(keys: tuple[str, ...]) -> str:
    """Return keys as a list in words."""
    quoted = [f"`{key}`" for key in keys]
    return " and ".join((", ".join(quoted[:-1]), quoted[-1]) if len(quoted) > 1 else quoted)


def some(found: Iterable[str]) -> str:
    """Return the first few of the keys of an object in words."""
    return ", ".join(described(key) for key in list(found)[:3]) or "none"


# --- leaves -----------------------------------------------------------------------------------


def members(value: object, path: Path, what: str, example: str) -> dict[str, Any]:
    """Return the members of an object, none of which it has twice."""
    if not isinstance(value, dict):
        refuse(path, f"expected {what}, an object such as {example}, found {described(value)}")
    twice = getattr(value, "twice", None)
    if twice is not None:
        refuse(below(path, twice), f"expected each key once, found {described(twice)} twice")
    for key in value:
        if not isinstance(key, str):
            refuse(path, f"expected keys that are text, found {described(key)}")
    return value


# What other tools call the same thing.
FOREIGN = {
    "and": "all", "must": "all", "or": "any", "should": "any", "rules": "conditions",
    "filters": "conditions", "combinator": "logic", "op": "operator", "property": "field",
    "attribute": "field", "propertyName": "field", "values": "value", "text": "expression",
}  # fmt: skip


def near(key: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the *known* keys that may have been meant by *key*."""
    meant = FOREIGN.get(key)
    return (meant,) if meant in known else nearest(key, known)  # type: ignore[return-value]


def only(found: Iterable[str], keys: tuple[str, ...], path: Path) -> None:
    """Refuse a key that means nothing here."""
    for key in found:
        if key not in keys:
            message = f"expected only {listed(keys)} here, found {described(key)}"
            refuse(below(path, key), message, suggestions=near(key, keys))


def text(value: object, path: Path, what: str = "text") -> str:
    """Return a string, which must be Unicode."""
    if not isinstance(value, str):
        quoted = ", in quotes" if isinstance(value, int | float) else ""
        refuse(path, f"expected {what}{quoted}, found {described(value)}")
    fault = rules.text_fault(value)
    if fault is not None:
        refuse(path, fault, Reason.INVALID_VALUE)
    return value


def name(value: object, path: Path, what: str = "the name of a field") -> str:
    """Return the name of a field, property or event."""
    found = text(value, path, what)
    fault = rules.name_fault(found)
    if fault is not None:
        refuse(path, fault)
    return found


def number(value: object, path: Path, what: str = "a number") -> float:
    """Return a number as a double; whole ones must be held exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float | NoNumber):
        refuse(path, f"expected {what}, found {described(value)}")
    if isinstance(value, NoNumber) or (isinstance(value, float) and not math.isfinite(value)):
        shown = value.shown if isinstance(value, NoNumber) else str(value)
        refuse(path, f"expected a finite number, found {shown}", Reason.INVALID_VALUE)
    try:
        found = float(value)
    except OverflowError:
        refuse(path, "expected a number up to 1.8e308, found a larger one", Reason.INVALID_VALUE)
    if found != value:
        refuse(
            path,
            f"expected a number that is held exactly, found one above {rules.MAX_EXACT:,}; if this"
            " is an id, put it in quotes",
            Reason.INVALID_VALUE,
        )
    return found


def whole(value: object, path: Path, what: str) -> int:
    """Return a whole number from 0 to 10^18."""
    found = number(value, path, what)
    if not found.is_integer():
        refuse(path, f"expected {what}, found {described(value)}")
    if not 0 <= found <= 1e18:
        refuse(path, f"expected {what}, from 0, found {described(value)}", Reason.INVALID_VALUE)
    return int(found)


def duration(value: object, path: Path) -> Duration:
    """Return a duration, which is written as in text: "30 days"."""
    example = 'a duration such as "30 days"'
    found = _parsed(text(value, path, example), path)
    if not isinstance(found, tree.DurationValue):
        refuse(path, f"expected {example}, found {described(value)}")
    return found.value


def _parsed(written: str, path: Path, limits: Limits | None = None) -> Value:
    with placed(path):
        return parse_value(written, limits or Limits())


def expression(written: str, path: Path, limits: Limits) -> Value:
    """Return the value that a text of the language is."""
    found = _parsed(written, path, widened(limits))
    located(found, path, written)
    return found


def located(node: Node, path: Path, written: str) -> None:
    """Say of all in *node*, just parsed from *written*, that this stands at *path*."""
    stack = [node]
    while stack:
        one = stack.pop()
        stack += tree.children(one)
        span = one.span or tree.Span(0, len(written))
        tree.placed(one, Place(path, text=written, start=span.start, end=span.end))


def widened(limits: Limits) -> Limits:
    """Return the limits of a text inside a document, whose own bytes are limited as a whole."""
    return replace(limits, text_bytes=limits.text_bytes * WIDER)


def time(value: object, path: Path) -> Value:
    """Return a time, from the text of one."""
    example = 'a date or time such as "2026-03-31", "today" or "30 days ago"'
    found = _parsed(text(value, path, example), path)
    if rules.not_a_time(found) is not None:
        refuse(path, f"expected {example}, found {described(value)}")
    return tree.placed(found, Place(path))


def time_or_value(found: object, path: Path, limits: Limits) -> Value:
    """Return a time from a string, and the value of anything else."""
    return time(found, path) if isinstance(found, str) else value(found, path, limits)


# --- values -----------------------------------------------------------------------------------


def value(found: object, path: Path, limits: Limits) -> Value:
    """Return the value that a JSON value stands for."""
    match found:
        case str():
            return tree.String(text(found, path), place=Place(path))
        case bool():
            return tree.Boolean(found, place=Place(path))
        case int() | float() | NoNumber():
            return tree.Number(number(found, path), place=Place(path))
        case dict():
            return _typed(found, path, limits)
    refuse(
        path,
        f"expected a value: text, a number, true, false or an object such as"
        f' {{"date": "2026-03-31"}}, found {described(found)}',
    )


def _typed(found: object, path: Path, limits: Limits) -> Value:
    """Return the value of an object with one member, whose key says what it is."""
    parts = members(found, path, "a value", '{"date": "2026-03-31"}')
    if len(parts) != 1 or next(iter(parts)) not in _TYPED:
        refuse(
            path,
            f"expected one of {listed(_TYPED)} to say what the value is, found {some(parts)}",
            suggestions=near(next(iter(parts), ""), _TYPED),
        )
    ((kind, inside),) = parts.items()
    here = below(path, kind)
    match kind:
        case "date":
            return _literal(inside, here, tree.Date, 'a date such as "2026-03-31"')
        case "datetime":
            example = 'a date with a time such as "2026-03-31T17:30:00Z"'
            return _literal(inside, here, tree.DateTime, example)
        case "ago":
            return tree.Ago(duration(inside, here), place=Place(here))
        case "duration":
            return tree.DurationValue(duration(inside, here), place=Place(here))
        case "field":
            return tree.Name(name(inside, here), quoted=True, place=Place(here))
    return expression(text(inside, here), here, limits)


def _literal(
    inside: object, path: Path, kind: type[tree.Date] | type[tree.DateTime], example: str
) -> Value:
    found = _parsed(text(inside, path, example), path)
    if not isinstance(found, kind):
        refuse(path, f"expected {example}, found {described(inside)}")
    return tree.placed(found, Place(path))
