from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import common_pb2 as _common_pb2
from headcount.v1 import query_pb2 as _query_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TransitionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSITION_KIND_UNSPECIFIED: _ClassVar[TransitionKind]
    TRANSITION_KIND_ENTER: _ClassVar[TransitionKind]
    TRANSITION_KIND_EXIT: _ClassVar[TransitionKind]

class TransitionReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSITION_REASON_UNSPECIFIED: _ClassVar[TransitionReason]
    TRANSITION_REASON_DATA: _ClassVar[TransitionReason]
    TRANSITION_REASON_TIME: _ClassVar[TransitionReason]
    TRANSITION_REASON_DEFINITION: _ClassVar[TransitionReason]

class Reentry(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REENTRY_UNSPECIFIED: _ClassVar[Reentry]
    REENTRY_ALWAYS: _ClassVar[Reentry]
    REENTRY_ONCE: _ClassVar[Reentry]
    REENTRY_AFTER: _ClassVar[Reentry]
TRANSITION_KIND_UNSPECIFIED: TransitionKind
TRANSITION_KIND_ENTER: TransitionKind
TRANSITION_KIND_EXIT: TransitionKind
TRANSITION_REASON_UNSPECIFIED: TransitionReason
TRANSITION_REASON_DATA: TransitionReason
TRANSITION_REASON_TIME: TransitionReason
TRANSITION_REASON_DEFINITION: TransitionReason
REENTRY_UNSPECIFIED: Reentry
REENTRY_ALWAYS: Reentry
REENTRY_ONCE: Reentry
REENTRY_AFTER: Reentry

class Transition(_message.Message):
    __slots__ = ("number", "contact", "kind", "reason", "at", "version")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CONTACT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    number: int
    contact: str
    kind: TransitionKind
    reason: TransitionReason
    at: _timestamp_pb2.Timestamp
    version: _common_pb2.Version
    def __init__(self, number: _Optional[int] = ..., contact: _Optional[str] = ..., kind: _Optional[_Union[TransitionKind, str]] = ..., reason: _Optional[_Union[TransitionReason, str]] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class WatchSettings(_message.Message):
    __slots__ = ("seed", "reentry", "pause")
    SEED_FIELD_NUMBER: _ClassVar[int]
    REENTRY_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    seed: bool
    reentry: Reentry
    pause: _duration_pb2.Duration
    def __init__(self, seed: bool = ..., reentry: _Optional[_Union[Reentry, str]] = ..., pause: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchEndpoint(_message.Message):
    __slots__ = ("url", "secret")
    URL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    url: str
    secret: str
    def __init__(self, url: _Optional[str] = ..., secret: _Optional[str] = ...) -> None: ...

class NamedWatch(_message.Message):
    __slots__ = ("name", "text", "time_zone", "settings", "created_at", "size", "number", "token", "fault", "endpoint", "delivered", "exact")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    time_zone: str
    settings: WatchSettings
    created_at: _timestamp_pb2.Timestamp
    size: int
    number: int
    token: str
    fault: str
    endpoint: str
    delivered: int
    exact: bool
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ..., time_zone: _Optional[str] = ..., settings: _Optional[_Union[WatchSettings, _Mapping]] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., size: _Optional[int] = ..., number: _Optional[int] = ..., token: _Optional[str] = ..., fault: _Optional[str] = ..., endpoint: _Optional[str] = ..., delivered: _Optional[int] = ..., exact: bool = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("workspace", "name", "query", "settings", "token")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    query: _query_pb2.Query
    settings: WatchSettings
    token: str
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., settings: _Optional[_Union[WatchSettings, _Mapping]] = ..., token: _Optional[str] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("transitions", "token", "instant", "version")
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    INSTANT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    transitions: _containers.RepeatedCompositeFieldContainer[Transition]
    token: str
    instant: _timestamp_pb2.Timestamp
    version: _common_pb2.Version
    def __init__(self, transitions: _Optional[_Iterable[_Union[Transition, _Mapping]]] = ..., token: _Optional[str] = ..., instant: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[_Union[_common_pb2.Version, _Mapping]] = ...) -> None: ...

class WatchesCreateRequest(_message.Message):
    __slots__ = ("workspace", "name", "query", "settings", "endpoint")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    query: _query_pb2.Query
    settings: WatchSettings
    endpoint: WatchEndpoint
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ..., query: _Optional[_Union[_query_pb2.Query, _Mapping]] = ..., settings: _Optional[_Union[WatchSettings, _Mapping]] = ..., endpoint: _Optional[_Union[WatchEndpoint, _Mapping]] = ...) -> None: ...

class WatchesCreateResponse(_message.Message):
    __slots__ = ("watch",)
    WATCH_FIELD_NUMBER: _ClassVar[int]
    watch: NamedWatch
    def __init__(self, watch: _Optional[_Union[NamedWatch, _Mapping]] = ...) -> None: ...

class WatchesGetRequest(_message.Message):
    __slots__ = ("workspace", "name")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class WatchesGetResponse(_message.Message):
    __slots__ = ("watch",)
    WATCH_FIELD_NUMBER: _ClassVar[int]
    watch: NamedWatch
    def __init__(self, watch: _Optional[_Union[NamedWatch, _Mapping]] = ...) -> None: ...

class WatchesListRequest(_message.Message):
    __slots__ = ("workspace", "page_size", "page_token")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    page_size: int
    page_token: str
    def __init__(self, workspace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class WatchesListResponse(_message.Message):
    __slots__ = ("watches", "next_page_token")
    WATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    watches: _containers.RepeatedCompositeFieldContainer[NamedWatch]
    next_page_token: str
    def __init__(self, watches: _Optional[_Iterable[_Union[NamedWatch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchesDeleteRequest(_message.Message):
    __slots__ = ("workspace", "name")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class WatchesDeleteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DeadLetter(_message.Message):
    __slots__ = ("id", "first", "last", "attempts", "at", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: int
    first: int
    last: int
    attempts: int
    at: _timestamp_pb2.Timestamp
    error: str
    def __init__(self, id: _Optional[int] = ..., first: _Optional[int] = ..., last: _Optional[int] = ..., attempts: _Optional[int] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[str] = ...) -> None: ...

class ListDeadLettersRequest(_message.Message):
    __slots__ = ("workspace", "name")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class ListDeadLettersResponse(_message.Message):
    __slots__ = ("letters",)
    LETTERS_FIELD_NUMBER: _ClassVar[int]
    letters: _containers.RepeatedCompositeFieldContainer[DeadLetter]
    def __init__(self, letters: _Optional[_Iterable[_Union[DeadLetter, _Mapping]]] = ...) -> None: ...

class RedeliverRequest(_message.Message):
    __slots__ = ("workspace", "name", "ids")
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    workspace: str
    name: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, workspace: _Optional[str] = ..., name: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ...) -> None: ...

class RedeliverResponse(_message.Message):
    __slots__ = ("delivered", "left")
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    delivered: int
    left: int
    def __init__(self, delivered: _Optional[int] = ..., left: _Optional[int] = ...) -> None: ...
