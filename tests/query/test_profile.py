"""Profiles: the count is the query's, the parts add up, and what was remembered is said to be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from headcount.model.errors import UserError
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.profile import Operator, Profile, profile
from headcount.query.profile_text import profile_text
from headcount.query.results import Results
from headcount.query.terminal import width
from support.engines import Engines, context_at, view_of
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

SEED = int(os.environ.get("HEADCOUNT_ORACLE_SEED", "0"))
SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 8
CONTEXT = context_at(AS_OF, "Europe/Berlin")
SEGMENT = (
    "(country = US or plan = Pro) and not did purchase in last 60 days and spent > 10"
    " and opened at least 2 times in last 30 days"
)


def ticks() -> Callable[[], float]:
    """Return a timer that is a second later each time it is asked."""
    numbers = count()
    return lambda: float(next(numbers))


def flat(operator: Operator) -> Iterator[Operator]:
    """Yield an operator and all inside it."""
    yield operator
    for part in operator.parts:
        yield from flat(part)


@pytest.fixture
def engine() -> Engine:
    """Return an engine over the shop, two contacts a block, that remembers results."""
    return Engine(view_of(SHOP, 2))


def profiled(engine: Engine, text: str) -> Profile:
    return profile(engine, text, CONTEXT, ticks())


def test_a_profile_counts_what_a_count_does() -> None:
    """For random segments over random data the count is the engine's, and every node fits."""
    engines = Engines()
    for case in seeded_cases(SEED + 700, SEGMENTS):
        context = context_at(case.as_of, case.zone)
        engine = Engine(engines.over(case.world).view, Results(0))
        found = profile(engine, case.segment, context, ticks())
        assert found.count == engine.size(case.segment, context), canonical(case.segment)
        assert found.count == len(case.expected()), canonical(case.segment)
        assert found.count == sum(block.count for block in found.blocks)
        assert found.contacts == sum(block.contacts for block in found.blocks)
        for operator in flat(found.root):
            assert operator.bytes >= 0
            assert 0 <= operator.recalled <= operator.calls
            assert operator.calls or not operator.rows
        if found.root.text == "all of" and found.root.rows:
            assert all(part.calls or "shown above" in part.text for part in found.root.parts)
        text = profile_text(found, blocks=True)
        assert max(map(width, text.split("\n"))) <= 100
        assert json.loads(json.dumps(found.to_dict()))["count"] == found.count


def test_seconds_add_up(engine: Engine) -> None:
    """What the operators took themselves is what the evaluation took, and that the blocks'."""
    found = profiled(engine, SEGMENT)
    own = sum(operator.seconds for operator in flat(found.root))
    assert found.root.total == own == found.stages["evaluate"]
    assert found.stages["evaluate"] == sum(block.seconds for block in found.blocks)
    assert all(operator.seconds >= 0 for operator in flat(found.root))
    assert [found.stages[name] for name in ("parse", "bind", "plan")] == [1.0, 1.0, 1.0]


def test_what_is_remembered_is_said(engine: Engine) -> None:
    """Asked again, conditions are recalled; with nothing remembered none ever is."""
    text = "spent > 10 and did opened in last 30 days"
    first, second = profiled(engine, text), profiled(engine, text)
    assert not any(one.recalled for one in flat(first.root))
    leaves = [one for one in flat(second.root) if not one.parts]
    assert leaves
    assert all(one.recalled == one.calls for one in leaves if one.calls)
    assert sum(one.bytes for one in leaves) == 0
    assert "(0.000)" not in profile_text(first)
    assert profile_text(second).count("(3000.000)") == 2 * len(leaves)
    forgetful = Engine(engine.view, Results(0))
    assert not any(one.recalled for _ in range(2) for one in flat(profiled(forgetful, text).root))


def test_a_step_is_taken_for_who_is_left(engine: Engine) -> None:
    """An `and` that nobody is left of works out nothing more, and that shows as no calls."""
    found = profiled(engine, "country = Atlantis and did opened at least 2 times in last 30 days")
    assert found.count == 0
    assert [part.calls for part in found.root.parts] == [len(found.blocks), 0]


def test_what_occurs_twice_is_shown_once(engine: Engine) -> None:
    """A shared node's cost is in the tree once."""
    twice = "(plan = Pro and spent > 10) or (plan = Free and spent > 10)"
    found = profiled(engine, twice)
    again = [one for one in flat(found.root) if "(shown above)" in one.text]
    assert len(again) == 1
    assert again[0].calls == again[0].seconds == again[0].bytes == 0


def test_a_whole_that_is_negated(engine: Engine) -> None:
    """`not` at the root is said, and the rows shown are those that are taken away."""
    found = profiled(engine, "not country = US")
    assert found.negated
    assert found.count == found.contacts - found.root.rows
    assert "not country in" in profile_text(found)


def test_a_wrong_query_is_refused(engine: Engine) -> None:
    """A profile of what means nothing says so."""
    with pytest.raises(UserError):
        profiled(engine, "nonsense = 1")
