from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import writes_pb2 as _writes_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("contact", "type", "time", "id", "properties")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.FieldValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ...) -> None: ...
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    contact: str
    type: str
    time: _timestamp_pb2.Timestamp
    id: str
    properties: _containers.MessageMap[str, _common_pb2.FieldValue]
    def __init__(self, contact: _Optional[str] = ..., type: _Optional[str] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., id: _Optional[str] = ..., properties: _Optional[_Mapping[str, _common_pb2.FieldValue]] = ...) -> None: ...

class RecordRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "events", "create_contacts")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_CONTACTS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    events: _containers.RepeatedCompositeFieldContainer[Event]
    create_contacts: bool
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., create_contacts: bool = ...) -> None: ...

class RecordResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class RecordArrowRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "batches", "create_contacts")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    CREATE_CONTACTS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    batches: bytes
    create_contacts: bool
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., batches: _Optional[bytes] = ..., create_contacts: bool = ...) -> None: ...

class RecordArrowResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...
