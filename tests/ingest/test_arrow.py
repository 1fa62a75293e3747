"""Arrow record batches: the same changes as lines, and nothing that bytes from outside break."""

from __future__ import annotations

import contextlib
import json
import random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.ingest.arrow import ArrowReader
from headcount.ingest.arrow_stream import read_stream
from headcount.ingest.ndjson import record_of_line
from headcount.ingest.requests import RequestReader
from headcount.live.commit import Batch
from headcount.model.changes import ContactStep
from headcount.model.errors import Reason, UserError
from support.writing import IDS, NOW, SCHEMA, TEXTS, TYPES, plain

READER = ArrowReader(SCHEMA, NOW)
INSTANT = pa.timestamp("us", tz="UTC")


def stream(table: pa.Table, **options: Any) -> bytes:
    """Return a table as the bytes that a client sends."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=7)
    return sink.getvalue().to_pybytes()


def contacts(table: pa.Table, limit: int = 1000, *, creates: bool = True) -> Batch:
    """Return what contacts change that are sent as Arrow."""
    return READER.contacts(read_stream(stream(table), limit), creates=creates)


def events(table: pa.Table) -> Batch:
    """Return what events change that are sent as Arrow."""
    return READER.events(read_stream(stream(table), 1000), creates=False)


def from_json(mutations: list[dict[str, Any]]) -> Batch:
    """Return what the lines of a file change."""
    lines = [record_of_line(json.dumps(each)) for each in mutations]
    return RequestReader(SCHEMA).batch(lines, NOW)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**64), st.sampled_from([1, 5, 50]))
def test_contacts_as_columns(seed: int, rows: int) -> None:
    """Columns of text and lists mean what lines do, each row by itself."""
    dice = random.Random(seed)
    columns: dict[str, list[Any]] = {
        name: [dice.choice((None, *TEXTS)) for _ in range(rows)]
        for name in ("country", "email", "spent", "VIP", "birthday", "seen_at", "stage", "label")
    }
    columns["interests"] = [
        dice.choice((None, [], ["a", " a", "b"], ["x" * 70_000])) for _ in range(rows)
    ]
    ids = [dice.choice(IDS) for _ in range(rows)]
    found = contacts(pa.table({"contact_id": pa.array(ids, pa.string()), **{
        n: pa.array(v, pa.list_(pa.string()) if n == "interests" else pa.string())
        for n, v in columns.items()
    }}))  # fmt: skip
    lines = from_json(
        [
            {"op": "upsert", "id": contact, "fields": {n: v[row] for n, v in columns.items()}}
            for row, contact in enumerate(ids)
        ]
    )
    assert plain(found.changes) == plain(lines.changes)
    assert found.refused == lines.refused


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**64), st.sampled_from([1, 5, 50]), st.booleans())
def test_events_as_columns(seed: int, rows: int, as_json: bool) -> None:
    """Events as columns, properties as columns or as JSON, mean what lines do."""
    dice = random.Random(seed)
    times = [dice.choice((None, NOW, NOW - 1)) for _ in range(rows)]
    columns = {
        "contact": pa.array([dice.choice((None, *IDS)) for _ in range(rows)], pa.string()),
        "type": pa.array([dice.choice((None, *TYPES)) for _ in range(rows)], pa.string()),
        "time": pa.array(times, INSTANT),
        "id": pa.array([dice.choice((None, "e1", "", "e" * 300)) for _ in range(rows)]),
    }
    properties = [
        {n: dice.choice(TEXTS) for n in dice.sample(("amount", "campaign", "gift"), 2)}
        for _ in range(rows)
    ]
    if as_json:
        columns["properties"] = pa.array([json.dumps(each) for each in properties])
    else:
        for name in ("amount", "campaign", "gift"):
            columns[name] = pa.array([each.get(name) for each in properties], pa.string())
    found = events(pa.table(columns))
    plain_columns = {name: column.to_pylist() for name, column in columns.items()}
    lines = from_json([
        {
            "op": "record",
            **{n: plain_columns[n][row] for n in ("contact", "type", "id")},
            "time": None if times[row] is None else plain_columns["time"][row].isoformat(),
            "properties": properties[row],
        }
        for row in range(rows)
    ])  # fmt: skip
    assert by_event(found) == by_event(lines)
    assert found.refused == lines.refused


def by_event(batch: Batch) -> dict[str, Any]:
    """Return the steps by event type, without columns that are all null."""
    steps = {step["event"]: step for _, step in plain(batch.changes)}
    for step in steps.values():
        step["table"] = {n: v for n, v in step["table"].items() if set(v[1]) != {None}}
    return steps


def test_labels_and_lists_as_columns() -> None:
    """Columns of lists put labels on and off, and join and leave lists at the request's time."""
    found = contacts(
        pa.table(
            {
                "id": ["a", "b", "c"],
                "add_labels": [["x", " y "], None, [""]],
                "remove_labels": [["z"], ["x"], None],
                "join": [["news"], [], None],
                "opt_out": [["offers"], ["news"], None],
            }
        ),
        creates=False,
    )
    (step,) = found.changes.steps
    assert isinstance(step, ContactStep)
    assert not step.creates
    labels = zip(step.labels.at, step.labels.names.to_pylist(), step.labels.add, strict=True)
    assert list(labels) == [(0, "z", False), (0, "x", True), (0, "y", True), (1, "x", False)]
    assert step.lists.at.tolist() == [0, 0, 1]
    assert step.lists.names.to_pylist() == ["news", "offers", "news"]
    assert step.lists.actions.tolist() == [0, 2, 2]
    assert set(step.lists.times.tolist()) == {NOW}
    assert [(r.index, r.field) for r in found.refused] == [(2, "add_labels")]


REFUSED = {
    "an unknown column": ({"id": ["a"], "contry": ["DE"]}, Reason.UNKNOWN_NAME),
    "no id": ({"country": ["DE"]}, Reason.INVALID_VALUE),
    "one column twice": ({"id": ["a"], "contact_id": ["a"]}, Reason.INVALID_VALUE),
    "two ways to label": ({"id": ["a"], "label": ["x"], "add_labels": [["y"]]},
                          Reason.INVALID_VALUE),
    "labels that are no lists": ({"id": ["a"], "add_labels": ["y"]}, Reason.TYPE_MISMATCH),
    "a type that never fits": ({"id": ["a"], "spent": [True]}, Reason.TYPE_MISMATCH),
    "a struct": ({"id": ["a"], "spent": [{"a": 1}]}, Reason.TYPE_MISMATCH),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_columns_that_fail_the_call(case: str) -> None:
    """What is wrong with a column as such fails the request, not a million rows."""
    columns, reason = REFUSED[case]
    with pytest.raises(UserError) as failed:
        contacts(pa.table(columns))
    assert failed.value.reason is reason


def test_views_are_refused() -> None:
    """Views may all look at one long text, so that their size is not in their bytes."""
    with pytest.raises(UserError, match="convert it"):
        contacts(pa.table({"id": pa.array(["a"], pa.string_view())}))


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_compression_is_refused(compression: str, *, dictionary: bool) -> None:
    """A compressed stream is refused before anything is unpacked."""
    ids = pa.array(["a"] * 1000)
    table = pa.table({"id": ids.dictionary_encode() if dictionary else ids})
    with pytest.raises(UserError, match="compressed"):
        read_stream(stream(table, compression=compression), 1000)
    assert read_stream(stream(table), 1000).num_rows == 1000


@pytest.mark.parametrize("behind", [b"\0", stream(pa.table({"contact_id": ["b"]}))])
def test_what_is_behind_the_end_is_not_passed_over(behind: bytes) -> None:
    """Two streams in one request: the second would be lost without a word."""
    whole = stream(pa.table({"contact_id": ["a"]}))
    assert read_stream(whole, 10).num_rows == 1
    with pytest.raises(UserError, match=f"{len(behind):,} bytes behind its end"):
        read_stream(whole + behind, 10)


def test_a_dictionary_that_stands_for_gigabytes_is_refused() -> None:
    """Rows that all refer to one long value are measured before they are written out."""
    big = pa.DictionaryArray.from_arrays(np.zeros(200_000, np.int8), ["x" * 60_000])
    data = stream(pa.table({"id": big}))
    assert len(data) < 20_000_000
    with pytest.raises(UserError, match="far more than was sent"):
        read_stream(data, 1 << 20)


def test_rows_at_the_limit_and_past_it() -> None:
    """The limit of rows is of the whole request."""
    assert contacts(pa.table({"id": [f"c{n}" for n in range(20)]}), limit=20).changes.steps
    with pytest.raises(UserError, match="at most 20 rows") as failed:
        contacts(pa.table({"id": [f"c{n}" for n in range(21)]}), limit=20)
    assert failed.value.reason is Reason.LIMIT_EXCEEDED


def test_no_rows() -> None:
    """No rows change nothing."""
    empty = pa.table({"id": pa.array([], pa.string())})
    assert not contacts(empty).changes.steps


GOOD = stream(
    pa.table(
        {
            "contact_id": ["a", "b"] * 20,
            "country": pa.array(["DE", "US"] * 20).dictionary_encode(),
            "spent": [1.5, None] * 20,
            "interests": [["x"], None] * 20,
            "seen_at": pa.array([NOW, None] * 20, INSTANT),
        }
    )
)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**64))
@example(3524)  # a time in no year that Python knows
@example(7_078_774_232_714_672_128)  # a time zone that is no text
def test_damaged_streams(seed: int) -> None:
    """Damaged bytes are rows or a user's error; never anything else."""
    dice = random.Random(seed)
    data = bytearray(GOOD)
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(data))
        data[place] = dice.choice((0, 1, 255, dice.randrange(256)))
    if dice.random() < 0.3:
        del data[dice.randrange(len(data)) :]
    with contextlib.suppress(UserError):
        READER.contacts(read_stream(bytes(data), 1000), creates=True)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    """Bytes that are no stream are a user's error."""
    with contextlib.suppress(UserError):
        READER.contacts(read_stream(data, 1000), creates=True)
