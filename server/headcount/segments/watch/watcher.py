"""
The watcher of a workspace: it follows what is written, what time brings, and what is defined anew.

    committer's thread ─ follow ─→ commits (bounded) ─┐
    clock ────────────────────────────────────────────┼─ step ─→ watches.db, one sync ─→ feeds
    saved segments ───────────────────────────────────┘  └ the watcher's thread ┘

One step takes all that waits, applies it to every watch, lets time go by up to an instant before
which nothing more will be written, stores what happened in one transaction, and only then shows it
to readers. What is shared by watches is worked out once: those whom a batch touched are extracted
once, what several segments ask of them is asked once (`truths`), the edges that time moves are
waited for together (`schedule`), and a watch whose segment mentions nothing that a batch changed
does nothing. A batch of 1,000 events costs 1,000 watches of ten kinds 80 ms of CPU, half of it for
the 1,600 transitions it brings; a look at the clock 5 ms.

The committer never waits for the watcher. If more than a number of batches wait, they are taken as
one: what a contact did and undid in them is not seen, as within a batch, and what happens is said
of the last of them. The stream stays a true one, with fewer steps.

After a crash each watch goes on from what was stored with its last transition. Batches that the log
still holds are followed one by one; if the data are ahead (the log was cut behind a generation),
the difference is taken as one batch. Ordinals of another epoch (a restored copy) are of others:
the watch then begins anew, and tokens from before are refused as too old.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from headcount.index.view import View
from headcount.model.errors import Reason, UserError
from headcount.model.schema import nearest
from headcount.query.limits import DEFAULT, Limits
from headcount.query.results import OFF, Results
from headcount.query.saved import NOTHING_SAVED, Saved
from headcount.segments.watch import checkpoint, token
from headcount.segments.watch.binding import check, course_of
from headcount.segments.watch.commit import Commit, Extracted, Touched, as_one
from headcount.segments.watch.document import PRIVATE, Spec, check_name, check_settings
from headcount.segments.watch.feed import Bookmark, Feed, kept
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.mentions import changed
from headcount.segments.watch.opening import Opening, Watch, uses_saved
from headcount.segments.watch.schedule import Schedule
from headcount.segments.watch.transitions import Reason as Because
from headcount.segments.watch.transitions import Transition
from headcount.segments.watch.truths import Shared
from headcount.storage.watches import Checkpoint, Progress, Row, Step, WatchStore

_SWEEP_US = 60_000_000  # so often watches that nobody reads are looked for
_WRITE_US = 5_000_000  # so often it is noted how far all are, though nothing happened


@dataclass(frozen=True, slots=True)
class WatcherSettings:
    """
    How much is kept, and how often time is looked at.

    Transitions are kept if they are among the newest `history` of their watch and younger than
    `history_age` µs. A checkpoint is written after `checkpoint_transitions`. More than
    `waiting_commits` batches are taken as one. A watch that was made for a stream goes when nobody
    has read it for `linger` µs.
    """

    watches: int = 2_000
    history: int = 1_000_000
    history_age: int = 30 * 86_400 * 1_000_000
    checkpoint_transitions: int = 10_000
    waiting_commits: int = 256
    tick_seconds: float = 0.2
    linger: int = 86_400 * 1_000_000


class Watcher:
    """All watches of one workspace. `follow` is for the committer; any thread may call the rest."""

    def __init__(
        self,
        workspace: str,
        store: WatchStore,
        *,
        now: Callable[[], int],
        saved: Callable[[], Saved] = lambda: NOTHING_SAVED,
        current: Callable[[], View] | None = None,
        on_failure: Callable[[Exception], None] = lambda _: None,
        settings: WatcherSettings = WatcherSettings(),
        limits: Limits = DEFAULT,
        results: Results = OFF,
    ) -> None:
        """
        Read which watches there are; `begin` or the first commit puts them to work.

        *now* returns an instant (µs) before which nothing more will be written, all that was being
        followed already. *saved* is what is saved now, *current* the newest view, which may lie
        otherwise than the one that a commit led to. *on_failure* is told of the error after which
        nothing is followed any more.
        """
        self.workspace = workspace
        self.store = store
        self._now = now
        self._current = current
        self._on_failure = on_failure
        self._saved_now = saved
        self._saved = saved()
        self._settings = settings
        self._limits = limits
        self._results = results
        self._view: View | None = None
        self._stepping = threading.RLock()  # held while watches change
        self._waiting: deque[Commit] = deque()
        self._wanted = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._watches: dict[str, Watch] = {}
        self._schedule = Schedule()
        self._shared = Shared()
        self._followed = store.followed()
        self._written_at = 0 if self._followed is None else self._followed.instant
        self._stored = store.watches()
        self._swept = 0
        self._erased: list[str] = []  # since what happened was last written

    # --- following ----------------------------------------------------------------------------

    @property
    def follow_from(self) -> int | None:
        """Return the sequence behind which commits are to be followed; None if none is."""
        return self._followed.sequence if self._followed and self._stored else None

    def follow(self, commit: Commit) -> None:
        """
        Note a commit, to be worked on later; costs nothing.

        Without watches it waits for the next tick: whoever wrote waits for the interpreter now.
        """
        with self._wanted:
            self._waiting.append(commit)
            if len(self._waiting) > self._settings.waiting_commits:
                merged = as_one(list(self._waiting))
                self._waiting.clear()
                self._waiting.append(merged)
            if self._watches:
                self._wanted.notify()

    def replay(self, commit: Commit) -> None:
        """Follow a commit at once: those that the log holds, while the workspace is opened."""
        with self._stepping:
            if self._view is None:
                self._load(commit.before)
            self._commit(commit)
            self._write(commit.at)

    def begin(self, view: View) -> None:
        """Put all watches to work on the newest *view*, before the first commit behind it."""
        with self._stepping:
            if self._view is None:
                self._load(view)
            now = self._now()
            for watch in self._watches.values():
                watch.read_at = now  # whoever read it before may come back

    def start(self) -> None:
        """Follow in a thread of its own from now on, until `close`."""
        self._thread = threading.Thread(
            target=self._run, name=f"headcount-watch-{self.workspace}", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """
        Write down how far all are, and stop; again is harmless.

        Batches that wait are not followed any more: the log has them, and they are followed when
        the workspace is opened again. So stopping takes as long as one batch does. On a full disk
        nothing is written down: it is followed once more then.
        """
        with self._wanted:
            self._closing = True
            self._wanted.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._stepping:
            try:
                if self._view is not None and self._followed is not None:
                    self._write(self._followed.instant)
                    self._checkpoint_all()
            except UserError:  # the disk is full, which keeps nobody from stopping
                pass
            finally:
                self._view = None
                self.store.close()

    def end(self, error: UserError) -> None:
        """Let the readers of all watches fail with *error*: the workspace is no more."""
        for watch in list(self._watches.values()):
            watch.feed.end(error)

    def step(self) -> int:
        """Follow all that waits and let time go by; return how many transitions that brought."""
        with self._stepping:
            assert self._view is not None, "not begun"
            now = self._now()  # before the commits are taken: what is written later is later
            with self._wanted:
                commits = list(self._waiting)
                self._waiting.clear()
            for place, commit in enumerate(commits):
                if self._closing:
                    return self._hand_over(commits[:place])
                self._commit(commit)
            self._redefine(now)
            self._look_at_layout()
            self._advance(now)
            if now - self._swept > _SWEEP_US:
                self._swept = now
                self.drop_unread(now)
            return self._write(max([now, *(commit.at for commit in commits)]))

    def _hand_over(self, done: Sequence[Commit]) -> int:
        """Store what the batches *done* brought; the rest is followed by who comes after."""
        assert self._followed is not None
        return self._write(max([self._followed.instant, *(commit.at for commit in done)]))

    def _run(self) -> None:
        while True:
            with self._wanted:
                if not self._waiting and not self._closing:
                    self._wanted.wait(self._settings.tick_seconds)
                if self._closing:
                    return
            try:
                self.step()
            except UserError:  # the disk is full: what happened is kept, and written next time
                continue
            except Exception as error:  # whatever it is, no stream may go on as if all were well
                self._fail(error)
                return

    def _fail(self, error: Exception) -> None:
        for watch in self._watches.values():
            watch.feed.end(error)
        self._on_failure(error)

    def _at_work(self) -> list[Watch]:
        return [watch for watch in self._watches.values() if watch.membership is not None]

    def _work(self, watch: Watch, work: Callable[[Membership], list[Transition]]) -> None:
        """Let a watch do something; one that cannot be bound any more is at fault."""
        assert watch.membership is not None
        try:
            watch.pending += work(watch.membership)
        except UserError as error:
            self._stop(watch, error)

    def _look_at_layout(self) -> None:
        """Let go of a view that was compacted since: the same data, in other blocks."""
        view = None if self._current is None else self._current()
        assert self._view is not None
        if view is not None and view is not self._view and view.version == self._view.version:
            self._view = view
            for watch in self._at_work():
                assert watch.membership is not None
                watch.membership.moves_to(view)

    def _commit(self, commit: Commit) -> None:
        """Apply a batch to every watch."""
        view = self._view
        assert view is not None
        if commit.after.version.sequence <= view.version.sequence:
            return  # followed already
        self._view = commit.after
        self._erased += commit.erased
        if commit.after.schema is not view.schema:
            self._rebuild(list(self._watches.values()), commit.at, Because.DATA)
            return
        self._advance(commit.at, view)
        names = changed(commit)
        busy, formulas = [], []
        for watch in self._at_work():
            membership = watch.membership
            assert membership is not None
            formulas.append(membership.formula)
            if names is not None and not names & membership.mentions:
                membership.moves_to(commit.after)
            else:
                busy.append((watch, membership))
        touched = Touched(commit, self._shared.of(formulas))
        for _, membership in busy:
            membership.expect(touched)
        for watch, _ in busy:
            self._work(watch, lambda one: one.commit(touched))

    def _advance(self, to: int, view: View | None = None) -> None:
        """Let time go by until *to* for all, at *view*, the newest unless it is given."""
        watches = [(watch, watch.membership) for watch in self._at_work()]
        seen = self._view if view is None else view
        assert seen is not None
        after = max((one.instant for _, one in watches if one is not None), default=to)
        waits = [one.waits for _, one in watches if one is not None]
        found = self._schedule.met(waits, seen, after, to) if after < to else {}
        met = []
        for place, (watch, one) in enumerate(watches):
            assert one is not None
            if one.instant == after < to and not waits[place].rest and one.is_even_until(to):
                mine = found.get(place)
                if mine is None:
                    watch.pending += one.skip(to)
                    continue
            else:
                mine = None
            foreseen = one.foresee(to, mine)
            if foreseen is not None and len(foreseen.ordinals):
                met.append(foreseen.ordinals)
        shared = Extracted(seen, np.unique(np.concatenate(met))) if met else None
        for watch, one in watches:
            assert one is not None
            if one.instant < to:
                self._work(watch, lambda one: one.advance(to, shared))

    def _redefine(self, at: int) -> None:
        """Take in what was saved since."""
        saved = self._saved_now()
        if saved is not self._saved:
            self._saved = saved
            users = [watch for watch in self._watches.values() if watch.uses_saved]
            self._rebuild(users, at, Because.DEFINITION)

    def _rebuild(self, watches: Iterable[Watch], at: int, because: Because) -> None:
        """Bind watches anew; one that cannot be is at fault until it can."""
        assert self._view is not None
        for watch in watches:
            try:
                definition = watch.spec.definition(self._limits)
                course = course_of(definition, self._view, self._saved)
                if watch.membership is None:
                    watch.membership = self._opening().membership(watch.id, watch.spec, self._view)
                watch.pending += watch.membership.redefine(course, at, because, self._view)
                watch.fault = None
                watch.feed.mend()
            except UserError as error:
                self._stop(watch, error)

    def _stop(self, watch: Watch, error: UserError) -> None:
        """Let a watch rest that cannot go on."""
        if watch.membership is not None:
            self._write(watch.membership.instant)
            state = watch.membership.state
            self.store.write(
                self._progress(state.instant),
                [_step(watch, [], Checkpoint(state.number, checkpoint.encode(state)))],
            )
            watch.membership = None
        watch.fault = error
        watch.feed.end(error)

    # --- writing ------------------------------------------------------------------------------

    def _progress(self, instant: int) -> Progress:
        assert self._view is not None
        version = self._view.version
        return Progress(version.epoch, version.sequence, instant, 0)

    def _write(self, instant: int) -> int:
        """Store what happened, then show it; return how much did."""
        steps, told = [], []
        for watch in self._at_work():
            if watch.pending:
                rows = [kept(one) for one in watch.pending]
                watch.since_checkpoint += len(rows)
                due = watch.since_checkpoint >= self._settings.checkpoint_transitions
                steps.append(_step(watch, rows, _checkpoint(watch) if due else None))
                told.append((watch, due))
        followed = self._progress(instant)
        if steps or (self._watches and instant - self._written_at > _WRITE_US):
            self.store.write(followed, steps)
            self._written_at = instant
        self._followed = followed
        count = 0
        for watch, due in told:
            count += len(watch.pending)
            if due:
                watch.since_checkpoint = 0
                self._prune(watch, instant)
        for watch in self._at_work():
            pending, watch.pending = watch.pending, []
            watch.feed.publish(pending, _bookmark(watch))
        # Who reads along has been told whom to forget; on the disk nobody is named any more.
        erased, self._erased = self._erased, []
        self.store.erase(erased)
        return count

    def _checkpoint_all(self) -> None:
        """Write where every watch is."""
        assert self._followed is not None
        watches = self._at_work()
        steps = [_step(watch, [], _checkpoint(watch)) for watch in watches]
        instant = self._followed.instant
        self.store.write(self._progress(instant), steps)
        for watch in watches:
            watch.since_checkpoint = 0
            self._prune(watch, instant)

    def _prune(self, watch: Watch, instant: int) -> None:
        """Let go of what is older than is kept, as far as the newest checkpoint does without."""
        since = instant - self._settings.history_age
        self.store.prune(watch.id, self._settings.history, since)

    def checkpoint(self) -> None:
        """Write down where every watch is: before the log is cut, so that nothing is missed."""
        with self._stepping:
            if self._view is not None and not self._closing:
                self.step()
                self._checkpoint_all()
                self.store.settle()

    # --- opening ------------------------------------------------------------------------------

    def _load(self, view: View) -> None:
        """Put every stored watch to work on *view*."""
        self._view = view
        followed = self._followed
        self._watches = {}
        for stored in self._stored:
            watch = self._opening().watch(stored, view)
            self._watches[watch.spec.name] = watch
        instant = self._now() if followed is None else followed.instant
        self._write(instant)

    def _opening(self) -> Opening:
        return Opening(self.store, self._saved, self._limits, self._results, self._followed)

    # --- watches ------------------------------------------------------------------------------

    def create(self, spec: Spec) -> Watch:
        """
        Add a watch, at work from now on.

        Raises:
            UserError: its segment, zone, settings or name are not valid; ALREADY_EXISTS;
                LIMIT_EXCEEDED, when there are as many as may be.
        """
        if not spec.is_private:
            check_name(spec.name)
        check_settings(spec.settings)
        with self._stepping:
            assert self._view is not None, "not begun"
            if spec.name in self._watches:
                raise UserError(
                    Reason.ALREADY_EXISTS, f"there is a watch `{spec.name}` already", field="name"
                )
            self._refuse_many()
            unwritten = any(watch.pending for watch in self._watches.values())
            stale = self._followed is None or self._saved is not self._saved_now()
            if self._waiting or unwritten or stale:
                self.step()  # what the caller wrote or saved before is known
            assert self._followed is not None
            at = self._followed.instant
            definition = spec.definition(self._limits)
            check(definition, self._view, self._saved, at)
            course = course_of(definition, self._view, self._saved)
            made, seeds = Membership.begin(self._view, course, spec.settings, at, self._results)
            state, version = made.state, made.version
            progress = Progress(version.epoch, version.sequence, at, state.number)
            rows = [kept(one) for one in seeds]
            id_ = self.store.create(
                spec.name, spec.to_document(), progress, rows, checkpoint.encode(state)
            )
            feed = Feed(self.store, id_, Bookmark(state.number, version, at))
            uses = uses_saved(spec, self._limits)
            watch = Watch(id_, spec, feed, made, uses_saved=uses, read_at=at)
            self._watches[spec.name] = watch
            return watch

    def _refuse_many(self) -> None:
        if len(self._watches) >= self._settings.watches:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"this workspace has {len(self._watches):,} watches, as many as may be; delete one",
            )

    def get(self, name: str) -> Watch:
        """
        Return the watch called *name*.

        Raises:
            UserError: NOT_FOUND, with the nearest names.
        """
        found = self._watches.get(name)
        if found is None:
            names = [one.spec.name for one in self.watches()]
            raise UserError(
                Reason.NOT_FOUND,
                f"there is no watch `{name}`",
                field="name",
                suggestions=nearest(name, names),
            )
        return found

    def watches(self) -> list[Watch]:
        """Return the watches that have a name, by name."""
        found = [watch for watch in list(self._watches.values()) if not watch.spec.is_private]
        return sorted(found, key=lambda watch: watch.spec.name)

    def delete(self, name: str) -> None:
        """
        Remove a watch; its readers end with NOT_FOUND.

        Raises:
            UserError: NOT_FOUND.
        """
        with self._stepping:
            watch = self.get(name)
            self.store.delete(watch.id)
            del self._watches[name]
            watch.feed.end(UserError(Reason.NOT_FOUND, "this watch was deleted", field="name"))

    def private(self, spec: Spec) -> Watch:
        """
        Return the watch of a stream of a segment that nobody named, made now if there is none.

        Streams of the same segment, zone and settings share one.
        """
        settings = spec.settings
        said = (spec.text, spec.zone, str(settings.seed), settings.reentry, str(settings.pause))
        name = PRIVATE + PRIVATE.join(said)
        with self._stepping:
            found = self._watches.get(name)
            if found is not None:
                return found
            named = Spec(name, spec.text, spec.zone, settings, spec.created_at)
            return self.create(named)

    def drop_unread(self, now: int) -> None:
        """Remove the watches made for streams that nobody has read for long."""
        with self._stepping:
            for name, watch in list(self._watches.items()):
                idle = now - watch.read_at > self._settings.linger
                if watch.spec.is_private and not watch.readers and idle:
                    self.delete(name)

    # --- tokens -------------------------------------------------------------------------------

    def token(self, watch: Watch, number: int) -> str:
        """Return the token behind a transition of a watch."""
        return token.encode(self.workspace, watch.spec.name, watch.spec.created_at, number)

    def resume(self, watch: Watch, given: str) -> int:
        """
        Return the number that a stream goes on behind.

        Raises:
            UserError: it is no token of this watch; TOO_OLD, with the oldest one that would do.
        """
        spec = watch.spec
        number = token.decode(given, self.workspace, spec.name, spec.created_at)
        newest, oldest = watch.feed.bookmark.number, watch.feed.oldest
        if number > newest:
            raise UserError(
                Reason.STALE_READ,
                f"this watch is at transition {newest}, and the token is of {number}: data were"
                " lost, or the token is from another copy of them",
                field="token",
            )
        if number < oldest - 1:
            raise UserError(
                Reason.TOO_OLD,
                f"transitions up to {oldest - 1} are not kept any more, and the token is of"
                f" {number}: ask for the members, then go on with the suggested token",
                field="token",
                suggestions=(self.token(watch, oldest - 1),),
            )
        return number


def _bookmark(watch: Watch) -> Bookmark:
    assert watch.membership is not None
    state = watch.membership
    return Bookmark(state.number, state.version, state.instant)


def _checkpoint(watch: Watch) -> Checkpoint:
    assert watch.membership is not None
    state = watch.membership.state
    return Checkpoint(state.number, checkpoint.encode(state))


def _step(watch: Watch, rows: Sequence[Row], found: Checkpoint | None) -> Step:
    assert watch.membership is not None
    state = watch.membership
    version = state.version
    progress = Progress(version.epoch, version.sequence, state.instant, state.number)
    return Step(watch.id, progress, rows, found)
