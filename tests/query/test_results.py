"""What is remembered: how much, for how long, and never the wrong rows."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gc
import threading
from collections.abc import Hashable
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block, Identity
from headcount.index.view import Version, View
from headcount.model.schema_toml import parse
from headcount.query import evaluate, results, settled
from headcount.query.bound import Condition
from headcount.query.clock import Clock
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.results import OFF, Results
from support.compare import compare
from support.engines import context_at, members_of, view_of
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

CLOCK = Clock(0, ZoneInfo("UTC"))
ROWS = [BitMap(range(0, 3 * n, 3)) for n in range(1, 6)]


@pytest.fixture(scope="module")
def block() -> Block:
    """Return a block to remember something about."""
    return view_of(SHOP).blocks[0]


def size_of(rows: BitMap, asked: Hashable, block: Block) -> int:
    """Return the bytes that remembering *rows* takes."""
    held = Results(1 << 24)
    recall = held.of(block, CLOCK)
    assert recall is not None
    recall.keep(asked, rows)
    return held.usage().bytes


# --- the memory -------------------------------------------------------------------------------


def test_what_is_kept_comes_back(block: Block) -> None:
    """Rows are found under what was asked, and nothing else."""
    recall = Results().of(block, CLOCK)
    assert recall is not None
    recall.keep("a", ROWS[0])
    assert recall.get("a") is ROWS[0]
    assert recall.get("b") is None


def test_a_memory_of_no_bytes_is_off(block: Block) -> None:
    """With a capacity of 0 nothing is asked of it."""
    assert OFF.of(block, CLOCK) is None
    assert OFF.usage() == results.Usage(0, 0, 0, 0, 0)


def test_the_bytes_stay_within_the_capacity(block: Block) -> None:
    """What was used longest ago goes first, one at a time."""
    each = size_of(ROWS[0], 0, block)
    held = Results(3 * each)
    recall = held.of(block, CLOCK)
    assert recall is not None
    for asked in range(3):
        recall.keep(asked, ROWS[0])
    assert recall.get(0) is not None  # so that 1 is the oldest
    recall.keep(3, ROWS[0])
    assert [recall.get(asked) is not None for asked in range(4)] == [True, False, True, True]
    assert held.usage() == results.Usage(3, 3 * each, 3 * each, 4, 1)


def test_the_bytes_are_those_of_rows_and_key(block: Block) -> None:
    """A large bitmap counts as what it occupies, a key of many texts too."""
    large = BitMap(range(0, 1 << 20, 2))
    assert size_of(large, 0, block) >= bitmaps.memory(large) > 100_000
    texts = frozenset(str(n) for n in range(10_000))
    assert size_of(ROWS[0], texts, block) > 1_000_000


def test_what_is_larger_than_the_memory_is_not_kept(block: Block) -> None:
    """One large answer does not drive the others out."""
    held = Results(20_000)
    recall = held.of(block, CLOCK)
    assert recall is not None
    recall.keep("small", ROWS[0])
    recall.keep("large", BitMap(range(0, 1 << 20, 2)))
    assert recall.get("small") is ROWS[0]
    assert recall.get("large") is None


def test_kept_twice_is_counted_once(block: Block) -> None:
    """Two queries that work out the same at once leave one entry."""
    held = Results()
    recall = held.of(block, CLOCK)
    assert recall is not None
    recall.keep("a", ROWS[0])
    before = held.usage()
    recall.keep("a", ROWS[0])
    assert held.usage() == before
    held.clear()
    assert (held.usage().entries, held.usage().bytes) == (0, 0)


def test_zone_and_day_are_part_of_what_is_asked(block: Block) -> None:
    """`month(t) = 3` is another question in another zone, `anniversary` on another day."""
    held = Results()
    day_us = 86_400_000_000
    clocks = [CLOCK, Clock(0, ZoneInfo("Asia/Tokyo")), Clock(day_us, ZoneInfo("UTC"))]
    for number, clock in enumerate(clocks):
        recall = held.of(block, clock)
        assert recall is not None
        assert recall.get("a") is None
        recall.keep("a", ROWS[number])
    same_day = held.of(block, Clock(day_us - 1, ZoneInfo("UTC")))
    assert same_day is not None
    assert same_day.get("a") is ROWS[0]


def test_a_block_that_is_gone_is_forgotten() -> None:
    """Nothing keeps a block alive, and its rows are never given for another one."""
    held = Results()
    for _ in range(20):  # `id` of a block is soon that of the next
        only = view_of(SHOP).blocks[0]
        recall = held.of(only, CLOCK)
        assert recall is not None
        assert recall.get("a") is None
        recall.keep("a", ROWS[0])
        del only, recall
        gc.collect()
    last = view_of(SHOP).blocks[0]
    assert held.of(last, CLOCK) is not None
    assert held.usage().entries == 0


def test_threads_share_a_memory(block: Block) -> None:
    """Many threads at once: the bytes are the sum of what is there."""
    held = Results(20_000)
    failures: list[str] = []

    def work(seed: int) -> None:
        recall = held.of(block, CLOCK)
        assert recall is not None
        for step in range(500):
            asked = (seed * 7 + step) % 60
            found = recall.get(asked)
            if found is None:
                recall.keep(asked, ROWS[asked % 5])
            elif found != ROWS[asked % 5]:
                failures.append(f"{asked}: {found}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert 0 < held.usage().bytes <= 20_000
    assert held.usage().bytes == sum(size for _, size in held._held.values())


# --- the engine -------------------------------------------------------------------------------


def worked_out(engine: Engine, query: str, context: QueryContext) -> int:
    """Return how many conditions had to be worked out to find the members."""
    before = engine.results.usage().misses
    members_of(engine, query, context)
    return engine.results.usage().misses - before


def test_only_what_is_new_is_worked_out() -> None:
    """A condition edited among others is the one that is not remembered."""
    engine = Engine(view_of(SHOP))
    context = context_at(AS_OF)
    text = "spent > 50 and opened in last 30 days and orders < {} and born < 2000-01-01"
    assert worked_out(engine, text.format(5), context) == 4
    assert worked_out(engine, text.format(5), context) == 0
    assert worked_out(engine, text.format(6), context) == 1


def test_a_later_instant_is_not_another_question() -> None:
    """A window whose events are the same is remembered; one that an event has left is not."""
    engine = Engine(view_of(SHOP))
    queries = [
        "opened in last 7 days",
        "sum(purchase.amount in last 90 days) > 10",
        "last(purchase) > first(purchase) + 1 day",
        "did opened then did purchase within 2 days",
        "signed_up within last 400 days",
        "spent > 1",
    ]

    def asked(as_of: dt.datetime, zone: str = "UTC") -> list[int]:
        return [worked_out(engine, query, context_at(as_of, zone)) for query in queries]

    assert asked(AS_OF) == [1, 1, 1, 1, 1, 1]
    assert asked(AS_OF) == [0, 0, 0, 0, 0, 0]
    later = AS_OF + dt.timedelta(milliseconds=1)  # somebody bought after 1 µs
    assert asked(later) == [0, 1, 1, 1, 0, 0]
    assert asked(later + dt.timedelta(minutes=1)) == [0, 0, 0, 0, 0, 0]
    assert asked(AS_OF - dt.timedelta(hours=1)) == [0, 0, 0, 0, 1, 0]  # before a sign-up
    assert asked(AS_OF, "Asia/Tokyo") == [1, 1, 1, 1, 1, 1]


def test_what_no_day_changes_is_asked_once_for_all_days() -> None:
    """A timeless segment shares its conditions with one of any day, but not with another zone's."""
    engine = Engine(view_of(SHOP))
    shared = (
        "spent > 1",
        "spent / orders > 5",
        "month(born) = 3",
        'city contains "o"',
        "signed_up >= 2024-01-01",
        "country in (US, DE)",
    )
    later = AS_OF + dt.timedelta(days=3)
    for condition in shared:
        assert worked_out(engine, condition, context_at(AS_OF)) == 1, condition
        for at in (AS_OF, later):
            both = f"{condition} and opened in last {at.day} days"
            assert worked_out(engine, both, context_at(at)) == 1, condition
        assert worked_out(engine, condition, context_at(AS_OF, "Asia/Tokyo")) == 1, condition
        engine.results.clear()
    of_today = "anniversary(born) within next 30 days"
    assert worked_out(engine, of_today, context_at(AS_OF)) == 1
    assert worked_out(engine, of_today, context_at(later)) == 1


def test_blocks_that_a_write_left_alone_stay_remembered() -> None:
    """A newer view shares its blocks' results; only a block of other rows is asked again."""
    held = Results()
    view = view_of(SHOP, 2)
    engine = Engine(view, held)
    assert worked_out(engine, "spent > 50", context_at(AS_OF)) == 3
    fewer = view.blocks[0].with_changes(live=BitMap([1]))
    other = dataclasses.replace(view.blocks[1], identity=Identity())
    blocks = (fewer, other, view.blocks[2])
    newer = Engine(dataclasses.replace(view, blocks=blocks), held)
    assert worked_out(newer, "spent > 50", context_at(AS_OF)) == 1
    assert newer.count("spent > 50", context_at(AS_OF)).count == 2


def test_an_answer_for_candidates_alone_is_not_remembered() -> None:
    """A condition that is read for the few who are left says nothing about the others."""
    view = view_of(SHOP)
    engine = Engine(view)
    context = context_at(AS_OF)
    few = 'id = "ann" and spent / orders > 100'
    assert engine.count(few, context).count == 0
    assert members_of(engine, "spent / orders > 100", context) == ["eva"]


def asked_again(
    held: Results, seed: int, count: int, capacity_views: dict[int, tuple[object, View]]
) -> str | None:
    """Return the first case that an engine with *held* answers wrongly, asked at three instants."""
    for case in seeded_cases(seed, count, sizes=(20, 40)):
        if id(case.world) not in capacity_views:
            capacity_views.clear()
            capacity_views[id(case.world)] = (case.world, view_of(case.world, 16))
        _, view = capacity_views[id(case.world)]
        for step in (0, 1, 86_400_000_000):
            later = dataclasses.replace(case, as_of=case.as_of + dt.timedelta(microseconds=step))
            for zone in (case.zone, "Asia/Tokyo"):
                at = dataclasses.replace(later, zone=zone)
                engine = Engine(view, held)
                found = members_of(engine, at.segment, context_at(at.as_of, at.zone))
                difference = compare(at, found)
                if difference is not None:
                    return str(difference)
    return None


@pytest.mark.parametrize("capacity", [0, 3_000, 1 << 24])
def test_answers_are_the_oracles_with_any_memory(capacity: int) -> None:
    """One memory for many views, instants and zones gives what the oracle gives."""
    assert asked_again(Results(capacity), 31, 120, {}) is None


def _blind_scope(*_: object) -> tuple[str, int]:
    return "", 0


def _without_low(condition: Condition, block: Block) -> Hashable:
    asked = settled.settled(condition, block)
    return asked[:3] if isinstance(asked, tuple) and asked[0] == "events" else asked


def _always(*_: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("owner", "name", "wrong"),
    [
        (results, "_scope", _blind_scope),
        (results, "is_of_any_day", _always),
        (evaluate, "settled", _without_low),
        (evaluate.Evaluation, "_is_for_all", _always),
    ],
    ids=[
        "the zone is not part of the key",
        "nor is the day",
        "nor is the number of times",
        "candidates are kept",
    ],
)
def test_a_mistake_shows(
    owner: object, name: str, wrong: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory that confuses two questions is seen by the same test."""
    monkeypatch.setattr(owner, name, wrong)
    monkeypatch.setattr(evaluate, "_FEW_SHARE", 1)
    assert any(asked_again(Results(), seed, 400, {}) for seed in (31, 35))


def test_the_smallest_of_what_is_remembered_comes_first() -> None:
    """With all conditions but one known, in whatever order, the answer is that without a memory."""
    rows = 20_000
    contacts = pa.table(
        {
            "id": pa.array([f"c{n}" for n in range(rows)]),
            "a": pa.array([float(n % 5_000) for n in range(rows)]),
            "b": pa.array([float(n % 70) for n in range(rows)]),
            "c": pa.array([float(n % 11) for n in range(rows)]),
        }
    )
    schema = parse('id = "id"\n[fields]\na = "number"\nb = "number"\nc = "number"\n')
    view = View(schema, (Block.build(0, contacts, {}, schema),), Version(1, 1))
    context = context_at(AS_OF)
    engine, plain = Engine(view), Engine(view, Results(0))
    for low in (0, 2, 4_000, 4_999, 6_000):
        for sign in ("", "not "):
            for rest in ("c < {}", "not c < {}", "(c < {} or b = 3)"):
                text = f"{sign}b >= 60 and a >= {low} and not b = 65 and {rest.format(low % 7)}"
                assert engine.size(text, context) == plain.size(text, context), text
                assert engine.size(f"not ({text})", context) == rows - plain.size(text, context)
