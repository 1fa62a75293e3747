"""
The engine against the oracle: 50,000 random segments over 1,000 random worlds, member by member.

Each segment is asked as a tree, of blocks of 2^6 contacts, and as text, of one block of 2^20; its
count and that of its complement are asked as well. Then it is explained, and each number of the
explanation is the oracle's: the count of every part, the count without it, and how many are in it
for lack of a value.

The oracle answers every condition for every contact once; `and`, `or` and `not` are then sets of
Python. One case in ten is answered by the oracle as a whole too, contact by contact.

The seeds are fixed, so that a failure comes back; HEADCOUNT_ORACLE_SEED in the environment chooses
others, and HEADCOUNT_TEST_SEGMENTS another number of them. A case that differs is made small before
it is shown.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings

from headcount.index import again, events, running, selection
from headcount.index.block import BLOCK_ROWS
from headcount.query import (
    evaluate,
    pairs,
    quotients,
    rests,
    selected,
    sequences,
    survey,
    tree,
    twins,
    words,
    wordwise,
)
from headcount.query import running as sums_at_hand
from headcount.query.engine import Engine, Query
from headcount.query.explain import Explained, explain
from headcount.query.format import format as canonical
from headcount.query.results import Results
from headcount.query.sides import Side
from headcount.query.workers import Workers
from support.compare import Case, compare, reduced
from support.engines import context_at, members_of, view_of
from support.parts import Parts, walk
from support.strategies import cases, seeded_cases
from support.worlds import World

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "50000"))
PER_WORLD = 50
RUNS = 20
WORKERS = Workers(2)
WHOLE = 10  # one case in so many is answered as a whole too


@pytest.fixture(scope="module", autouse=True)
def as_in_large_blocks() -> Iterator[None]:
    """Make at once what is made when asked again, and ask small blocks as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twins, "_LISTED", -1)
        patch.setattr(twins, "_ASKED", 1)
        patch.setattr(twins, "_ASKED_OFTEN", 1)
        patch.setattr(pairs, "_QUICK", 0)
        patch.setattr(pairs, "_SMALL", 0)
        patch.setattr(evaluate, "_FEW_VALUES_SHARE", 1)
        patch.setattr(words, "_ASKED", 1)
        patch.setattr(words, "_BYTES_A_ROW", 1_000)
        patch.setattr(wordwise, "_SMALL", 0)
        patch.setattr(wordwise, "_FEW_SHARE", 1 << 30)
        patch.setattr(wordwise, "_COUNT_COSTS", -1)
        patch.setattr(wordwise, "_is_one_range", lambda _root: False)
        patch.setattr(evaluate, "_LARGE_BLOCK", 1)
        patch.setattr(evaluate, "_is_long", lambda _: True)
        patch.setattr(quotients, "_LEAST", 1)
        patch.setattr(events, "_FEW_EVENTS", 0)
        patch.setattr(again, "_WAITS", False)
        patch.setattr(selection, "_SHARE", 1)
        patch.setattr(running, "_GAP", 4)
        patch.setattr(sums_at_hand, "_LEAST", 0)
        patch.setattr(selected, "_LEAST", 0)
        patch.setattr(selected, "_MOST_SHARE", 1000)
        patch.setattr(sequences, "_EVENTS_A_STRETCH", 0.02)
        yield


class Engines:
    """Two engines over the world that was asked about last."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._engines: tuple[Engine, ...] = ()

    def over(self, world: World) -> tuple[Engine, ...]:
        """Return the engines over *world*: blocks of 2^6 on two threads; nothing remembered."""
        if world is not self._world:
            remembering = Engine(view_of(world, 64), workers=WORKERS)
            self._engines = (remembering, Engine(view_of(world, BLOCK_ROWS), Results(0)))
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


def wrong_numbers(case: Case, engines: Engines, parts: Parts) -> Iterator[str]:
    """Yield a sentence for each number of the case's explanation that is not the oracle's."""
    context = context_at(case.as_of.astimezone(dt.UTC), case.zone)
    found = explain(engines.over(case.world)[0], case.segment, context)
    for part, (path, node) in zip(_flat(found.root), walk(case.segment), strict=True):
        said = part.count, part.without, part.missing or 0
        right = parts.count(path), parts.without(path), parts.missing(path) or 0
        if said != right:
            yield f"{canonical(node)}: (count, without, missing) is {said}, not {right}"


def _flat(part: Explained) -> Iterator[Explained]:
    yield part
    for inner in part.parts:
        yield from _flat(inner)


def differs(case: Case) -> bool:
    """Return whether any form of a case is answered differently than by the oracle."""
    return any(compare(case, members) is not None for members in answers(case, Engines()))


def explains_wrongly(case: Case) -> bool:
    """Return whether any number of a case's explanation is wrong."""
    return any(wrong_numbers(case, Engines(), Parts(case)))


def assert_agrees(case: Case, engines: Engines, *, whole: bool = True) -> None:
    """Assert that all numbers and members are the oracle's; show a small case if they are not."""
    parts = Parts(case)
    right = parts.members(case.segment)
    if whole:
        assert right == case.expected(), canonical(case.segment)
    for members in answers(case, engines):
        if len(members) != len(right) or set(members) != right:
            small = reduced(case, differs)
            found = [compare(small, given) for given in answers(small, Engines())]
            pytest.fail("\n\n".join([canonical(small.segment), *map(str, found)]))
    if any(wrong_numbers(case, engines, parts)):
        small = reduced(case, explains_wrongly, 300)
        wrong = wrong_numbers(small, Engines(), Parts(small))
        pytest.fail("\n".join([canonical(small.segment), *wrong]))


@pytest.mark.parametrize("run", range(RUNS))
def test_random_segments_have_the_oracles_members_and_numbers(run: int) -> None:
    """Every member in both forms, at both sizes of block, and every number of the explanation."""
    engines = Engines()
    cases = seeded_cases(SEED * RUNS + run, SEGMENTS // RUNS, per_world=PER_WORLD)
    for number, case in enumerate(cases):
        assert_agrees(case, engines, whole=number % WHOLE == 0)


@given(case=cases(contacts=12))
@settings(max_examples=150, deadline=None)
def test_drawn_segments_have_the_oracles_members(case: Case) -> None:
    """The same for cases that Hypothesis draws, looking for trouble."""
    assert_agrees(case, Engines())


# --- negative controls ------------------------------------------------------------------------


def _everyone(among: Side, given: Sequence[Side], _: int) -> list[Side]:
    return [among for _ in given]


def _one_less(self: survey.Survey, *args: object) -> None:
    for tally in self.tallies[1:]:
        tally.missing = None if tally.missing is None else tally.missing + 1
    del args


MISTAKES: list[tuple[str, object, str, Callable[..., object]]] = [
    ("counts without a part are wrong", rests, "others", _everyone),
    ("those who lack a value are wrong", survey.Survey, "_count_missing", _one_less),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_wrong_number_shows(
    mistake: tuple[str, object, str, Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An explanation with one kind of number wrong is seen within some hundred cases."""
    _, owner, name, wrong = mistake
    monkeypatch.setattr(owner, name, wrong)
    engines = Engines()
    assert any(
        any(wrong_numbers(case, engines, Parts(case))) for case in seeded_cases(7, 300, sizes=(20,))
    )


def test_a_wrong_member_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One contact too many, once, is a difference."""
    case = next(c for c in seeded_cases(8, 300, sizes=(20,)) if 0 < len(c.expected()) < 20)
    others = sorted(set(case.world.contacts) - case.expected())
    right = members_of

    def one_too_many(engine: Engine, query: Query, context: object) -> list[str]:
        return right(engine, query, context) + others[:1]  # type: ignore[arg-type]

    monkeypatch.setitem(globals(), "members_of", one_too_many)
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        assert_agrees(case, Engines())
