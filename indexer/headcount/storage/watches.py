"""
Watches of a workspace: their definitions, how far each is, and what happened to their members.

    workspaces/<name>/watches.db
        watches       one row a watch: its name, its document, and what it does not say of others
        progress      the commit and the instant up to which it was followed, its last number;
                      in the row of watch 0 up to where all were followed, nothing happening
        checkpoints   who was a member at some number, as bytes
        transitions   who entered and left since, by number; kept for a time
        dead          deliveries that were given up

Everything that one step of following brings is written in one transaction and synced, so a reader
is only told of what survives a power cut, and a watch goes on where its transitions end. Storage
knows rows and bytes; what they mean is `headcount.segments.watch`.

One connection, in exclusive mode, guarded by a lock: any thread may call. Rows carry CRC-32.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import apsw

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import files
from headcount.storage.checksums import meta_sum
from headcount.storage.folder import WriterLock, check_name, workspace_folder
from headcount.storage.manifest import FORMAT, refuse_newer

FILE = "watches.db"
APPLICATION = 0x48435754  # "HCWT", SQLite's application_id

SCHEMA = """
CREATE TABLE watches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
    crc32 INTEGER NOT NULL) STRICT;
CREATE TABLE progress (
    watch INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
    instant INTEGER NOT NULL, number INTEGER NOT NULL, delivered INTEGER NOT NULL) STRICT;
CREATE TABLE checkpoints (
    watch INTEGER PRIMARY KEY, number INTEGER NOT NULL, data BLOB NOT NULL,
    crc32 INTEGER NOT NULL) STRICT;
CREATE TABLE transitions (
    watch INTEGER NOT NULL, number INTEGER NOT NULL, ordinal INTEGER NOT NULL,
    contact TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
    epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, crc32 INTEGER NOT NULL,
    PRIMARY KEY (watch, number)) STRICT, WITHOUT ROWID;
CREATE TABLE dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT, watch INTEGER NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, attempts INTEGER NOT NULL, at INTEGER NOT NULL,
    error TEXT NOT NULL) STRICT;
"""

_CHECKPOINT_PAGES = 1000
_IDS = 500  # in one statement
_RESTORE = "restore the file from a copy; removing it removes all watches and what they kept"


@dataclass(frozen=True, slots=True)
class StoredWatch:
    """A watch: its number, never used twice, the name it is called by, and its document."""

    id: int
    name: str
    document: str


@dataclass(frozen=True, slots=True)
class Progress:
    """
    Up to where a watch was followed: a version and an instant, and its last transition.

    `delivered` is the last one that its endpoint took, of those that have one.
    """

    epoch: int
    sequence: int
    instant: int
    number: int
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One transition; `contact` is empty once the contact was erased."""

    number: int
    ordinal: int
    contact: str
    kind: str
    reason: str
    at: int
    epoch: int
    sequence: int

    def crc32(self, watch: int) -> int:
        """Return the sum of the row in a watch."""
        text = (
            f"{watch}\0{self.number}\0{self.ordinal}\0{self.contact}\0{self.kind}\0{self.reason}"
            f"\0{self.at}\0{self.epoch}\0{self.sequence}"
        )
        return zlib.crc32(text.encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Who was a member after transition `number`, as the watch wrote it."""

    number: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """What following brought to one watch: where it is now, and what happened."""

    watch: int
    progress: Progress
    rows: Sequence[Row] = ()
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Transitions `first` to `last` of a watch, given up after so many attempts at an instant."""

    id: int
    watch: int
    first: int
    last: int
    attempts: int
    at: int
    error: str


def watches_path(folder: Path, workspace: str) -> Path:
    """Return the file with the watches of a workspace."""
    return workspace_folder(folder, workspace) / FILE


class WatchStore:
    """The watches of one workspace, open for writing until closed. Any thread may use it."""

    def __init__(self, folder: Path, workspace: str, lock: WriterLock) -> None:
        """
        Open the file, or make it.

        Raises:
            CorruptionError: it is damaged. UserError: a newer Headcount wrote it, the disk is full.
        """
        assert lock.held, "the lock was closed"
        self.path = watches_path(folder, check_name(workspace))
        self._guard = threading.RLock()
        # What an earlier process failed to sync can be read but may never reach the disk.
        files.write_again(self.path.with_name(FILE + "-wal"))
        with self._explained():
            self._database = apsw.Connection(str(self.path))
            self._database.execute(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES};"
            ).fetchall()
            application = self._database.pragma("application_id")
            version = self._database.pragma("user_version")
        if not application and not version:
            with self._changing():
                self._database.execute(
                    f"{SCHEMA} PRAGMA application_id = {APPLICATION};"
                    f"PRAGMA user_version = {FORMAT};"
                )
            files.sync_folder(self.path.parent)
        elif application != APPLICATION:
            raise CorruptionError(self.path, f"it does not hold watches; {_RESTORE}")
        else:
            refuse_newer(self.path, int(version))

    def copy_to(self, path: Path) -> None:
        """
        Write all of it, as it is now, as the new file *path*, durably.

        Raises:
            UserError: the disk is full. CorruptionError: it failed.
        """
        with self._guard, self._explained():
            self._database.execute("VACUUM INTO ?", (str(path),)).fetchall()
        descriptor = files.open_to_write(path)
        try:
            files.sync(path, descriptor)
        finally:
            files.close(descriptor)
        files.sync_folder(path.parent)

    # --- watches ------------------------------------------------------------------------------

    def watches(self) -> list[StoredWatch]:
        """Return every watch, by number."""
        found = self._rows("SELECT id, name, document, crc32 FROM watches ORDER BY id")
        for id_, name, document, crc32 in found:
            if meta_sum(name, document) != crc32:
                raise self._damaged(f"watch {id_}")
        return [StoredWatch(id_, name, document) for id_, name, document, _ in found]

    def create(
        self, name: str, document: str, progress: Progress, rows: Sequence[Row], data: bytes
    ) -> int:
        """
        Add a watch with its first members and transitions, and return its number.

        All others must have been followed up to its *progress*, with nothing left to be written.
        """
        with self._changing():
            self._execute(
                "INSERT INTO watches (name, document, crc32) VALUES (?, ?, ?)",
                (name, document, meta_sum(name, document)),
            )
            watch = int(self._database.last_insert_rowid())
            checkpoint = Checkpoint(progress.number, data)
            self._write(
                Step(watch, progress, rows, checkpoint), Step(0, replace(progress, number=0))
            )
        self.settle()
        return watch

    def delete(self, watch: int) -> None:
        """Remove a watch and all that was kept of it."""
        with self._changing():
            self._execute("DELETE FROM watches WHERE id = ?", (watch,))
            for table in ("progress", "checkpoints", "transitions", "dead"):
                self._execute(f"DELETE FROM {table} WHERE watch = ?", (watch,))
        self.settle()

    def settle(self) -> None:
        """
        Bring everything from the write-ahead log into the file, durably.

        SQLite takes a write-ahead log with a flipped bit for one that ends before it, and says
        nothing. What following brought is then brought once more, by the same commits. So this must
        be done before those are cut, and after what no commit brings: a watch that is made.
        """
        with self._guard, self._explained():
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def check(self) -> None:
        """
        Read all again, every row verified.

        Raises:
            CorruptionError: the file is damaged, or what it holds does not fit together.
        """
        with self._guard:
            found = self._rows("PRAGMA integrity_check")
            if found != [("ok",)]:
                raise self._damaged(str(found[0][0]))
            for watch in self.watches():
                number, at = self.progress(watch.id).number, self.checkpoint(watch.id).number
                rows = self.rows(watch.id, 0, -1)
                numbers = [row.number for row in rows]
                first = number - len(rows) + 1
                if numbers != list(range(first, number + 1)) or not first - 1 <= at <= number:
                    raise self._damaged(f"the numbers of watch {watch.id}")

    # --- following ----------------------------------------------------------------------------

    def progress(self, watch: int) -> Progress:
        """Return how far a watch is by what happened to it."""
        rows = self._rows(
            "SELECT epoch, sequence, instant, number, delivered FROM progress WHERE watch = ?",
            (watch,),
        )
        if not rows:
            raise self._damaged(f"the progress of watch {watch}")
        return Progress(*rows[0])

    def followed(self) -> Progress | None:
        """Return how far all watches are; None if nothing was ever followed."""
        rows = self._rows(
            "SELECT epoch, sequence, instant, number, delivered FROM progress WHERE watch = 0"
        )
        return Progress(*rows[0]) if rows else None

    def checkpoint(self, watch: int) -> Checkpoint:
        """Return who was a member at some number."""
        rows = self._rows("SELECT number, data, crc32 FROM checkpoints WHERE watch = ?", (watch,))
        if not rows or zlib.crc32(rows[0][1]) != rows[0][2]:
            raise self._damaged(f"the members of watch {watch}")
        return Checkpoint(rows[0][0], rows[0][1])

    def write(self, followed: Progress, steps: Sequence[Step]) -> None:
        """
        Write what following brought, all of it or nothing; synced when it returns.

        All watches were followed up to *followed*; those without a step had nothing happen.
        """
        with self._changing():
            self._write(Step(0, followed), *steps)

    def _write(self, *steps: Step) -> None:
        self._database.executemany(
            "INSERT INTO progress VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (watch) DO UPDATE SET"
            " epoch = excluded.epoch, sequence = excluded.sequence, instant = excluded.instant,"
            " number = excluded.number",
            (
                (step.watch, done.epoch, done.sequence, done.instant, done.number, done.delivered)
                for step in steps
                for done in (step.progress,)
            ),
        )
        self._database.executemany(
            "INSERT INTO transitions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (step.watch, r.number, r.ordinal, r.contact, r.kind, r.reason, r.at, r.epoch,
                 r.sequence, r.crc32(step.watch))
                for step in steps
                for r in step.rows
            ),
        )  # fmt: skip
        self._database.executemany(
            "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?)",
            (
                (step.watch, held.number, held.data, zlib.crc32(held.data))
                for step in steps
                for held in (step.checkpoint,)
                if held is not None
            ),
        )

    def renew(self, watch: int, progress: Progress, data: bytes) -> None:
        """Let a watch begin anew: drop its transitions, and take other members."""
        with self._changing():
            self._execute("DELETE FROM transitions WHERE watch = ?", (watch,))
            self._write(Step(watch, progress, (), Checkpoint(progress.number, data)))
        self.settle()

    # --- reading ------------------------------------------------------------------------------

    def rows(self, watch: int, after: int, limit: int) -> list[Row]:
        """Return up to *limit* transitions with numbers above *after*, in order, each verified."""
        found = self._rows(
            "SELECT number, ordinal, contact, kind, reason, at, epoch, sequence, crc32"
            " FROM transitions WHERE watch = ? AND number > ? ORDER BY number LIMIT ?",
            (watch, after, limit),
        )
        rows = []
        for *values, crc32 in found:
            row = Row(*values)
            if row.crc32(watch) != crc32:
                raise self._damaged(f"transition {row.number} of watch {watch}")
            rows.append(row)
        return rows

    def oldest(self, watch: int) -> int | None:
        """Return the number of the oldest transition that is kept, None if none is."""
        return self._number("SELECT min(number) FROM transitions WHERE watch = ?", (watch,))

    def prune(self, watch: int, keep: int, since: int) -> None:
        """
        Drop transitions from before the newest *keep*, and those from before the instant *since*.

        Never one behind the checkpoint: what follows it is how members are known after a crash.
        Costs a look at the oldest one where there is nothing to drop.
        """
        oldest = self._rows(
            "SELECT 1 FROM (SELECT number, at FROM transitions WHERE watch = ?1"
            " ORDER BY number LIMIT 1)"
            " WHERE at < ?2 OR number <= (SELECT number FROM progress WHERE watch = ?1) - ?3",
            (watch, since, keep),
        )
        if not oldest:
            return
        with self._changing():
            self._execute(
                "DELETE FROM transitions WHERE watch = ?1 AND number <="
                " (SELECT number FROM checkpoints WHERE watch = ?1)"
                " AND (at < ?2 OR number <= (SELECT number FROM progress WHERE watch = ?1) - ?3)",
                (watch, since, keep),
            )

    # --- erasure ------------------------------------------------------------------------------

    def erase(self, contacts: Sequence[str]) -> None:
        """
        Take the ids of contacts out of all transitions, and out of the file.

        When it returns, no byte of them is in it. Their transitions stay, without the id.
        """
        if not contacts:
            return
        with self._guard:
            with self._changing():
                for start in range(0, len(contacts), _IDS):
                    some = contacts[start : start + _IDS]
                    places = ", ".join("?" * len(some))
                    found = self._rows(
                        "SELECT watch, number, ordinal, kind, reason, at, epoch, sequence"
                        f" FROM transitions WHERE contact IN ({places})",
                        tuple(some),
                    )
                    for watch, number, ordinal, *rest in found:
                        row = Row(number, ordinal, "", *rest)
                        self._execute(
                            "UPDATE transitions SET contact = '', crc32 = ?"
                            " WHERE watch = ? AND number = ?",
                            (row.crc32(watch), watch, number),
                        )
            self.settle()

    # --- deliveries ---------------------------------------------------------------------------

    def delivered_to(self, watch: int) -> int:
        """
        Return the last transition that the endpoint of a watch took, or that was given up.

        Raises:
            UserError: NOT_FOUND, the watch was deleted.
        """
        rows = self._rows("SELECT delivered FROM progress WHERE watch = ?", (watch,))
        if not rows:
            raise UserError(Reason.NOT_FOUND, "this watch was deleted")
        return int(rows[0][0])

    def delivered(self, watch: int, number: int) -> None:
        """Note that the endpoint of a watch took its transitions up to *number*."""
        with self._changing():
            self._execute("UPDATE progress SET delivered = ? WHERE watch = ?", (number, watch))

    def give_up(self, letter: DeadLetter) -> None:
        """Keep a dead letter (its id is chosen here), and go on behind it; of no watch, nothing."""
        with self._changing():
            self._execute(
                "INSERT INTO dead (watch, first, last, attempts, at, error)"
                " SELECT id, ?, ?, ?, ?, ? FROM watches WHERE id = ?",
                (letter.first, letter.last, letter.attempts, letter.at, letter.error, letter.watch),
            )
            self._execute(
                "UPDATE progress SET delivered = ? WHERE watch = ?", (letter.last, letter.watch)
            )

    def dead(self, watch: int) -> list[DeadLetter]:
        """Return the dead letters of a watch, oldest first."""
        found = self._rows(
            "SELECT id, watch, first, last, attempts, at, error FROM dead WHERE watch = ?"
            " ORDER BY id",
            (watch,),
        )
        return [DeadLetter(*row) for row in found]

    def bury(self, letter: int) -> None:
        """Forget a dead letter."""
        with self._changing():
            self._execute("DELETE FROM dead WHERE id = ?", (letter,))

    def close(self) -> None:
        """Close the file; again is harmless."""
        with self._guard:
            self._database.close()

    # --- SQLite -------------------------------------------------------------------------------

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Enter a block that is one transaction."""
        with self._guard, self._explained():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            with files.explained(self.path):
                yield
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise CorruptionError(self.path, f"{error}; {_RESTORE}") from error
        except apsw.ConnectionClosedError:
            raise UserError(Reason.CONFLICT, "this workspace is closed") from None

    def _execute(self, statement: str, values: tuple[Any, ...]) -> None:
        self._database.execute(statement, values)

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._guard, self._explained():
            return list(self._database.execute(statement, values))

    def _number(self, statement: str, values: tuple[Any, ...]) -> int | None:
        found: int | None = self._rows(statement, values)[0][0]
        return found

    def _damaged(self, part: str) -> CorruptionError:
        return CorruptionError(self.path, f"its checksum does not match; {_RESTORE}", part=part)
