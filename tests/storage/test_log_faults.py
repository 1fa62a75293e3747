"""
The log survives power cuts, failing disks and full ones: 9,000 of them by seed, and the controls.

A harness that cannot fail proves nothing: `test_control_*` take one precaution away each, and must
be found out.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount.storage import files, log_segment
from headcount.storage.folder import WriterLock
from headcount.storage.log_segment import Segment
from support.log_lives import Fault, Lives
from support.memory_disk import UNLIMITED

ROUNDS = 20  # of which each has its own seed, so that they can run on several cores
SEEDS = range(int(os.environ.get("HEADCOUNT_TEST_ROUNDS", ROUNDS)))


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[WriterLock]:
    """The right to write to a folder, most of which is on a disk in memory."""
    with WriterLock(tmp_path) as held:
        yield held


@pytest.fixture(autouse=True)
def frequent_checkpoints(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lives are short, so checkpoints come after a few pages; in every fourth round never."""
    seed = request.node.callspec.params.get("seed", 1) if hasattr(request.node, "callspec") else 1
    monkeypatch.setattr(log_segment, "CHECKPOINT_PAGES", (1000, 8, 3, 20)[seed % 4])
    monkeypatch.setattr(log_segment, "WAL_BYTES", 20_000)


def power_cut(lives: Lives) -> None:
    """Plan to cut the power soon."""
    lives.disk.cut_at = lives.chance.randrange(150)


def broken(lives: Lives) -> None:
    """Plan failures of one, a few, or all operations from some point on."""
    lives.disk.fail_at = lives.chance.randrange(150)
    lives.disk.fail_times = lives.chance.choice((1, 1, 3, UNLIMITED))


def broken_or_cut(lives: Lives) -> None:
    """Plan the one or the other, so that a failed sync is often followed by a power cut."""
    (broken if lives.chance.random() < 0.5 else power_cut)(lives)


def full(lives: Lives) -> None:
    """Leave little room."""
    lives.disk.capacity = lives.disk.used + lives.chance.randrange(30_000)


def lose_power(lives: Lives) -> None:
    """Forget what was not synced."""
    lives.disk.lose_power(lives.chance)


def maybe_lose_power(lives: Lives) -> None:
    """Start again with what the operating system remembers, or without."""
    if lives.chance.random() < 0.5:
        lose_power(lives)


def run(lock: WriterLock, seed: int, fault: Fault, after: Fault, wanted: int) -> Lives:
    """Return the lives of a log, *wanted* of which ended with a fault."""
    lives = Lives(lock, seed)
    with lives.disk:
        while lives.faults < wanted:
            lives.live(fault, after)
        lives.live(lambda _: None, lambda _: None)
    assert lives.lost == lives.detected == 0
    assert lives.acknowledged > 2 * wanted
    return lives


@pytest.mark.parametrize("seed", SEEDS)
def test_5000_power_cuts(lock: WriterLock, seed: int) -> None:
    """
    What was acknowledged is there after the power was cut at any operation, recovery included.

    The commit in flight is there whole or not at all, and both happen.
    """
    lives = run(lock, seed, power_cut, lose_power, 5_000 // ROUNDS)
    assert lives.kept_in_flight
    assert lives.dropped_in_flight


def test_the_power_goes_at_every_kind_of_operation(lock: WriterLock) -> None:
    """The harness reaches all that the log does to a disk."""
    struck: Counter[str] = Counter()
    for seed in range(3):
        struck.update(run(lock, seed, power_cut, lose_power, 150).disk.struck)
    assert struck.keys() == {"write", "sync", "truncate", "create", "remove", "rename", "names"}


@pytest.mark.parametrize("seed", SEEDS)
def test_2000_failures_of_the_disk(lock: WriterLock, seed: int) -> None:
    """So is it when an operation fails with EIO, whether or not the power goes then."""
    lives = run(lock, seed, broken, maybe_lose_power, 2_000 // ROUNDS)
    assert lives.kept_in_flight
    assert lives.dropped_in_flight


@pytest.mark.parametrize("seed", SEEDS)
def test_2000_full_disks(lock: WriterLock, seed: int) -> None:
    """So is it when the disk fills up, in the middle of a write."""
    lives = run(lock, seed, full, maybe_lose_power, 2_000 // ROUNDS)
    assert lives.went_on  # a segment that could not be begun is no reason to stop


@pytest.mark.parametrize("seed", SEEDS)
def test_failures_and_power_cuts_in_turn(lock: WriterLock, seed: int) -> None:
    """So is it when a power cut follows the recovery from a failed sync."""
    run(lock, 100 + seed, broken_or_cut, maybe_lose_power, 50)


def test_the_same_seed_is_the_same_story(tmp_path: Path) -> None:
    """What went wrong once can be made to go wrong again."""
    stories = []
    for name in ("a", "b"):
        with WriterLock(tmp_path / name) as lock:
            lives = run(lock, 5, power_cut, lose_power, 30)
        stories.append((lives.acknowledged, lives.kept_in_flight, lives.disk.struck))
    assert stories[0] == stories[1]


def test_control_without_a_sync_commits_are_lost(
    lock: WriterLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: `synchronous=NORMAL` loses acknowledged commits; the mark notices many of them."""
    prepare = Segment._prepare

    def careless(self: Segment) -> None:
        prepare(self)
        self._database.pragma("synchronous", 1)

    monkeypatch.setattr(Segment, "_prepare", careless)
    lives = Lives(lock, 1, control=True)
    with lives.disk:
        for _ in range(200):
            lives.live(power_cut, lose_power)
    assert lives.lost > 30
    assert lives.detected > 10


@pytest.mark.parametrize("careful", [True, False], ids=["written again", "control"])
def test_a_failed_sync_then_a_power_cut(
    lock: WriterLock, monkeypatch: pytest.MonkeyPatch, careful: bool
) -> None:
    """
    A commit whose sync failed, and that the next process finds, is there for good.

    Control: without writing the write-ahead log again, a power cut leaves a mixture of old pages
    and new ones.
    """
    if not careful:
        monkeypatch.setattr(files, "write_again", lambda _: None)
    monkeypatch.setattr(log_segment, "CHECKPOINT_PAGES", 8)

    def failed_sync(lives: Lives) -> None:
        lives.disk.fail_kind = "sync"
        lives.disk.fail_at = lives.chance.randrange(20, 150)
        lives.disk.fail_times = 1

    def keep(_: Lives) -> None:
        """Nothing is lost yet."""

    def open_and_lose_power(lives: Lives) -> None:
        lives.disk.restart()
        lives.open()._active.abandon()
        lose_power(lives)

    wrong = 0
    for seed in range(100):
        lives = Lives(lock, seed, control=not careful)
        with lives.disk:
            lives.live(failed_sync, open_and_lose_power)
            lives.live(keep, keep)
        wrong += lives.detected
    assert bool(wrong) is not careful
