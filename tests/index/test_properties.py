"""Properties of events: every type comes back as it was given, for any stretch of the log."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.index import properties
from headcount.index.parts import Parts
from headcount.index.properties import (
    ARROW_TYPES,
    EventProperty,
    FlagProperty,
    NumberProperty,
    StringProperty,
)
from headcount.model.schema import PROPERTY_TYPES, Field, FieldType

VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    FieldType.KEYWORD: st.sampled_from(["Pro", "pro", "free", "ä", "x" * 50]),
    FieldType.TEXT: st.text(st.characters(codec="utf-8"), min_size=1, max_size=5),
    FieldType.NUMBER: st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 300),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: st.dates(),
    FieldType.DATETIME: st.datetimes(timezones=st.just(dt.UTC)),
}


def build(kind: FieldType, values: list[Any], order: np.ndarray) -> EventProperty:
    """Return the property after a trip through its parts."""
    field = Field("p", kind)
    given_values = pa.chunked_array([pa.array(values, ARROW_TYPES[kind])])
    found = properties.build(given_values, field, order)
    return properties.load(Parts(found.parts("event/e/property/p/")), "event/e/property/p/", field)


def listed(column: EventProperty, start: int, stop: int | None) -> list[Any]:
    """Return the values of a stretch as the evaluator would read them, None where missing."""
    if isinstance(column, StringProperty):
        texts = [*column.dictionary.values.to_pylist(), None]
        return [texts[code] for code in column.codes(start, stop).tolist()]
    vector = column.vector(start, stop)
    pairs = zip(vector.values.tolist(), vector.present.tolist(), strict=True)
    return [value if present else None for value, present in pairs]


def domain(value: Any) -> Any:
    """Return the number that stands for a day or an instant."""
    if isinstance(value, dt.datetime):
        return (value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    return (value - dt.date(1970, 1, 1)).days if isinstance(value, dt.date) else value


@pytest.mark.parametrize("kind", sorted(PROPERTY_TYPES))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_values_come_back_from_any_stretch(kind: FieldType, data: st.DataObject) -> None:
    """Each value is that of its event in the log's order; a missing one is missing."""
    values = data.draw(st.lists(st.none() | VALUES[kind], max_size=20))
    order = np.array(data.draw(st.permutations(range(len(values)))), dtype=np.int64)
    column = build(kind, values, order)
    expected = [domain(values[i]) for i in order]
    assert len(column) == len(values)
    for start in (0, 1, 7, 8, 9, len(values)):
        for stop in (start, start + 3, None):
            assert listed(column, start, stop) == expected[start:stop]
            if isinstance(column, NumberProperty) and stop is not None:
                stop = min(stop, len(values))
                for bound in {v for v in expected if v is not None}:
                    found = column.within(min(start, stop), stop, bound, bound)
                    assert found.tolist() == [v == bound for v in expected[start:stop]]
    arrow = column.to_arrow()
    assert arrow.type == ARROW_TYPES[kind]
    assert arrow.to_pylist() == [values[i] for i in order]
    assert list(column.check()) == []
    assert column.memory() >= len(values)


@pytest.mark.parametrize("kind", sorted(PROPERTY_TYPES))
def test_a_property_that_nothing_has(kind: FieldType) -> None:
    """It is missing from every event."""
    column = properties.missing(Field("p", kind), 5)
    assert listed(column, 0, None) == [None] * 5
    assert column.to_arrow().null_count == 5
    assert list(column.check()) == []


def test_codes_are_looked_up_for_a_stretch() -> None:
    """`among` finds the events with one of some codes, several, or none; never the missing."""
    column = build(FieldType.KEYWORD, ["b", None, "a", "c", "b"], np.arange(5))
    assert isinstance(column, StringProperty)
    codes = {text: column.dictionary.lookup(text)[0] for text in "abc"}
    assert column.stored.dtype == np.uint8
    for wanted in ("", "a", "b", "ab", "abc"):
        found = column.among([codes[text] for text in wanted], 1, 5)
        assert found.tolist() == [text is not None and text in wanted for text in
                                  (None, "a", "c", "b")]  # fmt: skip


def test_check_names_impossible_values() -> None:
    """A code without a string, a flag that is none, and too few bits are found."""
    text = build(FieldType.KEYWORD, ["a", "b"], np.arange(2))
    flag = build(FieldType.BOOLEAN, [True, None], np.arange(2))
    number = build(FieldType.NUMBER, [1.0, None], np.arange(2))
    assert isinstance(text, StringProperty)
    assert isinstance(flag, FlagProperty)
    assert isinstance(number, NumberProperty)
    bad = np.array([0, 9], dtype=np.uint8)
    assert list(dataclasses.replace(text, stored=bad).check()) == [
        "code 9 stands for none of the 2 strings"
    ]
    assert list(dataclasses.replace(flag, flags=bad).check()) == [
        "holds 9, which is neither true, false nor missing"
    ]
    assert list(dataclasses.replace(number, absent=bad).check()) == [
        "2 bytes say what is missing among 2 values"
    ]
