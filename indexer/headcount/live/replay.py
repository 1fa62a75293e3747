"""
Replaying: the commits of a log done once more, on a view of before them.

Commits are taken into one draft some ten thousand records at a time: contacts that several of them
touch are moved once. The view is the same as if each had been done alone, only in other pieces. Who
follows commits is told of each, so those behind `follow_from` are done one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from headcount.index.view import Version, View
from headcount.live.commit import Commit
from headcount.live.draft import Draft, Drafted
from headcount.model.changes import Changes
from headcount.model.errors import CorruptionError, UserError
from headcount.storage.log_segment import Entry

_AT_ONCE = 20_000  # records


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
    draft, last, records = Draft(view), view.version.sequence, 0

    def finished() -> Drafted:
        drafted = draft.finish(Version(view.version.epoch, last))
        erased(drafted.erased)
        return drafted

    for entry in entries:
        alone = follow_from is not None and entry.sequence > follow_from
        if records and (alone or records + entry.records > _AT_ONCE):
            view = finished().view
            draft, records = Draft(view), 0
        _take(draft, entry, path)
        last, records = entry.sequence, records + max(entry.records, 1)
        if alone:
            drafted = finished()
            commit = Commit(view, drafted.view, entry.at, drafted.touched, drafted.erased)
            view, draft, records = drafted.view, Draft(drafted.view), 0
            follower(commit)
    return finished().view if records else view


def _take(draft: Draft, entry: Entry, path: Path) -> None:
    try:
        _, refused = draft.take_all(Changes.decode(entry.data), entry.at)
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
