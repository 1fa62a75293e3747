"""
The data of a run: made once for each size, kept in a folder, and not part of any time.

    <folder>/<contacts>-<events>/files      what `headcount load` takes
    <folder>/<contacts>-<events>/rivals     the same rows as rivals like them best
    <folder>/<contacts>-<events>/headcount  loaded by Headcount

Rivals get what a careful user would make of the files: a dense integer in place of the id, and one
table for each type of event, without columns that it does not have, in the order of time. Types
that no question asks for are left out. All this favours them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.questions import EVENTS, NOW
from headcount.load import synthetic

PROPERTIES = {
    "email_open": ("campaign",),
    "product_view": ("category",),
    "purchase": ("category", "amount"),
}


@dataclass(frozen=True, slots=True)
class RivalFiles:
    """Parquet files: contacts in the order of `number`, and events by type in the order of time."""

    contacts: Path
    events: dict[str, Path]


@dataclass(frozen=True, slots=True)
class Data:
    """The files of one size, and where Headcount's own folder goes."""

    files: synthetic.SyntheticFiles
    rivals: RivalFiles
    headcount: Path


def prepare(folder: Path, contacts: int, events: int, *, rivals: bool = True) -> Data:
    """
    Return the data of a size, from *folder* if it was made before.

    Without *rivals* their files are not made: a hundred million rows are sorted for them.
    """
    home = folder / f"{contacts}-{events}"
    files = _once(home / "files", lambda path: _generate(path, contacts, events))
    theirs = home / "rivals"
    if rivals:
        _once(theirs, lambda path: _for_rivals(files, path))
    return Data(
        synthetic.SyntheticFiles(
            files / "schema.toml",
            files / "contacts.parquet",
            files / "events.parquet",
            files / "lists.parquet",
        ),
        RivalFiles(
            theirs / "contacts.parquet", {kind: theirs / f"{kind}.parquet" for kind in EVENTS}
        ),
        home / "headcount",
    )


def _once(path: Path, make: Callable[[Path], None]) -> Path:
    """Return *path*, which *make* fills if it is not there; an interrupted one is made again."""
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(path)
    return path


def _generate(path: Path, contacts: int, events: int) -> None:
    synthetic.generate(path, contacts=contacts, events=events, now=NOW)


def _for_rivals(files: Path, path: Path) -> None:
    with duckdb.connect() as sql:
        sql.execute("set timezone = 'UTC'; set memory_limit = '2GB'; set threads = 2")
        sql.execute(f"set temp_directory = '{path}/spill'")
        _copy(
            sql,
            "select cast(substr(id, 2) as integer) as number,"
            " * exclude (id) replace (signed_up_at::timestamp as signed_up_at)"
            f" from '{files}/contacts.parquet'",
            path / "contacts.parquet",
        )
        for kind, properties in PROPERTIES.items():
            _copy(
                sql,
                "select cast(substr(contact, 2) as integer) as contact, time::timestamp as time,"
                f" {', '.join(properties)} from '{files}/events.parquet' where type = '{kind}'"
                " order by time, contact",
                path / f"{kind}.parquet",
            )
    shutil.rmtree(path / "spill", ignore_errors=True)


def _copy(sql: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    sql.execute(f"copy ({query}) to '{path}' (format parquet)")
