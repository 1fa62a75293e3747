"""The generators: valid, the same for the same seed, of every kind, seldom trivial, fast."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import get_args

from hypothesis import given, settings

from headcount.model.schema import FieldType, Schema
from headcount.query import format as writing
from headcount.query import tree
from headcount.query.parse import parse
from support import strategies
from support.compare import Case
from support.random_worlds import Scene
from support.strategies import seeded_cases
from support.worlds import World

KINDS = {*get_args(tree.Segment), *get_args(tree.Value), *get_args(tree.Window)}


def test_a_seed_is_a_choice() -> None:
    """The same seed gives the same cases, another seed others."""
    one, same, other = (
        [(c.segment, c.as_of, c.zone, dict(c.world.contacts)) for c in seeded_cases(seed, 60)]
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_every_kind_of_node_is_drawn() -> None:
    """All nodes of the tree but saved segments, and every operator and word."""
    seen: Counter[object] = Counter()
    for case in seeded_cases(7, 6000, sizes=(5, 10)):
        stack: list[tree.Node] = [case.segment]
        while stack:
            node = stack.pop()
            seen[type(node)] += 1
            for part in dataclasses.fields(node):
                seen[repr(getattr(node, part.name))] += 1
            stack.extend(tree.children(node))
    rare = {kind.__name__ for kind in KINDS - {tree.InSegment} if seen[kind] < 10}
    assert not rare
    words = [
        *tree.CompareOp, *tree.TextOp, *tree.SetMode, *tree.Direction, *tree.Moment,
        *tree.EventPick, *tree.AggregateOp, *tree.ArithmeticOp, *tree.Edge, *tree.Period,
    ]  # fmt: skip
    assert [word for word in words if not seen[repr(word)]] == []
    assert [name for name in tree.FUNCTIONS if not seen[repr(name)]] == ["current_month"]


def test_segments_say_something() -> None:
    """Most segments hold some contacts of a world and not others."""
    telling = total = 0
    for case in seeded_cases(8, 1500, sizes=(20, 40)):
        total += 1
        telling += 0 < len(case.expected()) < len(case.world.contacts)
    assert telling > total * 0.55


def test_segments_can_be_written_and_read() -> None:
    """A drawn segment is one that text can say: formatting and parsing gives it back."""
    for case in seeded_cases(9, 1500, sizes=(3, 10)):
        assert parse(writing.format(case.segment)) == case.segment


def test_left_out_features_are_not_drawn() -> None:
    """An engine that lacks a part of the language can be asked for the rest."""
    none: frozenset[str] = frozenset()
    kinds: set[type] = set()
    for case in seeded_cases(10, 1500, sizes=(5,), features=none):
        stack: list[tree.Node] = [case.segment]
        while stack:
            node = stack.pop()
            kinds.add(type(node))
            stack.extend(tree.children(node))
            if isinstance(node, tree.Arithmetic):  # only times
                assert isinstance(node.right, tree.DurationValue)
    assert not kinds & {tree.Aggregate, tree.Sequence, tree.Regularly, tree.Negative}


def test_worlds_are_what_they_say() -> None:
    """Worlds hold the troublesome: missing values, equal ids, events to come, every type."""
    seen: Counter[str] = Counter()
    for case in seeded_cases(11, 2000, per_world=20):
        world = case.world
        types = {f.name: f.type for f in world.schema.all_fields.values()}
        for contact in world.contacts.values():
            for name, value in contact.items():
                seen["missing" if value in (None, "", ()) else str(types.get(name, name))] += 1
        ids = Counter((e.contact, e.type, e.id) for e in world.events if e.id is not None)
        seen["equal ids"] += any(n > 1 for n in ids.values())
        seen["to come"] += any(e.time > case.as_of for e in world.events)
        seen["at as_of"] += any(e.time == case.as_of for e in world.events)
        seen["no contacts"] += not world.contacts
        seen["many contacts"] += len(world.contacts) >= 200
    wanted = [*(str(t) for t in FieldType), "missing", "equal ids", "to come", "at as_of",
              "no contacts", "many contacts", "list", "opted_out"]  # fmt: skip
    assert [name for name in wanted if not seen[name]] == []


@settings(max_examples=30, deadline=None)
@given(strategies.schemas(), strategies.scenes(), strategies.worlds(), strategies.cases())
def test_hypothesis_draws_what_the_seeds_do(
    schema: Schema, scene: Scene, world: World, case: Case
) -> None:
    """Every strategy gives something that can be asked."""
    assert schema.all_fields
    assert scene.as_of in scene.instants
    assert len(world.contacts) <= 8
    assert case.expected() <= set(case.world.contacts)
