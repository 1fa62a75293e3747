"""
Hypothesis strategies for every tree there can be, with no schema in mind.

What they give is all that the parser and the protobuf reader could: names that are keywords, names
in other scripts, `not` of `not`, dates in the year 1. Whether a segment makes sense is not asked.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from hypothesis import strategies as st

from headcount.query import tree
from headcount.query.lexicon import RESERVED, UNITS, is_bare_word
from headcount.query.limits import DEFAULT, excess
from headcount.query.parse import grammar
from headcount.query.rules import (
    AGE_OPS,
    MAX_COUNT,
    duration_fault,
    is_age,
    name_fault,
    periods_fault,
)
from headcount.query.tree import TimesOp, Unit

T = TypeVar("T")


def _named(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Return *strategy* with a short repr: Hypothesis warns of one that grows with every layer."""

    @st.composite
    def drawn(draw: st.DrawFn) -> T:
        return draw(strategy)

    return drawn()


PLAIN = ["plan", "country", "opened", "total_spent", "x", "Größe", "имя", "名前", "हिन्दी", "_1"]
KEYWORDS = sorted({*grammar().keywords, *UNITS, *tree.FUNCTIONS})
ODD = ["first name", "a`b", "``", "2nd", "a-b", "1", " ", '"', "--", "a.b", "é", "(", "x\u00a0y"]

names = st.one_of(
    st.sampled_from(PLAIN),
    st.sampled_from(KEYWORDS),
    st.sampled_from(ODD),
    st.text(min_size=1, max_size=6).filter(lambda name: name_fault(name) is None),
)
bare_names = st.one_of(
    st.sampled_from(PLAIN),
    st.sampled_from([word for word in KEYWORDS if word not in RESERVED]),
    names.filter(is_bare_word),
)
strings = st.one_of(
    st.sampled_from(
        ["", "Pro", "Hard Bounce", '"', "\\", "\\d+", "a\nb\t", "100\\%", "\u2028", "😀"]
    ),
    st.text(max_size=8),
)

durations = st.builds(
    tree.Duration,
    st.integers(0, 3) | st.integers(0, 400) | st.sampled_from([525_960_000, 1_000]),
    st.sampled_from(Unit),
).filter(lambda duration: duration_fault(duration) is None)
times_of_day = st.one_of(st.just(dt.time()), st.times())
zones = st.none() | st.builds(
    dt.timezone, st.builds(lambda minutes: dt.timedelta(minutes=minutes), st.integers(-1439, 1439))
)
datetimes = st.builds(dt.datetime.combine, st.dates(), times_of_day, zones)

numbers = st.builds(
    tree.Number,
    st.one_of(
        st.integers(-3, 40).map(float),
        st.integers(-(2**60), 2**60).map(float),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
)
times = st.one_of(
    st.builds(tree.Date, st.dates()),
    st.builds(tree.DateTime, datetimes),
    st.builds(tree.TimeWord, st.sampled_from(tree.Moment)),
    st.builds(tree.Ago, durations),
)
stepped_times = st.one_of(
    times,
    st.builds(
        tree.Arithmetic,
        st.sampled_from([tree.ArithmeticOp.ADD, tree.ArithmeticOp.SUBTRACT]),
        times,
        st.builds(tree.DurationValue, durations),
    ),
)
windows = st.one_of(
    st.builds(tree.LastWindow, durations),
    st.builds(tree.BetweenWindow, stepped_times, stepped_times),
    st.builds(tree.EdgeWindow, st.sampled_from(tree.Edge), stepped_times),
    st.builds(tree.CalendarWindow, st.sampled_from(tree.Period)),
    st.just(tree.Ever()),
)

# --- values -----------------------------------------------------------------------------------

leaf_values = _named(
    st.one_of(
        numbers,
        st.builds(tree.String, strings),
        st.builds(tree.Boolean, st.booleans()),
        times,
        st.builds(tree.DurationValue, durations),
        st.builds(tree.Name, bare_names),
        st.builds(tree.Name, names, quoted=st.just(True)),
    )
)


def _compound(values: st.SearchStrategy[tree.Value]) -> st.SearchStrategy[tree.Value]:
    return st.one_of(
        st.builds(tree.Arithmetic, st.sampled_from(tree.ArithmeticOp), values, values),
        st.builds(tree.Negative, values.filter(lambda v: not isinstance(v, tree.Number))),
        st.builds(
            tree.Call, st.sampled_from(tree.FUNCTIONS), st.lists(values, max_size=3).map(tuple)
        ),
    )


property_values = _named(st.recursive(leaf_values, _compound, max_leaves=5))


# --- conditions -------------------------------------------------------------------------------

signs = st.booleans()
string_lists = st.lists(strings, min_size=1, max_size=3).map(tuple)


def _comparisons(values: st.SearchStrategy[tree.Value]) -> st.SearchStrategy[tree.Segment]:
    """Return the conditions on values alone, which may stand inside `where`."""
    return st.one_of(
        st.builds(tree.Compare, values, st.sampled_from(tree.CompareOp), values).filter(
            lambda node: not is_age(node.op, node.right)
        ),
        st.builds(tree.Between, values, values, values, signs),
        st.builds(tree.In, values, st.lists(values, min_size=1, max_size=3).map(tuple), signs),
        st.builds(tree.TextMatch, values, st.sampled_from(tree.TextOp), strings, signs),
        st.builds(tree.ContainsSet, values, st.sampled_from(tree.SetMode), string_lists, signs),
        st.builds(tree.IsEmpty, values, signs),
        st.builds(tree.Within, values, st.sampled_from(tree.Direction), durations, signs),
        st.builds(tree.Age, values, st.sampled_from(AGE_OPS), durations),
    )


def _joined(segments: st.SearchStrategy[tree.Segment]) -> st.SearchStrategy[tree.Segment]:
    several = st.lists(segments, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(tree.And, several), st.builds(tree.Or, several), st.builds(tree.Not, segments)
    )


wheres = _named(st.recursive(_comparisons(property_values), _joined, max_leaves=3))
events = st.builds(tree.EventSelector, names, st.none() | wheres)
counts = st.integers(0, 12) | st.integers(0, MAX_COUNT)
often = st.one_of(
    st.builds(
        tree.Times, st.sampled_from([op for op in TimesOp if op is not TimesOp.BETWEEN]), counts
    ),
    st.lists(counts, min_size=2, max_size=2).map(
        lambda ends: tree.Times(TimesOp.BETWEEN, min(ends), max(ends))
    ),
)
optional_windows = _named(st.none() | windows)
values = _named(
    st.recursive(
        st.one_of(
            leaf_values,
            st.builds(tree.EventValue, st.sampled_from(tree.EventPick), events, optional_windows),
            st.builds(
                tree.Aggregate, st.sampled_from(tree.AggregateOp), events, names, optional_windows
            ),
        ),
        _compound,
        max_leaves=5,
    )
)
regularities = st.builds(
    lambda event, times, ends, period: tree.Regularly(event, times, min(ends), max(ends), period),
    events,
    st.none() | often,
    st.tuples(st.integers(1, 60), st.integers(1, 1_000)),
    durations,
).filter(lambda node: periods_fault(node.at_least, node.periods, node.period) is None)
conditions = _named(
    st.one_of(
        st.just(tree.Everyone()),
        _comparisons(values),
        st.builds(tree.InList, string_lists, signs),
        st.builds(tree.OptedOut, strings, signs),
        st.builds(tree.InSegment, strings, signs),
        st.builds(tree.Sample, st.floats(0, 100), st.none() | strings),
        st.builds(tree.Did, events, st.none() | often, optional_windows, signs),
        regularities,
        st.builds(tree.Sequence, events, events, durations, signs, optional_windows),
    )
)
segments = _named(
    st.recursive(conditions, _joined, max_leaves=6).filter(
        lambda segment: excess(segment, DEFAULT) is None
    )
)
