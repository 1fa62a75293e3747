"""
The values of the oracle, and how two of them compare: docs/language.md, sections 2, 3, 4 and 8.

None is missing. A string that a field holds is a `Text`, because how it compares is the field's
business; a bare `str` is a literal. Nothing here looks at a contact or a syntax tree.
"""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

from headcount.model.schema import EventType, Field, FieldType
from headcount.query import tree
from headcount.query.tree import CompareOp
from support import oracle_text, oracle_time
from support.oracle_time import DAY, MICROSECOND, RefusedError, Stretch
from support.worlds import Event, World


@dataclass(frozen=True, slots=True)
class Text:
    """A string that a field or property holds."""

    value: str
    field: Field

    @property
    def key(self) -> str:
        """Return the form in which it is compared."""
        return oracle_text.key(self.value, self.field)


@dataclass(frozen=True, slots=True)
class TextSet:
    """The strings that a multi-valued field holds: at least one."""

    texts: tuple[Text, ...]
    field: Field


@dataclass(frozen=True, slots=True)
class SpokenInstant:
    """
    An instant written in the segment: `now`, `30 days ago`, `2024-02-29 12:00`.

    Section 8, Date fields: beside a date field, `now` is today and `30 days ago` is today - 30
    days. `day` is that day, or None for a clock time, which a date field refuses.
    """

    instant: dt.datetime
    day: dt.date | None


Value = (
    None | bool | int | float | str | Text | TextSet
    | dt.date | dt.datetime | SpokenInstant | tree.Duration
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event that a `where` asks about, and the types that its event or group stands for."""

    event: Event
    types: tuple[EventType, ...]


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact, with its events of each type."""

    id: str
    fields: Mapping[str, object]
    events: Mapping[str, Sequence[Event]]


Subject = Contact | Occurrence


@dataclass(frozen=True)
class Query:
    """Section 3: what every query runs at: one instant, in one time zone."""

    world: World
    as_of: dt.datetime
    zone: ZoneInfo
    windows: dict[tree.Window | None, Stretch] = field(default_factory=dict)  # once resolved

    @property
    def today(self) -> dt.date:
        """Return the calendar day of `as_of` in the time zone."""
        return oracle_time.day_of(self.as_of, self.zone)


def typed(raw: object, field_: Field) -> Value:
    """Section 2: return a stored value; absent, null, an empty string or set is missing."""
    if raw is None or raw in ("", ()):
        return None
    if field_.type.is_string:
        return Text(raw, field_)  # type: ignore[arg-type]
    if field_.type is FieldType.KEYWORDS:
        return TextSet(tuple(Text(one, field_) for one in raw), field_)  # type: ignore[attr-defined]
    return raw  # type: ignore[return-value]


# --- comparisons ------------------------------------------------------------------------------

TIME_WORDS = {
    CompareOp.BEFORE: CompareOp.LT,
    CompareOp.AFTER: CompareOp.GT,
    CompareOp.ON: CompareOp.EQ,
}
MIRRORED = {
    CompareOp.EQ: CompareOp.EQ,
    CompareOp.LT: CompareOp.GT,
    CompareOp.LE: CompareOp.GE,
    CompareOp.GT: CompareOp.LT,
    CompareOp.GE: CompareOp.LE,
}

PYTHON: Mapping[CompareOp, Callable[[Any, Any], Any]] = {
    CompareOp.EQ: operator.eq,
    CompareOp.LT: operator.lt,
    CompareOp.LE: operator.le,
    CompareOp.GT: operator.gt,
    CompareOp.GE: operator.ge,
}


def compared(query: Query, op: CompareOp, a: Value, b: Value) -> bool:
    """
    Sections 2, 3 and 8: return whether `a op b`, for = < <= > >= and values of types that fit.

    A positive condition never matches a missing value.
    """
    if a is None or b is None:
        return False
    if is_literal(a) and not is_literal(b):
        return compared(query, MIRRORED[op], b, a)
    match a, b:
        case TextSet(), _:  # Section 8, Multi-valued fields: whether the set has the value
            return any(compared(query, op, text, b) for text in a.texts)
        case Text(), _:
            return text_compared(op, a, b)
        case str(), str():
            return ordered(op, a, b)
        case bool(), bool():  # Section 8, Booleans
            if op is not CompareOp.EQ:
                raise RefusedError("booleans have no order")
            return a == b
    if is_number(a) or is_number(b):
        return ordered(op, in_days(a), in_days(b))
    return times_compared(query, op, a, b)


def is_literal(a: Value) -> bool:
    """Return whether a string or number was written rather than held by a field."""
    return isinstance(a, str | int | float) and not isinstance(a, bool)


def is_number(a: Value) -> TypeGuard[int | float]:
    """Return whether it is a number, which in Python a bool would be too."""
    return isinstance(a, int | float) and not isinstance(a, bool)


def ordered(op: CompareOp, a: object, b: object) -> bool:
    """Return `a op b` as Python compares them."""
    return bool(PYTHON[op](a, b))


def text_compared(op: CompareOp, a: Text, b: Value) -> bool:
    """Section 8, Strings: equal in key form; only a stage has an order, by its place."""
    if is_number(b) and oracle_text.is_id(a.field) and b == int(b):  # `id = 42` is `id = "42"`
        b = str(int(b))
    if isinstance(b, Text):
        b = b.value
    if not isinstance(b, str):
        raise RefusedError("a string beside something else")
    if a.field.type is FieldType.STAGE:
        return ordered(op, place(a.value, a.field), place(b, a.field))
    if op is not CompareOp.EQ:
        raise RefusedError("strings have no order")
    return a.key == oracle_text.key(b, a.field)


def place(stage: str, held_by: Field) -> int:
    """Section 8, Strings: return a stage's place in the schema's list."""
    places = [oracle_text.key(name, held_by) for name in held_by.values]
    if oracle_text.key(stage, held_by) not in places:
        raise RefusedError(f"{stage} is none of the stages")
    return places.index(oracle_text.key(stage, held_by))


def in_days(a: Value) -> int | float:
    """Section 3: comparing a number of days with a duration compares days."""
    if isinstance(a, tree.Duration):
        return oracle_time.exact_length(a) / DAY
    if isinstance(a, int | float):
        return a
    raise RefusedError("a number beside something else")


def times_compared(query: Query, op: CompareOp, a: Value, b: Value) -> bool:
    """
    Section 8, Comparing a datetime with a date, and Date fields.

    Two days compare as days. Beside an instant a date is the whole day: `= D` within it, `<` before
    its start, `<=` before its end, `>` after its end, `>=` from its start on.
    """
    if is_day(a):
        if isinstance(b, SpokenInstant):
            if b.day is None:
                raise RefusedError("a clock time beside a calendar day")
            b = b.day
        if is_day(b):
            return ordered(op, a, b)
        return times_compared(query, MIRRORED[op], b, a)
    instant = instant_in(a)
    there = stretch_of(query, b)
    assert there.start is not None
    assert there.end is not None
    match op:
        case CompareOp.EQ:
            return there.holds(instant)
        case CompareOp.LT:
            return instant < there.start
        case CompareOp.LE:
            return instant < there.end
        case CompareOp.GT:
            return instant >= there.end
        case CompareOp.GE:
            return instant >= there.start
    raise AssertionError(op)


def is_day(a: Value) -> bool:
    """Return whether it is a calendar day; in Python an instant would be one too."""
    return isinstance(a, dt.date) and not isinstance(a, dt.datetime)


def instant_in(a: Value) -> dt.datetime:
    """Return the instant that *a* is."""
    if isinstance(a, SpokenInstant):
        return a.instant
    if isinstance(a, dt.datetime):
        return a
    raise RefusedError("a time beside something else")


def stretch_of(query: Query, a: Value) -> Stretch:
    """Section 3: a date is that day in the time zone; an instant is its one microsecond."""
    if isinstance(a, dt.date) and not isinstance(a, dt.datetime):
        start = oracle_time.start_of_day(a, query.zone)
        return Stretch(start, oracle_time.end_of_day(a, query.zone))
    return Stretch(instant_in(a), instant_in(a) + MICROSECOND)


def text_matches(held: Value, op: tree.TextOp, pattern: str) -> bool:
    """Sections 1 and 8: the text fits; in a multi-valued field any value does, or has it."""
    match held:
        case None:
            return False
        case TextSet(texts, field_):
            if op is tree.TextOp.CONTAINS:
                return any(text.key == oracle_text.key(pattern, field_) for text in texts)
            return any(text_matches(text, op, pattern) for text in texts)
        case Text(string, field_):
            return oracle_text.matches(op, string, pattern, field_)
    raise RefusedError(f"{op} on something that is no string")


def contains_set(held: Value, mode: tree.SetMode, options: Sequence[str]) -> bool:
    """Section 8, Multi-valued fields: has any, all or none of the values."""
    if held is None:
        return mode is tree.SetMode.NONE
    if not isinstance(held, TextSet):
        raise RefusedError("contains any, all, none is for multi-valued fields")
    has = [text_matches(held, tree.TextOp.CONTAINS, option) for option in options]
    match mode:
        case tree.SetMode.ANY:
            return any(has)
        case tree.SetMode.ALL:
            return all(has)
        case tree.SetMode.NONE:
            return not any(has)


def is_within(
    query: Query, held: Value, direction: tree.Direction, duration: tree.Duration
) -> bool:
    """Sections 3 and 8: a rolling window on an instant, whole days on a date."""
    if held is None:
        return False
    if isinstance(held, dt.date) and not isinstance(held, dt.datetime):
        return oracle_time.day_is_within(held, direction, duration, query.today)
    last = direction is tree.Direction.LAST
    window = oracle_time.last_window if last else oracle_time.next_window
    return window(query.as_of, duration, query.zone).holds(instant_in(held))


def age_compares(query: Query, held: Value, op: CompareOp, duration: tree.Duration) -> bool:
    """
    Sections 3 and 8, Ages: older is earlier, so `X > d ago` is X < as_of - d, and so on.

    A time after `as_of` has no age. The age of a date is in calendar days up to today.
    """
    if held is None:
        return False
    if isinstance(held, dt.date) and not isinstance(held, dt.datetime):
        if held > query.today:
            return False
        if oracle_time.is_clock_duration(duration):  # days of 24 hours
            return ordered(op, query.today - held, oracle_time.exact_length(duration))
        return ordered(MIRRORED[op], held, oracle_time.step_day(query.today, duration, -1))
    instant = instant_in(held)
    if instant > query.as_of:
        return False
    edge = oracle_time.step(query.as_of, duration, -1, query.zone)
    return ordered(MIRRORED[op], instant, edge)


# --- samples ----------------------------------------------------------------------------------


def in_sample(contact_id: str, percent: float, salt: str) -> bool:
    """Section 8, `sample`: fmix64(fnv1a64(id) XOR fnv1a64(salt)) < p/100 * 2^64."""
    return fmix64(fnv1a64(contact_id) ^ fnv1a64(salt)) < Fraction(percent) / 100 * 2**64


def fnv1a64(text: str) -> int:
    """Section 8: 64-bit FNV-1a over UTF-8 bytes."""
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def fmix64(h: int) -> int:
    """Section 8: the finalizer, modulo 2^64."""
    h ^= h >> 33
    h = h * 0xFF51AFD7ED558CCD % 2**64
    h ^= h >> 33
    h = h * 0xC4CEB9FE1A85EC53 % 2**64
    h ^= h >> 33
    return h
