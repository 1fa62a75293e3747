"""Many watches at once: each must tell what it would tell if it were alone."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headcount.index.workspace import save_view
from headcount.model.changes import DeleteStep, Step
from headcount.query.clock import to_datetime, to_micros
from headcount.query.format import format as canonical
from headcount.segments.watch import schedule as schedule_module
from headcount.segments.watch.binding import course_of
from headcount.segments.watch.candidates import Candidates, in_order
from headcount.segments.watch.commit import Touched
from headcount.segments.watch.document import Spec
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Reentry, Settings, Transition
from headcount.segments.watch.watcher import WatcherSettings
from headcount.storage.folder import WriterLock
from support.dice import Dice
from support.engines import view_of
from support.house import HOUR, House, plain
from support.strategies import random_case, random_place
from support.watching import random_step
from support.worlds import World
from support.written import contacts, recorded

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
RUNS = int(os.environ.get("HEADCOUNT_TEST_MANY", "8"))
WATCHES = 24
STEPS = 12
KEPT = WatcherSettings(history_age=100 * 365 * 24 * HOUR)  # time goes by in steps of 90 days
RULES = (
    Settings(),
    Settings(seed=True),
    Settings(reentry=Reentry.ONCE),
    Settings(reentry=Reentry.AFTER, pause=HOUR),
)


class Play:
    """A random world in a house, and what each of its watches alone would tell."""

    def __init__(self, folder: Path, lock: WriterLock, seed: int) -> None:
        self.dice = dice = Dice(seed)
        self.world, self.scene = random_place(dice, dice.pick((12, 20, 5)))
        self.world = without_lists(self.world)
        save_view(folder, "default", view_of(self.world, 8), lock=lock)
        self.house = House(folder, lock, now=to_micros(self.scene.as_of), settings=KEPT)
        self.house.open()
        self.alone: dict[str, tuple[Membership, list[Transition]]] = {}
        self.followed = self.watched = 0

    def watch(self) -> None:
        """Begin to watch one more segment."""
        house, dice = self.house, self.dice
        case = random_case(dice, self.world, self.scene)
        name, rule = f"w{self.watched}", dice.pick(RULES)
        self.watched += 1
        spec = Spec(name, canonical(case.segment), case.zone, rule, house.now)
        watch = house.watcher.create(spec)
        self.follow()
        assert watch.membership is not None
        course = course_of(spec.definition(), house.live.view)
        at = watch.membership.instant
        self.alone[name] = Membership.begin(house.live.view, course, rule, at)

    def follow(self) -> None:
        """Bring those alone to where the house's writes are."""
        for commit in self.house.commits[self.followed :]:
            for membership, told in self.alone.values():
                told += membership.commit(Touched(commit))
        self.followed = len(self.house.commits)

    def step(self) -> None:
        """Write, or let time go by, or both; look now and then."""
        house, dice = self.house, self.dice
        if dice.chance(70):
            self.write()
        if dice.chance(50):
            house.now += dice.pick((1, HOUR // 3, HOUR, 26 * HOUR, 90 * 24 * HOUR))
        if dice.chance(10):
            house.watcher.checkpoint()  # as a server does before the log is cut
            house.live.compact()
        if dice.chance(15):
            (house.crash if dice.chance(50) else house.restart)()
        if dice.chance(60):
            house.watcher.step()

    def write(self) -> None:
        """Write what leads to another world."""
        at = to_datetime(self.house.now).astimezone(dt.UTC)
        after = without_lists(random_step(self.dice, self.world, self.scene, at).world)
        self.house.write(*steps(self.world, after))
        self.world = after

    def check(self) -> int:
        """Compare what was told; return how much it was."""
        house = self.house
        house.watcher.step()
        self.follow()
        count = 0
        for name, (membership, told) in list(self.alone.items()):
            told += membership.advance(house.now)
            watch = house.watcher.get(name)
            assert watch.membership is not None, watch.fault
            if not membership.is_exact or not watch.membership.is_exact:
                del self.alone[name]  # looked at once a second, so it depends on when
                continue
            assert plain(house.said(name)) == plain(told), watch.spec.text
            count += len(told)
        return count


def without_lists(world: World) -> World:
    """Return a world without what no write of ours brings."""
    held = {
        name: {k: v for k, v in values.items() if k not in ("list", "opted_out")}
        for name, values in world.contacts.items()
    }
    types = {event.name for event in world.schema.events.values()}
    events = [event for event in world.events if event.type in types]
    return World(world.schema, held, events)


def steps(before: World, after: World) -> list[Step]:
    """Return the writes that lead from a world to another."""
    found: list[Step] = [
        DeleteStep(np.zeros(1, dtype=np.uint32), pa.array([name]), erase=False)
        for name in before.contacts.keys() - after.contacts.keys()
    ]
    changed = [n for n, v in after.contacts.items() if before.contacts.get(n) is not v]
    changed = [n for n in changed if before.contacts.get(n) != after.contacts[n]]
    found += [contacts(after.schema, after.contacts, [name]) for name in changed]
    known = {id(event) for event in before.events}
    found += [recorded(after.schema, [e]) for e in after.events if id(e) not in known]
    return found


def play(folder: Path, seed: int) -> int:
    """Play one history, looking all the time; return how much was told."""
    folder.mkdir()
    with WriterLock(folder) as lock:
        played = Play(folder, lock, seed)
        told = 0
        try:
            for _ in range(WATCHES // 2):
                played.watch()
            for number in range(STEPS):
                played.step()
                if number % 2:
                    played.watch()
                    told += played.check()
        finally:
            played.house.watcher.close()
            played.house.live.close()
    return told


@pytest.mark.parametrize("run", range(RUNS))
def test_many_watches_tell_what_each_alone_would(tmp_path: Path, run: int) -> None:
    """Random segments in one house, over writes, time, compactions and crashes."""
    play(tmp_path / "house", SEED * 1_000 + run)


# --- the check can fail -----------------------------------------------------------------------


def play_some(folder: Path) -> int:
    """Play a few histories; return how much was told."""
    return sum(play(folder / str(seed), seed) for seed in range(3))


def test_something_is_told(tmp_path: Path) -> None:
    """The histories are not of watches that say nothing."""
    assert play_some(tmp_path) > 100


def test_a_schedule_that_overlooks_somebody_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is met and not looked at is missed."""

    def without_first(found: Sequence[tuple[Any, Any]]) -> Candidates:
        right = in_order(found)
        return Candidates(right.ordinals[1:], right.times[1:])

    monkeypatch.setattr(schedule_module, "in_order", without_first)
    with pytest.raises(AssertionError):
        play_some(tmp_path)
