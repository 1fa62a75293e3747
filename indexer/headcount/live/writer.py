"""
The writer of a workspace: what many callers write, one after the other, on disk before it is seen.

    submit ─→ waiting ─→ draft ─→ log, one sync ─→ the next view ─→ followers ─→ answers
             (bounded)   └──── the committer's thread ────────────────────────────┘

One commit takes all that waits, up to a number of records: the more callers, the more of them share
a sync and a view. The next view is worked out before the log is written, so a commit that cannot be
applied never gets into the log; it is published after, so nobody sees what a power cut takes back.

Small blocks that commits leave behind are joined when nothing waits: the same version, in fewer
blocks.

A commit that fails while it is written has an unknown outcome. The writer is then dead: it answers
everything with that error and tells `on_failure`, whose business it is to end the process.

Compaction writes a view as the next generation while commits go on. What was committed meanwhile is
replayed on the compacted view, most of it beside the committer, the last of it instead of it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from headcount.index.interval import EVER
from headcount.index.view import Version, View
from headcount.index.workspace import open_view
from headcount.live import answer
from headcount.live.commit import Batch, Commit, Follower, Written
from headcount.live.courtesy import Courtesy, at_once
from headcount.live.draft import Draft
from headcount.live.group import Group, Waiting, only_deletes
from headcount.live.joint import step_to_join
from headcount.live.recent import is_untidy, tidied
from headcount.live.replay import replayed
from headcount.live.settings import WriterSettings
from headcount.live.stored import compact
from headcount.model.errors import CorruptionError, Reason, UnknownOutcomeError, UserError
from headcount.storage import files
from headcount.storage.folder import WriterLock, workspace_folder
from headcount.storage.log import CommitLog
from headcount.storage.log_segment import Entry

_LAST_ENTRIES = 4  # replayed while the committer waits
_SEVERAL = 3  # batches in a commit that say that many callers write one after the other
_SPARE = 8  # recent blocks that commits leave to be joined when nobody writes
_IDLE_SECONDS = 0.002  # after which nobody does
_MUCH = 100  # records of a commit that gives way to queries
_GATHER_SECONDS = 0.002  # that such callers are waited for: half of what a commit of theirs takes


class LiveWorkspace:
    """
    One workspace that is written to. Any thread may use it.

    `view` is the newest view; `last_commit` the instant (µs) of the newest commit in the
    log, which no later one is before.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        lock: WriterLock,
        log: CommitLog,
        stored: View,
        view: View,
        *,
        clock: Callable[[], int],
        settings: WriterSettings,
        on_failure: Callable[[Exception], None],
        at: int = EVER.low,
        erased: Iterable[str] = (),
        courtesy: Courtesy = Courtesy(),  # noqa: B008 - of nobody
    ) -> None:
        """Take *log* and a *view* that its commits lead to; see `open`."""
        self.name = name
        self.view = view
        self.last_commit = at
        self._erased = [(view.version.sequence, one) for one in erased]
        self._reached = at  # what is committed from now on is not before it
        self._folder = folder
        self._home = workspace_folder(folder, name)
        self._lock = lock
        self._log = log
        self._stored = stored
        self._clock = clock
        self._settings = settings
        self._on_failure = on_failure
        self._courtesy = courtesy
        self._followers: tuple[Follower, ...] = ()
        self._waiting: deque[Waiting] = deque()
        self._waiting_records = 0
        self._wanted = threading.Condition()  # guards what waits
        self._enough = 1  # batches that must wait for the committer to be woken
        self._closing = False
        self._failure: Exception | None = None
        self._committing = threading.Lock()  # held while the view is replaced
        self._compacting = threading.Lock()
        self._since: list[Entry] | None = None  # committed since a compaction began
        self._thread = threading.Thread(target=self._run, name=f"headcount-commit-{name}")
        self._thread.daemon = True

    @classmethod
    def open(
        cls,
        folder: Path,
        name: str,
        lock: WriterLock,
        *,
        clock: Callable[[], int],
        settings: WriterSettings = WriterSettings(),  # noqa: B008 - frozen
        space: Callable[[Path], files.Space] = files.space,
        on_failure: Callable[[Exception], None] = lambda _: None,
        follow_from: int | None = None,
        follower: Callable[[Commit], None] = lambda _: None,
        courtesy: Courtesy = Courtesy(),  # noqa: B008 - of nobody
    ) -> LiveWorkspace:
        """
        Open a workspace of a data folder for writing: its generation, then its log.

        *clock* gives µs since 1970; *space* the free space of the disk. *on_failure* is told of the
        error after which the process must end, in the committer's thread. While the log is read
        *follower* is told of the commits above *follow_from*, of none if it is None.

        Raises:
            UserError: there is no such workspace, or a newer Headcount wrote it.
            CorruptionError: a file is damaged; nothing is guessed around.
        """
        stored = open_view(folder, name)
        log = CommitLog(
            folder,
            name,
            lock,
            epoch=stored.version.epoch,
            after=stored.version.sequence,
            settings=settings.log,
            space=space,
        )
        try:
            last, erased = _Last(), list[str]()
            view = replayed(
                stored,
                last.noting(log.replay(stored.version.sequence)),
                workspace_folder(folder, name),
                follow_from=follow_from,
                follower=follower,
                erased=erased.extend,
            )
        except BaseException:
            log.close()
            raise
        workspace = cls(
            folder,
            name,
            lock,
            log,
            stored,
            view,
            clock=clock,
            settings=settings,
            on_failure=on_failure,
            at=last.at,
            erased=erased,
            courtesy=courtesy,
        )
        workspace._thread.start()
        return workspace

    @property
    def failure(self) -> Exception | None:
        """Return the error after which nothing is written any more, if there was one."""
        return self._failure

    def submit(self, batch: Batch) -> Future[Written]:
        """
        Return what will become of *batch*, once it is on disk and visible.

        The future raises UserError (nothing was written) or UnknownOutcomeError.

        Raises:
            UserError: OVERLOADED, as many records as may wait are waiting; CONFLICT, the workspace
                is closed.
            UnknownOutcomeError: the writer has failed.
        """
        waiting = Waiting(batch)
        with self._wanted:
            if self._failure is not None:
                raise self._failure
            if self._closing:
                raise _closed()
            room = self._settings.waiting_records - self._waiting_records
            if self._waiting and waiting.records > room:
                raise UserError(
                    Reason.OVERLOADED,
                    f"{self._waiting_records:,} records wait to be written already, of at most"
                    f" {self._settings.waiting_records:,}; send it again later",
                )
            self._waiting.append(waiting)
            self._waiting_records += waiting.records
            if len(self._waiting) >= self._enough:
                self._wanted.notify()
        return waiting.future

    def write(self, batch: Batch) -> Written:
        """Submit *batch* and wait for it; raises what the future does."""
        return self.submit(batch).result()

    def follow(self, follower: Follower) -> View:
        """
        Tell *follower* of every commit from now on, in the committer's thread; return the view.

        The first commit that it is told of is the one after this view.
        """
        with self._committing:
            self._followers = (*self._followers, follower)
            return self.view

    def unfollow(self, follower: Follower) -> None:
        """Tell *follower* of no more commits."""
        with self._committing:
            self._followers = tuple(one for one in self._followers if one is not follower)

    def instant(self) -> int:
        """
        Return now, an instant (µs) before which nothing more will be committed.

        Followers were told of all that was, so they know the workspace as it was then. Waits for a
        commit that is under way.
        """
        with self._committing:
            self._reached = max(self._clock(), self._reached)
            return self._reached

    def erased(self, version: Version | None = None) -> set[str]:
        """
        Return the ids of contacts that were erased by *version*, or by now, and not forgotten yet.

        After a restart too: they are known until `forget_erased`, or as long as the log has them.
        """
        with self._committing:
            last = (version or self.view.version).sequence
            return {one for sequence, one in self._erased if sequence <= last}

    def forget_erased(self, version: Version) -> None:
        """Forget who was erased by *version*: of them nothing is on the disk."""
        with self._committing:
            self._erased = [each for each in self._erased if each[0] > version.sequence]

    @property
    def is_compaction_due(self) -> bool:
        """Return whether so much has changed that a compaction pays."""
        view, settings = self.view, self._settings
        moved = sum(block.rows for block in view.recent_blocks)
        newer = sum(
            piece.size
            for block in view.blocks
            for pieces in block.newer.values()
            for piece in pieces
        )
        return (
            moved >= settings.recent_contacts
            or newer >= settings.newer_events
            or view.version.sequence - self._stored.version.sequence >= settings.log_commits
            or self._log.stats().bytes >= settings.log_bytes
        )

    def compact(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Version:
        """
        Write everything up to now as the next generation, and return the version that it holds.

        When it returns, no file of the workspace has a byte of what was erased before it began.
        Commits and readers go on meanwhile. *progress* is that of `stored.compact`.

        Raises:
            UserError: the disk is full, or the workspace is closed. CorruptionError: the disk
                failed. The old generation is live. UnknownOutcomeError: the writer has failed.
        """
        with self._compacting:
            with self._committing:
                if self._failure is not None:
                    raise self._failure
                if self._closing:
                    raise _closed()
                self._rotate()
                view, self._since = self.view, []
            try:
                stored = compact(self._folder, self.name, view, self._stored, self._lock, progress)
                for block in stored.blocks:
                    block.ids.prepare()  # or the next commit would have to
                self._swap(stored)
            finally:
                with self._committing:
                    self._since = None
            self._log.cut(stored.version.sequence)
            return stored.version

    def check_log(self) -> None:
        """
        Read the log again, every byte of it; 400 MB/s, and commits wait meanwhile.

        Raises:
            CorruptionError: it is damaged. UnknownOutcomeError: the writer has failed.
        """
        with self._compacting, self._committing:
            if self._failure is not None:
                raise self._failure
            self._log.check(self._stored.version.sequence)

    def close(self) -> None:
        """Write what waits, then stop; again is harmless."""
        with self._wanted:
            self._closing = True
            self._wanted.notify()
        if self._thread.is_alive():
            self._thread.join()
        with self._compacting:
            self._log.close()

    def __enter__(self) -> LiveWorkspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rotate(self) -> None:
        try:
            self._log.rotate(self._clock())
        except UnknownOutcomeError as error:
            self._fail(error)
            raise

    def _swap(self, stored: View) -> None:
        """Put a compacted view, brought up to date, in the place of the newest."""
        view, done = stored, 0
        while True:
            with self._committing:
                assert self._since is not None
                left = self._since[done:]
                if len(left) <= _LAST_ENTRIES:
                    view = replayed(view, left, self._home)
                    assert view.version == self.view.version
                    assert view.next_ordinal == self.view.next_ordinal
                    self.view, self._stored = view, stored
                    return
            view, done = replayed(view, left, self._home), done + len(left)

    def _run(self) -> None:
        """
        Commit what waits until it is closed.

        Callers that have just been answered are about to write again. They need the interpreter to
        do so, and whoever commits meanwhile takes it from them: with 16 of them a commit would get
        four. So where the last commit had several batches as many are waited for, a moment.
        """
        last = 0
        while True:
            untidy = self._failure is None and is_untidy(self.view)
            with self._wanted:
                if last >= _SEVERAL and len(self._waiting) < last and not self._closing:
                    self._enough = last
                    self._wanted.wait(_GATHER_SECONDS)
                    self._enough = 1
                while not self._waiting and not self._closing:
                    if not self._wanted.wait(_IDLE_SECONDS if untidy else None):
                        break
                if not self._waiting and self._closing:
                    return
                group = self._next_group()
            last = len(group)
            if group:
                self._settle(group)
            else:
                self._tidy()

    def _tidy(self) -> None:
        """Join the blocks that commits have spared."""
        try:
            with self._committing:
                self.view = tidied(self.view)
        except Exception as error:  # no commit is lost, but each would leave more blocks behind
            self._fail(error)

    def _next_group(self) -> list[Waiting]:
        """Take what is to be in one commit from what waits."""
        group: list[Waiting] = []
        records = 0
        while self._waiting and (
            not group or records + self._waiting[0].records <= self._settings.commit_records
        ):
            group.append(self._waiting.popleft())
            records += group[-1].records
        self._waiting_records -= records
        return group

    def _settle(self, group: Sequence[Waiting]) -> None:
        """
        Commit a group and answer it.

        Where a batch of several cannot be applied they are done one by one; where the disk is full,
        those that only delete are done without the others.
        """
        try:
            self._commit(group)
        except UnknownOutcomeError as error:
            self._fail(error)
            _refuse(group, error)
        except (UserError, CorruptionError) as error:  # nothing was written
            full = isinstance(error, UserError) and error.reason is Reason.DISK_FULL
            deleting = [one for one in group if full and only_deletes(one.batch.changes)]
            if len(deleting) == len(group):
                deleting = []
            _refuse([one for one in group if one not in deleting], error)
            if deleting:
                self._settle([one for one in deleting if not one.future.done()])
        except Exception as error:  # a bug of ours: nothing was written, others are not held up
            left = [waiting for waiting in group if not waiting.future.done()]
            if len(group) > 1:
                for waiting in left:
                    self._settle([waiting])
            else:
                _refuse(left, error)

    def _commit(self, batches: Sequence[Waiting]) -> None:
        """Do what *batches* ask for in one commit, and answer them."""
        again: list[tuple[Waiting, int]] = []
        with self._committing:
            if self._failure is not None:
                raise self._failure
            before, at = self.view, max(self._clock(), self._reached)
            give_way = self._courtesy.begin() if _records(batches) >= _MUCH else at_once
            give_way()
            draft, group = Draft(before, _SPARE, give_way), Group()
            numbers: dict[str, int] = {}
            if len(batches) > 1 or len(batches[0].batch.changes.steps) > 1:
                several = (waiting.batch.changes for waiting in batches)
                draft.expect(changes for changes in several if step_to_join(changes) is None)
            for waiting in batches:
                request = waiting.batch.request_id
                known = self._log.request(request) if request else None
                if known is not None:
                    waiting.future.set_result(answer.decode(known.answer))
                elif request in numbers:
                    again.append((waiting, numbers[request]))
                else:
                    try:
                        group.take(draft, waiting, at)
                    except UserError as error:
                        waiting.future.set_exception(error)
                        draft = group.taken_again(Draft(before, _SPARE, give_way), at)
                    else:
                        if request:
                            numbers[request] = len(group.waiting) - 1
            group.join(draft, at)
            written = self._log_and_publish(draft, group, at)
        answers = list(zip(group.waiting, written, strict=True))
        answers += [(waiting, replace(written[number], already=True)) for waiting, number in again]
        for waiting, given in answers:
            waiting.future.set_result(given)

    def _log_and_publish(self, draft: Draft, group: Group, at: int) -> list[Written]:
        """Make a draft the newest view, and return the answers to the batches in it."""
        before, changes = self.view, group.changes()
        if not changes.steps and not group.is_remembered():
            return group.answers(before.version, {})
        version = Version(before.version.epoch, before.version.sequence + 1)
        drafted = draft.finish(version)
        written = group.answers(version, drafted.repeated)
        requests = [
            (waiting.batch.request_id, answer.encode(given))
            for waiting, given in zip(group.waiting, written, strict=True)
            if waiting.batch.request_id
        ]
        data = changes.encode()
        erasure = bool(changes.steps) and only_deletes(changes)
        sequence = self._log.append(at, changes.records, data, requests, erasure=erasure)
        assert sequence == version.sequence, f"the log is at {sequence}, the view at {version}"
        if self._since is not None:
            self._since.append(Entry(sequence, at, changes.records, data))
        self.view, self.last_commit, self._reached = drafted.view, at, at
        self._erased += [(sequence, one) for one in drafted.erased]
        self._tell(Commit(before, drafted.view, at, drafted.touched, drafted.erased))
        return written

    def _tell(self, commit: Commit) -> None:
        for follower in self._followers:
            try:
                follower(commit)
            except Exception as error:  # the commit stands; what follows from it would be wrong
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Write nothing any more, and say so."""
        with self._wanted:
            if self._failure is not None:
                return
            self._failure = error
            left, self._waiting = self._waiting, deque()
            self._waiting_records = 0
        _refuse(left, error)
        self._on_failure(error)


def _records(batches: Iterable[Waiting]) -> int:
    return sum(waiting.records for waiting in batches)


def _refuse(group: Iterable[Waiting], error: Exception) -> None:
    """Answer those of a group that have no answer yet."""
    for waiting in group:
        if not waiting.future.done():
            waiting.future.set_exception(error)


class _Last:
    """The instant of the newest commit that was read."""

    def __init__(self) -> None:
        self.at = EVER.low

    def noting(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield *entries*, and note when they were."""
        for entry in entries:
            self.at = entry.at
            yield entry


def _closed() -> UserError:
    return UserError(Reason.CONFLICT, "the workspace is closed; open it again")
