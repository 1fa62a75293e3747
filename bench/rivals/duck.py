"""
DuckDB: tables in memory, keywords as enums, events in the order of time so that whole row groups
are passed over.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from bench.data import RivalFiles
from bench.questions import Dialect, Question
from bench.rivals import KEYWORDS, THREADS

DIALECT = Dialect("list_contains({column}, '{value}')")


class DuckDB:
    """DuckDB over tables in memory."""

    version = duckdb.__version__

    def __init__(self, files: RivalFiles) -> None:
        self._sql = duckdb.connect()
        self._sql.execute(f"set threads = {THREADS}; set timezone = 'UTC'")
        self._sql.execute("set enable_progress_bar = false")
        self._create("contacts", files.contacts, KEYWORDS)
        for kind, path in files.events.items():
            self._create(kind, path, ("category", "campaign"))

    def _create(self, table: str, path: object, keywords: tuple[str, ...]) -> None:
        described = self._sql.execute(f"describe select * from '{path}'").fetchall()
        columns = []
        for column in (row[0] for row in described):
            if column in keywords:
                self._sql.execute(
                    f"create type {table}_{column} as enum (select distinct {column} from '{path}'"
                    f" where {column} is not null order by 1)"
                )
                columns.append(f"{column}::{table}_{column} as {column}")
            else:
                columns.append(column)
        self._sql.execute(f"create table {table} as select {', '.join(columns)} from '{path}'")

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that runs the SQL."""
        text = question.sql(DIALECT)
        return lambda: int(self._sql.execute(text).fetchall()[0][0])

    def close(self) -> None:
        """Let go of the tables."""
        self._sql.close()
