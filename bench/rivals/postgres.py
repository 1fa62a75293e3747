"""
PostgreSQL 15: a cluster of our own in a temporary folder, on a Unix socket, run by an unprivileged
user because it refuses to be run by root.

A quarter of the memory for shared buffers, up to 4 GB; two processes a query; the indexes that a
careful user would add for what is asked: a B-tree for each field, GIN for sets and trigrams, and
covering indexes on events so that no row of theirs is read. Loaded by COPY, vacuumed and analyzed.
"""

from __future__ import annotations

import io
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from bench.data import RivalFiles
from bench.questions import SETS, Dialect, Question
from bench.rivals import Absent, GaveUp

DIALECT = Dialect("{column} @> '{{{{{value}}}}}'")
_FOLDERS = ("/usr/lib/postgresql/15/bin", "/usr/local/bin", "/usr/bin")
_USERS = ("postgres", "nobody")
_GIVE_UP = 60_000  # milliseconds
_LOADERS = 2  # tables that are loaded at a time, and indexes that are built
_TYPES = {
    "number": "integer",
    "total_spent": "double precision",
    "lead_score": "integer",
    "vip": "boolean",
    "birthday": "date",
    "signed_up_at": "timestamp",
    "interests": "text[]",
    "label": "text[]",
    "contact": "integer",
    "time": "timestamp",
    "amount": "double precision",
}
_INDEXES = (
    "contacts using gin (email gin_trgm_ops)",  # the longest first
    "contacts (number)",
    "contacts (country)",
    "contacts (city)",
    "contacts (plan)",
    "contacts (stage)",
    "contacts (total_spent)",
    "contacts (birthday)",
    "contacts (signed_up_at)",
    "contacts using gin (label)",
    "contacts using gin (interests)",
    "email_open (time) include (contact)",
    "product_view (contact, time)",
    "purchase (contact, time)",
    "purchase (time) include (contact, amount)",
    "purchase (category, time) include (contact, amount)",
)


class PostgreSQL:
    """A PostgreSQL of our own."""

    def __init__(self, files: RivalFiles) -> None:
        self._programs = _find()
        self._user = _user()
        self._folder = Path(tempfile.mkdtemp(prefix="headcount-pg-"))
        if self._user:
            shutil.chown(self._folder, self._user)
        self._start()
        try:
            with self._connect() as sql:
                self.version = str(sql.execute("show server_version").fetchall()[0][0])
                sql.execute("create extension pg_trgm")
            tables = [("contacts", files.contacts), *files.events.items()]
            with ThreadPoolExecutor(_LOADERS) as pool:
                list(pool.map(lambda one: self._load(*one), tables))
                list(pool.map(self._index, _INDEXES))
            self._sql = self._connect()
            self._sql.execute("vacuum analyze")
            self._sql.execute(f"set statement_timeout = {_GIVE_UP}")
        except BaseException:
            self._stop()
            raise

    def _start(self) -> None:
        data, memory = (
            self._folder / "data",
            os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        )
        shared = min(4 << 30, memory // 4) >> 20
        self._run("initdb", "-D", str(data), "--auth=trust", "-U", "bench", "--encoding=UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip
        settings = {
            "listen_addresses": "''",
            "unix_socket_directories": f"'{self._folder}'",
            "shared_buffers": f"{shared}MB",
            "effective_cache_size": f"{memory >> 21}MB",
            "work_mem": "256MB",
            "maintenance_work_mem": "1GB",
            "max_parallel_workers_per_gather": 1,  # and the one that gathers
            "max_parallel_maintenance_workers": 1,
            "random_page_cost": 1.1,
            "effective_io_concurrency": 200,
            "max_wal_size": "8GB",
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "fsync": "off",
            "synchronous_commit": "off",
            "autovacuum": "off",
        }
        with (data / "postgresql.auto.conf").open("a") as file:
            file.writelines(f"{name} = {value}\n" for name, value in settings.items())
        self._run("pg_ctl", "-D", str(data), "-l", str(self._folder / "log"), "-w", "start")

    def _stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs[program], *arguments],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Absent(f"{program} failed: {done.stderr.strip()[-300:]}")

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self._folder), user="bench", dbname="postgres", autocommit=True
        )

    def _load(self, table: str, path: Path) -> None:
        source = pq.ParquetFile(path)
        names = source.schema_arrow.names
        columns = ", ".join(f"{name} {_TYPES.get(name, 'text')}" for name in names)
        with self._connect() as sql, sql.transaction(), sql.cursor() as cursor:
            cursor.execute(f"create table {table} ({columns})")
            with cursor.copy(f"copy {table} from stdin (format csv, freeze)") as copy:
                for batch in source.iter_batches(batch_size=1 << 16):
                    copy.write(_csv(batch))

    def _index(self, index: str) -> None:
        with self._connect() as sql:
            sql.execute(f"create index on {index}")

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that runs the SQL."""
        text = question.sql(DIALECT)

        def call() -> int:
            try:
                return int(str(self._sql.execute(text).fetchall()[0][0]))
            except psycopg.errors.QueryCanceled as error:
                raise GaveUp(_GIVE_UP / 1000) from error

        return call

    def close(self) -> None:
        """Stop the cluster and remove it."""
        self._sql.close()
        self._stop()


def _find() -> dict[str, str]:
    wanted = ("initdb", "pg_ctl", "postgres")
    for folder in _FOLDERS:
        found = {name: f"{folder}/{name}" for name in wanted if Path(folder, name).exists()}
        if len(found) == len(wanted):
            return found
    raise Absent(f"initdb, pg_ctl and postgres are in none of {', '.join(_FOLDERS)}")


def _user() -> str | None:
    """Return the user to become, None for ourselves."""
    if os.geteuid():
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    for user in _USERS:
        if user in known:
            return user
    raise Absent("PostgreSQL is not run by root, and there is no other user to run it")


def _csv(batch: pa.RecordBatch) -> bytes:
    """Return the rows as CSV; of sets, as PostgreSQL writes arrays."""
    columns = [
        _braces(column) if name in SETS else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    out = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="needed")
    pa.csv.write_csv(pa.table(columns, names=batch.schema.names), out, options)
    return out.getvalue()


def _braces(lists: pa.Array) -> pa.Array:
    joined = pc.binary_join(lists, '","')
    quoted = pc.binary_join_element_wise('{"', joined, '"}', "")
    return pc.if_else(pc.equal(pc.list_value_length(lists), 0), "{}", quoted)
