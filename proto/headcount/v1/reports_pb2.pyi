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
