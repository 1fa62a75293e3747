"""Explanations: numbers against the oracle, words against what was reviewed."""

from __future__ import annotations

import json
import os
from itertools import count
from pathlib import Path

import pytest

from headcount.model.errors import UserError
from headcount.query.engine import Engine
from headcount.query.explain import Explained, Found, Kind, explain
from headcount.query.explain_text import explanation_text
from headcount.query.format import format as canonical
from headcount.query.parse import parse
from headcount.query.results import Results
from headcount.query.terminal import width
from support.engines import Engines, context_at, view_of
from support.golden import assert_as_reviewed
from support.parts import Parts, walk
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 4
CONTEXT = context_at(AS_OF, "Europe/Berlin")
REVIEWED = Path(__file__).parent / "golden" / "explanations.txt"


@pytest.fixture
def engine() -> Engine:
    """Return an engine over the shop, two contacts a block."""
    return Engine(view_of(SHOP, 2))


def flat(part: Explained) -> list[Explained]:
    """Return a part and all inside it, as they are read."""
    return [part, *(one for inner in part.parts for one in flat(inner))]


def test_explanations_are_the_oracles() -> None:
    """Every part of the tree as written has its counts, and can be shown and sent."""
    engines = Engines()
    for case in seeded_cases(SEED + 300, SEGMENTS):
        context = context_at(case.as_of, case.zone)
        found = explain(engines.over(case.world), case.segment, context)
        parts = Parts(case)
        for part, (path, node) in zip(flat(found.root), walk(case.segment), strict=True):
            assert part.node == node
            assert part.count == parts.count(path), canonical(case.segment)
            assert part.without == parts.without(path), canonical(case.segment)
            assert (part.missing or 0) == (parts.missing(path) or 0), canonical(case.segment)
        assert found.count == found.root.count
        assert found.contacts == len(case.world.contacts)
        text = explanation_text(found)
        assert max(map(width, text.split("\n"))) <= 100
        assert json.loads(json.dumps(found.to_dict()))["count"] == found.count


def test_what_is_said_reads_as_reviewed(engine: Engine) -> None:
    """The text of explanations, without the times they took."""

    def said(question: str) -> str:
        text = explanation_text(explain(Engine(engine.view, Results(0)), question, CONTEXT))
        return "\n".join(line for line in text.split("\n") if line)

    assert_as_reviewed(REVIEWED, said)


def test_deep_trees_fit_a_terminal(engine: Engine) -> None:
    """However deep a tree is, lines are not wider than asked for."""
    deep = "vip = true"
    for _ in range(30):
        deep = f"not (country = DE and {deep})"
    for columns in (100, 60):
        lines = explanation_text(explain(engine, deep, CONTEXT), columns=columns).split("\n")
        assert max(map(width, lines)) <= columns
        assert any("vip = true" in line for line in lines)


def test_parts_have_their_places_and_kinds(engine: Engine) -> None:
    """What each part is, and where it stood in the text."""
    text = "country = DE and not (vip = true or born is empty)"
    parts = flat(explain(engine, text, CONTEXT).root)
    assert [part.kind for part in parts] == [
        Kind.ALL, Kind.CONDITION, Kind.NOT, Kind.ANY, Kind.CONDITION, Kind.CONDITION,
    ]  # fmt: skip
    spans = [part.node.span for part in parts]
    assert [text[span.start : span.end] for span in spans if span] == [
        text,
        "country = DE",
        "not (vip = true or born is empty)",
        "(vip = true or born is empty)",
        "vip = true",
        "born is empty",
    ]
    assert all(part.node.span is None or part.text for part in parts)


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("everyone", 0),
        ("country = DE", 1),
        ("country in (DE, US)", 2),
        ("spent between 1 and 5", 1),
        ("spent / orders > 5", 2),
        ("spent > orders", 2),
        ("coalesce(city, country) = Bonn", 3),
        ("opened exactly 2 times", 2),
        ("engaged", 2),
        ("engaged >= 2 times", 2),
        ("did opened then did engaged within 1 day", 3),
        ("sum(purchase.amount) + orders > 5", 2),
        ("sample 50%", 1),
        ('email_open where (campaign contains "a") in last 1 day', 1),
        ("country = DE and (opened or vip = true)", 3),
        ('interests contains all ("Art", "music")', 2),
        ("month(born) = 2", 1),
    ],
)
def test_operands_are_what_is_read(engine: Engine, text: str, operands: int) -> None:
    """Postings, ranges, columns and logs, in each block."""
    assert explain(engine, text, CONTEXT).root.operands == operands


def test_where_it_came_from_is_said(engine: Engine) -> None:
    """Worked out first, remembered after; what an index holds ready is neither."""
    text = "country = DE and spent > 3 and opened in last 30 days"

    def found() -> list[Found]:
        return [part.found for part in flat(explain(engine, text, CONTEXT).root)]

    at_hand, worked_out, remembered = Found.AT_HAND, Found.WORKED_OUT, Found.REMEMBERED
    assert found() == [worked_out, at_hand, worked_out, worked_out]
    assert found() == [remembered, at_hand, remembered, remembered]
    text = text.replace("3 and", "4 and")
    assert found() == [worked_out, at_hand, worked_out, remembered]


def test_times_are_those_of_the_timer(engine: Engine) -> None:
    """A part takes what its parts take and a little more; without a timer, nothing."""
    ticks = count()
    found = explain(engine, "country = DE and spent > 3", CONTEXT, timer=lambda: next(ticks))
    whole, *conditions = flat(found.root)
    assert whole.seconds > sum(part.seconds for part in conditions) > 0
    assert all(part.seconds == 0 for part in flat(explain(engine, "vip = true", CONTEXT).root))


def test_an_explanation_as_json() -> None:
    """Times in ISO 8601, places, and nothing where there is nothing to say."""
    engine = Engine(view_of(SHOP), Results(0))
    found = explain(engine, "plan != Free and born < 2000-01-01", CONTEXT).to_dict()
    warnings = found.pop("warnings")
    assert [(w["code"], w["line"], w["column"]) for w in warnings] == [
        ("MOSTLY_MISSING", 1, 1),
        ("NO_EFFECT", 1, 1),
    ]
    assert json.loads(json.dumps(found)) == {
        "count": 2,
        "contacts": 6,
        "as_of": "2026-05-09T14:00:00+02:00",
        "time_zone": "Europe/Berlin",
        "root": {
            "text": "plan != Free and born < 2000-01-01",
            "kind": "all of",
            "span": {"start": 0, "end": 34},
            "count": 2,
            "operands": 2,
            "microseconds": 0,
            "found": "worked out",
            "parts": [
                {
                    "text": "plan != Free",
                    "kind": "condition",
                    "span": {"start": 0, "end": 12},
                    "count": 5,
                    "without": 2,
                    "missing": 3,
                    "operands": 1,
                    "microseconds": 0,
                    "found": "at hand",
                },
                {
                    "text": "born < 2000-01-01",
                    "kind": "condition",
                    "span": {"start": 17, "end": 34},
                    "count": 2,
                    "without": 5,
                    "stretches": [{"about": "born", "last": "1999-12-31"}],
                    "operands": 1,
                    "microseconds": 0,
                    "found": "worked out",
                },
            ],
        },
    }


def test_warnings_and_errors_are_those_of_the_segment(engine: Engine) -> None:
    """A typo in a value is said below, one in a name is refused."""
    found = explain(engine, "country = Atlantis", CONTEXT)
    assert [warning.code for warning in found.warnings] == ["UNKNOWN_VALUE", "EMPTY_NOW"]
    assert "\nwarning: no contact has `Atlantis`" in explanation_text(found)
    with pytest.raises(UserError, match="unknown field"):
        explain(engine, "contry = DE", CONTEXT)


def test_a_tree_is_explained_too(engine: Engine) -> None:
    """What is not text has no places, and everything else."""
    text = "country = DE and not vip = true"
    as_tree, as_text = explain(engine, parse(text), CONTEXT), explain(engine, text, CONTEXT)
    assert explanation_text(as_tree) == explanation_text(as_text)
