"""A segment that is called timeless has the same members at every instant."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from headcount.index.block import Block
from headcount.index.view import Version, View
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.query.timeless import is_timeless
from support.strategies import seeded_cases
from support.worlds import World, to_blocks

SCHEMA = Schema(
    fields={
        "plan": Field("plan", FieldType.KEYWORD),
        "spent": Field("spent", FieldType.NUMBER),
        "birthday": Field("birthday", FieldType.DATE),
        "seen_at": Field("seen_at", FieldType.DATETIME),
        "last_click": Field("last_click", FieldType.DATETIME),
    },
    events={"email_open": EventType("email_open", aliases=("opened",))},
    groups={"engaged": ("email_open",)},
    calculated={"double": "spent * 2"},
)

CENTURY_US = 100 * 365 * 86_400 * 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "everyone",
        'plan = Pro and spent > 3 or not label contains any ("a", "b")',
        "plan in (Pro, Free) and city is empty",
        "seen_at between 2026-01-01 and 2026-02-01",
        'birthday = 2000-02-29 and in list "news" and sample 10%',
        "month(birthday) = 5 and spent / 2 + 1 >= 7",
        "last_click > 2026-01-01",  # a stored field of that name
    ],
)
def test_conditions_on_stored_values_are_timeless(text: str) -> None:
    """What only compares stored values with constants does not look at the clock."""
    assert is_timeless(parse(text), SCHEMA)


@pytest.mark.parametrize(
    "text",
    [
        "opened",
        "plan = Pro and did not email_open",
        "opened >= 3",
        "count(opened) > 3",
        "engaged in last 3 days",
        "last_open > 2026-01-01",
        "LAST_ACTIVITY is empty",
        "double > 3",
        "spent > DOUBLE",
        "seen_at > 30 days ago",
        "seen_at before today",
        "seen_at within last 3 days",
        "seen_at > now - 3 days",
        "anniversary(birthday) = 2026-05-05",
        "month(birthday) = current_month()",
    ],
)
def test_conditions_on_time_and_events_are_not(text: str) -> None:
    """Events, engagement times, ages and today depend on the instant; so may calculated fields."""
    assert not is_timeless(parse(text), SCHEMA)


def engine_of(world: World) -> Engine:
    """Return an engine over a world, in blocks of 16."""
    blocks = [
        Block.build(number, contacts, events, world.schema)
        for number, (contacts, events) in enumerate(to_blocks(world, 16))
    ]
    return Engine(View(world.schema, tuple(blocks), Version(1, 1), 16))


def test_timeless_segments_do_not_change() -> None:
    """For random worlds and segments: called timeless means equal a century earlier and later."""
    engines: dict[int, tuple[World, Engine]] = {}
    timeless = 0
    for case in seeded_cases(7, 600, per_world=60, sizes=(10, 40)):
        if not is_timeless(case.segment, case.world.schema):
            continue
        timeless += 1
        if id(case.world) not in engines:
            engines[id(case.world)] = case.world, engine_of(case.world)
        engine = engines[id(case.world)][1]
        now = int(case.as_of.timestamp()) * 1_000_000
        found = [
            [rows.to_array() for _, rows in engine.members(case.segment, context)]
            for at in (now - CENTURY_US, now, now + CENTURY_US)
            for context in [QueryContext(at, ZoneInfo(case.zone))]
        ]
        assert found[0] == found[1] == found[2]
    assert timeless > 60
