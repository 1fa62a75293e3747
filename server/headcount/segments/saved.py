"""
Saved segments: definitions under a name, never members.

A `Catalogue` is all saved segments of a workspace at one moment, and never changes. Each operation
checks, has the new rows stored, and only then returns the next catalogue, so that what is answered
from memory is on the disk:

    catalogue --create--> new rows --commit (durable)--> next catalogue

Names may hold any characters. They are compared as text is, without regard to case. Segments that
use others (`in segment "vip"`) hold their names, so renaming one rewrites those that use it, in the
same commit. No segment names one that does not exist, and none is made from itself: both are
refused when saving.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from headcount.model.errors import CorruptionError, Position, Reason, UserError
from headcount.model.fold import key
from headcount.model.schema import nearest
from headcount.query.dependencies import CircularError, in_order, shown
from headcount.query.place import spelled
from headcount.query.saved import memberships
from headcount.query.tree import Segment
from headcount.segments.definition import Definition, Draft, checked, renamed
from headcount.storage.definitions import Definitions

MAX_SEGMENTS = 10_000  # in one workspace

_LOOKED_AT = 200  # segments that words lead to, beside those that are wanted
_NAMED = 5  # dependants that a message names; the others are counted

Commit = Callable[[Mapping[str, str]], None]  # stores these rows durably, and no others; or raises


@dataclass(frozen=True, slots=True)
class Page:
    """Some definitions by name, and the key behind which the next page starts; None at the end."""

    definitions: tuple[Definition, ...]
    next: str | None


class Catalogue:
    """
    All saved segments of a workspace at one moment. `revision` counts the changes up to it.

    Safe to share between threads. Changing one costs time in proportion to all.
    """

    def __init__(self, definitions: Mapping[str, Definition], revision: int) -> None:
        self._definitions = definitions  # by key
        self.revision = revision

    @classmethod
    def load(cls, stored: Definitions) -> Catalogue:
        """
        Return the catalogue of what is stored; 0.3 ms a segment, most of it for parsing.

        Raises:
            CorruptionError: a row is not one that was written here.
        """
        definitions: dict[str, Definition] = {}
        for name, document in stored.documents.items():
            try:
                found = Definition.from_document(name, document)
            except (KeyError, TypeError, ValueError, UserError) as error:
                raise _not_ours(stored, name, repr(error)) from error
            if key(name) in definitions:
                raise _not_ours(stored, name, "two names differ only in case")
            definitions[key(name)] = found
        catalogue = cls(definitions, stored.revision)
        try:
            order = in_order(catalogue._uses)
        except CircularError as circle:
            raise _not_ours(stored, circle.path[0], f"made from itself: {circle}") from circle
        for name in order:
            if name not in definitions:
                user = catalogue._users(name)[0]
                raise _not_ours(stored, user.name, f"it uses {name!r}, which is not there")
        return catalogue

    def __len__(self) -> int:
        return len(self._definitions)

    def __iter__(self) -> Iterator[Definition]:
        """Yield the definitions by name."""
        return (self._definitions[one] for one in self._sorted)

    # --- questions ----------------------------------------------------------------------------

    def find(self, name: str) -> Definition | None:
        """Return the segment called *name*, in any case, or None."""
        return self._definitions.get(key(name))

    def get(self, name: str) -> Definition:
        """
        Return the segment called *name*, in any case.

        Raises:
            UserError: NOT_FOUND, with the nearest names.
        """
        found = self.find(name)
        if found is None:
            raise UserError(
                Reason.NOT_FOUND,
                f"there is no saved segment `{name}`",
                suggestions=self.near(name),
            )
        return found

    def near(self, name: str) -> tuple[str, ...]:
        """Return the names that may have been meant by *name*."""
        return nearest(name, (one.name for one in self._definitions.values()))

    def alike(self, text: str, most: int) -> tuple[Definition, ...]:
        """
        Return up to *most* segments, those whose texts share most words with *text*; all if few.

        Looked at are those with exactly these words, then those that share the rarest ones, a few
        hundred in all: 1 ms.
        """
        if len(self) <= most:
            return tuple(self)
        words = _words(text)
        enough = 4 * most + _LOOKED_AT
        looked_at = dict.fromkeys(self._by_words.get(words, ())[:enough])
        users = sorted((self._by_word[word] for word in words if word in self._by_word), key=len)
        for keys in users:
            looked_at |= dict.fromkeys(keys[: max(0, enough - len(looked_at))])

        def unlike(at: str) -> tuple[float, str]:
            others = _words(self._definitions[at].text)
            return -len(words & others) / len(words | others), at

        return tuple(self._definitions[at] for at in sorted(looked_at, key=unlike)[:most])

    @cached_property
    def _by_word(self) -> Mapping[str, list[str]]:
        """The keys of the segments that each word occurs in."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for at in self._sorted:
            for word in _words(self._definitions[at].text):
                found[word].append(at)
        return found

    @cached_property
    def _by_words(self) -> Mapping[frozenset[str], list[str]]:
        """The keys of the segments that have exactly these words."""
        found: defaultdict[frozenset[str], list[str]] = defaultdict(list)
        for at in self._sorted:
            found[_words(self._definitions[at].text)].append(at)
        return found

    def page(self, size: int, after: str = "", tag: str | None = None) -> Page:
        """
        Return up to *size* segments by name, from the one behind the key *after* on.

        With *tag*, only those that have it, in any case. `Page.next` is the next *after*.
        """
        wanted = None if tag is None else key(tag)
        found: list[Definition] = []
        last = after
        for at in self._sorted[bisect_right(self._sorted, after) :]:
            one = self._definitions[at]
            if wanted is not None and wanted not in map(key, one.tags):
                continue
            if len(found) == size:
                return Page(tuple(found), last)
            found.append(one)
            last = at
        return Page(tuple(found), None)

    def dependants(self, name: str) -> tuple[Definition, ...]:
        """Return the segments that use *name* directly, by name."""
        return self._users(key(name))

    def needed(self, segment: Segment) -> tuple[Definition, ...]:
        """
        Return every saved segment that *segment* is made from, each after those it uses itself.

        Raises:
            UserError: UNKNOWN_NAME, when it names one that does not exist. The error has no place;
                `memberships` yields the nodes that do.
        """
        self._refuse_unknown(segment, None)
        uses: dict[str, tuple[str, ...]] = {}
        todo = [key(node.name) for node in memberships(segment)]
        while todo:
            at = todo.pop()
            if at not in uses:
                uses[at] = self._definitions[at].uses
                todo += uses[at]
        return tuple(self._definitions[at] for at in in_order(uses))

    # --- changes ------------------------------------------------------------------------------

    def create(self, draft: Draft, now: int, commit: Commit) -> Catalogue:
        """
        Save *draft* at the instant *now* (µs since 1970 UTC), and return the next catalogue.

        Raises:
            UserError: ALREADY_EXISTS; INVALID_VALUE, for a name, description or tag, and for a
                segment made from itself; UNKNOWN_NAME, of a segment that it uses; LIMIT_EXCEEDED.
            What *commit* raises; nothing is changed then.
        """
        draft = checked(draft)
        taken = self.find(draft.name)
        if taken is not None:
            raise UserError(
                Reason.ALREADY_EXISTS,
                f"there is a saved segment `{taken.name}` already; change that one, or choose"
                " another name",
                field="name",
            )
        if len(self) >= MAX_SEGMENTS:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"this workspace has {len(self):,} saved segments, and may have no more; delete"
                " some that are not used",
            )
        return self._saved(draft, self._definitions, now, now, commit)

    def update(
        self, name: str, draft: Draft, now: int, commit: Commit, etag: str | None = None
    ) -> Catalogue:
        """
        Put *draft* in the place of the segment called *name*, and return the next catalogue.

        With another name the segment is renamed, in those that use it too. A draft that changes
        nothing is not saved. With *etag*, the segment must still have that one.

        Raises:
            UserError: NOT_FOUND; CONFLICT, when the segment was changed since *etag*; and as for
                `create`.
            What *commit* raises; nothing is changed then.
        """
        before = self.get(name)
        _refuse_stale(before, etag)
        draft = checked(draft)
        taken = self.find(draft.name)
        if taken is not None and taken is not before:
            raise UserError(
                Reason.ALREADY_EXISTS,
                f"`{before.name}` cannot be called `{draft.name}`: there is a saved segment"
                f" `{taken.name}`",
                field="name",
            )
        if before.says(draft):
            return self
        others = {at: one for at, one in self._definitions.items() if one is not before}
        if key(draft.name) != key(before.name):
            draft = replace(draft, segment=renamed(draft.segment, before.name, draft.name))
            for user in self.dependants(before.name):
                if user is not before:
                    segment = renamed(user.segment, before.name, draft.name)
                    changed = replace(user.draft(), segment=segment)
                    others[key(user.name)] = Definition.of(
                        changed, self.revision + 1, user.created_at, now
                    )
        return self._saved(draft, others, before.created_at, now, commit)

    def delete(self, name: str, commit: Commit, etag: str | None = None) -> Catalogue:
        """
        Remove the segment called *name*, and return the next catalogue.

        Raises:
            UserError: NOT_FOUND; CONFLICT, when other segments use it, or it was changed since
                *etag*.
            What *commit* raises; nothing is changed then.
        """
        before = self.get(name)
        _refuse_stale(before, etag)
        users = self.dependants(name)
        if users:
            raise UserError(
                Reason.CONFLICT,
                f"`{before.name}` is used by {_listed([user.name for user in users])}; change or"
                " delete what uses it first",
            )
        return self._committed(
            {at: one for at, one in self._definitions.items() if one is not before}, commit
        )

    # --- parts --------------------------------------------------------------------------------

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._definitions)

    @cached_property
    def _uses(self) -> dict[str, tuple[str, ...]]:
        return {at: one.uses for at, one in self._definitions.items()}

    def _users(self, at: str) -> tuple[Definition, ...]:
        return tuple(one for one in self if at in one.uses)

    def _saved(
        self,
        draft: Draft,
        others: Mapping[str, Definition],
        created_at: int,
        now: int,
        commit: Commit,
    ) -> Catalogue:
        """Return the catalogue of *others* and *draft*, once it is stored."""
        at = key(draft.name)
        saved = Definition.of(draft, self.revision + 1, created_at, now)
        known = Catalogue({**others, at: saved}, self.revision)
        known._refuse_unknown(draft.segment, draft.source)
        try:
            in_order({at: known._uses[at], **known._uses})
        except CircularError as circle:
            names = [known._definitions[one].name for one in circle.path]
            raise UserError(
                Reason.INVALID_VALUE, f"a segment cannot be made from itself: {shown(names)}"
            ) from None
        return self._committed(known._definitions, commit)

    def _refuse_unknown(self, segment: Segment, source: str | None) -> None:
        for node in memberships(segment):
            if key(node.name) not in self._definitions:
                place = None
                if source is not None and node.span is not None:
                    place = Position.at(source, node.span.start, node.span.end)
                raise UserError(
                    Reason.UNKNOWN_NAME,
                    f"unknown segment `{node.name}`",
                    position=place,
                    field=None if node.place is None else spelled(node.place.path),
                    suggestions=self.near(node.name),
                )

    def _committed(self, definitions: Mapping[str, Definition], commit: Commit) -> Catalogue:
        commit({one.name: one.to_document() for one in definitions.values()})
        return Catalogue(definitions, self.revision + 1)


def _refuse_stale(found: Definition, etag: str | None) -> None:
    if etag is not None and etag != found.etag:
        raise UserError(
            Reason.CONFLICT,
            f"`{found.name}` was changed since it was read: its etag is `{found.etag}`, not"
            f" `{etag}`; read it again and repeat the change on what it is now",
            field="etag",
        )


def _listed(names: Collection[str]) -> str:
    first = [f"`{name}`" for name in list(names)[:_NAMED]]
    if len(names) > _NAMED:
        first.append(f"{len(names) - _NAMED} more")
    return " and ".join((", ".join(first[:-1]), first[-1]) if len(first) > 1 else first)


def _not_ours(stored: Definitions, name: str, what: str) -> CorruptionError:
    return CorruptionError(
        stored.path,
        f"its checksums are right but a saved segment is not one that could be saved ({what}):"
        " written by something other than Headcount; restore the file from a copy",
        part=f"definition {name!r}",
    )


@lru_cache(maxsize=2 * MAX_SEGMENTS)
def _words(text: str) -> frozenset[str]:
    """Return the words and numbers of a segment's text, in lower case."""
    return frozenset(re.findall(r"\w+", text.casefold()))
