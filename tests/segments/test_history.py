"""History: every number of every day is that of a model that knows who was in at each moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.model.errors import Reason, UserError
from headcount.query.clock import Clock, to_datetime, to_micros
from headcount.segments.history import ENTER, EXIT, History, Stretch, history

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3_600_000_000
T0 = to_micros(dt.datetime(2026, 3, 27, 12, tzinfo=dt.UTC))  # clocks go forward on the 29th


@dataclass(frozen=True)
class Moved:
    """One coming or going."""

    contact: str
    kind: str
    at: int


@dataclass(frozen=True)
class Kept:
    """A record of them; `before` were members when it began."""

    before: frozenset[str]
    moves: tuple[Moved, ...]
    since: int = T0
    until: int = T0 + 24 * HOUR * 4_000

    @property
    def size(self) -> int:
        """Return how many members there were."""
        return len(self.before)

    def transitions(self) -> Iterable[Moved]:
        """Return what happened."""
        return self.moves


def asked(kept: Kept, low: int, high: int, zone: ZoneInfo = BERLIN) -> History:
    """Return the history of a record."""
    return history(kept, low, high, Clock(high, zone))


# --- the model ----------------------------------------------------------------------------------


def members(kept: Kept, at: int) -> set[str]:
    """Return who is in just before an instant."""
    found = set(kept.before)
    for move in kept.moves:
        if move.at < at:
            (found.add if move.kind == ENTER else found.discard)(move.contact)
    return found


def model(kept: Kept, low: int, high: int) -> Stretch:
    """Return one stretch, each number by looking for it anew."""
    inside = [move for move in kept.moves if low <= move.at < high]
    entries = [move for move in inside if move.kind == ENTER]
    exits = [move for move in inside if move.kind == EXIT]
    returns = [
        one
        for one in entries
        if any(m.contact == one.contact and m.kind == EXIT and m.at < one.at for m in kept.moves)
    ]
    stays = []
    for one in exits:
        came = [
            m.at
            for m in kept.moves
            if m.contact == one.contact and m.kind == ENTER and m.at < one.at
        ]
        if came:
            stays.append((one.at - max(came)) / 1e6)
    mean = sum(stays) / len(stays) if stays else None
    start = len(members(kept, low))
    return Stretch(low, high, start, len(entries), len(exits), len(returns), len(stays), mean)


def stayed(kept: Kept, low: int, high: int) -> int:
    """Return how many members at the start never left."""
    left = {m.contact for m in kept.moves if low <= m.at < high and m.kind == EXIT}
    return len(members(kept, low) - left)


@st.composite
def records(draw: st.DrawFn) -> Kept:
    """Draw a record of six contacts over eight days, several in the same hour or instant."""
    names = "abcdef"
    before = draw(st.frozensets(st.sampled_from(names)))
    inside, at, moves = set(before), T0, []
    for _ in range(draw(st.integers(0, 25))):
        at += draw(st.sampled_from((1, HOUR, HOUR // 2, 7 * HOUR, 12 * HOUR)))
        name = draw(st.sampled_from(names))
        kind = EXIT if name in inside else ENTER
        (inside.discard if kind == EXIT else inside.add)(name)
        moves.append(Moved(name, kind, at))
    return Kept(before, tuple(moves))


@given(
    kept=records(),
    low=st.integers(0, 60),
    length=st.integers(1, 200),
    zone=st.sampled_from(("UTC", "Europe/Berlin", "Pacific/Apia", "America/New_York")),
)
def test_every_day_is_the_models(kept: Kept, low: int, length: int, zone: str) -> None:
    """Each stretch, the total, and who stayed; days lie side by side and end at midnights."""
    first, last = T0 + low * HOUR, T0 + (low + length) * HOUR
    found = asked(kept, first, last, ZoneInfo(zone))
    for one in (*found.days, found.total):
        expected = model(kept, one.low, one.high)
        assert (one.start, one.entries, one.exits, one.returns, one.stays) == (
            expected.start, expected.entries, expected.exits, expected.returns, expected.stays,
        )  # fmt: skip
        assert one.average_stay == pytest.approx(expected.average_stay)
        assert one.size == len(members(kept, one.high))
    assert found.stayed == stayed(kept, first, last)
    assert (found.total.low, found.total.high) == (first, last)
    assert found.days[0].low == first
    assert found.days[-1].high == last
    for one, other in pairwise(found.days):
        assert one.high == other.low
        midnight = to_datetime(one.high).astimezone(ZoneInfo(zone))
        assert (midnight.hour, midnight.minute) == (0, 0)


def test_a_day_may_have_23_hours() -> None:
    """Clocks go forward on 29 March 2026 in Berlin."""
    first = to_micros(dt.datetime(2026, 3, 28, tzinfo=BERLIN))
    found = asked(Kept(frozenset(), ()), first, first + 71 * HOUR)
    assert [(one.high - one.low) // HOUR for one in found.days] == [24, 23, 24]


def test_shares_are_of_the_start() -> None:
    """Churn, growth, stability; none of nobody."""
    moves = (
        Moved("a", EXIT, T0 + HOUR),
        Moved("x", ENTER, T0 + 2 * HOUR),
        Moved("y", ENTER, T0 + 3 * HOUR),
        Moved("a", ENTER, T0 + 4 * HOUR),
        Moved("x", EXIT, T0 + 5 * HOUR),
    )
    found = asked(Kept(frozenset("abcd"), moves), T0, T0 + 6 * HOUR)
    total = found.total
    assert (total.start, total.size, total.entries, total.exits) == (4, 5, 3, 2)
    assert (total.churn, total.growth, found.stability) == (0.5, 0.25, 0.75)
    assert (total.returns, total.stays, total.average_stay) == (1, 1, 3 * 3600.0)
    nobody = asked(Kept(frozenset(), ()), T0, T0 + HOUR)
    assert nobody.total.churn is nobody.total.growth is nobody.stability is None


@pytest.mark.parametrize(
    ("low", "high", "reason"),
    [
        (T0, T0, Reason.INVALID_VALUE),
        (T0 - 1, T0 + HOUR, Reason.INVALID_VALUE),
        (T0, T0 + 24 * HOUR * 4_000, Reason.LIMIT_EXCEEDED),
    ],
)
def test_what_nobody_knows_is_refused(low: int, high: int, reason: Reason) -> None:
    """An empty stretch, one before the record, too many days."""
    with pytest.raises(UserError) as refused:
        asked(Kept(frozenset(), ()), low, high)
    assert refused.value.reason is reason


def test_what_is_not_said_is_all_there_is() -> None:
    """From the beginning of the record to its end; an end beyond that is that."""
    kept = Kept(frozenset(), (Moved("a", ENTER, T0 + HOUR),), until=T0 + 30 * HOUR)
    clock = Clock(T0, BERLIN)
    found = history(kept, None, None, clock)
    assert (found.total.low, found.total.high) == (T0, T0 + 30 * HOUR)
    assert found.total.begins == dt.datetime(2026, 3, 27, 12, tzinfo=dt.UTC)
    assert found.total.ends == dt.datetime(2026, 3, 28, 18, tzinfo=dt.UTC)
    assert history(kept, T0, T0 + 99 * HOUR, clock) == found
    with pytest.raises(UserError, match="2026-03-28T18:00"):
        history(kept, T0 + 31 * HOUR, T0 + 99 * HOUR, clock)


def test_the_model_can_see_a_difference() -> None:
    """A record with one transition less has another history."""
    moves = (Moved("a", EXIT, T0 + HOUR), Moved("b", ENTER, T0 + 2 * HOUR))
    whole, less = Kept(frozenset("a"), moves), Kept(frozenset("a"), moves[:1])
    assert asked(less, T0, T0 + 6 * HOUR).total != model(whole, T0, T0 + 6 * HOUR)
