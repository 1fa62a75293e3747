"""Draws: the members with the lowest hashes, whatever way they are found."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index import bitmaps, ids
from headcount.index.ids import IdColumn
from headcount.index.view import Version, View
from headcount.model.schema import Schema
from headcount.query import draw
from headcount.query.draw import Draw
from support.engines import view_of
from support.oracle_values import fmix64, fnv1a64
from support.worlds import World


def view_with(contacts: int, block_rows: int) -> View:
    """Return a view of contacts that have nothing but an id."""
    world = World(Schema(), {f"c{n}": {} for n in range(contacts)}, [])
    if not contacts:
        return View(world.schema, (), Version(1, 1), block_rows)
    return view_of(world, block_rows)


def drawn(view: View, members: list[BitMap], size: int) -> list[str]:
    """Return the ids drawn among *members*, a bitmap a block."""
    made = Draw(size)
    for block, rows in zip(view.blocks, members, strict=True):
        made.add(block, rows)
    return [view.blocks[number].ids.array[row].as_py() for number, row in made.result()]


def lowest(view: View, members: list[BitMap], size: int) -> list[str]:
    """Return the same, by sorting all of them."""
    found = [
        id_
        for block, rows in zip(view.blocks, members, strict=True)
        for id_ in block.ids.take(bitmaps.to_rows(rows)).to_pylist()
    ]
    return sorted(found, key=lambda id_: fmix64(fnv1a64(id_) ^ fnv1a64("")))[:size]


VIEW = view_with(300, 64)


@pytest.fixture(params=[(4096, 2048), (8, 0), (8, 4), (64, 0), (1, 0)], autouse=True)
def paths(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks of 64 go through every way of finding members."""
    known, few = request.param
    monkeypatch.setattr(ids, "_LOWEST", known)
    monkeypatch.setattr(draw, "_FEW", few)
    monkeypatch.setattr(draw, "_STRETCH", 3)
    for block in VIEW.blocks:
        block.ids.__dict__.pop("lowest", None)


@given(st.sets(st.integers(0, 299)), st.integers(0, 40))
def test_those_with_the_lowest_hashes_are_drawn(chosen: set[int], size: int) -> None:
    """Drawing is sorting everybody by hash and taking the first."""
    members = [
        BitMap(n - 64 * block.number for n in chosen if n // 64 == block.number)
        for block in VIEW.blocks
    ]
    assert drawn(VIEW, members, size) == lowest(VIEW, members, size)


def test_a_part_of_a_segment_shares_its_draw() -> None:
    """Those who fit two segments and are drawn from the larger are drawn from the smaller."""
    everyone = [bitmaps.full(block.rows) for block in VIEW.blocks]
    half = [BitMap(range(0, block.rows, 2)) for block in VIEW.blocks]
    from_all, from_half = drawn(VIEW, everyone, 20), drawn(VIEW, half, 20)
    even = {id_ for id_ in from_all if int(id_[1:]) % 2 == 0}
    assert even <= set(from_half)
    assert [id_ for id_ in from_half if id_ in even] == [id_ for id_ in from_all if id_ in even]


def test_nobody_is_drawn_of_nobody() -> None:
    """An empty view, empty blocks and a draw of none are no special case."""
    assert drawn(view_with(0, 64), [], 5) == []
    assert drawn(VIEW, [BitMap()] * len(VIEW.blocks), 5) == []
    assert drawn(VIEW, [bitmaps.full(block.rows) for block in VIEW.blocks], 0) == []


def test_hashes_are_the_same_alone_and_together() -> None:
    """The hash of an id does not depend on whether the ids beside it were hashed too."""
    names = [f"user-{n}@example.com" for n in range(100)]
    rows = np.array([3, 99, 0], dtype=np.uint32)
    expected = [fmix64(fnv1a64(names[row]) ^ fnv1a64("")) for row in rows]
    column = IdColumn.build(pa.array(names))
    assert column.mixed(rows).tolist() == expected
    assert "fnv1a" not in column.__dict__
    assert len(column.fnv1a) == 100
    assert column.mixed(rows).tolist() == expected
    assert IdColumn.build(pa.array(names)).mixed(np.arange(100)).tolist()[99] == expected[1]
