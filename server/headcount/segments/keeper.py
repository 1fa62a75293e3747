"""
One workspace that is asked and saved into: its engine and its saved segments, changed together.

    draft --bound to the view--> --stored--> next catalogue --> next engine

A segment is bound before it is stored, so that what is saved could be asked at that moment. Readers
take `engine` once and keep it: an engine belongs to one catalogue and one view, and a change makes
another one, which shares what was remembered of the data.

A workspace that is written to has a new view after every commit. The engine follows when the next
reader asks for it, not in the writer's thread, which has better to do.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Lock

from headcount.index.view import View
from headcount.model.errors import Reason, UserError
from headcount.model.fold import key
from headcount.query import tree
from headcount.query.bound import QueryWarning
from headcount.query.context import QueryContext
from headcount.query.doubts import doubts_of
from headcount.query.engine import Engine, Query, tree_of
from headcount.query.saved import ExpansionError, with_used
from headcount.segments.definition import Definition, Draft
from headcount.segments.saved import Catalogue
from headcount.segments.store import SavedSegments

_NOTHING = Catalogue({}, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """What to change of a saved segment; what is None stays."""

    name: str | None = None
    query: Query | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved segment, those that use it directly, and what looks wrong in it."""

    definition: Definition
    dependants: tuple[str, ...] = ()
    warnings: tuple[QueryWarning, ...] = ()


class Keeper:
    """The engine and the saved segments of one workspace. Any thread may use it."""

    def __init__(
        self,
        engine: Engine,
        store: SavedSegments | None = None,
        current: Callable[[], View] | None = None,
    ) -> None:
        """
        Without a *store* nothing is saved, and nothing can be.

        *current* returns the newest view of the workspace; without it there is only that of
        *engine*.
        """
        self._store = store
        self._current = current
        self._changing = Lock()  # held while a saved segment is changed
        self._replacing = Lock()  # held while the engine is replaced
        self._engine = engine if store is None else engine.with_saved(store.catalogue)

    @property
    def engine(self) -> Engine:
        """Return the engine over the newest view and what is saved now."""
        engine = self._engine
        if self._current is None or self._current() is engine.view:
            return engine
        with self._replacing:
            view = self._current()
            if view is not self._engine.view:
                self._engine = self._engine.at(view)
            return self._engine

    @property
    def view(self) -> View:
        """Return the newest view, without an engine over it: for who writes."""
        return self._engine.view if self._current is None else self._current()

    @property
    def catalogue(self) -> Catalogue:
        """Return all saved segments, as they are now."""
        return _NOTHING if self._store is None else self._store.catalogue

    def get(self, name: str) -> Kept:
        """
        Return a saved segment with its dependants.

        Raises:
            UserError: NOT_FOUND.
        """
        return self._kept(name)

    def page(self, size: int, token: str, tag: str) -> tuple[tuple[Definition, ...], str]:
        """
        Return up to *size* saved segments by name, and the token of the next page, "" at the end.

        Raises:
            UserError: *token* is not one that was returned.
        """
        found = self.catalogue.page(size, _after(token), tag or None)
        return found.definitions, "" if found.next is None else _token(found.next)

    def create(
        self,
        name: str,
        query: Query,
        description: str,
        tags: tuple[str, ...],
        context: QueryContext,
        *,
        for_send: bool = False,
    ) -> Kept:
        """
        Save a segment under a new name, at the instant of *context*; *for_send* is `doubts_of`'s.

        Raises:
            UserError: *query* is not valid, or cannot be saved: see `Catalogue.create`.
            CorruptionError: the disk failed.
        """
        warnings = doubts_of(self.engine, query, context, for_send=for_send)
        with self._changing:
            self.engine.prepared(query, context)  # the data may have changed since
            draft = _draft(name, query, description, tags, context)
            after = self.catalogue.create(draft, context.as_of, _unsaved)
            _refuse_unusable(draft.name, after, context)
            with self._followed() as store:
                saved = store.create(draft, context.as_of)
            return self._kept(saved.name, warnings)

    def update(
        self, name: str, change: Change, etag: str, context: QueryContext, *, for_send: bool = False
    ) -> Kept:
        """
        Change a saved segment, at the instant of *context*; *etag* "" changes whatever is there.

        *for_send* is that of `doubts_of`.

        Raises:
            UserError, CorruptionError: as for `create`; NOT_FOUND; CONFLICT, when the segment has
                another etag.
        """
        before = self.catalogue.get(name)
        query = before.text if change.query is None else change.query
        warnings = doubts_of(self.engine, query, context, for_send=for_send, but=name)
        with self._changing:
            before = self.catalogue.get(name)
            query = before.text if change.query is None else change.query
            self.engine.prepared(query, context)  # the data may have changed since
            draft = _draft(
                before.name if change.name is None else change.name,
                query,
                before.description if change.description is None else change.description,
                before.tags if change.tags is None else change.tags,
                context,
            )
            if change.query is None:
                draft = replace(draft, segment=before.segment, source=before.text)
            else:
                after = self.catalogue.update(name, draft, context.as_of, _unsaved, etag or None)
                _refuse_unusable(draft.name, after, context)
            with self._followed() as store:
                saved = store.update(name, draft, context.as_of, etag or None)
            return self._kept(saved.name, warnings)

    def delete(self, name: str, etag: str) -> None:
        """
        Remove a saved segment; *etag* "" removes whatever is there.

        Raises:
            UserError: NOT_FOUND; CONFLICT, when others use it, or it has another etag.
            CorruptionError: the disk failed.
        """
        with self._changing, self._followed() as store:
            store.delete(name, etag or None)

    @contextmanager
    def _followed(self) -> Iterator[SavedSegments]:
        """Enter a block that changes the store, also where it fails: the engine follows it."""
        if self._store is None:
            raise UserError(
                Reason.CONFLICT,
                "this workspace is in memory only: segments are saved in a data folder; open one",
            )
        try:
            yield self._store
        finally:
            with self._replacing:
                self._engine = self._engine.with_saved(self._store.catalogue)

    def _kept(self, name: str, warnings: tuple[QueryWarning, ...] = ()) -> Kept:
        catalogue = self.catalogue
        users = tuple(user.name for user in catalogue.dependants(name))
        return Kept(catalogue.get(name), users, warnings)


def _unsaved(*_: object) -> None:
    """Store nothing: what a change would make of a catalogue is only looked at."""


def _refuse_unusable(name: str, after: Catalogue, context: QueryContext) -> None:
    """
    Refuse what would make `in segment "NAME"`, or a segment that uses it, too large to be asked.

    Each may be within the limits, and not with the others put in.
    """
    waiting, seen = [name], {key(name)}
    while waiting:
        one = waiting.pop()
        try:
            with_used(one, after, context.limits)
        except ExpansionError as error:
            raise UserError(error.reason, str(error), suggestions=error.suggestions) from None
        users = [user.name for user in after.dependants(one) if key(user.name) not in seen]
        seen.update(map(key, users))
        waiting += users


def _draft(
    name: str, query: Query, description: str, tags: tuple[str, ...], context: QueryContext
) -> Draft:
    segment: tree.Segment = tree_of(query, context.limits)
    source = query if isinstance(query, str) else None
    return Draft(name, segment, description, tags, source)


def _token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode()).decode()


def _after(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise UserError(
            Reason.INVALID_VALUE,
            "expected the next_page_token of an earlier answer, unchanged; found something else",
            field="page_token",
        ) from None
