"""Memberships against the oracle: random worlds, segments, batches and stretches of time."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from headcount.query.clock import to_micros
from headcount.query.course import Course
from headcount.query.format import format as canonical
from headcount.query.moving import Moving
from headcount.segments.watch import membership as membership_module
from headcount.segments.watch import truths
from headcount.segments.watch.binding import Definition, course_of
from headcount.segments.watch.candidates import Candidates, candidates
from headcount.segments.watch.commit import Touched
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Reason, Settings
from support import oracle
from support.compare import Case
from support.dice import Dice
from support.random_worlds import Scene
from support.strategies import random_case, random_place
from support.watching import (
    Commit,
    Reader,
    Views,
    assert_time_is_right,
    random_step,
)

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
CASES = int(os.environ.get("HEADCOUNT_TEST_WATCHES", "240"))
RUNS = 12

BEFORE = (
    dt.timedelta(microseconds=1),
    dt.timedelta(seconds=90),
    dt.timedelta(hours=2),
    dt.timedelta(days=1, hours=5),
    dt.timedelta(days=20),
)


def cases(seed: int, count: int) -> Iterator[tuple[Dice, Case, Scene]]:
    """Yield questions, three about each world."""
    for start in range(0, count, 3):
        dice = Dice(seed * 1_000_003 + start)
        world, scene = random_place(dice, dice.pick((6, 12, 3, 20)))
        for _ in range(3):
            yield dice, random_case(dice, world, scene), scene


def play(dice: Dice, case: Case, scene: Scene) -> None:
    """Watch a case from some time before its instant to some time after, with batches between."""
    world, zone = case.world, case.zone
    at = case.as_of.astimezone(dt.UTC) - dice.pick(BEFORE)
    views = Views(world)
    view = views.of(world)
    course = course_of(Definition(case.segment, ZoneInfo(zone)), view)
    membership, seeds = Membership.begin(view, course, Settings(seed=True), to_micros(at))
    reader = Reader(())
    for one in seeds:
        reader.read(one)
    assert reader.members == oracle.members(world, case.segment, at, zone)
    for _ in range(dice.integer(1, 3)):
        to = at + dice.pick(BEFORE)
        if not membership.is_exact:  # looked at once a second: see test_course
            return
        stream = membership.advance(to_micros(to))
        assert all(one.reason is Reason.TIME for one in stream)
        assert_time_is_right(world, case.segment, zone, stream, reader, at, to)
        at = to
        step = random_step(dice, world, scene, at)
        after = views.of(step.world)
        commit = Commit(view, after, to_micros(at), views.touched(step))
        for one in membership.commit(Touched(commit)):
            assert (one.at, one.reason) == (to_micros(at), Reason.DATA)
            assert one.version == after.version
            reader.read(one)
        world, view = step.world, after
        assert reader.members == oracle.members(world, case.segment, at, zone)


@pytest.mark.parametrize("run", range(RUNS))
def test_streams_are_the_differences_of_the_oracles_members(run: int) -> None:
    """Every transition at its microsecond, no other, whatever is written in between."""
    for dice, case, scene in cases(SEED * RUNS + run, CASES // RUNS):
        try:
            play(dice, case, scene)
        except Exception as error:
            error.add_note(canonical(case.segment))
            raise


def play_all(count: int) -> None:
    """Play so many cases."""
    for dice, case, scene in cases(SEED, count):
        play(dice, case, scene)


# --- the check can fail -----------------------------------------------------------------------


def broken_candidates(shift: int, *, drop: bool = False) -> object:
    """Return a `candidates` that is late by some µs, or overlooks every first one."""

    def found(*given: Any) -> Candidates:
        right = candidates(*given)
        if drop:
            return Candidates(right.ordinals[1:], right.times[1:])
        after, to = given[3:5]
        times = right.times + shift
        kept = (times > after) & (times <= to)
        return Candidates(right.ordinals[kept], times[kept])

    return found


@pytest.mark.parametrize(
    "broken", [broken_candidates(1), broken_candidates(-1), broken_candidates(0, drop=True)]
)
def test_a_wrong_microsecond_or_an_overlooked_contact_is_found(
    broken: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle's differences catch an engine that is nearly right."""
    monkeypatch.setattr(membership_module, "candidates", broken)
    with pytest.raises(AssertionError):
        play_all(300)


def test_an_edge_that_jumps_unseen_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A course that never looks at everybody again is caught."""
    monkeypatch.setattr(Course, "after", lambda _, piece: replace(piece, last=piece.last + 10**12))
    with pytest.raises(AssertionError):
        play_all(300)


def test_a_window_of_a_batch_that_is_off_by_a_microsecond_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is counted for all windows at once has the edges of each."""
    right = truths.Truths._bounds

    def late(self: Any, condition: Moving) -> Any:
        found = right(self, condition)
        return found._replace(before=found.before + 1)

    monkeypatch.setattr(truths.Truths, "_bounds", late)
    with pytest.raises(AssertionError):
        play_all(900)
