"""
The record of a watch, for its history: who came and went, as far as that is kept.

    checkpoint: who was inside after transition N  ┐
    kept transitions, N and others among them      ┘→  how many were inside before the first of them

Contacts are told apart by their ordinals, since the ids of erased ones are gone. Those with whom a
watch was seeded were members when it began, and did not enter then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from headcount.index.view import Version
from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.model.schema import nearest
from headcount.segments.watch import checkpoint
from headcount.segments.watch.document import PRIVATE, Spec
from headcount.segments.watch.feed import Bookmark, Feed
from headcount.segments.watch.opening import Watch
from headcount.segments.watch.transitions import Kind
from headcount.segments.watch.transitions import Reason as Because
from headcount.storage.watches import Row, WatchStore

_ROWS = 10_000  # read at once
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Move:
    """A contact, by its ordinal, that entered or left at an instant (µs)."""

    contact: int
    kind: str
    at: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a watch: all that happened at `since` and until before `until` (µs)."""

    since: int
    until: int
    size: int
    rows: Sequence[Row]

    def transitions(self) -> Iterator[Move]:
        """Yield what happened, in order."""
        for row in self.rows:
            yield Move(row.ordinal, row.kind, row.at)


def stored(name: str, store: WatchStore) -> Kept:
    """
    Return what is kept of the watch called *name*, which nobody follows now.

    Raises:
        UserError: NOT_FOUND. CorruptionError: what is stored is damaged.
    """
    every = store.watches()
    found = next((one for one in every if one.name == name), None)
    if found is None:
        names = [one.name for one in every if not one.name.startswith(PRIVATE)]
        raise UserError(
            Reason.NOT_FOUND,
            f"there is no watch `{name}`",
            field="watch",
            suggestions=nearest(name, names),
        )
    try:
        spec = Spec.from_document(found.name, found.document)
    except (KeyError, TypeError, ValueError) as error:
        part = f"watch {found.id}"
        raise CorruptionError(store.path, f"no watch of ours: {error!r}", part=part) from error
    last, followed = store.progress(found.id), store.followed()
    instant = max(last.instant, followed.instant) if followed is not None else last.instant
    bookmark = Bookmark(last.number, Version(last.epoch, last.sequence), instant)
    return record(Watch(found.id, spec, Feed(store, found.id, bookmark), None), store)


def record(watch: Watch, store: WatchStore) -> Kept:
    """
    Return what is kept of a watch; reads and verifies all of it, about 4 µs a transition.

    Raises:
        CorruptionError: what is stored is damaged.
        UserError: it was dropped while it was read, three times over (CONFLICT).
    """
    for _ in range(_ATTEMPTS):
        found = _read(watch, store)
        if found is not None:
            return found
    raise UserError(
        Reason.CONFLICT, "the oldest transitions were dropped while they were read; try again"
    )


def _read(watch: Watch, store: WatchStore) -> Kept | None:
    """Return what is kept, None if some of it was dropped meanwhile."""
    bookmark = watch.feed.bookmark
    written = store.checkpoint(watch.id)
    rows = list(_rows(store, watch.id))
    if _has_gaps(rows, written.number) or (not rows and bookmark.number > written.number):
        return None
    try:
        inside = checkpoint.members(written.data)
    except ValueError as error:
        raise CorruptionError(
            store.path, str(error), part=f"the members of watch {watch.id}"
        ) from None
    size = inside - _net(row for row in rows if row.number <= written.number)
    rows = [row for row in rows if row.number <= bookmark.number]
    until = bookmark.instant + 1
    if (rows and rows[0].number == 1) or not bookmark.number:
        seeds = _seeds(watch, rows)
        first = min([watch.spec.created_at, until, *(row.at for row in rows[:1])])
        return Kept(first, until, size + seeds, rows[seeds:])
    if not rows:
        return Kept(until, until, size, ())
    since = rows[0].at + 1  # others at the same instant may be gone
    earlier = [row for row in rows if row.at < since]
    return Kept(since, until, size + _net(earlier), rows[len(earlier) :])


def _rows(store: WatchStore, watch: int) -> Iterator[Row]:
    after = -1
    while rows := store.rows(watch, after, _ROWS):
        yield from rows
        after = rows[-1].number


def _has_gaps(rows: Sequence[Row], checkpoint: int) -> bool:
    """Return whether some were dropped between *rows*, or between them and the checkpoint."""
    if not rows:
        return False
    if not rows[0].number - 1 <= checkpoint <= rows[-1].number:
        return True
    return any(other.number != one.number + 1 for one, other in pairwise(rows))


def _net(rows: Iterable[Row]) -> int:
    """Return by how many contacts *rows* change the size."""
    return sum(1 if row.kind == Kind.ENTER else -1 for row in rows)


def _seeds(watch: Watch, rows: Sequence[Row]) -> int:
    """Return how many of *rows*, the first ones, only say who was a member at the beginning."""
    count = 0
    if watch.spec.settings.seed:
        for row in rows:
            if row.kind != Kind.ENTER or row.reason != Because.DEFINITION or row.at != rows[0].at:
                break
            count += 1
    return count
