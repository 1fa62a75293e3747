"""
What a client asks and what it makes of the answer, apart from how the two travel.

Both clients are made of this and of a channel. It remembers the newest version it has been told of
and sends it along, so that a server that has lost what it once said is found out (STALE_READ) by
the first client that has seen it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from headcount.answers import Answer, Info, Page, SavedPage, Validation
from headcount.client.caring_requests import CaringRequests
from headcount.client.sending_requests import SendingRequests, timestamp
from headcount.client.writing_requests import WritingRequests
from headcount.index.stats import Stats
from headcount.index.view import Version
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.query.forms import Query as Query
from headcount.query.forms import json_of, text_of
from headcount.query.histogram import Layout
from headcount.query.proto import to_proto
from headcount.rpc import convert, convert_answers, convert_reports
from headcount.segments.performance import Measured
from headcount.v1 import admin_pb2, answers_pb2, common_pb2, query_pb2, reports_pb2, segments_pb2
from headcount.v1 import saved_segments_pb2 as saved_pb2


class Requests(SendingRequests, WritingRequests, CaringRequests):
    """Makes the requests of one client, and reads the answers. Any thread may use it."""

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self._seen: Version | None = None  # guarded by the lock, and with it
        self._min_version: common_pb2.Version | None = None  # its message
        self._lock = Lock()

    @property
    def seen(self) -> Version | None:
        """Return the newest version that an answer has named."""
        return self._seen

    def count(
        self, query: Query, as_of: dt.datetime | None, time_zone: str | None
    ) -> segments_pb2.CountRequest:
        """Return the request for the size of a segment."""
        return segments_pb2.CountRequest(
            workspace=self.workspace,
            query=_query(query, as_of, time_zone),
            min_version=self._version(),
        )

    def answer(self, message: segments_pb2.CountResponse) -> Answer:
        """Return the answer to `count`."""
        warnings = tuple(map(convert.warning, message.warnings))
        return Answer(message.count, self.info(message.info), warnings)

    def count_many(
        self, queries: Iterable[Query], as_of: dt.datetime | None, time_zone: str | None
    ) -> segments_pb2.CountManyRequest:
        """Return the request for the sizes of many segments."""
        instant = timestamp(as_of)
        with _utf8():
            return segments_pb2.CountManyRequest(
                workspace=self.workspace,
                queries=[_query_at(query, instant, time_zone) for query in queries],
                min_version=self._version(),
            )

    def counts(self, message: segments_pb2.CountManyResponse) -> list[int | UserError]:
        """Return the answers to `count_many`."""
        self.info(message.info)
        return [
            result.count
            if result.WhichOneof("outcome") == "count"
            else convert.user_error(result.error)
            for result in message.results
        ]

    def list_members(
        self,
        query: Query,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        fields: Sequence[str],
        page_size: int,
        page_token: str,
    ) -> segments_pb2.ListMembersRequest:
        """Return the request for a page of members."""
        return segments_pb2.ListMembersRequest(
            workspace=self.workspace,
            query=_query(query, as_of, time_zone),
            page_size=page_size,
            page_token=page_token,
            fields=fields,
            min_version=self._version(),
        )

    def page(self, message: segments_pb2.ListMembersResponse) -> Page:
        """Return the answer to `list_members`."""
        return Page(
            contacts=tuple(map(convert.contact, message.contacts)),
            next_token=message.next_page_token,
            info=self.info(message.info),
            warnings=tuple(map(convert.warning, message.warnings)),
        )

    def stream_members(
        self,
        query: Query,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        member_format: segments_pb2.MemberFormat,
        fields: Sequence[str],
        limit: int,
    ) -> segments_pb2.StreamMembersRequest:
        """Return the request for all members."""
        if limit < 0:
            raise UserError(Reason.INVALID_VALUE, f"expected a limit from 0, found {limit}")
        return segments_pb2.StreamMembersRequest(
            workspace=self.workspace,
            query=_query(query, as_of, time_zone),
            format=member_format,
            fields=fields,
            limit=limit,
            min_version=self._version(),
        )

    def validate(
        self,
        query: Query,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        for_send: bool,
    ) -> segments_pb2.ValidateRequest:
        """Return the request for what is wrong with a segment."""
        return segments_pb2.ValidateRequest(
            workspace=self.workspace,
            query=_query(query, as_of, time_zone),
            min_version=self._version(),
            for_send=for_send,
        )

    def validation(self, message: segments_pb2.ValidateResponse) -> Validation:
        """Return the answer to `validate`."""
        return Validation(
            text=message.text,
            errors=tuple(map(convert.user_error, message.errors)),
            warnings=tuple(map(convert.warning, message.warnings)),
            info=self.info(message.info),
        )

    def preview(
        self,
        query: Query,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        fields: Sequence[str],
        size: int,
        session: str,
        for_send: bool,
        editing: str,
    ) -> answers_pb2.PreviewRequest:
        """Return the request for a segment at a glance."""
        with _utf8():
            return answers_pb2.PreviewRequest(
                workspace=self.workspace,
                query=_query(query, as_of, time_zone),
                fields=fields,
                sample=_natural(size, "size"),
                session=session,
                min_version=self._version(),
                for_send=for_send,
                editing=editing,
            )

    def explain(
        self,
        query: Query,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        profile: bool = False,
    ) -> answers_pb2.ExplainRequest:
        """Return the request for a segment part by part."""
        return answers_pb2.ExplainRequest(
            workspace=self.workspace,
            query=_query(query, as_of, time_zone),
            min_version=self._version(),
            profile=profile,
        )

    def explain_contact(
        self, query: Query, contact: str, as_of: dt.datetime | None, time_zone: str | None
    ) -> answers_pb2.ExplainContactRequest:
        """Return the request for why a contact is in a segment, or is not."""
        with _utf8():
            return answers_pb2.ExplainContactRequest(
                workspace=self.workspace,
                query=_query(query, as_of, time_zone),
                contact_id=contact,
                min_version=self._version(),
            )

    def breakdown(
        self,
        query: Query,
        by: str,
        as_of: dt.datetime | None,
        time_zone: str | None,
        *,
        top: int | None = None,
        layout: Layout | None = None,
    ) -> answers_pb2.BreakdownRequest:
        """Return the request for a breakdown by value or, with a *layout*, a histogram."""
        with _utf8():
            return answers_pb2.BreakdownRequest(
                workspace=self.workspace,
                query=_query(query, as_of, time_zone),
                by=by,
                top=None if top is None else _natural(top, "top"),
                histogram=None if layout is None else convert_answers.to_layout(layout),
                min_version=self._version(),
            )

    def overlap(
        self, queries: Iterable[Query], as_of: dt.datetime | None, time_zone: str | None
    ) -> answers_pb2.OverlapRequest:
        """Return the request for what segments share."""
        return answers_pb2.OverlapRequest(
            workspace=self.workspace,
            queries=[_query(query, as_of, time_zone) for query in queries],
            min_version=self._version(),
        )

    def match(
        self,
        queries: Iterable[Query],
        contacts: Sequence[str],
        as_of: dt.datetime | None,
        time_zone: str | None,
    ) -> answers_pb2.MatchRequest:
        """Return the request for which segments hold contacts."""
        with _utf8():
            return answers_pb2.MatchRequest(
                workspace=self.workspace,
                queries=[_query(query, as_of, time_zone) for query in queries],
                contact_ids=contacts,
                min_version=self._version(),
            )

    def performance(
        self, query: Query, measured: Measured, as_of: dt.datetime | None, time_zone: str | None
    ) -> reports_pb2.PerformanceRequest:
        """Return the request for what was sent to a segment, and what came of it."""
        with _utf8():
            return reports_pb2.PerformanceRequest(
                workspace=self.workspace,
                query=_query(query, as_of, time_zone),
                measure=convert_reports.to_measure(measured),
                min_version=self._version(),
            )

    def compare(
        self,
        queries: Iterable[Query],
        measured: Measured,
        as_of: dt.datetime | None,
        time_zone: str | None,
    ) -> reports_pb2.CompareRequest:
        """Return the request for the same of several segments."""
        with _utf8():
            return reports_pb2.CompareRequest(
                workspace=self.workspace,
                queries=[_query(query, as_of, time_zone) for query in queries],
                measure=convert_reports.to_measure(measured),
                min_version=self._version(),
            )

    def history(
        self,
        watch: str,
        since: dt.datetime | None,
        until: dt.datetime | None,
        time_zone: str | None,
    ) -> reports_pb2.HistoryRequest:
        """Return the request for how a watched segment grew and shrank."""
        with _utf8():
            return reports_pb2.HistoryRequest(
                workspace=self.workspace,
                watch=watch,
                since=timestamp(since, "since"),
                until=timestamp(until, "until"),
                time_zone=time_zone,
                min_version=self._version(),
            )

    def list_templates(self) -> answers_pb2.ListTemplatesRequest:
        """Return the request for ready-made segments."""
        return answers_pb2.ListTemplatesRequest(
            workspace=self.workspace, min_version=self._version()
        )

    def create_segment(
        self, name: str, query: Query, description: str, tags: Sequence[str], *, for_send: bool
    ) -> saved_pb2.SavedSegmentsCreateRequest:
        """Return the request to save a segment."""
        with _utf8():
            return saved_pb2.SavedSegmentsCreateRequest(
                workspace=self.workspace,
                name=name,
                query=_query(query, None, None),
                description=description,
                tags=tags,
                for_send=for_send,
            )

    def get_segment(self, name: str) -> saved_pb2.SavedSegmentsGetRequest:
        """Return the request for a saved segment."""
        with _utf8():
            return saved_pb2.SavedSegmentsGetRequest(workspace=self.workspace, name=name)

    def list_segments(
        self, tag: str, page_size: int, page_token: str
    ) -> saved_pb2.SavedSegmentsListRequest:
        """Return the request for a page of the saved segments."""
        with _utf8():
            return saved_pb2.SavedSegmentsListRequest(
                workspace=self.workspace, tag=tag, page_size=page_size, page_token=page_token
            )

    def saved_page(self, message: saved_pb2.SavedSegmentsListResponse) -> SavedPage:
        """Return the answer to `list_segments`."""
        return SavedPage(tuple(map(convert.saved, message.segments)), message.next_page_token)

    def update_segment(
        self,
        name: str,
        query: Query | None,
        *,
        new_name: str | None,
        description: str | None,
        tags: Sequence[str] | None,
        etag: str,
        for_send: bool,
    ) -> saved_pb2.SavedSegmentsUpdateRequest:
        """Return the request to change a saved segment."""
        with _utf8():
            return saved_pb2.SavedSegmentsUpdateRequest(
                workspace=self.workspace,
                name=name,
                query=None if query is None else _query(query, None, None),
                new_name=new_name,
                description=description,
                tags=None if tags is None else common_pb2.StringSet(values=tags),
                etag=etag,
                for_send=for_send,
            )

    def delete_segment(self, name: str, etag: str) -> saved_pb2.SavedSegmentsDeleteRequest:
        """Return the request to remove a saved segment."""
        with _utf8():
            return saved_pb2.SavedSegmentsDeleteRequest(
                workspace=self.workspace, name=name, etag=etag
            )

    def get_schema(self) -> admin_pb2.GetSchemaRequest:
        """Return the request for the schema."""
        return admin_pb2.GetSchemaRequest(workspace=self.workspace, min_version=self._version())

    def schema(self, message: admin_pb2.GetSchemaResponse) -> Schema:
        """Return the answer to `get_schema`."""
        self.info(message.info)
        return convert.schema(message.schema)

    def get_stats(self) -> admin_pb2.StatsRequest:
        """Return the request for the size of the workspace."""
        return admin_pb2.StatsRequest(workspace=self.workspace, min_version=self._version())

    def stats(self, message: admin_pb2.StatsResponse) -> Stats:
        """Return the answer to `get_stats`."""
        self.info(message.info)
        return convert.stats(message)

    def info(self, message: common_pb2.AnswerInfo) -> Info:
        """Return what an answer says of itself, and remember its version."""
        self.saw(message.version)
        return convert.info(message)

    def saw(self, message: common_pb2.Version) -> Version:
        """Remember the version that an answer names, and return it."""
        found = convert.version(message)
        with self._lock:
            if self._seen is None or self._seen < found:
                self._seen, self._min_version = found, convert.to_version(found)
        return found

    def begun_anew(self, workspace: str) -> None:
        """Forget the newest version of a workspace that was just made: it has others."""
        if workspace == self.workspace:
            with self._lock:
                self._seen = self._min_version = None

    def noted(self, message: Message) -> None:
        """Remember the version that a message of a stream of contacts names, if it names one."""
        if isinstance(message, segments_pb2.StreamMembersResponse) and message.HasField("info"):
            self.info(message.info)

    def text_of(self, query: Query) -> str:
        """Return a segment in text, for the record."""
        return text_of(query)

    def _version(self) -> common_pb2.Version | None:
        return self._min_version  # copied into every request


def _query(query: Query, as_of: dt.datetime | None, time_zone: str | None) -> query_pb2.Query:
    with _utf8():
        return _query_at(query, timestamp(as_of), time_zone)


def _query_at(query: Query, instant: Timestamp | None, time_zone: str | None) -> query_pb2.Query:
    if isinstance(query, str):
        return query_pb2.Query(text=query, as_of=instant, time_zone=time_zone)
    if isinstance(query, dict):
        return query_pb2.Query(json=json_of(query), as_of=instant, time_zone=time_zone)
    return query_pb2.Query(segment=to_proto(query), as_of=instant, time_zone=time_zone)


def query_message(query: Query, time_zone: str | None) -> query_pb2.Query:
    """Return the message of a query that names no instant."""
    return _query(query, None, time_zone)


def _natural(number: int, name: str) -> int:
    """Return a number that a message can hold."""
    if not 0 <= number < 2**32:
        raise UserError(Reason.INVALID_VALUE, f"expected {name} from 0, found {number}", field=name)
    return number


@contextmanager
def _utf8() -> Iterator[None]:
    """Refuse a text that no message can hold."""
    try:
        yield
    except UnicodeEncodeError:
        raise UserError(
            Reason.SYNTAX, "expected text that can be written as UTF-8; found half a character"
        ) from None
