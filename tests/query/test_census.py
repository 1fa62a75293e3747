"""The census: many segments counted together are what each of them is counted by itself."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gc
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from pyroaring import BitMap

from headcount.index.block import Block
from headcount.index.ranges import RangeIndex
from headcount.index.view import Version, View
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType
from headcount.query import census, crossings, engine, tree
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.few import Bounds
from headcount.query.format import format as canonical
from headcount.query.ranges import Range
from headcount.query.results import Results
from headcount.query.roster import Roster
from headcount.query.tree import And, Not, Or, Segment
from support import oracle
from support.dice import Dice
from support.engines import context_at, view_of
from support.random_worlds import Scene
from support.shop import AS_OF, SHOP
from support.strategies import random_case, random_place
from support.worlds import World

CONTEXT = context_at(AS_OF, "Europe/Berlin")
WORLDS = 16


@pytest.fixture(params=["as it is", "as in large blocks", "with no room"], autouse=True)
def sizes_of_blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let few segments be many, and blocks of some contacts be counted as those of a million."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "FEWEST", 1)
        if request.param != "as it is":
            patch.setattr(census, "_SMALL", 0)
            patch.setattr(crossings, "CUT_FROM", 1)
            patch.setattr(crossings, "_LISTED", -1)
            patch.setattr(census, "_CHUNK", 1)
        if request.param == "with no room":
            patch.setattr(crossings, "_HELD_BYTES", 0)
            patch.setattr(census, "_CELLS", 0)
        yield


def joined(dice: Dice, world: World, scene: Scene, count: int) -> list[Segment]:
    """Return segments, most of them two of a few joined in some way."""
    pool = [random_case(dice, world, scene).segment for _ in range(12)]
    pool = [one for one in pool if not isinstance(one, And | Or)] + pool[:3]
    found: list[Segment] = list(pool)
    while len(found) < count:
        one, other = (
            Not(item) if dice.chance(30) else item for item in (dice.pick(pool), dice.pick(pool))
        )
        both: Segment = And((one, other)) if dice.chance(50) else Or((one, other))
        found.append(Not(both) if dice.chance(20) else both)
    return found


def one_by_one(view: View, segments: list[Segment], context: QueryContext) -> list[object]:
    """Return the size of each segment, or what is wrong with it."""
    found: list[object] = []
    asked = Engine(view, Results(0))
    for segment in segments:
        try:
            found.append(asked.size(segment, context))
        except UserError as error:
            found.append(str(error))
    return found


def together(asked: Engine, segments: list[Segment], context: QueryContext) -> list[object]:
    """Return the same, asked at once."""
    found = asked.sizes(segments, context)
    return [str(one) if isinstance(one, UserError) else one for one in found]


def without(view: View, dice: Dice) -> View:
    """Return a view of which some contacts are gone."""
    found = []
    for block in view.blocks:
        live = BitMap(row for row in block.live if not dice.chance(20))
        found.append(block.with_changes(live=live))
    return dataclasses.replace(view, blocks=tuple(found), version=Version(1, 2))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_many_are_counted_as_each_by_itself(seed: int) -> None:
    """In any view, after some contacts are gone, and at other instants; results on or off."""
    dice = Dice(seed)
    world, scene = random_place(dice, dice.pick((0, 1, 20, 90, 200)))
    segments = joined(dice, world, scene, 40)
    whole = view_of(world, dice.pick((16, 64, 1024)))
    less = without(whole, dice)
    now = context_at(scene.as_of.astimezone(dt.UTC), scene.zone.key)
    later = dataclasses.replace(now, as_of=now.as_of + dice.pick((1, 1_000_000, 90_000_000_000)))
    moments = [(whole, now), (whole, now), (less, now), (less, later), (whole, later), (whole, now)]
    remembering, forgetful = Engine(whole), Engine(whole, Results(0))
    for view, context in moments:
        right = one_by_one(view, segments, context)
        remembering, forgetful = remembering.at(view), forgetful.at(view)
        for asked in (remembering, forgetful):
            found = together(asked, segments, context)
            for segment, size, wanted in zip(segments, found, right, strict=True):
                assert size == wanted, canonical(segment)
    for segment, size in zip(segments[:10], together(remembering, segments, now), strict=False):
        assert size == len(oracle.members(world, segment, scene.as_of, scene.zone.key))


def test_many_conditions_of_one_field() -> None:
    """Ranges, lists of values and labels beside each other, as texts and as trees."""
    asked = Engine(view_of(SHOP, 2))
    ranges = [f"spent between {low} and {low + 40}" for low in range(0, 900, 9)]
    keys = ["country = DE", "country in (DE, FR)", "country != US", 'label contains "vip"']
    texts = [f"{one} and {other}" for one in ranges for other in keys]
    texts += [f"{one} or not {other}" for one, other in zip(ranges, ranges[3:], strict=False)]
    right = [Engine(asked.view, Results(0)).size(text, CONTEXT) for text in texts]
    assert asked.sizes(texts, CONTEXT) == right
    assert sum(size > 0 for size in right if size) > 100


def test_what_is_wrong_is_said_of_each() -> None:
    """With its place in its own text; the others have their counts."""
    asked = Engine(view_of(SHOP, 2))
    texts = ["country = DE", "country = DE and contry = FR", "country =", "spent > 5 and spent > 7"]
    found = asked.sizes(texts, CONTEXT)
    assert [isinstance(one, UserError) for one in found] == [False, True, True, False]
    unknown, unread = (one for one in found if isinstance(one, UserError))
    assert unknown.reason is Reason.UNKNOWN_NAME
    assert unknown.position is not None
    assert unknown.position.column == 18
    assert unread.reason is Reason.SYNTAX


def test_a_document_is_asked_by_itself() -> None:
    """A list with a document in it has the same answers."""
    asked = Engine(view_of(SHOP, 2))
    document = {"op": "eq", "left": {"name": "country"}, "right": "DE"}
    found = asked.sizes(["country = DE", document], CONTEXT)
    assert found[0] == asked.size("country = DE", CONTEXT)


def test_who_waits_no_longer_ends_it() -> None:
    """The check is asked, and what it raises is nobody's segment's."""

    def over() -> None:
        raise UserError(Reason.DEADLINE_EXCEEDED, "expected an answer in time, found none")

    asked = Engine(view_of(SHOP, 2))
    with pytest.raises(UserError, match="in time"):
        asked.sizes(["country = DE and spent > 5"], dataclasses.replace(CONTEXT, check=over))


def test_a_view_with_another_base_is_let_go() -> None:
    """What was counted before a compaction does not keep what is read no more."""
    asked = Engine(view_of(SHOP, 2))
    asked.sizes(["country = DE"], CONTEXT)
    gone = weakref.ref(asked.view)
    fresh = dataclasses.replace(view_of(SHOP, 2), schema=asked.view.schema)
    asked = asked.at(fresh)
    gc.collect()
    assert gone() is None
    assert asked.sizes(["country = DE"], CONTEXT) == [Engine(fresh).size("country = DE", CONTEXT)]


def test_segments_are_taken_apart() -> None:
    """Conditions are there once, with signs; larger segments are conditions by themselves."""
    texts = ["spent > 5 and not vip = true", "not (vip = true or spent > 5)", "spent > 5"]
    texts += ["spent > 5 and vip = true and country = DE", 'in segment "x"', "spent >"]
    roster = Roster(texts, CONTEXT.limits)
    assert [canonical(node) for node in roster.nodes] == [
        "spent > 5", "vip = true", "spent > 5 and vip = true and country = DE", 'in segment "x"',
    ]  # fmt: skip
    assert roster.refused == [5]
    assert roster.pairs.first.tolist()[:3] == [0, 1, 0]
    assert roster.pairs.second_out.tolist()[:3] == [True, True, False]


@pytest.mark.parametrize("type_", [FieldType.NUMBER, FieldType.DATE])
def test_bounds_are_those_of_the_index(type_: FieldType) -> None:
    """Each range has the rows and ranks that the index itself finds, at every edge."""
    dice = np.random.default_rng(3)
    values: np.ndarray[tuple[int], np.dtype[np.float64 | np.int64]]
    if type_ is FieldType.NUMBER:
        values = np.round(dice.normal(0, 5, 300), 1)
        values[:4] = (0.1 + 0.2, 1e300, -1e300, 2.0**53)
        edges = [*values[:40].tolist(), -np.inf, np.inf, 0.30000000000000004, 2.0**53 + 2]
        edges += [np.nextafter(edge, np.inf) for edge in edges[:10]]
    else:
        values = dice.integers(-30, 30, 300)
        edges = [*range(-32, 32, 5), -np.inf, np.inf, -(2**62), 2**62]
    index = RangeIndex.build(values, dice.random(300) < 0.8)
    signs = (False, True) if type_ is FieldType.NUMBER else (False,)
    asked = [Range(a, b, c, d) for a in edges for b in edges for c in signs for d in signs]
    bounds = Bounds(Field("x", type_), list(enumerate(asked)))
    held, ranks = bounds.hold(index), bounds.ranks(index)
    for number, range_ in enumerate(asked):
        ends = [None if abs(end) == np.inf else end for end in (range_.low, range_.high)]
        if (range_.low, range_.high) in ((np.inf, range_.high), (range_.low, -np.inf)):
            continue  # no range that is bound is behind all values
        right = index.between(*ends, range_.low_open, range_.high_open)
        assert BitMap(np.flatnonzero(held[number]).tolist()) == right, range_
        start, stop = ranks[number].tolist()
        assert BitMap(index.order[start:stop].tolist()) == right, range_


def test_blocks_without_anybody_are_no_trouble() -> None:
    """An empty view, and a block of which all are gone."""
    view = view_of(SHOP, 2)
    empty: tuple[Block, ...] = tuple(one.with_changes(live=BitMap()) for one in view.blocks)
    texts = ["country = DE and spent > 5", "not country = DE", "everyone"]
    for blocks in ((), empty):
        asked = Engine(dataclasses.replace(view, blocks=blocks))
        assert asked.sizes(texts, CONTEXT) == [0, 0, 0]


def test_a_tree_is_known_by_itself() -> None:
    """Equal trees are asked alike, whoever holds them."""
    asked = Engine(view_of(SHOP, 2))
    trees: list[tree.Segment] = [
        tree.Compare(tree.Name("country"), tree.CompareOp.EQ, tree.String(code))
        for code in ("DE", "FR", "US")
    ]
    right = [asked.size(one, CONTEXT) for one in trees]
    for _ in range(3):
        assert asked.sizes([dataclasses.replace(one) for one in trees], CONTEXT) == right
        assert asked.sizes(trees, CONTEXT) == right
