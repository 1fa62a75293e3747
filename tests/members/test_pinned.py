"""Versions are kept for a while and up to a number, the least used going first."""

from __future__ import annotations

from headcount.index.view import Version, View
from headcount.members.pinned import Pinned
from headcount.model.schema import Schema
from headcount.query.engine import Engine

ENGINES = [Engine(View(Schema(), (), Version(1, n), 64)) for n in range(5)]


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


def test_a_version_is_kept_from_its_last_page_on() -> None:
    """Each page begins the time anew; after it the version is gone."""
    clock = Clock()
    pinned = Pinned(clock, seconds=10)
    pinned.keep("a", ENGINES[0])
    clock.now = 9
    assert pinned.find("a", Version(1, 0)) is ENGINES[0]
    pinned.keep("a", ENGINES[0])
    clock.now = 18
    assert pinned.find("a", Version(1, 0)) is ENGINES[0]
    clock.now = 19.5
    assert pinned.find("a", Version(1, 0)) is None


def test_only_so_many_are_kept() -> None:
    """The one whose last page is longest ago goes."""
    pinned = Pinned(Clock(), versions=2)
    pinned.keep("a", ENGINES[0])
    pinned.keep("a", ENGINES[1])
    pinned.keep("a", ENGINES[0])
    pinned.keep("a", ENGINES[2])
    assert pinned.find("a", Version(1, 1)) is None
    assert pinned.find("a", Version(1, 0)) is ENGINES[0]
    assert pinned.find("a", Version(1, 2)) is ENGINES[2]


def test_workspaces_do_not_mix() -> None:
    """The same version of another workspace is another one."""
    pinned = Pinned(Clock())
    pinned.keep("a", ENGINES[0])
    assert pinned.find("b", Version(1, 0)) is None
