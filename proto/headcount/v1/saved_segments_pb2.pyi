from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SavedSegment(_message.Message):
    __slots__ = ("name", "text", "description", "tags", "etag", "created_at", "updated_at", "dependants")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    DEPENDANTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    description: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    etag: str
    created_at: _timestamp_pb2.Timestamp
    updated_at: _timestamp_pb2.Timestamp
    dependants: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., etag: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., dependants: _Optional[_Iterable[str]] = ...) -> None: ...

class SavedSegmentsCreateRequest(_message.Message):
    __slots__ = ("workspace", "name", "query", "description", "tags", "for_send")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOR_SEND_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    query: _query_pb2.Query
    description: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    for_send: bool
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., for_send: bool = ...) -> None: ...

class SavedSegmentsCreateResponse(_message.Message):
    __slots__ = ("segment", "warnings")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    segment: SavedSegment
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, segment: _Optional[_Union[SavedSegment, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class SavedSegmentsGetRequest(_message.Message):
    __slots__ = ("workspace", "name")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class SavedSegmentsGetResponse(_message.Message):
    __slots__ = ("segment",)
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    segment: SavedSegment
    def __init__(self, segment: _Optional[_Union[SavedSegment, _Mapping]] = ...) -> None: ...

class SavedSegmentsListRequest(_message.Message):
    __slots__ = ("workspace", "page_size", "page_token", "tag")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    page_size: int
    page_token: str
    tag: str
    def __init__(self, workspace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class SavedSegmentsListResponse(_message.Message):
    __slots__ = ("segments", "next_page_token")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[SavedSegment]
    next_page_token: str
    def __init__(self, segments: _Optional[_Iterable[_Union[SavedSegment, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SavedSegmentsUpdateRequest(_message.Message):
    __slots__ = ("workspace", "name", "etag", "new_name", "query", "description", "tags", "for_send")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    NEW_NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    FOR_SEND_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    etag: str
    new_name: str
    query: _query_pb2.Query
    description: str
    tags: _common_pb2.StringSet
    for_send: bool
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., new_name: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., description: _Optional[str] = ..., tags: _Optional[_Union[_common_pb2.StringSet, _Mapping]] = ..., for_send: bool = ...) -> None: ...

class SavedSegmentsUpdateResponse(_message.Message):
    __slots__ = ("segment", "warnings")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    segment: SavedSegment
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, segment: _Optional[_Union[SavedSegment, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class SavedSegmentsDeleteRequest(_message.Message):
    __slots__ = ("workspace", "name", "etag")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    etag: str
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class SavedSegmentsDeleteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
