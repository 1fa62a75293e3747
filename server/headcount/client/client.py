"""
The client for programs without asyncio: one connection, any number of threads.

It raises `UserError` when the request cannot be answered, as `headcount.embedded` does, and
`ServerError` when the server cannot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.answers import Answer, Page, ReadyTemplate, SavedPage, SavedSegment, Validation
from headcount.client import decode, methods
from headcount.client.caring import Caring
from headcount.client.errors import error_of
from headcount.client.methods import A, Method, Q
from headcount.client.reporting import Reporting
from headcount.client.requests import Query, Requests
from headcount.client.sending import Sending
from headcount.client.watching import Watching
from headcount.client.writing import Writing
from headcount.index.stats import Stats
from headcount.index.view import Version
from headcount.model.errors import UserError
from headcount.model.schema import Schema
from headcount.query.breakdown import TOP, Breakdown
from headcount.query.explain import Explanation
from headcount.query.explain_contact import ContactExplanation
from headcount.query.histogram import EqualWidth, Histogram, Layout
from headcount.query.match import Matches
from headcount.query.overlap import Overlap
from headcount.query.preview import SAMPLE, Preview
from headcount.query.profile import Profile
from headcount.rpc import convert, convert_answers, convert_profiles
from headcount.v1 import segments_pb2


class Client(Sending, Reporting, Writing, Caring, Watching):
    """
    Asks a server about one workspace.

    *timeout* is in seconds and holds for each call; streams have none unless one is given. A
    *token* is sent to loopback addresses only, unless *insecure* is true.
    """

    def __init__(
        self,
        target: str,
        *,
        workspace: str = "default",
        token: str | None = None,
        timeout: float = 10.0,
        insecure: bool = False,
    ) -> None:
        self._metadata = methods.metadata(target, token, insecure=insecure)
        self._target = target
        self._timeout = timeout
        self._requests = Requests(workspace)
        self._channel = grpc.insecure_channel(target, options=methods.OPTIONS)
        self._calls: dict[str, Callable[..., Any]] = {
            method.path: self._channel.unary_unary(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.answer.FromString,
            )
            for method in methods.UNARY
        }

    @property
    def seen_version(self) -> Version | None:
        """Return the newest version that an answer has named; every call asks for no older one."""
        return self._requests.seen

    def count(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> int:
        """Return how many contacts are in a segment, given as text or as a tree."""
        return self.answer(query, as_of=as_of, time_zone=time_zone, timeout=timeout).count

    def answer(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Return how many contacts are in a segment, with the instant, version and warnings."""
        request = self._requests.count(query, as_of, time_zone)
        return self._requests.answer(self._call(methods.COUNT, request, timeout))

    def count_many(
        self,
        queries: Iterable[Query],
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> list[int | UserError]:
        """Return for each query, in order, its count or why it has none; all from one version."""
        request = self._requests.count_many(queries, as_of, time_zone)
        return self._requests.counts(self._call(methods.COUNT_MANY, request, timeout))

    def members(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> Iterator[list[str]]:
        """Yield the ids in a segment, some thousands at a time; all, or the first *limit*."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_IDS,
            fields=(),
            limit=limit,
        )
        for message in self._stream(methods.STREAM_MEMBERS, request, timeout):
            if message.count:
                yield decode.ids(message)

    def member_integers(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> Iterator[npt.NDArray[np.uint64]]:
        """Yield the ids in a segment as uint64 arrays; a UserError if one is not an integer."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_UINT64,
            fields=(),
            limit=limit,
        )
        for message in self._stream(methods.STREAM_MEMBERS, request, timeout):
            if message.count:
                yield decode.integers(message)

    def member_batches(
        self,
        query: Query,
        *,
        fields: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the ids in a segment, and chosen fields, as Arrow record batches."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_ARROW,
            fields=fields,
            limit=limit,
        )
        reader = decode.ArrowReader()
        for message in self._stream(methods.STREAM_MEMBERS, request, timeout):
            yield from reader.feed(message)

    def member_ordinals(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        limit: int = 0,
        timeout: float | None = None,
    ) -> Iterator[BitMap]:
        """Yield disjoint bitmaps of ordinals; their union is the segment."""
        request = self._requests.stream_members(
            query,
            as_of,
            time_zone,
            member_format=segments_pb2.MEMBER_FORMAT_ROARING,
            fields=(),
            limit=limit,
        )
        for message in self._stream(methods.STREAM_MEMBERS, request, timeout):
            if message.count:
                yield decode.ordinals(message)

    def list_members(
        self,
        query: Query,
        *,
        fields: Sequence[str] = (),
        page_size: int = 0,
        page_token: str = "",
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Page:
        """Return a page of the contacts in a segment with chosen fields; 0 is the default size."""
        request = self._requests.list_members(
            query, as_of, time_zone, fields=fields, page_size=page_size, page_token=page_token
        )
        return self._requests.page(self._call(methods.LIST_MEMBERS, request, timeout))

    def validate(
        self,
        query: Query,
        *,
        for_send: bool = False,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Validation:
        """
        Return what is wrong with a segment, and its canonical text.

        With *for_send* also that it does not ask for `status`.
        """
        request = self._requests.validate(query, as_of, time_zone, for_send=for_send)
        return self._requests.validation(self._call(methods.VALIDATE, request, timeout))

    def preview(
        self,
        query: Query,
        *,
        fields: Sequence[str] = (),
        size: int = SAMPLE,
        session: str = "",
        for_send: bool = False,
        editing: str = "",
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Preview:
        """
        Return a segment at a glance, with *size* of its members and of each the *fields* it has.

        An older call with the same *session* that is still under way is cancelled. *for_send* warns
        if it does not ask for `status`; the saved segment *editing* is no duplicate of itself.
        """
        request = self._requests.preview(
            query,
            as_of,
            time_zone,
            fields=fields,
            size=size,
            session=session,
            for_send=for_send,
            editing=editing,
        )
        answer = self._call(methods.PREVIEW, request, timeout)
        self._requests.info(answer.info)
        return convert_answers.preview(answer)

    def explain(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Explanation:
        """Return a segment part by part, with the counts and the times of each."""
        request = self._requests.explain(query, as_of, time_zone)
        answer = self._call(methods.EXPLAIN, request, timeout)
        return convert_answers.explanation(answer, self._requests.info(answer.info))

    def profile(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Profile:
        """Return where the time of counting a segment goes."""
        request = self._requests.explain(query, as_of, time_zone, profile=True)
        answer = self._call(methods.EXPLAIN, request, timeout)
        info = self._requests.info(answer.info)
        return convert_profiles.profile(answer.profile, answer.contacts, info)

    def explain_contact(
        self,
        query: Query,
        contact: str,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> ContactExplanation:
        """Return why the contact with an id is in a segment, or is not."""
        request = self._requests.explain_contact(query, contact, as_of, time_zone)
        answer = self._call(methods.EXPLAIN_CONTACT, request, timeout)
        info = self._requests.info(answer.info)
        return convert_answers.contact_explanation(answer, contact, info)

    def breakdown(
        self,
        query: Query,
        by: str,
        *,
        top: int = TOP,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Breakdown:
        """Return the members of a segment by a value of the language, the *top* values of them."""
        request = self._requests.breakdown(query, by, as_of, time_zone, top=top)
        answer = self._call(methods.BREAKDOWN, request, timeout)
        return convert_answers.breakdown(answer, self._requests.info(answer.info))

    def histogram(
        self,
        query: Query,
        by: str,
        layout: Layout | None = None,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Histogram:
        """Return the members of a segment by ranges of a number or a time; 20 without a layout."""
        chosen = EqualWidth() if layout is None else layout
        request = self._requests.breakdown(query, by, as_of, time_zone, layout=chosen)
        answer = self._call(methods.BREAKDOWN, request, timeout)
        return convert_answers.histogram(answer, self._requests.info(answer.info))

    def overlap(
        self,
        queries: Sequence[Query],
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Overlap:
        """Return how many contacts each two of some segments share, all as of one instant."""
        request = self._requests.overlap(queries, as_of, time_zone)
        answer = self._call(methods.OVERLAP, request, timeout)
        self._requests.info(answer.info)
        return convert_answers.overlap(answer)

    def match(
        self,
        queries: Sequence[Query],
        contacts: Sequence[str],
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Matches:
        """Return which of some segments hold each of some contacts, all as of one instant."""
        request = self._requests.match(queries, contacts, as_of, time_zone)
        answer = self._call(methods.MATCH, request, timeout)
        self._requests.info(answer.info)
        return convert_answers.matches(answer)

    def templates(self, *, timeout: float | None = None) -> tuple[ReadyTemplate, ...]:
        """Return ready-made segments, those first that this workspace can use as they are."""
        request = self._requests.list_templates()
        answer = self._call(methods.LIST_TEMPLATES, request, timeout)
        self._requests.info(answer.info)
        return tuple(map(convert_answers.template, answer.templates))

    def create_segment(
        self,
        name: str,
        query: Query,
        *,
        description: str = "",
        tags: Sequence[str] = (),
        for_send: bool = False,
        timeout: float | None = None,
    ) -> SavedSegment:
        """
        Save a segment under a new name, and return it; `in segment "name"` asks for it.

        *for_send* warns if it does not ask for `status`.
        """
        request = self._requests.create_segment(name, query, description, tags, for_send=for_send)
        answer = self._call(methods.CREATE_SEGMENT, request, timeout)
        return convert.saved(answer.segment, answer.warnings)

    def get_segment(self, name: str, *, timeout: float | None = None) -> SavedSegment:
        """Return a saved segment, with the names of those that use it."""
        request = self._requests.get_segment(name)
        return convert.saved(self._call(methods.GET_SEGMENT, request, timeout).segment)

    def list_segments(
        self,
        *,
        tag: str = "",
        page_size: int = 0,
        page_token: str = "",
        timeout: float | None = None,
    ) -> SavedPage:
        """Return a page of the saved segments by name, all or those with a tag."""
        request = self._requests.list_segments(tag, page_size, page_token)
        answer = self._call(methods.LIST_SEGMENTS, request, timeout)
        return self._requests.saved_page(answer)

    def update_segment(
        self,
        name: str,
        query: Query | None = None,
        *,
        new_name: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        etag: str = "",
        for_send: bool = False,
        timeout: float | None = None,
    ) -> SavedSegment:
        """
        Change what is given of a saved segment, if it still has *etag*; "" is any.

        *for_send* warns if it does not ask for `status`.
        """
        request = self._requests.update_segment(
            name,
            query,
            new_name=new_name,
            description=description,
            tags=tags,
            etag=etag,
            for_send=for_send,
        )
        answer = self._call(methods.UPDATE_SEGMENT, request, timeout)
        return convert.saved(answer.segment, answer.warnings)

    def delete_segment(self, name: str, *, etag: str = "", timeout: float | None = None) -> None:
        """Remove a saved segment that no other uses, if it still has *etag*."""
        request = self._requests.delete_segment(name, etag)
        self._call(methods.DELETE_SEGMENT, request, timeout)

    def schema(self, *, timeout: float | None = None) -> Schema:
        """Return the names and types of the workspace."""
        answer = self._call(methods.GET_SCHEMA, self._requests.get_schema(), timeout)
        return self._requests.schema(answer)

    def stats(self, *, timeout: float | None = None) -> Stats:
        """Return how large the workspace is."""
        return self._requests.stats(self._call(methods.STATS, self._requests.get_stats(), timeout))

    def close(self) -> None:
        """Close the connection; calls under way are cancelled."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, method: Method[Q, A], request: Q, timeout: float | None) -> A:
        seconds = self._timeout if timeout is None else timeout
        try:
            answer: A = self._calls[method.path](request, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as failed:
            raise error_of(failed, self._target) from None
        return answer

    def _stream(self, method: Method[Q, A], request: Q, timeout: float | None) -> Iterator[A]:
        open_stream = self._channel.unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.answer.FromString,
        )
        stream = open_stream(request, timeout=timeout, metadata=self._metadata)
        try:
            for message in stream:
                self._requests.noted(message)
                yield message
        except grpc.RpcError as failed:
            raise error_of(failed, self._target) from None
        finally:
            stream.cancel()  # for a caller who stops early; nothing once it has ended
