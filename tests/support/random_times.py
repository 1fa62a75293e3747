"""
What random segments are made of: names, samples of what contacts have, durations, times, windows.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from headcount.model.schema import EventType, Field, FieldType
from headcount.query import tree
from headcount.query.lexicon import is_bare_word
from headcount.query.tree import (
    ArithmeticOp,
    Duration,
    Edge,
    Moment,
    Unit,
)
from support import oracle
from support.dice import Choices
from support.oracle_values import (
    Contact,
    Occurrence,
    Query,
    SpokenInstant,
    Value,
)
from support.random_worlds import Scene
from support.worlds import World

DAY_UNITS = (Unit.DAY, Unit.WEEK, Unit.MONTH, Unit.QUARTER, Unit.YEAR)


@dataclass(frozen=True, slots=True)
class Operand:
    """What a condition is about. `in_days` is a number of days, which a duration compares with."""

    node: tree.Value
    type: FieldType
    field: Field | None = None
    in_days: bool = False


class Subjects:
    """One world, seen as what a segment can ask about; inside `where`, the events of `types`."""

    def __init__(
        self,
        dice: Choices,
        world: World,
        scene: Scene,
        features: frozenset[str],
        types: tuple[EventType, ...] = (),
    ) -> None:
        self.dice = dice
        self.world = world
        self.scene = scene
        self.features = features
        self.types = types
        self.query = Query(world, scene.as_of, scene.zone)
        self.subjects: Sequence[Contact | Occurrence] = oracle.contacts_of(world)
        if types:
            names = {t.name for t in types}
            self.subjects = [Occurrence(e, types) for e in world.events if e.type in names]
        self.labels = self.seen("label", world.schema.labels)
        self.lists = sorted({*self.seen("list", world.schema.lists), *self.seen("opted_out", ())})
        self.fields = self._fields()

    def seen(self, field: str, declared: Sequence[str]) -> list[str]:
        """Return the values of a multi-valued field that the workspace knows."""
        held = (contact.get(field) or () for contact in self.world.contacts.values())
        return sorted({*declared, *(name for names in held for name in names)})  # type: ignore[attr-defined]

    def inside(self, types: tuple[EventType, ...]) -> Self:
        """Return the same for a `where` about events of *types*."""
        return type(self)(self.dice, self.world, self.scene, self.features, types)

    def _fields(self) -> list[Operand]:
        """Return what a name may stand for; `label` only if there is a label to ask for."""
        if self.types:
            first, *others = self.types
            named = [(p.name, p) for p in first.properties if all(_same(p, t) for t in others)]
        else:
            stored = self.world.schema.all_fields.values()
            named = [(f.name, f) for f in stored if self.labels or f.name != "label"]
            named += [
                (name, Field(name, FieldType.DATETIME))
                for name in sorted(oracle.ENGAGEMENT_NAMES)
                if oracle.engagement_types(self.world, name) and not self.world.schema.field(name)
            ]
        return [Operand(self.name(name), f.type, f) for name, f in named]

    def name(self, name: str) -> tree.Name:
        """Return a name in some case, in backticks where it must be and sometimes where not."""
        spelled = self.spelled(name)
        return tree.Name(spelled, not is_bare_word(spelled) or self.dice.chance(5))

    def spelled(self, name: str) -> str:
        """Return a name in some case."""
        return self.dice.pick((name, name, name, name.upper(), name.title()))

    def sample(self, node: tree.Value) -> Value:
        """Return the value of an expression for some contact; None if a few have none."""
        for _ in range(3):
            if not self.subjects:
                break
            held = oracle.value(self.query, self.dice.pick(self.subjects), node)
            if held is not None:
                return held
        return None

    def duration(self, units: Sequence[Unit] = tuple(Unit)) -> Duration:
        """Return one of the durations that the edges of the scene were made with."""
        fitting = [d for d in self.scene.durations if d.unit in units]
        return self.dice.pick(fitting or [Duration(30, Unit.DAY)])

    def names_something(self, word: str) -> bool:
        """Return whether a bare word would not be a string."""
        subject = (
            Occurrence(self.world.events[0], self.types) if self.types else Contact("", {}, {})
        )
        return oracle.names_field(self.query, subject, word)

    # --- times --------------------------------------------------------------------------------

    def time(self, operand: Operand | None) -> tree.Value:
        """
        Return a time to compare *operand* with, or for the edge of a window.

        Beside a date, clock times and hours are errors.
        """
        if operand is not None and operand.type is FieldType.DATE:
            match self.dice.integer(0, 5):
                case 0 | 1:
                    return tree.Ago(self.duration(DAY_UNITS))
                case 2:
                    return self.moved(tree.TimeWord(Moment.NOW), DAY_UNITS)
            return self.day(operand)
        match self.dice.integer(0, 7):
            case 0:
                return tree.Ago(self.duration())
            case 1:
                return self.moved(tree.TimeWord(Moment.NOW), tuple(Unit))
            case 2:
                return self.moved(self.day(operand), (Unit.HOUR, Unit.MINUTE))
            case 3 | 4:
                return self.clock_time(operand)
        return self.day(operand)

    def moved(self, time: tree.Value, units: Sequence[Unit]) -> tree.Value:
        """Return a time, mostly ± a duration."""
        if self.dice.chance(25):
            return time
        op = self.dice.pick((ArithmeticOp.SUBTRACT, ArithmeticOp.ADD))
        return tree.Arithmetic(op, time, tree.DurationValue(self.duration(units)))

    def day(self, operand: Operand | None) -> tree.Value:
        """Return a calendar day, in one of the ways to write one."""
        words = (Moment.TODAY, Moment.YESTERDAY, Moment.TOMORROW)
        match self.dice.integer(0, 5):
            case 0 | 1:
                return tree.TimeWord(self.dice.pick(words))
            case 2:
                return self.moved(tree.TimeWord(Moment.TODAY), DAY_UNITS)
        literal: tree.Value = tree.Date(self.some_day(operand))
        return self.moved(literal, DAY_UNITS) if self.dice.chance(10) else literal

    def some_day(self, operand: Operand | None) -> dt.date:
        """Return a day that some contact has, or an edge."""
        held = self.sample(operand.node) if operand and self.dice.chance(60) else None
        if isinstance(held, SpokenInstant):
            held = held.instant
        if isinstance(held, dt.datetime):
            return held.astimezone(self.scene.zone).date()
        return held if isinstance(held, dt.date) else self.dice.pick(self.scene.days)

    def clock_time(self, operand: Operand | None) -> tree.DateTime:
        """Return a clock time that some contact has, or an edge; with an offset or without."""
        held = self.sample(operand.node) if operand and self.dice.chance(60) else None
        if isinstance(held, SpokenInstant):
            held = held.instant
        instant = held if isinstance(held, dt.datetime) else self.dice.pick(self.scene.instants)
        match self.dice.integer(0, 3):
            case 0:
                return tree.DateTime(instant)
            case 1:
                return tree.DateTime(instant.astimezone(dt.timezone(dt.timedelta(hours=5.5))))
            case 2:  # the same clock time, which on some days occurs twice or not at all
                day = self.dice.pick(self.scene.days)
                return tree.DateTime(dt.datetime.combine(day, dt.time(2, 30)))
        wall = instant.astimezone(self.scene.zone).replace(tzinfo=None, fold=0)
        return tree.DateTime(wall)

    def window(self) -> tree.Window | None:
        """Return a window, or none."""
        match self.dice.integer(0, 9):
            case 0 | 1:
                return None
            case 2 | 3 | 4:
                return tree.LastWindow(self.duration())
            case 5:
                return tree.BetweenWindow(self.time(None), self.time(None))
            case 6 | 7:
                edge = self.dice.pick(tuple(Edge))
                time = self.day(None) if edge is Edge.ON else self.time(None)
                return tree.EdgeWindow(edge, time)
            case 8:
                return tree.CalendarWindow(self.dice.pick(self.scene.periods))
        return tree.Ever()


def _same(property_: Field, event_type: EventType) -> bool:
    """Return whether a type has a property of this name and type."""
    other = event_type.property(property_.name)
    return other is not None and other.type is property_.type
