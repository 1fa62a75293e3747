"""What is remembered from one version to the next is never the answer of an older one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from headcount.index.view import View
from headcount.model.changes import Changes, Step
from headcount.query import tree
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.match import match
from headcount.query.overlap import overlap
from headcount.query.preview import preview
from headcount.query.results import Results
from support.dice import Dice
from support.engines import context_at, members_of
from support.strategies import seeded_cases
from support.worlds import World
from support.written import Writing, committed

RUNS = 2
SEGMENTS = 10  # in one world


@dataclass
class History(Writing):
    """A world with every view on the way to it."""

    views: list[View] = field(default_factory=list)

    def _write(self, view: View, batches: Sequence[Sequence[Step]]) -> View:
        self.views.append(view)
        for sequence, steps in enumerate(batches, view.version.sequence + 1):
            view = committed(view, Changes(tuple(steps)), sequence)
            self.views.append(view)
        return view


def histories(run: int) -> list[tuple[list[View], list[tree.Segment], QueryContext]]:
    """Return the views of some worlds, and segments to ask of each."""
    found: list[tuple[list[View], list[tree.Segment], QueryContext]] = []
    world: World | None = None
    for case in seeded_cases(2000 + run, 3 * SEGMENTS, sizes=(20, 40)):
        if case.world is not world:
            world = case.world
            history = History(world, Dice(run))
            history.view(16)
            context = context_at(case.as_of.astimezone(dt.UTC), case.zone)
            found.append((history.views, [], context))
        found[-1][1].append(case.segment)
    return found


@pytest.mark.parametrize("run", range(RUNS))
def test_a_memory_outlives_versions(run: int) -> None:
    """Counts, members, overlaps and matches are those of an engine that remembers nothing."""
    seen = 0
    for views, segments, context in histories(run):
        results = Results()
        kept = Engine(views[0], results)
        for view in views:
            kept = kept.at(view)
            fresh = Engine(view, Results(0))
            for segment in segments:
                expected = members_of(fresh, segment, context)
                assert members_of(kept, segment, context) == expected
                assert kept.count(segment, context).count == len(expected)
                assert preview(kept, segment, context).count == len(expected)
            ids = [id_ for block in view.blocks for id_ in block.ids.array.to_pylist()][:50]
            asked = overlap(kept, segments, context).shared, match(kept, segments, ids, context)
            right = overlap(fresh, segments, context).shared, match(fresh, segments, ids, context)
            assert asked[0] == right[0]
            assert asked[1].matches == right[1].matches
        seen += results.usage().hits
    assert seen
