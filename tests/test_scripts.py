"""The scripts in tests/scripts, asked of everything that can answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from headcount.query.engine import Engine
from headcount.query.parse import parse
from support import oracle
from support.asking import instant
from support.engines import context_at, members_of, view_of
from support.scripts import Example, read_script
from support.small import AS_OF, SMALL, ZONE

SCRIPTS = Path(__file__).parent / "scripts"
CHECKLIST = read_script(SCRIPTS / "checklist.test")
LANGUAGE = read_script(SCRIPTS / "language.test")
DIMENSIONS = read_script(SCRIPTS / "dimensions.test")

# From the text of a segment, an ISO 8601 instant in UTC and a time zone to the ids of its members.
Answer = Callable[[str, str, str], Iterable[str]]


def oracle_members(text: str, as_of: str, zone: str) -> set[str]:
    """Return the members of a segment of the small workspace according to the oracle."""
    return oracle.members(SMALL, parse(text), instant(as_of), zone)


def engine_members(text: str, as_of: str, zone: str) -> list[str]:
    """Return the members of a segment of the small workspace according to the engine."""
    return members_of(ENGINE, text, context_at(instant(as_of), zone))


ENGINE = Engine(view_of(SMALL, 4))
ANSWERS: dict[str, Answer] = {"oracle": oracle_members, "engine": engine_members}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
@pytest.mark.parametrize("example", CHECKLIST + LANGUAGE + DIMENSIONS, ids=lambda e: e.title)
def test_an_example_has_its_members(example: Example, answer: Answer) -> None:
    """Each example of the source documents holds exactly the contacts it should."""
    found = answer(example.text, example.as_of or AS_OF, example.zone or ZONE)
    order = list(SMALL.contacts)
    assert sorted(found, key=order.index) == list(example.members)


def test_every_example_of_the_source_documents_is_there() -> None:
    """Numbers 93 to 140 all occur."""
    assert {example.number for example in CHECKLIST} == set(range(93, 141))
