"""
Performance: what was sent to a segment in a window of time, and what came of it.

    contacts                     in the segment now, as an audience would find them
    ├─ reached                   ... something was sent to them in the window
    │  ├─ opened                 ... and they opened something in it
    │  └─ clicked                ... and they clicked on something in it
    └─ converted                 they did what counts as a conversion in the window, reached or not

Rates are shares of contacts, not of messages: opened of reached, clicked of reached, clicked of
opened, converted of contacts. There is none where nobody could be in it. Beside them stand the
numbers of events, and the revenue: the sum of a property over all conversions in the window.

A segment is read at one instant, with the plan that finds whom to send to; its history does not
count. Several segments share one reading of the events, and one instant, so they can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, FieldType, Schema, nearest
from headcount.query import tree
from headcount.query.bound import QueryWarning
from headcount.query.clock import Clock
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query, tree_of
from headcount.query.figures import Figures
from headcount.query.format import format as canonical
from headcount.query.frames import ContactFrame
from headcount.query.grouping import Grouping, grouping
from headcount.query.parse import parse
from headcount.query.vectors import vector
from headcount.query.whole import Wholes

MOST_SEGMENTS = 100
WINDOW = "in last 30 days"

# What is taken for a conversion and its revenue where nobody says; the first that a schema has.
CONVERSIONS = ("purchase", "order", "conversion", "converted")
REVENUES = ("amount", "revenue", "total", "value")


@dataclass(frozen=True, slots=True)
class Measured:
    """
    What is counted: event types, aliases or groups, in a window of the language.

    "" is what the schema calls so: the events of `last_send`, `last_open` and `last_click`, a
    conversion as in `CONVERSIONS`, and a number of it as in `REVENUES`.
    """

    window: str | tree.Window = WINDOW
    send: str = ""
    open: str = ""
    click: str = ""
    conversion: str = ""
    revenue: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What was counted, by declared name; empty where the schema has no such event."""

    window: str
    send: tuple[str, ...]
    open: tuple[str, ...]
    click: tuple[str, ...]
    conversion: tuple[str, ...]
    revenue: str  # the property


@dataclass(frozen=True, slots=True)
class Performance:
    """
    One segment in numbers: of contacts, of events, and of money.

    `revenue` is None where there is no such property.
    """

    segment: str
    contacts: int
    reached: int
    opened: int
    clicked: int
    converted: int
    sends: int
    opens: int
    clicks: int
    conversions: int
    revenue: float | None

    @property
    def open_rate(self) -> float | None:
        """Return opened of reached, 0 to 1."""
        return _share(self.opened, self.reached)

    @property
    def click_rate(self) -> float | None:
        """Return clicked of reached, 0 to 1."""
        return _share(self.clicked, self.reached)

    @property
    def click_to_open_rate(self) -> float | None:
        """Return clicked of opened; above 1 if some clicked whose opening was not seen."""
        return _share(self.clicked, self.opened)

    @property
    def conversion_rate(self) -> float | None:
        """Return converted of contacts, 0 to 1."""
        return _share(self.converted, self.contacts)

    @property
    def revenue_per_contact(self) -> float | None:
        """Return the revenue divided by the contacts."""
        return None if self.revenue is None else _share(self.revenue, self.contacts)


@dataclass(frozen=True, slots=True)
class Compared:
    """Some segments, in the order they were asked for, and what was counted."""

    measured: Named
    segments: tuple[Performance, ...]
    warnings: tuple[QueryWarning, ...]


def performance(
    engine: Engine, queries: Sequence[Query], measured: Measured, context: QueryContext
) -> Compared:
    """
    Return what was sent to each of some segments, and what came of it, as of one instant.

    Besides the segments, costs what counting four kinds of event for every contact does (some 10 ms
    each a million contacts), once for all segments.

    Raises:
        UserError: there is none or more than 100, one is not valid (`field` is its place, as
            `queries[1]`), an event or property does not exist, `window` is none, or
            `context.check` ended it.
    """
    if not 0 < len(queries) <= MOST_SEGMENTS:
        raise UserError(
            Reason.LIMIT_EXCEEDED if queries else Reason.INVALID_VALUE,
            f"expected 1 to {MOST_SEGMENTS} segments, found {len(queries):,}",
            field="queries",
        )
    asking = _Asking(engine, measured, context)
    wholes = Wholes(engine, queries, context)
    sums = [_Sums() for _ in queries]
    for block in engine.view.blocks:
        context.check()
        members = [wholes.members(place, block) for place in range(len(queries))]
        if any(members):
            counted = asking.counted(block)
            for held, one in zip(members, sums, strict=True):
                one.add(held, counted)
    texts = (canonical(tree_of(query, context.limits)) for query in queries)
    warnings = tuple(one for warnings in wholes.warnings for one in warnings)
    return Compared(
        measured=asking.named,
        segments=tuple(
            one.total(text, has_revenue=asking.revenue is not None)
            for one, text in zip(sums, texts, strict=True)
        ),
        warnings=warnings,
    )


Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Counted:
    """Of every row of a block: how many events of each kind, and the revenue; None without any."""

    sends: Floats | None
    opens: Floats | None
    clicks: Floats | None
    conversions: Floats | None
    revenue: Floats | None


class _Asking:
    """What is counted, bound to one view."""

    def __init__(self, engine: Engine, measured: Measured, context: QueryContext) -> None:
        self._engine, self._context = engine, context
        self._clock = Clock(context.as_of, context.zone)
        schema = engine.view.schema
        window = _window(measured.window, context)
        send = _events(schema, "send", measured.send, "last_send")
        open_ = _events(schema, "open", measured.open, "last_open")
        click = _events(schema, "click", measured.click, "last_click")
        conversion = _conversion(schema, measured.conversion)
        property_ = _revenue(conversion, measured.revenue)
        self.sends = self._count(send, window)
        self.opens = self._count(open_, window)
        self.clicks = self._count(click, window)
        self.conversions = self._count(conversion, window)
        self.revenue = self._sum(conversion, property_, window)
        self.named = Named(
            window=canonical(window),
            send=_names(send),
            open=_names(open_),
            click=_names(click),
            conversion=_names(conversion),
            revenue=property_,
        )

    def counted(self, block: Block) -> _Counted:
        """Return the numbers of every row of a block."""
        frame = ContactFrame(block, self._clock, Figures(block, self._clock))

        def numbers(asked: Grouping | None) -> Floats | None:
            if asked is None:
                return None
            self._context.check()
            found = vector(asked.value, frame)
            values = np.where(found.present, found.values, 0.0)
            return np.broadcast_to(values, block.rows)

        return _Counted(*map(numbers, self._all))

    @property
    def _all(self) -> tuple[Grouping | None, ...]:
        return self.sends, self.opens, self.clicks, self.conversions, self.revenue

    def _count(self, events: Sequence[EventType], window: tree.Window) -> Grouping | None:
        return self._added(
            tree.EventValue(tree.EventPick.COUNT, tree.EventSelector(event.name), window)
            for event in events
        )

    def _sum(
        self, events: Sequence[EventType], property_: str, window: tree.Window
    ) -> Grouping | None:
        if not property_:
            return None
        return self._added(
            tree.Aggregate(tree.AggregateOp.SUM, tree.EventSelector(event.name), property_, window)
            for event in events
            if event.property(property_) is not None
        )

    def _added(self, values: Iterable[tree.Value]) -> Grouping | None:
        found = list(values)
        if not found:
            return None
        total = found[0]
        for one in found[1:]:
            total = tree.Arithmetic(tree.ArithmeticOp.ADD, total, one)
        return grouping(self._engine, total, self._context)


@dataclass(slots=True)
class _Sums:
    """What was found of one segment so far."""

    contacts: int = 0
    reached: int = 0
    opened: int = 0
    clicked: int = 0
    converted: int = 0
    sends: int = 0
    opens: int = 0
    clicks: int = 0
    conversions: int = 0
    revenue: list[float] = field(default_factory=list)

    def add(self, members: BitMap, counted: _Counted) -> None:
        """Add the members of one block."""
        if not members:
            return
        rows = bitmaps.to_rows(members)
        self.contacts += len(rows)
        sends, opens, clicks, conversions = (
            np.zeros(len(rows)) if numbers is None else numbers[rows]
            for numbers in (counted.sends, counted.opens, counted.clicks, counted.conversions)
        )
        reached = sends > 0
        self.reached += int(reached.sum())
        self.opened += int((reached & (opens > 0)).sum())
        self.clicked += int((reached & (clicks > 0)).sum())
        self.converted += int((conversions > 0).sum())
        self.sends += int(sends.sum())
        self.opens += int(opens.sum())
        self.clicks += int(clicks.sum())
        self.conversions += int(conversions.sum())
        if counted.revenue is not None:
            held = counted.revenue[rows]
            self.revenue += held[held != 0].tolist()

    def total(self, text: str, *, has_revenue: bool) -> Performance:
        """Return the sums; that of the revenue is rounded once."""
        return Performance(
            segment=text,
            contacts=self.contacts,
            reached=self.reached,
            opened=self.opened,
            clicked=self.clicked,
            converted=self.converted,
            sends=self.sends,
            opens=self.opens,
            clicks=self.clicks,
            conversions=self.conversions,
            revenue=math.fsum(self.revenue) if has_revenue else None,
        )


def _window(window: str | tree.Window, context: QueryContext) -> tree.Window:
    """Return the window that a text such as `last month` is."""
    if not isinstance(window, str):
        return window
    try:
        node = parse(f"did x {window}", context.limits)
    except UserError:
        node = tree.Everyone()
    match node:
        case tree.Did(tree.EventSelector("x", None), None, found, False) if found is not None:
            return found
    raise UserError(
        Reason.SYNTAX,
        "expected a window such as `in last 30 days`, `last month` or `between 2026-01-01 and"
        f" 2026-03-31`; found {window!r}",
        field="window",
    )


def _names(events: Sequence[EventType]) -> tuple[str, ...]:
    return tuple(event.name for event in events)


def _events(schema: Schema, what: str, name: str, engagement: str) -> tuple[EventType, ...]:
    """Return the event types that are counted as *what*; () if the schema has none."""
    return _named(schema, what, name) if name else schema.engagement(engagement)


def _conversion(schema: Schema, name: str) -> tuple[EventType, ...]:
    if name:
        return _named(schema, "conversion", name)
    return next((found for one in CONVERSIONS if (found := schema.event(one))), ())


def _named(schema: Schema, what: str, name: str) -> tuple[EventType, ...]:
    found = schema.event(name)
    if not found:
        raise UserError(
            Reason.UNKNOWN_NAME,
            f"there is no event `{name}` to count as {what}",
            field=what,
            suggestions=nearest(name, schema.event_names()),
        )
    return found


def _revenue(conversion: Sequence[EventType], name: str) -> str:
    """Return the property that is summed, "" if there is none."""
    numbers = [
        p.name for event in conversion for p in event.properties if p.type is FieldType.NUMBER
    ]
    folded = {number.casefold(): number for number in numbers}
    if not name:
        return next((folded[one] for one in REVENUES if one in folded), "")
    if name.casefold() not in folded:
        shown = ", ".join(event.name for event in conversion) or "no conversion"
        raise UserError(
            Reason.UNKNOWN_NAME,
            f"{shown} has no number `{name}` to sum as revenue",
            field="revenue",
            suggestions=nearest(name, numbers),
        )
    return folded[name.casefold()]


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
