from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import schema_pb2 as _schema_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetSchemaRequest(_message.Message):
    __slots__ = ("workspace", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class GetSchemaResponse(_message.Message):
    __slots__ = ("schema", "info")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    schema: _schema_pb2.Schema
    info: _common_pb2.AnswerInfo
    def __init__(self, schema: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class StatsRequest(_message.Message):
    __slots__ = ("workspace", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class NamedCount(_message.Message):
    __slots__ = ("name", "count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class StatsResponse(_message.Message):
    __slots__ = ("contacts", "blocks", "events", "bytes_by_kind", "bytes_by_index", "info")
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    BLOCKS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    BYTES_BY_KIND_FIELD_NUMBER: _ClassVar[int]
    BYTES_BY_INDEX_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    contacts: int
    blocks: int
    events: _containers.RepeatedCompositeFieldContainer[NamedCount]
    bytes_by_kind: _containers.RepeatedCompositeFieldContainer[NamedCount]
    bytes_by_index: _containers.RepeatedCompositeFieldContainer[NamedCount]
    info: _common_pb2.AnswerInfo
    def __init__(self, contacts: _Optional[int] = ..., blocks: _Optional[int] = ..., events: _Optional[_Iterable[_Union[NamedCount, _Mapping]]] = ..., bytes_by_kind: _Optional[_Iterable[_Union[NamedCount, _Mapping]]] = ..., bytes_by_index: _Optional[_Iterable[_Union[NamedCount, _Mapping]]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...
