"""NDJSON: values, lines, absent keys, and every line that is not one object."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount.load import json_lines, text_file
from headcount.load.batch import Columns
from headcount.load.json_lines import JsonLines, NotAnObject, parse_object
from headcount.model.errors import Reason, UserError

ANY = Columns("contacts", {}, (), (), open_ended=True)


def read(path: Path, columns: Columns = ANY) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Return each row with its line under "", keys that are absent left out, and what is broken."""
    source = JsonLines(path, columns)
    rows: list[dict[str, Any]] = []
    broken = {}
    try:
        for batch in source.batches():
            assert not batch.typed
            broken |= {b.line: b.reason for b in batch.broken}
            for at, line in enumerate(batch.lines.tolist()):
                row = {"": line}
                for name, column in batch.columns.items():
                    if name not in batch.absent or not batch.absent[name][at]:
                        value = column[at]
                        row[name] = value.as_py() if isinstance(value, pa.Scalar) else value
                rows.append(row)
    finally:
        source.close()
    return rows, broken


def write(folder: Path, data: str | bytes, name: str = "f.ndjson") -> Path:
    """Write *data* to a file and return its path."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_rows_lines_and_absent_keys(tmp_path: Path) -> None:
    """A key that is not there is told from null; blank lines count as lines."""
    text = '{"id": 1, "a": null}\n\n  {"id": "x", "b": [1, "y"]}\r\n{}\n{"a": true}'
    rows, broken = read(write(tmp_path, text))
    assert rows == [
        {"": 1, "id": 1, "a": None},
        {"": 3, "id": "x", "b": [1, "y"]},
        {"": 4},
        {"": 5, "a": True},
    ]
    assert not broken
    assert read(write(tmp_path, gzip.compress(text.encode()), "f.jsonl.gz"))[0] == rows
    assert read(write(tmp_path, text.encode("utf-16")))[0] == rows


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("null", "expected one JSON object"),
        ("[1]", "expected one JSON object"),
        ("3", "expected one JSON object"),
        ('{"a": 1} {"a": 2}', "not JSON: more than one value, the second at character 9"),
        ('{"a": 1,}', "not JSON"),
        ("{'a': 1}", "not JSON"),
        ('{"a": 1, "a": 2}', "two values for the key `a`"),
        ('{"a": ' + "1" * 5000 + "}", "limit"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_object_is_broken_alone(tmp_path: Path, line: str, reason: str) -> None:
    """The other lines are read; the reason says what was found."""
    rows, broken = read(write(tmp_path, f'{{"id": 1}}\n{line}\n{{"id": 2}}\n'))
    assert [row[""] for row in rows] == [1, 3]
    assert broken.keys() == {2}
    assert reason in broken[2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "holds no rows"),
        (b'[{"id": 1},\n{"id": 2}]', "is a JSON array"),
        ('{"id": 1}\n{"id": "é"}\n'.encode("latin-1"), "line 2 is not UTF-8 (byte 0xE9)"),
    ],
)
def test_what_is_no_ndjson(tmp_path: Path, data: bytes, message: str) -> None:
    """An error about the whole file says what to do."""
    with pytest.raises(UserError) as caught:
        read(write(tmp_path, data))
    assert caught.value.reason is Reason.INVALID_FILE
    assert message in caught.value.message


def test_unknown_keys_are_an_error_with_their_line(tmp_path: Path) -> None:
    """A key that is no column stops the load, and the nearest known one is named."""
    columns = Columns("contacts", {"id": "id", "plan": "plan"}, ("id",), ("id", "plan"))
    path = write(tmp_path, '{"ID": 1}\n{"id": 2, "Plan": "x"}\n{"id": 3, "pln": "y"}\n')
    with pytest.raises(UserError) as caught:
        read(path, columns)
    assert caught.value.reason is Reason.UNKNOWN_NAME
    assert caught.value.field == "f.ndjson:3"
    assert caught.value.suggestions == ("plan",)
    both = write(tmp_path, '{"id": 1, "ID": 2}\n')
    with pytest.raises(UserError, match="in two spellings"):
        read(both, columns)


def test_spellings_of_a_key_are_one_column(tmp_path: Path) -> None:
    """Rows that spell a column differently fill one column."""
    columns = Columns("contacts", {"id": "id", "plan": "plan"}, ("id",), ("id", "plan"))
    rows, _ = read(write(tmp_path, '{"ID": 1, "plan": "a"}\n{"id": 2, "PLAN": "b"}\n'), columns)
    assert rows == [{"": 1, "id": 1, "plan": "a"}, {"": 2, "id": 2, "plan": "b"}]


def test_digits_are_not_lost() -> None:
    """Numbers that a double rounds, or that overflow it, keep their digits."""
    found = parse_object(
        '{"a": 0.1234567890123456789, "b": 1e400, "c": 9007199254740993, "d": 1.5}'
    )
    assert found == {
        "a": Decimal("0.1234567890123456789"),
        "b": Decimal("1e400"),
        "c": 9007199254740993,
        "d": 1.5,
    }
    assert isinstance(found["d"], float)


def test_columns_have_a_type_where_their_values_do() -> None:
    """One type gives an Arrow array; mixed types, huge numbers and half characters stay values."""
    assert json_lines.column([None, "a"]).type == pa.string()
    assert json_lines.column([True, None]).type == pa.bool_()
    assert json_lines.column([1, 2]).type == pa.int64()
    assert json_lines.column([1, 2.5]).type == pa.float64()
    assert json_lines.column([None]).type == pa.null()
    assert json_lines.column([["a"], None, []]).type == pa.list_(pa.string())
    for values in (
        [1, True],
        [1, "a"],
        [2**53 + 1, 0.5],
        [2**70],
        ["\ud800"],
        [["a", 1]],
        [["a"], "b"],
        [{}],
    ):
        assert json_lines.column(values) is values


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=5),
    st.floats(allow_nan=False, allow_infinity=False), st.lists(st.text(max_size=3), max_size=3),
)  # fmt: skip
objects = st.dictionaries(st.sampled_from("abcd"), scalars, max_size=4)


@settings(deadline=None)
@given(st.lists(objects, min_size=1, max_size=10), st.integers(40, 200))
def test_any_objects_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], block: int
) -> None:
    """What `json` wrote is read back, whatever the lines' lengths beside the block's."""
    lines = [json.dumps(row) for row in rows]
    path = write(tmp_path_factory.getbasetemp(), "\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "BLOCK_BYTES", block)
        found, broken = read(path)
    assert not broken
    for line, (row, expected) in enumerate(zip(found, rows, strict=True), 1):
        assert row.pop("") == line
        assert {k: float(v) if isinstance(v, Decimal) else v for k, v in row.items()} == expected


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_line_is_an_object_or_not(text: str) -> None:
    """No text makes the reader fail in another way."""
    try:
        assert isinstance(parse_object(text), dict)
    except NotAnObject:
        assert text.strip()[:1] != "{" or text
