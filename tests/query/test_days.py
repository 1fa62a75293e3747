"""Calendar conditions asked of the days of a field, against asking every row."""

from __future__ import annotations

import datetime as dt

import pytest

from headcount.index import bitmaps
from headcount.query import days
from headcount.query.bind import bind
from headcount.query.bound import All, Condition
from headcount.query.days import calendar_rows
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame
from headcount.query.masks import mask
from headcount.query.parse import parse
from support.asking import schema
from support.engines import context_at, view_of
from support.shop import AS_OF
from support.worlds import World

_FIRST = dt.date(1960, 1, 1)
CONTACTS = {
    f"c{n}": {"born": None if n % 7 == 0 else _FIRST + dt.timedelta(days=n * 37 % 20_000)}
    for n in range(700)
}
VIEW = view_of(World(schema({"born": "date", "wed": "date"}), CONTACTS, []))
(BLOCK,) = VIEW.blocks

QUESTIONS = [
    "month(born) = 3",
    "month(born) in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)",
    "day(born) > 28",
    "weekday(born) = 7",
    "year(born) = 1990",
    "year(born) between 1970 and 1980",
    "anniversary(born) = today",
    "anniversary(born) between today and today + 7 days",
    "month(born + 1 month) = 3",
    "born + 1 month > 1990-02-28",
    "month(anniversary(born)) = 5",
    "month(wed) = 3",
]


def conditions(text: str) -> tuple[Condition, ...]:
    """Return the bound conditions of a segment."""
    found = bind(parse(text), VIEW, context_at(AS_OF), text).condition
    return found.items if isinstance(found, All) else (found,)


@pytest.mark.parametrize("text", QUESTIONS)
@pytest.mark.parametrize("runs", [0, 16, 1000])
def test_days_give_the_rows_that_rows_give(
    text: str, runs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many runs of days there are, and whether they are looked up as ranges or not."""
    monkeypatch.setattr(days, "_MOST_RUNS", runs)
    clock = bind(parse(text), VIEW, context_at(AS_OF)).clock
    frame = ContactFrame(BLOCK, clock, Figures(BLOCK, clock))
    for condition in conditions(text):
        found = calendar_rows(condition, BLOCK, clock)
        assert found == bitmaps.from_mask(mask(condition, frame))


def test_other_conditions_are_left_alone() -> None:
    """What depends on more than the days of one date field is not answered here."""
    clock = bind(parse("everyone"), VIEW, context_at(AS_OF)).clock
    for text in ("year(born) + 1 = 1990", "month(created_at) = 3", "born = wed"):
        assert all(calendar_rows(c, BLOCK, clock) is None for c in conditions(text))


def test_a_field_of_too_many_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field with a sentinel in the year 9999 is asked row by row."""
    monkeypatch.setattr(days, "_MOST_DAYS", 100)
    clock = bind(parse("everyone"), VIEW, context_at(AS_OF)).clock
    (condition,) = conditions("month(born) = 3")
    assert calendar_rows(condition, BLOCK, clock) is None
