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

class CreateWorkspaceRequest(_message.Message):
    __slots__ = ("workspace", "schema")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    schema: _schema_pb2.Schema
    def __init__(self, workspace: _Optional[str] = ..., schema: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ...) -> None: ...

class Workspace(_message.Message):
    __slots__ = ("name", "contacts", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    contacts: int
    version: _common_pb2.Version
    def __init__(self, name: _Optional[str] = ..., contacts: _Optional[int] = ..., version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class CreateWorkspaceResponse(_message.Message):
    __slots__ = ("workspace",)
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    workspace: Workspace
    def __init__(self, workspace: _Optional[_Union[Workspace, _Mapping]] = ...) -> None: ...

class ListWorkspacesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWorkspacesResponse(_message.Message):
    __slots__ = ("workspaces", "next_page_token")
    WORKSPACES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workspaces: _containers.RepeatedCompositeFieldContainer[Workspace]
    next_page_token: str
    def __init__(self, workspaces: _Optional[_Iterable[_Union[Workspace, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DropWorkspaceRequest(_message.Message):
    __slots__ = ("workspace",)
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    def __init__(self, workspace: _Optional[str] = ...) -> None: ...

class DropWorkspaceResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Rename(_message.Message):
    __slots__ = ("field", "event", "property", "to", "event_type")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    PROPERTY_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    field: str
    event: str
    property: str
    to: str
    event_type: str
    def __init__(self, field: _Optional[str] = ..., event: _Optional[str] = ..., property: _Optional[str] = ..., to: _Optional[str] = ..., event_type: _Optional[str] = ...) -> None: ...

class UpdateSchemaRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "schema", "renames", "allow_drop")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RENAMES_FIELD_NUMBER: _ClassVar[int]
    ALLOW_DROP_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    schema: _schema_pb2.Schema
    renames: _containers.RepeatedCompositeFieldContainer[Rename]
    allow_drop: bool
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., schema: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ..., renames: _Optional[_Iterable[_Union[Rename, _Mapping]]] = ..., allow_drop: bool = ...) -> None: ...

class UnconvertedValue(_message.Message):
    __slots__ = ("contact", "field", "value", "message")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    contact: str
    field: str
    value: str
    message: str
    def __init__(self, contact: _Optional[str] = ..., field: _Optional[str] = ..., value: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class UpdateSchemaResponse(_message.Message):
    __slots__ = ("schema", "unconverted_count", "unconverted", "dropped", "info")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    UNCONVERTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCONVERTED_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    schema: _schema_pb2.Schema
    unconverted_count: int
    unconverted: _containers.RepeatedCompositeFieldContainer[UnconvertedValue]
    dropped: _containers.RepeatedScalarFieldContainer[str]
    info: _common_pb2.AnswerInfo
    def __init__(self, schema: _Optional[_Union[_schema_pb2.Schema, _Mapping]] = ..., unconverted_count: _Optional[int] = ..., unconverted: _Optional[_Iterable[_Union[UnconvertedValue, _Mapping]]] = ..., dropped: _Optional[_Iterable[str]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class SnapshotRequest(_message.Message):
    __slots__ = ("workspace", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class SnapshotResponse(_message.Message):
    __slots__ = ("generation", "bytes", "info")
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    generation: int
    bytes: int
    info: _common_pb2.AnswerInfo
    def __init__(self, generation: _Optional[int] = ..., bytes: _Optional[int] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class CompactRequest(_message.Message):
    __slots__ = ("workspace", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class CompactResponse(_message.Message):
    __slots__ = ("erased", "bytes_before", "bytes_after", "info")
    ERASED_FIELD_NUMBER: _ClassVar[int]
    BYTES_BEFORE_FIELD_NUMBER: _ClassVar[int]
    BYTES_AFTER_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    erased: int
    bytes_before: int
    bytes_after: int
    info: _common_pb2.AnswerInfo
    def __init__(self, erased: _Optional[int] = ..., bytes_before: _Optional[int] = ..., bytes_after: _Optional[int] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class BackupRequest(_message.Message):
    __slots__ = ("name", "workspaces")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WORKSPACES_FIELD_NUMBER: _ClassVar[int]
    name: str
    workspaces: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., workspaces: _Optional[_Iterable[str]] = ...) -> None: ...

class BackupResponse(_message.Message):
    __slots__ = ("folder", "bytes", "workspaces")
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    WORKSPACES_FIELD_NUMBER: _ClassVar[int]
    folder: str
    bytes: int
    workspaces: _containers.RepeatedCompositeFieldContainer[Workspace]
    def __init__(self, folder: _Optional[str] = ..., bytes: _Optional[int] = ..., workspaces: _Optional[_Iterable[_Union[Workspace, _Mapping]]] = ...) -> None: ...

class CheckRequest(_message.Message):
    __slots__ = ("workspace", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class CheckResponse(_message.Message):
    __slots__ = ("findings", "info")
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedScalarFieldContainer[str]
    info: _common_pb2.AnswerInfo
    def __init__(self, findings: _Optional[_Iterable[str]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...
