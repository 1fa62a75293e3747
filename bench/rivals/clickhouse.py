"""
ClickHouse inside this process, through chdb, twice.

`ClickHouse`: MergeTree tables as its manual advises, contacts by their key and events by time, of
one part, with LowCardinality keywords, seconds for instants, and Nullable only where nothing is not
a value. `ClickHouseBitmaps`: a bitmap of contacts for each value of a field (`groupBitmap`), which
says what is said by keywords and labels alone. Both work in one session: chdb has one a process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence

from chdb import session

from bench.data import RivalFiles
from bench.questions import CITIES, ROWS, SETS, Dialect, Question
from bench.rivals import KEYWORDS, THREADS

DIALECT = Dialect(
    "has({column}, '{value}')",
    instant="toDateTime('{:%Y-%m-%d %H:%M:%S}', 'UTC')",
    days="interval {} day",
)
_TYPES = {
    "number": "UInt32",
    "email": "String",
    "total_spent": "Nullable(Float64)",
    "lead_score": "Nullable(Int32)",
    "vip": "Nullable(Bool)",
    "birthday": "Nullable(Date32)",
    "signed_up_at": "DateTime('UTC')",
    "interests": "Array(LowCardinality(String))",
    "label": "Array(LowCardinality(String))",
    "contact": "UInt32",
    "time": "DateTime('UTC')",
    "amount": "Float64",
    **dict.fromkeys((*KEYWORDS, "category", "campaign"), "LowCardinality(String)"),
}


class _Session:
    """The one session of this process, in a temporary folder, and how many use it."""

    users = 0
    folder: tempfile.TemporaryDirectory[str]
    connection: session.Session

    @classmethod
    def enter(cls) -> None:
        if not cls.users:
            cls.folder = tempfile.TemporaryDirectory(prefix="headcount-clickhouse-")
            cls.connection = session.Session(cls.folder.name)
            cls.run("create database bench")
            cls.run("use bench")
        cls.users += 1

    @classmethod
    def run(cls, text: str) -> str:
        return str(cls.connection.query(text, "CSV"))

    @classmethod
    def leave(cls) -> None:
        cls.users -= 1
        if not cls.users:
            cls.connection.close()
            cls.folder.cleanup()


def _ask(text: str) -> Callable[[], int]:
    return lambda: int(_Session.run(f"{text} settings max_threads = {THREADS}").strip())


class ClickHouse:
    """MergeTree tables."""

    def __init__(self, files: RivalFiles) -> None:
        _Session.enter()
        self.version = _Session.run("select version()").strip().strip('"')
        self._create("contacts", files.contacts, "number")
        for kind, path in files.events.items():
            self._create(kind, path, "(time, contact)")

    def _create(self, table: str, path: object, order: str) -> None:
        described = _Session.run(f"describe table file('{path}', Parquet)").splitlines()
        names = [line.split(",")[0].strip('"') for line in described]
        columns = ", ".join(f"{name} {_TYPES[name]}" for name in names)
        _Session.run(f"create table {table} ({columns}) engine = MergeTree order by {order}")
        values = [
            f"ifNull({name}, '')" if _TYPES[name] == "LowCardinality(String)" else name
            for name in names
        ]
        _Session.run(
            f"insert into {table} select {', '.join(values)} from file('{path}', Parquet)"
            f" settings max_insert_threads = {THREADS}"
        )
        _Session.run(f"optimize table {table} final")

    def ask(self, question: Question) -> Callable[[], int]:
        """Return a call that runs the SQL."""
        return _ask(question.sql(DIALECT))

    def close(self) -> None:
        """Leave the session."""
        _Session.leave()


class ClickHouseBitmaps:
    """A table of `groupBitmap` states: a row for each value of each field."""

    def __init__(self, files: RivalFiles) -> None:
        _Session.enter()
        self.version = _Session.run("select version()").strip().strip('"')
        _Session.run(
            "create table bitmaps (field LowCardinality(String), value String,"
            " rows AggregateFunction(groupBitmap, UInt32))"
            " engine = AggregatingMergeTree order by (field, value)"
            " settings index_granularity = 1"
        )
        for field in ("country", "city", "plan", "stage", *SETS):
            value = f"arrayJoin({field})" if field in SETS else f"assumeNotNull({field})"
            known = "1" if field in SETS else f"{field} is not null"
            _Session.run(
                f"insert into bitmaps select '{field}', {value} as one,"
                " groupBitmapState(toUInt32(assumeNotNull(number)))"
                f" from file('{files.contacts}', Parquet) where {known} group by one"
            )
        _Session.run("optimize table bitmaps final")

    def ask(self, question: Question) -> Callable[[], int] | None:
        """Return a call that runs the SQL over bitmaps, if there is one."""
        text = BITMAPS.get(question.name)
        return _ask(text) if text else None

    def close(self) -> None:
        """Leave the session."""
        _Session.leave()


def _union(field: str, values: Sequence[str]) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return (
        f"(select groupBitmapMergeState(rows) from bitmaps where field = '{field}'"
        f" and value in ({listed}))"
    )


def _all_rows() -> str:
    found = ""
    for field, values in ROWS.items():
        union = _union(field, values)
        found = f"bitmapAnd({found}, {union})" if found else union
    return f"select bitmapCardinality({found})"


BITMAPS = {
    "one keyword": f"select bitmapCardinality({_union('country', ['US'])})",
    "two keywords": (
        f"select bitmapAndCardinality({_union('country', ['US'])}, {_union('plan', ['Pro'])})"
    ),
    "in of many": f"select bitmapCardinality({_union('city', CITIES)})",
    "label logic": (
        f"select bitmapAndnotCardinality({_union('label', ['newsletter', 'webinar-2026'])},"
        f" {_union('label', ['vip'])})"
    ),
    "29 rows": _all_rows(),
}
