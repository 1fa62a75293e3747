from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Logic(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LOGIC_UNSPECIFIED: _ClassVar[Logic]
    LOGIC_AND: _ClassVar[Logic]
    LOGIC_OR: _ClassVar[Logic]
    LOGIC_NOT: _ClassVar[Logic]

class CompareOperator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARE_OPERATOR_UNSPECIFIED: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_EQ: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_NE: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_LT: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_LE: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_GT: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_GE: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_BEFORE: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_AFTER: _ClassVar[CompareOperator]
    COMPARE_OPERATOR_ON: _ClassVar[CompareOperator]

class TextOperator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_OPERATOR_UNSPECIFIED: _ClassVar[TextOperator]
    TEXT_OPERATOR_CONTAINS: _ClassVar[TextOperator]
    TEXT_OPERATOR_STARTS_WITH: _ClassVar[TextOperator]
    TEXT_OPERATOR_ENDS_WITH: _ClassVar[TextOperator]
    TEXT_OPERATOR_LIKE: _ClassVar[TextOperator]
    TEXT_OPERATOR_MATCHES: _ClassVar[TextOperator]

class SetMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SET_MODE_UNSPECIFIED: _ClassVar[SetMode]
    SET_MODE_ANY: _ClassVar[SetMode]
    SET_MODE_ALL: _ClassVar[SetMode]
    SET_MODE_NONE: _ClassVar[SetMode]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_LAST: _ClassVar[Direction]
    DIRECTION_NEXT: _ClassVar[Direction]

class TimesOperator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMES_OPERATOR_UNSPECIFIED: _ClassVar[TimesOperator]
    TIMES_OPERATOR_AT_LEAST: _ClassVar[TimesOperator]
    TIMES_OPERATOR_AT_MOST: _ClassVar[TimesOperator]
    TIMES_OPERATOR_EXACTLY: _ClassVar[TimesOperator]
    TIMES_OPERATOR_MORE_THAN: _ClassVar[TimesOperator]
    TIMES_OPERATOR_FEWER_THAN: _ClassVar[TimesOperator]
    TIMES_OPERATOR_BETWEEN: _ClassVar[TimesOperator]

class Edge(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EDGE_UNSPECIFIED: _ClassVar[Edge]
    EDGE_BEFORE: _ClassVar[Edge]
    EDGE_AFTER: _ClassVar[Edge]
    EDGE_SINCE: _ClassVar[Edge]
    EDGE_ON: _ClassVar[Edge]

class Period(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERIOD_UNSPECIFIED: _ClassVar[Period]
    PERIOD_TODAY: _ClassVar[Period]
    PERIOD_YESTERDAY: _ClassVar[Period]
    PERIOD_THIS_WEEK: _ClassVar[Period]
    PERIOD_THIS_MONTH: _ClassVar[Period]
    PERIOD_THIS_QUARTER: _ClassVar[Period]
    PERIOD_THIS_YEAR: _ClassVar[Period]
    PERIOD_LAST_WEEK: _ClassVar[Period]
    PERIOD_LAST_MONTH: _ClassVar[Period]
    PERIOD_LAST_QUARTER: _ClassVar[Period]
    PERIOD_LAST_YEAR: _ClassVar[Period]

class DurationUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DURATION_UNIT_UNSPECIFIED: _ClassVar[DurationUnit]
    DURATION_UNIT_MINUTE: _ClassVar[DurationUnit]
    DURATION_UNIT_HOUR: _ClassVar[DurationUnit]
    DURATION_UNIT_DAY: _ClassVar[DurationUnit]
    DURATION_UNIT_WEEK: _ClassVar[DurationUnit]
    DURATION_UNIT_MONTH: _ClassVar[DurationUnit]
    DURATION_UNIT_QUARTER: _ClassVar[DurationUnit]
    DURATION_UNIT_YEAR: _ClassVar[DurationUnit]

class Moment(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MOMENT_UNSPECIFIED: _ClassVar[Moment]
    MOMENT_NOW: _ClassVar[Moment]
    MOMENT_TODAY: _ClassVar[Moment]
    MOMENT_YESTERDAY: _ClassVar[Moment]
    MOMENT_TOMORROW: _ClassVar[Moment]

class ArithmeticOperator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARITHMETIC_OPERATOR_UNSPECIFIED: _ClassVar[ArithmeticOperator]
    ARITHMETIC_OPERATOR_ADD: _ClassVar[ArithmeticOperator]
    ARITHMETIC_OPERATOR_SUBTRACT: _ClassVar[ArithmeticOperator]
    ARITHMETIC_OPERATOR_MULTIPLY: _ClassVar[ArithmeticOperator]
    ARITHMETIC_OPERATOR_DIVIDE: _ClassVar[ArithmeticOperator]
    ARITHMETIC_OPERATOR_NEGATE: _ClassVar[ArithmeticOperator]

class EventPick(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_PICK_UNSPECIFIED: _ClassVar[EventPick]
    EVENT_PICK_COUNT: _ClassVar[EventPick]
    EVENT_PICK_FIRST: _ClassVar[EventPick]
    EVENT_PICK_LAST: _ClassVar[EventPick]

class AggregateOperator(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATE_OPERATOR_UNSPECIFIED: _ClassVar[AggregateOperator]
    AGGREGATE_OPERATOR_SUM: _ClassVar[AggregateOperator]
    AGGREGATE_OPERATOR_AVG: _ClassVar[AggregateOperator]
    AGGREGATE_OPERATOR_MIN: _ClassVar[AggregateOperator]
    AGGREGATE_OPERATOR_MAX: _ClassVar[AggregateOperator]
    AGGREGATE_OPERATOR_DISTINCT: _ClassVar[AggregateOperator]
LOGIC_UNSPECIFIED: Logic
LOGIC_AND: Logic
LOGIC_OR: Logic
LOGIC_NOT: Logic
COMPARE_OPERATOR_UNSPECIFIED: CompareOperator
COMPARE_OPERATOR_EQ: CompareOperator
COMPARE_OPERATOR_NE: CompareOperator
COMPARE_OPERATOR_LT: CompareOperator
COMPARE_OPERATOR_LE: CompareOperator
COMPARE_OPERATOR_GT: CompareOperator
COMPARE_OPERATOR_GE: CompareOperator
COMPARE_OPERATOR_BEFORE: CompareOperator
COMPARE_OPERATOR_AFTER: CompareOperator
COMPARE_OPERATOR_ON: CompareOperator
TEXT_OPERATOR_UNSPECIFIED: TextOperator
TEXT_OPERATOR_CONTAINS: TextOperator
TEXT_OPERATOR_STARTS_WITH: TextOperator
TEXT_OPERATOR_ENDS_WITH: TextOperator
TEXT_OPERATOR_LIKE: TextOperator
TEXT_OPERATOR_MATCHES: TextOperator
SET_MODE_UNSPECIFIED: SetMode
SET_MODE_ANY: SetMode
SET_MODE_ALL: SetMode
SET_MODE_NONE: SetMode
DIRECTION_UNSPECIFIED: Direction
DIRECTION_LAST: Direction
DIRECTION_NEXT: Direction
TIMES_OPERATOR_UNSPECIFIED: TimesOperator
TIMES_OPERATOR_AT_LEAST: TimesOperator
TIMES_OPERATOR_AT_MOST: TimesOperator
TIMES_OPERATOR_EXACTLY: TimesOperator
TIMES_OPERATOR_MORE_THAN: TimesOperator
TIMES_OPERATOR_FEWER_THAN: TimesOperator
TIMES_OPERATOR_BETWEEN: TimesOperator
EDGE_UNSPECIFIED: Edge
EDGE_BEFORE: Edge
EDGE_AFTER: Edge
EDGE_SINCE: Edge
EDGE_ON: Edge
PERIOD_UNSPECIFIED: Period
PERIOD_TODAY: Period
PERIOD_YESTERDAY: Period
PERIOD_THIS_WEEK: Period
PERIOD_THIS_MONTH: Period
PERIOD_THIS_QUARTER: Period
PERIOD_THIS_YEAR: Period
PERIOD_LAST_WEEK: Period
PERIOD_LAST_MONTH: Period
PERIOD_LAST_QUARTER: Period
PERIOD_LAST_YEAR: Period
DURATION_UNIT_UNSPECIFIED: DurationUnit
DURATION_UNIT_MINUTE: DurationUnit
DURATION_UNIT_HOUR: DurationUnit
DURATION_UNIT_DAY: DurationUnit
DURATION_UNIT_WEEK: DurationUnit
DURATION_UNIT_MONTH: DurationUnit
DURATION_UNIT_QUARTER: DurationUnit
DURATION_UNIT_YEAR: DurationUnit
MOMENT_UNSPECIFIED: Moment
MOMENT_NOW: Moment
MOMENT_TODAY: Moment
MOMENT_YESTERDAY: Moment
MOMENT_TOMORROW: Moment
ARITHMETIC_OPERATOR_UNSPECIFIED: ArithmeticOperator
ARITHMETIC_OPERATOR_ADD: ArithmeticOperator
ARITHMETIC_OPERATOR_SUBTRACT: ArithmeticOperator
ARITHMETIC_OPERATOR_MULTIPLY: ArithmeticOperator
ARITHMETIC_OPERATOR_DIVIDE: ArithmeticOperator
ARITHMETIC_OPERATOR_NEGATE: ArithmeticOperator
EVENT_PICK_UNSPECIFIED: EventPick
EVENT_PICK_COUNT: EventPick
EVENT_PICK_FIRST: EventPick
EVENT_PICK_LAST: EventPick
AGGREGATE_OPERATOR_UNSPECIFIED: AggregateOperator
AGGREGATE_OPERATOR_SUM: AggregateOperator
AGGREGATE_OPERATOR_AVG: AggregateOperator
AGGREGATE_OPERATOR_MIN: AggregateOperator
AGGREGATE_OPERATOR_MAX: AggregateOperator
AGGREGATE_OPERATOR_DISTINCT: AggregateOperator

class Segment(_message.Message):
    __slots__ = ("logic", "everyone", "compare", "between", "is_in", "text_match", "contains_set", "is_empty", "within", "age", "in_list", "opted_out", "in_segment", "sample", "did", "regularly", "sequence", "items")
    LOGIC_FIELD_NUMBER: _ClassVar[int]
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_FIELD_NUMBER: _ClassVar[int]
    IS_IN_FIELD_NUMBER: _ClassVar[int]
    TEXT_MATCH_FIELD_NUMBER: _ClassVar[int]
    CONTAINS_SET_FIELD_NUMBER: _ClassVar[int]
    IS_EMPTY_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    AGE_FIELD_NUMBER: _ClassVar[int]
    IN_LIST_FIELD_NUMBER: _ClassVar[int]
    OPTED_OUT_FIELD_NUMBER: _ClassVar[int]
    IN_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    DID_FIELD_NUMBER: _ClassVar[int]
    REGULARLY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    logic: Logic
    everyone: Everyone
    compare: Compare
    between: Between
    is_in: In
    text_match: TextMatch
    contains_set: ContainsSet
    is_empty: IsEmpty
    within: Within
    age: Age
    in_list: InList
    opted_out: OptedOut
    in_segment: InSegment
    sample: Sample
    did: Did
    regularly: Regularly
    sequence: Sequence
    items: _containers.RepeatedCompositeFieldContainer[Segment]
    def __init__(self, logic: _Optional[_Union[Logic, str]] = ..., everyone: _Optional[_Union[Everyone, _Mapping]] = ..., compare: _Optional[_Union[Compare, _Mapping]] = ..., between: _Optional[_Union[Between, _Mapping]] = ..., is_in: _Optional[_Union[In, _Mapping]] = ..., text_match: _Optional[_Union[TextMatch, _Mapping]] = ..., contains_set: _Optional[_Union[ContainsSet, _Mapping]] = ..., is_empty: _Optional[_Union[IsEmpty, _Mapping]] = ..., within: _Optional[_Union[Within, _Mapping]] = ..., age: _Optional[_Union[Age, _Mapping]] = ..., in_list: _Optional[_Union[InList, _Mapping]] = ..., opted_out: _Optional[_Union[OptedOut, _Mapping]] = ..., in_segment: _Optional[_Union[InSegment, _Mapping]] = ..., sample: _Optional[_Union[Sample, _Mapping]] = ..., did: _Optional[_Union[Did, _Mapping]] = ..., regularly: _Optional[_Union[Regularly, _Mapping]] = ..., sequence: _Optional[_Union[Sequence, _Mapping]] = ..., items: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ...) -> None: ...

class Everyone(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Compare(_message.Message):
    __slots__ = ("left", "operator", "right")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    left: Value
    operator: CompareOperator
    right: Value
    def __init__(self, left: _Optional[_Union[Value, _Mapping]] = ..., operator: _Optional[_Union[CompareOperator, str]] = ..., right: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...

class Between(_message.Message):
    __slots__ = ("value", "low", "high", "negated")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    value: Value
    low: Value
    high: Value
    negated: bool
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., low: _Optional[_Union[Value, _Mapping]] = ..., high: _Optional[_Union[Value, _Mapping]] = ..., negated: bool = ...) -> None: ...

class In(_message.Message):
    __slots__ = ("value", "options", "negated")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    value: Value
    options: _containers.RepeatedCompositeFieldContainer[Value]
    negated: bool
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., options: _Optional[_Iterable[_Union[Value, _Mapping]]] = ..., negated: bool = ...) -> None: ...

class TextMatch(_message.Message):
    __slots__ = ("value", "operator", "pattern", "negated")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    value: Value
    operator: TextOperator
    pattern: str
    negated: bool
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., operator: _Optional[_Union[TextOperator, str]] = ..., pattern: _Optional[str] = ..., negated: bool = ...) -> None: ...

class ContainsSet(_message.Message):
    __slots__ = ("value", "mode", "options", "negated")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    value: Value
    mode: SetMode
    options: _containers.RepeatedScalarFieldContainer[str]
    negated: bool
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., mode: _Optional[_Union[SetMode, str]] = ..., options: _Optional[_Iterable[str]] = ..., negated: bool = ...) -> None: ...

class IsEmpty(_message.Message):
    __slots__ = ("value", "negated")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    value: Value
    negated: bool
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., negated: bool = ...) -> None: ...

class Within(_message.Message):
    __slots__ = ("value", "direction", "duration", "negated")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    value: Value
    direction: Direction
    duration: CalendarDuration
    negated: bool
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., direction: _Optional[_Union[Direction, str]] = ..., duration: _Optional[_Union[CalendarDuration, _Mapping]] = ..., negated: bool = ...) -> None: ...

class Age(_message.Message):
    __slots__ = ("value", "operator", "duration")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    value: Value
    operator: CompareOperator
    duration: CalendarDuration
    def __init__(self, value: _Optional[_Union[Value, _Mapping]] = ..., operator: _Optional[_Union[CompareOperator, str]] = ..., duration: _Optional[_Union[CalendarDuration, _Mapping]] = ...) -> None: ...

class InList(_message.Message):
    __slots__ = ("names", "negated")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    negated: bool
    def __init__(self, names: _Optional[_Iterable[str]] = ..., negated: bool = ...) -> None: ...

class OptedOut(_message.Message):
    __slots__ = ("name", "negated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    negated: bool
    def __init__(self, name: _Optional[str] = ..., negated: bool = ...) -> None: ...

class InSegment(_message.Message):
    __slots__ = ("name", "negated")
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    name: str
    negated: bool
    def __init__(self, name: _Optional[str] = ..., negated: bool = ...) -> None: ...

class Sample(_message.Message):
    __slots__ = ("percent", "salt")
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    percent: float
    salt: str
    def __init__(self, percent: _Optional[float] = ..., salt: _Optional[str] = ...) -> None: ...

class Did(_message.Message):
    __slots__ = ("event", "times", "window", "negated")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    event: EventSelector
    times: Times
    window: Window
    negated: bool
    def __init__(self, event: _Optional[_Union[EventSelector, _Mapping]] = ..., times: _Optional[_Union[Times, _Mapping]] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., negated: bool = ...) -> None: ...

class EventSelector(_message.Message):
    __slots__ = ("name", "where")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    name: str
    where: Segment
    def __init__(self, name: _Optional[str] = ..., where: _Optional[_Union[Segment, _Mapping]] = ...) -> None: ...

class Times(_message.Message):
    __slots__ = ("operator", "n", "high")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    operator: TimesOperator
    n: int
    high: int
    def __init__(self, operator: _Optional[_Union[TimesOperator, str]] = ..., n: _Optional[int] = ..., high: _Optional[int] = ...) -> None: ...

class Regularly(_message.Message):
    __slots__ = ("event", "times", "at_least", "periods", "period")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    event: EventSelector
    times: Times
    at_least: int
    periods: int
    period: CalendarDuration
    def __init__(self, event: _Optional[_Union[EventSelector, _Mapping]] = ..., times: _Optional[_Union[Times, _Mapping]] = ..., at_least: _Optional[int] = ..., periods: _Optional[int] = ..., period: _Optional[_Union[CalendarDuration, _Mapping]] = ...) -> None: ...

class Sequence(_message.Message):
    __slots__ = ("first", "then", "within", "negated", "window")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    THEN_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    first: EventSelector
    then: EventSelector
    within: CalendarDuration
    negated: bool
    window: Window
    def __init__(self, first: _Optional[_Union[EventSelector, _Mapping]] = ..., then: _Optional[_Union[EventSelector, _Mapping]] = ..., within: _Optional[_Union[CalendarDuration, _Mapping]] = ..., negated: bool = ..., window: _Optional[_Union[Window, _Mapping]] = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("last", "between", "edge", "period", "ever")
    LAST_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_FIELD_NUMBER: _ClassVar[int]
    EDGE_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    EVER_FIELD_NUMBER: _ClassVar[int]
    last: CalendarDuration
    between: BetweenWindow
    edge: EdgeWindow
    period: Period
    ever: Ever
    def __init__(self, last: _Optional[_Union[CalendarDuration, _Mapping]] = ..., between: _Optional[_Union[BetweenWindow, _Mapping]] = ..., edge: _Optional[_Union[EdgeWindow, _Mapping]] = ..., period: _Optional[_Union[Period, str]] = ..., ever: _Optional[_Union[Ever, _Mapping]] = ...) -> None: ...

class BetweenWindow(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: Value
    high: Value
    def __init__(self, low: _Optional[_Union[Value, _Mapping]] = ..., high: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...

class EdgeWindow(_message.Message):
    __slots__ = ("edge", "time")
    EDGE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    edge: Edge
    time: Value
    def __init__(self, edge: _Optional[_Union[Edge, str]] = ..., time: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...

class Ever(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Value(_message.Message):
    __slots__ = ("number", "text", "boolean", "date", "clock_time", "duration", "name", "moment", "ago", "arithmetic", "function", "event", "aggregate", "operands")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BOOLEAN_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    AGO_FIELD_NUMBER: _ClassVar[int]
    ARITHMETIC_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    number: float
    text: str
    boolean: bool
    date: CalendarDate
    clock_time: ClockTime
    duration: CalendarDuration
    name: Name
    moment: Moment
    ago: CalendarDuration
    arithmetic: ArithmeticOperator
    function: str
    event: EventValue
    aggregate: Aggregate
    operands: _containers.RepeatedCompositeFieldContainer[Value]
    def __init__(self, number: _Optional[float] = ..., text: _Optional[str] = ..., boolean: bool = ..., date: _Optional[_Union[CalendarDate, _Mapping]] = ..., clock_time: _Optional[_Union[ClockTime, _Mapping]] = ..., duration: _Optional[_Union[CalendarDuration, _Mapping]] = ..., name: _Optional[_Union[Name, _Mapping]] = ..., moment: _Optional[_Union[Moment, str]] = ..., ago: _Optional[_Union[CalendarDuration, _Mapping]] = ..., arithmetic: _Optional[_Union[ArithmeticOperator, str]] = ..., function: _Optional[str] = ..., event: _Optional[_Union[EventValue, _Mapping]] = ..., aggregate: _Optional[_Union[Aggregate, _Mapping]] = ..., operands: _Optional[_Iterable[_Union[Value, _Mapping]]] = ...) -> None: ...

class CalendarDate(_message.Message):
    __slots__ = ("year", "month", "day")
    YEAR_FIELD_NUMBER: _ClassVar[int]
    MONTH_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    year: int
    month: int
    day: int
    def __init__(self, year: _Optional[int] = ..., month: _Optional[int] = ..., day: _Optional[int] = ...) -> None: ...

class ClockTime(_message.Message):
    __slots__ = ("date", "hour", "minute", "second", "microsecond", "offset_minutes")
    DATE_FIELD_NUMBER: _ClassVar[int]
    HOUR_FIELD_NUMBER: _ClassVar[int]
    MINUTE_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    MICROSECOND_FIELD_NUMBER: _ClassVar[int]
    OFFSET_MINUTES_FIELD_NUMBER: _ClassVar[int]
    date: CalendarDate
    hour: int
    minute: int
    second: int
    microsecond: int
    offset_minutes: int
    def __init__(self, date: _Optional[_Union[CalendarDate, _Mapping]] = ..., hour: _Optional[int] = ..., minute: _Optional[int] = ..., second: _Optional[int] = ..., microsecond: _Optional[int] = ..., offset_minutes: _Optional[int] = ...) -> None: ...

class CalendarDuration(_message.Message):
    __slots__ = ("amount", "unit")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    amount: int
    unit: DurationUnit
    def __init__(self, amount: _Optional[int] = ..., unit: _Optional[_Union[DurationUnit, str]] = ...) -> None: ...

class Name(_message.Message):
    __slots__ = ("name", "bare")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BARE_FIELD_NUMBER: _ClassVar[int]
    name: str
    bare: bool
    def __init__(self, name: _Optional[str] = ..., bare: bool = ...) -> None: ...

class EventValue(_message.Message):
    __slots__ = ("pick", "event", "window")
    PICK_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    pick: EventPick
    event: EventSelector
    window: Window
    def __init__(self, pick: _Optional[_Union[EventPick, str]] = ..., event: _Optional[_Union[EventSelector, _Mapping]] = ..., window: _Optional[_Union[Window, _Mapping]] = ...) -> None: ...

class Aggregate(_message.Message):
    __slots__ = ("operator", "event", "property", "window")
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    operator: AggregateOperator
    event: EventSelector
    property: str
    window: Window
    def __init__(self, operator: _Optional[_Union[AggregateOperator, str]] = ..., event: _Optional[_Union[EventSelector, _Mapping]] = ..., property: _Optional[str] = ..., window: _Optional[_Union[Window, _Mapping]] = ...) -> None: ...
