from google.protobuf import duration_pb2 as _duration_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PartKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PART_KIND_UNSPECIFIED: _ClassVar[PartKind]
    PART_KIND_ALL: _ClassVar[PartKind]
    PART_KIND_ANY: _ClassVar[PartKind]
    PART_KIND_NOT: _ClassVar[PartKind]
    PART_KIND_CONDITION: _ClassVar[PartKind]

class FoundIn(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FOUND_IN_UNSPECIFIED: _ClassVar[FoundIn]
    FOUND_IN_INDEX: _ClassVar[FoundIn]
    FOUND_IN_MEMORY: _ClassVar[FoundIn]
    FOUND_IN_DATA: _ClassVar[FoundIn]
PART_KIND_UNSPECIFIED: PartKind
PART_KIND_ALL: PartKind
PART_KIND_ANY: PartKind
PART_KIND_NOT: PartKind
PART_KIND_CONDITION: PartKind
FOUND_IN_UNSPECIFIED: FoundIn
FOUND_IN_INDEX: FoundIn
FOUND_IN_MEMORY: FoundIn
FOUND_IN_DATA: FoundIn

class Span(_message.Message):
    __slots__ = ("start", "end")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    start: int
    end: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class PreviewRequest(_message.Message):
    __slots__ = ("workspace", "query", "fields", "sample", "session", "min_version", "for_send", "editing")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    FOR_SEND_FIELD_NUMBER: _ClassVar[int]
    EDITING_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    fields: _containers.RepeatedScalarFieldContainer[str]
    sample: int
    session: str
    min_version: _common_pb2.Version
    for_send: bool
    editing: str
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., fields: _Optional[_Iterable[str]] = ..., sample: _Optional[int] = ..., session: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., for_send: bool = ..., editing: _Optional[str] = ...) -> None: ...

class ConditionCount(_message.Message):
    __slots__ = ("text", "count", "span")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    text: str
    count: int
    span: Span
    def __init__(self, text: _Optional[str] = ..., count: _Optional[int] = ..., span: _Optional[_Union[Span, _Mapping]] = ...) -> None: ...

class PreviewResponse(_message.Message):
    __slots__ = ("count", "contacts", "text", "conditions", "sample", "warnings", "info")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    count: int
    contacts: int
    text: str
    conditions: _containers.RepeatedCompositeFieldContainer[ConditionCount]
    sample: _containers.RepeatedCompositeFieldContainer[_common_pb2.Contact]
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    info: _common_pb2.AnswerInfo
    def __init__(self, count: _Optional[int] = ..., contacts: _Optional[int] = ..., text: _Optional[str] = ..., conditions: _Optional[_Iterable[_Union[ConditionCount, _Mapping]]] = ..., sample: _Optional[_Iterable[_Union[_common_pb2.Contact, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class TimeStretch(_message.Message):
    __slots__ = ("about", "first", "last")
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    about: str
    first: _common_pb2.FieldValue
    last: _common_pb2.FieldValue
    def __init__(self, about: _Optional[str] = ..., first: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ..., last: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("workspace", "query", "render", "min_version", "profile")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    RENDER_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    render: bool
    min_version: _common_pb2.Version
    profile: bool
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., render: bool = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., profile: bool = ...) -> None: ...

class ExplainedPart(_message.Message):
    __slots__ = ("text", "kind", "span", "count", "without", "missing", "stretches", "operands", "elapsed", "found", "parts")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    STRETCHES_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    text: str
    kind: PartKind
    span: Span
    count: int
    without: int
    missing: int
    stretches: _containers.RepeatedCompositeFieldContainer[TimeStretch]
    operands: int
    elapsed: _duration_pb2.Duration
    found: FoundIn
    parts: _containers.RepeatedCompositeFieldContainer[ExplainedPart]
    def __init__(self, text: _Optional[str] = ..., kind: _Optional[_Union[PartKind, str]] = ..., span: _Optional[_Union[Span, _Mapping]] = ..., count: _Optional[int] = ..., without: _Optional[int] = ..., missing: _Optional[int] = ..., stretches: _Optional[_Iterable[_Union[TimeStretch, _Mapping]]] = ..., operands: _Optional[int] = ..., elapsed: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., found: _Optional[_Union[FoundIn, str]] = ..., parts: _Optional[_Iterable[_Union[ExplainedPart, _Mapping]]] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("root", "contacts", "warnings", "rendered", "info", "profile")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    RENDERED_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    root: ExplainedPart
    contacts: int
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    rendered: str
    info: _common_pb2.AnswerInfo
    profile: QueryProfile
    def __init__(self, root: _Optional[_Union[ExplainedPart, _Mapping]] = ..., contacts: _Optional[int] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., rendered: _Optional[str] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., profile: _Optional[_Union[QueryProfile, _Mapping]] = ...) -> None: ...

class QueryProfile(_message.Message):
    __slots__ = ("count", "parse", "bind", "plan", "evaluate", "operands", "negated", "root", "blocks")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PARSE_FIELD_NUMBER: _ClassVar[int]
    BIND_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    OPERANDS_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    count: int
    parse: _duration_pb2.Duration
    bind: _duration_pb2.Duration
    plan: _duration_pb2.Duration
    evaluate: _duration_pb2.Duration
    operands: int
    negated: bool
    root: ProfiledOperator
    blocks: _containers.RepeatedCompositeFieldContainer[ProfiledBlock]
    def __init__(self, count: _Optional[int] = ..., parse: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., bind: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., plan: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., evaluate: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., operands: _Optional[int] = ..., negated: bool = ..., root: _Optional[_Union[ProfiledOperator, _Mapping]] = ..., blocks: _Optional[_Iterable[_Union[ProfiledBlock, _Mapping]]] = ...) -> None: ...

class ProfiledOperator(_message.Message):
    __slots__ = ("text", "negated", "calls", "recalled", "rows", "estimate", "bytes", "elapsed", "parts")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NEGATED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    RECALLED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    text: str
    negated: bool
    calls: int
    recalled: int
    rows: int
    estimate: int
    bytes: int
    elapsed: _duration_pb2.Duration
    parts: _containers.RepeatedCompositeFieldContainer[ProfiledOperator]
    def __init__(self, text: _Optional[str] = ..., negated: bool = ..., calls: _Optional[int] = ..., recalled: _Optional[int] = ..., rows: _Optional[int] = ..., estimate: _Optional[int] = ..., bytes: _Optional[int] = ..., elapsed: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[ProfiledOperator, _Mapping]]] = ...) -> None: ...

class ProfiledBlock(_message.Message):
    __slots__ = ("number", "contacts", "count", "elapsed")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    number: int
    contacts: int
    count: int
    elapsed: _duration_pb2.Duration
    def __init__(self, number: _Optional[int] = ..., contacts: _Optional[int] = ..., count: _Optional[int] = ..., elapsed: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ExplainContactRequest(_message.Message):
    __slots__ = ("workspace", "query", "contact_id", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    contact_id: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., contact_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class HeldValue(_message.Message):
    __slots__ = ("text", "value")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    text: str
    value: _common_pb2.FieldValue
    def __init__(self, text: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ...) -> None: ...

class EventSeen(_message.Message):
    __slots__ = ("type", "time", "properties")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.FieldValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ...) -> None: ...
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    type: str
    time: _common_pb2.FieldValue
    properties: _containers.MessageMap[str, _common_pb2.FieldValue]
    def __init__(self, type: _Optional[str] = ..., time: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ..., properties: _Optional[_Mapping[str, _common_pb2.FieldValue]] = ...) -> None: ...

class EventsSeen(_message.Message):
    __slots__ = ("about", "count", "in_window", "in_all", "first", "last", "latest")
    ABOUT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    IN_WINDOW_FIELD_NUMBER: _ClassVar[int]
    IN_ALL_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    about: str
    count: int
    in_window: int
    in_all: int
    first: _containers.RepeatedCompositeFieldContainer[EventSeen]
    last: _containers.RepeatedCompositeFieldContainer[EventSeen]
    latest: EventSeen
    def __init__(self, about: _Optional[str] = ..., count: _Optional[int] = ..., in_window: _Optional[int] = ..., in_all: _Optional[int] = ..., first: _Optional[_Iterable[_Union[EventSeen, _Mapping]]] = ..., last: _Optional[_Iterable[_Union[EventSeen, _Mapping]]] = ..., latest: _Optional[_Union[EventSeen, _Mapping]] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("text", "kind", "span", "holds", "values", "events", "stretches", "parts")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SPAN_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    STRETCHES_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    text: str
    kind: PartKind
    span: Span
    holds: bool
    values: _containers.RepeatedCompositeFieldContainer[HeldValue]
    events: _containers.RepeatedCompositeFieldContainer[EventsSeen]
    stretches: _containers.RepeatedCompositeFieldContainer[TimeStretch]
    parts: _containers.RepeatedCompositeFieldContainer[Verdict]
    def __init__(self, text: _Optional[str] = ..., kind: _Optional[_Union[PartKind, str]] = ..., span: _Optional[_Union[Span, _Mapping]] = ..., holds: bool = ..., values: _Optional[_Iterable[_Union[HeldValue, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[EventsSeen, _Mapping]]] = ..., stretches: _Optional[_Iterable[_Union[TimeStretch, _Mapping]]] = ..., parts: _Optional[_Iterable[_Union[Verdict, _Mapping]]] = ...) -> None: ...

class ExplainContactResponse(_message.Message):
    __slots__ = ("root", "info")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    root: Verdict
    info: _common_pb2.AnswerInfo
    def __init__(self, root: _Optional[_Union[Verdict, _Mapping]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class HistogramLayout(_message.Message):
    __slots__ = ("ranges", "unit", "edges", "low", "high")
    RANGES_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    ranges: int
    unit: str
    edges: _containers.RepeatedCompositeFieldContainer[_common_pb2.FieldValue]
    low: _common_pb2.FieldValue
    high: _common_pb2.FieldValue
    def __init__(self, ranges: _Optional[int] = ..., unit: _Optional[str] = ..., edges: _Optional[_Iterable[_Union[_common_pb2.FieldValue, _Mapping]]] = ..., low: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ..., high: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ...) -> None: ...

class BreakdownRequest(_message.Message):
    __slots__ = ("workspace", "query", "by", "top", "min_version", "histogram")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    BY_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    by: str
    top: int
    min_version: _common_pb2.Version
    histogram: HistogramLayout
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., by: _Optional[str] = ..., top: _Optional[int] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., histogram: _Optional[_Union[HistogramLayout, _Mapping]] = ...) -> None: ...

class Bucket(_message.Message):
    __slots__ = ("low", "high", "closed", "count")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    low: _common_pb2.FieldValue
    high: _common_pb2.FieldValue
    closed: bool
    count: int
    def __init__(self, low: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ..., high: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ..., closed: bool = ..., count: _Optional[int] = ...) -> None: ...

class ValueCount(_message.Message):
    __slots__ = ("value", "count")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    value: _common_pb2.FieldValue
    count: int
    def __init__(self, value: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class BreakdownResponse(_message.Message):
    __slots__ = ("by", "count", "missing", "others", "distinct", "values", "warnings", "info", "buckets")
    BY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    OTHERS_FIELD_NUMBER: _ClassVar[int]
    DISTINCT_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    BUCKETS_FIELD_NUMBER: _ClassVar[int]
    by: str
    count: int
    missing: int
    others: int
    distinct: int
    values: _containers.RepeatedCompositeFieldContainer[ValueCount]
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    info: _common_pb2.AnswerInfo
    buckets: _containers.RepeatedCompositeFieldContainer[Bucket]
    def __init__(self, by: _Optional[str] = ..., count: _Optional[int] = ..., missing: _Optional[int] = ..., others: _Optional[int] = ..., distinct: _Optional[int] = ..., values: _Optional[_Iterable[_Union[ValueCount, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., buckets: _Optional[_Iterable[_Union[Bucket, _Mapping]]] = ...) -> None: ...

class OverlapRequest(_message.Message):
    __slots__ = ("workspace", "queries", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    queries: _containers.RepeatedCompositeFieldContainer[_query_pb2.Query]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., queries: _Optional[_Iterable[_Union[_query_pb2.Query, _Mapping]]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class OverlapRow(_message.Message):
    __slots__ = ("shared", "jaccard", "warnings")
    SHARED_FIELD_NUMBER: _ClassVar[int]
    JACCARD_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    shared: _containers.RepeatedScalarFieldContainer[int]
    jaccard: _containers.RepeatedScalarFieldContainer[float]
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, shared: _Optional[_Iterable[int]] = ..., jaccard: _Optional[_Iterable[float]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class OverlapResponse(_message.Message):
    __slots__ = ("rows", "contacts", "info")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[OverlapRow]
    contacts: int
    info: _common_pb2.AnswerInfo
    def __init__(self, rows: _Optional[_Iterable[_Union[OverlapRow, _Mapping]]] = ..., contacts: _Optional[int] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class MatchRequest(_message.Message):
    __slots__ = ("workspace", "queries", "contact_ids", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    CONTACT_IDS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    queries: _containers.RepeatedCompositeFieldContainer[_query_pb2.Query]
    contact_ids: _containers.RepeatedScalarFieldContainer[str]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., queries: _Optional[_Iterable[_Union[_query_pb2.Query, _Mapping]]] = ..., contact_ids: _Optional[_Iterable[str]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class ContactMatch(_message.Message):
    __slots__ = ("contact_id", "known", "segments")
    CONTACT_ID_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    contact_id: str
    known: bool
    segments: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, contact_id: _Optional[str] = ..., known: bool = ..., segments: _Optional[_Iterable[int]] = ...) -> None: ...

class Warnings(_message.Message):
    __slots__ = ("warnings",)
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class MatchResponse(_message.Message):
    __slots__ = ("matches", "warnings", "info")
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    matches: _containers.RepeatedCompositeFieldContainer[ContactMatch]
    warnings: _containers.RepeatedCompositeFieldContainer[Warnings]
    info: _common_pb2.AnswerInfo
    def __init__(self, matches: _Optional[_Iterable[_Union[ContactMatch, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[Warnings, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ("workspace", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class TemplateNeed(_message.Message):
    __slots__ = ("text", "advice")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    text: str
    advice: str
    def __init__(self, text: _Optional[str] = ..., advice: _Optional[str] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ("name", "finds", "text", "needs", "uses", "usable")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FINDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    USES_FIELD_NUMBER: _ClassVar[int]
    USABLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    finds: str
    text: str
    needs: _containers.RepeatedCompositeFieldContainer[TemplateNeed]
    uses: _containers.RepeatedScalarFieldContainer[str]
    usable: bool
    def __init__(self, name: _Optional[str] = ..., finds: _Optional[str] = ..., text: _Optional[str] = ..., needs: _Optional[_Iterable[_Union[TemplateNeed, _Mapping]]] = ..., uses: _Optional[_Iterable[str]] = ..., usable: bool = ...) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("templates", "info")
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[Template]
    info: _common_pb2.AnswerInfo
    def __init__(self, templates: _Optional[_Iterable[_Union[Template, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...
