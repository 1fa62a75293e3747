"""Matches at instants that move with the clock: those of an engine that remembers nothing."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from headcount.query.anchors import Anchor
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.match import match
from headcount.query.results import Results
from support.asking import happened
from support.dice import Dice
from support.engines import context_at, view_of
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases
from support.worlds import World

RUNS = 4
SEGMENTS = 60
_STEPS = (1, 1, 999_999, 1_000_000, 60_000_000, 3_600_000_000, 43_200_000_000, 86_400_000_000)


def later(context: QueryContext, micros: int) -> QueryContext:
    """Return the context so many µs later."""
    return dataclasses.replace(context, as_of=context.as_of + micros)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Return a list that grows by each answer that an anchor gives."""
    found: list[bool] = []
    original = Anchor.holds

    def holds(self: Anchor, block: object, row: int, as_of: int) -> bool | None:
        answer = original(self, block, row, as_of)  # type: ignore[arg-type]
        if answer is not None:
            found.append(answer)
        return answer

    monkeypatch.setattr(Anchor, "holds", holds)
    return found


@pytest.mark.parametrize("run", range(RUNS))
def test_matches_move_with_the_clock(run: int, known: list[bool]) -> None:
    """Random segments at rising instants, µs to days apart, are what they are bound anew."""
    world: World | None = None
    dice = Dice(run)
    for case in seeded_cases(3000 + run, SEGMENTS, sizes=(20, 40)):
        if case.world is not world:
            world = case.world
            view = view_of(world, 16)
            kept, fresh = Engine(view), Engine(view, Results(0))
            ids = sorted(world.contacts)
        context = context_at(case.as_of.astimezone(dt.UTC), case.zone)
        text = canonical(case.segment)
        for _ in range(12):
            found = match(kept, [text], ids, context)
            assert found == match(fresh, [text], ids, context), (text, context)
            context = later(context, dice.pick(_STEPS))
    assert {True, False} <= set(known)


def test_an_event_that_leaves_the_window_is_seen(known: list[bool]) -> None:
    """At the very microsecond at which the last of its events is too old, a contact is out."""
    text, engine = "opened in last 30 days", Engine(view_of(SHOP))
    opened = dt.datetime(2026, 4, 9, 12, tzinfo=dt.UTC)
    leaves = context_at(opened + dt.timedelta(days=30))
    for back, is_in in (
        (3_000_000, True),
        (2_000_000, True),
        (1_000_000, True),
        (1, True),
        (0, False),
        (-5, False),
    ):
        (found,) = match(engine, [text], ["bob"], later(leaves, -back)).matches
        assert found.segments == ((0,) if is_in else ())
    assert known == [True, True, False]


def test_a_new_version_keeps_an_anchor_unless_the_events_are_new(known: list[bool]) -> None:
    """Where a segment's events are others, or a contact has newer ones, it is worked out."""
    text, context = "opened in last 30 days", context_at(AS_OF)
    view = view_of(SHOP)
    engine = Engine(view)
    for step in range(3):
        match(engine, [text], ["ann"], later(context, step))
    assert known == [True]
    block = view.blocks[0]
    fewer = dataclasses.replace(
        view, blocks=(block.with_changes(live=block.live - block.live[5:6]),)
    )
    match(engine.at(fewer), [text], ["ann"], later(context, 4))
    assert known == [True, True]
    events = [*SHOP.events, *happened("fay", "email_open", "2026-05-09")]
    other = view_of(World(SHOP.schema, SHOP.contacts, events)).blocks[0]
    newer = {"email_open": (other.events["email_open"],)}
    after = dataclasses.replace(view, blocks=(block.with_changes(newer=newer),))
    match(engine.at(after), [text], ["ann", "cem"], later(context, 5))
    assert known == [True, True, False]


def test_what_is_so_for_an_hour_is_not_taken_for_what_it_is_all_day(known: list[bool]) -> None:
    """`now between X and Y` holds nobody at either end of the day."""
    world, engine = SHOP, Engine(view_of(SHOP))
    at = context_at(AS_OF)
    first, last = AS_OF + dt.timedelta(hours=1), AS_OF + dt.timedelta(hours=2)
    text = f"plan is not empty and now between {first.isoformat()} and {last.isoformat()}"
    ids = sorted(world.contacts)
    for minutes in (0, 1, 2, 90, 91, 92, 180):
        then = later(at, minutes * 60_000_000)
        fresh = Engine(view_of(SHOP), Results(0))
        assert match(engine, [text], ids, then) == match(fresh, [text], ids, then)
    assert known
