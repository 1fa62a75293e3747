"""The part of the embedded API that is about sending: audiences, and files of contacts."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from headcount.answers import Exported, Frozen, Info, Resolution
from headcount.index.view import Version
from headcount.members import batches, contacts
from headcount.members.member_file import MemberFile, silent
from headcount.members.sendable import Sendable
from headcount.query.chosen import chosen
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.query.forms import text_of
from headcount.segments.audience import Queries, audience_of, resolve
from headcount.segments.documents import segment_document
from headcount.segments.freeze import freeze


class Sending:
    """Says who may be sent to, and writes contacts to files: a part of `Workspace`."""

    name: str

    @property
    def _engine(self) -> Engine:
        raise NotImplementedError

    def _context(
        self, as_of: dt.datetime | None, time_zone: str | None, timeout: float | None
    ) -> QueryContext:
        raise NotImplementedError

    def _info(self, context: QueryContext, started: float, version: Version | None = None) -> Info:
        raise NotImplementedError

    def resolve(
        self,
        include: Queries,
        exclude: Queries = (),
        *,
        on_list: str | None = None,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Resolution:
        """Return how many contacts may be sent to, and what became of the others."""
        found = self.sendable(
            include, exclude, on_list=on_list, as_of=as_of, time_zone=time_zone, timeout=timeout
        )
        return Resolution(found.funnel, found.info)

    def sendable(
        self,
        include: Queries,
        exclude: Queries = (),
        *,
        on_list: str | None = None,
        fields: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Sendable:
        """Return those who may be sent to, with chosen fields, and how many they are."""
        started = time.perf_counter()
        engine, context = self._engine, self._context(as_of, time_zone, timeout)
        columns = chosen(engine, fields, context)
        found = resolve(engine, audience_of(include, exclude, on_list), context)
        groups = chain.from_iterable(batches.records(found.members, 0, columns))
        info = self._info(context, started, engine.view.version)
        return Sendable(found.funnel, info, groups, contacts.arrow_schema(columns))

    def freeze(
        self,
        to: str,
        include: Queries,
        exclude: Queries = (),
        *,
        on_list: str | None = None,
        fields: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Frozen:
        """Write those who may be sent to into the new file *to*, a path."""
        started = time.perf_counter()
        engine, context = self._engine, self._context(as_of, time_zone, timeout)
        columns = chosen(engine, fields, context)
        found = resolve(engine, audience_of(include, exclude, on_list), context)
        info = self._info(context, started, engine.view.version)
        freeze(Path(to), found, engine.view.schema, self.name, info, columns, context.check)
        return Frozen(to, found.funnel, self._info(context, started, engine.view.version))

    def export(
        self,
        query: Query,
        to: str | Path,
        *,
        fields: Sequence[str] = (),
        progress: Callable[[int], None] = silent,
        as_of: dt.datetime | None = None,
        time_zone: str | None = None,
        timeout: float | None = None,
    ) -> Exported:
        """
        Write the contacts in a segment to a `.csv` or `.parquet` file, whole or not at all.

        *progress* is told how many are written.
        """
        started = time.perf_counter()
        engine, context = self._engine, self._context(as_of, time_zone, timeout)
        columns = chosen(engine, fields, context)
        typed = contacts.arrow_schema(columns)
        found = engine.members(query, context)
        info = self._info(context, started, engine.view.version)
        text = text_of(query)
        about = segment_document(self.name, text, info, typed.names[1:])
        with MemberFile(Path(to), engine.view.schema.id_column, typed, about) as file:
            for group in batches.records(found, 0, columns):
                for batch in group:
                    file.write(batch)
                    progress(file.count)
        return Exported(file.count, info)
