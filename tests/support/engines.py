"""The engine over a world: its blocks built in memory, its answers as ids."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Container
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import BLOCK_ROWS, Block
from headcount.index.view import Version, View
from headcount.query.clock import to_micros
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from support.worlds import World, to_blocks


def view_of(world: World, block_rows: int = BLOCK_ROWS) -> View:
    """Return the view of a world, in blocks of that many contacts."""
    blocks = [
        Block.build(number, contacts, events, world.schema)
        for number, (contacts, events) in enumerate(to_blocks(world, block_rows))
    ]
    return View(world.schema, tuple(blocks), Version(1, 1), block_rows)


def context_at(as_of: dt.datetime, zone: str = "UTC") -> QueryContext:
    """Return the context of a query at an aware instant."""
    return QueryContext(to_micros(as_of), ZoneInfo(zone))


def members_of(engine: Engine, query: Query, context: QueryContext) -> list[str]:
    """Return the ids of a query's members, in the order of their ordinals."""
    found: list[str] = []
    for block, rows in engine.members(query, context):
        found += block.ids.take(bitmaps.to_rows(rows)).to_pylist()
    return found


class Engines:
    """An engine over the world that was asked about last, in blocks of 16 contacts."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._engine: Engine | None = None

    def over(self, world: World) -> Engine:
        """Return the engine over *world*."""
        if self._engine is None or world is not self._world:
            self._world, self._engine = world, Engine(view_of(world, 16))
        return self._engine


def without(view: View, ids: Container[str]) -> View:
    """Return *view* after the contacts with some of *ids* were deleted: their rows stay."""
    blocks = []
    for block in view.blocks:
        held = enumerate(block.ids.array.to_pylist())
        live = BitMap(row for row, id_ in held if id_ not in ids)
        blocks.append(dataclasses.replace(block, live=live))
    return dataclasses.replace(view, blocks=tuple(blocks))
