"""Courtesy: large commits wait for queries, so long and no longer, and are seen as ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headcount.index.view import Version
from headcount.index.workspace import save_view
from headcount.live.commit import Batch
from headcount.live.courtesy import Courtesy
from headcount.live.settings import WriterSettings
from headcount.live.writer import LiveWorkspace
from headcount.model.changes import Changes
from headcount.query.clock import to_datetime
from headcount.storage.folder import WriterLock
from headcount.storage.log import LogSettings
from support.small_workspace import SCHEMA, view
from support.worlds import Event
from support.written import recorded

NOW = 1_780_000_000_000_000
ROOMY = WriterSettings(log=LogSettings(min_free_bytes=0, min_free_share=0.0))
FEW, MANY = 5, 400


@dataclass
class Clock:
    """A clock that only sleeping moves, and queries that end at an instant of it."""

    now: float = 100.0
    end: float = 0.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.slept.append(seconds)
        self.now += seconds

    def courtesy(self) -> Courtesy:
        """Return the courtesy towards those queries."""
        return Courtesy(lambda: max(0.0, self.now - self.end), self.sleep, lambda: self.now)


def events(count: int) -> Batch:
    """Return a batch of events of contacts that there are."""
    given = [Event(str(n % 7), "open", to_datetime(NOW - n)) for n in range(count)]
    return Batch(Changes((recorded(SCHEMA, given),)))


@pytest.mark.parametrize(
    ("left", "waited"),
    [
        (-5.0, 0.0),  # nobody has asked for a while: nobody is waited for, not even a moment
        (-0.01, 0.000_05),  # somebody has, and may wait for the interpreter
        (0.001, 0.001),
        (60.0, 0.002),
    ],
)
def test_a_query_is_waited_for_until_it_is_over(left: float, waited: float) -> None:
    """And no longer than may be waited at one place."""
    clock = Clock()
    clock.end = clock.now + left
    clock.courtesy().begin()()
    assert waited <= sum(clock.slept) <= waited + 0.000_3 * (waited > 0)


def test_queries_without_end_are_waited_for_so_long_in_all() -> None:
    """Whatever is asked, a commit goes on; the next one gives way again."""
    clock = Clock(end=1e9)
    courtesy = clock.courtesy()
    turn = courtesy.begin()
    for _ in range(100):
        turn()
    once = sum(clock.slept)
    assert 0.012 <= once <= 0.013
    courtesy.begin()()
    assert sum(clock.slept) > once


@pytest.mark.parametrize("count", [FEW, MANY])
def test_a_large_commit_gives_way_and_is_seen_whole(count: int, tmp_path: Path) -> None:
    """While it gives way everybody sees the version before; a small commit is done at once."""
    save_view(tmp_path, "default", view())
    clock, seen = Clock(end=1e9), list[Version]()
    courtesy = clock.courtesy()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        seen.append(live.view.version)

    courtesy.sleep = sleep
    with (
        WriterLock(tmp_path) as lock,
        LiveWorkspace.open(
            tmp_path, "default", lock, clock=lambda: NOW, settings=ROOMY, courtesy=courtesy
        ) as live,
    ):
        before = live.view.version
        written = live.write(events(count))
        assert (written.accepted, written.version) == (count, live.view.version)
        assert bool(seen) is (count == MANY)
        assert set(seen) <= {before}
        assert sum(clock.slept) <= 0.013
        assert sum(one.size for one in live.view.blocks[0].pieces("open")) >= count
        assert list(live.view.check()) == []
