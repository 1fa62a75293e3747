"""Blocks and views: built, stored, opened under a grown schema, checked and measured."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gc
from pathlib import Path

import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index import stats, workspace
from headcount.index.block import Block, contact_schema, event_schema
from headcount.index.ids import IdColumn
from headcount.index.parts import Parts
from headcount.index.view import Version, View
from headcount.model.errors import CorruptionError
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.storage.tables import TableReader

SCHEMA = Schema(
    fields={
        "plan": Field("plan", FieldType.KEYWORD),
        "email": Field("email", FieldType.TEXT),
        "spent": Field("spent", FieldType.NUMBER),
        "vip": Field("vip", FieldType.BOOLEAN),
        "born": Field("born", FieldType.DATE),
    },
    events={"open": EventType("open", properties=(Field("mail", FieldType.KEYWORD),))},
    lists=("declared",),
)
DAY = dt.date(2024, 2, 29)
NOON = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)


def contacts(*ids: str) -> pa.Table:
    """Return a typed table of contacts whose other values follow from their place."""
    rows = [
        {
            "id": contact,
            "plan": ("Pro", "Free", None)[n % 3],
            "email": f"{contact}@example.org",
            "spent": n * 1.5 if n % 2 else None,
            "vip": n % 2 == 0,
            "born": DAY + dt.timedelta(days=n),
            "label": ["a", "b"][: n % 3],
            "list": ["news"] if n % 2 else None,
            "opted_out": ["news"] if n == 1 else None,
        }
        for n, contact in enumerate(ids)
    ]
    return pa.Table.from_pylist(rows, schema=contact_schema(SCHEMA))


def opens(*rows: int) -> dict[str, pa.Table]:
    """Return a table of one open for each of *rows*, a minute apart."""
    events = [
        {"row": row, "time": NOON + dt.timedelta(minutes=n), "property.mail": f"m{n}"}
        for n, row in enumerate(rows)
    ]
    return {"open": pa.Table.from_pylist(events, schema=event_schema(SCHEMA.events["open"]))}


def view(*blocks: Block, block_rows: int = 4) -> View:
    """Return a view of *blocks*."""
    return View(SCHEMA, blocks, Version(1, 1), block_rows)


@pytest.fixture
def block() -> Block:
    """A block of four contacts with three opens."""
    return Block.build(0, contacts("a", "b", "c", "d"), opens(2, 0, 2), SCHEMA)


def rows_of(table: pa.Table) -> list[dict[str, object]]:
    """Return the rows of a table, empty lists as missing."""
    return [{k: v or None if v == [] else v for k, v in r.items()} for r in table.to_pylist()]


def test_a_block_gives_back_what_it_was_built_from(block: Block) -> None:
    """The tables of contacts and events come out as they went in, events in order of time."""
    assert rows_of(block.contacts_table()) == rows_of(contacts("a", "b", "c", "d"))
    assert block.event_table("open").to_pylist() == opens(2, 0, 2)["open"].to_pylist()


def test_a_block_survives_its_parts(block: Block) -> None:
    """A block loaded from its parts holds the same and passes its check."""
    again = Block.load(0, Parts(list(block.parts())), SCHEMA)
    assert again.contacts_table() == block.contacts_table()
    assert again.event_table("open") == block.event_table("open")
    assert list(again.check()) == []


def test_a_field_added_later_is_missing(block: Block) -> None:
    """Under a schema that has grown, an old block has the new field and event, empty."""
    grown = dataclasses.replace(
        SCHEMA,
        fields={**SCHEMA.fields, "score": Field("score", FieldType.NUMBER)},
        events={**SCHEMA.events, "click": EventType("click")},
    )
    again = Block.load(0, Parts(list(block.parts())), grown)
    assert len(again.fields["score"].present) == 0
    assert again.events["click"].size == 0
    assert again.contacts_table()["score"].null_count == 4
    assert list(again.check()) == []


def test_no_contacts_is_a_block() -> None:
    """A block without rows stores, loads and passes its check."""
    empty = Block.build(0, contacts(), {}, SCHEMA)
    again = Block.load(0, Parts(list(empty.parts())), SCHEMA)
    assert again.rows == 0
    assert list(view(again).check()) == []


def test_lookup_crosses_blocks_and_skips_the_dead(block: Block) -> None:
    """Ids lead to ordinals in any block, and to nothing when the contact is not live."""
    second = Block.build(1, contacts("e", "f"), {}, SCHEMA)
    dead = dataclasses.replace(second, live=BitMap([0]))
    found = view(block, dead).lookup(pa.array(["f", "e", "a", "z"]))
    assert found.tolist() == [-1, 4, 0, -1]
    assert view(block, dead).live_count == 5


def test_known_names_are_those_declared_and_those_seen(block: Block) -> None:
    """Labels and lists are known when a contact has them or the schema declares them."""
    assert view(block).labels == {"a", "b"}
    assert view(block).lists == {"news", "declared"}


def test_check_finds_an_id_in_two_blocks(block: Block) -> None:
    """An id that is in two blocks is named by the check."""
    again = Block.build(1, contacts("x", "a"), {}, SCHEMA)
    assert list(view(block, again).check()) == [
        "block 1, ids: 1 of them also in block 0, the first in row 1"
    ]


def test_check_names_what_disagrees(block: Block) -> None:
    """Indexes of another size, rows past the end and blocks out of place are all named."""
    other = Block.build(0, contacts("a", "b"), {}, SCHEMA)
    broken = dataclasses.replace(
        block, number=3, live=BitMap([0, 9]), fields={**block.fields, "plan": other.fields["plan"]}
    )
    found = list(view(broken).check())
    assert found == [
        "block 3 stands in place 0",
        "block 3, live: holds row 9 of 4 rows",
        "block 3, field plan: has 2 rows, the block has 4",
        "ordinals: 9 is taken, though the next one is 4",
    ]


def test_check_finds_ids_that_lead_elsewhere(block: Block) -> None:
    """An id column with the same id twice does not pass."""
    broken = dataclasses.replace(block, ids=IdColumn(pa.array(["a", "b", "a", "d"])))
    assert any("do not lead back" in message for message in view(broken).check())


def test_size_is_counted_twice_over(block: Block) -> None:
    """Bytes by kind and bytes by index are two sums of the same, and events are counted."""
    found = stats.measure(view(block))
    assert found.contacts == 4
    assert found.events["open"] == 3
    assert sum(found.bytes_by_kind.values()) == sum(found.bytes_by_index.values())
    assert found.total_bytes > 0
    assert found.largest(1)[0][1] == max(found.bytes_by_index.values())


def test_a_view_survives_the_disk(block: Block, tmp_path: Path) -> None:
    """A saved view opens with the same blocks, schema and version."""
    saved = view(block, Block.build(1, contacts("e"), opens(0), SCHEMA))
    assert workspace.save_view(tmp_path, "default", saved) == 1
    again = workspace.open_view(tmp_path, "default")
    assert again.schema == SCHEMA
    assert (again.version, again.block_rows, again.live_count) == (Version(1, 1), 4, 5)
    for ours, theirs in zip(saved.blocks, again.blocks, strict=True):
        assert ours.contacts_table() == theirs.contacts_table()
        assert ours.event_table("open") == theirs.event_table("open")


def test_only_changed_blocks_are_written(block: Block, tmp_path: Path) -> None:
    """Blocks named as unchanged come from the generation before, whatever the view holds."""
    second = Block.build(1, contacts("e"), {}, SCHEMA)
    workspace.save_view(tmp_path, "default", view(block, second))
    changed = Block.build(1, contacts("f"), {}, SCHEMA)
    unread = Block.build(0, contacts("q", "r", "s", "t"), {}, SCHEMA)
    workspace.save_view(tmp_path, "default", view(unread, changed), unchanged=[0])
    again = workspace.open_view(tmp_path, "default")
    assert [b.ids.array.to_pylist() for b in again.blocks] == [["a", "b", "c", "d"], ["f"]]


def test_parts_that_do_not_fit_are_damage(block: Block, tmp_path: Path) -> None:
    """A stored block without one of its parts is damaged, when that one is asked for."""
    from headcount.model import schema_toml
    from headcount.storage.snapshot import SnapshotMeta, write_snapshot

    kept = [part for part in block.parts() if part.name != "field/spent/order"]
    assert len(kept) == len(list(block.parts())) - 1
    meta = SnapshotMeta(schema_toml.render(SCHEMA), version=1, epoch=1, block_rows=4)
    write_snapshot(tmp_path, "default", meta, [(0, kept)])
    (opened,) = workspace.open_view(tmp_path, "default").blocks
    assert opened.fields["plan"].rows == 4
    with pytest.raises(CorruptionError, match="block 0"):
        opened.fields["spent"]


def test_what_nobody_asks_for_is_not_in_memory(block: Block, tmp_path: Path) -> None:
    """An index of a stored block is read when it is asked for, and counted from then on."""
    workspace.save_view(tmp_path, "default", view(block))
    (opened,) = workspace.open_view(tmp_path, "default").blocks
    assert opened.rows == 4
    assert opened.memory() == {"live": block.memory()["live"], "ids": {"ids": 0, "id lookup": 0}}
    assert opened.fields["plan"].rows == 4
    assert set(opened.memory()) == {"live", "ids", "field plan"}
    assert stats.measure(view(opened)).events == stats.measure(view(block)).events
    assert set(opened.memory()) == {"live", "ids", "field plan"}
    assert list(opened.check()) == []
    read, built = opened.memory(), block.memory()
    assert read.keys() == built.keys()
    assert read["ids"]["ids"] == built["ids"]["ids"]
    assert read["event open"].keys() == built["event open"].keys()


def test_copied_blocks_are_read_from_where_they_were_copied_to(
    block: Block, tmp_path: Path
) -> None:
    """After they have moved, blocks do not keep the generation before open."""
    second = Block.build(1, contacts("e"), {}, SCHEMA)
    workspace.save_view(tmp_path, "default", view(block, second))
    opened = workspace.open_view(tmp_path, "default")
    assert {reader._path.name for reader in _open_snapshots()} == {"gen-000001.db"}
    workspace.save_view(tmp_path, "default", opened, unchanged=[0, 1])
    workspace.move_blocks(tmp_path, "default", opened.blocks)
    assert {reader._path.name for reader in _open_snapshots()} == {"gen-000002.db"}
    for moved, built in zip(opened.blocks, (block, second), strict=True):
        assert moved.contacts_table() == built.contacts_table()
        assert moved.event_table("open") == built.event_table("open")


def _open_snapshots() -> list[TableReader]:
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, TableReader)]
