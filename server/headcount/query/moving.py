"""
Moving conditions: what a bound condition becomes when the clock runs on.

A bound condition holds for one instant: every edge of a window is a number. Bound twice, some of
the edges have moved on with the clock, all by the same amount, and the rest have stayed:

    at 08:15:00    email_open from 2 Oct 08:15:00.000001 to 1 Nov 08:15:00      country in {us}
    at 08:15:07    email_open from 2 Oct 08:15:07.000001 to 1 Nov 08:15:07      country in {us}
                                   └── moves                  └── moves         └── fixed

`moving` compares the two and says which is which. Its answer means what binding anew would mean, at
every instant between, as long as nothing else happens to an edge there: that is `course`'s part.
What moves inside an expression, a figure or the clock itself (`round((now - last_open) / 7)`), is
given a name and stands there as a field would, so that the engine's own arithmetic works it out
(`scene`).

Refused with `CannotMoveError` are figures and sequences over events whose `where` moves, and
calculations whose turns could not be found (`trends`).
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from headcount.index.interval import EVER, Interval
from headcount.model.schema import EventType, Field, FieldType
from headcount.query.bound import (
    All,
    Any,
    Compared,
    Complement,
    Condition,
    Enough,
    EventCount,
    Follows,
    Holds,
    InRanges,
    Present,
)
from headcount.query.expressions import (
    Anniversary,
    Constant,
    Elapsed,
    EventAggregate,
    EventTally,
    EventTime,
    Expression,
    FieldValue,
    Kind,
    Sources,
)
from headcount.query.ranges import Number, Range
from headcount.query.traced import CannotMoveError
from headcount.query.tree import Duration
from headcount.query.trends import require_followed

Figure = EventTally | EventTime | EventAggregate

_EXACT_US = 1 << 53  # as far apart as two instants may be for a double to hold it


class UnlikeError(Exception):
    """The two are not one condition at two instants: an edge jumped, or a part came to be fixed."""


@dataclass(frozen=True, slots=True)
class Edge:
    """An end of a window: where it is at the beginning, and whether it moves with the clock."""

    at: Number
    moves: bool

    def after(self, elapsed: int) -> Number:
        """Return where the edge is so many µs after the beginning."""
        return self.at + elapsed if self.moves else self.at


@dataclass(frozen=True, slots=True)
class Window:
    """An interval whose ends may move."""

    low: Edge
    high: Edge

    @property
    def moves(self) -> bool:
        """Whether it does."""
        return self.low.moves or self.high.moves


@dataclass(frozen=True, slots=True)
class Fixed:
    """A condition without the clock in it."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Every:
    """Those in every one of `items`."""

    items: tuple[Moving, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Those in at least one of `items`."""

    items: tuple[Moving, ...]


@dataclass(frozen=True, slots=True)
class Others:
    """Those not in `item`."""

    item: Moving


@dataclass(frozen=True, slots=True)
class Several:
    """Those in at least `count` of `items`."""

    items: tuple[Moving, ...]
    count: int


@dataclass(frozen=True, slots=True)
class MovingFigure:
    """A figure over the events of a window that moves; `field` stands for it in expressions."""

    field: Field
    figure: Figure
    window: Window


@dataclass(frozen=True, slots=True)
class MovingInstant:
    """An instant that is calculated with and keeps pace with the clock; `field` stands for it."""

    field: Field
    edge: Edge


@dataclass(frozen=True, slots=True)
class Computed:
    """
    A condition on values, of which the `figures` and `instants` move; it names them as fields.

    `is_of_all` says that it is the same for every contact: nothing else is in it.
    """

    condition: Condition
    figures: tuple[MovingFigure, ...]
    instants: tuple[MovingInstant, ...] = ()
    is_of_all: bool = False


@dataclass(frozen=True, slots=True)
class InWindows:
    """Those whose value is in one of the windows; it may be computed from what moves."""

    value: Expression
    windows: tuple[Window, ...]
    figures: tuple[MovingFigure, ...]
    instants: tuple[MovingInstant, ...] = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """Those with `low` to `high` events in the window."""

    sources: Sources
    window: Window
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class MovingSource:
    """Events of one type that fit a condition which moves; the clock is that of the question."""

    event: EventType
    where: Moving


@dataclass(frozen=True, slots=True)
class CountedWhere:
    """`Counted`, of events among which the clock chooses."""

    sources: tuple[MovingSource, ...]
    window: Window
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Followed:
    """`Follows`, its window and its end moving."""

    first: Sources
    then: Sources
    within: Duration
    window: Window
    until: Edge
    never: bool


Moving = (
    Fixed | Every | Some | Others | Several | Computed | InWindows | Counted | CountedWhere
    | Followed
)  # fmt: skip


def moving(before: Condition, after: Condition, elapsed: int) -> Moving:
    """
    Return the condition that is *before*, and so many µs later *after*.

    About 2 µs a node.

    Raises:
        UnlikeError: no such condition does both.
        CannotMoveError: the clock is in it where it cannot be followed.
    """
    return _Comparison(elapsed).condition(before, after)


def parts(condition: Moving) -> Iterator[Moving]:
    """Yield *condition* and all moving conditions below it."""
    stack = [condition]
    while stack:
        found = stack.pop()
        yield found
        match found:
            case Every(items) | Some(items) | Several(items):
                stack.extend(items)
            case Others(item):
                stack.append(item)


def has_anniversary(condition: Condition) -> bool:
    """Return whether the day that it is now is asked for each contact, besides in constants."""
    stack: list[object] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, Anniversary):
            return True
        if isinstance(node, tuple):
            stack.extend(node)
        elif hasattr(node, "__dataclass_fields__") and not isinstance(node, Field):
            stack.extend(getattr(node, part) for part in node.__dataclass_fields__)
    return False


class _Comparison:
    """The comparison of one pair; it numbers the figures that move."""

    def __init__(self, elapsed: int) -> None:
        self._elapsed = elapsed
        self._figures: dict[Field, MovingFigure] = {}
        self._instants: dict[Field, MovingInstant] = {}

    def condition(self, before: Condition, after: Condition) -> Moving:
        if before == after:
            return Fixed(before)
        match before, after:
            case All(a), All(b):
                return Every(self._each(a, b))
            case Any(a), Any(b):
                return Some(self._each(a, b))
            case Complement(a), Complement(b):
                return Others(self.condition(a, b))
            case Enough(a, count), Enough(b, number) if count == number:
                return Several(self._each(a, b), count)
            case EventCount(), EventCount() if (before.low, before.high) == (after.low, after.high):
                window = self._window(before.interval, after.interval)
                if before.sources == after.sources:
                    return Counted(before.sources, window, before.low, before.high)
                sources = self._sources(before.sources, after.sources)
                return CountedWhere(sources, window, before.low, before.high)
            case Follows(), Follows() if _kept(before) == _kept(after):
                self._require_same(before.first, after.first)
                self._require_same(before.then, after.then)
                window = self._window(before.interval, after.interval)
                until = self._edge(before.until, after.until)
                first, then = before.first, before.then
                return Followed(first, then, before.within, window, until, before.never)
            case InRanges(a), InRanges(b):
                return self._in_ranges(before, after)
            case Compared(a, op, c), Compared(b, other, d) if op == other:
                return self._computed(Compared(self._value(a, b), op, self._value(c, d)))
            case Present(a), Present(b):
                return self._computed(Present(self._value(a, b)))
            case Holds(a), Holds(b):
                return self._computed(Holds(self._value(a, b)))
        raise UnlikeError

    def _each(
        self, before: tuple[Condition, ...], after: tuple[Condition, ...]
    ) -> tuple[Moving, ...]:
        if len(before) != len(after):
            raise UnlikeError
        return tuple(map(self.condition, before, after))

    def _in_ranges(self, before: InRanges, after: InRanges) -> Moving:
        value = self._value(before.value, after.value)
        if before.ranges == after.ranges:
            return self._computed(InRanges(value, before.ranges))
        if len(before.ranges) != len(after.ranges):
            raise UnlikeError
        if before.value.kind is not Kind.INSTANT:
            raise UnlikeError  # days and numbers jump
        windows = tuple(map(self._range, before.ranges, after.ranges))
        figures, instants, _ = self._named(InRanges(value, before.ranges))
        if instants:
            raise CannotMoveError("a time that moves, among times that do")
        return InWindows(value, windows, figures)

    def _computed(self, condition: Condition) -> Computed:
        figures, instants, others = self._named(condition)
        if instants:
            require_followed(condition, [one.field for one in instants])
        return Computed(condition, figures, instants, bool(instants) and not (figures or others))

    def _range(self, before: Range, after: Range) -> Window:
        if before[2:] != after[2:]:
            raise UnlikeError
        return Window(self._edge(before.low, after.low), self._edge(before.high, after.high))

    def _window(self, before: Interval, after: Interval) -> Window:
        return Window(self._edge(before.low, after.low), self._edge(before.high, after.high))

    def _edge(self, before: Number, after: Number) -> Edge:
        at, later = _plain(before), _plain(after)
        if at == later:
            return Edge(at, moves=False)
        if later - at == self._elapsed:
            return Edge(at, moves=True)
        raise UnlikeError

    def _value(self, before: Expression, after: Expression) -> Expression:
        """Return the expression of both, with what moves named as a field."""
        if before == after:
            return before
        if type(before) is not type(after):
            raise UnlikeError
        match before, after:
            case Constant(a), Constant(b):
                assert isinstance(a, int | float)
                assert isinstance(b, int | float)
                if before.kind is not Kind.INSTANT:
                    raise UnlikeError
                return self._instant(self._edge(a, b))
            case Elapsed(Constant(a), Constant(b)), _ if not _is_exact(a, b):
                raise CannotMoveError("two instants that are too far apart")
            case (
                (EventTally() | EventTime() | EventAggregate()),
                (EventTally() | EventTime() | EventAggregate()),
            ):
                return self._figure(before, after)
        changed: dict[str, typing.Any] = {
            part.name: self._part(getattr(before, part.name), getattr(after, part.name))
            for part in fields(before)
        }
        return type(before)(**changed)

    def _part(self, before: object, after: object) -> object:
        if before == after:
            return before
        if isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
            return tuple(map(self._part, before, after))
        if isinstance(before, Expression) and isinstance(after, Expression):
            return self._value(before, after)
        raise UnlikeError

    def _figure(self, before: Figure, after: Figure) -> FieldValue:
        if replace(before, interval=after.interval, sources=after.sources) != after:
            raise UnlikeError
        self._require_same(before.sources, after.sources)
        window = self._window(before.interval, after.interval)
        figure = replace(before, interval=EVER)  # the window that counts is the moving one
        for known in self._figures.values():
            if known.figure == figure and known.window == window:
                return FieldValue(known.field)
        type_ = _FIELD_TYPES[before.kind]
        field = Field(f"figure {len(self._figures)}", type_)
        self._figures[field] = MovingFigure(field, figure, window)
        return FieldValue(field)

    def _instant(self, edge: Edge) -> FieldValue:
        if not edge.moves:
            raise UnlikeError
        for known in self._instants.values():
            if known.edge == edge:
                return FieldValue(known.field)
        field = Field(f"instant {len(self._instants)}", FieldType.DATETIME)
        self._instants[field] = MovingInstant(field, edge)
        return FieldValue(field)

    def _sources(self, before: Sources, after: Sources) -> tuple[MovingSource, ...]:
        if len(before) != len(after):
            raise UnlikeError
        found = []
        for one, other in zip(before, after, strict=True):
            if one.event != other.event or one.where is None or other.where is None:
                raise UnlikeError
            found.append(MovingSource(one.event, self.condition(one.where, other.where)))
        return tuple(found)

    def _require_same(self, before: Sources, after: Sources) -> None:
        """Refuse events whose own condition moves."""
        if before == after:
            return
        if len(before) != len(after):
            raise UnlikeError
        for one, other in zip(before, after, strict=True):
            if replace(one, where=None) != replace(other, where=None):
                raise UnlikeError
            if one.where is None or other.where is None:
                if one.where is not other.where:
                    raise UnlikeError
            elif not isinstance(self.condition(one.where, other.where), Fixed):
                raise CannotMoveError("a property that is compared with the time of the question")

    def _named(
        self, condition: Condition
    ) -> tuple[tuple[MovingFigure, ...], tuple[MovingInstant, ...], bool]:
        """Return what moves that *condition* names, and whether it asks about anything else."""
        figures: list[MovingFigure] = []
        instants: list[MovingInstant] = []
        others = False
        stack: list[object] = [condition]
        while stack:
            node = stack.pop()
            match node:
                case FieldValue(field) if field in self._figures:
                    figures.append(self._figures[field])
                case FieldValue(field) if field in self._instants:
                    instants.append(self._instants[field])
                case FieldValue() | EventTally() | EventTime() | EventAggregate():
                    others = True
                case tuple():
                    stack.extend(node)
                case _ if isinstance(node, Condition | Expression):
                    stack.extend(getattr(node, part.name) for part in fields(node))
        return tuple(figures), tuple(instants), others


_FIELD_TYPES = {
    Kind.NUMBER: FieldType.NUMBER,
    Kind.DAYS: FieldType.NUMBER,
    Kind.DATE: FieldType.DATE,
    Kind.INSTANT: FieldType.DATETIME,
}


def _plain(at: Number) -> Number:
    """Return an edge without what binding noted of it."""
    return int(at) if isinstance(at, int) else at


def _is_exact(one: object, other: object) -> bool:
    """Return whether a double holds the time between two instants."""
    assert isinstance(one, int)
    assert isinstance(other, int)
    return abs(int(one) - int(other)) < _EXACT_US


def _kept(condition: Follows) -> tuple[Duration, bool]:
    return condition.within, condition.never
