"""
The commit log of a workspace: every acknowledged commit that the live generation does not hold.

    workspaces/<name>/
    ├── log-000000000042.db       closed: commits 42 to 99
    ├── log-000000000100.db       the one that is appended to
    └── log.mark                  the newest acknowledged commit (log_mark.py)

It knows bytes: what a commit means is its writer's business. A commit is one row and one sync, and
holds what many callers waited for (group commit); the answers to their request ids are in the same
transaction, so a request that is sent again after a crash finds its answer or took no effect.

A snapshot rotates the log: the next segment begins, and takes along the answers that are not too
old. Once the generation is durable, the segments that it covers are removed. Deleting rows from one
file instead was rejected: it does not shrink the file, and erasure would have to wait for a VACUUM.

A hand-written log file was rejected too: measured on a full disk, a short write without an error
made it acknowledge a torn record.

    error of `append`       what happened                    what to do
    UserError               nothing, the file is untouched   answer the caller, go on
    UnknownOutcomeError     it may be on the disk or not     take no more writes, exit, recover

Between two processes the writer's lock of the folder decides; a log is opened by whoever holds it.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from headcount.model.errors import (
    CorruptionError,
    Reason,
    UnknownOutcomeError,
    UserError,
)
from headcount.storage import files, log_segment
from headcount.storage.folder import WriterLock, check_name, workspace_folder
from headcount.storage.log_mark import Mark, MarkFile, mark_path, read_mark
from headcount.storage.log_segment import (
    NO_CHAIN,
    RESTORE,
    WAL,
    Answer,
    Entry,
    RequestRow,
    Segment,
    request_key,
)

MAX_BYTES = 256 << 20  # of one commit; SQLite's own limit is 1e9

_NAME = re.compile(r"log-(\d{12})\.db", re.ASCII)
_KEPT = "the commits are in the generation as well; remove the file by hand, or with the next start"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """
    Below either of the two measures of free space no writes are accepted; 0 turns one off. Those
    that erase are, down to `erasure_bytes`: a commit for which there is no room ends the process.

    Answers to requests are remembered for the newest `requests` of them, none older than
    `request_age` in µs.
    """

    min_free_bytes: int = 256 << 20
    min_free_share: float = 0.05
    erasure_bytes: int = 8 << 20
    requests: int = 100_000
    request_age: int = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class LogStats:
    """The commits `first` to `last` that a log holds (none when `last < first`), and its size."""

    first: int
    last: int
    segments: int
    bytes: int
    requests: int


@dataclass(frozen=True, slots=True)
class _Closed:
    """A segment that is not appended to any more."""

    path: Path
    first: int
    last: int


def segment_path(folder: Path, workspace: str, first: int) -> Path:
    """Return the file of the segment that begins with commit *first*."""
    return workspace_folder(folder, workspace) / f"log-{first:012d}.db"


def log_files(folder: Path, workspace: str) -> tuple[Path, ...]:
    """Return every file of a workspace's log, the mark and SQLite's own included."""
    home = workspace_folder(folder, workspace)
    mark = mark_path(folder, workspace).name
    return tuple(
        home / name for name in files.names(home) if name.startswith(mark) or _NAME.match(name)
    )


def needs_replay(folder: Path, workspace: str, after: int) -> bool:
    """
    Return whether there may be commits above *after*, the version of a generation.

    For who opens a workspace without writing to it. Touches no segment and takes no lock, so it is
    allowed while another process writes. Then, and after a kill, the answer is True: only opening
    the log, with the writer's lock, tells what is in it.
    """
    names = [p.name for p in log_files(folder, workspace)]
    if not any(_NAME.fullmatch(name) for name in names):
        return False
    mark = read_mark(folder, workspace)
    return mark is None or mark.sequence > after or any(name.endswith(WAL) for name in names)


class CommitLog:
    """
    The log of one workspace, open for writing, until closed.

    For one thread, but for `cut` and `stats`. After an `UnknownOutcomeError` only `close` and the
    read-only properties make sense.
    """

    def __init__(
        self,
        folder: Path,
        workspace: str,
        lock: WriterLock,
        *,
        epoch: int,
        after: int,
        settings: LogSettings = LogSettings(),
        space: Callable[[Path], files.Space] = files.space,
    ) -> None:
        """
        Open the log behind a generation that is at version *after* of *epoch*, or begin one.

        Finds all segments, checks that they join each other, the generation and the mark, and that
        the answers to requests are whole; commits are verified by `replay`. Segments that the
        generation covers are removed.

        Raises:
            CorruptionError: something is missing, damaged or from another copy.
            UserError: NOT_FOUND, when the workspace has no folder; UNSUPPORTED, when a newer
                Headcount wrote a file; DISK_FULL, when the disk is full.
        """
        assert lock.held, "the lock was closed"
        assert lock.folder == folder, f"the lock is for {lock.folder}"
        self._folder, self._workspace = folder, check_name(workspace)
        self._home = workspace_folder(folder, workspace)
        self._settings, self._space = settings, space
        self.epoch = epoch
        self._failure: str | None = None
        self._guard = threading.Lock()  # of _closed
        self._closed: list[_Closed] = []
        self._answers: OrderedDict[bytes, tuple[int, int]] = OrderedDict()  # key -> number, at
        firsts = self._tidy()
        self._mark = MarkFile(mark_path(folder, workspace))
        try:
            self._active = self._open(firsts, after)
        except BaseException:
            self._mark.close()
            raise
        try:
            self._mark.start(Mark(epoch, self.last, self._active.chain))
            self._remember()
            self.cut(after)
        except BaseException:
            self._active.abandon()
            self._mark.close()
            raise

    def _tidy(self) -> list[int]:
        """Return the first commit of each segment, ascending; remove what was never finished."""
        names = files.names(self._home)
        if not names:
            raise UserError(
                Reason.NOT_FOUND,
                f"{self._home} holds nothing; load data into this workspace first",
            )
        for name in names:
            unfinished = files.TEMPORARY in name
            orphan = name.endswith(WAL) and name.removesuffix(WAL) not in names
            if name.startswith("log") and (unfinished or orphan):
                files.remove(self._home / name)
        return sorted(int(m[1]) for name in names if (m := _NAME.fullmatch(name)))

    def _path(self, first: int) -> Path:
        return segment_path(self._folder, self._workspace, first)

    def _open(self, firsts: list[int], after: int) -> Segment:
        """Return the segment to append to, with all that was found checked against each other."""
        mark = self._mark.found
        if mark is not None and mark.epoch != self.epoch:
            raise self._mixed(self._mark.path, mark.epoch)
        if not firsts:
            if mark is not None and mark.sequence > after:
                raise self._lost(self._path(after + 1), after, mark.sequence)
            return self._begin(after + 1, NO_CHAIN)
        covered = [a for a, b in itertools.pairwise(firsts) if b <= after + 1]
        firsts = firsts[len(covered) :]
        if firsts[0] > after + 1:
            raise CorruptionError(
                self._path(firsts[0]),
                f"the generation is at commit {after}, and the log begins with {firsts[0]}: a "
                "segment in front of it is missing, or files of different copies are mixed; "
                f"{RESTORE}",
            )
        before: Segment | None = None
        try:
            for first in firsts:
                segment = Segment(self._path(first))
                try:
                    self._check(segment, before)
                except BaseException:
                    segment.abandon()
                    raise
                if before is not None:
                    self._closed.append(_Closed(before.path, before.first, before.last))
                    before.close()
                before = segment
            assert before is not None
            self._check_mark(mark, before, after)
            before.settle()
            if before.last < after:  # another writer made the generation: it holds all of these
                new = self._begin(after + 1, NO_CHAIN, before.request_rows(0))
                before = self._retire(before, new)
        except BaseException:
            if before is not None:
                before.abandon()
            raise
        begins = firsts[0]
        for first in reversed(covered):
            self._closed.insert(0, _Closed(self._path(first), first, begins - 1))
            begins = first
        return before

    def _check(self, segment: Segment, before: Segment | None) -> None:
        """Raise unless *segment* is of this log and continues *before*."""
        if segment.epoch != self.epoch:
            raise self._mixed(segment.path, segment.epoch)
        if segment.path != self._path(segment.first):
            raise CorruptionError(
                segment.path, f"it begins with commit {segment.first}: renamed; {RESTORE}"
            )
        if before is None:
            return
        if before.last != segment.first - 1:
            raise CorruptionError(
                before.path,
                f"it ends with commit {before.last}, and the next segment begins with "
                f"{segment.first}: one between them is missing, or the end was lost; {RESTORE}",
            )
        if before.chain != segment.before:
            raise CorruptionError(
                segment.path,
                f"it does not continue {before.path.name}: files of different copies are mixed; "
                f"{RESTORE}",
            )

    def _check_mark(self, mark: Mark | None, active: Segment, after: int) -> None:
        """Raise when the log ends before what was acknowledged, or is another one."""
        if mark is None:
            return
        if mark.sequence > max(active.last, after):
            raise self._lost(active.path, active.last, mark.sequence)
        if active.first - 1 <= mark.sequence <= active.last and (
            active.chain_at(mark.sequence) != mark.chain
        ):
            raise CorruptionError(
                active.path,
                f"its commit {mark.sequence} is not the one that {self._mark.path.name} knows: "
                f"files of different copies are mixed; {RESTORE}",
                part=f"commit {mark.sequence}",
            )

    def _lost(self, path: Path, last: int, known: int) -> CorruptionError:
        return CorruptionError(
            path,
            f"the log ends with commit {last}, and {self._mark.path.name} knows that commits up to "
            f"{known} were acknowledged: the end was lost, which a damaged write-ahead log looks "
            f"like; restore the data folder from a copy, or remove {self._mark.path.name} to go on "
            f"without commits {last + 1} to {known}",
            part=f"commit {last + 1}",
        )

    def _mixed(self, path: Path, epoch: int) -> CorruptionError:
        return CorruptionError(
            path,
            f"it is of epoch {epoch}, and the generation of {self.epoch}: files of different "
            f"copies are mixed; {RESTORE}",
        )

    def _begin(self, first: int, chain: bytes, carried: Sequence[RequestRow] = ()) -> Segment:
        """Return a new segment, open, its name durable."""
        log_segment.create(self._path(first), self.epoch, first, chain, carried)
        return self._begun(first)

    def _begun(self, first: int) -> Segment:
        """Return the segment that was just created, open, its name durable."""
        files.sync_folder(self._home)
        return Segment(self._path(first))

    def _retire(self, old: Segment, segment: Segment) -> Segment:
        """Close *old*, and return *segment*, which takes its place."""
        try:
            old.close()
        except BaseException:
            segment.abandon()
            raise
        with self._guard:
            self._closed.append(_Closed(old.path, old.first, segment.first - 1))
        return segment

    def _remember(self) -> None:
        """Learn the keys of the requests whose answers the active segment holds."""
        self._answers.clear()
        for number, found in self._active.answers():
            self._answers[found.request] = number, found.at

    @property
    def first(self) -> int:
        """The sequence of the oldest commit held; above `last` when there is none."""
        with self._guard:
            return self._closed[0].first if self._closed else self._active.first

    @property
    def last(self) -> int:
        """The sequence of the newest commit; the generation's version when there is none."""
        return self._active.last

    @property
    def failed(self) -> bool:
        """Whether a commit had an unknown outcome, after which nothing is accepted."""
        return self._failure is not None

    def append(
        self,
        at: int,
        records: int,
        data: bytes,
        requests: Sequence[tuple[str, bytes]] = (),
        *,
        erasure: bool = False,
    ) -> int:
        """
        Write a commit of *records* at *at* (µs since 1970, UTC), and return its sequence.

        When it returns, the commit is on the disk, and with it the answer to each id in *requests*,
        which must be new ones. *erasure* lets it through where the disk is nearly full, because it
        will free space, but not where it is full. Costs one sync, and every 1,000 pages a
        checkpoint of 4 to 6 ms.

        Raises:
            UserError: DISK_FULL or LIMIT_EXCEEDED; nothing happened, the next one may succeed.
            UnknownOutcomeError: this one may be there or not; the log is of no more use.
        """
        self._refuse_failed()
        if len(data) > MAX_BYTES:
            raise UserError(
                Reason.LIMIT_EXCEEDED,
                f"expected at most {MAX_BYTES:,} bytes in one commit, found {len(data):,}; write "
                "fewer records at once",
            )
        self._refuse_full(len(data), erasure=erasure)
        keyed = [(request_key(request_id), answer) for request_id, answer in requests]
        assert not any(key in self._answers for key, _ in keyed), "a known id"
        first = self._active.requests + 1
        try:
            sequence = self._active.append(at, records, data, keyed)
            self._mark.write(Mark(self.epoch, sequence, self._active.chain))
        except BaseException as error:
            raise self._fail(f"commit {self.last + 1}", error) from error
        for number, (key, _) in enumerate(keyed, first):
            self._answers[key] = number, at
        while len(self._answers) > self._settings.requests:
            self._answers.popitem(last=False)
        return sequence

    def _refuse_failed(self) -> None:
        if self._failure is not None:
            raise UnknownOutcomeError(
                self._active.path, f"no more commits are accepted: {self._failure}"
            )

    def _refuse_full(self, size: int, *, erasure: bool) -> None:
        found, settings = self._space(self._home), self._settings
        least = max(settings.min_free_bytes, int(found.total * settings.min_free_share))
        if erasure:  # in the write-ahead log, and in the file once it is brought there
            room = settings.erasure_bytes + 2 * size if settings.erasure_bytes else 0
            least = min(least, room)
        if found.free < least:
            left = "reading goes on" if erasure else "reading and erasing go on"
            raise UserError(
                Reason.DISK_FULL,
                f"expected {least:,} bytes of free disk, found {found.free:,}; nothing was "
                f"written. Free space and try again; {left}",
            )

    def _fail(self, what: str, error: BaseException) -> UnknownOutcomeError:
        """Accept nothing from now on, and return what to raise."""
        self._failure = (
            f"{what} failed ({error}), and whether it is on the disk only a restart will show; "
            "end this process and start it again, with the cause mended"
        )
        # Not settled: what failed to be synced must not be written anywhere by this process.
        self._active.abandon()
        return UnknownOutcomeError(self._active.path, self._failure)

    def replay(self, after: int) -> Iterator[Entry]:
        """
        Yield the commits above *after* in order, each verified, over all segments.

        *after* is not less than that of the generation; nothing may be appended meanwhile.

        Raises:
            CorruptionError: one is damaged or missing; names the file and the commit.
        """
        assert after + 1 >= self.first, f"the commits behind {after} were cut"
        with self._guard:
            closed = [old for old in self._closed if old.last > after]
        for old in closed:
            segment = Segment(old.path, immutable=True)
            try:
                yield from segment.entries(after)
            finally:
                segment.abandon()
        yield from self._active.entries(after)

    def check(self, after: int) -> None:
        """
        Read all again: the commits above *after*, and the answers; nothing may be appended.

        Raises:
            CorruptionError: as for `replay`, or an answer is damaged.
        """
        self._active.forget()
        for _ in self.replay(after):
            pass
        for _ in self._active.answers():
            pass

    def request(self, request_id: str) -> Answer | None:
        """Return what a request was answered, None when it was not seen or is forgotten."""
        found = self._answers.get(request_key(request_id))
        return None if found is None else self._active.answer(found[0])

    def rotate(self, at: int) -> None:
        """
        Begin a new segment, so that a generation at `last` covers all others.

        *at* is now, in µs since 1970: answers older than `request_age` before it are left behind.
        Does nothing when the active segment is empty.

        Raises:
            UserError, CorruptionError: it was not begun; the log goes on with the old one.
            UnknownOutcomeError: as for `append`.
        """
        self._refuse_failed()
        old = self._active
        if old.last < old.first:
            return
        oldest = at - self._settings.request_age
        kept = [number for number, made in self._answers.values() if made >= oldest]
        left = min(kept, default=old.requests + 1) - 1  # times rise, so these are the first ones
        first = old.last + 1
        rows = old.request_rows(left)
        log_segment.create(self._path(first), self.epoch, first, old.chain, rows)
        try:
            self._active = self._retire(old, self._begun(first))
        except BaseException as error:
            raise self._fail(f"the change to {self._path(first).name}", error) from error
        known = self._answers.items()
        self._answers = OrderedDict(
            (key, (number - left, made)) for key, (number, made) in known if number > left
        )

    def cut(self, sequence: int) -> int:
        """
        Remove the segments that a durable generation at *sequence* covers; return how many.

        Any thread may call it. After an error the log goes on.
        """
        with self._guard:
            covered = [old for old in self._closed if old.last <= sequence]
            for old in covered:
                log_segment.remove(old.path, _KEPT)
                self._closed.remove(old)
        if covered:
            files.sync_folder(self._home, _KEPT)
        return len(covered)

    def stats(self) -> LogStats:
        """Return what the log holds; for any thread."""
        active = self._active
        with self._guard:
            closed = list(self._closed)
        return LogStats(
            first=self.first,
            last=active.last,
            segments=len(closed) + 1,
            bytes=sum(map(log_segment.size, (*(old.path for old in closed), active.path))),
            requests=len(self._answers),
        )

    def close(self) -> None:
        """Let go of the log, settled unless it failed; again is harmless."""
        try:
            if self._failure is None:
                self._failure = "the log is closed"
                self._active.close()
                self._mark.sync()
        finally:
            self._active.abandon()
            self._mark.close()

    def __enter__(self) -> CommitLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
