"""The engine's calls: counts, members, validation, and what it remembers."""

from __future__ import annotations

import dataclasses
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.model.errors import Reason, UserError
from headcount.query import bindings, tree
from headcount.query.by_instant import ByInstant
from headcount.query.by_text import ByText
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.limits import Limits
from headcount.query.parse import parse
from support.engines import context_at, members_of, view_of
from support.shop import AS_OF, SHOP

CONTEXT = context_at(AS_OF, "Europe/Berlin")
TIGHT = dataclasses.replace(CONTEXT, limits=Limits(conditions=2, depth=3))


@pytest.fixture
def engine() -> Engine:
    """Return an engine over the shop, two contacts a block."""
    return Engine(view_of(SHOP, 2))


def test_text_and_tree_are_one_question(engine: Engine) -> None:
    """A segment as text, and as the tree of that text, has the same members."""
    text = 'country = de or (spent > 500 and not label = "vip")'
    assert members_of(engine, text, CONTEXT) == ["ann", "cem", "eva"]
    assert members_of(engine, parse(text), CONTEXT) == ["ann", "cem", "eva"]
    assert engine.count(text, CONTEXT).count == engine.count(parse(text), CONTEXT).count == 3


def test_members_come_from_a_block_on(engine: Engine) -> None:
    """Paging starts at any block; every block comes, also those with nobody."""
    found = list(engine.members("spent > 50", CONTEXT, first_block=1))
    assert [block.number for block, _ in found] == [1, 2]
    assert [list(bitmaps.to_rows(rows)) for _, rows in found] == [[0], [0]]


def test_members_are_refused_before_the_first_is_asked_for(engine: Engine) -> None:
    """An invalid segment is an error of the call, not of the iteration."""
    with pytest.raises(UserError, match="unknown field"):
        engine.members("contry = DE", CONTEXT)


def test_validation_says_all_it_knows(engine: Engine) -> None:
    """A valid segment has its canonical text and its warnings; others have their error."""
    found = engine.validate("COUNTRY=atlantis AND spent between 9 and 3", CONTEXT)
    assert found.text == "COUNTRY = atlantis and spent between 9 and 3"
    assert found.errors == ()
    codes = ["EMPTY_RANGE", "UNKNOWN_VALUE", "ALWAYS_EMPTY"]
    assert [warning.code for warning in found.warnings] == codes
    assert [w.position and w.position.column for w in found.warnings] == [22, 1, 1]

    unbound = engine.validate("contry = DE", CONTEXT)
    assert unbound.text == "contry = DE"
    assert [error.reason for error in unbound.errors] == [Reason.UNKNOWN_NAME]

    unread = engine.validate("country = ", CONTEXT)
    assert unread.text == ""
    assert [error.reason for error in unread.errors] == [Reason.SYNTAX]


def test_counts_come_with_warnings(engine: Engine) -> None:
    """What looks wrong is said with the number, which is right all the same."""
    found = engine.count("country = Atlantis", CONTEXT)
    assert found.count == 0
    assert [warning.code for warning in found.warnings] == ["UNKNOWN_VALUE"]


def test_the_same_text_is_planned_once(engine: Engine) -> None:
    """A plan is remembered by text, zone and limits, and by the instant if that matters."""
    later = dataclasses.replace(CONTEXT, as_of=CONTEXT.as_of + 1)
    for text, timeless in (("spent > 3", True), ("opened > 3", False)):
        first = engine.prepared(text, CONTEXT)
        assert engine.prepared(text, CONTEXT) is first
        assert (engine.prepared(text, later) is first) is timeless
        assert engine.prepared(text, context_at(AS_OF, "UTC")) is not first


def test_long_texts_and_trees_are_not_remembered(engine: Engine) -> None:
    """What may hold 100,000 values is planned each time."""
    long = f"country in ({', '.join(f'c{n}' for n in range(1000))})"
    assert engine.prepared(long, CONTEXT) is not engine.prepared(long, CONTEXT)
    assert engine.prepared(parse(long), CONTEXT) is not engine.prepared(parse(long), CONTEXT)
    assert engine.count(long, CONTEXT).count == 0


def test_another_view_is_another_answer() -> None:
    """Engines share nothing that depends on their view, for equal texts."""
    smaller = dataclasses.replace(SHOP, contacts={"ann": SHOP.contacts["ann"]}, events=())
    both = Engine(view_of(SHOP)), Engine(view_of(smaller))
    assert [e.count("everyone", CONTEXT).count for e in both] == [6, 1]


def test_limits_hold_for_texts_and_trees(engine: Engine) -> None:
    """A segment beyond a limit is refused, whichever form it has."""
    many = "spent > 1 and spent > 2 and spent > 3"
    deep: tree.Segment = tree.Everyone()
    for _ in range(5):
        deep = tree.Not(deep)
    for query in (many, parse(many), deep, canonical(deep)):
        with pytest.raises(UserError) as error:
            engine.count(query, TIGHT)
        assert error.value.reason is Reason.LIMIT_EXCEEDED


def test_a_tree_of_any_depth_is_refused(engine: Engine) -> None:
    """A tree of 100,000 levels is an error, not an overflow of the stack."""
    deep: tree.Segment = tree.Everyone()
    for _ in range(100_000):
        deep = tree.Not(deep)
    with pytest.raises(UserError, match="64 levels"):
        engine.count(deep, CONTEXT)


def test_the_deepest_segment_is_answered(engine: Engine) -> None:
    """All levels that the limits allow, with the widest `coalesce` at the bottom."""
    operands = ", ".join(["city", "country"] * 16)
    leaf = f'coalesce({operands}) = "köln" and not coalesce(spent, orders, 0) > 1e9'
    text = leaf
    for level in range(19):
        text = f"spent > {level} or not ({text} and country is not empty)"
    assert engine.count(text, CONTEXT).count == len(members_of(engine, text, CONTEXT))


def test_a_thousand_conditions(engine: Engine) -> None:
    """As many conditions as the limits allow, of every kind at once."""
    some = ["spent > {}", "did opened at least {} times", 'label != "vip"', "orders * 2 > {}"]
    text = " or ".join(
        f"({some[n % 4].format(n)})".replace("= vip", '= "vip"') for n in range(1000)
    )
    assert engine.count(text, CONTEXT).count == len(members_of(engine, text, CONTEXT))


def test_an_empty_workspace() -> None:
    """Nobody is in any segment of a workspace without contacts."""
    nobody = Engine(view_of(dataclasses.replace(SHOP, contacts={}, events=())))
    for text in ("everyone", "not spent > 3", "did opened", "spent * 2 > 3", "sample 50%"):
        assert nobody.count(text, CONTEXT).count == 0
        assert members_of(nobody, text, CONTEXT) == []


def test_threads_share_an_engine() -> None:
    """Many threads asking one engine at once get what one thread gets."""
    shared = Engine(view_of(SHOP, 2))
    texts = ["spent > 3", "opened in last 30 days", "month(born) = 5", "hour(signed_up) = 12"] * 25
    expected = [len(members_of(shared, text, CONTEXT)) for text in texts]
    fresh = Engine(view_of(SHOP, 2))
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda text: fresh.count(text, CONTEXT).count, texts)
        assert list(found) == expected


def test_what_is_remembered_is_bounded() -> None:
    """Neither plans nor trees pile up without end, and many short texts push no long one out."""
    made: list[str] = []

    def make(text: str, times: int) -> str:
        made.append(text)
        return text * times

    remembered = ByText(make, many=3, some=1)
    long, other = "x" * 201, "y" * 201
    for text in (long, "a", "b", "c", "a", long, "d", "b", other, long):
        assert remembered(text, 2) == text * 2
    assert made == [long, "a", "b", "c", "d", "b", other, long]
    assert isinstance(bindings._parsed, ByText)
    assert isinstance(Engine(view_of(SHOP))._remembered, ByInstant)


def test_what_moves_is_remembered_for_the_last_instants() -> None:
    """Texts of old instants go with them, however many; those that do not move stay."""
    made: list[tuple[str, int]] = []

    def make(text: str, instant: int) -> str:
        made.append((text, instant))
        return f"{text} {instant}"

    remembered = ByInstant(make, instants=4, many=8)
    for instant in (0, 1, 1, 2, 1, 2, 3, 4, 5, 0, 1, 5):
        assert remembered("a", instant) == f"a {instant}"
    assert made == [("a", instant) for instant in (0, 1, 2, 3, 4, 5, 1)]
    for text in "bcdef":
        remembered(text, 5)
    for instant in (6, 5, 7, 8, 9, 5):
        remembered("b", instant)
    assert made[12:] == [("b", instant) for instant in (6, 7, 8, 9, 5)]


def test_what_is_not_used_is_gone_without_a_collection() -> None:
    """Engines, what was bound, and views are in no cycle: 40 versions a second must not pile up."""
    engine = Engine(view_of(SHOP))
    newer = engine.at(dataclasses.replace(engine.view))
    gc.disable()
    try:
        for text in ("spent > 3", "opened in last 5 days", 'label = "vip"', "city = Berlin"):
            engine.count(text, CONTEXT)
            engine.validate(text, CONTEXT)
        old = weakref.ref(engine), weakref.ref(engine.view)
        del engine
        assert [one() for one in old] == [None, None]
        assert newer.count("spent > 3", CONTEXT).count
    finally:
        gc.enable()


def test_a_newer_version_keeps_what_was_bound(engine: Engine) -> None:
    """What does not depend on the contacts is not worked out again; answers are the new ones."""
    smaller = dataclasses.replace(SHOP, contacts={"ann": SHOP.contacts["ann"]}, events=())
    newer = dataclasses.replace(view_of(smaller), schema=engine.view.schema)
    before = {
        text: engine.prepared(text, CONTEXT) for text in ("spent > 3", "opened in last 5 days")
    }
    later = engine.at(newer)
    for text, prepared in before.items():
        assert later.prepared(text, CONTEXT).bound is prepared.bound
        assert later.count(text, CONTEXT) == Engine(newer).count(text, CONTEXT)
    assert later.results is engine.results


def test_a_newer_version_knows_its_own_labels(engine: Engine) -> None:
    """A label that nobody has any more is refused, as if no older version had been asked."""
    nobody = dataclasses.replace(SHOP, contacts={}, events=())
    empty = dataclasses.replace(view_of(nobody), schema=engine.view.schema)
    for text in ('label = "vip"', 'not spent > 3 or label in ("vip")'):
        with pytest.raises(UserError, match="unknown label"):
            Engine(empty).count(text, CONTEXT)
        there = engine.at(engine.view)
        assert there.count(text, CONTEXT).count
        with pytest.raises(UserError, match="unknown label"):
            there.at(empty).count(text, CONTEXT)
        assert there.at(empty).at(engine.view).count(text, CONTEXT) == there.count(text, CONTEXT)


def test_a_newer_version_warns_of_what_it_lacks(engine: Engine) -> None:
    """A value that nobody has any more is a warning of the newer version only."""
    nobody = dataclasses.replace(SHOP, contacts={}, events=())
    empty = dataclasses.replace(view_of(nobody), schema=engine.view.schema)
    assert not engine.count("country = DE", CONTEXT).warnings
    (warning,) = engine.at(empty).count("country = DE", CONTEXT).warnings
    assert warning.code == "UNKNOWN_VALUE"


def test_another_schema_is_checked_again(engine: Engine) -> None:
    """An engine over a view of another schema is one that begins anew."""
    wrong = dataclasses.replace(engine.view.schema, calculated={"odd": "spent + country"})
    with pytest.raises(UserError, match="odd"):
        engine.at(dataclasses.replace(engine.view, schema=wrong))


def test_a_plan_outlives_versions_of_a_block_and_keeps_none_of_them(engine: Engine) -> None:
    """A block whose live rows changed is planned for already, and nothing holds the older one."""
    before = engine.prepared("spent > 3 and country = DE", CONTEXT)
    plan = before.plan
    first, *others = engine.view.blocks
    fewer = first.with_changes(live=BitMap([0]))
    newer = engine.at(dataclasses.replace(engine.view, blocks=(fewer, *others)))
    assert newer.prepared("spent > 3 and country = DE", CONTEXT).plan is plan
    gone = weakref.ref(newer.view.blocks[0])
    del newer, fewer
    gc.collect()
    assert gone() is None
