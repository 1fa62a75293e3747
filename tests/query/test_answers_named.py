"""Answers about what stands behind a name: calculated fields, and saved segments."""

from __future__ import annotations

import dataclasses
import itertools
from zoneinfo import ZoneInfo

from headcount.query import tree
from headcount.query.breakdown import breakdown
from headcount.query.engine import Engine
from headcount.query.explain import Explained, explain
from headcount.query.explain_contact import Verdict, explain_contact
from headcount.query.format import format as canonical
from headcount.query.match import match
from headcount.query.parse import parse
from headcount.query.preview import preview
from headcount.query.results import Results
from support import oracle
from support.compare import Case
from support.engines import context_at, view_of
from support.held import Held
from support.named import Shelf, calculated_cases, saved_cases
from support.oracle_values import Query
from support.parts import Parts, walk
from support.shop import AS_OF, SHOP

CONTEXT = context_at(AS_OF)


def engine_of(case: Case) -> Engine:
    """Return an engine over a case's world, with what is saved in it."""
    return Engine(view_of(case.world, 16), saved=Shelf(case.world.saved))


def test_explanations_look_behind_names() -> None:
    """The counts of the parts as written, and the verdicts of each contact, are the oracle's."""
    for case in itertools.chain(calculated_cases(11, 120), saved_cases(11, 120)):
        engine, context = engine_of(case), context_at(case.as_of, case.zone)
        parts = Parts(case)
        found = explain(engine, case.segment, context)
        for part, (path, _) in zip(_flat(found.root), walk(case.segment), strict=True):
            said = part.count, part.without, part.missing or 0
            right = parts.count(path), parts.without(path), parts.missing(path) or 0
            assert said == right, canonical(case.segment)
        query = Query(case.world, case.as_of, ZoneInfo(case.zone))
        for contact in oracle.contacts_of(case.world)[:2]:
            verdict = explain_contact(engine, case.segment, contact.id, context)
            for part, (_, node) in zip(_flat(verdict.root), walk(case.segment), strict=True):
                assert part.holds == oracle.holds(query, contact, node), canonical(node)


def _flat(part: Explained | Verdict) -> list[Explained | Verdict]:
    return [part, *(one for inner in part.parts for one in _flat(inner))]


def test_breakdowns_by_calculated_fields() -> None:
    """A calculated field groups as its expression does."""
    asked = 0
    for case in calculated_cases(12, 60):
        engine, context = engine_of(case), context_at(case.as_of, case.zone)
        for name in case.world.schema.calculated:
            by = tree.Name(name, quoted=True)
            found = breakdown(engine, case.segment, by, context, top=100)
            held = Held(case, by)
            members = case.expected()
            assert sum(bar.count for bar in found.bars) == held.counts(members).total()
            assert found.missing == sum(map(held.is_missing, members))
            asked += 1
    assert asked > 60


def test_a_changed_definition_is_not_remembered_as_the_old_one() -> None:
    """An engine with other saved segments shares the memory, not the meaning of names."""
    results, view = Results(), view_of(SHOP, 2)
    before = Engine(view, results, Shelf({"good": parse("spent > 100 and opened")}))
    after = before.with_saved(Shelf({"good": parse("spent > 99 and opened or bought")}))
    counts = [preview(engine, 'in segment "good"', CONTEXT).count for engine in (before, after)]
    assert counts == [1, 2]
    found = [
        match(engine, ['in segment "good"'], ["ann", "eva"], CONTEXT).matches
        for engine in (before, after, before)
    ]
    assert [[m.segments for m in of] for of in found] == [[(0,), ()], [(0,), (0,)], [(0,), ()]]


def test_a_changed_expression_is_not_remembered_as_the_old_one() -> None:
    """Views with one set of blocks and other calculated fields share only what is the same."""
    results, view = Results(), view_of(SHOP, 2)

    def counted(expression: str) -> int:
        schema = dataclasses.replace(SHOP.schema, calculated={"value": expression})
        engine = Engine(dataclasses.replace(view, schema=schema), results)
        return preview(engine, "value > 50", CONTEXT).count

    assert [counted(text) for text in ("spent", "spent / orders", "spent")] == [3, 1, 3]


def test_values_behind_a_calculated_field_are_shown() -> None:
    """The name has its value, and so has what its expression is made of, each once."""
    calculated = {"average": "spent / orders", "twice": "average * 2 + average"}
    schema = dataclasses.replace(SHOP.schema, calculated=calculated)
    engine = Engine(dataclasses.replace(view_of(SHOP), schema=schema))
    found = explain_contact(engine, "twice > 50", "eva", CONTEXT)
    assert [(held.text, held.value) for held in found.root.values] == [
        ("twice", 375.0),
        ("average * 2 + average", 375.0),
        ("average * 2", 250.0),
        ("average", 125.0),
        ("spent / orders", 125.0),
        ("spent", 1000.0),
        ("orders", 8.0),
    ]
