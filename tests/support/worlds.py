"""
Worlds: a schema, contacts and events as plain Python values, and the same as tables and files.

A `World` is what the oracle looks at. The engine gets the same world in other clothes: as the
typed Arrow tables from which blocks are built (`to_tables`, `to_blocks`), or as the files that a
load takes (`write_csv`, `write_parquet`, `write_ndjson`), so that what lies between is tested too.

A load cannot be told that a contact left a list, nor that it opted out at no known time: only a
world that is `is_loadable` can be written as files.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from headcount.model.schema import (
    LIST_EVENTS,
    LIST_JOINED,
    LIST_OPTED_OUT,
    EventType,
    FieldType,
    Schema,
)
from headcount.query import tree

ARROW_TYPES = {
    FieldType.KEYWORD: pa.string(),
    FieldType.TEXT: pa.string(),
    FieldType.STAGE: pa.string(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: pa.timestamp("us", tz="UTC"),
    FieldType.KEYWORDS: pa.list_(pa.string()),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was recorded: `type` is a declared name, `properties` by declared name."""

    contact: str
    type: str
    time: dt.datetime
    id: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class World:
    """
    A schema, and contacts and events that fit it. Compared and hashed by identity.

    `contacts` maps an id to the values of its fields, by declared name: `str`, `float`, `bool`,
    `date`, `datetime` in UTC, and tuples of strings for multi-valued fields; plus `list` and
    `opted_out`, tuples of list names. None, "", () or no entry is a missing value. The order of
    contacts is that of their ordinals. `events` are in the order given; ids may occur twice.
    `saved` are segments by the name they were saved under.
    """

    schema: Schema
    contacts: Mapping[str, Mapping[str, object]]
    events: Sequence[Event]
    saved: Mapping[str, tree.Segment] = field(default_factory=dict)

    @property
    def is_loadable(self) -> bool:
        """Return whether files can say it: list events are exactly the dated memberships."""
        joined = [(e.contact, e.properties["list"]) for e in self._of(LIST_JOINED)]
        opted_out = [(e.contact, e.properties["list"]) for e in self._of(LIST_OPTED_OUT)]
        left = [e for e in self.events if e.type in LIST_EVENTS]
        members = self._memberships("list")
        return (
            len(left) == len(joined) + len(opted_out)
            and len(set(joined)) == len(joined)
            and set(joined) <= members
            and sorted(opted_out) == sorted(self._memberships("opted_out"))
            and set(opted_out) <= members
        )

    def _of(self, type_: str) -> list[Event]:
        return [e for e in self.events if e.type == type_]

    def _memberships(self, column: str) -> set[tuple[str, str]]:
        return {
            (id_, name)
            for id_, contact in self.contacts.items()
            for name in contact.get(column) or ()  # type: ignore[attr-defined]
        }


# --- tables -----------------------------------------------------------------------------------


def to_tables(world: World) -> tuple[pa.Table, dict[str, pa.Table]]:
    """
    Return the world as typed Arrow: the contacts, and the events of each type by declared name.

    Contacts have `id`, one column a stored field, `list` and `opted_out`. Events have `contact`,
    `time`, `id` and `property.<name>` columns, in the order given, each counted once: of the same
    id, contact and type the first is kept.
    """
    columns = {"id": pa.array(list(world.contacts), pa.string())}
    for stored in world.schema.all_fields.values():
        if stored.name != "id":
            columns[stored.name] = _column(world, stored.name, ARROW_TYPES[stored.type])
    for name in ("list", "opted_out"):
        columns[name] = _column(world, name, pa.list_(pa.string()))
    events: dict[str, list[Event]] = {e.name: [] for e in world.schema.all_events.values()}
    seen = set()
    for event in world.events:
        identity = (event.contact, event.type, event.id)
        if event.id is None or identity not in seen:
            seen.add(identity)
            events[event.type].append(event)
    tables = {e.name: _event_table(e, events[e.name]) for e in world.schema.all_events.values()}
    return pa.table(columns), tables


def to_blocks(world: World, block_rows: int) -> Iterator[tuple[pa.Table, dict[str, pa.Table]]]:
    """
    Yield the tables of `to_tables` block by block, *block_rows* contacts each.

    Event tables have `row` (uint32, the contact's place in its block) instead of `contact`.
    """
    contacts, events = to_tables(world)
    ordinals = {id_: ordinal for ordinal, id_ in enumerate(world.contacts)}
    placed = {}
    for name, table in events.items():
        of_events = [ordinals[id_] for id_ in table.column("contact").to_pylist()]
        ordinal = pa.array(of_events, pa.int64())
        placed[name] = table.set_column(0, "ordinal", ordinal)
    for start in range(0, len(world.contacts), block_rows):
        here = {}
        for name, table in placed.items():
            of_table = table.column("ordinal").to_pylist()
            inside = [start <= o < start + block_rows for o in of_table]
            kept = table.filter(pa.array(inside, pa.bool_()))
            rows = [o - start for o in kept.column("ordinal").to_pylist()]
            here[name] = kept.set_column(0, "row", pa.array(rows, pa.uint32()))
        yield contacts.slice(start, block_rows), here


def _column(world: World, name: str, type_: pa.DataType) -> pa.Array:
    """Return one field of every contact; "" and empty sets are null, as a load makes them."""
    values = (contact.get(name) for contact in world.contacts.values())
    return pa.array([None if v in ("", ()) else v for v in values], type_)


def _event_table(event_type: EventType, events: Sequence[Event]) -> pa.Table:
    """Return the events of one type as a table."""
    columns = {
        "contact": pa.array([e.contact for e in events], pa.string()),
        "time": pa.array([e.time for e in events], pa.timestamp("us", tz="UTC")),
        "id": pa.array([e.id for e in events], pa.string()),
    }
    for property_ in event_type.properties:
        values = [e.properties.get(property_.name) for e in events]
        columns[f"property.{property_.name}"] = pa.array(
            [None if v == "" else v for v in values], ARROW_TYPES[property_.type]
        )
    return pa.table(columns)


# --- files ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a load takes."""

    contacts: list[Path]
    events: list[Path]
    lists: list[Path]


def write_csv(world: World, folder: Path) -> Files:
    """Write the world as three CSV files in *folder*: multi-valued cells are `;`-separated."""
    contacts, events, lists = _rows(world)
    return Files(
        [_csv(folder / "contacts.csv", contacts)],
        [_csv(folder / "events.csv", events)],
        [_csv(folder / "lists.csv", lists)],
    )


def write_ndjson(world: World, folder: Path) -> Files:
    """Write the world as three files of one JSON object a line; missing values are left out."""
    contacts, events, lists = _rows(world)
    return Files(
        [_ndjson(folder / "contacts.ndjson", contacts)],
        [_ndjson(folder / "events.ndjson", events)],
        [_ndjson(folder / "lists.ndjson", lists)],
    )


def write_parquet(world: World, folder: Path) -> Files:
    """Write the world as typed Parquet files in *folder*, the events in one file a type."""
    _assert_loadable(world)
    contacts, _ = to_tables(world)
    contacts = contacts.drop_columns(["list", "opted_out"])
    names = [world.schema.id_column if n == "id" else n for n in contacts.column_names]
    paths: list[Path] = []
    for event_type in world.schema.events.values():
        events = [e for e in world.events if e.type == event_type.name]
        table = _event_table(event_type, events)
        plain = [name.removeprefix("property.") for name in table.column_names]
        table = table.rename_columns(plain)
        types = pa.array([event_type.name] * len(events), pa.string())
        paths.append(folder / f"events-{len(paths)}.parquet")
        pq.write_table(table.append_column("type", types), paths[-1])
    pq.write_table(contacts.rename_columns(names), folder / "contacts.parquet")
    _, _, lists = _rows(world)
    schema = pa.schema(
        [
            ("list", pa.string()),
            ("contact", pa.string()),
            ("joined_at", pa.timestamp("us", tz="UTC")),
            ("opted_out_at", pa.timestamp("us", tz="UTC")),
        ]
    )
    pq.write_table(pa.Table.from_pylist(lists, schema), folder / "lists.parquet")
    return Files([folder / "contacts.parquet"], paths, [folder / "lists.parquet"])


Row = dict[str, object]


def _rows(world: World) -> tuple[list[Row], list[Row], list[Row]]:
    """Return the rows of the contacts, events and lists files."""
    _assert_loadable(world)
    stored = [f.name for f in world.schema.all_fields.values() if f.name != "id"]
    contacts = [
        {world.schema.id_column: id_, **{name: contact.get(name) for name in stored}}
        for id_, contact in world.contacts.items()
    ]
    declared = [e.name for e in world.schema.events.values()]
    properties = [p.name for e in world.schema.events.values() for p in e.properties]
    events = [
        {
            "contact": e.contact,
            "type": e.type,
            "time": e.time,
            "id": e.id,
            **{name: e.properties.get(name) for name in properties},
        }
        for e in world.events
        if e.type in declared
    ]
    times = {
        (e.type, e.contact, e.properties["list"]): e.time
        for e in world.events
        if e.type in LIST_EVENTS
    }
    lists = [
        {
            "list": name,
            "contact": id_,
            "joined_at": times.get((LIST_JOINED, id_, name)),
            "opted_out_at": times.get((LIST_OPTED_OUT, id_, name)),
        }
        for id_, contact in world.contacts.items()
        for name in contact.get("list") or ()  # type: ignore[attr-defined]
    ]
    return contacts, events, lists


def _assert_loadable(world: World) -> None:
    assert world.is_loadable, "this world has list events or opt-outs that no file can say"


def _csv(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows that all have the same keys; no rows, no header: an empty file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({k: _cell(v) for k, v in row.items()} for row in rows)
    return path


def _cell(value: object) -> str:
    """Return a value as the text of a CSV cell."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case dt.date():  # and datetimes
            return value.isoformat()
        case tuple():
            assert not any(";" in one for one in value), "a `;` would end the value"
            return ";".join(value)
        case _:
            return str(value)


def _ndjson(path: Path, rows: Sequence[Row]) -> Path:
    """Write one JSON object a line, without its missing values."""
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            held = {k: v for k, v in row.items() if v is not None}
            file.write(json.dumps(held, default=_cell, ensure_ascii=False) + "\n")
    return path
