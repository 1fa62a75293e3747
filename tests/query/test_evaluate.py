"""Evaluation: dead rows, candidates, shared bitmaps, the check between blocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyroaring import BitMap

from headcount.index.block import Block
from headcount.index.parts import Parts
from headcount.index.view import View
from headcount.model.errors import Reason, UserError
from headcount.query import evaluate, masks
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.query.results import Results
from support import oracle
from support.asking import happened, instant, schema
from support.engines import context_at, members_of, view_of
from support.golden import blocks
from support.shop import AS_OF, SHOP
from support.worlds import World

ZONE = "Europe/Berlin"
CONTEXT = context_at(AS_OF, ZONE)
TEXTS = [text for text, _ in blocks(Path(__file__).parent / "golden" / "segments.txt")]


def _crowd() -> World:
    """Return 300 contacts in which few are left after the first condition."""
    contacts = {
        f"c{n:03}": {
            "country": "NZ" if n % 47 == 3 else "US",
            "name": f"Name {n} of {'Rotorua' if n % 4 == 0 else 'Boston'}",
            "spent": float(n),
            "orders": float(n % 5),
            "vip": None if n % 3 == 0 else n % 2 == 0,
            "twin": n % 4 < 2,
        }
        for n in range(300)
    }
    events = [
        event
        for n in range(0, 300, 4)
        for event in happened(f"c{n:03}", "purchase", "2026-05-01", amount=float(n))
    ]
    fields = {
        "country": "keyword",
        "name": "text",
        "spent": "number",
        "orders": "number",
        "vip": "boolean",
        "twin": "boolean",
    }
    return World(schema(fields, {"purchase": {"amount": "number"}}), contacts, events)


CROWD = _crowd()


def without(view: View, dead: set[str]) -> View:
    """Return *view* after the contacts with these ids were deleted."""
    found = []
    for block in view.blocks:
        ids = block.ids.array.to_pylist()
        live = BitMap(row for row, id_ in enumerate(ids) if id_ not in dead)
        found.append(dataclasses.replace(block, live=live))
    return dataclasses.replace(view, blocks=tuple(found))


@pytest.mark.parametrize("block_rows", [1, 2, 64])
def test_the_dead_are_nowhere(block_rows: int) -> None:
    """A deleted contact is in no segment, not in a complement either, and is not counted."""
    dead = {"ann", "dee", "fay"}
    whole = view_of(SHOP, block_rows)
    all_alive, some_dead = Engine(whole), Engine(without(whole, dead))
    for text in TEXTS:
        for asked in (text, f"not ({text})"):
            expected = [id_ for id_ in members_of(all_alive, asked, CONTEXT) if id_ not in dead]
            assert members_of(some_dead, asked, CONTEXT) == expected
            assert some_dead.count(asked, CONTEXT).count == len(expected)


@pytest.mark.parametrize("block_rows", [1, 3, 64])
def test_a_count_is_the_number_of_members(block_rows: int) -> None:
    """However a count is taken, it is that of the members; a `not` gives all the others."""
    engine = Engine(view_of(SHOP, block_rows))
    for text in TEXTS:
        members = members_of(engine, text, CONTEXT)
        assert engine.count(text, CONTEXT).count == len(members)
        others = members_of(engine, f"not ({text})", CONTEXT)
        assert sorted(members + others) == sorted(SHOP.contacts)


CANDIDATES = [
    'country = NZ and name contains "rotorua"',
    'country = NZ and name not contains "roto"',
    'country = NZ and id matches "[05]0$"',
    "country = NZ and spent / orders > 20",
    "country = NZ and not spent * 2 > 200",
    "country = NZ and vip = twin",
    "country = NZ and vip = true and spent > 100",
    "country = NZ and not vip = true and orders < 4 and spent between 20 and 200",
    "country = NZ and not spent > 100 and twin = true",
    "country in (NZ, Atlantis, Narnia) or spent > 250",
    "(country in (NZ, Atlantis) or country in (NZ, Narnia) and vip = true) and orders >= 2",
    "did purchase at least 1 times and did purchase at most 2 times",
    "country = NZ and coalesce(vip, twin) = true",
    "country = NZ and sum(purchase.amount) + spent > 100",
    "country = NZ and count(purchase) + orders = 1",
    "country = NZ and (spent - orders > 100 or length(name) = 17)",
    "not country = US and spent / orders > 20 and spent - orders > 100",
]


@pytest.mark.parametrize("share", [1, 10**9])
def test_candidates_give_what_all_rows_give(share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition worked out for the few that are left agrees with one worked out for all."""
    monkeypatch.setattr(evaluate, "_FEW_SHARE", share)
    monkeypatch.setattr(evaluate, "_FEW_TEXTS_SHARE", share)
    monkeypatch.setattr(evaluate, "_FEW_VALUES_SHARE", share)
    engines = Engine(view_of(CROWD)), Engine(view_of(CROWD), Results(0))
    context = context_at(AS_OF)
    for text in CANDIDATES:
        expected = oracle.members(CROWD, parse(text), AS_OF, "UTC")
        assert expected
        for engine in engines:
            assert set(members_of(engine, text, context)) == expected
            assert engine.size(text, context) == len(expected)


@pytest.mark.parametrize("stride", [1, 7, 10**9])
def test_rows_in_stretches_give_what_all_rows_give(
    stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arithmetic is the same whether all rows are worked out at once or a few at a time."""
    monkeypatch.setattr(masks, "_STRIDE", stride)
    for text in CANDIDATES:
        engine = Engine(view_of(CROWD))
        expected = oracle.members(CROWD, parse(text), AS_OF, "UTC")
        assert set(members_of(engine, text, context_at(AS_OF))) == expected
    engine = Engine(view_of(SHOP))
    for text in TEXTS:
        expected = oracle.members(SHOP, parse(text), AS_OF, ZONE)
        assert set(members_of(engine, text, CONTEXT)) == expected


@pytest.mark.parametrize("many", [1, 10**9])
def test_many_numbers_in_a_list(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list of numbers is looked up in the column, a short one in the index."""
    monkeypatch.setattr(evaluate, "_MANY_RANGES", many)
    engine = Engine(view_of(CROWD))
    text = f"orders in ({', '.join(map(str, range(3, 40, 2)))}) and spent not in (3, 3.5, 13)"
    expected = oracle.members(CROWD, parse(text), AS_OF, "UTC")
    assert set(members_of(engine, text, context_at(AS_OF))) == expected


def _bytes(block: Block) -> dict[str, bytes]:
    return {name: bytes(part.data) for name, part in Parts(block.parts()).items()}


@pytest.mark.parametrize("world", [SHOP, CROWD], ids=["shop", "crowd"])
def test_nothing_in_a_view_is_changed(world: World) -> None:
    """After every kind of question, each index is byte for byte what it was, and checks."""
    view = view_of(world)
    before = [_bytes(block) for block in view.blocks]
    engine = Engine(view)
    for text in TEXTS if world is SHOP else CANDIDATES:
        for asked in (text, f"not ({text})", f"({text}) and everyone", f"({text}) or id = fay"):
            engine.count(asked, CONTEXT)
            members_of(engine, asked, CONTEXT)
    assert [_bytes(block) for block in view.blocks] == before
    assert list(view.check()) == []


def test_the_check_ends_a_query_between_blocks() -> None:
    """A deadline is seen before each block, and what was found until then is thrown away."""
    engine = Engine(view_of(SHOP, 1))
    calls: list[int] = []

    def check() -> None:
        calls.append(len(calls))
        if len(calls) == 4:
            raise UserError(Reason.DEADLINE_EXCEEDED, "out of time")

    context = QueryContext(CONTEXT.as_of, CONTEXT.zone, check=check)
    with pytest.raises(UserError, match="out of time"):
        engine.count("spent / 1 > 3", context)
    assert len(calls) == 4
    calls.clear()
    found: Iterator[object] = engine.members("spent > 3", context)
    for _ in range(3):
        next(found)
    with pytest.raises(UserError, match="out of time"):
        next(found)


def test_the_check_is_called_before_long_work() -> None:
    """Inside a block, each expensive condition is a place to stop."""
    engine = Engine(view_of(CROWD))
    calls: list[int] = []
    context = QueryContext(CONTEXT.as_of, CONTEXT.zone, check=lambda: calls.append(1))
    engine.count("spent / orders > 3 and spent * orders > 3", context)
    assert len(calls) == 3


def test_events_at_the_edges_of_their_window() -> None:
    """One microsecond decides, at both ends of every window."""
    edge = "2026-04-09T12:00:00"
    world = World(
        schema(events={"opened": {}}),
        {"before": {}, "at": {}, "after": {}, "now": {}, "later": {}},
        [
            *happened("before", "opened", "2026-04-09T11:59:59.999999"),
            *happened("at", "opened", edge),
            *happened("after", "opened", "2026-04-09T12:00:00.000001"),
            *happened("now", "opened", "2026-05-09T12:00"),
            *happened("later", "opened", "2026-05-09T12:00:00.000001"),
        ],
    )
    engine, context = Engine(view_of(world)), context_at(instant("2026-05-09T12:00"))
    assert members_of(engine, "opened in last 30 days", context) == ["after", "now"]
    assert members_of(engine, f"did opened since {edge}", context) == ["at", "after", "now"]
    assert members_of(engine, f"did opened after {edge}", context) == ["after", "now"]
    assert members_of(engine, f"did opened before {edge}", context) == ["before"]
    assert members_of(engine, "opened = 0", context) == ["later"]
