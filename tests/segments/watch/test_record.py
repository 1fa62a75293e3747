"""The record of a watch: sizes and moves are those of who was a member, however much is kept."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from headcount.cli.main import run
from headcount.embedded import Workspace
from headcount.index.workspace import save_view
from headcount.model.errors import UserError
from headcount.query.clock import Clock
from headcount.segments.history import History, history
from headcount.segments.watch.record import Kept, record, stored
from headcount.segments.watch.transitions import Settings
from headcount.segments.watch.watcher import WatcherSettings
from headcount.storage.folder import WriterLock
from support.engines import view_of
from support.house import HOUR, PEOPLE, SCHEMA, START, House
from support.worlds import World

DAY = 24 * HOUR


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[WriterLock]:
    """The lock of a folder with a workspace in it: everybody on the plan Free but two."""
    people = {id_: {"plan": "Free", "spent": 1.0} for id_ in PEOPLE}
    people["c0"]["plan"] = people["c1"]["plan"] = "Pro"
    save_view(tmp_path, "default", view_of(World(SCHEMA, people, [])))
    with WriterLock(tmp_path) as held:
        yield held


@pytest.fixture
def house(tmp_path: Path, lock: WriterLock) -> Iterator[House]:
    """The workspace, its clock in our hands, with a watch of the plan Pro."""
    found = House(tmp_path, lock)
    found.open()
    yield found
    found.watcher.close()
    found.live.close()


def kept(house: House, name: str = "pro") -> Kept:
    """Return the record of a watch."""
    return record(house.watcher.get(name), house.watcher.store)


def clock(house: House) -> Clock:
    """Return the clock of the house, in UTC."""
    return Clock(house.now, ZoneInfo("UTC"))


def told(house: House, low: int | None = None, high: int | None = None) -> History:
    """Return the history of the plan Pro."""
    return history(kept(house), low, high, clock(house))


def play(house: House, dice: random.Random, steps: int) -> list[tuple[int, int]]:
    """Change plans for a while; return how many were on Pro from each instant on."""
    pro = {"c0", "c1"}
    sizes = []
    for _ in range(steps):
        house.now += dice.choice((1, HOUR, 5 * HOUR, 30 * HOUR))
        who = dice.choice(PEOPLE)
        (pro.discard if who in pro else pro.add)(who)
        house.plan(who, "Pro" if who in pro else "Free")
        sizes.append((house.commits[-1].at, len(pro)))
        if dice.random() < 0.7:
            house.watcher.step()
    house.watcher.step()
    return sizes


def size_at(sizes: list[tuple[int, int]], at: int) -> int:
    """Return how many were on Pro just before an instant."""
    return next((size for since, size in reversed(sizes) if since < at), 2)


@pytest.mark.parametrize("seed", [False, True])
@pytest.mark.parametrize("run", range(5))
def test_sizes_are_those_of_the_members(house: House, run: int, seed: bool) -> None:
    """At each midnight, with a seed and without; also after a crash in the middle."""
    house.create("pro", Settings(seed=seed))
    dice = random.Random(run)
    sizes = play(house, dice, 30)
    house.crash()
    house.now += HOUR
    found = told(house)
    assert found.total.start == 2
    for day in found.days:
        assert day.size == size_at(sizes, day.high)
    assert found.total.entries + found.total.exits == len(sizes)
    assert found.total.returns + len(PEOPLE) >= found.total.entries


def test_a_seed_is_no_entry(house: House) -> None:
    """Who was there when the watch began is a member at the start; when they came nobody knows."""
    house.create("pro", Settings(seed=True))
    house.now += DAY
    house.plan("c0", "Free")
    house.watcher.step()
    found = told(house)
    assert (found.total.start, found.total.entries, found.total.exits) == (2, 0, 1)
    assert (found.total.stays, found.stayed) == (0, 1)


def test_before_anything_happened_the_size_is_known(house: House) -> None:
    """From the making of the watch to the last look."""
    house.create("pro")
    house.now += 3 * DAY
    house.watcher.step()
    found = kept(house)
    assert (found.since, found.size, list(found.transitions())) == (START, 2, [])
    assert found.until == house.watcher.get("pro").feed.bookmark.instant + 1
    assert [day.size for day in told(house).days] == [2, 2, 2, 2]


@pytest.mark.parametrize("run", range(4))
def test_what_was_dropped_is_before_the_record(tmp_path: Path, lock: WriterLock, run: int) -> None:
    """With few transitions kept the record begins later, with the size that there was then."""
    house = House(tmp_path, lock, WatcherSettings(history=9, checkpoint_transitions=4))
    house.open()
    house.create("pro")
    sizes = play(house, random.Random(run + 10), 40)
    found = kept(house)
    assert 5 <= len(found.rows) <= 13
    assert found.since > START
    whole = told(house)
    assert whole.total.start == size_at(sizes, found.since)
    for day in whole.days:
        assert day.size == size_at(sizes, day.high)
    house.watcher.close()
    house.live.close()


def test_a_contact_that_was_erased_is_still_one(house: House) -> None:
    """Its id is gone from the record, its stay is not."""
    house.create("pro", Settings(seed=True))
    for plan in ("Pro", "Free", "Pro", "Free"):
        house.now += HOUR
        for who in ("c5", "c6"):
            house.plan(who, plan)
    house.watcher.step()
    before = told(house)
    house.watcher.store.erase(["c5", "c6"])
    assert told(house) == before
    assert (before.total.returns, before.total.stays) == (2, 4)


def test_what_is_dropped_while_it_is_read_is_read_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record with a hole is none."""
    house.create("pro")
    play(house, random.Random(3), 30)
    watch, store = house.watcher.get("pro"), house.watcher.store
    whole, rows, calls = record(watch, store), store.rows, []

    def holed(number: int, after: int, limit: int) -> object:
        calls.append(after)
        found = rows(number, after, limit)
        return found[:3] + found[5:] if len(calls) == 1 else found

    monkeypatch.setattr(store, "rows", holed)
    assert replace(record(watch, store), until=whole.until) == whole
    assert len(calls) > 2


def test_a_folder_tells_it_too(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """While nobody follows: what the open watch told, in Python and on the command line."""
    house.create("pro")
    play(house, random.Random(5), 20)
    before = told(house)
    assert history(stored("pro", house.watcher.store), None, None, clock(house)) == before
    with pytest.raises(UserError) as unknown:
        stored("pr", house.watcher.store)
    assert unknown.value.suggestions == ("pro",)
    house.watcher.close()
    house.live.close()
    house.lock.close()
    found = Workspace.open(house.folder).history("pro", time_zone="UTC").history
    assert found.days[:-1] == before.days[:-1]
    assert (found.total.size, found.total.entries) == (before.total.size, before.total.entries)
    arguments = ["report", "history", "pro", "--data", str(house.folder), "--time-zone", "UTC"]
    assert run(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == [
        f"{found.days[0].begins:%Y-%m-%d}",
        "2",
        str(found.days[0].entries),
    ]
    assert lines[-2].startswith("all ")
    assert run([*arguments, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["total"]["size"] == before.total.size
    assert [day["exits"] for day in document["days"]] == [day.exits for day in found.days]
    assert run([*arguments, "--format", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(found.days) + 1
    assert run([*arguments[:2], "nobody", *arguments[3:]]) == 1
    assert "no watch `nobody`" in capsys.readouterr().err
    house.lock = WriterLock(house.folder)
    house.open()
