"""
What the questions around a count cost, in this process: previews, explanations, breakdowns,
overlaps, matches.

*Cold* is with all remembered results forgotten before each call, *never asked* with ten conditions
that nobody has asked before; *edited* has nine conditions of ten remembered and a new number in the
tenth; *a second later* is the same question at a new instant, as a server that is told no `as_of`
asks it.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, count, product
from pathlib import Path
from zoneinfo import ZoneInfo

from bench.questions import NOW
from headcount.index.keyword import KeywordIndex
from headcount.index.view import View
from headcount.index.workspace import open_view
from headcount.query.breakdown import breakdown
from headcount.query.clock import to_micros
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.explain import explain
from headcount.query.explain_contact import explain_contact
from headcount.query.histogram import Calendar, histogram
from headcount.query.match import match
from headcount.query.overlap import overlap
from headcount.query.parse import parse
from headcount.query.preview import preview
from headcount.query.results import Results
from headcount.query.tree import Unit

TEN = (
    "country in (US, DE, GB) and plan != Free and total_spent between {} and 500"
    ' and label contains "newsletter" and signed_up_at within last 365 days and not vip = true'
    " and opened >= 2 times in last 30 days and did purchase in last 90 days"
    ' and (stage >= "Customer" or lead_score > 50)'
)

_NEW = (
    'country in ("{}", "{}", "{}") and plan != "{}" and total_spent between {} and 500'
    ' and label contains "newsletter" and signed_up_at within last {} days and not vip = true'
    " and opened >= 2 times in last {} days and did purchase in last {} days"
    ' and (stage >= "Customer" or lead_score > {})'
)

_CONDITIONS = (
    "country in (US, DE)", "plan != Free", "total_spent between {a} and {b}",
    'label contains "newsletter"', "signed_up_at within last {a} days", "not vip = true",
    "opened >= 2 times in last {c} days", "did purchase in last {a} days", 'stage >= "Customer"',
    "lead_score > {c}", 'email contains "tanaka"', "last_open < {a} days ago",
    "month(birthday) = 3", "city = Berlin", "not (opens = 0)", "total_spent / lead_score > 5",
)  # fmt: skip
_SEGMENTS = 100
_PAIRS = 10_000
_ROUNDS = 30


def measure(folder: Path) -> dict[str, float]:
    """Return medians in seconds by what was asked."""
    view = open_view(folder, "default")
    engine = Engine(view)
    context = QueryContext(to_micros(NOW), ZoneInfo("Europe/Berlin"))
    contact = view.blocks[0].ids.array[12_345].as_py()
    ten, fields, segments = TEN.format(50), ("email", "country"), _segments()
    preview(engine, "everyone", context)  # hashes the ids, once for a block
    numbers, seconds = count(51), count(1)
    texts = [TEN.format(next(numbers)) for _ in range(_ROUNDS)]
    trees = [parse(TEN.format(next(numbers))) for _ in range(_ROUNDS)]
    everyone = "everyone"
    new = _never_asked(view)
    forgetful, pairs = Engine(view, Results(0)), _pairs(view)
    for text in pairs:
        forgetful.size(text, context)  # bound and planned, as saved segments are

    def later() -> QueryContext:
        return replace(context, as_of=context.as_of + next(seconds) * 1_000_000)

    def cold(call: Callable[[], object], rounds: int = _ROUNDS) -> float:
        return _median(call, rounds, before=engine.results.clear)

    months = Calendar(Unit.MONTH)
    return {
        "preview_cold": cold(lambda: preview(engine, ten, context, fields=fields)),
        "preview_new": _median(lambda: preview(engine, new.pop(), context, fields=fields)),
        "preview_edited_text": _median(
            lambda: preview(engine, texts.pop(), context, fields=fields)
        ),
        "preview_edited_tree": _median(
            lambda: preview(engine, trees.pop(), context, fields=fields)
        ),
        "explain_cold": cold(lambda: explain(engine, ten, context)),
        "explain_remembered": _median(lambda: explain(engine, ten, context)),
        "explain_contact": _median(lambda: explain_contact(engine, ten, contact, context)),
        "breakdown_keyword": _median(lambda: breakdown(engine, everyone, "country", context)),
        "breakdown_label": _median(lambda: breakdown(engine, everyone, "label", context)),
        "histogram_months": _median(
            lambda: histogram(engine, everyone, "signed_up_at", context, months), 5
        ),
        "overlap_cold": cold(lambda: overlap(engine, segments, context), 5),
        "overlap_remembered": _median(lambda: overlap(engine, segments, context)),
        "overlap_later": _median(lambda: overlap(engine, segments, later()), 5),
        "match_remembered": _median(lambda: match(engine, segments, [contact], context)),
        "match_later": _median(lambda: match(engine, segments, [contact], later()), 20),
        "refresh": _median(lambda: [forgetful.size(text, context) for text in pairs], 5),
        "next_version": _median(
            lambda: engine.at(replace(view)).count(ten, context),
        ),
    }


def _never_asked(view: View) -> list[str]:
    """Return a segment of ten conditions for each round, their values all different."""
    dice = random.Random(11)
    countries, plans = _values(view, "country"), _values(view, "plan")
    return [
        _NEW.format(
            *dice.sample(countries, 3),
            dice.choice(plans),
            60 + one + dice.random(),
            *(400 + one, 31 + one, 91 + one, 51 + one),
        )
        for one in range(_ROUNDS)
    ]


def _segments() -> list[str]:
    """Return a hundred segments of two to six conditions, some of them shared."""
    dice = random.Random(5)
    found = []
    for _ in range(_SEGMENTS):
        chosen = dice.sample(_CONDITIONS, dice.randint(2, 6))
        a = dice.randint(10, 300)
        numbers = {"a": a, "b": a + dice.randint(10, 1000), "c": dice.randint(3, 60)}
        joined = dice.choice((" and ", " and ", " or ")).join(chosen)
        found.append(joined.format(**numbers))
    return found


def _pairs(view: View) -> list[str]:
    """Return 10,000 segments of two keywords each, of half of them the second one negated."""
    values = {
        name: _values(view, name) for name in ("country", "plan", "stage", "job_title", "city")
    }
    found = [
        f'{field} = "{one}" and {negated}{other} = "{two}"'
        for field, other in combinations(values, 2)
        for one, two in product(values[field], values[other])
        for negated in ("", "not ")
    ]
    random.Random(7).shuffle(found)
    assert len(found) >= _PAIRS
    return found[:_PAIRS]


def _values(view: View, name: str) -> list[str]:
    index = view.blocks[0].fields[name]
    assert isinstance(index, KeywordIndex)
    return index.distinct_values()[:100]


def _median(
    call: Callable[[], object],
    rounds: int = _ROUNDS,
    before: Callable[[], object] = lambda: None,
) -> float:
    """Return the median of the seconds that *call* takes; *before* it comes what is not timed."""
    taken = []
    for _ in range(rounds):
        before()
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
