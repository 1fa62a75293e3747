"""
Protobuf to tree, trusting nothing.

A message from the wire can leave out anything, nest up to 100 deep, use enum values and fields
that this build does not know, and hold any number. What comes out is a tree that the text could
have given, or a UserError whose `field` is the path of the place:
`segment.items[2].compare.right`.

The path is a chain of pairs from the inside out, built on the way down and only spelled out for an
error. Fields that the server does not know are refused too: a newer client may have said with them
what turns the meaning around.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest
from headcount.query import proto_enums as enums
from headcount.query import rules, tree
from headcount.query.lexicon import clipped
from headcount.query.limits import (
    DEFAULT,
    Limits,
    too_deep,
    too_many_conditions,
    too_many_periods,
    too_many_values,
)
from headcount.query.place import Path, Place, spelled
from headcount.query.proto_enums import E, EnumTable
from headcount.v1 import segment_pb2 as pb

T = TypeVar("T")

# Of the conditions that hold texts themselves, the field that does, and whether it is repeated.
_LITERALS = {
    "text_match": (".pattern", False),
    "contains_set": (".options", True),
    "in_list": (".names", True),
    "opted_out": (".name", False),
}


def from_proto(
    message: pb.Segment, limits: Limits = DEFAULT, field: str = "segment"
) -> tree.Segment:
    """
    Return the tree of *message*; *field* is the path of the message in the request.

    Raises:
        UserError: SYNTAX, UNKNOWN_NAME (of a function), INVALID_VALUE or LIMIT_EXCEEDED.
    """
    segment = _Reader(limits).segment(message, (None, field), 0)
    unknown = _unknown_field(message, (None, field))
    if unknown is not None:
        raise _refusal(
            unknown, "expected fields that this server knows, found others; the client may be newer"
        )
    return segment


def _refusal(
    path: Path,
    message: str,
    reason: Reason = Reason.SYNTAX,
    suggestions: tuple[str, ...] = (),
) -> UserError:
    return UserError(reason, message, field=spelled(path), suggestions=suggestions)


def _unknown_field(message: Message, path: Path) -> Path | None:
    """Return the first message at or below *path* that holds fields we do not know, or None."""
    if len(UnknownFieldSet(message)):
        return path
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        below: Iterable[tuple[Any, str]] = [(value, f".{descriptor.name}")]
        if not isinstance(value, Message):
            below = [(item, f".{descriptor.name}[{i}]") for i, item in enumerate(value)]
        for item, name in below:
            found = _unknown_field(item, (path, name))
            if found is not None:
                return found
    return None


def _required(message: Message, name: str, path: Path) -> Path:
    """Return the path of a field that must be set."""
    here = (path, f".{name}")
    if not message.HasField(name):
        raise _refusal(here, f"expected `{name}` to be set")
    return here


def _enum(table: EnumTable[E], number: int, path: Path) -> E:
    """Return the member that an enum field names."""
    member = table.from_wire.get(number)
    if member is None:
        found = table.wire.Name(0) if number == 0 else f"the unknown value {number}"
        raise _refusal(path, f"expected one of {table.names()}, found {found}")
    return member


def _sound(fault: str | None, path: Path, reason: Reason = Reason.INVALID_VALUE) -> None:
    """Raise the fault of a rule, if there is one."""
    if fault is not None:
        raise _refusal(path, fault, reason)


class _Reader:
    """Reads one segment; counts what is limited in all of it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._conditions = 0
        self._inside_where = False

    def _deeper(self, level: int, path: Path) -> int:
        """Return the next level."""
        if level >= self._limits.depth:
            raise _refusal(path, too_deep(self._limits.depth), Reason.LIMIT_EXCEEDED)
        return level + 1

    def _listed(self, values: Any, path: Path) -> None:
        """Refuse a list that is empty or too long."""
        if not values:
            raise _refusal(path, "expected one or more, found none")
        if len(values) > self._limits.values:
            message = too_many_values(self._limits.values, len(values))
            raise _refusal(path, message, Reason.LIMIT_EXCEEDED)

    def _about_the_contact(self, path: Path) -> None:
        """Refuse, inside `where`, what is not about the event."""
        if self._inside_where:
            raise _refusal(
                path, "`where` compares properties of the event; ask about other things outside"
            )

    # --- conditions ---------------------------------------------------------------------------

    def segment(self, message: pb.Segment, path: Path, level: int) -> tree.Segment:
        which = message.WhichOneof("condition")
        if which is None:
            raise _refusal(path, "expected one condition to be set, found none that is known")
        here = (path, f".{which}")
        if which == "logic":
            return tree.placed(self._logic(message, path, level), Place(path))
        if message.items:
            raise _refusal((path, ".items"), f"expected no items beside `{which}`, only by `logic`")
        self._conditions += 1
        if self._conditions > self._limits.conditions:
            limit = too_many_conditions(self._limits.conditions)
            raise _refusal(path, limit, Reason.LIMIT_EXCEEDED)
        condition: tree.Segment = getattr(self, f"_{which}")(getattr(message, which), here, level)
        inside, repeated = _LITERALS.get(which, (None, False))
        return tree.placed(condition, Place(here, (here, inside) if inside else None, repeated))

    def _logic(self, message: pb.Segment, path: Path, level: int) -> tree.Segment:
        level = self._deeper(level, path)
        logic, found = message.logic, len(message.items)
        if logic not in (pb.LOGIC_AND, pb.LOGIC_OR, pb.LOGIC_NOT):
            raise _refusal(
                (path, ".logic"), f"expected LOGIC_AND, LOGIC_OR or LOGIC_NOT, found {logic}"
            )
        if logic == pb.LOGIC_NOT and found != 1:
            raise _refusal((path, ".items"), f"expected one item for LOGIC_NOT, found {found}")
        if logic != pb.LOGIC_NOT and found < 2:
            name = pb.Logic.Name(logic)
            raise _refusal(
                (path, ".items"), f"expected two or more items for {name}, found {found}"
            )
        items = tuple(
            self.segment(item, (path, f".items[{i}]"), level)
            for i, item in enumerate(message.items)
        )
        if logic == pb.LOGIC_NOT:
            return tree.Not(items[0])
        return tree.And(items) if logic == pb.LOGIC_AND else tree.Or(items)

    def _everyone(self, _message: pb.Everyone, path: Path, _level: int) -> tree.Segment:
        self._about_the_contact(path)
        return tree.Everyone()

    def _compare(self, message: pb.Compare, path: Path, level: int) -> tree.Segment:
        left = self._value(message, "left", path, level)
        op = _enum(enums.COMPARE, message.operator, (path, ".operator"))
        right = self._value(message, "right", path, level)
        if rules.is_age(op, right):
            raise _refusal(
                (path, ".right"), f"comparing `ago` by `{op}` compares ages; set `age` instead"
            )
        return tree.Compare(left, op, right)

    def _between(self, message: pb.Between, path: Path, level: int) -> tree.Segment:
        return tree.Between(
            self._value(message, "value", path, level),
            self._value(message, "low", path, level),
            self._value(message, "high", path, level),
            message.negated,
        )

    def _is_in(self, message: pb.In, path: Path, level: int) -> tree.Segment:
        level = self._deeper(level, path)
        self._listed(message.options, (path, ".options"))
        options = tuple(
            self._read_value(option, (path, f".options[{i}]"), level)
            for i, option in enumerate(message.options)
        )
        return tree.In(self._value(message, "value", path, level), options, message.negated)

    def _text_match(self, message: pb.TextMatch, path: Path, level: int) -> tree.Segment:
        value = self._value(message, "value", path, level)
        op = _enum(enums.TEXT, message.operator, (path, ".operator"))
        return tree.TextMatch(value, op, message.pattern, message.negated)

    def _contains_set(self, message: pb.ContainsSet, path: Path, level: int) -> tree.Segment:
        level = self._deeper(level, path)
        self._listed(message.options, (path, ".options"))
        value = self._value(message, "value", path, level)
        mode = _enum(enums.SET_MODE, message.mode, (path, ".mode"))
        return tree.ContainsSet(value, mode, tuple(message.options), message.negated)

    def _is_empty(self, message: pb.IsEmpty, path: Path, level: int) -> tree.Segment:
        return tree.IsEmpty(self._value(message, "value", path, level), message.negated)

    def _within(self, message: pb.Within, path: Path, level: int) -> tree.Segment:
        value = self._value(message, "value", path, level)
        direction = _enum(enums.DIRECTION, message.direction, (path, ".direction"))
        duration = self._duration(message.duration, _required(message, "duration", path))
        return tree.Within(value, direction, duration, message.negated)

    def _age(self, message: pb.Age, path: Path, level: int) -> tree.Segment:
        value = self._value(message, "value", path, level)
        op = _enum(enums.COMPARE, message.operator, (path, ".operator"))
        if op not in rules.AGE_OPS:
            raise _refusal(
                (path, ".operator"), f"expected LT, LE, GT or GE for an age, found {op.name}"
            )
        return tree.Age(
            value, op, self._duration(message.duration, _required(message, "duration", path))
        )

    def _in_list(self, message: pb.InList, path: Path, level: int) -> tree.Segment:
        self._about_the_contact(path)
        self._deeper(level, path)
        self._listed(message.names, (path, ".names"))
        return tree.InList(tuple(message.names), message.negated)

    def _opted_out(self, message: pb.OptedOut, path: Path, _level: int) -> tree.Segment:
        self._about_the_contact(path)
        return tree.OptedOut(message.name, message.negated)

    def _in_segment(self, message: pb.InSegment, path: Path, _level: int) -> tree.Segment:
        self._about_the_contact(path)
        return tree.InSegment(message.name, message.negated)

    def _sample(self, message: pb.Sample, path: Path, _level: int) -> tree.Segment:
        self._about_the_contact(path)
        _sound(rules.percent_fault(message.percent), (path, ".percent"))
        return tree.Sample(message.percent, message.salt if message.HasField("salt") else None)

    # --- events -------------------------------------------------------------------------------

    def _did(self, message: pb.Did, path: Path, level: int) -> tree.Segment:
        self._about_the_contact(path)
        return tree.Did(
            self._event(message, "event", path, level),
            self._times(message, path),
            self._window(message, path, level),
            message.negated,
        )

    def _regularly(self, message: pb.Regularly, path: Path, level: int) -> tree.Segment:
        self._about_the_contact(path)
        event = self._event(message, "event", path, level)
        times = self._times(message, path)
        period = self._duration(message.period, _required(message, "period", path))
        at_least, periods = message.at_least, message.periods
        _sound(rules.periods_fault(at_least, periods, period), path)
        if periods > self._limits.periods:
            limit = too_many_periods(self._limits.periods, periods)
            raise _refusal((path, ".periods"), limit, Reason.LIMIT_EXCEEDED)
        return tree.Regularly(event, times, at_least, periods, period)

    def _sequence(self, message: pb.Sequence, path: Path, level: int) -> tree.Segment:
        self._about_the_contact(path)
        return tree.Sequence(
            self._event(message, "first", path, level),
            self._event(message, "then", path, level),
            self._duration(message.within, _required(message, "within", path)),
            message.negated,
            self._window(message, path, level),
        )

    def _event(self, parent: Message, name: str, path: Path, level: int) -> tree.EventSelector:
        """Return the events in a required field of *parent*."""
        here = _required(parent, name, path)
        message: pb.EventSelector = getattr(parent, name)
        _sound(rules.name_fault(message.name), (here, ".name"))
        place = Place((here, ".name"))
        if not message.HasField("where"):
            return tree.EventSelector(message.name, place=place)
        level = self._deeper(level, here)
        self._inside_where = True
        where = self.segment(message.where, (here, ".where"), level)
        self._inside_where = False
        return tree.EventSelector(message.name, where, place=place)

    def _times(self, parent: pb.Did | pb.Regularly, path: Path) -> tree.Times | None:
        if not parent.HasField("times"):
            return None
        message, here = parent.times, (path, ".times")
        op = _enum(enums.TIMES, message.operator, (here, ".operator"))
        high = message.high if message.HasField("high") else None
        if (high is not None) != (op is tree.TimesOp.BETWEEN):
            raise _refusal((here, ".high"), "expected `high` for BETWEEN, and for nothing else")
        times = tree.Times(op, message.n, high)
        _sound(rules.times_fault(times), here)
        return times

    def _window(self, parent: Any, path: Path, level: int) -> tree.Window | None:
        """Return the window of *parent*, if it has one."""
        if not parent.HasField("window"):
            return None
        message: pb.Window = parent.window
        which = message.WhichOneof("kind")
        if which is None:
            raise _refusal(
                (path, ".window"), "expected one kind to be set, found none that is known"
            )
        here = ((path, ".window"), f".{which}")
        return tree.placed(self._window_of(message, which, here, level), Place(here))

    def _window_of(self, message: pb.Window, which: str, here: Path, level: int) -> tree.Window:
        """Return the window of one kind."""
        match which:
            case "last":
                return tree.LastWindow(self._duration(message.last, here))
            case "between":
                low = self._time(message.between, "low", here, level)
                return tree.BetweenWindow(low, self._time(message.between, "high", here, level))
            case "edge":
                edge = _enum(enums.EDGE, message.edge.edge, (here, ".edge"))
                return tree.EdgeWindow(edge, self._time(message.edge, "time", here, level))
            case "period":
                return tree.CalendarWindow(_enum(enums.PERIOD, message.period, here))
        return tree.Ever()

    # --- values -------------------------------------------------------------------------------

    def _value(self, parent: Message, name: str, path: Path, level: int) -> tree.Value:
        """Return the value in a required field of *parent*."""
        here = _required(parent, name, path)
        return self._read_value(getattr(parent, name), here, level)

    def _time(self, parent: Message, name: str, path: Path, level: int) -> tree.Value:
        """Return the value in a required field, which must be a time."""
        value = self._value(parent, name, path, level)
        if rules.not_a_time(value) is not None:
            raise _refusal(
                (path, f".{name}"),
                "expected a fixed time: a date, a clock time, a moment or `ago`, "
                "with durations added or taken",
            )
        return value

    def _read_value(self, message: pb.Value, path: Path, level: int) -> tree.Value:
        which = message.WhichOneof("kind")
        if which is None:
            raise _refusal(path, "expected one kind to be set, found none that is known")
        here = (path, f".{which}")
        return tree.placed(self._value_of(message, which, path, here, level), Place(here))

    def _value_of(
        self, message: pb.Value, which: str, path: Path, here: Path, level: int
    ) -> tree.Value:
        """Return the value of one kind, which is at *here* in the value at *path*."""
        if message.operands and which not in ("arithmetic", "function"):
            raise _refusal(
                (path, ".operands"), "expected operands only for `arithmetic` and `function`"
            )
        match which:
            case "number":
                _sound(rules.number_fault(message.number), here)
                return tree.Number(message.number)
            case "text":
                return tree.String(message.text)
            case "boolean":
                return tree.Boolean(message.boolean)
            case "date":
                return tree.Date(self._date(message.date, here))
            case "clock_time":
                return tree.DateTime(self._clock_time(message.clock_time, here))
            case "duration":
                return tree.DurationValue(self._duration(message.duration, here))
            case "name":
                return self._name(message.name, here)
            case "moment":
                return tree.TimeWord(_enum(enums.MOMENT, message.moment, here))
            case "ago":
                return tree.Ago(self._duration(message.ago, here))
            case "arithmetic":
                return self._arithmetic(message, path, level)
            case "function":
                return self._call(message, path, level)
            case "event":
                return self._event_value(message.event, here, level)
        return self._aggregate(message.aggregate, here, level)

    def _name(self, message: pb.Name, path: Path) -> tree.Name:
        _sound(rules.name_fault(message.name), (path, ".name"))
        if message.bare:
            _sound(rules.bare_name_fault(message.name), (path, ".name"))
        return tree.Name(message.name, not message.bare)

    def _operands(self, message: pb.Value, path: Path, level: int) -> tuple[tree.Value, ...]:
        return tuple(
            self._read_value(operand, (path, f".operands[{i}]"), level)
            for i, operand in enumerate(message.operands)
        )

    def _arithmetic(self, message: pb.Value, path: Path, level: int) -> tree.Value:
        level = self._deeper(level, path)
        wanted = 1 if message.arithmetic == pb.ARITHMETIC_OPERATOR_NEGATE else 2
        if len(message.operands) != wanted:
            raise _refusal(
                (path, ".operands"),
                f"expected {wanted} for this operator, found {len(message.operands)}",
            )
        if wanted == 2:
            op = _enum(enums.ARITHMETIC, message.arithmetic, (path, ".arithmetic"))
            left, right = self._operands(message, path, level)
            return tree.Arithmetic(op, left, right)
        (operand,) = self._operands(message, path, level)
        if isinstance(operand, tree.Number):
            raise _refusal((path, ".operands[0]"), "expected a negative number, found its negation")
        return tree.Negative(operand)

    def _call(self, message: pb.Value, path: Path, level: int) -> tree.Value:
        level = self._deeper(level, path)
        if message.function not in tree.FUNCTIONS:
            raise _refusal(
                (path, ".function"),
                f"unknown function `{clipped(message.function)}`",
                Reason.UNKNOWN_NAME,
                nearest(message.function, tree.FUNCTIONS),
            )
        if message.operands:
            self._listed(message.operands, (path, ".operands"))
        return tree.Call(message.function, self._operands(message, path, level))

    def _event_value(self, message: pb.EventValue, path: Path, level: int) -> tree.Value:
        self._about_the_contact(path)
        level = self._deeper(level, path)
        return tree.EventValue(
            _enum(enums.PICK, message.pick, (path, ".pick")),
            self._event(message, "event", path, level),
            self._window(message, path, level),
        )

    def _aggregate(self, message: pb.Aggregate, path: Path, level: int) -> tree.Value:
        self._about_the_contact(path)
        level = self._deeper(level, path)
        _sound(rules.name_fault(message.property), (path, ".property"))
        return tree.Aggregate(
            _enum(enums.AGGREGATE, message.operator, (path, ".operator")),
            self._event(message, "event", path, level),
            message.property,
            self._window(message, path, level),
        )

    # --- leaves -------------------------------------------------------------------------------

    def _duration(self, message: pb.CalendarDuration, path: Path) -> tree.Duration:
        unit = _enum(enums.UNIT, message.unit, (path, ".unit"))
        duration = tree.Duration(message.amount, unit)
        _sound(rules.duration_fault(duration), (path, ".amount"))
        return duration

    def _date(self, message: pb.CalendarDate, path: Path) -> dt.date:
        try:
            return dt.date(message.year, message.month, message.day)
        except ValueError:
            found = f"{message.year}-{message.month}-{message.day}"
            raise _refusal(
                path, f"expected a day of the calendar, found {found}", Reason.INVALID_VALUE
            ) from None

    def _clock_time(self, message: pb.ClockTime, path: Path) -> dt.datetime:
        day = self._date(message.date, _required(message, "date", path))
        zone = None
        if message.HasField("offset_minutes"):
            if abs(message.offset_minutes) > 1439:
                raise _refusal(
                    (path, ".offset_minutes"),
                    f"expected from -1439 to 1439 minutes, found {message.offset_minutes}",
                    Reason.INVALID_VALUE,
                )
            zone = dt.timezone(dt.timedelta(minutes=message.offset_minutes))
        try:
            clock = dt.time(message.hour, message.minute, message.second, message.microsecond, zone)
        except ValueError:
            raise _refusal(
                path,
                f"expected a time of the clock, found {message.hour}:{message.minute}:"
                f"{message.second} and {message.microsecond} µs",
                Reason.INVALID_VALUE,
            ) from None
        return dt.datetime.combine(day, clock)
