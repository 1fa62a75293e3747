from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import events_pb2 as _events_pb2
from headcount.v1 import writes_pb2 as _writes_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIST_ACTION_UNSPECIFIED: _ClassVar[ListAction]
    LIST_ACTION_JOIN: _ClassVar[ListAction]
    LIST_ACTION_LEAVE: _ClassVar[ListAction]
    LIST_ACTION_OPT_OUT: _ClassVar[ListAction]
    LIST_ACTION_OPT_IN: _ClassVar[ListAction]
LIST_ACTION_UNSPECIFIED: ListAction
LIST_ACTION_JOIN: ListAction
LIST_ACTION_LEAVE: ListAction
LIST_ACTION_OPT_OUT: ListAction
LIST_ACTION_OPT_IN: ListAction

class ListChange(_message.Message):
    __slots__ = ("list", "action", "time")
    LIST_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    list: str
    action: ListAction
    time: _timestamp_pb2.Timestamp
    def __init__(self, list: _Optional[str] = ..., action: _Optional[_Union[ListAction, str]] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ContactChange(_message.Message):
    __slots__ = ("id", "fields", "add_labels", "remove_labels", "lists")
    class FieldsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.FieldValue
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.FieldValue, _Mapping]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    ADD_LABELS_FIELD_NUMBER: _ClassVar[int]
    REMOVE_LABELS_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    fields: _containers.MessageMap[str, _common_pb2.FieldValue]
    add_labels: _containers.RepeatedScalarFieldContainer[str]
    remove_labels: _containers.RepeatedScalarFieldContainer[str]
    lists: _containers.RepeatedCompositeFieldContainer[ListChange]
    def __init__(self, id: _Optional[str] = ..., fields: _Optional[_Mapping[str, _common_pb2.FieldValue]] = ..., add_labels: _Optional[_Iterable[str]] = ..., remove_labels: _Optional[_Iterable[str]] = ..., lists: _Optional[_Iterable[_Union[ListChange, _Mapping]]] = ...) -> None: ...

class ContactsUpsertRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "contacts")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    contacts: _containers.RepeatedCompositeFieldContainer[ContactChange]
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., contacts: _Optional[_Iterable[_Union[ContactChange, _Mapping]]] = ...) -> None: ...

class ContactsUpsertResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactsPatchRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "contacts")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    contacts: _containers.RepeatedCompositeFieldContainer[ContactChange]
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., contacts: _Optional[_Iterable[_Union[ContactChange, _Mapping]]] = ...) -> None: ...

class ContactsPatchResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactsDeleteRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "ids", "erase")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    ERASE_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    ids: _containers.RepeatedScalarFieldContainer[str]
    erase: bool
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ..., erase: bool = ...) -> None: ...

class ContactsDeleteResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactsGetRequest(_message.Message):
    __slots__ = ("workspace", "ids", "fields", "min_version")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    ids: _containers.RepeatedScalarFieldContainer[str]
    fields: _containers.RepeatedScalarFieldContainer[str]
    min_version: _common_pb2.Version
    def __init__(self, workspace: _Optional[str] = ..., ids: _Optional[_Iterable[str]] = ..., fields: _Optional[_Iterable[str]] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class ListMembership(_message.Message):
    __slots__ = ("list", "member", "opted_out")
    LIST_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    OPTED_OUT_FIELD_NUMBER: _ClassVar[int]
    list: str
    member: bool
    opted_out: bool
    def __init__(self, list: _Optional[str] = ..., member: bool = ..., opted_out: bool = ...) -> None: ...

class ContactState(_message.Message):
    __slots__ = ("contact", "labels", "lists", "suppressed")
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LISTS_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSED_FIELD_NUMBER: _ClassVar[int]
    contact: _common_pb2.Contact
    labels: _containers.RepeatedScalarFieldContainer[str]
    lists: _containers.RepeatedCompositeFieldContainer[ListMembership]
    suppressed: bool
    def __init__(self, contact: _Optional[_Union[_common_pb2.Contact, _Mapping]] = ..., labels: _Optional[_Iterable[str]] = ..., lists: _Optional[_Iterable[_Union[ListMembership, _Mapping]]] = ..., suppressed: bool = ...) -> None: ...

class ContactsGetResponse(_message.Message):
    __slots__ = ("contacts", "unknown_ids", "info")
    CONTACTS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_IDS_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    contacts: _containers.RepeatedCompositeFieldContainer[ContactState]
    unknown_ids: _containers.RepeatedScalarFieldContainer[str]
    info: _common_pb2.AnswerInfo
    def __init__(self, contacts: _Optional[_Iterable[_Union[ContactState, _Mapping]]] = ..., unknown_ids: _Optional[_Iterable[str]] = ..., info: _Optional[_Union[_common_pb2.AnswerInfo, _Mapping]] = ...) -> None: ...

class ContactPair(_message.Message):
    __slots__ = ("source", "target")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    source: str
    target: str
    def __init__(self, source: _Optional[str] = ..., target: _Optional[str] = ...) -> None: ...

class ContactsMergeRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "pairs")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    pairs: _containers.RepeatedCompositeFieldContainer[ContactPair]
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., pairs: _Optional[_Iterable[_Union[ContactPair, _Mapping]]] = ...) -> None: ...

class ContactsMergeResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactsSuppressRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "ids")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ContactsSuppressResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactsUnsuppressRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "ids")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ContactsUnsuppressResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactDeletion(_message.Message):
    __slots__ = ("id", "erase")
    ID_FIELD_NUMBER: _ClassVar[int]
    ERASE_FIELD_NUMBER: _ClassVar[int]
    id: str
    erase: bool
    def __init__(self, id: _Optional[str] = ..., erase: bool = ...) -> None: ...

class EventRecording(_message.Message):
    __slots__ = ("event", "create_contact")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_CONTACT_FIELD_NUMBER: _ClassVar[int]
    event: _events_pb2.Event
    create_contact: bool
    def __init__(self, event: _Optional[_Union[_events_pb2.Event, _Mapping]] = ..., create_contact: bool = ...) -> None: ...

class Mutation(_message.Message):
    __slots__ = ("upsert", "patch", "delete", "merge", "suppress", "unsuppress", "record")
    UPSERT_FIELD_NUMBER: _ClassVar[int]
    PATCH_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    MERGE_FIELD_NUMBER: _ClassVar[int]
    SUPPRESS_FIELD_NUMBER: _ClassVar[int]
    UNSUPPRESS_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    upsert: ContactChange
    patch: ContactChange
    delete: ContactDeletion
    merge: ContactPair
    suppress: str
    unsuppress: str
    record: EventRecording
    def __init__(self, upsert: _Optional[_Union[ContactChange, _Mapping]] = ..., patch: _Optional[_Union[ContactChange, _Mapping]] = ..., delete: _Optional[_Union[ContactDeletion, _Mapping]] = ..., merge: _Optional[_Union[ContactPair, _Mapping]] = ..., suppress: _Optional[str] = ..., unsuppress: _Optional[str] = ..., record: _Optional[_Union[EventRecording, _Mapping]] = ...) -> None: ...

class ContactsWriteRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "mutations")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MUTATIONS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    mutations: _containers.RepeatedCompositeFieldContainer[Mutation]
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., mutations: _Optional[_Iterable[_Union[Mutation, _Mapping]]] = ...) -> None: ...

class ContactsWriteResponse(_message.Message):
    __slots__ = ("batch", "result")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    batch: int
    result: _writes_pb2.WriteResult
    def __init__(self, batch: _Optional[int] = ..., result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...

class ContactsWriteArrowRequest(_message.Message):
    __slots__ = ("workspace", "request_id", "min_version", "batches", "existing_only")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    EXISTING_ONLY_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    request_id: str
    min_version: _common_pb2.Version
    batches: bytes
    existing_only: bool
    def __init__(self, workspace: _Optional[str] = ..., request_id: _Optional[str] = ..., min_version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ..., batches: _Optional[bytes] = ..., existing_only: bool = ...) -> None: ...

class ContactsWriteArrowResponse(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _writes_pb2.WriteResult
    def __init__(self, result: _Optional[_Union[_writes_pb2.WriteResult, _Mapping]] = ...) -> None: ...
