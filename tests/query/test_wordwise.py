"""Wordwise: plans counted in words are what the oracle counts, and what roaring bitmaps count."""

from __future__ import annotations

import datetime as dt
import gc
import os
import random
from collections.abc import Iterator
from functools import cache

import pytest
from pyroaring import BitMap

from headcount.index import ranges
from headcount.query import evaluate, words, wordwise
from headcount.query.bitsets import Bits, Plain
from headcount.query.context import never
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.query.results import Results
from headcount.query.words import WordTwins
from support import oracle
from support.asking import instant, schema
from support.engines import context_at, view_of, without
from support.worlds import World

AS_OF = instant("2026-05-09T12:00:00")
SEGMENTS = int(os.environ.get("HEADCOUNT_WORDS_SEGMENTS", "150"))


def _world() -> World:
    """Return 700 contacts: few values and many, rare ones, sets, numbers, dates, booleans."""
    dice = random.Random(5)
    countries = [*"abcdefgh", None]
    contacts = {
        f"c{n:03}": {
            "country": dice.choices(countries, [90, 50, 30, 20, 10, 5, 2, 1, 20])[0],
            "tier": dice.choice(["gold", "Gold", "GOLD", "silver", None]),
            "labels": [one for one in "pqrs" if dice.random() < 0.3] or None,
            "tags": [f"t{one}" for one in range(9) if dice.random() < one / 30] or None,
            "spent": dice.choice([None, round(dice.lognormvariate(3, 1), 2)]),
            "stars": float(dice.choice([1, 2, 3, 3, 3, 4, 5])),
            "born": dice.choice([None, dt.date(dice.randint(1960, 1999), dice.randint(1, 9), 11)]),
            "vip": dice.choices([True, False, None], [1, 8, 2])[0],
            "paid": dice.choice([True, False]),
        }
        for n in range(700)
    }
    fields = {
        "country": "keyword",
        "tier": "keyword",
        "labels": "keywords",
        "tags": "keywords",
        "spent": "number",
        "stars": "number",
        "born": "date",
        "vip": "boolean",
        "paid": "boolean",
    }
    return World(schema(fields, {}), contacts, [])


WORLD = _world()
DEAD = set(list(WORLD.contacts)[::11])


def _leaf(dice: random.Random) -> str:
    """Return a condition on one field."""
    some = ", ".join(dice.sample("abcdefghz", dice.randint(1, 9)))
    labels = ", ".join(f'"{one}"' for one in dice.sample("pqrs", dice.randint(1, 4)))
    tags = ", ".join(f'"t{one}"' for one in dice.sample(range(10), dice.randint(1, 6)))
    low, high = sorted((dice.randint(0, 60), dice.randint(0, 60)))
    return dice.choice(
        [
            f"country in ({some})", "tier in (gold, bronze)", "tier = silver",
            f"labels contains any ({labels})", f"labels contains all ({labels})",
            f"tags contains any ({tags})", f"spent between {low} and {high}", f"spent > {low}",
            f"spent <= {high}", f"stars >= {low % 6}", "stars in (1, 3)", "stars = 3",
            f"born between 19{60 + low % 40}-03-01 and 1999-06-30", "born > 1977-05-11",
            f"spent != {low}", "vip = true", "vip = false", "paid = true", "country is empty",
            "spent is not empty", "labels is not empty", "vip is empty",
        ]
    )  # fmt: skip


def _segment(dice: random.Random, depth: int) -> str:
    """Return conditions joined in some way."""
    if not depth or dice.random() < 0.2:
        text = _leaf(dice)
    else:
        word = dice.choice((" and ", " and ", " or "))
        items = (_segment(dice, depth - 1) for _ in range(dice.randint(2, 4)))
        text = f"({word.join(items)})"
    return f"not {text}" if dice.random() < 0.2 else text


TEXTS = [_segment(random.Random(seed), 3) for seed in range(SEGMENTS)]


@cache
def expected_of(text: str) -> frozenset[str]:
    """Return the members of a segment."""
    return frozenset(oracle.members(WORLD, parse(text), AS_OF, "UTC"))


@pytest.fixture(params=["words", "words and rows", "numpy"], autouse=True)
def made(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let words be made for small blocks; with bins of a few rows, and some values as rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "_ASKED", 1)
        patch.setattr(words, "_BYTES_A_ROW", 1_000)
        patch.setattr(wordwise, "_SMALL", 0)
        patch.setattr(wordwise, "_FEW_SHARE", 1 << 30)
        patch.setattr(wordwise, "_COUNT_COSTS", -1)
        patch.setattr(
            wordwise, "_is_one_range", lambda _root: False
        )  # they are tested in words too
        patch.setattr(wordwise, "_RARE_SHARE", 20 if request.param == "words and rows" else 1 << 30)
        patch.setattr(ranges, "_BIN", 16)
        if request.param == "numpy":
            patch.setattr(wordwise, "kernels", Plain())
        yield request.param


@pytest.mark.parametrize("block_rows", [64, 512])
def test_plans_are_counted_as_by_the_oracle(block_rows: int) -> None:
    """Of live rows and of all, asked once and again, in blocks that do not end with a word."""
    context = context_at(AS_OF)
    whole = view_of(WORLD, block_rows)
    engines = [Engine(view, Results(0)) for view in (whole, without(whole, DEAD))]
    twins = WordTwins()
    done = 0
    for text in TEXTS:
        expected = expected_of(text)
        right = len(expected), len(expected - DEAD)
        for engine, count in zip(engines, right, strict=True):
            plan = engine.prepared(text, context).plan
            for _ in range(2):
                assert evaluate.count(plan, engine.view, never, twins=twins) == count, text
            assert evaluate.count(plan, engine.view, never) == count, text
            assert engine.count(text, context).count == count, text
            found = [wordwise.count(plan, block, twins) for block in engine.view.blocks]
            done += None not in found
    assert done > len(TEXTS)  # of twice as many


def test_words_come_with_being_asked_and_keep_to_their_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is made for who asks once; no more is held than was given; a block takes it along."""
    monkeypatch.setattr(words, "_ASKED", 3)
    context = context_at(AS_OF)
    text = "(country in (a, c, e) or paid = true) and spent between 5 and 30 and not vip = true"
    expected = len(expected_of(text))
    for capacity in (0, 300, 1_000_000):
        view = view_of(WORLD)
        (block,) = view.blocks
        plan, twins = Engine(view).prepared(text, context).plan, WordTwins(capacity)
        found = [wordwise.count(plan, block, twins) for _ in range(5)]
        assert found[:2] == [None, None]
        assert found[2:] == [expected if capacity > 300 else None] * 3
        assert twins.bytes <= capacity
        assert bool(twins.bytes) is bool(capacity)
        del view, block
    gc.collect()  # an engine refers to itself
    assert twins.bytes == 0


def test_a_block_begins_anew_when_other_things_are_asked() -> None:
    """What is refused again and again gets its room in the end; nothing is held twice."""
    (block,) = view_of(WORLD).blocks
    twins = WordTwins(capacity=300)  # three operands of 88 bytes
    held = twins.of(block)

    def get(number: int) -> Bits | None:
        return held.get(number, lambda: BitMap([number]))

    assert [get(number) is not None for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert held.bytes == twins.bytes == 264
    found = [get(5) is not None for _ in range(20)]
    assert True in found
    assert found == sorted(found)
    assert held.bytes == twins.bytes == 88


def test_a_newer_version_of_a_block_shares_its_words() -> None:
    """Only the live rows differ: they are looked at anew, the operands are there already."""
    context = context_at(AS_OF)
    engine = Engine(view_of(WORLD), Results(0))
    text = "country in (a, b) and spent between 5 and 30 and labels contains any ('p', 'q')"
    twins = WordTwins()
    (block,) = engine.view.blocks
    plan = engine.prepared(text, context).plan
    assert wordwise.count(plan, block, twins) == len(expected_of(text))
    before = twins.bytes
    (newer,) = without(engine.view, DEAD).blocks
    assert wordwise.count(plan, newer, twins) == len(expected_of(text) - DEAD)
    assert wordwise.count(plan, block, twins) == len(expected_of(text))
    assert twins.bytes == before + 88  # those that are live, in the version asked about last


def test_spare_words_are_others_for_each_size_and_depth() -> None:
    """They are used again; of many sizes the older ones are given back."""
    assert words.spare(10, 0) is words.spare(10, 0)
    assert words.spare(10, 0) is not words.spare(10, 1)
    assert [len(words.spare(size, 1).words) for size in range(40)] == list(range(40))
