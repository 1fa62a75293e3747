"""
The methods that both clients call, and the channel they call them on.

The generated stubs are not used: they have no types, and one table of methods serves both kinds of
channel.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from headcount.model.errors import Reason, UserError
from headcount.rpc.config import is_loopback, split_address
from headcount.v1 import (
    admin_pb2,
    answers_pb2,
    audiences_pb2,
    contacts_pb2,
    events_pb2,
    reports_pb2,
    segments_pb2,
    watches_pb2,
)
from headcount.v1 import saved_segments_pb2 as saved_pb2

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_RECEIVE_BYTES = 64 << 20  # gRPC's default of 4 MiB is less than a full page of many fields

# A server that restarts, or closes a connection that is old, has not begun the call, most likely:
# ask again what changes nothing, and send again the writes, whose request ids make them count once.
_CONTACTS = (
    "Upsert", "Patch", "Delete", "Get", "Merge", "Suppress", "Unsuppress", "WriteArrow",
)  # fmt: skip
_ADMIN = ("GetSchema", "Stats", "ListWorkspaces", "UpdateSchema", "Snapshot", "Compact", "Check")
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": "headcount.v1.Segments"},
                {"service": "headcount.v1.Events"},
                *({"service": "headcount.v1.Contacts", "method": name} for name in _CONTACTS),
                *({"service": "headcount.v1.Admin", "method": name} for name in _ADMIN),
                {"service": "headcount.v1.SavedSegments", "method": "Get"},
                {"service": "headcount.v1.SavedSegments", "method": "List"},
                {"service": "headcount.v1.Audiences", "method": "Resolve"},
                {"service": "headcount.v1.Reports"},
                {"service": "headcount.v1.Watches", "method": "Get"},
                {"service": "headcount.v1.Watches", "method": "List"},
                {"service": "headcount.v1.Watches", "method": "ListDeadLetters"},
            ],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 3,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}

OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", _RECEIVE_BYTES),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
]


@dataclass(frozen=True, slots=True)
class Method(Generic[Q, A]):
    """One method: its path, and the types that go in and come out."""

    path: str
    request: type[Q]
    answer: type[A]


def _segments(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Segments/{name}", request, answer)


def _saved(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.SavedSegments/{name}", request, answer)


def _audiences(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Audiences/{name}", request, answer)


def _reports(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Reports/{name}", request, answer)


def _contacts(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Contacts/{name}", request, answer)


def _events(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Events/{name}", request, answer)


def _watches(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Watches/{name}", request, answer)


def _admin(name: str, request: type[Q], answer: type[A]) -> Method[Q, A]:
    return Method(f"/headcount.v1.Admin/{name}", request, answer)


COUNT = _segments("Count", segments_pb2.CountRequest, segments_pb2.CountResponse)
COUNT_MANY = _segments("CountMany", segments_pb2.CountManyRequest, segments_pb2.CountManyResponse)
LIST_MEMBERS = _segments(
    "ListMembers", segments_pb2.ListMembersRequest, segments_pb2.ListMembersResponse
)
STREAM_MEMBERS = _segments(
    "StreamMembers", segments_pb2.StreamMembersRequest, segments_pb2.StreamMembersResponse
)
VALIDATE = _segments("Validate", segments_pb2.ValidateRequest, segments_pb2.ValidateResponse)
PREVIEW = _segments("Preview", answers_pb2.PreviewRequest, answers_pb2.PreviewResponse)
EXPLAIN = _segments("Explain", answers_pb2.ExplainRequest, answers_pb2.ExplainResponse)
EXPLAIN_CONTACT = _segments(
    "ExplainContact", answers_pb2.ExplainContactRequest, answers_pb2.ExplainContactResponse
)
BREAKDOWN = _segments("Breakdown", answers_pb2.BreakdownRequest, answers_pb2.BreakdownResponse)
OVERLAP = _segments("Overlap", answers_pb2.OverlapRequest, answers_pb2.OverlapResponse)
MATCH = _segments("Match", answers_pb2.MatchRequest, answers_pb2.MatchResponse)
LIST_TEMPLATES = _segments(
    "ListTemplates", answers_pb2.ListTemplatesRequest, answers_pb2.ListTemplatesResponse
)
CREATE_SEGMENT = _saved(
    "Create", saved_pb2.SavedSegmentsCreateRequest, saved_pb2.SavedSegmentsCreateResponse
)
GET_SEGMENT = _saved("Get", saved_pb2.SavedSegmentsGetRequest, saved_pb2.SavedSegmentsGetResponse)
LIST_SEGMENTS = _saved(
    "List", saved_pb2.SavedSegmentsListRequest, saved_pb2.SavedSegmentsListResponse
)
UPDATE_SEGMENT = _saved(
    "Update", saved_pb2.SavedSegmentsUpdateRequest, saved_pb2.SavedSegmentsUpdateResponse
)
DELETE_SEGMENT = _saved(
    "Delete", saved_pb2.SavedSegmentsDeleteRequest, saved_pb2.SavedSegmentsDeleteResponse
)
RESOLVE = _audiences("Resolve", audiences_pb2.ResolveRequest, audiences_pb2.ResolveResponse)
PERFORMANCE = _reports(
    "Performance", reports_pb2.PerformanceRequest, reports_pb2.PerformanceResponse
)
COMPARE = _reports("Compare", reports_pb2.CompareRequest, reports_pb2.CompareResponse)
HISTORY = _reports("History", reports_pb2.HistoryRequest, reports_pb2.HistoryResponse)
FREEZE = _audiences("Freeze", audiences_pb2.FreezeRequest, audiences_pb2.FreezeResponse)
UPSERT = _contacts(
    "Upsert", contacts_pb2.ContactsUpsertRequest, contacts_pb2.ContactsUpsertResponse
)
PATCH = _contacts("Patch", contacts_pb2.ContactsPatchRequest, contacts_pb2.ContactsPatchResponse)
DELETE = _contacts(
    "Delete", contacts_pb2.ContactsDeleteRequest, contacts_pb2.ContactsDeleteResponse
)
GET = _contacts("Get", contacts_pb2.ContactsGetRequest, contacts_pb2.ContactsGetResponse)
MERGE = _contacts("Merge", contacts_pb2.ContactsMergeRequest, contacts_pb2.ContactsMergeResponse)
SUPPRESS = _contacts(
    "Suppress", contacts_pb2.ContactsSuppressRequest, contacts_pb2.ContactsSuppressResponse
)
UNSUPPRESS = _contacts(
    "Unsuppress", contacts_pb2.ContactsUnsuppressRequest, contacts_pb2.ContactsUnsuppressResponse
)
WRITE_ARROW = _contacts(
    "WriteArrow", contacts_pb2.ContactsWriteArrowRequest, contacts_pb2.ContactsWriteArrowResponse
)
WRITE = _contacts("Write", contacts_pb2.ContactsWriteRequest, contacts_pb2.ContactsWriteResponse)
RECORD = _events("Record", events_pb2.RecordRequest, events_pb2.RecordResponse)
RECORD_ARROW = _events("RecordArrow", events_pb2.RecordArrowRequest, events_pb2.RecordArrowResponse)
GET_SCHEMA = _admin("GetSchema", admin_pb2.GetSchemaRequest, admin_pb2.GetSchemaResponse)
STATS = _admin("Stats", admin_pb2.StatsRequest, admin_pb2.StatsResponse)
CREATE_WORKSPACE = _admin(
    "CreateWorkspace", admin_pb2.CreateWorkspaceRequest, admin_pb2.CreateWorkspaceResponse
)
LIST_WORKSPACES = _admin(
    "ListWorkspaces", admin_pb2.ListWorkspacesRequest, admin_pb2.ListWorkspacesResponse
)
DROP_WORKSPACE = _admin(
    "DropWorkspace", admin_pb2.DropWorkspaceRequest, admin_pb2.DropWorkspaceResponse
)
UPDATE_SCHEMA = _admin(
    "UpdateSchema", admin_pb2.UpdateSchemaRequest, admin_pb2.UpdateSchemaResponse
)
SNAPSHOT = _admin("Snapshot", admin_pb2.SnapshotRequest, admin_pb2.SnapshotResponse)
COMPACT = _admin("Compact", admin_pb2.CompactRequest, admin_pb2.CompactResponse)
BACKUP = _admin("Backup", admin_pb2.BackupRequest, admin_pb2.BackupResponse)
CHECK = _admin("Check", admin_pb2.CheckRequest, admin_pb2.CheckResponse)

WATCH = _watches("Watch", watches_pb2.WatchRequest, watches_pb2.WatchResponse)
CREATE_WATCH = _watches(
    "Create", watches_pb2.WatchesCreateRequest, watches_pb2.WatchesCreateResponse
)
GET_WATCH = _watches("Get", watches_pb2.WatchesGetRequest, watches_pb2.WatchesGetResponse)
LIST_WATCHES = _watches("List", watches_pb2.WatchesListRequest, watches_pb2.WatchesListResponse)
DELETE_WATCH = _watches(
    "Delete", watches_pb2.WatchesDeleteRequest, watches_pb2.WatchesDeleteResponse
)
LIST_DEAD_LETTERS = _watches(
    "ListDeadLetters", watches_pb2.ListDeadLettersRequest, watches_pb2.ListDeadLettersResponse
)
REDELIVER = _watches("Redeliver", watches_pb2.RedeliverRequest, watches_pb2.RedeliverResponse)

UNARY: tuple[Method[Any, Any], ...] = (
    COUNT, COUNT_MANY, LIST_MEMBERS, VALIDATE, PREVIEW, EXPLAIN, EXPLAIN_CONTACT, BREAKDOWN,
    OVERLAP, MATCH, LIST_TEMPLATES, CREATE_SEGMENT, GET_SEGMENT, LIST_SEGMENTS,
    UPDATE_SEGMENT, DELETE_SEGMENT, FREEZE, PERFORMANCE, COMPARE, HISTORY, UPSERT, PATCH,
    DELETE, GET, MERGE, SUPPRESS, UNSUPPRESS, WRITE_ARROW, RECORD, RECORD_ARROW, GET_SCHEMA, STATS,
    CREATE_WORKSPACE, LIST_WORKSPACES, DROP_WORKSPACE, UPDATE_SCHEMA, SNAPSHOT, COMPACT, BACKUP,
    CHECK, CREATE_WATCH, GET_WATCH, LIST_WATCHES, DELETE_WATCH, LIST_DEAD_LETTERS, REDELIVER,
)  # fmt: skip


def metadata(target: str, token: str | None, *, insecure: bool) -> tuple[tuple[str, str], ...]:
    """
    Return what goes with every call to *target*.

    Raises:
        UserError: *target* is no address; or a *token* would be sent where others can read it.
    """
    if not target.startswith("unix:"):
        split_address(target)
    if token is None:
        return ()
    if not insecure and not is_loopback(target):
        raise UserError(
            Reason.INVALID_VALUE,
            f"the token would be sent to {target} without encryption; connect through a tunnel to a"
            " loopback address, or say insecure=True",
            field="token",
        )
    return (("authorization", f"Bearer {token}"),)
