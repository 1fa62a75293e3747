"""
Tables: one generation as an SQLite file, and the file as named parts again.

Why SQLite, when the content is opaque bytes: anybody can look inside with the `sqlite3` command,
and its writing is better tested than ours would be. What it costs is measured: 55 MB of bitmaps
take 96 ms to write and 83 ms to read, a plain file 72 ms and 76 ms.

A part is cut into pieces of 1 MiB. SQLite cannot hold a blob above 1 GB, and building the row of a
blob copies it: in pieces the copy stays in the cache and writing needs no memory to speak of. Pages
are of 64 KiB. Measured for 1.3 GB, without waiting for the disk: 64 KiB pages and 1 MiB pieces
2.2 GB/s written and 11 GB/s read; 4 KiB pages 0.3 and 3.3; pieces of 64 MiB 0.7 and 5.7.

The file is written without a journal and in one transaction: nobody reads it before it is complete,
and one that is not is thrown away. It is read as immutable: no locks, no journal, no memory map (an
unreadable disk would end the process with SIGBUS instead of an error).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Any

import apsw

from headcount.index.parts import Part
from headcount.model.errors import CorruptionError
from headcount.storage import files
from headcount.storage.checksums import meta_sum, part_sum
from headcount.storage.manifest import FORMAT, refuse_newer

APPLICATION = 0x48434E54  # "HCNT", SQLite's application_id

SCHEMA = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, crc32 INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE blocks (
    block INTEGER PRIMARY KEY, first_part INTEGER NOT NULL, parts INTEGER NOT NULL) STRICT;
CREATE TABLE parts (
    part INTEGER PRIMARY KEY, block INTEGER NOT NULL, name TEXT NOT NULL, encoding TEXT NOT NULL,
    bytes INTEGER NOT NULL, crc32 INTEGER NOT NULL,
    first_piece INTEGER NOT NULL, pieces INTEGER NOT NULL) STRICT;
CREATE TABLE pieces (piece INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
"""

_LATE_DAMAGE = (
    "damaged since its checksums were verified a moment ago: something changed the file, or memory "
    "or disk is failing"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Sizes, in bytes, that a writer chooses and a reader finds in the file and the manifest."""

    page_bytes: int = 1 << 16  # the largest that SQLite has
    piece_bytes: int = 1 << 20  # must stay under SQLite's limit of 1e9
    chunk_bytes: int = 1 << 20


def label(block: int, name: str) -> str:
    """Return what a part is called in messages."""
    return f"block {block}, part {name}"


class TableWriter:
    """
    Writes one generation into an existing, empty file: blocks one after the other, then `finish`.

    Holds one part in memory. Errors of the disk come out as `files.explained` says; the file is
    then of no use, and the caller closes and removes it.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path = path
        self._piece_bytes = layout.piece_bytes
        self._parts = self._pieces = 0
        with files.explained(path, files.UNCHANGED):
            self._database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        self._run(
            f"PRAGMA page_size = {layout.page_bytes}; PRAGMA journal_mode = OFF;"
            "PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE;"
            "PRAGMA cache_size = -16384;"  # KiB; beyond it pages go to the file as they fill
            "BEGIN EXCLUSIVE;"
            f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};" + SCHEMA
        )

    def _run(self, statement: str, values: tuple[int | str | memoryview, ...] = ()) -> None:
        with files.explained(self._path, files.UNCHANGED):
            for _ in self._database.execute(statement, values):
                pass  # a pragma answers with a row, and the next statement waits until it is taken

    def write(self, block: int, parts: Iterable[Part]) -> None:
        """Write a block that was not written before, taking its parts one at a time."""
        first = self._parts + 1
        names = set()
        for part in parts:
            assert part.name not in names, f"two parts called {part.name} in block {block}"
            names.add(part.name)
            self._write_part(block, part)
        self._run("INSERT INTO blocks VALUES (?, ?, ?)", (block, first, len(names)))

    def _write_part(self, block: int, part: Part) -> None:
        data = memoryview(part.data).cast("B")
        first = self._pieces + 1
        for start in range(0, len(data), self._piece_bytes):
            self._pieces += 1
            piece = data[start : start + self._piece_bytes]
            self._run("INSERT INTO pieces VALUES (?, ?)", (self._pieces, piece))
        self._parts += 1
        self._run(
            "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._parts,
                block,
                part.name,
                part.encoding,
                len(data),
                part_sum(part.name, part.encoding, data),
                first,
                self._pieces - first + 1,
            ),
        )

    def finish(self, meta: Mapping[str, str]) -> None:
        """Write the facts about the whole snapshot, and return when all of it is on the disk."""
        for name, value in meta.items():
            self._run("INSERT INTO meta VALUES (?, ?, ?)", (name, value, meta_sum(name, value)))
        self._run("COMMIT")
        with files.explained(self._path, files.UNCHANGED):
            self._database.close()

    def close(self) -> None:
        """Let go of the file, finished or not."""
        self._database.close(force=True)


Row = tuple[Any, ...]  # of the table of parts


class TableReader:
    """
    Reads one generation. What does not match its checksum raises `CorruptionError`, named.

    Any thread may read; one part is read at a time. Opening does not look at the content: `load`
    does, once the caller has verified the file.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            FileNotFoundError: there is no such file.
        """
        self._path = path
        self._blob: apsw.Blob | None = None
        self._reads = RLock()  # SQLite's handles are for one thread at a time
        uri = f"{path.absolute().as_uri()}?immutable=1"
        try:
            with files.explained(path):
                self._database = apsw.Connection(
                    uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
                )
        except apsw.CantOpenError:
            raise FileNotFoundError(path) from None

    def load(self) -> dict[str, str]:
        """
        Return the facts written by `TableWriter.finish`.

        Raises:
            UserError: UNSUPPORTED, when a newer Headcount wrote the file.
            CorruptionError: it is no generation file, or damaged.
        """
        ((application,),) = self._rows("PRAGMA application_id", int)
        ((version,),) = self._rows("PRAGMA user_version", int)
        if application != APPLICATION or version < 1:
            raise CorruptionError(
                self._path,
                "an SQLite file, but not one of Headcount's; restore the data folder from a copy",
            )
        refuse_newer(self._path, version)
        meta = {}
        for name, value, crc32 in self._rows("SELECT * FROM meta", str, str, int):
            if meta_sum(name, value) != crc32:
                raise CorruptionError(self._path, _LATE_DAMAGE, part=f"meta {name}")
            meta[name] = value
        return meta

    def blocks(self) -> dict[int, range]:
        """Return the numbers of the parts of each block, by block in ascending order."""
        rows = self._rows("SELECT * FROM blocks ORDER BY block", int, int, int)
        return {block: range(first, first + count) for block, first, count in rows}

    def parts(self, block: int, numbers: range) -> Iterator[Part]:
        """Yield the parts of a block, verified, in the order they were written."""
        for row in self.rows(block, numbers):
            yield self.part(row)

    def rows(self, block: int, numbers: range) -> list[Row]:
        """Return a row for each part of a block, in the order they were written, for `part`."""
        rows = self._part_rows("WHERE part >= ? AND part < ?", (numbers.start, numbers.stop))
        found = sum(1 for owner, *_ in rows if owner == block)
        if found != len(numbers):
            raise CorruptionError(
                self._path,
                f"block {block} has {found} of its {len(numbers)} parts; {_LATE_DAMAGE}",
            )
        return rows

    def part(self, row: Row) -> Part:
        """Return the part that one of `rows` stands for, verified."""
        with self._reads:
            return self._part(*row)

    def damaged(self) -> Iterator[str]:
        """
        Yield the labels of the parts that do not match their checksum, as far as they can be read.

        For a file that is known to be damaged: where SQLite itself cannot go on, it ends.
        """
        with contextlib.suppress(CorruptionError):
            for owner, *row in self._part_rows("ORDER BY part"):
                try:
                    self.part((owner, *row))
                except CorruptionError as error:
                    yield error.part or label(owner, row[0])

    def _part_rows(self, where: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        columns = "block, name, encoding, bytes, crc32, first_piece, pieces"
        types = (int, str, str, int, int, int, int)
        return self._rows(f"SELECT {columns} FROM parts {where}", *types, values=values)

    def _part(
        self, block: int, name: str, encoding: str, size: int, crc32: int, first: int, count: int
    ) -> Part:
        place = label(block, name)
        with self._reading(place):
            data = self._join(size, range(first, first + count))
            if data is None or part_sum(name, encoding, data) != crc32:
                raise CorruptionError(self._path, _LATE_DAMAGE, part=place)
        return Part(name, encoding, data)

    def _join(self, size: int, pieces: range) -> memoryview | None:
        """Return the pieces as one, read-only, or None when they are not *size* bytes together."""
        lengths = []
        for piece in pieces:
            lengths.append(self._at(piece).length())
            if sum(lengths) > size:
                return None
        if sum(lengths) != size:
            return None  # before memory is taken for a size that may be damaged itself
        data = bytearray(size)
        start = 0
        for piece, length in zip(pieces, lengths, strict=True):
            self._at(piece).read_into(data, start, length)
            start += length
        return memoryview(data).toreadonly()

    def _at(self, piece: int) -> apsw.Blob:
        """Return the blob handle, at the start of *piece*."""
        blob, self._blob = self._blob, None  # a failed reopen closes it
        if blob is None:
            blob = self._database.blob_open("main", "pieces", "data", piece, False)
        else:
            blob.reopen(piece)
        self._blob = blob
        return blob

    def _rows(
        self, statement: str, *types: type, values: tuple[int, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a query whose columns must be of *types*."""
        with self._reads, self._reading(None):
            rows = self._database.execute(statement, values).fetchall()
        if any(tuple(map(type, row)) != types for row in rows):
            raise CorruptionError(self._path, f"{statement} gave another type; {_LATE_DAMAGE}")
        return rows

    @contextlib.contextmanager
    def _reading(self, part: str | None) -> Iterator[None]:
        """Raise what SQLite cannot make sense of as damage, and what the disk reports likewise."""
        try:
            with files.explained(self._path):
                yield
        except (apsw.Error, UnicodeDecodeError) as error:
            raise CorruptionError(self._path, f"{_LATE_DAMAGE} ({error})", part=part) from error

    def close(self) -> None:
        """Let go of the file; again is harmless."""
        with self._reads:
            if self._blob is not None:
                self._blob.close(force=True)
            self._database.close(force=True)
