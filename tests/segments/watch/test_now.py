"""Segments that calculate with `now`, against the oracle: every turn at its microsecond."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from headcount.index.view import View
from headcount.index.workspace import save_view
from headcount.query import course as course_module
from headcount.query.clock import to_micros
from headcount.query.format import format as canonical
from headcount.query.parse import parse
from headcount.query.traced import Meetings
from headcount.query.turns import turns
from headcount.segments.watch import queue as queue_module
from headcount.segments.watch.binding import Definition, course_of
from headcount.segments.watch.candidates import of_computed
from headcount.segments.watch.commit import Touched
from headcount.segments.watch.document import Spec
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.queue import Queue
from headcount.segments.watch.transitions import Settings, Transition
from headcount.segments.watch.watcher import WatcherSettings
from headcount.storage.folder import WriterLock
from support import oracle
from support.dice import Dice
from support.engines import view_of
from support.house import HOUR, House
from support.random_worlds import random_scene
from support.reckoning import SCHEMA, ZONES, Reckonings, random_world
from support.watching import US, Commit, Reader, Step, Views, assert_time_is_right, random_step
from support.worlds import Event, World

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
CASES = int(os.environ.get("HEADCOUNT_TEST_NOW", "48"))
RUNS = 8
KEPT = WatcherSettings(history_age=100 * 365 * 24 * HOUR)
SPANS = (
    dt.timedelta(hours=3),
    dt.timedelta(minutes=7),
    dt.timedelta(hours=30),
    dt.timedelta(days=3, seconds=1),
)


def play(dice: Dice) -> int:
    """Watch a segment through batches, steps and restarts; return how much it told by time."""
    scene, zone = random_scene(dice), dice.pick(ZONES)
    world = random_world(dice, scene)
    views = Views(world, block_rows=4)
    view = views.of(world)
    at = scene.as_of.astimezone(dt.UTC)
    end = at + 3 * dice.pick(SPANS)
    made = Reckonings(dice, world, zone, at, end).reckoning()
    course = course_of(Definition(made.segment, ZoneInfo(zone)), view)
    try:
        membership, seeds = Membership.begin(view, course, Settings(seed=True), to_micros(at))
        reader, told = Reader(()), 0
        for one in seeds:
            reader.read(one)
        while at < end:
            if not membership.is_exact:
                return told
            to = min(end, at + dice.pick(SPANS))
            stream = _advanced(dice, membership, to_micros(at), to_micros(to))
            told += len(stream)
            assert_time_is_right(world, made.segment, zone, stream, reader, at, to, made.edges)
            at = to
            step = random_step(dice, world, scene, at)
            after = views.of(step.world)
            commit = Commit(view, after, to_micros(at), views.touched(step))
            for one in membership.commit(Touched(commit)):
                reader.read(one)
            world, view = step.world, after
            assert reader.members == oracle.members(world, made.segment, at, zone)
            if dice.chance(20):  # as after a restart
                state = membership.state
                membership = Membership(view, course, Settings(seed=True), state)
    except Exception as error:
        error.add_note(f"{canonical(made.segment)} in {zone}")
        raise
    return told


def _advanced(dice: Dice, membership: Membership, at: int, to: int) -> list[Transition]:
    """Let time go by, at once or in steps."""
    found: list[Transition] = []
    for _ in range(dice.pick((0, 0, 2, 5))):
        at = dice.integer(at, to)
        membership.foresee(at)
        found += membership.advance(at)
    return found + membership.advance(to)


@pytest.mark.parametrize("run", range(RUNS))
def test_turns_are_at_their_microsecond(run: int) -> None:
    """Random calculations, thresholds that are met, batches, restarts."""
    for number in range(CASES // RUNS):
        play(Dice((SEED * RUNS + run) * 1_000_003 + number))


def play_all(count: int) -> int:
    """Play so many cases; return how much was told."""
    return sum(play(Dice(SEED * 1_000_003 + number)) for number in range(count))


def test_something_is_told() -> None:
    """The plays are not of segments that say nothing."""
    assert play_all(60) > 100


# --- the queue, a few minutes ahead -----------------------------------------------------------

NOON = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def watched(world: World, text: str) -> tuple[Membership, Views, View, Reader]:
    """Return a watch that has looked a minute ahead since noon, and so knows the next hour."""
    views = Views(world)
    view = views.of(world)
    course = course_of(Definition(text, ZoneInfo("UTC")), view)
    membership, _ = Membership.begin(view, course, Settings(), to_micros(NOON))
    assert membership.is_exact
    reader = Reader(oracle.members(world, parse(text), NOON, "UTC"))
    told = membership.advance(to_micros(NOON + MINUTE))
    assert_time_is_right(world, parse(text), "UTC", told, reader, NOON, NOON + MINUTE)
    return membership, views, view, reader


def write_shortly_before() -> None:
    """Write to a contact ten minutes before it is three hours since it was seen."""
    text = "round((now - seen) * 24 * 60) >= 180"
    before = World(SCHEMA, {"c0": {"seen": NOON}, "c1": {"seen": NOON - 174 * MINUTE}}, [])
    membership, views, view, reader = watched(before, text)
    at = NOON + MINUTE
    seen = {"c0": {"seen": at - 170 * MINUTE}, "c1": {"seen": NOON}}
    step = Step(World(SCHEMA, seen, []), frozenset(seen), at)
    after = views.of(step.world)
    touched = Touched(Commit(view, after, to_micros(at), views.touched(step)))
    assert membership.commit(touched) == []
    told = membership.advance(to_micros(at + 30 * MINUTE))
    turn = at + dt.timedelta(seconds=570)  # from half a minute before on
    assert [(one.contact, one.at) for one in told] == [("c0", to_micros(turn))]
    assert_time_is_right(
        step.world, parse(text), "UTC", told, reader, at, at + 30 * MINUTE, [turn, turn - US]
    )


def test_a_contact_that_was_written_to_turns_when_it_says_now() -> None:
    """What was known of it is not told, and what is so now is."""
    write_shortly_before()


def count_shortly_before() -> None:
    """Let an event leave its window ten minutes before the quotient would turn."""
    text = "count(open in last 3 hours) / (now - seen) < 16"
    events = [Event("c0", "open", NOON - (170 - n) * MINUTE) for n in (0, 60)]
    world = World(SCHEMA, {"c0": {"seen": NOON - 73 * MINUTE}}, events)
    membership, _, _, reader = watched(world, text)
    to = NOON + 59 * MINUTE
    told = membership.advance(to_micros(to))
    turn = NOON + 17 * MINUTE + US  # one open in 90 minutes
    assert [(one.contact, one.at) for one in told] == [("c0", to_micros(turn))]
    assert_time_is_right(
        world, parse(text), "UTC", told, reader, NOON + MINUTE, to, [turn, turn - US]
    )


def test_a_figure_that_changes_moves_the_turn() -> None:
    """Two opens in 180 minutes, or one in 90."""
    count_shortly_before()


# --- restarts ---------------------------------------------------------------------------------


def sleep(folder: Path, seed: int) -> int:
    """Watch segments in a house that is closed most of the time; return how much they told."""
    dice = Dice(seed)
    scene, zone = random_scene(dice), dice.pick(ZONES)
    world = random_world(dice, scene)
    at = scene.as_of.astimezone(dt.UTC)
    end = at + dt.timedelta(days=3)
    reckonings = Reckonings(dice, world, zone, at, end)
    made = {f"w{n}": reckonings.reckoning() for n in range(8)}
    with WriterLock(folder) as lock:
        save_view(folder, "default", view_of(world, 4), lock=lock)
        house = House(folder, lock, now=to_micros(at), settings=KEPT)
        house.open()
        try:
            readers, read = {}, dict.fromkeys(made, 0)
            for name, one in made.items():
                text = canonical(one.segment)
                house.watcher.create(Spec(name, text, zone, Settings(), house.now))
                readers[name] = Reader(oracle.members(world, one.segment, at, zone))
            while at < end:
                to = min(end, at + dice.pick(SPANS))
                asleep = dice.pick((house.crash, house.restart, house.watcher.step))
                house.now = to_micros(to)
                asleep()
                house.watcher.step()
                for name, one in made.items():
                    watch = house.watcher.get(name)
                    assert watch.membership is not None, watch.fault
                    if not watch.membership.is_exact:
                        continue
                    new = house.said(name, read[name])
                    read[name] += len(new)
                    edges = [*one.edges, to]
                    assert_time_is_right(
                        world, one.segment, zone, new, readers[name], at, to, edges
                    )
                at = to
        finally:
            house.watcher.close()
            house.live.close()
    return sum(read.values())


@pytest.mark.parametrize("seed", range(6))
def test_turns_that_were_slept_through_are_told(tmp_path: Path, seed: int) -> None:
    """Crashes and restarts with hours and days between: each turn has its own instant."""
    sleep(tmp_path, SEED * 1_000 + seed)


# --- the check can fail -----------------------------------------------------------------------


def shifted(by: int) -> Callable[..., Any]:
    """Return a `turns` that is late by some µs."""

    def found(*given: Any) -> Any:
        rows, times = turns(*given)
        within = given[3]
        last = np.zeros(int(rows.max(initial=-1)) + 1, dtype=np.int64)
        np.maximum.at(
            last, within.rows[within.rows < len(last)], within.high[within.rows < len(last)]
        )
        kept = times + by <= last[rows]
        return rows[kept], times[kept] + by

    return found


def without_first(*given: Any) -> Any:
    """Return `turns` without one of them."""
    rows, times = turns(*given)
    return rows[1:], times[1:]


@pytest.mark.parametrize("broken", [shifted(1), shifted(-1), without_first])
def test_a_wrong_microsecond_or_an_overlooked_turn_is_found(
    broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle catches a queue that is nearly right."""
    monkeypatch.setattr(queue_module, "turns", broken)
    with pytest.raises(AssertionError):
        play_all(60)


@pytest.mark.parametrize("late", [1, -1])
def test_an_event_that_is_chosen_at_a_wrong_microsecond_is_found(
    late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a `where` with the clock in it, or a computed time, brings has its own instant."""

    def broken(*given: Any) -> Any:
        after, to = given[4:6]
        for who, times in of_computed(*given):
            moved = times + late
            kept = (moved > after) & (moved <= to)
            yield who[kept], moved[kept]

    monkeypatch.setattr(queue_module, "of_computed", broken)
    with pytest.raises(AssertionError):
        play_all(300)


def test_a_turn_of_everybody_that_is_overlooked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is the same for all ends a piece where it turns."""
    monkeypatch.setattr(course_module, "turns", without_first)
    with pytest.raises(AssertionError):
        play_all(300)


def test_a_constant_that_is_met_unseen_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """`now between X and Y` is no one at both ends of a day, and everyone in between."""
    monkeypatch.setattr(Meetings, "note", lambda *_: None)
    with pytest.raises(AssertionError):
        play_all(300)


def test_a_batch_that_does_not_renew_the_queue_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact that was written to turns at another instant."""
    monkeypatch.setattr(Queue, "renew", lambda *_: None)
    with pytest.raises(AssertionError):
        write_shortly_before()


def test_a_figure_that_changes_unseen_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the end of an event's window a quotient turns at another instant."""
    nobody = (np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int64))
    monkeypatch.setattr(Queue, "_between", lambda *_: nobody)
    with pytest.raises(AssertionError):
        count_shortly_before()
