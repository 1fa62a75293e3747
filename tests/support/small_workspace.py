"""A small workspace of every type of field, in several blocks, for tests of what asks it."""

from __future__ import annotations

import datetime as dt
from functools import cache

from headcount.index.block import Block
from headcount.index.view import Version, View
from headcount.model.schema import EventType, Field, FieldType, Schema
from support.worlds import Event, World, to_blocks

BLOCK_ROWS = 16
COUNT = 50
AS_OF = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)

SCHEMA = Schema(
    time_zone="Europe/Berlin",
    fields={
        "plan": Field("plan", FieldType.KEYWORD, case_sensitive=True),
        "city": Field("city", FieldType.TEXT, fold_accents=True),
        "spent": Field("spent", FieldType.NUMBER),
        "vip": Field("vip", FieldType.BOOLEAN),
        "birthday": Field("birthday", FieldType.DATE),
        "seen_at": Field("seen_at", FieldType.DATETIME),
        "interests": Field("interests", FieldType.KEYWORDS),
        "stage": Field("stage", FieldType.STAGE, values=("new", "old")),
    },
    events={
        "open": EventType("open", aliases=("opened",)),
        "purchase": EventType("purchase", properties=(Field("amount", FieldType.NUMBER),)),
    },
    groups={"engaged": ("open", "purchase")},
    calculated={"twice": "spent * 2"},
    labels=("beta",),
    lists=("news",),
)


def contact(n: int) -> dict[str, object]:
    """Return the values of contact *n*; every seventh has none at all."""
    if n % 7 == 6:
        return {}
    return {
        "plan": ("Free", "Pro")[n % 2],
        "city": f"Zürich {n}",
        "spent": n * 1.5,
        "vip": n % 3 == 0,
        "birthday": dt.date(1990, 1, 1) + dt.timedelta(days=n),
        "seen_at": AS_OF - dt.timedelta(days=n, microseconds=n),
        "interests": tuple(sorted({"golf", ("chess", "tea")[n % 2]})),
        "stage": ("new", "old")[n % 2],
        "label": ("beta",) if n % 5 == 0 else (),
        "list": ("news",) if n % 4 == 0 else (),
    }


@cache
def world() -> World:
    """Return the workspace as plain data; contacts are named by number, `0` to `49`."""
    events = [
        Event(str(n), "open", AS_OF - dt.timedelta(days=n), f"open-{n}") for n in range(COUNT)
    ]
    events += [
        Event(str(n), "purchase", AS_OF - dt.timedelta(days=1), None, {"amount": float(n)})
        for n in range(0, COUNT, 3)
    ]
    return World(SCHEMA, {str(n): contact(n) for n in range(COUNT)}, events)


@cache
def view() -> View:
    """Return the workspace as a view."""
    blocks = [
        Block.build(number, contacts, events, SCHEMA)
        for number, (contacts, events) in enumerate(to_blocks(world(), BLOCK_ROWS))
    ]
    return View(SCHEMA, tuple(blocks), Version(epoch=3, sequence=14), BLOCK_ROWS)
