"""
Tree to protobuf. The way back, which has to doubt everything, is `proto_reader`.

The messages mirror the tree; the parts of `and`, `or`, `not` and of expressions lie in `items` and
`operands` (segment.proto says why). A span is not sent: the other side has no text to point into.
"""

from __future__ import annotations

import datetime as dt

from headcount.query import proto_enums as enums
from headcount.query import tree
from headcount.query.limits import require_depth
from headcount.query.proto_reader import from_proto
from headcount.v1 import segment_pb2 as pb

__all__ = ["from_proto", "to_proto"]


def to_proto(segment: tree.Segment) -> pb.Segment:
    """
    Return the message of a segment, which `from_proto` turns back into an equal one.

    Raises:
        UserError: LIMIT_EXCEEDED; nested more than 64 levels deep.
    """
    require_depth(segment)
    return _segment(segment)


def _segment(node: tree.Segment) -> pb.Segment:
    match node:
        case tree.And():
            return pb.Segment(logic=pb.LOGIC_AND, items=map(_segment, node.items))
        case tree.Or():
            return pb.Segment(logic=pb.LOGIC_OR, items=map(_segment, node.items))
        case tree.Not():
            return pb.Segment(logic=pb.LOGIC_NOT, items=[_segment(node.item)])
        case tree.Everyone():
            return pb.Segment(everyone=pb.Everyone())
        case tree.Compare():
            return pb.Segment(
                compare=pb.Compare(
                    left=_value(node.left),
                    operator=enums.COMPARE.to_wire[node.op],
                    right=_value(node.right),
                )
            )
        case tree.Between():
            return pb.Segment(
                between=pb.Between(
                    value=_value(node.value),
                    low=_value(node.low),
                    high=_value(node.high),
                    negated=node.negated,
                )
            )
        case tree.In():
            return pb.Segment(
                is_in=pb.In(
                    value=_value(node.value),
                    options=map(_value, node.options),
                    negated=node.negated,
                )
            )
        case tree.TextMatch():
            return pb.Segment(
                text_match=pb.TextMatch(
                    value=_value(node.value),
                    operator=enums.TEXT.to_wire[node.op],
                    pattern=node.pattern,
                    negated=node.negated,
                )
            )
        case tree.ContainsSet():
            return pb.Segment(
                contains_set=pb.ContainsSet(
                    value=_value(node.value),
                    mode=enums.SET_MODE.to_wire[node.mode],
                    options=node.options,
                    negated=node.negated,
                )
            )
        case tree.IsEmpty():
            return pb.Segment(is_empty=pb.IsEmpty(value=_value(node.value), negated=node.negated))
        case tree.Within():
            return pb.Segment(
                within=pb.Within(
                    value=_value(node.value),
                    direction=enums.DIRECTION.to_wire[node.direction],
                    duration=_duration(node.duration),
                    negated=node.negated,
                )
            )
        case tree.Age():
            return pb.Segment(
                age=pb.Age(
                    value=_value(node.value),
                    operator=enums.COMPARE.to_wire[node.op],
                    duration=_duration(node.duration),
                )
            )
        case tree.InList():
            return pb.Segment(in_list=pb.InList(names=node.names, negated=node.negated))
        case tree.OptedOut():
            return pb.Segment(opted_out=pb.OptedOut(name=node.name, negated=node.negated))
        case tree.InSegment():
            return pb.Segment(in_segment=pb.InSegment(name=node.name, negated=node.negated))
        case tree.Sample():
            return pb.Segment(sample=pb.Sample(percent=node.percent, salt=node.salt))
        case tree.Did():
            return pb.Segment(
                did=pb.Did(
                    event=_event(node.event),
                    times=_times(node.times),
                    window=_window(node.window),
                    negated=node.negated,
                )
            )
        case tree.Regularly():
            return pb.Segment(
                regularly=pb.Regularly(
                    event=_event(node.event),
                    times=_times(node.times),
                    at_least=node.at_least,
                    periods=node.periods,
                    period=_duration(node.period),
                )
            )
        case tree.Sequence():
            return pb.Segment(
                sequence=pb.Sequence(
                    first=_event(node.first),
                    then=_event(node.then),
                    within=_duration(node.within),
                    negated=node.negated,
                    window=_window(node.window),
                )
            )


def _value(node: tree.Value) -> pb.Value:
    match node:
        case tree.Number():
            return pb.Value(number=node.value)
        case tree.String():
            return pb.Value(text=node.value)
        case tree.Boolean():
            return pb.Value(boolean=node.value)
        case tree.Date():
            return pb.Value(date=_date(node.value))
        case tree.DateTime():
            return pb.Value(clock_time=_clock_time(node.value))
        case tree.DurationValue():
            return pb.Value(duration=_duration(node.value))
        case tree.Name():
            return pb.Value(name=pb.Name(name=node.name, bare=not node.quoted))
        case tree.TimeWord():
            return pb.Value(moment=enums.MOMENT.to_wire[node.moment])
        case tree.Ago():
            return pb.Value(ago=_duration(node.duration))
        case tree.Arithmetic():
            return pb.Value(
                arithmetic=enums.ARITHMETIC.to_wire[node.op],
                operands=[_value(node.left), _value(node.right)],
            )
        case tree.Negative():
            return pb.Value(
                arithmetic=pb.ARITHMETIC_OPERATOR_NEGATE, operands=[_value(node.operand)]
            )
        case tree.Call():
            return pb.Value(function=node.function, operands=map(_value, node.arguments))
        case tree.EventValue():
            return pb.Value(
                event=pb.EventValue(
                    pick=enums.PICK.to_wire[node.pick],
                    event=_event(node.event),
                    window=_window(node.window),
                )
            )
        case tree.Aggregate():
            return pb.Value(
                aggregate=pb.Aggregate(
                    operator=enums.AGGREGATE.to_wire[node.op],
                    event=_event(node.event),
                    property=node.property,
                    window=_window(node.window),
                )
            )


def _event(event: tree.EventSelector) -> pb.EventSelector:
    where = None if event.where is None else _segment(event.where)
    return pb.EventSelector(name=event.name, where=where)


def _times(times: tree.Times | None) -> pb.Times | None:
    if times is None:
        return None
    return pb.Times(operator=enums.TIMES.to_wire[times.op], n=times.n, high=times.high)


def _window(window: tree.Window | None) -> pb.Window | None:
    match window:
        case None:
            return None
        case tree.LastWindow():
            return pb.Window(last=_duration(window.duration))
        case tree.BetweenWindow():
            low, high = _value(window.low), _value(window.high)
            return pb.Window(between=pb.BetweenWindow(low=low, high=high))
        case tree.EdgeWindow():
            edge = enums.EDGE.to_wire[window.edge]
            return pb.Window(edge=pb.EdgeWindow(edge=edge, time=_value(window.time)))
        case tree.CalendarWindow():
            return pb.Window(period=enums.PERIOD.to_wire[window.period])
        case tree.Ever():
            return pb.Window(ever=pb.Ever())


def _duration(duration: tree.Duration) -> pb.CalendarDuration:
    return pb.CalendarDuration(amount=duration.amount, unit=enums.UNIT.to_wire[duration.unit])


def _date(day: dt.date) -> pb.CalendarDate:
    return pb.CalendarDate(year=day.year, month=day.month, day=day.day)


def _clock_time(time: dt.datetime) -> pb.ClockTime:
    offset = time.utcoffset()
    minutes = None if offset is None else offset // dt.timedelta(minutes=1)
    if offset is not None and offset % dt.timedelta(minutes=1):
        time, minutes = time.astimezone(dt.UTC), 0  # the same instant; offsets are in minutes
    return pb.ClockTime(
        date=_date(time.date()),
        hour=time.hour,
        minute=time.minute,
        second=time.second,
        microsecond=time.microsecond,
        offset_minutes=minutes,
    )
