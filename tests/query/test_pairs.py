"""Pairs: one or two conditions counted by postings, twins and ranks are what the oracle counts."""

from __future__ import annotations

import random
from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
from pyroaring import BitMap

from headcount.query import pairs, twins
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.query.results import Results
from headcount.query.twins import Ranks, Twins
from support import oracle
from support.asking import happened, instant, schema
from support.engines import context_at, view_of, without
from support.worlds import World

AS_OF = instant("2026-05-09T12:00:00")


def _world() -> World:
    """Return 300 contacts with a few values each, and enough events that newest times are kept."""
    dice = random.Random(3)
    contacts = {
        f"c{n:03}": {
            "country": dice.choice(["NZ", "US", "DE", "FR", "IS", None]),
            "labels": dice.sample(["a", "b", "c"], dice.randint(0, 3)) or None,
            "spent": dice.choice([None, float(dice.randint(0, 20))]),
            "orders": float(n % 5),
            "tier": dice.choice(["gold", "Gold", "GOLD", "silver", None]),
            "vip": dice.choice([True, False, None]),
        }
        for n in range(300)
    }
    events = [
        event
        for n, _ in product(range(300), range(12))
        for event in happened(f"c{n:03}", "visit", f"2026-0{dice.randint(1, 5)}-0{n % 8 + 1}")
    ]
    fields = {
        "country": "keyword",
        "labels": "keywords",
        "tier": "keyword",
        "spent": "number",
        "orders": "number",
        "vip": "boolean",
    }
    return World(schema(fields, {"visit": {}}), contacts, events)


WORLD = _world()
POSTINGS = [
    "country = NZ", "tier = gold", "tier in (gold, SILVER, none)", "country in (US, DE)",
    "country in (US, DE, Atlantis)", "vip = true",
    'labels contains "a"', "country = Atlantis", "vip is not empty",
]  # fmt: skip
STRETCHES = [
    "spent between 3 and 9", "orders > 1", "spent > 99", "visit in last 30 days", "orders <= 4",
    "did visit at least 2 times in last 45 days",
]  # fmt: skip
JOINED = ("{} and {}", "{} and not {}", "{} or {}", "not ({} or {})", "not {} or {}")
TEXTS = [
    *POSTINGS,
    *STRETCHES,
    *(f"not ({text})" for text in POSTINGS + STRETCHES),
    *(how.format(*two) for how in JOINED for two in product(POSTINGS, POSTINGS)),
    *(how.format(*two) for how in JOINED for two in product(POSTINGS, STRETCHES)),
    *(how.format(*two) for how in JOINED for two in product(STRETCHES, POSTINGS)),
]
DEAD = set(list(WORLD.contacts)[::11])


@cache
def expected_of(text: str) -> frozenset[str]:
    """Return the members of a segment."""
    return frozenset(oracle.members(WORLD, parse(text), AS_OF, "UTC"))


@pytest.fixture(params=["as it is", "everything has a twin", "nothing has one"], autouse=True)
def made(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let twins be made as they are for large blocks, or none."""
    if request.param != "as it is":
        monkeypatch.setattr(twins, "_LISTED", -1)
        monkeypatch.setattr(twins, "_ASKED", 2)
        monkeypatch.setattr(twins, "_ASKED_OFTEN", 1)
        monkeypatch.setattr(pairs, "_SMALL", 0)
        monkeypatch.setattr(pairs, "_QUICK", 0)
    if request.param == "nothing has one":
        monkeypatch.setattr(twins.Twins.__init__, "__defaults__", (0,))
    made: str = request.param
    return made


@pytest.mark.parametrize("block_rows", [64, 512])
def test_pairs_are_counted_as_by_the_oracle(block_rows: int) -> None:
    """However two conditions are joined, asked once or often, with dead rows and without."""
    context = context_at(AS_OF)
    whole = view_of(WORLD, block_rows)
    engines = [Engine(view, Results(0)) for view in (whole, without(whole, DEAD))]
    quick = 0
    for text in TEXTS:
        expected = expected_of(text)
        right = len(expected), len(expected - DEAD)
        for engine, count in zip(engines, right, strict=True):
            prepared = engine.prepared(text, context)
            quick += prepared.quick_count is not None
            assert [engine.count(text, context).count for _ in range(3)] == [count] * 3, text
    assert quick > len(TEXTS) * 3 // 2
    if block_rows == 512:
        text = "country = NZ and did visit at least 2 times in last 45 days"
        assert engines[0].prepared(text, context).quick_count is not None


def test_a_count_outlives_its_engine_in_the_next_version() -> None:
    """What is asked of a newer view is counted there, with the twins that were made before."""
    context = context_at(AS_OF)
    engine = Engine(view_of(WORLD), Results(0))
    text = "country = NZ and spent between 3 and 9"
    before = [engine.count(text, context).count for _ in range(40)]
    after = engine.at(without(engine.view, DEAD))
    expected = expected_of(text)
    assert set(before) == {len(expected)}
    assert after.count(text, context).count == len(expected - DEAD)
    assert engine.count(text, context).count == len(expected)


def test_twins_keep_to_their_bytes_and_go_with_their_block(made: str) -> None:
    """No more bytes are held than were given; a block that is gone takes its twins along."""
    view = view_of(WORLD)
    block = view.blocks[0]
    held, none = Twins(1000), Twins(0)
    rows = [BitMap(range(first, 300, 7)) for first in range(7)]
    for number, one in enumerate(rows):
        other = held.bits(block, number, one)
        assert none.bits(block, number, one) is None
        if other is not None:
            assert other == BitMap(range(300)) - one
            assert held.bits(block, number, one) is other
    assert held.bytes <= 1000
    assert bool(held.bytes) is (made != "as it is")
    del view, block
    assert held.bytes == 0


def test_ranks_are_counted_once_a_posting_is_crossed() -> None:
    """A crossed posting holds the ranks of its rows, and is made when it was asked for often."""
    block = view_of(WORLD).blocks[0]
    index = block.fields["spent"]
    assert index.kind == "range"
    rows, store = BitMap(range(0, 300, 2)), Twins()
    found = [store.crossed(block, "even", rows, "spent", index) for _ in range(40)]
    assert found[0] is None
    ranks, last = [row % 2 == 0 for row in index.order.tolist()], found[-1]
    assert (last is None) is (Twins.__init__.__defaults__ == (0,))
    for start, stop in combinations(range(0, len(ranks) + 1, 13), 2) if last else ():
        assert last.between(start, stop) == sum(ranks[start:stop])


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 1025, 5000])
def test_places_are_counted_between_any_two(size: int) -> None:
    """Of any number of places, from the first to behind the last."""
    dice = random.Random(size)
    held = np.array([dice.random() < 0.3 for _ in range(size)], dtype=np.bool_)
    ranks = Ranks(held)
    edges = {0, size, *(n for n in (1, 1023, 1024, 1025, 2048, 4096, 4999) if n <= size)}
    for start, stop in product(edges, edges):
        assert ranks.between(start, stop) == (
            np.count_nonzero(held[start:stop]) - np.count_nonzero(held[stop:start])
        )
