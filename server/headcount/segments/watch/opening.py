"""
Opening watches: from what is stored to a watch at work, over the view that the data are at now.

    checkpoint + transitions behind it  →  who was inside  →  compared with the segment's answer now

The last step finds who belongs without being let in, and brings nothing to tell, unless the data
are ahead of what was followed: then the difference is one batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from headcount.index.view import Version, View
from headcount.model.errors import CorruptionError, UserError
from headcount.query.engine import tree_of
from headcount.query.limits import Limits
from headcount.query.results import Results
from headcount.query.saved import Saved, memberships
from headcount.segments.watch import checkpoint
from headcount.segments.watch.binding import course_of
from headcount.segments.watch.document import Spec
from headcount.segments.watch.feed import Bookmark, Feed
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Reason, Transition
from headcount.storage.watches import Progress, Row, StoredWatch, WatchStore

_ROWS = 10_000  # read at once


@dataclass(eq=False, slots=True)
class Watch:
    """
    One watch at work; `fault` says why it is not, until a schema or definition mends that.

    `pending` happened and is not written yet; `readers` read it, or last did at `read_at`.
    """

    id: int
    spec: Spec
    feed: Feed
    membership: Membership | None
    fault: UserError | None = None
    uses_saved: bool = False
    since_checkpoint: int = 0
    read_at: int = 0
    readers: int = 0
    pending: list[Transition] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening a watch needs; `followed` is up to where all were."""

    store: WatchStore
    saved: Saved
    limits: Limits
    results: Results
    followed: Progress | None

    def watch(self, stored: StoredWatch, view: View) -> Watch:
        """
        Return a stored watch at work on *view*, or at fault.

        Raises:
            CorruptionError: what is stored of it is damaged.
        """
        try:
            spec = Spec.from_document(stored.name, stored.document)
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptionError(
                self.store.path, f"no watch of ours: {error!r}", part=f"watch {stored.id}"
            ) from error
        last = self.store.progress(stored.id)
        bookmark = Bookmark(last.number, Version(last.epoch, last.sequence), last.instant)
        feed = Feed(self.store, stored.id, bookmark)
        watch = Watch(stored.id, spec, feed, None, read_at=last.instant)
        try:
            watch.uses_saved = uses_saved(spec, self.limits)
            watch.membership = self.membership(stored.id, spec, view)
            watch.pending += watch.membership.catch_up(Reason.DATA)
        except UserError as error:
            watch.membership, watch.fault = None, error
            feed.end(error)
        return watch

    def membership(self, watch: int, spec: Spec, view: View) -> Membership:
        """
        Return a stored watch as it was, over *view*.

        Raises:
            UserError: its segment cannot be bound any more.
            CorruptionError: what is stored of it is damaged.
        """
        last = self.store.progress(watch)
        instant = max(last.instant, 0 if self.followed is None else self.followed.instant)
        if last.epoch != view.version.epoch:
            return self._renewed(watch, spec, view, last, instant)
        course = course_of(spec.definition(self.limits), view, self.saved)
        found = self.store.checkpoint(watch)
        rows: list[Row] = []
        while more := self.store.rows(watch, rows[-1].number if rows else found.number, _ROWS):
            rows += more
        progress = Progress(last.epoch, last.sequence, instant, last.number)
        try:
            state = checkpoint.decode(found, rows, progress, spec.settings)
        except ValueError as error:
            raise CorruptionError(self.store.path, str(error), part=f"watch {watch}") from error
        if state.number != last.number:
            raise CorruptionError(
                self.store.path,
                f"expected transitions up to {last.number}, found up to {state.number}",
                part=f"watch {watch}",
            )
        return Membership(view, course, spec.settings, state, self.results)

    def _renewed(
        self, watch: int, spec: Spec, view: View, last: Progress, instant: int
    ) -> Membership:
        """Return a watch over data of another epoch; one number is left out, so tokens are old."""
        course = course_of(spec.definition(self.limits), view, self.saved)
        made, _ = Membership.begin(view, course, spec.settings, instant, self.results, seed=False)
        made.skip_to(last.number + 1)
        version = view.version
        progress = Progress(version.epoch, version.sequence, instant, last.number + 1)
        self.store.renew(watch, progress, checkpoint.encode(made.state))
        return made


def uses_saved(spec: Spec, limits: Limits) -> bool:
    """Return whether a watch's segment names saved ones."""
    return any(True for _ in memberships(tree_of(spec.text, limits)))
