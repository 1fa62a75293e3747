"""
One segment of the commit log: an SQLite file that holds commits of consecutive sequence numbers.

    workspaces/<name>/log-000000000042.db     begins with commit 42; meta, commits, requests

One connection, in exclusive mode, so that SQLite needs no shared memory and no second process can
get in between; a write-ahead log, synced at every commit. SQLite checkpoints by itself after 1,000
pages, in the commit that reaches it (4 to 6 ms). Doing that in a second connection was measured and
rejected: the file grows, and stalls of up to a second come with it.

Three sums, because each finds what the others cannot. `crc32` covers the data of one commit.
`chain` is a digest of the row and of the chain before it, so that rows that were lost, swapped or
taken from another copy of the log are found. `requests` is how many rows of that table there were,
so that one that vanished is missed.

The chain is BLAKE2b over 52 bytes, not over the data: CRC-32 of these is in it, the data is not
hashed twice, and nobody is to be kept from forging (see FORMAT.md).
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import apsw

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import files
from headcount.storage.checksums import meta_sum
from headcount.storage.log_mark import CHAIN_BYTES
from headcount.storage.manifest import FORMAT, refuse_newer

APPLICATION = 0x48434C47  # "HCLG", SQLite's application_id
NO_CHAIN = bytes(CHAIN_BYTES)  # in front of the first commit of a workspace
WAL = "-wal"  # suffix of SQLite's write-ahead log
CHECKPOINT_PAGES = 1000  # SQLite's own default: 4 MB, and the 4 to 6 ms that bringing them in takes
WAL_BYTES = 16 << 20  # a longer one is cut down to this once it is checkpointed

SCHEMA = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, crc32 INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE commits (
    sequence INTEGER PRIMARY KEY, at INTEGER NOT NULL, records INTEGER NOT NULL,
    requests INTEGER NOT NULL, crc32 INTEGER NOT NULL, chain BLOB NOT NULL,
    data BLOB NOT NULL) STRICT;
CREATE TABLE requests (
    number INTEGER PRIMARY KEY, request BLOB NOT NULL, sequence INTEGER NOT NULL,
    at INTEGER NOT NULL, answer BLOB NOT NULL, crc32 INTEGER NOT NULL) STRICT;
"""

RequestRow = tuple[int, bytes, int, int, bytes, int]
_COMMIT = "INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?)"
_REQUEST = "INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?)"
_LINK = struct.Struct(f"<{CHAIN_BYTES}sqqqqI")  # chain before, sequence, at, records, requests, crc
_WHEN = struct.Struct("<qq")
RESTORE = (
    "restore the data folder from a copy; with none, remove the segments of the log from here on "
    "and log.mark, which gives up these commits and all later ones"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit: its number, its time in µs since 1970 (UTC), how many records, and its bytes."""

    sequence: int
    at: int
    records: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a request was answered, by the commit *sequence* at *at* (µs since 1970, UTC).

    `request` is the `request_key` of its id: an id may be of any length and may name a person.
    """

    request: bytes
    sequence: int
    at: int
    answer: bytes

    @property
    def crc32(self) -> int:
        """CRC-32 of the request's key, sequence and time as int64, and the answer."""
        head = self.request + _WHEN.pack(self.sequence, self.at)
        return zlib.crc32(self.answer, zlib.crc32(head))


def request_key(request_id: str) -> bytes:
    """Return 16 bytes that stand for a request's id: a digest of it."""
    return blake2b(request_id.encode(), digest_size=16).digest()


def link(before: bytes, sequence: int, at: int, records: int, requests: int, crc32: int) -> bytes:
    """Return the chain of a commit: a digest of the one before it and of the row."""
    packed = _LINK.pack(before, sequence, at, records, requests, crc32)
    return blake2b(packed, digest_size=CHAIN_BYTES).digest()


def create(
    path: Path, epoch: int, first: int, chain: bytes, carried: Sequence[RequestRow] = ()
) -> None:
    """
    Write a segment without commits, durably but for the name; the caller syncs the folder.

    *chain* is that of the commit before *first*, *carried* the rows of `Segment.request_rows` of
    the segment before. A file of that name must not exist. After an error of the rename or before,
    there is none.
    """
    temporary = files.beside(path)
    for leftover in (temporary, _wal(temporary), _wal(path)):
        files.remove(leftover)
    facts = {"epoch": epoch, "first": first, "chain": chain.hex(), "carried": len(carried)}
    # Opened before SQLite writes anything: a failed write-back is reported to the descriptors that
    # were open at the time.
    descriptor = files.create(temporary)
    ready = False
    try:
        with files.explained(temporary, files.UNCHANGED):
            database = apsw.Connection(str(temporary), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                for statement in (
                    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;",
                    f"BEGIN; PRAGMA application_id = {APPLICATION};",
                    f"PRAGMA user_version = {FORMAT};" + SCHEMA,
                ):
                    database.execute(statement).fetchall()
                database.executemany(
                    "INSERT INTO meta VALUES (?, ?, ?)",
                    [(name, str(v), meta_sum(name, str(v))) for name, v in facts.items()],
                )
                database.executemany(_REQUEST, carried)
                database.execute("COMMIT")
                database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                database.close()
            finally:
                database.close(force=True)
        files.sync(temporary, descriptor)
        files.rename(temporary, path)
        ready = True
    finally:
        files.close(descriptor)
        if not ready:
            files.discard(temporary)
            files.discard(_wal(temporary))


def _wal(path: Path) -> Path:
    return path.with_name(path.name + WAL)


def remove(path: Path, outcome: str) -> None:
    """Remove the files of a segment, not yet durably."""
    files.remove(path, outcome)
    files.remove(_wal(path), outcome)


def size(path: Path) -> int:
    """Return the bytes of the files of a segment."""
    return files.size(path) + files.size(_wal(path))


class Segment:
    """
    An open segment. For one thread at a time.

    `last` is the newest commit, `first - 1` when there is none; `chain` the chain up to it;
    `requests` how many rows that table has.
    """

    def __init__(self, path: Path, *, immutable: bool = False) -> None:
        """
        Open the file and look at its newest commit. Changes nothing that is on the disk.

        An *immutable* one was closed by `close`, and can be read only.

        Raises:
            CorruptionError: it is no segment, or damaged as far as this looks.
            UserError: UNSUPPORTED, when a newer Headcount wrote it; CONFLICT, when another program
                has it open.
        """
        self.path = path
        self._reading_from: apsw.Cursor | None = None
        flags = apsw.SQLITE_OPEN_READONLY if immutable else apsw.SQLITE_OPEN_READWRITE
        uri = path.absolute().as_uri() + ("?immutable=1" if immutable else "")
        with self._reading("the file"):
            self._database = apsw.Connection(uri, flags=flags | apsw.SQLITE_OPEN_URI)
        try:
            if not immutable:
                # What an earlier process failed to sync can be read but may never reach the disk.
                # Brought into the file, it would be there without the rest after a power cut.
                files.write_again(_wal(path))
                self._prepare()
            self._load()
        except BaseException:
            self.abandon()
            raise

    def _prepare(self) -> None:
        # Closing must not checkpoint what was not compared with its witnesses yet.
        self._database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        with self._reading("the file"):
            self._database.execute(
                "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES};"
                f"PRAGMA journal_size_limit = {WAL_BYTES};"
            ).fetchall()

    def _load(self) -> None:
        with self._reading("the file"):
            application = self._database.pragma("application_id")
            version = self._database.pragma("user_version")
        if application != APPLICATION or version < 1:
            raise self._damaged("not a segment of a log", "the file")
        refuse_newer(self.path, int(version))
        facts = {}
        for name, value, crc32 in self._rows("SELECT * FROM meta", (str, str, int), "meta"):
            if meta_sum(name, value) != crc32:
                raise self._damaged("its checksum does not match", f"meta {name}")
            facts[name] = value
        missing = {"epoch", "first", "chain", "carried"} - facts.keys()
        if missing:
            raise self._damaged(f"it has no `{min(missing)}`", "meta")
        self.epoch, self.first = int(facts["epoch"]), int(facts["first"])
        self.before = bytes.fromhex(facts["chain"])  # the chain of the commit before `first`
        self.last, self.chain, self.requests = self.first - 1, self.before, int(facts["carried"])
        newest = self._rows(
            "SELECT sequence, chain, requests FROM commits ORDER BY sequence DESC LIMIT 1",
            (int, bytes, int),
            "the newest commit",
        )
        for self.last, self.chain, self.requests in newest:
            if self.last < self.first or len(self.chain) != CHAIN_BYTES:
                raise self._damaged("impossible values", f"commit {self.last}")

    def append(
        self, at: int, records: int, data: bytes, answers: Sequence[tuple[bytes, bytes]]
    ) -> int:
        """
        Write a commit and return its sequence once it is on the disk.

        *answers* are request keys, each with its answer.

        Whatever this raises: the outcome is unknown, and the segment must be abandoned.
        """
        sequence, crc32 = self.last + 1, zlib.crc32(data)
        requests = self.requests + len(answers)
        chain = link(self.chain, sequence, at, records, requests, crc32)
        row = (sequence, at, records, requests, crc32, chain, data)
        execute = self._database.execute
        if answers:
            execute("BEGIN IMMEDIATE")
            execute(_COMMIT, row)
            rows = []
            for number, (request, answer) in enumerate(answers, self.requests + 1):
                crc = Answer(request, sequence, at, answer).crc32
                rows.append((number, request, sequence, at, answer, crc))
            self._database.executemany(_REQUEST, rows)
            execute("COMMIT")
        else:
            execute(_COMMIT, row)
        self.last, self.chain, self.requests = sequence, chain, requests
        return sequence

    def entries(self, after: int) -> Iterator[Entry]:
        """
        Yield the commits with a sequence above *after*, in order, each verified.

        Nothing may be appended while this is going on, and settling ends it.

        Raises:
            CorruptionError: one does not match, or is missing.
        """
        after = max(after, self.first - 1)
        expected, chain = after + 1, self.chain_at(after)
        self._reading_from = None
        try:
            while True:
                place = f"commit {expected}"
                with self._reading(place):
                    if self._reading_from is None:
                        self._reading_from = self._database.execute(
                            "SELECT * FROM commits WHERE sequence > ? ORDER BY sequence", (after,)
                        )
                    row: Any = next(self._reading_from, None)
                if row is None:
                    break
                if tuple(map(type, row)) != (int, int, int, int, int, bytes, bytes):
                    raise self._damaged("it holds values of another type", place)
                sequence, at, records, requests, crc32, found, data = row
                if sequence != expected:
                    raise self._damaged(f"it is missing; {sequence} comes next", place)
                if zlib.crc32(data) != crc32:
                    raise self._damaged("its data does not match its checksum", place)
                chain = link(chain, sequence, at, records, requests, crc32)
                if chain != found:
                    raise self._damaged("it does not continue the commit before it", place)
                yield Entry(sequence, at, records, data)
                expected += 1
        finally:
            self._stop_reading()
        if expected != self.last + 1:
            raise self._damaged("it is missing", f"commit {expected}")

    def chain_at(self, sequence: int) -> bytes:
        """Return the chain up to a commit of this segment, or the one before its first."""
        if sequence == self.first - 1:
            return self.before
        place = f"commit {sequence}"
        rows = self._rows(
            "SELECT chain FROM commits WHERE sequence = ?", (bytes,), place, (sequence,)
        )
        if not rows:
            raise self._damaged("it is missing", place)
        found: bytes = rows[0][0]
        return found

    def answers(self) -> Iterator[tuple[int, Answer]]:
        """
        Yield the stored answers with their numbers, oldest first, each verified.

        Raises:
            CorruptionError: one does not match, or is missing.
        """
        for number, request, sequence, at, answer, crc32 in self.request_rows(0):
            found = Answer(request, sequence, at, answer)
            if found.crc32 != crc32:
                raise self._damaged("its checksum does not match", f"requests, row {number}")
            yield number, found

    def request_rows(self, after: int) -> list[RequestRow]:
        """Return the rows of that table above number *after*, numbered anew from 1."""
        rows = self._rows(
            "SELECT number - ?1, request, sequence, at, answer, crc32 FROM requests"
            " WHERE number > ?1 ORDER BY number",
            (int, bytes, int, int, bytes, int),
            "requests",
            (after,),
        )
        if [row[0] for row in rows] != list(range(1, self.requests - after + 1)):
            raise self._damaged(f"expected rows {after + 1} to {self.requests}", "requests")
        return rows

    def answer(self, number: int) -> Answer:
        """Return the stored answer of that number, verified."""
        columns = "request, sequence, at, answer, crc32"
        place = f"requests, row {number}"
        for *row, crc32 in self._rows(
            f"SELECT {columns} FROM requests WHERE number = ?",
            (bytes, int, int, bytes, int),
            place,
            (number,),
        ):
            found = Answer(*row)
            if found.crc32 == crc32:
                return found
        raise self._damaged("its checksum does not match, or it is gone", place)

    def forget(self) -> None:
        """Read from the file, and not from memory, what is read next."""
        self._database.execute("PRAGMA shrink_memory")

    def _stop_reading(self) -> None:
        if self._reading_from is not None:  # a replay given up halfway keeps the file locked
            self._reading_from.close(force=True)
            self._reading_from = None

    def settle(self) -> None:
        """Bring everything from the write-ahead log into the file, durably, and empty it."""
        self._stop_reading()
        with files.explained(self.path, "no commit is lost"):
            self._database.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def close(self) -> None:
        """Settle, and let go of the file; what is left of it is one file."""
        self.settle()
        self._database.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        with files.explained(self.path, "no commit is lost"):
            self._database.close()

    def abandon(self) -> None:
        """Let go of the file as it is, without writing; again is harmless."""
        self._database.close(force=True)

    def _rows(
        self, statement: str, types: tuple[type, ...], place: str, values: tuple[int, ...] = ()
    ) -> list[Any]:
        """Return the rows of a query, tuples whose values must be of *types*."""
        with self._reading(place):
            rows = self._database.execute(statement, values).fetchall()
        if any(tuple(map(type, row)) != types for row in rows):
            raise self._damaged("it holds values of another type", place)
        return rows

    @contextlib.contextmanager
    def _reading(self, place: str) -> Iterator[None]:
        """Raise what SQLite cannot make sense of as damage, and what the disk reports likewise."""
        try:
            with files.explained(self.path):
                yield
        except apsw.BusyError as error:
            raise UserError(
                Reason.CONFLICT, f"{self.path} is open in another program; close it there"
            ) from error
        except (apsw.Error, UnicodeDecodeError, OverflowError) as error:
            raise self._damaged(str(error), place) from error

    def _damaged(self, what: str, place: str) -> CorruptionError:
        return CorruptionError(self.path, f"damaged: {what}; {RESTORE}", part=place)
