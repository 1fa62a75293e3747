"""A view that was written to answers as one that was built: the oracle's members, every time."""

from __future__ import annotations

import datetime as dt

import pytest

from headcount.query.engine import Engine
from support.compare import Case, compare
from support.dice import Dice
from support.engines import context_at, members_of
from support.strategies import seeded_cases
from support.worlds import World
from support.written import written_view

RUNS = 4
CASES = 200


@pytest.mark.parametrize("run", range(RUNS))
def test_random_segments_have_the_oracles_members(run: int) -> None:
    """Every member of every segment, after random writes; the views pass their own check."""
    world: World | None = None
    engine: Engine | None = None
    for case in seeded_cases(1000 + run, CASES):
        if engine is None or case.world is not world:
            world = case.world
            view = written_view(world, Dice(run), 16)
            assert list(view.check()) == []
            engine = Engine(view)
        _assert_agrees(engine, case)


def _assert_agrees(engine: Engine, case: Case) -> None:
    context = context_at(case.as_of.astimezone(dt.UTC), case.zone)
    found = members_of(engine, case.segment, context)
    difference = compare(case, found)
    assert difference is None, str(difference)
    assert engine.count(case.segment, context).count == len(found)
