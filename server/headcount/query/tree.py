"""
The syntax tree: a segment as it was written, before any name is looked up.

Text, JSON and protobuf all become this tree, and the tree becomes each of them again without loss.
Nodes are frozen values that compare by content; where a node stood (`span` in the text, `place` in
a document) takes no part in comparison. Names keep the spelling they were typed with.

Forms that mean the same are one node, so that nothing later has to know both:

* `opened >= 5 emails in last 30 days` is `Did(opened, Times(AT_LEAST, 5), ...)`; `!= 5 emails` is
  the negated `Did` of `EXACTLY 5`; `opened`, `opened in last 30 days` are `Did(opened, ...)`.
* `is` and `==` are `=`; `is null`, `= null` are `IsEmpty`; `never did` and `did not` are one.
* `X more than 30 days ago` is `Age(X, >, 30 days)`.
* `in last month` is `LastWindow(1 month)`.

What is *not* here: types. Whether `plan` is a field, and whether `Pro` is a string, is `bind`'s to
say. Nor is whether a name is an event, where a field would fit too. `bind` turns these into a `Did`
when the name on the left is an event:

* `Compare(Name, op, Number)`: `opens = 0` is `did opens exactly 0 times`;
* `Compare(Name, BEFORE | AFTER | ON, time)`: `opened before D` is `did opened before D`;
* `Between(Name, low, high)`: `opened between D and E` is `did opened between D and E`.

The parser and the protobuf reader give only trees that have a text, so in every tree: `And` and
`Or` have two items or more; `Compare` by `<`, `<=`, `>` or `>=` has no `Ago` on its right (that is
an `Age`); `Negative` holds no `Number`; an unquoted `Name` is a bare word and not reserved; numbers
are finite; the times of a window are made of dates, clock times, `now` and its kin, `ago` and
durations; `where` holds only conditions and values that are about the event's own properties.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from headcount.query.place import Place


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in the text that a node was parsed from."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spanned:
    """
    What every node has: where it stood, which takes no part in comparison.

    `span` is for what was parsed from text, `place` for what was read from JSON or a message.
    """

    span: Span | None = field(default=None, compare=False, repr=False)
    place: Place | None = field(default=None, compare=False, repr=False)


class Unit(StrEnum):
    """A unit of a duration. Minutes to weeks are exact; the rest step the calendar."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Duration:
    """`amount` whole units, 0 or more."""

    amount: int
    unit: Unit


class CompareOp(StrEnum):
    """A comparison. `before`, `after` and `on` mean `<`, `>` and `=` but take only times."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    BEFORE = "before"
    AFTER = "after"
    ON = "on"


class TextOp(StrEnum):
    """A match of text against a literal or a pattern."""

    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    ENDS_WITH = "ends with"
    LIKE = "like"
    MATCHES = "matches"


class SetMode(StrEnum):
    """How many of the options a multi-valued field must hold."""

    ANY = "any"
    ALL = "all"
    NONE = "none"


class Direction(StrEnum):
    """Which side of now a `within` looks at."""

    LAST = "last"
    NEXT = "next"


class TimesOp(StrEnum):
    """How a number of events is compared."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    EXACTLY = "exactly"
    MORE_THAN = "more than"
    FEWER_THAN = "fewer than"
    BETWEEN = "between"


class Moment(StrEnum):
    """A time word. `now` is an instant, the others are calendar days."""

    NOW = "now"
    TODAY = "today"
    YESTERDAY = "yesterday"
    TOMORROW = "tomorrow"


class EventPick(StrEnum):
    """What is taken from a contact's events: how many, or the time of the first or last."""

    COUNT = "count"
    FIRST = "first"
    LAST = "last"


class AggregateOp(StrEnum):
    """What is computed over a property of a contact's events."""

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"


class ArithmeticOp(StrEnum):
    """A binary arithmetic operator."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


FUNCTIONS = (
    "month", "day", "weekday", "year", "hour", "anniversary", "current_month",
    "abs", "round", "min", "max", "coalesce", "length",
)  # fmt: skip


# --- values -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Spanned):
    """A number literal. Whole numbers are exact to 2^53."""

    value: float


@dataclass(frozen=True, slots=True)
class String(Spanned):
    """A string literal, without its quotes and escapes."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean(Spanned):
    """`true` or `false`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Date(Spanned):
    """A calendar day."""

    value: dt.date


@dataclass(frozen=True, slots=True)
class DateTime(Spanned):
    """A clock time; naive when written without an offset: the query's time zone applies."""

    value: dt.datetime


@dataclass(frozen=True, slots=True)
class DurationValue(Spanned):
    """A duration used as a value: `today - signup > 30 days`, `now + 2 hours`."""

    value: Duration


@dataclass(frozen=True, slots=True)
class Name(Spanned):
    """A bare or backticked word: a field or property, or (bare, on the right) a string."""

    name: str
    quoted: bool = False  # backticked: never a string


@dataclass(frozen=True, slots=True)
class TimeWord(Spanned):
    """`now`, `today`, `yesterday` or `tomorrow`."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Ago(Spanned):
    """`30 days ago` where a time is wanted: an instant, not an age."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class Arithmetic(Spanned):
    """`left op right`."""

    op: ArithmeticOp
    left: Value
    right: Value


@dataclass(frozen=True, slots=True)
class Negative(Spanned):
    """`-operand`, where the operand is not a number literal."""

    operand: Value


@dataclass(frozen=True, slots=True)
class Call(Spanned):
    """A function of `FUNCTIONS`, in lower case, with its arguments."""

    function: str
    arguments: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class EventSelector(Spanned):
    """An event type, alias or group, narrowed by a condition over its properties."""

    name: str
    where: Segment | None = None


@dataclass(frozen=True, slots=True)
class EventValue(Spanned):
    """`count(E ...)`, `first(E ...)` or `last(E ...)`; no window means ever."""

    pick: EventPick
    event: EventSelector
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Aggregate(Spanned):
    """`sum(E.property ...)` and its kin; no window means ever."""

    op: AggregateOp
    event: EventSelector
    property: str
    window: Window | None = None


Value = (
    Number | String | Boolean | Date | DateTime | DurationValue | Name | TimeWord | Ago
    | Arithmetic | Negative | Call | EventValue | Aggregate
)  # fmt: skip


# --- windows ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LastWindow(Spanned):
    """`in last 30 days`: as_of - 30 d < t <= as_of."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class BetweenWindow(Spanned):
    """`between T1 and T2`, both included; a date stands for the whole day."""

    low: Value
    high: Value


class Edge(StrEnum):
    """Which side of its time an `EdgeWindow` takes."""

    BEFORE = "before"
    AFTER = "after"
    SINCE = "since"
    ON = "on"


@dataclass(frozen=True, slots=True)
class EdgeWindow(Spanned):
    """`before T`, `after T`, `since T` or `on D`."""

    edge: Edge
    time: Value


class Period(StrEnum):
    """A calendar period, named relative to today."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    THIS_WEEK = "this week"
    THIS_MONTH = "this month"
    THIS_QUARTER = "this quarter"
    THIS_YEAR = "this year"
    LAST_WEEK = "last week"
    LAST_MONTH = "last month"
    LAST_QUARTER = "last quarter"
    LAST_YEAR = "last year"


@dataclass(frozen=True, slots=True)
class CalendarWindow(Spanned):
    """`today`, `this month`, `last quarter`: a whole calendar period in the query's time zone."""

    period: Period


@dataclass(frozen=True, slots=True)
class Ever(Spanned):
    """`ever`: the same as no window, said aloud."""


Window = LastWindow | BetweenWindow | EdgeWindow | CalendarWindow | Ever


# --- conditions -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Everyone(Spanned):
    """All live contacts."""


@dataclass(frozen=True, slots=True)
class And(Spanned):
    """All of two or more; nested `And`s written without parentheses are one."""

    items: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Or(Spanned):
    """Any of two or more."""

    items: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Not(Spanned):
    """The complement among live contacts."""

    item: Segment


@dataclass(frozen=True, slots=True)
class Compare(Spanned):
    """`left op right`."""

    left: Value
    op: CompareOp
    right: Value


@dataclass(frozen=True, slots=True)
class Between(Spanned):
    """`value [not] between low and high`, both included."""

    value: Value
    low: Value
    high: Value
    negated: bool = False


@dataclass(frozen=True, slots=True)
class In(Spanned):
    """`value [not] in (option, ...)`."""

    value: Value
    options: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class TextMatch(Spanned):
    """`value [not] contains "x"` and its kin; a multi-valued field contains a value it has."""

    value: Value
    op: TextOp
    pattern: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class ContainsSet(Spanned):
    """`value [not] contains any|all|none ("a", "b")` on a multi-valued field."""

    value: Value
    mode: SetMode
    options: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class IsEmpty(Spanned):
    """`value is [not] empty`."""

    value: Value
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Within(Spanned):
    """`value [not] within last|next duration`."""

    value: Value
    direction: Direction
    duration: Duration
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Age(Spanned):
    """`value op duration ago`: compares how long ago, so `>` means older. `op` is < <= > or >=."""

    value: Value
    op: CompareOp
    duration: Duration


@dataclass(frozen=True, slots=True)
class InList(Spanned):
    """`[not] in list "x"`, or `in any list ("x", "y")` when there are several names."""

    names: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class OptedOut(Spanned):
    """`[not] opted out of list "x"`."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InSegment(Spanned):
    """`[not] in segment "x"`: a saved segment."""

    name: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Sample(Spanned):
    """`sample 10% of "salt"`: a stable share of all contacts; `percent` from 0 to 100."""

    percent: float
    salt: str | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """How often: `op n times`; `high` is set for `BETWEEN` only (both ends included)."""

    op: TimesOp
    n: int
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Did(Spanned):
    """`did|did not E [where (...)] [times] [window]`; no times means at least once."""

    event: EventSelector
    times: Times | None = None
    window: Window | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Regularly(Spanned):
    """`did E [times] in at least m of the last k weeks`: k periods, the last ending at as_of."""

    event: EventSelector
    times: Times | None
    at_least: int
    periods: int
    period: Duration


@dataclass(frozen=True, slots=True)
class Sequence(Spanned):
    """`did A then did|did not B within D [window]`; the window holds the A."""

    first: EventSelector
    then: EventSelector
    within: Duration
    negated: bool = False  # then did not
    window: Window | None = None


Segment = (
    Everyone | And | Or | Not | Compare | Between | In | TextMatch | ContainsSet | IsEmpty | Within
    | Age | InList | OptedOut | InSegment | Sample | Did | Regularly | Sequence
)  # fmt: skip

Node = Segment | Value | Window | EventSelector


_HOLDS_NODES = frozenset({
    "Value", "Segment", "EventSelector", "Segment | None", "Window | None",
    "tuple[Value, ...]", "tuple[Segment, ...]",
})  # fmt: skip


@cache
def _node_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of the fields of *kind* that hold nodes."""
    return tuple(part.name for part in fields(kind) if part.type in _HOLDS_NODES)


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly below *node*, in the order they were written."""
    kind: Any = type(node)
    for name in _node_fields(kind):
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from value
        elif value is not None:
            yield value


Placed = TypeVar("Placed", bound=Spanned)


def placed(node: Placed, place: Place) -> Placed:
    """
    Return *node*, which nobody else has been given yet, with its *place*.

    It is set and not copied: a copy takes 3 µs, and a list may hold 100,000 values.
    """
    object.__setattr__(node, "place", place)
    return node
