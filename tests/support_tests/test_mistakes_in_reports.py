"""Broken oracles that count a report wrong: each is seen."""

from __future__ import annotations

from functools import cache

import pytest

from headcount.segments.performance import Measured, Performance, performance
from support import oracle_reports
from support.broken import Mistake, broken_oracle
from support.compare import Case
from support.dice import Dice
from support.engines import Engines, context_at
from support.oracle_reports import Counting
from support.strategies import seeded_cases

MISTAKES: list[Mistake] = [
    ("opens of those not reached count", "oracle_reports",
     "        if sends:\n            found[\"reached\"] += 1",
     "        found[\"opened\"] += bool(opens) and not sends\n"
     "        if sends:\n            found[\"reached\"] += 1"),
    ("messages are counted for contacts", "oracle_reports",
     'found["reached"] += 1', 'found["reached"] += len(sends)'),
    ("only those reached convert", "oracle_reports",
     'found["converted"] += bool(conversions)',
     'found["converted"] += bool(conversions and sends)'),
    ("events outside of the window count", "oracle_reports",
     "tree.EventSelector(name), node.window)", "tree.EventSelector(name), None)"),
    ("contacts outside of the segment count", "oracle_reports",
     "        if not oracle.holds(query, contact, segment):\n            continue\n", ""),
    ("clicks are opens", "oracle_reports",
     'found["clicked"] += bool(clicks)', 'found["clicked"] += bool(opens)'),
]  # fmt: skip

Asked = tuple[Case, Counting, dict[str, float]]


def told(found: Performance) -> dict[str, float]:
    """Return the numbers of contacts and events."""
    names = ("contacts", "reached", "opened", "clicked", "converted",
             "sends", "opens", "clicks", "conversions")  # fmt: skip
    return {name: getattr(found, name) for name in names}


@cache
def cases() -> list[Asked]:
    """Return some questions with the engine's answers, made once."""
    dice, engines, found = Dice(5), Engines(), []
    for case in seeded_cases(17, 120, sizes=(20, 40)):
        names = [event.name for event in case.world.schema.events.values()]
        if not names:
            continue
        send, open_, click, conversion = (dice.pick(names) for _ in range(4))
        window = dice.pick(("in last 30 days", "this year", "in last 1 year"))
        measured = Measured(window, send, open_, click, conversion)
        counting = Counting(window, (send,), (open_,), (click,), (conversion,))
        context = context_at(case.as_of, case.zone)
        answer = performance(engines.over(case.world), [case.segment], measured, context)
        found.append((case, counting, told(answer.segments[0])))
    return found


def differs(asked: Asked, said: dict[str, float]) -> bool:
    """Return whether an oracle says anything else than the engine; revenue aside."""
    return {name: value for name, value in said.items() if name != "revenue"} != asked[2]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_seen(mistake: Mistake) -> None:
    """An engine that made it would differ from the oracle in one of 120 reports."""
    broken = broken_oracle(mistake, "oracle_reports")

    def said(case: Case, counting: Counting) -> dict[str, float]:
        found: dict[str, float] = broken.performance(
            case.world, case.segment, counting, case.as_of, case.zone
        )
        return found

    assert any(differs(one, said(one[0], one[1])) for one in cases())


def test_without_a_mistake_nothing_is_seen() -> None:
    """The same comparison finds nothing wrong with the oracle as it is."""
    for one in cases():
        case, counting, _ = one
        said = oracle_reports.performance(case.world, case.segment, counting, case.as_of, case.zone)
        assert not differs(one, said)
