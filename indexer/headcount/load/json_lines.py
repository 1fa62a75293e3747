"""
NDJSON: one JSON object a line, and JSON objects in a column.

Lines are read with the standard library's `json`: an event of six keys takes 4 µs, a contact of
fifteen about 20 µs. It keeps what must not be lost: the digits of long numbers (as `Decimal`), the
difference between a key that is null and one that is not there, two values for one key (refused).
A column whose values have one type becomes an Arrow array at once, so that it is checked a column
at a time; one of mixed types stays a list of Python values.

Rejected: `pyarrow.json`, several times faster, which ends the process on a line `null` (26.0.1),
turns text that looks like a time into one, and cannot tell null from absent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa

from headcount.load.batch import Batch, Broken, Columns, Mask
from headcount.load.cells import MAX_EXACT, shown
from headcount.load.coerce import Column
from headcount.load.text_file import BLOCK_BYTES, TextFile
from headcount.model.errors import Reason, UserError

_PLAIN_DIGITS = 16  # a decimal number this short has at most 15 digits, and is exact as a double

_TYPES: Mapping[type, pa.DataType] = {
    str: pa.string(),
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
}


class JsonLines:
    """An NDJSON file, opened."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = columns
        self._names: dict[str, str] = {}  # key → name here
        self._shapes: set[tuple[str, ...]] = set()  # the keys of rows, once they are checked
        self._text = TextFile(path)

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._text.position

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def batches(self) -> Iterator[Batch]:
        """Yield the rows, each batch the lines that end in one block of the file."""
        line, any_row, rest = 1, False, b""
        while data := self._text.read():
            whole, newline, rest = (rest + data).rpartition(b"\n")
            if newline:
                batch, lines = self._batch(whole, line)
                any_row = any_row or batch.rows > 0 or len(batch.broken) > 0
                line += lines
                if batch.rows or batch.broken:
                    yield batch
            elif len(rest) > BLOCK_BYTES:
                raise UserError(
                    Reason.INVALID_FILE,
                    f"{self._path.name}: line {line:,} is longer than {BLOCK_BYTES >> 20} MiB;"
                    " write one object a line",
                )
        batch, _ = self._batch(rest, line)
        if batch.rows or batch.broken:
            yield batch
        elif not any_row:
            raise UserError(Reason.INVALID_FILE, f"{self._path.name} holds no rows")

    def _batch(self, data: bytes, first_line: int) -> tuple[Batch, int]:
        """Return the rows in *data*, which is whole lines, and how many lines it is."""
        lines = data.decode().split("\n")
        if first_line == 1 and lines[0].lstrip()[:1] == "[":
            raise UserError(
                Reason.INVALID_FILE,
                f"{self._path.name} is a JSON array; write one object a line, without the brackets",
            )
        rows: list[dict[str, object]] = []
        places, broken = [], []
        for at, line in enumerate(lines, first_line):
            if not line or line.isspace():
                continue
            try:
                rows.append(parse_object(line))
                places.append(at)
            except NotAnObject as reason:
                broken.append(Broken(at, shown(line), str(reason)))
        shapes = dict(zip(map(tuple, rows), places, strict=True))
        for shape, place in shapes.items():
            if shape not in self._shapes:
                self._learn(shape, place)
        keys = dict.fromkeys(key for shape in shapes for key in shape)
        columns, absent = by_key(rows, {key: self._names[key] for key in keys})
        batch = Batch(columns, np.array(places, dtype=np.int64), broken, absent, typed=False)
        return batch, len(lines)

    def _learn(self, shape: tuple[str, ...], line: int) -> None:
        """Find the columns that the keys of a row name; an unknown one is an error."""
        names = {key: self._columns.name(key) for key in shape}
        unknown = [key for key, name in names.items() if name is None]
        if unknown:
            raise self._columns.unknown(unknown, f"{self._path.name}:{line}")
        if len(set(names.values())) < len(names):
            raise UserError(
                Reason.INVALID_FILE,
                f"{self._path.name}: line {line:,} gives one column in two spellings",
                field=f"{self._path.name}:{line}",
            )
        self._names.update((key, name) for key, name in names.items() if name is not None)
        self._shapes.add(shape)


class NotAnObject(ValueError):  # noqa: N818 - an answer about a line, not a fault
    """Why a text is not one JSON object."""


def parse_object(text: str) -> dict[str, object]:
    """
    Return the JSON object that *text* is, with long decimal numbers as `Decimal`.

    Raises:
        NotAnObject: *text* is not JSON, not an object, or gives a key twice.
    """
    text = text.strip(_SPACE)
    try:
        found, end = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise NotAnObject(f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise NotAnObject("nested too deeply") from error
    except ValueError as error:  # a number of over 4,300 digits, or a key that is there twice
        raise NotAnObject(str(error)) from error
    if end < len(text):
        raise NotAnObject(f"not JSON: more than one value, the second at character {end + 1}")
    if not isinstance(found, dict):
        raise NotAnObject("expected one JSON object a line")
    return found


def by_key(
    rows: Sequence[Mapping[str, object]], names: Mapping[str, str]
) -> tuple[dict[str, Column], dict[str, Mask]]:
    """
    Return the values of *rows* by column, and which rows lack a column that others have.

    *names* maps the keys of the rows to names of columns; keys of one column are never in one row.
    """
    columns: dict[str, Column] = {}
    absent: dict[str, Mask] = {}
    for name in dict.fromkeys(names.values()):
        keys = [key for key, here in names.items() if here == name]
        values = [row.get(keys[0], _ABSENT) for row in rows]
        for key in keys[1:]:
            values = [row.get(key, v) for row, v in zip(rows, values, strict=True)]
        if _ABSENT in values:
            absent[name] = np.fromiter((v is _ABSENT for v in values), np.bool_, len(values))
            values = [None if v is _ABSENT else v for v in values]
        columns[name] = column(values)
    return columns, absent


def column(values: list[object]) -> Column:
    """Return JSON *values* as an Arrow array where they are all of one type, else as they are."""
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return pa.nulls(len(values))
    if kinds == {int, float} and not any(isinstance(v, int) and abs(v) > MAX_EXACT for v in values):
        kinds = {float}
    lists = [value for value in values if isinstance(value, list)] if kinds == {list} else []
    if lists and set(map(type, chain.from_iterable(lists))) <= {str}:
        kind = pa.list_(pa.string())
    else:
        kind = _TYPES.get(kinds.pop()) if len(kinds) == 1 else None
    if kind is None:
        return values
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, OverflowError, UnicodeEncodeError):
        return values  # over 64 bits, or half a surrogate: refused one by one


def _decimal(text: str) -> float | Decimal:
    """Return a decimal number as a double where that is exact, else with all its digits."""
    if len(text) <= _PLAIN_DIGITS and "e" not in text and "E" not in text:
        return float(text)
    return Decimal(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(k == key for k, _ in pairs) > 1)
        raise NotAnObject(f"two values for the key `{shown(twice, 40)}`")
    return found


_ABSENT = object()
_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder(parse_float=_decimal, object_pairs_hook=_object)
