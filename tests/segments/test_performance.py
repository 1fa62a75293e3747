"""Performance: each number is the oracle's; what is counted where nobody says; what is refused."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from headcount.model.errors import Reason, UserError
from headcount.model.schema import FieldType, Schema
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.segments.performance import Measured, Performance, performance
from support import oracle_reports
from support.asking import happened, schema
from support.dice import Choices, Dice
from support.engines import Engines, context_at, view_of
from support.oracle_reports import Counting
from support.small import AS_OF, SMALL
from support.strategies import seeded_cases
from support.worlds import World

NOW = dt.datetime.fromisoformat(AS_OF).replace(tzinfo=dt.UTC)
ENGINE = Engine(view_of(SMALL, 4))
WINDOWS = (
    "in last 30 days", "in last 3 months", "last month", "this year", "ever", "yesterday",
    "between 2026-01-01 and 2026-04-30", "since 2025-06-01", "before 2026-01-01",
)  # fmt: skip


def asked(*segments: str, window: str = "in last 30 days", **measured: str) -> list[Performance]:
    """Return the performance of segments of the small workspace."""
    found = performance(ENGINE, segments, Measured(window, **measured), context_at(NOW))
    return list(found.segments)


def numbers(found: Performance) -> dict[str, float]:
    """Return every number that the oracle gives too."""
    return {
        name: getattr(found, name) or 0
        for name in ("contacts", "reached", "opened", "clicked", "converted",
                     "sends", "opens", "clicks", "conversions", "revenue")
    }  # fmt: skip


def drawn(dice: Choices, known: Schema) -> tuple[Measured, Counting]:
    """Return something to count, for the engine and for the oracle."""
    window = dice.pick(WINDOWS)
    names = [event.name for event in known.events.values()]
    send, open_, click, conversion = (dice.pick(names) for _ in range(4))
    event = known.event_type(conversion)
    assert event is not None
    properties = [p.name for p in event.properties if p.type is FieldType.NUMBER]
    revenue = dice.pick(properties) if properties else ""
    measured = Measured(window, send, open_, click, conversion, revenue)
    if not revenue:  # nothing is found by its name either
        assert "amount" not in properties
    return measured, Counting(window, (send,), (open_,), (click,), (conversion,), revenue)


@pytest.mark.parametrize("seed", range(4))
def test_every_number_is_the_oracles(seed: int) -> None:
    """60 random segments a run, three at a time, over random events and windows."""
    dice = Dice(seed)
    cases = [
        case for case in seeded_cases(seed + 70, 60, sizes=(20, 40, 60)) if case.world.schema.events
    ]
    engines = Engines()
    compared = reached = 0
    for case in cases:
        others = [one for one in cases if one.world is case.world][:2]
        measured, counting = drawn(dice, case.world.schema)
        engine = engines.over(case.world)
        segments = [case.segment, *(one.segment for one in others)]
        context = context_at(case.as_of, case.zone)
        found = performance(engine, segments, measured, context)
        for segment, one in zip(segments, found.segments, strict=True):
            expected = oracle_reports.performance(
                case.world, segment, counting, case.as_of, case.zone
            )
            held = numbers(one)
            assert math.isclose(held.pop("revenue"), expected.pop("revenue"), rel_tol=1e-12)
            assert held == expected, f"{canonical(segment)}\n{measured}"
            compared += 1
            reached += one.reached > 0
    assert compared > 100
    assert reached > 20


def test_a_segments_numbers_and_rates() -> None:
    """Sent to in 30 days: ada twice, ben once; ada opened and clicked. gus bought, unasked."""
    (found,) = asked("plan = Pro")
    assert numbers(found) == {
        "contacts": 3, "reached": 2, "opened": 1, "clicked": 1, "converted": 1, "sends": 3,
        "opens": 7, "clicks": 3, "conversions": 2, "revenue": 200.0,
    }  # fmt: skip
    assert (found.open_rate, found.click_rate, found.click_to_open_rate) == (0.5, 0.5, 1.0)
    assert found.conversion_rate == pytest.approx(1 / 3)
    assert found.revenue_per_contact == pytest.approx(200 / 3)
    assert found.segment == "plan = Pro"


def test_who_was_not_reached_has_no_share_in_the_rates() -> None:
    """dee opened, but nothing was sent to her in the window: there is no rate."""
    (found,) = asked("stage = Trial")
    assert (found.reached, found.opened, found.opens) == (0, 0, 1)
    assert found.open_rate is found.click_rate is found.click_to_open_rate is None
    (nobody,) = asked("plan = Gold")
    assert nobody.conversion_rate is nobody.revenue_per_contact is None
    assert nobody.revenue == 0.0


def test_segments_side_by_side_are_each_alone() -> None:
    """Compared or asked one by one, the numbers are the same."""
    texts = ("plan = Pro", "everyone", "opened in last 30 days", "plan = Free")
    assert asked(*texts) == [asked(text)[0] for text in texts]


def test_what_is_counted_is_said() -> None:
    """By declared name, whichever name was used."""
    found = performance(
        ENGINE,
        ["everyone"],
        Measured("LAST month", click="visited", conversion="engaged"),
        context_at(NOW),
    )
    assert found.measured.window == "last month"
    assert found.measured.send == ("email_send",)
    assert found.measured.click == ("page_view",)
    assert found.measured.conversion == ("email_open", "email_click")
    assert found.measured.revenue == ""
    assert found.segments[0].revenue is None


def test_a_schema_without_mail_has_no_rates() -> None:
    """What it does not have is not counted; what it has is."""
    world = World(
        schema({}, {"order": {"Total": "number"}}),
        {"a": {}, "b": {}},
        happened("a", "order", "2026-05-01", Total=0.1) * 3,
    )
    (found,) = performance(
        Engine(view_of(world)), ["everyone"], Measured(), context_at(NOW)
    ).segments
    assert (found.conversions, found.converted, found.reached) == (3, 1, 0)
    assert found.revenue == pytest.approx(0.3)
    bare = World(schema({}, {}), {"a": {}}, [])
    (nothing,) = performance(
        Engine(view_of(bare)), ["everyone"], Measured(), context_at(NOW)
    ).segments
    assert numbers(nothing) == {**dict.fromkeys(numbers(found), 0), "contacts": 1}


@pytest.mark.parametrize(
    ("segments", "measured", "field", "reason"),
    [
        ([], Measured(), "queries", Reason.INVALID_VALUE),
        (["everyone"] * 101, Measured(), "queries", Reason.LIMIT_EXCEEDED),
        (["everyone", "plam = Pro"], Measured(), "queries[1]", Reason.UNKNOWN_NAME),
        (["everyone"], Measured("soon"), "window", Reason.SYNTAX),
        (["everyone"], Measured("in last 3 days or everyone"), "window", Reason.SYNTAX),
        (["everyone"], Measured("twice in last 3 days"), "window", Reason.SYNTAX),
        (["everyone"], Measured(""), "window", Reason.SYNTAX),
        (["everyone"], Measured(send="email_sent"), "send", Reason.UNKNOWN_NAME),
        (["everyone"], Measured(conversion="bougt"), "conversion", Reason.UNKNOWN_NAME),
        (["everyone"], Measured(revenue="amuont"), "revenue", Reason.UNKNOWN_NAME),
        (
            ["everyone"],
            Measured(conversion="visited", revenue="url"),
            "revenue",
            Reason.UNKNOWN_NAME,
        ),
    ],
)
def test_what_is_wrong_is_refused(
    segments: list[str], measured: Measured, field: str, reason: Reason
) -> None:
    """With the place that is wrong."""
    with pytest.raises(UserError) as refused:
        performance(ENGINE, segments, measured, context_at(NOW))
    assert (refused.value.field, refused.value.reason) == (field, reason)
