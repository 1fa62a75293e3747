"""
Replaying: the commits of a log done once more, on a view of before them.

Commits are taken into one draft 200,000 records at a time: contacts that several of them touch are
moved once. The view is the same as if each had been done alone, only in other pieces. Who
follows commits is told of each, so those behind `follow_from` are done one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from headcount.index.view import Version, View
from headcount.live.commit import Commit
from headcount.live.draft import Draft
from headcount.model.changes import Changes
from headcount.model.errors import CorruptionError, UserError
from headcount.storage.log_segment import Entry

_AT_ONCE = 200_000  # records


def replayed(
    view: View,
    entries: Iterable[Entry],
    path: Path,
    *,
    follow_from: int | None = None,
    follower: Callable[[Commit], None] = lambda _: None,
    erased: Callable[[Sequence[str]], None] = lambda _: None,
) -> View:
    """
    Return *view* after the *entries* behind it, which came from the log at *path*.

    *follower* is told of every commit above *follow_from*; of none if it is None. *erased* is
    told the ids of contacts of which nothing may stay.

    Raises:
        CorruptionError: a commit is not what was written, or does not fit the view.
    """
    for group, alone in _grouped(entries, follow_from):
        draft = Draft(view)
        several = [_decoded(entry, path) for entry in group]
        draft.expect(several)
        for entry, changes in zip(group, several, strict=True):
            _take(draft, entry, changes, path)
        drafted = draft.finish(Version(view.version.epoch, group[-1].sequence))
        erased(drafted.erased)
        before, view = view, drafted.view
        if alone:
            at = group[-1].at
            follower(Commit(before, view, at, drafted.touched, drafted.erased))
    return view


def _grouped(
    entries: Iterable[Entry], follow_from: int | None
) -> Iterator[tuple[list[Entry], bool]]:
    """Yield commits that can be done together, and those that a follower is told of one by one."""
    group: list[Entry] = []
    records = 0
    for entry in entries:
        alone = follow_from is not None and entry.sequence > follow_from
        if group and (alone or records + entry.records > _AT_ONCE):
            yield group, False
            group, records = [], 0
        if alone:
            yield [entry], True
        else:
            group.append(entry)
            records += max(entry.records, 1)
    if group:
        yield group, False


def _decoded(entry: Entry, path: Path) -> Changes:
    try:
        return Changes.decode(entry.data)
    except (ValueError, KeyError) as error:
        raise _misfit(path, entry, str(error)) from error


def _take(draft: Draft, entry: Entry, changes: Changes, path: Path) -> None:
    try:
        _, refused = draft.take_all(changes, entry.at)
    except (ValueError, KeyError, UserError) as error:
        raise _misfit(path, entry, str(error)) from error
    if refused:
        raise _misfit(path, entry, refused[0].message)


def _misfit(path: Path, entry: Entry, what: str) -> CorruptionError:
    return CorruptionError(
        path,
        f"commit {entry.sequence} does not fit the data that it was made for: {what}; restore the"
        " whole data folder from a copy",
        part=f"commit {entry.sequence}",
    )
