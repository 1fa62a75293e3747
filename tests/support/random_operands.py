"""
Random operands: fields, properties, and every kind of value that is computed from them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from headcount.model.schema import EventType, FieldType
from headcount.query import tree
from headcount.query.tree import (
    AggregateOp,
    ArithmeticOp,
    EventPick,
    Moment,
    Unit,
)
from support import oracle
from support.random_times import DAY_UNITS, Operand, Subjects
from support.random_worlds import EXACT


class Operands(Subjects, ABC):
    """Makes what conditions are about."""

    def operand(self, *types: FieldType) -> Operand:
        """Return a field or property, of one of *types* if any are named; else a derived value."""
        there = sorted({o.type for o in self.fields if not types or o.type in types})
        if there and (types or self.dice.chance(90)):
            type_ = self.dice.pick(there)
            return self.dice.pick([o for o in self.fields if o.type is type_])
        return self.derived(*types)

    def derived(self, *types: FieldType) -> Operand:
        """Return a value that is computed, of one of *types* if any are named."""
        makers: dict[FieldType, list[Callable[[], Operand]]] = {
            FieldType.NUMBER: [self.calendar_part],
            FieldType.DATE: [self.anniversary] * 2,
            FieldType.DATETIME: [],
        }
        if not self.types:
            makers[FieldType.NUMBER] += [self.event_count]
            makers[FieldType.DATETIME] += [self.event_time]
            if "aggregates" in self.features:
                makers[FieldType.NUMBER] += [self.aggregate] * 4
        if "arithmetic" in self.features:
            makers[FieldType.NUMBER] += [self.arithmetic, self.days_between]
            makers[FieldType.DATE] += [lambda: self.shifted(FieldType.DATE)]
            makers[FieldType.DATETIME] += [lambda: self.shifted(FieldType.DATETIME)]
        if "functions" in self.features:
            makers[FieldType.NUMBER] += [self.numeric_function, self.length]
        fitting = [m for t, ms in makers.items() if not types or t in types for m in ms]
        if not fitting:
            return self.calendar_part()
        return self.dice.pick(fitting)()

    def any_time(self) -> Operand:
        """Return a date or datetime that is held, or today where none is."""
        held = [o for o in self.fields if o.type in (FieldType.DATE, FieldType.DATETIME)]
        if not held:
            return Operand(tree.TimeWord(Moment.TODAY), FieldType.DATE)
        return self.dice.pick(held)

    def number(self) -> Operand:
        """Return a number that is held, or a literal where none is."""
        held = [o for o in self.fields if o.type is FieldType.NUMBER]
        if not self.types and self.dice.chance(30):
            return self.event_count()
        if not held:
            return Operand(tree.Number(self.dice.pick(EXACT)), FieldType.NUMBER)
        return self.dice.pick(held)

    def calendar_part(self) -> Operand:
        """Return `month(d)` and its kin; `hour` only of an instant."""
        time = self.any_time()
        parts = ["month", "day", "weekday", "year"]
        if time.type is FieldType.DATETIME:
            parts.append("hour")
        return Operand(tree.Call(self.dice.pick(parts), (time.node,)), FieldType.NUMBER)

    def anniversary(self) -> Operand:
        """Return `anniversary(d)`, mostly of a date."""
        dates = [o for o in self.fields if o.type is FieldType.DATE]
        time = self.dice.pick(dates) if dates and self.dice.chance(80) else self.any_time()
        return Operand(tree.Call("anniversary", (time.node,)), FieldType.DATE)

    def event_count(self) -> Operand:
        """Return `count(E ...)`."""
        event, _ = self.selector()
        return Operand(tree.EventValue(EventPick.COUNT, event, self.window()), FieldType.NUMBER)

    def event_time(self) -> Operand:
        """Return `first(E ...)` or `last(E ...)`."""
        event, _ = self.selector()
        pick = self.dice.pick((EventPick.LAST, EventPick.FIRST))
        return Operand(tree.EventValue(pick, event, self.window()), FieldType.DATETIME)

    def aggregate(self) -> Operand:
        """Return `sum(E.p ...)` and its kin, where the types allow and adding is exact."""
        event, types = self.selector()
        properties = self.inside(types).fields
        if not properties:
            return self.event_count()
        numbers = [p for p in properties if p.type is FieldType.NUMBER]
        chosen = self.dice.pick(numbers if numbers and self.dice.chance(50) else properties)
        ops = [AggregateOp.DISTINCT] * 2
        if chosen.type in (FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME):
            ops += [AggregateOp.MIN, AggregateOp.MAX]
        if chosen.type is FieldType.NUMBER and self.adds_exactly(types, chosen):
            ops += [AggregateOp.SUM] * 3 + [AggregateOp.AVG]
        op = self.dice.pick(ops)
        assert chosen.field is not None
        node = tree.Aggregate(op, event, self.spelled(chosen.field.name), self.window())
        type_ = chosen.type if op in (AggregateOp.MIN, AggregateOp.MAX) else FieldType.NUMBER
        return Operand(node, type_)

    def adds_exactly(self, types: Sequence[EventType], chosen: Operand) -> bool:
        """Return whether the property's values give the same sum in any order."""
        assert chosen.field is not None
        names = {t.name for t in types}
        held = [e.properties.get(chosen.field.name) for e in self.world.events if e.type in names]
        numbers = [abs(one) for one in held if isinstance(one, float)]
        return sum(numbers) < 2**40 and all((one * 1024).is_integer() for one in numbers)

    def arithmetic(self) -> Operand:
        """Return `a op b` of numbers, sometimes nested."""
        left = self.number().node
        if self.dice.chance(25):
            left = self.arithmetic().node
        right = self.number().node
        if self.dice.chance(40):
            right = tree.Number(self.dice.pick((2.0, 5.0, 10.0, 0.5, 0.0, 3.0)))
        op = self.dice.pick(tuple(ArithmeticOp))
        return Operand(tree.Arithmetic(op, left, right), FieldType.NUMBER)

    def days_between(self) -> Operand:
        """Return a number of days: `today - d`, `now - t`, or of two fields."""
        time = self.any_time()
        same = [o for o in self.fields if o.type is time.type]
        moment = Moment.TODAY if time.type is FieldType.DATE else Moment.NOW
        later: tree.Value = tree.TimeWord(moment)
        if same and self.dice.chance(30):
            later = self.dice.pick(same).node
        node = tree.Arithmetic(ArithmeticOp.SUBTRACT, later, time.node)
        return Operand(node, FieldType.NUMBER, in_days=True)

    def shifted(self, type_: FieldType) -> Operand:
        """Return a date or datetime field ± a duration."""
        held = [o for o in self.fields if o.type is type_]
        if not held:
            return self.anniversary()
        op = self.dice.pick((ArithmeticOp.ADD, ArithmeticOp.SUBTRACT))
        units = DAY_UNITS if type_ is FieldType.DATE else tuple(Unit)
        by = tree.DurationValue(self.duration(units))
        return Operand(tree.Arithmetic(op, self.dice.pick(held).node, by), type_)

    def numeric_function(self) -> Operand:
        """Return `abs`, `min`, `max`, `coalesce`, a sign, or `round` where no half is rounded."""
        one = self.number().node
        match self.dice.integer(0, 5):
            case 0:
                node: tree.Value = tree.Call("abs", (one,))
            case 1:
                node = tree.Call(self.dice.pick(("min", "max")), (one, self.number().node))
            case 2 | 3:
                other = self.dice.pick((self.number().node, tree.Number(0.0)))
                node = tree.Call("coalesce", (one, other))
            case 4 if not isinstance(one, tree.Number):
                node = tree.Negative(one)
            case _:
                held = [oracle.value(self.query, subject, one) for subject in self.subjects]
                halves = [n for n in held if isinstance(n, float) and n % 1 == 0.5]
                node = tree.Call("abs" if halves else "round", (one,))
        return Operand(node, FieldType.NUMBER)

    def length(self) -> Operand:
        """Return `length(s)` of a string field."""
        held = [o for o in self.fields if o.type in (FieldType.KEYWORD, FieldType.TEXT)]
        if not held:
            return self.numeric_function()
        return Operand(tree.Call("length", (self.dice.pick(held).node,)), FieldType.NUMBER)

    def selector(self) -> tuple[tree.EventSelector, tuple[EventType, ...]]:
        """Return a type, alias or group of events, sometimes with a `where`, and its types."""
        name = self.dice.pick(self.world.schema.event_names())
        types = self.world.schema.event(name)
        where = None
        if self.dice.chance(30):
            inner = self.inside(types)
            if inner.fields and inner.subjects:
                where = inner.segment(self.dice.pick((0, 0, 0, 1, 2)))
        return tree.EventSelector(self.spelled(name), where), types

    @abstractmethod
    def segment(self, depth: int) -> tree.Segment:
        """Return a segment of at most *depth* levels, for a `where`."""
