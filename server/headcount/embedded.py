"""
Headcount without a server: a folder of data, opened in this process.

    from headcount.embedded import Workspace

    ws = Workspace.open("data/")
    ws.count("plan = Pro")

The methods are those of `headcount.client.Client`, with the same values and the same errors, so a
program moves from one to the other by changing the line that opens it. What is loaded into the
folder later, or saved by another process, is seen by opening it again. Segments are saved while
nobody else writes to the folder: a server that serves it does.

This is an edge: the clock is read here, where nobody says `as_of`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.allocator import keep_freed_memory
from headcount.answers import Answer, Info, Page, ReadyTemplate, SavedPage, SavedSegment, Validation
from headcount.embedded_caring import Caring
from headcount.embedded_folder import read
from headcount.embedded_reporting import Reporting
from headcount.embedded_sending import Sending
from headcount.embedded_writing import Writing
from headcount.index import stats
from headcount.index.stats import Stats
from headcount.index.view import Version, View
from headcount.live.commit import Writer
from headcount.members import batches, pages, tokens
from headcount.members.pinned import Pinned
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema
from headcount.model.time_zone import time_zone as zone_of
from headcount.query.breakdown import TOP, Breakdown, breakdown
from headcount.query.chosen import chosen
from headcount.query.clock import to_datetime, to_micros
from headcount.query.context import QueryContext, never
from headcount.query.engine import Engine, Query
from headcount.query.explain import Explanation, explain
from headcount.query.explain_contact import ContactExplanation, explain_contact
from headcount.query.forms import text_of
from headcount.query.histogram import Histogram, Layout, histogram
from headcount.query.limits import DEFAULT, Limits
from headcount.query.match import Matches, match
from headcount.query.overlap import Overlap, overlap
from headcount.query.preview import SAMPLE, Preview, preview
from headcount.query.profile import Profile, profile
from headcount.query.results import Results
from headcount.query.workers import DEFAULT_THREADS, Workers
from headcount.segments.keeper import Change, Keeper, Kept
from headcount.segments.needs import Has
from headcount.segments.sessions import Sessions
from headcount.segments.store import SavedSegments
from headcount.segments.templates import Fit, fits


class Workspace(Sending, Reporting, Writing, Caring):
    """
    One workspace of a data folder, as it was when it was opened or last written to here. Any thread
    may ask.

    `view` is what everything is read from. A *timeout* is in seconds; without one, a question takes
    as long as it takes.
    """

    def __init__(
        self,
        view: View,
        name: str = "default",
        limits: Limits = DEFAULT,
        folder: Path | None = None,
        results: Results | None = None,
        writer: Writer | None = None,
        threads: int = DEFAULT_THREADS,
    ) -> None:
        """
        Without a *folder*, nothing is saved; without a *writer* or a folder, nothing is written.

        *results* is what remembers the rows of conditions: 256 MB of its own by default,
        `Results(0)` for none. Up to *threads* threads work on one long count, that of who asks
        among them.
        """
        self.name = name
        self._begin(view, writer)
        self._limits = limits
        self._folder = folder
        stored = None if folder is None else SavedSegments(folder, name)
        engine = Engine(view, results, workers=Workers(threads))
        self._keeper = Keeper(engine, stored, self._newest)
        self._sessions = Sessions()
        self._pinned = Pinned(time.monotonic)

    @property
    def view(self) -> View:
        """Return the newest view."""
        return self._engine.view

    @property
    def _engine(self) -> Engine:
        return self._keeper.engine

    @classmethod
    def open(
        cls,
        path: str | Path,
        workspace: str = "default",
        *,
        limits: Limits = DEFAULT,
        results: Results | None = None,
        threads: int = DEFAULT_THREADS,
    ) -> Workspace:
        """
        Return a workspace of the data folder at *path*, every byte of it verified.

        *results* and *threads* are those of the constructor. From then on the process keeps memory
        that is freed for what is asked next (`allocator`).

        Raises:
            UserError: there is no such folder or workspace, a newer Headcount wrote it, or a
                calculated field of its schema means nothing.
            CorruptionError: a file is damaged.
        """
        keep_freed_memory()
        view = read(Path(path), workspace)
        return cls(view, workspace, limits, Path(path), results, threads=threads)

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
        started = time.perf_counter()
        context = self._context(as_of, time_zone, timeout)
        engine = self._engine
        found = engine.count(query, context)
        info = self._info(context, started, engine.view.version)
        return Answer(found.count, info, found.warnings)

    def count_many(
        self,
        queries: Iterable[Query],
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> list[int | UserError]:
        """Return for each query, in order, its count or why it has none; all of one instant."""
        return self._engine.sizes(list(queries), self._context(as_of, time_zone, timeout))

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
        found = self._engine.members(query, self._context(as_of, time_zone, timeout))
        for ids in batches.ids(found, _natural(limit)):
            yield ids.to_pylist()

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
        found = self._engine.members(query, self._context(as_of, time_zone, timeout))
        yield from batches.integers(found, _natural(limit))

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
        engine = self._engine
        context = self._context(as_of, time_zone, timeout)
        columns = chosen(engine, fields, context)
        found = engine.members(query, context)
        for group in batches.records(found, _natural(limit), columns):
            yield from group

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
        engine = self._engine
        found = engine.members(query, self._context(as_of, time_zone, timeout))
        yield from batches.ordinals(found, _natural(limit), engine.view.block_rows)

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
        started, engine = time.perf_counter(), self._engine
        view = engine.view
        context = self._context(as_of, time_zone, timeout)
        text = text_of(query)
        asked = f"{as_of}\0{time_zone}\0{text}".encode(errors="surrogatepass")
        listing = tokens.digest(self.name, asked, fields)
        start = 0
        if page_token:
            token = tokens.read(page_token, listing)
            start = token.ordinal
            if token.version != view.version:
                kept = self._pinned.find(self.name, token.version)
                if kept is None:
                    raise tokens.outdated(token, view.version)
                engine, view = kept, kept.view
            context = QueryContext(token.as_of, context.zone, self._limits, context.check)
        prepared = engine.prepared(query, context)
        columns = chosen(engine, fields, context)
        found = engine.members(query, context, start // view.block_rows)
        page = pages.fill(found, view.block_rows, columns, start, pages.size(page_size))
        token_after = ""
        if page.next_ordinal is not None:
            self._pinned.keep(self.name, engine)
            token_after = tokens.PageToken(
                listing, context.as_of, view.version, page.next_ordinal
            ).encode()
        return Page(
            contacts=tuple(page.contacts),
            next_token=token_after,
            info=self._info(context, started, view.version),
            warnings=() if start else prepared.warnings,
        )

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
        started = time.perf_counter()
        context = self._context(as_of, time_zone, timeout)
        engine = self._engine
        found = engine.validate(query, context, for_send=for_send)
        info = self._info(context, started, engine.view.version)
        return Validation(found.text, found.errors, found.warnings, info)

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
        context = self._context(as_of, time_zone, timeout)
        with self._sessions.newest(self.name, session, context) as watched:
            return preview(
                self._engine,
                query,
                watched,
                fields=fields,
                size=_natural(size),
                for_send=for_send,
                editing=editing,
            )

    def explain(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Explanation:
        """Return a segment part by part, with the counts and the times of each."""
        context = self._context(as_of, time_zone, timeout)
        return explain(self._engine, query, context, timer=time.perf_counter)

    def profile(
        self,
        query: Query,
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Profile:
        """Return where the time of counting a segment goes."""
        context = self._context(as_of, time_zone, timeout)
        return profile(self._engine, query, context, time.perf_counter)

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
        context = self._context(as_of, time_zone, timeout)
        return explain_contact(self._engine, query, contact, context)

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
        context = self._context(as_of, time_zone, timeout)
        return breakdown(self._engine, query, by, context, top=_natural(top))

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
        context = self._context(as_of, time_zone, timeout)
        return histogram(self._engine, query, by, context, layout)

    def overlap(
        self,
        queries: Sequence[Query],
        *,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Overlap:
        """Return how many contacts each two of some segments share, all as of one instant."""
        return overlap(self._engine, queries, self._context(as_of, time_zone, timeout))

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
        return match(self._engine, queries, contacts, self._context(as_of, time_zone, timeout))

    def templates(self) -> tuple[ReadyTemplate, ...]:
        """Return ready-made segments, those first that this workspace can use as they are."""
        view = self.view
        found = fits(Has(view.schema, frozenset(view.labels), frozenset(view.lists)))
        return tuple(map(_template, found))

    def create_segment(
        self,
        name: str,
        query: Query,
        *,
        description: str = "",
        tags: Sequence[str] = (),
        for_send: bool = False,
    ) -> SavedSegment:
        """
        Save a segment under a new name, and return it; `in segment "name"` asks for it.

        *for_send* warns if it does not ask for `status`.
        """
        context = self._context(None, None, None)
        with self._writing() as keeper:
            return _saved(
                keeper.create(name, query, description, tuple(tags), context, for_send=for_send)
            )

    def get_segment(self, name: str) -> SavedSegment:
        """Return a saved segment, with the names of those that use it."""
        return _saved(self._keeper.get(name))

    def list_segments(
        self, *, tag: str = "", page_size: int = 0, page_token: str = ""
    ) -> SavedPage:
        """Return a page of the saved segments by name, all or those with a tag."""
        found, token = self._keeper.page(pages.size(page_size), page_token, tag)
        return SavedPage(tuple(_saved(Kept(one)) for one in found), token)

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
    ) -> SavedSegment:
        """
        Change what is given of a saved segment, if it still has *etag*; "" is any.

        *for_send* warns if it does not ask for `status`.
        """
        change = Change(new_name, query, description, None if tags is None else tuple(tags))
        context = self._context(None, None, None)
        with self._writing() as keeper:
            return _saved(keeper.update(name, change, etag, context, for_send=for_send))

    def delete_segment(self, name: str, *, etag: str = "") -> None:
        """Remove a saved segment that no other uses, if it still has *etag*."""
        with self._writing() as keeper:
            keeper.delete(name, etag)

    def schema(self) -> Schema:
        """Return the names and types of the workspace."""
        return self.view.schema

    def stats(self) -> Stats:
        """Return how large the workspace is; visits every bitmap, about 50 ms a block."""
        return stats.measure(self.view)

    def check(self) -> Iterator[str]:
        """
        Yield a sentence for each redundant structure that disagrees with its source; none if well.

        Only an open workspace has this: a server's data are checked where they lie.
        """
        return self.view.check()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[Keeper]:
        """Enter a block that saves segments: nobody else does, and what is stored is read anew."""
        if self._folder is None:
            yield self._keeper
            return
        with self._locked() as lock:
            store = SavedSegments(self._folder, self.name, lock)
            self._keeper = Keeper(self._engine, store, self._newest)
            yield self._keeper

    def _context(
        self, as_of: dt.datetime | None, time_zone: str | None, timeout: float | None
    ) -> QueryContext:
        if as_of is None:
            instant = time.time_ns() // 1000
        elif as_of.tzinfo is None:
            raise UserError(
                Reason.INVALID_VALUE,
                "expected as_of with a time zone, such as datetime(2026, 1, 1, tzinfo=UTC); found"
                " one without",
                field="as_of",
            )
        else:
            instant = to_micros(as_of)
        zone = zone_of(time_zone or self.view.schema.time_zone, "time_zone")
        check = never if timeout is None else _within(timeout)
        return QueryContext(instant, zone, self._limits, check)

    def _info(self, context: QueryContext, started: float, version: Version | None = None) -> Info:
        return Info(
            as_of=to_datetime(context.as_of),
            time_zone=context.zone.key,
            version=self.view.version if version is None else version,
            elapsed=time.perf_counter() - started,
        )


def _template(fit: Fit) -> ReadyTemplate:
    found, advice = fit.template, dict(fit.missing)
    needs = tuple((str(need), advice.get(need, "")) for need in found.needs)
    return ReadyTemplate(found.name, found.finds, found.text, found.uses, fit.usable, needs)


def _saved(kept: Kept) -> SavedSegment:
    found = kept.definition
    return SavedSegment(
        name=found.name,
        text=found.text,
        description=found.description,
        tags=found.tags,
        etag=found.etag,
        created_at=to_datetime(found.created_at),
        updated_at=to_datetime(found.updated_at),
        dependants=kept.dependants,
        warnings=kept.warnings,
    )


def _within(seconds: float) -> Callable[[], None]:
    """Return a check that ends a query when *seconds* from now are over."""
    deadline = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > deadline:
            raise UserError(Reason.DEADLINE_EXCEEDED, f"no answer within {seconds:g} s")

    return check


def _natural(limit: int) -> int:
    if limit < 0:
        raise UserError(Reason.INVALID_VALUE, f"expected a limit from 0, found {limit}")
    return limit
