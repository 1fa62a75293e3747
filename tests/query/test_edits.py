"""
Previews while a segment is edited: each as a server that was asked nothing before would give it.

What is remembered between keystrokes (operands of texts, meanings of conditions, rests, rows) makes
no difference to counts, samples, warnings and places. HEADCOUNT_TEST_SEGMENTS is how many previews
are asked, HEADCOUNT_ORACLE_SEED which.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from headcount.model.errors import UserError
from headcount.query import meanings as meanings_module
from headcount.query import rests as rests_module
from headcount.query import tree
from headcount.query.bind import Binder
from headcount.query.bound import Condition
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.explain import explain
from headcount.query.format import format as canonical
from headcount.query.meanings import Meanings
from headcount.query.names import Scope
from headcount.query.outline import outline
from headcount.query.parse import parse
from headcount.query.preview import preview
from headcount.query.rests import EditOthers, Edits
from headcount.query.results import Results
from support.compare import Case
from support.dice import Dice
from support.engines import context_at, view_of
from support.random_worlds import Scene
from support.shop import AS_OF, SHOP
from support.strategies import SIZES, random_case, random_place
from support.views import without_some
from support.worlds import World

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000"))
CONTEXT = context_at(AS_OF, "Europe/Berlin")
EDITS = 8  # of one segment


def edited(dice: Dice, make: Callable[[], tree.Segment]) -> Iterator[tree.Segment]:
    """Yield segments of which each is the one before with a part changed, added or taken away."""
    kind = tree.And if dice.chance(70) else tree.Or
    parts = [make() for _ in range(dice.integer(2, 6))]
    place = 0
    for _ in range(EDITS):
        yield kind(tuple(parts))
        if dice.chance(40):
            place = dice.integer(0, len(parts) - 1)
        if dice.chance(10) and len(parts) > 2:
            del parts[place % len(parts)]
        elif dice.chance(10):
            parts.append(make())
        elif dice.chance(10):
            parts[place % len(parts)] = tree.Not(parts[place % len(parts)])
        elif dice.chance(90):
            parts[place % len(parts)] = make()


def told(engine: Engine, query: tree.Segment | str, context: QueryContext) -> object:
    """Return all that a preview and an explanation say, places included; or the error."""
    try:
        found = preview(engine, query, context, size=3, fields=("id",))
        explained = explain(engine, query, context).to_dict()
    except UserError as error:
        return error.reason, error.message, error.position, error.field
    spans = [(condition.node.span, condition.count) for condition in found.conditions]
    return found, spans, _lasting(explained)


def _lasting(told: object) -> object:
    """Return an explanation without what depends on what is remembered."""
    if isinstance(told, dict):
        return {k: _lasting(v) for k, v in told.items() if k not in ("microseconds", "found")}
    return [_lasting(item) for item in told] if isinstance(told, list) else told


def _segment(dice: Dice, world: World, scene: Scene) -> tree.Segment:
    return random_case(dice, world, scene).segment


def difference(seed: int, count: int, capacity: int = 1 << 20) -> str | None:
    """Return an edited segment that is previewed otherwise than by an engine of its own."""
    results = Results(capacity)
    for start in range(0, count, EDITS * 2):
        dice = Dice(seed * 1_000_003 + start)
        world, scene = random_place(dice, dice.pick(SIZES))
        whole = view_of(world, 16)
        view = without_some(whole) if dice.chance(40) else whole
        engine = Engine(view, results)
        for _ in range(2):
            case: Case = random_case(dice, world, scene)
            as_of, moves = case.as_of, dice.chance(50)

            make = partial(_segment, dice, world, scene)
            for segment in edited(dice, make):
                context = context_at(as_of, case.zone)
                text = canonical(segment)
                for query in (segment, text):
                    alone = Engine(view, Results(0))
                    if told(engine, query, context) != told(alone, query, context):
                        return text
                if moves:
                    as_of += dt.timedelta(seconds=dice.integer(0, 3))
                if dice.chance(20):
                    engine = engine.at(replace(view))
    return None


@pytest.mark.parametrize("capacity", [1 << 12, 1 << 22])
def test_an_edited_preview_is_that_of_a_new_engine(capacity: int) -> None:
    """Counts, those without each part, samples, warnings and places; as tree and as text."""
    assert difference(SEED * 2 + capacity, SEGMENTS // 8, capacity) is None


def _everyone(self: EditOthers, _: int) -> object:
    return self._rest.in_all


def _one(*_: object) -> int:
    return 1


def _any_instant(*_: object) -> bool:
    return True


MISTAKES: list[tuple[str, object, str, object]] = [
    ("all but one are all", EditOthers, "of", _everyone),
    ("each part keeps one out", EditOthers, "kept", _one),
    ("a rest is of live contacts alone", rests_module.Rest, "within", lambda self, _: self),
    ("a meaning is right at any time", meanings_module, "_is_valid", _any_instant),
    ("-0 is shown as 0", meanings_module, "_is_plain", _any_instant),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake[0] for mistake in MISTAKES])
def test_a_mistake_shows(
    mistake: tuple[str, object, str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered wrongly is seen."""
    _, owner, name, wrong = mistake
    monkeypatch.setattr(owner, name, wrong)
    assert difference(5, 2000) is not None


def test_edits_are_seen_by_what_was_asked_before() -> None:
    """A part that is new beside the others; another one; one more; and nothing new."""
    a, b, c, d, e, f = (hash(name) for name in "abcdef")
    edits = Edits()
    assert edits.place([a, b, c]) is None
    assert edits.place([a, d, c]) == 1
    assert edits.place([a, e, c]) == 1
    assert edits.place([a, e, c, f]) == 3
    assert edits.place([a, e, d, f]) == 2
    assert edits.place([b, d]) is None


def test_only_the_edited_condition_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were bound before are not bound again, be it text or tree."""
    bound: list[str] = []
    condition = Binder.condition

    def noting(self: Binder, node: tree.Segment, scope: Scope) -> Condition:
        bound.append(canonical(node))
        return condition(self, node, scope)

    monkeypatch.setattr(Binder, "condition", noting)
    engine = Engine(view_of(SHOP, 2))
    text = "country = DE and not vip = true and spent > {} and opened in last 30 days"

    def newly_bound(number: int, later: int = 0) -> list[str]:
        bound.clear()
        context = replace(CONTEXT, as_of=CONTEXT.as_of + later)
        for query in (text.format(number), parse(text.format(number))):
            preview(engine, query, context)
        return bound

    assert len(newly_bound(1)) == 4 * 2
    assert newly_bound(2) == ["spent > 2"] * 2
    assert newly_bound(2) == []
    assert newly_bound(2, later=1) == ["did opened in last 30 days"] * 2


def test_a_label_that_went_is_seen() -> None:
    """A condition on labels is bound again when there are others."""
    engine = Engine(view_of(SHOP))
    query = parse('spent > 1 and label contains "vip"')
    nobody = view_of(replace(SHOP, contacts={"ann": {}}, events=[]), 2)
    assert told(engine, query, CONTEXT) != told(engine.at(nobody), query, CONTEXT)
    assert told(engine.at(nobody), query, CONTEXT) == told(Engine(nobody), query, CONTEXT)


def test_only_so_many_are_held() -> None:
    """Those of the last few that were asked."""
    engine, meanings = Engine(view_of(SHOP)), Meanings(8)
    for number in (*range(20), 0, 19):
        outline(parse(f"spent > {number}"), engine.known, CONTEXT, None, meanings)
        assert len(meanings) <= 8
    long = Meanings()
    outline(parse(f"spent in ({', '.join(map(str, range(1, 500)))})"), engine.known, CONTEXT,
            None, long)  # fmt: skip
    assert len(long) == 0
