from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Measure(_message.Message):
    __slots__ = ("window", "send", "open", "click", "conversion", "revenue")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    window: str
    send: str
    open: str
    click: str
    conversion: str
    revenue: str
    def __init__(self, window: _Optional[str] = ..., send: _Optional[str] = ..., open: _Optional[str] = ..., click: _Optional[str] = ..., conversion: _Optional[str] = ..., revenue: _Optional[str] = ...) -> None: ...

class Measured(_message.Message):
    __slots__ = ("window", "send", "open", "click", "conversion", "revenue")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    SEND_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    window: str
    send: _containers.RepeatedScalarFieldContainer[str]
    open: _containers.RepeatedScalarFieldContainer[str]
    click: _containers.RepeatedScalarFieldContainer[str]
    conversion: _containers.RepeatedScalarFieldContainer[str]
    revenue: str
    def __init__(self, window: _Optional[str] = ..., send: _Optional[_Iterable[str]] = ..., open: _Optional[_Iterable[str]] = ..., click: _Optional[_Iterable[str]] = ..., conversion: _Optional[_Iterable[str]] = ..., revenue: _Optional[str] = ...) -> None: ...

class SegmentPerformance(_message.Message):
    __slots__ = ("segment", "contacts", "reached", "opened", "clicked", "converted", "sends", "opens", "clicks", "conversions", "revenue", "open_rate", "click_rate", "click_to_open_rate", "conversion_rate", "revenue_per_contact")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    REACHED_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CLICKED_FIELD_NUMBER: _ClassVar[int]
    CONVERTED_FIELD_NUMBER: _ClassVar[int]
    SENDS_FIELD_NUMBER: _ClassVar[int]
    OPENS_FIELD_NUMBER: _ClassVar[int]
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    REVENUE_FIELD_NUMBER: _ClassVar[int]
    OPEN_RATE_FIELD_NUMBER: _ClassVar[int]
    CLICK_RATE_FIELD_NUMBER: _ClassVar[int]
    CLICK_TO_OPEN_RATE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_RATE_FIELD_NUMBER: _ClassVar[int]
    REVENUE_PER_CONTACT_FIELD_NUMBER: _ClassVar[int]
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
    revenue: float
    open_rate: float
    click_rate: float
    click_to_open_rate: float
    conversion_rate: float
    revenue_per_contact: float
    def __init__(self, segment: _Optional[str] = ..., contacts: _Optional[int] = ..., reached: _Optional[int] = ..., opened: _Optional[int] = ..., clicked: _Optional[int] = ..., converted: _Optional[int] = ..., sends: _Optional[int] = ..., opens: _Optional[int] = ..., clicks: _Optional[int] = ..., conversions: _Optional[int] = ..., revenue: _Optional[float] = ..., open_rate: _Optional[float] = ..., click_rate: _Optional[float] = ..., click_to_open_rate: _Optional[float] = ..., conversion_rate: _Optional[float] = ..., revenue_per_contact: _Optional[float] = ...) -> None: ...

class PerformanceRequest(_message.Message):
    __slots__ = ("workspace", "query", "measure", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    measure: Measure
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class PerformanceResponse(_message.Message):
    __slots__ = ("segment", "measured", "warnings", "info")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    segment: SegmentPerformance
    measured: Measured
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    info: _common_pb2.AnswerInfo
    def __init__(self, segment: _Optional[_Union[SegmentPerformance, _Mapping]] = ..., measured: _Optional[_Union[Measured, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("workspace", "queries", "measure", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    queries: _containers.RepeatedCompositeFieldContainer[_query_pb2.Query]
    measure: Measure
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., queries: _Optional[_Iterable[_Union[_query_pb2.Query, _Mapping]]] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("segments", "measured", "warnings", "info")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[SegmentPerformance]
    measured: Measured
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    info: _common_pb2.AnswerInfo
    def __init__(self, segments: _Optional[_Iterable[_Union[SegmentPerformance, _Mapping]]] = ..., measured: _Optional[_Union[Measured, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class HistoryRequest(_message.Message):
    __slots__ = ("workspace", "watch", "since", "until", "time_zone", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    watch: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    time_zone: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., watch: _Optional[str] = ..., since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class HistoryStretch(_message.Message):
    __slots__ = ("since", "until", "start", "size", "entries", "exits", "returns", "stays", "average_stay", "growth", "churn")
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    EXITS_FIELD_NUMBER: _ClassVar[int]
    RETURNS_FIELD_NUMBER: _ClassVar[int]
    STAYS_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_STAY_FIELD_NUMBER: _ClassVar[int]
    GROWTH_FIELD_NUMBER: _ClassVar[int]
    CHURN_FIELD_NUMBER: _ClassVar[int]
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    start: int
    size: int
    entries: int
    exits: int
    returns: int
    stays: int
    average_stay: _duration_pb2.Duration
    growth: float
    churn: float
    def __init__(self, since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., start: _Optional[int] = ..., size: _Optional[int] = ..., entries: _Optional[int] = ..., exits: _Optional[int] = ..., returns: _Optional[int] = ..., stays: _Optional[int] = ..., average_stay: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., growth: _Optional[float] = ..., churn: _Optional[float] = ...) -> None: ...

class HistoryResponse(_message.Message):
    __slots__ = ("total", "stayed", "stability", "days", "info")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    STAYED_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    total: HistoryStretch
    stayed: int
    stability: float
    days: _containers.RepeatedCompositeFieldContainer[HistoryStretch]
    info: _common_pb2.AnswerInfo
    def __init__(self, total: _Optional[_Union[HistoryStretch, _Mapping]] = ..., stayed: _Optional[int] = ..., stability: _Optional[float] = ..., days: _Optional[_Iterable[_Union[HistoryStretch, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...
