"""
The engines asked, each with its best ordinary settings and two threads, all in this process.

* DuckDB: in-memory tables, loaded from the same Parquet files.
* Polars: frames in memory, lazy queries. Its thread pool is set before the import, by `__main__`.
* ClickHouse: `chdb`, MergeTree tables ordered as its manual advises (contacts by id, events by type
  and time), in a temporary folder.

An engine answers a question with one number. What they answer must be equal; the caller checks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import duckdb
import polars as pl
from chdb import session

from bench.questions import CLICKHOUSE, NOW, Question
from headcount.embedded import Workspace
from headcount.query.results import Results

THREADS = 2


class Engine(Protocol):
    """Something that counts: `ask` returns a call that answers one question."""

    name: str

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that answers *question*, prepared as far as the engine allows."""
        ...


class Headcount:
    """Headcount embedded: text to count, without a server and without remembered results."""

    name = "Headcount"

    def __init__(self, folder: Path) -> None:
        self._workspace = Workspace.open(folder, results=Results(0))

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that counts the segment."""
        return lambda: self._workspace.count(question.ours, as_of=NOW)


class DuckDB:
    """DuckDB over in-memory tables."""

    name = "DuckDB"

    def __init__(self, contacts: Path, events: Path) -> None:
        self._sql = duckdb.connect()
        self._sql.execute(f"set threads = {THREADS}; set timezone = 'UTC'")
        for table, path in (("contacts", contacts), ("events", events)):
            self._sql.execute(f"create table {table} as select * from '{path}'")

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that runs the SQL."""
        text = question.sql.replace("{now}", f"timestamptz '{NOW:%Y-%m-%d %H:%M:%S}+00'")
        return lambda: int(self._sql.execute(text).fetchall()[0][0])


class Polars:
    """Polars over frames in memory."""

    name = "Polars"

    def __init__(self, contacts: Path, events: Path) -> None:
        self._contacts = pl.read_parquet(contacts).lazy()
        self._events = (
            pl.read_parquet(events).with_columns(pl.col("type").cast(pl.Categorical)).lazy()
        )

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that collects the lazy query."""
        query = question.polars(self._contacts, self._events)
        return lambda: int(query.collect().item())


class ClickHouse:
    """ClickHouse inside this process, through chdb."""

    name = "ClickHouse"

    def __init__(self, contacts: Path, events: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._session = session.Session(self._folder.name)
        self._run("create database bench")
        for table, path, order in (
            ("contacts", contacts, "id"),
            ("events", events, "(type, time)"),
        ):
            self._run(
                f"create table bench.{table} engine = MergeTree order by {order}"
                f" settings allow_nullable_key = 1 as select * from file('{path}', Parquet)"
            )
            self._run(f"optimize table bench.{table} final")
        self._run("use bench")

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that runs the SQL in ClickHouse's spelling."""
        text = question.sql.replace("{now}", f"toDateTime64('{NOW:%Y-%m-%d %H:%M:%S}', 6, 'UTC')")
        for ours, theirs in CLICKHOUSE.items():
            text = text.replace(ours, theirs)
        return lambda: int(self._run(f"{text} settings max_threads = {THREADS}").strip())

    def _run(self, text: str) -> str:
        return str(self._session.query(text, "CSV"))

    def close(self) -> None:
        """End the session and remove its folder."""
        self._session.close()
        self._folder.cleanup()
