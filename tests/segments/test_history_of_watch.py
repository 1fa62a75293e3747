"""
History of what a watch announces: sizes at each midnight are those of the oracle.

Nothing is written; time alone moves contacts in and out of windows, birthdays and ages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest

from headcount.query.clock import Clock, to_datetime, to_micros
from headcount.query.format import format as canonical
from headcount.segments.history import history
from headcount.segments.watch.binding import Definition, course_of
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Settings, Transition
from support import oracle
from support.compare import Case
from support.engines import view_of
from support.strategies import seeded_cases

INSTANT = dt.timedelta(microseconds=1)
BEFORE, AFTER = dt.timedelta(days=9, hours=7), dt.timedelta(days=5, minutes=1)


@dataclass(frozen=True)
class Kept:
    """What a watch announced since it began."""

    since: int
    until: int
    size: int
    announced: Sequence[Transition]

    def transitions(self) -> Sequence[Transition]:
        """Return it."""
        return self.announced


def watched(case: Case, *, seed: bool) -> tuple[Kept, int] | None:
    """Return the record of watching a case for two weeks around its instant, and their end."""
    begin = to_micros(case.as_of - BEFORE)
    end = to_micros(case.as_of + AFTER)
    view = view_of(case.world, 16)
    course = course_of(Definition(case.segment, ZoneInfo(case.zone)), view)
    membership, seeds = Membership.begin(view, course, Settings(seed=seed), begin)
    if not membership.is_exact:  # looked at once a second only
        return None
    size = 0 if seed else membership.size
    return Kept(begin, end, size, [*seeds, *membership.advance(end)]), end


@pytest.mark.parametrize("run", range(4))
def test_sizes_are_the_oracles_at_each_midnight(run: int) -> None:
    """40 random segments a run, half of them watched with those who are in announced first."""
    changing = 0
    for number, case in enumerate(seeded_cases(run + 90, 40, sizes=(10, 20))):
        found = watched(case, seed=number % 2 == 0)
        if found is None:
            continue
        kept, end = found
        told = history(kept, kept.since, end, Clock(end, ZoneInfo(case.zone)))
        changing += told.total.entries + told.total.exits > 3
        for day in told.days:
            just_before = to_datetime(day.high) - INSTANT
            expected = oracle.members(case.world, case.segment, just_before, case.zone)
            assert day.size == len(expected), f"{canonical(case.segment)}\n{just_before}"
        assert told.total.size == told.days[-1].size
    assert changing >= 3


def test_a_seeded_record_knows_when_everybody_came() -> None:
    """With a seed every stay has a beginning; without, those who were in have none."""
    for case in seeded_cases(91, 60, sizes=(20,)):
        found, other = watched(case, seed=True), watched(case, seed=False)
        if found is None or other is None:
            continue
        zone = Clock(found[1], ZoneInfo(case.zone))
        with_seed = history(found[0], found[0].since, found[1], zone).total
        without = history(other[0], other[0].since, other[1], zone).total
        assert with_seed.stays == with_seed.exits == without.exits
        assert with_seed.entries == without.entries + without.start
        assert with_seed.size == without.size
