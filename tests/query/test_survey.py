"""
The counts of a segment's parts, each against the oracle.

HEADCOUNT_TEST_SEGMENTS is how many random segments are asked, HEADCOUNT_ORACLE_SEED which.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

import pytest

from headcount.index.view import View
from headcount.query import rests, sides, survey
from headcount.query.bound import Condition
from headcount.query.format import format as canonical
from headcount.query.names import Known
from headcount.query.outline import outline
from headcount.query.results import OFF, Results
from headcount.query.sides import BlockSides, Side
from headcount.query.survey import Survey, Tally
from support.compare import Case, reduced
from support.engines import context_at, view_of
from support.parts import Parts, walk
from support.strategies import seeded_cases
from support.views import without_some
from support.worlds import World

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000"))
RUNS = 4


class Views:
    """The views of the world that was asked about last: whole, and with deleted contacts."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._views: tuple[View, View] | None = None

    def over(self, world: World) -> tuple[View, View]:
        """Return both views, in blocks of 2^4 contacts."""
        if self._views is None or world is not self._world:
            whole = view_of(world, 16)
            self._world, self._views = world, (whole, without_some(whole))
        return self._views


def living(view: View) -> list[str]:
    """Return the ids of a view's contacts."""
    return [id_ for b in view.blocks for id_ in b.ids.take(list(b.live)).to_pylist()]


def surveyed(case: Case, view: View, results: Results = OFF) -> list[Tally]:
    """Return the tallies of a case."""
    context = context_at(case.as_of, case.zone)
    written = outline(case.segment, Known(view), context)
    found = Survey(written, view, context.check, results, thorough=True)
    for _ in found.blocks():
        pass
    return found.tallies


Counts = list[tuple[int, int | None, int]]


def expected(case: Case, view: View) -> Counts:
    """Return the count, the count without, and the missing of each part, by the oracle."""
    parts = Parts(case, living(view))
    return [
        (parts.count(path), parts.without(path), parts.missing(path) or 0)
        for path, _ in walk(case.segment)
    ]


def counted(case: Case, view: View, results: Results = OFF) -> Counts:
    """Return the same as the survey counts it."""
    return [(t.count, t.without, t.missing or 0) for t in surveyed(case, view, results)]


def differences(case: Case, views: Views) -> Iterator[str]:
    """Yield a sentence for each count that is not the oracle's."""
    for view in views.over(case.world):
        pairs = zip(counted(case, view), expected(case, view), strict=True)
        for (_, node), (said, right) in zip(walk(case.segment), pairs, strict=True):
            if said != right:
                yield f"{canonical(node)}: (count, without, missing) is {said}, not {right}"


def fail(case: Case) -> None:
    """Fail with a small case that differs."""
    if not any(differences(case, Views())):
        pytest.fail(f"only with what is remembered: {canonical(case.segment)}")
    small = reduced(case, lambda one: any(differences(one, Views())), 300)
    pytest.fail("\n".join([canonical(small.segment), *differences(small, Views())]))


@pytest.mark.parametrize("run", range(RUNS))
def test_counts_of_parts_are_the_oracles(run: int) -> None:
    """Count, count without and missing of every part; asked again, from what is remembered."""
    views, results = Views(), Results(1 << 16)
    for case in seeded_cases(SEED * RUNS + run + 500, SEGMENTS // RUNS):
        for view in views.over(case.world):
            right = expected(case, view)
            for _ in range(2):
                if counted(case, view, results) != right:
                    fail(case)
    assert results.usage().hits > SEGMENTS // RUNS


# --- negative controls ------------------------------------------------------------------------


def _not_inverted(side: Side) -> Side:
    return side


def _ored_rows(a: Side, b: Side) -> Side:
    return Side(a.rows | b.rows, a.out)


def _everyone(among: Side, given: Sequence[Side], _: int) -> list[Side]:
    return [among for _ in given]


def _themselves(among: Side, given: Sequence[Side], _: int) -> list[Side]:
    return [sides.both(among, side) for side in given]


def _whole(_: Side, given: Sequence[Side], live: int) -> list[Side]:
    return sides.others(sides.ALL, given, live)


def _nobody(*_: object) -> int:
    return 0


def _dead_or_alive(found: BlockSides, condition: Condition) -> Side:
    return found.with_dead(condition)


MISTAKES: list[tuple[str, object, str, Callable[..., object]]] = [
    ("a complement is forgotten", sides.Side, "inverse", _not_inverted),
    ("an `or` of a complement is a union of rows", survey, "either", _ored_rows),
    ("a part decides what others decide", rests, "others", _everyone),
    ("a part decides nothing", rests, "others", _themselves),
    ("a part decides where its group does not", rests, "others", _whole),
    ("nobody lacks a value", survey, "_lacking", _nobody),
    ("deleted contacts are counted", sides.BlockSides, "side", _dead_or_alive),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_shows(
    mistake: tuple[str, object, str, Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A survey that gets one thing wrong differs from the oracle within some hundred cases."""
    _, owner, name, wrong = mistake
    monkeypatch.setattr(owner, name, wrong)
    views = Views()
    cases = seeded_cases(7, 400, sizes=(20,))
    assert any(any(differences(case, views)) for case in cases)


def test_no_contacts_are_no_members() -> None:
    """A view without blocks counts nobody, and nothing fails."""
    case = next(seeded_cases(3, 1, sizes=(0,)))
    tallies = surveyed(case, view_of(case.world, 16))
    assert {tally.count for tally in tallies} == {0}
