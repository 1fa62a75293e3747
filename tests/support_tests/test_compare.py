"""Comparing with the oracle: every difference is found, said, and made small."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, find, settings

from headcount.query import tree
from support import compare as comparing
from support import strategies
from support.broken import broken_oracle
from support.compare import Case, Difference, compare, reduced
from support.strategies import cases, seeded_cases

OFF_BY_ONE = (
    "the old edge of a rolling window is in it",
    "oracle_time",
    "return Stretch(step(as_of, duration, -1, zone) + MICROSECOND, as_of + MICROSECOND)",
    "return Stretch(step(as_of, duration, -1, zone), as_of + MICROSECOND)",
)
MISSING = (
    "!= does not match a missing value",
    "oracle",
    "        return equal == (op is CompareOp.EQ)",
    "        return equal == (op is CompareOp.EQ) and held is not None",
)


def some_case() -> Case:
    """Return a case with members and others."""
    found = (c for c in seeded_cases(1, 500) if 1 < len(c.expected()) < len(c.world.contacts))
    return next(found)


def test_agreement_is_none() -> None:
    """An engine that gives every member once is right."""
    case = some_case()
    assert compare(case, sorted(case.expected())) is None
    assert compare(case, case.expected()) is None


def test_a_missing_an_extra_and_a_doubled_id_are_found() -> None:
    """Each kind of difference is named."""
    case = some_case()
    first, *rest = sorted(case.expected())
    stranger = next(id_ for id_ in case.world.contacts if id_ not in case.expected())
    assert compare(case, rest) == Difference(case, (first,), ())
    assert compare(case, [first, *rest, stranger]) == Difference(case, (), (stranger,))
    assert compare(case, [first, *rest, first]) == Difference(case, (), (first,))
    assert compare(case, [first, *rest, "nobody"]) == Difference(case, (), ("nobody",))


def test_a_difference_says_what_is_known_of_the_contact() -> None:
    """The text has the instant, the segment, the ids, and the contact's values."""
    case = some_case()
    first, *rest = sorted(case.expected())
    text = str(compare(case, [*rest, "nobody"]))
    assert case.zone in text
    assert repr(first) in text
    assert "'nobody' is no contact" in text
    assert type(case.segment).__name__ in text


@pytest.mark.parametrize("mistake", [OFF_BY_ONE, MISSING], ids=lambda m: m[0])
def test_a_seeded_failure_is_made_small(mistake: tuple[str, str, str, str]) -> None:
    """What is left of a broken engine's failure is about one contact and one condition."""
    broken = broken_oracle(mistake)

    def differs(case: Case) -> bool:
        found = broken.members(case.world, case.segment, case.as_of, case.zone)
        return compare(case, found) is not None

    case = next(c for c in seeded_cases(12, 5000, sizes=(40,)) if differs(c))
    small = reduced(case, differs)
    assert differs(small)
    assert len(small.world.contacts) == 1
    assert len(small.world.events) <= 2
    assert not isinstance(small.segment, tree.And | tree.Or)


def test_reducing_stops_when_it_has_tried_enough() -> None:
    """The number of attempts is kept to."""
    tried = 0

    def always(_: Case) -> bool:
        nonlocal tried
        tried += 1
        return True

    reduced(some_case(), always, attempts=10)
    assert tried <= 11


def test_hypothesis_finds_and_shrinks_a_mistake() -> None:
    """The same mistake is found by Hypothesis, in one condition; what is left is one contact."""
    broken = broken_oracle(MISSING)

    def differs(case: Case) -> bool:
        found = broken.members(case.world, case.segment, case.as_of, case.zone)
        return compare(case, found) is not None

    quiet = settings(
        max_examples=2000, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    case = find(cases(contacts=3), differs, settings=quiet)
    assert isinstance(case.segment, tree.Compare)
    small = reduced(case, differs)
    assert len(small.world.contacts) == 1
    assert not small.world.events


def test_smaller_segments_are_segments() -> None:
    """Everything that a case is reduced to can be asked."""
    for case in strategies.seeded_cases(4, 200, sizes=(3,)):
        for segment in comparing._smaller_segments(case.segment):
            dataclasses.replace(case, segment=segment).expected()
