"""Loading small files, and reading back everything that was stored."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headcount.index.view import View
from headcount.index.workspace import open_view
from headcount.load.loader import load
from headcount.load.summary import LoadSummary
from headcount.model import schema_toml

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def put(
    folder: Path,
    schema: str | None = None,
    *,
    contacts: str | Path | list[Path] = (),
    events: str | Path | list[Path] = (),
    lists: str | Path | list[Path] = (),
    **options: Any,
) -> LoadSummary:
    """
    Load into `folder/data`; text is the content of a CSV file, a path is a file.

    Refused rows go to `folder/rejects.csv`.
    """
    given = {"contacts": contacts, "events": events, "lists": lists}
    files = {
        kind: [write(folder, f"{kind}.csv", value)]
        if isinstance(value, str)
        else ([value] if isinstance(value, Path) else list(value))
        for kind, value in given.items()
    }
    options.setdefault("rejects_path", folder / "rejects.csv")
    options.setdefault("now", NOW)
    parsed = None if schema is None else schema_toml.parse(schema)
    return load(folder / "data", schema=parsed, **files, **options)


def rejects(folder: Path) -> list[tuple[str, int, str, str, str]]:
    """Return the lines of `folder/rejects.csv`: file, line, column, value, reason."""
    with (folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        return [(r[0], int(r[1]), r[2], r[3], r[4]) for r in list(csv.reader(file))[1:]]


@dataclass(frozen=True)
class Contents:
    """
    What a workspace holds: of each contact its values but the missing ones, sets as sets; of each
    event its contact, time, id and properties, by type.
    """

    contacts: dict[str, dict[str, Any]]
    events: dict[str, list[tuple[str, dt.datetime, str | None, dict[str, Any]]]]


def contents(folder: Path, workspace: str = "default") -> Contents:
    """Return everything in `folder/data`, having checked that its structures agree."""
    return contents_of(open_view(folder / "data", workspace))


def contents_of(view: View) -> Contents:
    """Return everything in *view*, having checked that its structures agree."""
    assert list(view.check()) == []
    contacts: dict[str, dict[str, Any]] = {}
    events: dict[str, list[tuple[str, dt.datetime, str | None, dict[str, Any]]]] = {}
    for block in view.blocks:
        rows = block.contacts_table().to_pylist()
        for row in rows:
            contact = row.pop("id")
            contacts[contact] = {
                name: set(value) if isinstance(value, list) else value
                for name, value in row.items()
                if value is not None
            }
        for event in view.schema.all_events.values():
            for found in block.event_table(event.name).to_pylist():
                contact = rows_id(block.ids.array[found.pop("row")])
                time, event_id = found.pop("time"), found.pop("id")
                values = {
                    name.removeprefix("property."): v for name, v in found.items() if v is not None
                }
                events.setdefault(event.name, []).append((contact, time, event_id, values))
    return Contents(contacts, events)


def rows_id(scalar: Any) -> str:
    """Return an Arrow string scalar as a string."""
    return str(scalar.as_py())
