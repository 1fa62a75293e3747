"""
Bound expressions: values with their kind, their names found and their times resolved.

    Constant, FieldValue, Missing                   leaves
    EventTally, EventTime, EventAggregate           a number or time out of events
    Arithmetic, Elapsed, Shifted, Unary, ...        computed from others

Inside `where` they are about one event: a `FieldValue` is then a property. Instants are µs since
1970 UTC, days are days since 1970-01-01.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from headcount.index.interval import Interval
from headcount.model.schema import EventType, Field, FieldType
from headcount.query.clock import OutOfCalendarError, to_date, to_datetime
from headcount.query.ranges import Number
from headcount.query.tree import Duration

if TYPE_CHECKING:
    from headcount.query.bound import Condition


class Kind(StrEnum):
    """What sort of value an expression has; the words are those of error messages."""

    NUMBER = "a number"
    DAYS = "a number of days"
    BOOLEAN = "true or false"
    DATE = "a date"
    INSTANT = "a datetime"
    STRING = "text"
    STRINGS = "a set of texts"
    DURATION = "a duration"

    @property
    def is_numeric(self) -> bool:
        """Whether it can be calculated with."""
        return self in (Kind.NUMBER, Kind.DAYS)

    @property
    def is_time(self) -> bool:
        """Whether it is a place in time."""
        return self in (Kind.DATE, Kind.INSTANT)


KINDS = {
    FieldType.KEYWORD: Kind.STRING,
    FieldType.TEXT: Kind.STRING,
    FieldType.STAGE: Kind.STRING,
    FieldType.KEYWORDS: Kind.STRINGS,
    FieldType.NUMBER: Kind.NUMBER,
    FieldType.BOOLEAN: Kind.BOOLEAN,
    FieldType.DATE: Kind.DATE,
    FieldType.DATETIME: Kind.INSTANT,
}


# --- expressions ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    """
    A value that is the same for everyone.

    `day` is the calendar day that an instant stands for beside a date; None for a clock time, which
    may not stand there.
    """

    value: float | int | bool | str | Duration
    kind: Kind
    day: int | None = None

    def __str__(self) -> str:
        if self.kind is Kind.STRING:
            return repr(self.value)
        if self.kind is Kind.DURATION:
            assert isinstance(self.value, Duration)
            return f"{self.value.amount} {self.value.unit}s"
        assert isinstance(self.value, int | float)
        return spell(self.value, self.kind)


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A stored field of the contact, or inside `where` a property of the event."""

    field: Field

    @property
    def kind(self) -> Kind:
        """Return what sort of value the field holds."""
        return KINDS[self.field.type]

    def __str__(self) -> str:
        return self.field.name


@dataclass(frozen=True, slots=True)
class Missing:
    """A property that this type of event does not have, though another of its group does."""

    kind: Kind

    def __str__(self) -> str:
        return "missing"


@dataclass(frozen=True, slots=True)
class Source:
    """Events of one type that fit a condition; `property` is the one that is aggregated."""

    event: EventType
    where: Condition | None = None
    property: Field | None = None

    def __str__(self) -> str:
        name = self.event.name
        if self.property is not None:
            name += f".{self.property.name}"
        return name if self.where is None else f"{name} where ({self.where})"


Sources = tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class EventTally:
    """How many events a contact has in the interval; never missing."""

    sources: Sources
    interval: Interval
    kind: Kind = Kind.NUMBER

    def __str__(self) -> str:
        return f"count({events_text(self.sources, self.interval)})"


@dataclass(frozen=True, slots=True)
class EventTime:
    """The time of the first or last event in the interval; missing when there is none."""

    pick: Literal["first", "last"]
    sources: Sources
    interval: Interval
    kind: Kind = Kind.INSTANT

    def __str__(self) -> str:
        return f"{self.pick}({events_text(self.sources, self.interval)})"


@dataclass(frozen=True, slots=True)
class EventAggregate:
    """
    A figure over the property of the contact's events that have it, in the interval.

    `sum` and `distinct` of no events are 0, the others are missing.
    """

    op: Literal["sum", "avg", "min", "max", "distinct"]
    sources: Sources
    interval: Interval
    kind: Kind

    def __str__(self) -> str:
        return f"{self.op}({events_text(self.sources, self.interval)})"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left op right` over numbers; missing with a missing operand, and when it is not finite."""

    op: Literal["+", "-", "*", "/"]
    left: Expression
    right: Expression
    kind: Kind = Kind.NUMBER

    def __str__(self) -> str:
        return f"({self.left} {self.op} {self.right})"


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Days from `right` to `left`, both dates or both instants."""

    left: Expression
    right: Expression
    kind: Kind = Kind.DAYS

    def __str__(self) -> str:
        return f"({self.left} - {self.right})"


@dataclass(frozen=True, slots=True)
class Shifted:
    """A time moved by a duration; a date by days or longer units only."""

    operand: Expression
    duration: Duration
    sign: int
    kind: Kind

    def __str__(self) -> str:
        sign = "+" if self.sign > 0 else "-"
        return f"({self.operand} {sign} {self.duration.amount} {self.duration.unit}s)"


@dataclass(frozen=True, slots=True)
class DayStart:
    """The first instant of a date in the time zone."""

    operand: Expression
    kind: Kind = Kind.INSTANT

    def __str__(self) -> str:
        return f"start({self.operand})"


@dataclass(frozen=True, slots=True)
class LocalDay:
    """The calendar day of an instant in the time zone."""

    operand: Expression
    kind: Kind = Kind.DATE

    def __str__(self) -> str:
        return f"day of({self.operand})"


@dataclass(frozen=True, slots=True)
class Unary:
    """
    A number out of one operand: a part of a date, an hour, a rounded number, a length.

    `place` is that of a stage in its order.
    """

    function: Literal[
        "month", "day", "weekday", "year", "hour", "abs", "round", "length", "place"
    ]  # fmt: skip
    operand: Expression
    kind: Kind = Kind.NUMBER

    def __str__(self) -> str:
        return f"{self.function}({self.operand})"


@dataclass(frozen=True, slots=True)
class Anniversary:
    """The next day, today included, with the month and day of a date."""

    operand: Expression
    kind: Kind = Kind.DATE

    def __str__(self) -> str:
        return f"anniversary({self.operand})"


@dataclass(frozen=True, slots=True)
class Choice:
    """The least, the greatest, or the first present of operands of one kind."""

    function: Literal["min", "max", "coalesce"]
    operands: tuple[Expression, ...]
    kind: Kind

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.operands))})"


Expression = (
    Constant | FieldValue | Missing | EventTally | EventTime | EventAggregate | Arithmetic
    | Elapsed | Shifted | DayStart | LocalDay | Unary | Anniversary | Choice
)  # fmt: skip


# --- printing ---------------------------------------------------------------------------------


def spell(value: Number, kind: Kind) -> str:
    """Return a number, day or instant as text; instants in UTC."""
    if kind is Kind.BOOLEAN:
        return "true" if value else "false"
    if kind.is_time:
        try:
            if kind is Kind.DATE:
                return to_date(int(value)).isoformat()
            return _iso(int(value))
        except (OutOfCalendarError, OverflowError):
            return "ever"
    return f"{value:g}" if abs(value) < 1e6 else repr(value)


def _iso(instant: int) -> str:
    moment = to_datetime(instant)
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def events_text(sources: Sources, interval: Interval) -> str:
    names = " or ".join(map(str, sources)) or "nothing"
    high = spell(interval.high, Kind.INSTANT)
    low = spell(interval.low, Kind.INSTANT)
    return f"{names} up to {high}" if low == "ever" else f"{names} from {low} to {high}"
