"""
The engine against the oracle: 20,000 random segments over 1,000 random worlds, member by member.

Each segment is asked as a tree, of blocks of 2^6 contacts, and as text, of one block of 2^20; its
count and that of its complement are asked as well. The seeds are fixed, so that a failure comes
back; HEADCOUNT_ORACLE_SEED in the environment chooses others, and
HEADCOUNT_TEST_SEGMENTS another number of them. A case that differs is made small
before it is shown.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from headcount.index.block import BLOCK_ROWS
from headcount.query import tree
from headcount.query.engine import Engine, Query
from headcount.query.format import format as canonical
from support.compare import Case, compare, reduced
from support.engines import context_at, members_of, view_of
from support.strategies import cases, seeded_cases
from support.worlds import World

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "20000"))
RUNS = 20


class Engines:
    """Two engines over the world that was asked about last."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._engines: tuple[Engine, ...] = ()

    def over(self, world: World) -> tuple[Engine, ...]:
        """Return the engines over *world*: blocks of 2^6, and one block."""
        if world is not self._world:
            self._engines = (Engine(view_of(world, 64)), Engine(view_of(world, BLOCK_ROWS)))
            self._world = world
        return self._engines


def answers(case: Case, engines: Engines) -> Iterator[list[str]]:
    """Yield the members of a case in each form, their count checked, and that of the others."""
    context = context_at(case.as_of.astimezone(dt.UTC), case.zone)
    forms: tuple[Query, Query] = (case.segment, canonical(case.segment))
    for engine, query in zip(engines.over(case.world), forms, strict=True):
        members = members_of(engine, query, context)
        if isinstance(query, str):  # planned already
            assert engine.count(query, context).count == len(members)
        else:
            others = engine.count(tree.Not(query), context).count
            assert others == len(case.world.contacts) - len(members)
        yield members


def differs(case: Case) -> bool:
    """Return whether any form of a case is answered differently than by the oracle."""
    return any(compare(case, members) is not None for members in answers(case, Engines()))


def assert_agrees(case: Case, engines: Engines) -> None:
    """Assert that both engines give the oracle's members; show a small case if they do not."""
    for members in answers(case, engines):
        if compare(case, members) is not None:
            small = reduced(case, differs)
            found = [compare(small, given) for given in answers(small, Engines())]
            pytest.fail("\n\n".join([canonical(small.segment), *map(str, found)]))


@pytest.mark.parametrize("run", range(RUNS))
def test_random_segments_have_the_oracles_members(run: int) -> None:
    """Every member of every segment, in both forms, at both sizes of block."""
    engines = Engines()
    for case in seeded_cases(SEED * RUNS + run, SEGMENTS // RUNS):
        assert_agrees(case, engines)


@given(case=cases(contacts=12))
@settings(max_examples=150, deadline=None)
def test_drawn_segments_have_the_oracles_members(case: Case) -> None:
    """The same for cases that Hypothesis draws, looking for trouble."""
    assert_agrees(case, Engines())
