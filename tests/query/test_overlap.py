"""Overlaps and matches against the oracle: who is in which of several segments."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index.block import Block
from headcount.model.errors import Reason, UserError
from headcount.query import engine as engine_module
from headcount.query import overlap as overlap_module
from headcount.query import settled, tree, whole
from headcount.query.bound import Condition
from headcount.query.context import QueryContext
from headcount.query.engine import Engine, Query
from headcount.query.format import format as canonical
from headcount.query.match import Match, match
from headcount.query.overlap import overlap
from headcount.query.results import Results
from support.compare import Case
from support.engines import Engines, context_at, view_of
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 2
CONTEXT = context_at(AS_OF, "Europe/Berlin")


def groups(seed: int, count: int) -> list[list[Case]]:
    """Return cases in groups about one world each, all asked at one instant and zone."""
    found: list[list[Case]] = []
    for case in seeded_cases(seed, count, per_world=10):
        if found and found[-1][0].world is case.world:
            first = found[-1][0]
            found[-1].append(Case(case.world, case.segment, first.as_of, first.zone))
        else:
            found.append([case])
    return found


def disagreement(seed: int, count: int) -> str | None:
    """Return what is not as the oracle says it, of overlaps and matches asked again and again."""
    engines = Engines()
    for group in groups(seed, count):
        engine = engines.over(group[0].world)
        for step in (0, 0, 1, 86_400_000_000):  # µs
            later = [replace(c, as_of=c.as_of + dt.timedelta(microseconds=step)) for c in group]
            wrong = wrong_answer(engine, later)
            if wrong is not None:
                return wrong
    return None


def wrong_answer(engine: Engine, group: list[Case]) -> str | None:
    """Return what is not as the oracle says it of one group of segments."""
    context = context_at(group[0].as_of, group[0].zone)
    members = [case.expected() for case in group]
    queries: list[Query] = [case.segment for case in group]
    queries[::2] = map(canonical, queries[::2])  # type: ignore[arg-type]
    shared = tuple(tuple(len(a & b) for b in members) for a in members)
    ids = [*group[0].world.contacts, "nobody at all"]
    right = [Match(id_, tuple(n for n, held in enumerate(members) if id_ in held)) for id_ in ids]
    right[-1] = Match("nobody at all", None)
    if overlap(engine, queries, context).shared != shared:
        return f"overlap of {queries}"
    if list(match(engine, queries, ids, context).matches) != right:
        return f"match of {queries}"
    return None


@pytest.mark.parametrize("run", range(2))
def test_overlaps_and_matches_are_the_oracles(run: int) -> None:
    """Each pair shares what the two sets share, each contact is where the oracle puts it."""
    assert disagreement(SEED * 2 + run + 60, SEGMENTS // 4) is None


def _not_negated(self: whole.Wholes, place: int, block: Block) -> tuple[BitMap, bool]:
    plan = self._prepared[place].plan
    check = self._context.check
    return whole.Evaluation(block, plan, check).members(), False


def _one_key(*_: object) -> str:
    return "the same for all"


def _without_times(condition: Condition, _: Block) -> object:
    return str(type(condition))


@pytest.mark.parametrize(
    ("owner", "name", "wrong"),
    [
        (whole.Wholes, "rows", _not_negated),
        (engine_module.Prepared, "asked", _one_key),
        (settled, "settled", _without_times),
    ],
    ids=["a complement is forgotten", "segments are confused", "conditions are confused"],
)
def test_a_mistake_shows(
    owner: object, name: str, wrong: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sets that are wrong are seen by the same test."""
    monkeypatch.setattr(owner, name, wrong)
    assert disagreement(60, 100) is not None


@pytest.fixture
def engine() -> Engine:
    """Return an engine over the shop, two contacts a block."""
    return Engine(view_of(SHOP, 2))


def test_an_overlap_has_sizes_and_shares(engine: Engine) -> None:
    """Sizes are on the diagonal; Jaccard is what both share of what either holds."""
    found = overlap(engine, ["country = DE", "spent > 100", "country = X"], CONTEXT)
    assert found.contacts == 6
    assert found.sizes == (2, 2, 0)
    assert found.shared == ((2, 1, 0), (1, 2, 0), (0, 0, 0))
    assert found.jaccard(0, 1) == pytest.approx(1 / 3)
    assert found.jaccard(0, 0) == 1.0
    assert found.jaccard(2, 2) == 0.0
    assert [[w.code for w in of] for of in found.warnings] == [[], [], ["UNKNOWN_VALUE"]]


def test_no_segments_overlap_nowhere(engine: Engine) -> None:
    """A matrix of nothing, and no contact in anything."""
    assert overlap(engine, [], CONTEXT).shared == ()
    assert match(engine, [], ["ann"], CONTEXT).matches == (Match("ann", ()),)
    assert match(engine, ["everyone"], [], CONTEXT).matches == ()


def test_a_contact_may_be_asked_twice(engine: Engine) -> None:
    """Answers are in the order of the questions; who is not there is said."""
    found = match(engine, ["country = DE", "vip = true", "everyone"], ["eva", "ann", "eva", "x"],
                  CONTEXT)  # fmt: skip
    assert found.matches == (
        Match("eva", (2,)),
        Match("ann", (0, 1, 2)),
        Match("eva", (2,)),
        Match("x", None),
    )
    assert found.warnings == ((), (), ())


def test_segments_that_were_asked_are_remembered(engine: Engine) -> None:
    """The second match of the same segments at one instant works nothing out."""
    queries = ["country = DE and opened in last 90 days", "not bought", "spent / orders > 3"]
    match(engine, queries, list(SHOP.contacts), CONTEXT)
    before = engine.results.usage()
    match(engine, queries, list(SHOP.contacts), CONTEXT)
    after = engine.results.usage()
    assert after.misses == before.misses
    assert after.hits - before.hits >= len(queries) * 3
    later = QueryContext(CONTEXT.as_of + 2_000_000, CONTEXT.zone)  # somebody bought after 1 µs
    match(engine, queries, list(SHOP.contacts), later)
    assert engine.results.usage().misses - after.misses == 2  # the segment and its condition
    off = Engine(view_of(SHOP, 2), Results(0))
    again = match(off, queries, list(SHOP.contacts), CONTEXT)
    assert again == match(engine, queries, list(SHOP.contacts), CONTEXT)


@pytest.mark.parametrize("ask", [overlap, lambda e, q, c: match(e, q, ["ann"], c)])
def test_which_segment_is_not_valid_is_said(
    engine: Engine, ask: Callable[[Engine, list[Query], QueryContext], object]
) -> None:
    """The error is that of the segment, with its place among the queries."""
    with pytest.raises(UserError, match="unknown field `contry`") as caught:
        ask(engine, ["everyone", "contry = DE"], CONTEXT)
    assert caught.value.field == "queries[1]"
    assert caught.value.suggestions[0] == "country"
    assert caught.value.position is not None
    unspelt = tree.Compare(tree.Name("contry"), tree.CompareOp.EQ, tree.String("DE"))
    with pytest.raises(UserError, match="unknown field `contry`") as caught:
        ask(engine, [unspelt], CONTEXT)
    assert caught.value.field == "queries[0]"


def test_a_thousand_segments_are_the_limit(engine: Engine) -> None:
    """At the limit it is an answer, one past it an error."""
    assert len(overlap(engine, ["everyone"] * 1000, CONTEXT).shared) == 1000
    with pytest.raises(UserError, match="at most 1,000 segments, found 1,001") as caught:
        overlap(engine, ["everyone"] * 1001, CONTEXT)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    assert overlap_module.MOST_SEGMENTS == 1000


def test_ids_are_compared_exactly() -> None:
    """As everywhere: the id as it was given, byte by byte."""
    engine = Engine(view_of(SHOP))
    assert match(engine, ["everyone"], ["Ann"], CONTEXT).matches == (Match("Ann", None),)
    assert engine.view.lookup(pa.array(["ann"])).tolist() == [0]
