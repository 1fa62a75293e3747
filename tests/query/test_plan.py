"""Plans: the order of steps, what is shared, and how a plan prints."""

from __future__ import annotations

import textwrap

import pytest

from headcount.query.bind import bind
from headcount.query.engine import Engine
from headcount.query.parse import parse
from headcount.query.plan import Both, plan
from support.asking import happened, schema
from support.engines import context_at, view_of
from support.shop import AS_OF
from support.worlds import World

_EVENTS = {"opened": {}, "purchase": {"amount": "number"}}
WORLD = World(
    schema({"country": "keyword", "spent": "number", "vip": "boolean", "born": "date"}, _EVENTS),
    {
        f"c{n}": {
            "country": "DE" if n % 10 == 0 else "US",
            "spent": float(n),
            "vip": n % 2 == 0,
            "label": ("beta",) if n < 50 else (),
        }
        for n in range(100)
    },
    [
        *happened("c1", "opened", "2026-05-08"),
        *happened("c2", "purchase", "2026-05-08", amount=5.0),
    ],
)
VIEW = view_of(WORLD)
ENGINE = Engine(VIEW)


def planned(text: str, block_rows: int | None = None) -> str:
    """Return the printed plan of a segment."""
    view = view_of(WORLD, block_rows) if block_rows else VIEW
    return str(plan(bind(parse(text), view, context_at(AS_OF), text), view))


def lines(text: str) -> str:
    """Return a printed plan as it is written in a test."""
    return textwrap.dedent(text).strip("\n")


def test_a_plan_prints_as_a_tree() -> None:
    """Each node has its condition, resolved, and the contacts it was estimated at."""
    assert planned("country = US and (vip = true or spent < 10) and not label = beta") == lines("""
        all of  ~25
          country in {'us'}  ~90
          not label in {'beta'}  ~50
          any of  ~55
            spent < 10  ~10
            vip = true  ~50
    """)


def test_the_most_selective_of_equal_costs_comes_first() -> None:
    """Of conditions that cost alike, the one that leaves fewest contacts begins."""
    assert planned("country = US and country = DE") == "no one"
    assert planned("vip = true and country = DE") == lines("""
        all of  ~5
          country in {'de'}  ~10
          vip = true  ~50
    """)


def test_what_must_be_computed_comes_last() -> None:
    """A condition on a computed value waits for the others, even if it was written first."""
    assert planned("spent * 2 > 30 and vip = true and spent > 3") == lines("""
        all of  ~16
          vip = true  ~50
          spent > 3  ~96
          (spent * 2) > 30  ~33
    """)


def test_a_not_at_the_root_is_printed_there() -> None:
    """The complement of the whole is taken as a number, at the root."""
    assert planned("not (vip = true or country = DE)") == lines("""
        not
          any of  ~55
            country in {'de'}  ~10
            vip = true  ~50
    """)
    assert planned("vip != true") == "not\n  vip = true  ~50"


def test_constants_need_no_step() -> None:
    """What the instant alone decides is decided before anything is looked up."""
    assert planned("month(today) in (11, 12)") == "no one"
    assert planned("month(today) = 5 and vip = true") == "vip = true  ~50"
    assert planned("everyone") == "everyone"


def test_equal_subtrees_are_one() -> None:
    """What occurs twice is worked out once, however it was written."""
    text = "(did opened at least 2 times and vip = true) or (opened >= 2 and spent > 5)"
    assert planned(text) == lines("""
        any of  ~0
          all of  ~0
            did opened up to 2026-05-09T12:00:00Z at least 2 times  ~0  (shared)
            vip = true  ~50
          all of  ~0
            did opened up to 2026-05-09T12:00:00Z at least 2 times  ~0  (shared)
            spent > 5  ~94
    """)


def test_enough_periods() -> None:
    """Regularity is a number of periods that must hold."""
    printed = planned("did opened in at least 2 of the last 3 weeks").splitlines()
    assert printed[0].startswith("at least 2 of  ~")
    assert len(printed) == 4


@pytest.mark.parametrize("block_rows", [10, 64])
def test_estimates_are_of_the_whole_view(block_rows: int) -> None:
    """One block is looked at; what is printed is scaled to all of them."""
    assert planned("country = US", block_rows) in (
        "country in {'us'}  ~90",
        "country in {'us'}  ~89",
    )


def test_every_and_begins_with_a_set() -> None:
    """The first step of an `and` is never one that takes away."""
    for text in ("not vip = true and country = US", "not vip = true and not country = US"):
        root = ENGINE.prepared(text, context_at(AS_OF)).plan.root
        assert not (isinstance(root, Both) and root.steps[0].negated)


def test_an_empty_view_can_be_planned() -> None:
    """Without a block there is nothing to estimate, and nobody."""
    nobody = view_of(World(WORLD.schema, {}, []))
    text = "vip = true and did opened and spent * 2 > 3"
    assert "~0" in str(plan(bind(parse(text), nobody, context_at(AS_OF)), nobody))
