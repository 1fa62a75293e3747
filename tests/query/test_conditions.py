"""Questions about derived values turned into questions about stored ones."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index.interval import EVER, Interval
from headcount.model.schema import EventType, Field, FieldType
from headcount.query import conditions
from headcount.query import ranges as spans
from headcount.query.bound import (
    EVERYONE,
    NO_ONE,
    All,
    Any,
    Complement,
    EventCount,
    InRanges,
    KeyIn,
    Present,
)
from headcount.query.conditions import enough_of, event_count, in_ranges, of_each, present
from headcount.query.expressions import (
    Choice,
    Constant,
    Elapsed,
    EventAggregate,
    EventTally,
    EventTime,
    FieldValue,
    Kind,
    Missing,
    Shifted,
    Source,
)
from headcount.query.ranges import Range
from headcount.query.tree import Duration, Unit

BORN = FieldValue(Field("born", FieldType.DATE))
SEEN = FieldValue(Field("seen", FieldType.DATETIME))
SPENT = FieldValue(Field("spent", FieldType.NUMBER))
CITY = FieldValue(Field("city", FieldType.KEYWORD))
OPEN = (Source(EventType("open")),)
CLICK = (Source(EventType("click")),)
DAY_US = 86_400_000_000

days = st.integers(-40, 40)
lengths = st.one_of(days.map(float), st.sampled_from([0.1, -0.1, 0.5, 1 / 3, 29.9999999]))
length_ranges = st.builds(Range, lengths, lengths, st.booleans(), st.booleans())


@given(today=days, length=length_ranges)
@settings(max_examples=300)
def test_days_since_a_date_are_a_range_of_dates(today: int, length: Range) -> None:
    """`today - born` in a range is `born` in one."""
    found = in_ranges(Elapsed(Constant(today, Kind.DATE), BORN), (length,))
    for born in range(-90, 91):
        expected = (today - born) / 1 in length
        if found in (EVERYONE, NO_ONE):
            assert expected == (found == EVERYONE)
        else:
            assert isinstance(found, InRanges)
            assert expected == spans.holds(found.ranges, born)


@given(
    now=st.integers(-5 * DAY_US, 5 * DAY_US),
    length=length_ranges,
    offsets=st.lists(st.integers(-2, 2), min_size=1, max_size=5),
)
@settings(max_examples=300)
def test_days_since_an_instant_divide_as_doubles_do(
    now: int, length: Range, offsets: list[int]
) -> None:
    """`now - seen > 0.1` agrees with dividing microseconds by a day, to the microsecond."""
    found = in_ranges(Elapsed(Constant(now, Kind.INSTANT), SEEN), (length,))
    edges = [round(bound * DAY_US) for bound in (length.low, length.high)]
    for seen in (now - edge + offset for edge in edges for offset in offsets):
        expected = (now - seen) / DAY_US in length
        if found == NO_ONE:
            assert not expected
        else:
            assert isinstance(found, InRanges)
            assert expected == spans.holds(found.ranges, seen)


def test_a_shifted_time_is_shifted_back() -> None:
    """`born + 2 weeks = D` asks for D - 14 days; a month has no fixed length to take back."""
    shifted = Shifted(BORN, Duration(2, Unit.WEEK), 1, Kind.DATE)
    assert in_ranges(shifted, (Range(100, 100),)) == InRanges(BORN, (Range(86, 86),))
    shifted = Shifted(BORN, Duration(1, Unit.MONTH), 1, Kind.DATE)
    assert in_ranges(shifted, (Range(100, 100),)) == InRanges(shifted, (Range(100, 100),))
    shifted = Shifted(SEEN, Duration(1, Unit.HOUR), -1, Kind.INSTANT)
    assert in_ranges(shifted, (Range(5),)) == InRanges(SEEN, (Range(3_600_000_005),))


def test_coalesce_is_asked_operand_by_operand() -> None:
    """The second operand counts where the first is missing."""
    value = Choice("coalesce", (SPENT, Constant(0.0, Kind.NUMBER)), Kind.NUMBER)
    below = (Range(high=10.0),)
    expected = Any((InRanges(SPENT, below), Complement(Present(SPENT))))
    assert in_ranges(value, below) == expected
    assert in_ranges(value, (Range(low=1.0),)) == InRanges(SPENT, (Range(low=1.0),))
    either = Choice("coalesce", (CITY, BORN), Kind.STRING)
    found = of_each(either, lambda one: KeyIn(one, frozenset("x")))
    assert found == Any(
        (
            KeyIn(CITY, frozenset("x")),
            All((Complement(Present(CITY)), KeyIn(BORN, frozenset("x")))),
        )
    )


def test_a_number_of_events_is_asked_of_the_index() -> None:
    """`count(open) between 2 and 4` is at least 2 and not at least 5; 0 needs no event."""
    tally = EventTally(OPEN, EVER)
    at_least = {n: EventCount(OPEN, EVER, n) for n in range(1, 6)}
    assert in_ranges(tally, (Range(2.0, 4.0),)) == All((at_least[2], Complement(at_least[5])))
    assert in_ranges(tally, (Range(0.0, 0.0),)) == Complement(at_least[1])
    assert in_ranges(tally, (Range(2.5),)) == at_least[3]
    assert in_ranges(tally, (Range(2.0, low_open=True),)) == at_least[3]
    assert in_ranges(tally, (Range(2.5, 2.5),)) == NO_ONE
    assert in_ranges(tally, (Range(high=0.0, high_open=True),)) == NO_ONE
    assert in_ranges(tally, (Range(-3.0),)) == EVERYONE


def test_the_first_and_last_time_are_asked_of_the_index() -> None:
    """The last open is in a range when one is, and none is later; the first when none is before."""
    window = Interval(0, 100)
    last, first = EventTime("last", OPEN, window), EventTime("first", OPEN, window)

    def some(low: int, high: int) -> EventCount:
        return EventCount(OPEN, Interval(low, high), 1)

    assert in_ranges(last, (Range(40),)) == some(40, 100)
    assert in_ranges(last, (Range(40, 60),)) == All((some(40, 60), Complement(some(61, 100))))
    assert in_ranges(first, (Range(40, 60),)) == All((some(40, 60), Complement(some(0, 39))))
    assert in_ranges(first, (Range(high=60),)) == some(0, 60)
    assert in_ranges(last, (Range(101),)) == NO_ONE


def test_event_counts_that_need_no_events() -> None:
    """Nothing is asked when the answer is known."""
    assert event_count(OPEN, EVER, 0, None) == EVERYONE
    assert event_count((), EVER, 1, None) == NO_ONE
    assert event_count((), EVER, 0, 3) == EVERYONE
    assert event_count(OPEN, Interval(5, 4), 1, None) == NO_ONE
    assert event_count(OPEN, EVER, 4, 3) == NO_ONE
    nothing = (Source(EventType("open"), NO_ONE),)
    assert event_count(nothing, EVER, 1, None) == NO_ONE
    anything = (Source(EventType("open"), EVERYONE),)
    assert event_count(anything, EVER, 1, None) == EventCount(OPEN, EVER, 1)


def test_one_event_of_a_group_is_one_of_any() -> None:
    """At least one of two types is a union; more of them must be counted together."""
    both = OPEN + CLICK
    ones = tuple(EventCount(sources, EVER, 1) for sources in (OPEN, CLICK))
    assert event_count(both, EVER, 1, None) == Any(ones)
    assert event_count(both, EVER, 2, None) == EventCount(both, EVER, 2)


def test_what_is_always_present() -> None:
    """Numbers of events and sums are never missing; times and averages are without events."""
    assert present(EventTally(OPEN, EVER)) == EVERYONE
    assert present(EventTime("last", OPEN, EVER)) == EventCount(OPEN, EVER, 1)
    amount = Field("amount", FieldType.NUMBER)
    having = (Source(EventType("open"), None, amount),)
    assert present(EventAggregate("sum", having, EVER, Kind.NUMBER)) == EVERYONE
    has = (Source(EventType("open"), Present(FieldValue(amount))),)
    assert present(EventAggregate("avg", having, EVER, Kind.NUMBER)) == EventCount(has, EVER, 1)
    assert present(Elapsed(BORN, SEEN)) == All((Present(BORN), Present(SEEN)))
    assert present(Missing(Kind.NUMBER)) == NO_ONE


def test_enough_of() -> None:
    """Enough of some is any, all, or a count; certain ones are counted first."""
    a, b, c = (KeyIn(CITY, frozenset(key)) for key in "abc")
    assert enough_of([a, b, c], 1) == Any((a, b, c))
    assert enough_of([a, b, c], 3) == All((a, b, c))
    assert enough_of([a, EVERYONE, c], 2) == Any((a, c))
    assert enough_of([a, NO_ONE, c], 3) == NO_ONE
    assert enough_of([a, EVERYONE, NO_ONE], 1) == EVERYONE


def test_joining_folds_constants() -> None:
    """Everyone and no one decide or disappear; nested joins of one kind are one."""
    a, b, c = (KeyIn(CITY, frozenset(key)) for key in "abc")
    assert conditions.all_of([a, EVERYONE]) == a
    assert conditions.all_of([a, NO_ONE]) == NO_ONE
    assert conditions.any_of([a, EVERYONE]) == EVERYONE
    assert conditions.any_of([]) == NO_ONE
    assert conditions.all_of([All((a, b)), c]) == All((a, b, c))
    assert conditions.complement(Complement(a)) == a
