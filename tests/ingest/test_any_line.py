"""Whatever a line holds, it is a record or a refusal; and what is refused can be said."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from google.protobuf.message import DecodeError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.ingest.ndjson import record_of_line
from headcount.ingest.requests import RequestReader
from headcount.model.changes import Changes
from headcount.rpc import convert_writes
from headcount.v1 import common_pb2
from support.writing import FIELDS, NOW, PROPERTIES, SCHEMA, TYPES

odd = st.text(max_size=5) | st.sampled_from(["\ud800", "a\ud800", "\x00", "\u2028", "x" * 70_000])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | odd
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3)
)
KEYS = st.sampled_from((
    "id", "fields", "add_labels", "remove_labels", "lists", "contact", "type", "time",
    "properties", "create_contact", "erase", "source", "target", "fieldz",
))  # fmt: skip
OPS = st.sampled_from(
    ("upsert", "patch", "record", "delete", "merge", "suppress", "unsuppress", "explode", 5)
)
named = st.dictionaries(st.sampled_from((*FIELDS, *PROPERTIES)) | odd, anything, max_size=4)
list_changes = st.lists(
    st.fixed_dictionaries(
        {"list": anything, "action": st.sampled_from(("join", "leave", "opt_out", "opt_in", 3))},
        optional={"time": anything},
    ),
    max_size=3,
)
shaped = st.fixed_dictionaries(
    {"op": OPS},
    optional={
        "id": anything,
        "contact": anything,
        "type": st.sampled_from(TYPES) | anything,
        "time": anything,
        "fields": named,
        "properties": named,
        "lists": list_changes,
        "add_labels": st.lists(anything, max_size=3),
        "source": anything,
        "target": anything,
    },
)
wild = st.dictionaries(KEYS | odd, anything, max_size=6).map(lambda made: {"op": "upsert", **made})


def take(lines: list[str]) -> None:
    """Read lines, and say what became of them in every form that is sent or kept."""
    records = [record_of_line(line) for line in lines]
    batch = RequestReader(SCHEMA).batch(records, NOW)
    assert Changes.decode(batch.changes.encode()).records == batch.changes.records
    assert all(0 <= refusal.index < len(lines) for refusal in batch.refused)
    for refusal in batch.refused:
        convert_writes.to_refused(refusal).SerializeToString()
        json.dumps(refusal.message)


@settings(max_examples=200, deadline=None)
@given(st.lists(shaped | wild, min_size=1, max_size=4))
@example([{"op": "upsert", "id": "a", "fields": {"email": "\ud800"}}])
@example([{"op": "record", "contact": "a", "type": ["open"], "time": 1}])
def test_any_object(objects: list[dict[str, Any]]) -> None:
    """JSON objects of any shape, one and many times, are taken or refused."""
    lines = [json.dumps(each) for each in objects]
    take(lines)
    take(lines * 30)  # so many that they are read as columns


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text(lines: list[str]) -> None:
    """Text of any kind is a refusal, or by chance a record."""
    take(lines)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_value(data: bytes) -> None:
    """Values from any bytes are what a record may hold."""
    message = common_pb2.FieldValue()
    with contextlib.suppress(DecodeError):
        message.ParseFromString(data)
        convert_writes.values({"x": message})
