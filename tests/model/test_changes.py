"""Changes become bytes and come back, whatever they hold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from headcount.model import changes
from headcount.model.changes import (
    Changes,
    ContactStep,
    DeleteStep,
    EventStep,
    ExpireStep,
    FieldUpdate,
    ListAction,
    ListUpdate,
    MergeStep,
    SchemaStep,
    SetUpdate,
    SuppressStep,
)

U32 = np.uint32
IDS = pa.array(["a", "b\n", "é"])
NUMBERS = np.arange(3, dtype=U32)
TIMES = pa.array([1, 2, 3], pa.timestamp("us", tz="UTC"))


def plain(value: object) -> object:
    """Return *value* without numpy and Arrow, so that two can be compared."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, pa.Array):
        return str(value.type), value.to_pylist()
    if isinstance(value, pa.Table):
        return {name: plain(value.column(name).combine_chunks()) for name in value.column_names}
    if isinstance(value, dict):
        return {key: plain(held) for key, held in value.items()}
    if hasattr(value, "__slots__"):
        return {name: plain(getattr(value, name)) for name in value.__slots__ if name != "numbers"}
    return value


STEPS = [
    ContactStep(NUMBERS, IDS, creates=True),
    ContactStep(
        NUMBERS,
        IDS,
        creates=False,
        fields={
            "plan": FieldUpdate(NUMBERS, pa.array(["Pro", None, ""])),
            "spent": FieldUpdate(np.array([1], U32), pa.array([2.5])),
            "label": FieldUpdate(np.array([2], U32), pa.array([["x", "y"]])),
        },
        labels=SetUpdate(np.array([0, 0], U32), pa.array(["vip", "x"]), np.array([True, False])),
        lists=ListUpdate(
            np.array([1], U32),
            pa.array(["news"]),
            np.array([ListAction.OPT_OUT], np.uint8),
            np.array([-5], np.int64),
        ),
    ),
    EventStep(
        NUMBERS,
        "open",
        IDS,
        pa.table({"time": TIMES, "id": ["1", None, "2"], "property.page": [None, None, "p"]}),
        creates=True,
    ),
    DeleteStep(NUMBERS, IDS, erase=True),
    MergeStep(NUMBERS, IDS, pa.array(["x", "y", "z"])),
    SuppressStep(NUMBERS, IDS, np.array([True, False, True])),
    ExpireStep("open", -(2**60)),
    SchemaStep('id = "é"', {"new": "old"}, {"e": "f"}, {("e", "p"): "q"}),
]


def test_every_step_comes_back_as_it_was() -> None:
    found = Changes.decode(Changes(tuple(STEPS)).encode())
    assert list(map(type, found.steps)) == list(map(type, STEPS))
    assert [plain(step) for step in found.steps] == [plain(step) for step in STEPS]


def test_a_batch_is_the_stream_that_arrow_writes() -> None:
    """Also an empty one, and one with what is missing."""
    for count in (0, 1, 3):
        columns = [pa.array(["a", None, "c"][:count], pa.string()), pa.array(range(count))]
        batch = pa.RecordBatch.from_arrays(columns, names=["id", "=n"])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write(batch)
        assert changes._to_stream(batch) == sink.getvalue().to_pybytes()


def test_no_step_is_no_change() -> None:
    assert Changes.decode(Changes(()).encode()).steps == ()


def test_records_are_counted() -> None:
    assert Changes(tuple(STEPS)).records == 6 * 3 + 2


@pytest.mark.parametrize("cut", [1, 3, 10, 200])
def test_bytes_that_are_cut_short_are_refused(cut: int) -> None:
    data = Changes(tuple(STEPS)).encode()
    with pytest.raises(ValueError, match=r".*"):
        Changes.decode(data[:-cut])
    with pytest.raises(ValueError, match=r".*"):
        Changes.decode(data + b"x")
