"""Every type of field: the index it gets, what comes back from it, and from its parts."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest

from headcount.index import fields
from headcount.index.block import ARROW_TYPES
from headcount.index.parts import Part, Parts
from headcount.index.ranges import RangeIndex
from headcount.model.schema import Field, FieldType

NOON = dt.datetime(2024, 2, 29, 12, 0, 0, 1, tzinfo=dt.UTC)
VALUES = {
    FieldType.KEYWORD: ["Pro", "Free", None, "pro"],
    FieldType.STAGE: ["Lead", None, "Customer", "Lead"],
    FieldType.TEXT: ["ann@example.com", None, "bob@example.com", "é\0ß"],
    FieldType.KEYWORDS: [["a", "b"], None, ["b"], ["c"]],
    FieldType.NUMBER: [1.5, None, -3.0, 1e300],
    FieldType.BOOLEAN: [True, None, False, True],
    FieldType.DATE: [dt.date(1, 1, 1), None, dt.date(9999, 12, 31), dt.date(1970, 1, 1)],
    FieldType.DATETIME: [NOON, None, dt.datetime(1, 1, 1, tzinfo=dt.UTC), NOON],
}
KINDS = {
    FieldType.KEYWORD: "keyword",
    FieldType.STAGE: "keyword",
    FieldType.TEXT: "text",
    FieldType.KEYWORDS: "keywords",
    FieldType.NUMBER: "range",
    FieldType.BOOLEAN: "flag",
    FieldType.DATE: "range",
    FieldType.DATETIME: "range",
}


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("rows", [4, 1, 0])
def test_values_come_back(kind: FieldType, rows: int) -> None:
    """Build, write, read: the same values in the same Arrow type, and nothing disagrees."""
    field = Field("f", kind)
    values = pa.array(VALUES[kind][:rows], ARROW_TYPES[kind])
    built = fields.build(values, field)
    again = fields.load(Parts(list(built.parts("field/f"))), "field/f", field)
    for index in (built, again):
        assert index.kind == KINDS[kind] or rows == 0
        assert index.rows == rows
        assert index.to_arrow().equals(values)
        assert len(index.present) == rows - values.null_count
        assert sum(index.memory().values()) > 0
        assert list(index.check()) == []


@pytest.mark.parametrize("kind", list(FieldType))
def test_all_missing(kind: FieldType) -> None:
    """A field that no contact has."""
    index = fields.build(pa.nulls(70, ARROW_TYPES[kind]), Field("f", kind))
    assert len(index.present) == 0
    assert index.to_arrow().null_count == 70
    assert list(index.check()) == []


def test_text_of_few_values_gets_a_dictionary() -> None:
    """Cities in 1,000 rows are a dictionary, addresses are trigrams; both survive being read."""
    field = Field("f", FieldType.TEXT)
    few = fields.build(pa.array(["Oslo", "Rome", None, "Oslo"] * 250), field)
    many = fields.build(pa.array([f"street {i}" for i in range(1000)]), field)
    assert (few.kind, many.kind) == ("keyword", "text")
    for index in (few, many):
        assert fields.load(Parts(list(index.parts("f"))), "f", field).kind == index.kind


@pytest.mark.parametrize("kind", list(FieldType))
def test_parts_may_lie_at_any_address(kind: FieldType) -> None:
    """Bytes read from a file at an odd address give the same answers."""
    field = Field("f", kind)
    values = pa.array(VALUES[kind] * 50, ARROW_TYPES[kind])
    built = fields.build(values, field)
    moved = [
        Part(part.name, part.encoding, memoryview(b"." + bytes(part.data))[1:])
        for part in built.parts("f")
    ]
    again = fields.load(Parts(moved), "f", field)
    assert again.to_arrow().equals(values)
    assert list(again.check()) == []
    if isinstance(again, RangeIndex):
        assert again.between(again.min, again.max, low_open=True) == built.between(
            again.min, again.max, low_open=True
        )
