"""The tables and files of a world say the same as the world."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headcount.model.schema import LIST_JOINED, LIST_OPTED_OUT, Field, FieldType
from support import oracle, strategies
from support.dice import Dice
from support.random_segments import random_segment
from support.random_worlds import Scene
from support.worlds import (
    Event,
    Files,
    World,
    to_blocks,
    to_tables,
    write_csv,
    write_ndjson,
    write_parquet,
)

SEEDS = range(12)


def place(seed: int, *, loadable: bool = False) -> tuple[World, Scene]:
    """Return a world of 25 contacts."""
    return strategies.random_place(Dice(seed), 25, loadable=loadable)


def assert_same(world: World, scene: Scene, again: World) -> None:
    """Assert that the oracle cannot tell two worlds apart."""
    assert list(again.contacts) == list(world.contacts)
    for seed in range(60):
        segment = random_segment(Dice(seed), world, scene)
        question = (segment, scene.as_of, scene.zone.key)
        assert oracle.members(again, *question) == oracle.members(world, *question)


def held(row: Mapping[str, object]) -> dict[str, Any]:
    """Return what a row has a value for; lists as tuples."""
    found = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    return {name: v for name, v in found.items() if v not in (None, "", ())}


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_say_the_same(seed: int) -> None:
    """A world made from the tables has the same members in every segment."""
    world, scene = place(seed)
    contacts, tables = to_tables(world)
    rows = {row["id"]: held(row) for row in contacts.to_pylist()}
    events = []
    for type_, table in tables.items():
        for row in table.to_pylist():
            properties = held({k.removeprefix("property."): v for k, v in row.items()
                               if k.startswith("property.")})  # fmt: skip
            events.append(Event(row["contact"], type_, row["time"], row["id"], properties))
    assert_same(world, scene, World(world.schema, rows, events))


def test_tables_have_the_types_of_the_contract() -> None:
    """Contacts have a column for every stored field, `list` and `opted_out`; events all columns."""
    world, _ = place(3)
    contacts, tables = to_tables(world)
    stored = {f.name for f in world.schema.all_fields.values()}
    assert set(contacts.column_names) == stored | {"list", "opted_out"}
    assert contacts.schema.field("created_at").type == pa.timestamp("us", "UTC")
    assert contacts.schema.field("label").type == pa.list_(pa.string())
    assert set(tables) == {e.name for e in world.schema.all_events.values()}
    for event_type in world.schema.all_events.values():
        properties = [f"property.{p.name}" for p in event_type.properties]
        assert tables[event_type.name].column_names == ["contact", "time", "id", *properties]


@pytest.mark.parametrize("block_rows", [1, 4, 8, 64])
def test_blocks_are_the_tables_cut_up(block_rows: int) -> None:
    """Rows count from 0 in each block, and no contact or event is lost."""
    world, _ = place(5)
    contacts, tables = to_tables(world)
    blocks = list(to_blocks(world, block_rows))
    assert pa.concat_tables([c for c, _ in blocks]).equals(contacts)
    for name, table in tables.items():
        again = []
        for number, (_, events) in enumerate(blocks):
            ids = list(world.contacts)[number * block_rows :][:block_rows]
            again += [{**row, "contact": ids[row["row"]]} for row in events[name].to_pylist()]
            assert events[name].schema.field("row").type == pa.uint32()
        for row in again:
            del row["row"]
        order = list(world.contacts).index
        # ordinals rise from block to block; inside a block the order given stays
        wanted = sorted(table.to_pylist(), key=lambda row: order(row["contact"]) // block_rows)
        assert again == wanted


def test_an_event_id_is_in_the_tables_once() -> None:
    """Of equal ids of one contact and type the first is kept."""
    world, _ = place(1)
    first = Event("42", world.schema.event_names()[0], dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "x")
    name = first.type
    later = Event("42", name, dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "x")
    _, tables = to_tables(World(world.schema, {"42": {}}, [first, later]))
    assert tables[name].column("time").to_pylist() == [first.time]


# --- files --------------------------------------------------------------------------------------


def read_csv(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a CSV file, without empty cells."""
    with path.open(newline="", encoding="utf-8") as file:
        return [held(row) for row in csv.DictReader(file)]


def read_ndjson(path: Path) -> list[dict[str, Any]]:
    """Return the objects of an NDJSON file."""
    return [held(json.loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def read_parquet(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, without nulls."""
    return [held(row) for row in pq.read_table(path).to_pylist()]


def parsed(value: Any, field: Field) -> object:
    """Return a cell as a value of *field*."""
    if not isinstance(value, str):
        return float(value) if field.type is FieldType.NUMBER else value
    match field.type:
        case FieldType.NUMBER:
            return float(value)
        case FieldType.BOOLEAN:
            return {"true": True, "false": False}[value]
        case FieldType.DATE:
            return dt.date.fromisoformat(value)
        case FieldType.DATETIME:
            return dt.datetime.fromisoformat(value)
        case FieldType.KEYWORDS:
            return tuple(value.split(";"))
        case _:
            return value


WHEN = Field("time", FieldType.DATETIME)


def loaded(world: World, files: Files, read: Any) -> World:
    """Return the world that naive readers make of the files."""
    schema = world.schema
    contacts: dict[str, dict[str, object]] = {}
    for row in (row for path in files.contacts for row in read(path)):
        id_ = row.pop(schema.id_column)
        fields = {name: schema.field(name) for name in row}
        contacts[id_] = {n: parsed(row[n], f) for n, f in fields.items() if f is not None}
        assert len(contacts[id_]) == len(row)
    events = []
    for row in (row for path in files.events for row in read(path)):
        (type_,) = schema.event(row["type"])
        properties = {p.name: parsed(row[p.name], p) for p in type_.properties if p.name in row}
        time = parsed(row["time"], WHEN)
        assert isinstance(time, dt.datetime)
        events.append(Event(row["contact"], type_.name, time, row.get("id"), properties))
    for row in (row for path in files.lists for row in read(path)):
        contact = contacts[row["contact"]]
        for column, at, type_name in (
            ("list", "joined_at", LIST_JOINED), ("opted_out", "opted_out_at", LIST_OPTED_OUT)
        ):  # fmt: skip
            if column == "list" or at in row:
                contact[column] = (*contact.get(column, ()), row["list"])  # type: ignore[misc]
            if at in row:
                time = parsed(row[at], WHEN)
                assert isinstance(time, dt.datetime)
                told = {"list": row["list"]}
                events.append(Event(row["contact"], type_name, time, None, told))
    return World(schema, contacts, events)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("write", "read"),
    [(write_csv, read_csv), (write_ndjson, read_ndjson), (write_parquet, read_parquet)],
)
def test_files_say_the_same(write: Any, read: Any, seed: int, tmp_path: Path) -> None:
    """A world read back from its files has the same members in every segment."""
    world, scene = place(seed, loadable=True)
    assert world.is_loadable
    assert_same(world, scene, loaded(world, write(world, tmp_path), read))


def test_a_world_that_no_file_can_say_is_not_written(tmp_path: Path) -> None:
    """Leaving a list cannot be said in a file."""
    schema = place(1)[0].schema
    left = Event("a", "list_left", dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None, {"list": "news"})
    with pytest.raises(AssertionError):
        write_csv(World(schema, {"a": {}}, [left]), tmp_path)


def test_a_world_without_contacts_can_be_written(tmp_path: Path) -> None:
    """No contacts, no events and no lists are empty tables and files."""
    world, _ = strategies.random_place(Dice(1), 0, loadable=True)
    contacts, _ = to_tables(world)
    assert contacts.num_rows == 0
    assert list(to_blocks(world, 8)) == []
    for write in (write_csv, write_ndjson, write_parquet):
        for path in write(world, tmp_path).contacts:
            assert path.exists()
