"""Laws that hold for every segment, whatever it says: the oracle keeps them."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import pytest
from hypothesis import given, settings

from headcount.query import tree
from headcount.query.tree import And, CompareOp, Not, Or
from support import oracle, strategies
from support.asking import ask
from support.compare import Case
from support.dice import Dice
from support.strategies import random_case, random_place

ORACLE = sorted(Path(oracle.__file__).parent.glob("oracle*.py"))
ALLOWED = {
    "__future__", "calendar", "collections.abc", "dataclasses", "datetime", "decimal", "fractions",
    "functools", "math", "operator", "typing", "unicodedata", "zoneinfo", "re2",
    "headcount.model.schema", "headcount.query", "headcount.query.parse", "headcount.query.tree",
}  # fmt: skip


@pytest.mark.parametrize("path", ORACLE, ids=lambda path: path.name)
def test_the_oracle_shares_nothing_with_the_engine(path: Path) -> None:
    """It imports the tree and its parser, the schema, the standard library and RE2, and itself."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module)]
            if node.module == "headcount.query":
                assert [alias.name for alias in node.names] == ["tree"]
        for name in names:
            assert name in ALLOWED or name.split(".")[0] == "support", f"{path.name}: {name}"


def test_boolean_algebra() -> None:
    """Complement, double negation, De Morgan, absorption, idempotence, distribution."""
    for seed in range(150):
        dice = Dice(seed)
        world, scene = random_place(dice, 12)
        a, b, c = (random_case(dice, world, scene).segment for _ in range(3))

        def members(segment: tree.Segment, world=world, scene=scene) -> set[str]:  # type: ignore[no-untyped-def]
            return oracle.members(world, segment, scene.as_of, scene.zone.key)

        everyone = members(tree.Everyone())
        assert everyone == set(world.contacts)
        assert members(Not(a)) == everyone - members(a)
        assert members(Not(Not(a))) == members(a)
        assert members(And((a, b))) == members(a) & members(b)
        assert members(Or((a, b))) == members(a) | members(b)
        assert members(Not(And((a, b)))) == members(Or((Not(a), Not(b))))
        assert members(Not(Or((a, b)))) == members(And((Not(a), Not(b))))
        assert members(And((a, a))) == members(Or((a, a))) == members(a)
        assert members(Or((a, And((a, b))))) == members(And((a, Or((a, b))))) == members(a)
        assert members(And((a, Or((b, c))))) == members(Or((And((a, b)), And((a, c)))))


NEGATABLE = (
    tree.Between, tree.In, tree.TextMatch, tree.ContainsSet, tree.IsEmpty, tree.Within, tree.InList,
    tree.OptedOut, tree.Did,
)  # fmt: skip


def test_a_negated_node_is_the_complement_of_its_twin() -> None:
    """`not in`, `not between`, `did not`, `!=`: each is the complement, missing values included."""
    seen = set()
    for case in strategies.seeded_cases(3, 4000, sizes=(8,)):
        segment = case.segment
        if isinstance(segment, NEGATABLE):
            twin: tree.Segment = dataclasses.replace(segment, negated=not segment.negated)
        elif isinstance(segment, tree.Compare) and segment.op in (CompareOp.EQ, CompareOp.NE):
            other = CompareOp.NE if segment.op is CompareOp.EQ else CompareOp.EQ
            twin = dataclasses.replace(segment, op=other)
        else:
            continue
        seen.add(type(segment))
        complement = dataclasses.replace(case, segment=twin).expected()
        assert complement == set(case.world.contacts) - case.expected()
    assert seen == {*NEGATABLE, tree.Compare}


@settings(max_examples=60, deadline=None)
@given(strategies.cases())
def test_the_order_of_contacts_and_events_does_not_matter(case: Case) -> None:
    """Only ids decide which event is kept; without equal ids any order gives the same members."""
    world = case.world
    ids = [(e.contact, e.type, e.id) for e in world.events if e.id is not None]
    if len(set(ids)) < len(ids):
        return
    contacts = dict(reversed(world.contacts.items()))
    turned = type(world)(world.schema, contacts, list(reversed(world.events)))
    assert Case(turned, case.segment, case.as_of, case.zone).expected() == case.expected()


def test_text_that_means_the_same_has_the_same_members() -> None:
    """Windows and ages written in two ways agree, over many worlds."""
    pairs = [
        ("created_at < 30 days ago", "created_at within last 30 days"),
        ("created_at after 30 days ago and created_at <= now", "created_at < 30 days ago"),
        ("created_at > today - 30 days", "created_at after today - 30 days"),
        ("created_at on today", "created_at between today and today"),
        ("not created_at is empty", "created_at is not empty"),
        ("label contains any ('vip', 'straße')", "label in ('vip', 'straße')"),
        ("stage > 'Lead'", "stage in (Trial, Customer, Loyal)"),
        ("month(created_at) between 1 and 3", "month(created_at) in (1, 2, 3)"),
    ]
    for seed in range(40):
        world, scene = random_place(Dice(seed), 30)
        if world.schema.fields.get("stage"):
            continue
        as_of, zone = scene.as_of.isoformat(), scene.zone.key
        for one, other in pairs:
            assert ask(world, one, as_of, zone) == ask(world, other, as_of, zone), one
