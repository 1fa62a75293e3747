"""
Contacts behind rows: ids and chosen fields, as Arrow columns and as plain values.

What a query finds is rows in blocks; what a person wants is ids and values. Columns are gathered a
piece of a block at a time (16 Ki rows at most), so that a segment of millions is never held as a
whole. Both the server and the embedded API read members through here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.answers import Contact
from headcount.index import bitmaps
from headcount.index.arrow import ARROW_TYPES
from headcount.index.block import Block
from headcount.model.schema import Field, FieldType

PIECE_ROWS = 1 << 14

Rows = npt.NDArray[np.uint32]


class Worked(Protocol):
    """A column that is worked out from others, as `query.chosen` does."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    @property
    def type(self) -> FieldType:
        """Return the type of its values."""

    def to_arrow(self, block: Block, rows: Rows) -> pa.Array:
        """Return the value of each of *rows* (uint32[n], any order), null for none."""


Column = Field | Worked


def arrow_schema(fields: Iterable[Column]) -> pa.Schema:
    """Return the Arrow schema of `columns`: `id`, then each field by declared name."""
    typed = [pa.field(field.name, ARROW_TYPES[field.type]) for field in fields]
    return pa.schema([pa.field("id", pa.string(), nullable=False), *typed])


def columns(block: Block, rows: Rows, fields: Sequence[Column]) -> pa.RecordBatch:
    """Return ids and fields of *rows* (uint32[n], any order), in that order."""
    arrays = [block.ids.take(rows)]
    arrays += [_column(block, rows, field) for field in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(fields))


def _column(block: Block, rows: Rows, field: Column) -> pa.Array:
    if isinstance(field, Field):
        return block.fields[field.name].to_arrow(rows)
    return field.to_arrow(block, rows)


def contacts(batch: pa.RecordBatch) -> list[Contact]:
    """Return the rows of `columns` as plain values; a missing value is left out."""
    names = batch.schema.names[1:]
    values = [column.to_pylist() for column in batch.columns]
    return [
        Contact(row[0], {n: v for n, v in zip(names, row[1:], strict=True) if v is not None})
        for row in zip(*values, strict=True)
    ]


def pieces(found: Iterable[tuple[Block, BitMap]], limit: int = 0) -> Iterator[tuple[Block, Rows]]:
    """Yield the first *limit* rows that were found (all if 0), 16 Ki at a time, in order."""
    left = limit or None
    for block, bitmap in found:
        rows = bitmaps.to_rows(bitmap)
        if left is not None:
            rows = rows[:left]
            left -= len(rows)
        for start in range(0, len(rows), PIECE_ROWS):
            yield block, rows[start : start + PIECE_ROWS]
        if left == 0:
            return
