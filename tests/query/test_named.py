"""What stands behind a name: calculated fields, and saved segments, against the oracle."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping

import pytest

from headcount.model.errors import Reason, UserError
from headcount.query.bind import bind
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.limits import Limits
from headcount.query.names import Known
from headcount.query.parse import parse
from headcount.query.plan import plan
from support.compare import Case, compare
from support.engines import context_at, members_of, view_of
from support.named import Shelf, calculated_cases, saved_cases
from support.shop import SHOP
from support.worlds import World

AS_OF = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)


def shop(calculated: Mapping[str, str]) -> World:
    """Return the small shop with calculated fields."""
    return dataclasses.replace(SHOP, schema=dataclasses.replace(SHOP.schema, calculated=calculated))


def engine(saved: Mapping[str, str], world: World = SHOP) -> Engine:
    """Return an engine over a world with saved segments."""
    return Engine(view_of(world, 2), saved=Shelf({n: parse(text) for n, text in saved.items()}))


def assert_agrees(case: Case) -> None:
    """Assert that the engine gives the oracle's members of a case, asked as tree and as text."""
    asked = Engine(view_of(case.world, 64), saved=Shelf(case.world.saved))
    context = context_at(case.as_of, case.zone)
    for query in (case.segment, canonical(case.segment)):
        difference = compare(case, members_of(asked, query, context))
        assert difference is None, f"{case.world.schema.calculated}\n{difference}"


@pytest.mark.parametrize("run", range(3))
def test_calculated_fields_are_their_expressions(run: int) -> None:
    """A name stands for its expression, whatever that is made from, others' names included."""
    for case in calculated_cases(run, 200):
        assert_agrees(case)


@pytest.mark.parametrize("run", range(3))
def test_saved_segments_are_their_definitions(run: int) -> None:
    """`in segment` and `not in segment` hold those that the definition holds, however nested."""
    for case in saved_cases(run, 200):
        assert_agrees(case)


@pytest.mark.parametrize(
    ("calculated", "field", "words"),
    [
        ({"a": "b + 1", "b": "a * 2"}, "calculated.a", "`a` → `b` → `a`"),
        ({"twice": "plan * 2"}, "calculated.twice", "needs a number"),
        ({"off": "country + 3 days"}, "calculated.off", "needs a number"),
        ({"twice": "spend * 2"}, "calculated.twice", "unknown field `spend`"),
        ({"b": "a * 2", "a": "plan"}, "calculated.b", "needs a number"),
    ],
)
def test_an_engine_refuses_calculated_fields_that_mean_nothing(
    calculated: dict[str, str], field: str, words: str
) -> None:
    """Circles, unknown names and types that do not fit are found before anybody asks."""
    with pytest.raises(UserError) as refused:
        Engine(view_of(shop(calculated)))
    assert refused.value.field == field
    assert words in refused.value.message
    assert refused.value.position is not None


def test_a_long_chain_of_calculated_fields_does_not_recurse() -> None:
    """A thousand names, each the next one's, are one stored field."""
    calculated = {f"a{i}": f"a{i + 1}" for i in range(1000)} | {"a1000": "spent"}
    asked = Engine(view_of(shop(calculated)))
    context = context_at(AS_OF)
    assert asked.count("a0 > 10", context) == asked.count("spent > 10", context)


def test_a_calculated_field_wins_over_an_event_of_its_name() -> None:
    """Where a field is looked for it is found; where an event is, the event is."""
    asked = Engine(view_of(shop({"purchase": "spent * 0"})))
    context = context_at(AS_OF)
    zero = asked.count("spent is not empty", context).count
    assert asked.count("purchase = 0", context).count == zero
    assert asked.count("did purchase", context).count > 0


def test_where_cannot_ask_about_a_calculated_field() -> None:
    """The message says that the name is a field of the contact."""
    asked = Engine(view_of(shop({"twice": "spent * 2"})))
    with pytest.raises(UserError, match="is a field of the contact"):
        asked.count("did purchase where (twice > 3)", context_at(AS_OF))


def test_a_saved_segment_is_worked_out_once() -> None:
    """However often it is named, directly or through another, the plan has one node for it."""
    view = view_of(SHOP)
    shelf = Shelf({"de": parse("country = DE"), "both": parse('in segment "de" and plan = Pro')})
    segment = parse('(in segment "DE" or spent > 3) and (in segment "both" or not in segment "de")')
    bound = bind(segment, view, context_at(AS_OF), known=Known(view, shelf))
    assert any("country" in str(node) for node in plan(bound, view).shared)


def test_unknown_segments_are_refused_with_near_names() -> None:
    """A name that nothing has, in the query or in a saved segment, and where it stands."""
    asked = engine({"vip": "plan = Pro", "broken": 'in segment "gone"'})
    with pytest.raises(UserError) as refused:
        asked.count('plan = Free and in segment "vpi"', context_at(AS_OF))
    assert refused.value.reason is Reason.UNKNOWN_NAME
    assert "vip" in refused.value.suggestions
    assert refused.value.position is not None
    assert refused.value.position.column == 17
    with pytest.raises(UserError, match='unknown segment "gone", which segment "broken" names'):
        asked.count('in segment "broken"', context_at(AS_OF))


def test_circles_are_refused_with_their_path() -> None:
    """Two segments that name each other have no members to speak of."""
    asked = engine({"a": 'in segment "b"', "b": 'not in segment "a"'})
    with pytest.raises(UserError, match="`a` → `b` → `a`"):
        asked.count('in segment "a"', context_at(AS_OF))


def test_what_is_wrong_in_a_saved_segment_is_placed_there() -> None:
    """The schema may have changed since: the error names the saved segment and shows its text."""
    asked = engine({"old": "plan = Pro and gone > 3"})
    with pytest.raises(UserError) as refused:
        asked.count('spent > 3 and in segment "old"', context_at(AS_OF))
    assert refused.value.field == 'segment "old"'
    assert refused.value.position is not None
    assert refused.value.position.source == "plan = Pro and gone > 3"


def test_saved_segments_count_towards_the_limits() -> None:
    """A few names that double each other would be a million conditions; the limit stops them."""
    saved = {"0": "plan = Pro or spent > 3"}
    for i in range(1, 30):
        saved[str(i)] = (
            f'in segment "{i - 1}" and spent > {i} or in segment "{i - 1}" and vip = true'
        )
    asked = engine(saved)
    with pytest.raises(UserError) as refused:
        asked.count('in segment "29"', context_at(AS_OF))
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    within = Limits(conditions=10)
    context = dataclasses.replace(context_at(AS_OF), limits=within)
    assert asked.count('in segment "1"', context).count >= 0  # 6 conditions
    with pytest.raises(UserError, match="has 14 conditions"):
        asked.count('in segment "2"', context)


def test_a_long_chain_of_saved_segments_does_not_recurse() -> None:
    """A thousand names, each the next one's, are one condition."""
    saved = {str(i): f'in segment "{i + 1}"' for i in range(1000)} | {"1000": "spent > 3"}
    asked = engine(saved)
    context = context_at(AS_OF)
    assert asked.count('in segment "0"', context) == asked.count("spent > 3", context)


def test_names_of_what_is_timeless_are_planned_once() -> None:
    """The plan of a name is remembered at every instant if nothing behind it looks at the clock."""
    saved = {"pro": "plan = Pro", "rich": 'in segment "pro" and twice > 9', "new": "opened"}
    asked = engine(saved, shop({"twice": "spent * 2", "opens_ever": "count(opened)"}))
    later = context_at(AS_OF + dt.timedelta(days=400))
    for text, timeless in (
        ('in segment "rich" and twice < 1000', True),
        ('in segment "rich" and in segment "new"', False),
        ("opens_ever > 1", False),
    ):
        first = asked.prepared(text, context_at(AS_OF))
        assert (asked.prepared(text, later) is first) is timeless


def test_another_catalogue_is_another_engine() -> None:
    """Plans made with one definition are not used with the next; what was found still is."""
    before = engine({"x": "plan = Pro"})
    context = context_at(AS_OF)
    first = before.count('in segment "x"', context)
    after = before.with_saved(Shelf({"x": parse("not plan = Pro")}))
    assert after.count('in segment "x"', context).count == len(SHOP.contacts) - first.count
    assert after.results is before.results
