"""
Definitions: named documents of a workspace that change one at a time, such as saved segments.

    DATA/workspaces/<name>/segments.db      meta, definitions (name, document, crc32)

Storage knows rows: what a document says is its writer's business. Every change writes the whole
file anew and puts it in the place of the old one: beside, sync, rename, sync of the folder. A kill
at any point leaves the old rows or the new ones; readers take no lock, and one that has the file
open reads on. Apart from generations, because one of those is written by loading data and may take
minutes, while this is written when somebody saves a segment.

Changing rows in place was rejected. A reader that finds the rollback journal of a writer that was
killed may not use the file until somebody who may write has rolled it back, and readers and writers
would wait for each other. What that costs, for 1,000 documents of 500 bytes on a busy disk: 28 ms a
change instead of 12 to 15, most of it waiting for the disk in both. Whoever changes many should do
it in one write.

A row has its own sum, and the file has one over those of all rows: so a row that is gone is missed.
A flipped bit in what SQLite does not use changes nothing that is read, and is not noticed.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from headcount.model.errors import CorruptionError, Reason, UserError
from headcount.storage import files
from headcount.storage.checksums import meta_sum
from headcount.storage.folder import WriterLock, check_name, workspace_folder
from headcount.storage.manifest import FORMAT, refuse_newer

FILE = "segments.db"
APPLICATION = 0x48435347  # "HCSG", SQLite's application_id

SCHEMA = """
CREATE TABLE meta (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, crc32 INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE definitions (
    name TEXT PRIMARY KEY, document TEXT NOT NULL, crc32 INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

_RESTORE = "restore the file from a copy; removing it removes all that is defined in it"
_TOOK_EFFECT = "the change took effect, but a power cut may undo it; read again what is stored"


@dataclass(frozen=True, slots=True)
class Definitions:
    """The documents of a workspace by name; `revision` counts its changes, from 0."""

    path: Path
    revision: int = 0
    documents: Mapping[str, str] = field(default_factory=dict)


def definitions_path(folder: Path, workspace: str) -> Path:
    """Return the file with the definitions of a workspace."""
    return workspace_folder(folder, workspace) / FILE


def read_definitions(folder: Path, workspace: str) -> Definitions:
    """
    Return the definitions of a workspace, every row verified; none when none was ever written.

    Takes no lock: what comes back was complete at some instant.

    Raises:
        CorruptionError: the file is damaged, with the name of the row where that can be told.
        UserError: UNSUPPORTED, when a newer Headcount wrote it.
    """
    path = definitions_path(folder, check_name(workspace))
    try:
        os.stat(path)
    except FileNotFoundError:
        return Definitions(path)
    with contextlib.closing(_opened(path)) as database:
        facts = _facts(path, database)
        rows = _rows(path, database, "SELECT name, document, crc32 FROM definitions ORDER BY name")
    for name, document, crc32 in rows:
        if meta_sum(name, document) != crc32:
            raise _damaged(path, "its checksum does not match", part=f"definition {name!r}")
    found = str(len(rows)), str(_sum_of(rows))
    if found != (facts["rows"], facts["sum"]):
        raise _damaged(path, f"expected {facts['rows']} rows, found {found[0]}, or others")
    return Definitions(path, int(facts["revision"]), {name: text for name, text, _ in rows})


def write_definitions(
    before: Definitions, documents: Mapping[str, str], lock: WriterLock
) -> Definitions:
    """
    Replace the definitions *before* by *documents*, durably, and return them.

    *before* is what was last read or written. Costs time in proportion to all documents.

    Raises:
        UserError: CONFLICT, when others were written since; NOT_FOUND, when the workspace has no
            folder; DISK_FULL, when the disk is full.
        CorruptionError: the disk failed, or what is stored is damaged.

    After an error the old rows are stored, unless the message says otherwise.
    """
    path = before.path
    assert lock.held, "the lock was closed"
    assert path.is_relative_to(lock.folder), f"the lock is for {lock.folder}"
    if not path.parent.is_dir():
        raise UserError(
            Reason.NOT_FOUND, f"{path.parent} does not exist; load data into this workspace first"
        )
    stored = read_definitions(lock.folder, path.parent.name)
    if stored.revision != before.revision:
        raise UserError(
            Reason.CONFLICT,
            f"{path} is at change {stored.revision}, and change {before.revision} was read:"
            " something else wrote it; read it again",
        )
    after = Definitions(path, before.revision + 1, dict(documents))
    temporary = files.beside(path)
    files.remove(temporary)
    ready = False
    try:
        _write(temporary, after)
        files.rename(temporary, path)
        ready = True
    finally:
        if not ready:
            files.discard(temporary)
    files.sync_folder(path.parent, _TOOK_EFFECT)
    return after


def _write(path: Path, after: Definitions) -> None:
    """Write a new file, and return when all of it is on the disk."""
    rows = sorted((name, text, meta_sum(name, text)) for name, text in after.documents.items())
    facts = {
        "format": str(FORMAT),
        "revision": str(after.revision),
        "rows": str(len(rows)),
        "sum": str(_sum_of(rows)),
    }
    # Opened before SQLite writes anything: a failed write-back is reported to the descriptors that
    # were open at the time.
    descriptor = files.create(path)
    try:
        with files.explained(path, files.UNCHANGED):
            database = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
            try:
                for statement in (
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = FULL;",
                    f"BEGIN EXCLUSIVE; PRAGMA application_id = {APPLICATION};",
                    f"PRAGMA user_version = {FORMAT};" + SCHEMA,
                ):
                    database.execute(statement).fetchall()
                database.executemany(
                    "INSERT INTO meta VALUES (?, ?, ?)",
                    [(name, value, meta_sum(name, value)) for name, value in facts.items()],
                )
                database.executemany("INSERT INTO definitions VALUES (?, ?, ?)", rows)
                database.execute("COMMIT")
            finally:
                database.close(force=True)
        files.sync(path, descriptor)
    finally:
        os.close(descriptor)


def _sum_of(rows: list[tuple[str, str, int]]) -> int:
    """Return the CRC-32 of the sums of all rows, by name, as eight digits each."""
    return zlib.crc32("".join(f"{crc32:08x}" for *_, crc32 in sorted(rows)).encode())


def _opened(path: Path) -> apsw.Connection:
    uri = f"{path.absolute().as_uri()}?immutable=1"
    with _reading(path):
        return apsw.Connection(uri, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)


def _facts(path: Path, database: apsw.Connection) -> dict[str, str]:
    """Return the facts about the whole file, verified; refuse a file that is not one of ours."""
    with _reading(path):
        application = database.pragma("application_id")
        version = database.pragma("user_version")
    if application != APPLICATION:
        raise _damaged(path, "not a file of definitions")
    facts = {}
    for name, value, crc32 in _rows(path, database, "SELECT name, value, crc32 FROM meta"):
        if meta_sum(name, value) != crc32:
            raise _damaged(path, "its checksum does not match", part=f"meta {name!r}")
        facts[name] = value
    if facts.get("format") != str(version):
        raise _damaged(path, f"its format is given as {version} and as {facts.get('format')}")
    refuse_newer(path, int(version))
    missing = {"revision", "rows", "sum"} - facts.keys()
    if missing:
        raise _damaged(path, f"it has no `{min(missing)}`")
    return facts


def _rows(path: Path, database: apsw.Connection, statement: str) -> list[tuple[str, str, int]]:
    """Return rows of two texts and a whole number, which is checked."""
    with _reading(path):
        rows: list[Any] = database.execute(statement).fetchall()
    if any(tuple(map(type, row)) != (str, str, int) for row in rows):
        raise _damaged(path, "it holds values of another type")
    return rows


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raise what SQLite cannot make sense of as damage, and what the disk reports likewise."""
    try:
        with files.explained(path):
            yield
    except (apsw.Error, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error


def _damaged(path: Path, what: str, part: str | None = None) -> CorruptionError:
    return CorruptionError(path, f"damaged: {what}; {_RESTORE}", part=part)
