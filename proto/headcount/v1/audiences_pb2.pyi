from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import segment_pb2 as _segment_pb2
from headcount.v1 import segments_pb2 as _segments_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AudienceStep(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIENCE_STEP_UNSPECIFIED: _ClassVar[AudienceStep]
    AUDIENCE_STEP_EXCLUDED: _ClassVar[AudienceStep]
    AUDIENCE_STEP_NOT_ACTIVE: _ClassVar[AudienceStep]
    AUDIENCE_STEP_OPTED_OUT: _ClassVar[AudienceStep]
    AUDIENCE_STEP_SUPPRESSED: _ClassVar[AudienceStep]
    AUDIENCE_STEP_HARD_BOUNCE: _ClassVar[AudienceStep]
AUDIENCE_STEP_UNSPECIFIED: AudienceStep
AUDIENCE_STEP_EXCLUDED: AudienceStep
AUDIENCE_STEP_NOT_ACTIVE: AudienceStep
AUDIENCE_STEP_OPTED_OUT: AudienceStep
AUDIENCE_STEP_SUPPRESSED: AudienceStep
AUDIENCE_STEP_HARD_BOUNCE: AudienceStep

class AudienceSource(_message.Message):
    __slots__ = ("text", "json", "segment", "saved", "list")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    text: str
    json: str
    segment: _segment_pb2.Segment
    saved: str
    list: str
    def __init__(self, text: _Optional[str] = ..., json: _Optional[str] = ..., segment: _Optional[_Union[_segment_pb2.Segment, _Mapping]] = ..., saved: _Optional[str] = ..., list: _Optional[str] = ...) -> None: ...

class Audience(_message.Message):
    __slots__ = ("include", "exclude", "list")
    INCLUDE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    LIST_FIELD_NUMBER: _ClassVar[int]
    include: _containers.RepeatedCompositeFieldContainer[AudienceSource]
    exclude: _containers.RepeatedCompositeFieldContainer[AudienceSource]
    list: str
    def __init__(self, include: _Optional[_Iterable[_Union[AudienceSource, _Mapping]]] = ..., exclude: _Optional[_Iterable[_Union[AudienceSource, _Mapping]]] = ..., list: _Optional[str] = ...) -> None: ...

class ResolveRequest(_message.Message):
    __slots__ = ("workspace", "audience", "as_of", "time_zone", "funnel_only", "format", "fields", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_ONLY_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    audience: Audience
    as_of: _timestamp_pb2.Timestamp
    time_zone: str
    funnel_only: bool
    format: _segments_pb2.MemberFormat
    fields: _containers.RepeatedScalarFieldContainer[str]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., audience: _Optional[_Union[Audience, _Mapping]] = ..., as_of: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., funnel_only: bool = ..., format: _Optional[_Union[_segments_pb2.MemberFormat, str]] = ..., fields: _Optional[_Iterable[str]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class FunnelStep(_message.Message):
    __slots__ = ("step", "removed", "left")
    STEP_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    step: AudienceStep
    removed: int
    left: int
    def __init__(self, step: _Optional[_Union[AudienceStep, str]] = ..., removed: _Optional[int] = ..., left: _Optional[int] = ...) -> None: ...

class Funnel(_message.Message):
    __slots__ = ("matched", "steps", "sendable", "without_status", "include", "exclude", "lists", "saved")
    class SavedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SENDABLE_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_STATUS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    matched: int
    steps: _containers.RepeatedCompositeFieldContainer[FunnelStep]
    sendable: int
    without_status: int
    include: _containers.RepeatedScalarFieldContainer[str]
    exclude: _containers.RepeatedScalarFieldContainer[str]
    lists: _containers.RepeatedScalarFieldContainer[str]
    saved: _containers.ScalarMap[str, str]
    def __init__(self, matched: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[FunnelStep, _Mapping]]] = ..., sendable: _Optional[int] = ..., without_status: _Optional[int] = ..., include: _Optional[_Iterable[str]] = ..., exclude: _Optional[_Iterable[str]] = ..., lists: _Optional[_Iterable[str]] = ..., saved: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ResolveResponse(_message.Message):
    __slots__ = ("info", "funnel", "warnings", "members")
    INFO_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    info: _common_pb2.AnswerInfo
    funnel: Funnel
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    members: _segments_pb2.StreamMembersResponse
    def __init__(self, info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., funnel: _Optional[_Union[Funnel, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., members: _Optional[_Union[_segments_pb2.StreamMembersResponse, _Mapping]] = ...) -> None: ...

class FreezeRequest(_message.Message):
    __slots__ = ("workspace", "audience", "as_of", "time_zone", "name", "fields", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    audience: Audience
    as_of: _timestamp_pb2.Timestamp
    time_zone: str
    name: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., audience: _Optional[_Union[Audience, _Mapping]] = ..., as_of: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., name: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class FreezeResponse(_message.Message):
    __slots__ = ("file", "info", "funnel", "warnings")
    FILE_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    FUNNEL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    file: str
    info: _common_pb2.AnswerInfo
    funnel: Funnel
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, file: _Optional[str] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., funnel: _Optional[_Union[Funnel, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...
