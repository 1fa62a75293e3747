from headcount.v1 import answers_pb2 as _answers_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MemberFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_FORMAT_UNSPECIFIED: _ClassVar[MemberFormat]
    MEMBER_FORMAT_IDS: _ClassVar[MemberFormat]
    MEMBER_FORMAT_UINT64: _ClassVar[MemberFormat]
    MEMBER_FORMAT_ARROW: _ClassVar[MemberFormat]
    MEMBER_FORMAT_ROARING: _ClassVar[MemberFormat]
MEMBER_FORMAT_UNSPECIFIED: MemberFormat
MEMBER_FORMAT_IDS: MemberFormat
MEMBER_FORMAT_UINT64: MemberFormat
MEMBER_FORMAT_ARROW: MemberFormat
MEMBER_FORMAT_ROARING: MemberFormat

class CountRequest(_message.Message):
    __slots__ = ("workspace", "query", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class CountResponse(_message.Message):
    __slots__ = ("count", "info", "warnings")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    count: int
    info: _common_pb2.AnswerInfo
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, count: _Optional[int] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class CountManyRequest(_message.Message):
    __slots__ = ("workspace", "queries", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    queries: _containers.RepeatedCompositeFieldContainer[_query_pb2.Query]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., queries: _Optional[_Iterable[_Union[_query_pb2.Query, _Mapping]]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class CountResult(_message.Message):
    __slots__ = ("count", "error")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    count: int
    error: _common_pb2.Diagnostic
    def __init__(self, count: _Optional[int] = ..., error: _Optional[_Union[_common_pb2.Diagnostic, _Mapping]] = ...) -> None: ...

class CountManyResponse(_message.Message):
    __slots__ = ("results", "info")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[CountResult]
    info: _common_pb2.AnswerInfo
    def __init__(self, results: _Optional[_Iterable[_Union[CountResult, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("workspace", "query", "page_size", "page_token", "fields", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    page_size: int
    page_token: str
    fields: _containers.RepeatedScalarFieldContainer[str]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., fields: _Optional[_Iterable[str]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class ListMembersResponse(_message.Message):
    __slots__ = ("contacts", "next_page_token", "info", "warnings")
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[_common_pb2.Contact]
    next_page_token: str
    info: _common_pb2.AnswerInfo
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    def __init__(self, contacts: _Optional[_Iterable[_Union[_common_pb2.Contact, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class StreamMembersRequest(_message.Message):
    __slots__ = ("workspace", "query", "format", "fields", "limit", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    format: MemberFormat
    fields: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., format: _Optional[_Union[MemberFormat, str]] = ..., fields: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class MemberIds(_message.Message):
    __slots__ = ("offsets", "data")
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    offsets: bytes
    data: bytes
    def __init__(self, offsets: _Optional[bytes] = ..., data: _Optional[bytes] = ...) -> None: ...

class StreamMembersResponse(_message.Message):
    __slots__ = ("info", "warnings", "count", "ids", "packed", "arrow", "roaring")
    INFO_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    PACKED_FIELD_NUMBER: _ClassVar[int]
    ARROW_FIELD_NUMBER: _ClassVar[int]
    ROARING_FIELD_NUMBER: _ClassVar[int]
    info: _common_pb2.AnswerInfo
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    count: int
    ids: MemberIds
    packed: bytes
    arrow: bytes
    roaring: bytes
    def __init__(self, info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., count: _Optional[int] = ..., ids: _Optional[_Union[MemberIds, _Mapping]] = ..., packed: _Optional[bytes] = ..., arrow: _Optional[bytes] = ..., roaring: _Optional[bytes] = ...) -> None: ...

class ValidateRequest(_message.Message):
    __slots__ = ("workspace", "query", "min_version", "for_send")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    FOR_SEND_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    query: _query_pb2.Query
    min_version: _common_pb2.Version
    for_send: bool
    def __init__(self, workspace: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., for_send: bool = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("text", "errors", "warnings", "info")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    text: str
    errors: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    warnings: _containers.RepeatedCompositeFieldContainer[_common_pb2.Diagnostic]
    info: _common_pb2.AnswerInfo
    def __init__(self, text: _Optional[str] = ..., errors: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_common_pb2.Diagnostic, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...
