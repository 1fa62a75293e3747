"""
Values of records as typed columns: by the rules of `load.coerce`, whoever sent them.

An instant may be a `datetime` or `Micros`, which JSON has only as text.
"""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

from headcount.index.block import ARROW_TYPES
from headcount.ingest.records import Micros
from headcount.load.coerce import Column
from headcount.load.json_lines import column
from headcount.model.schema import FieldType

_INSTANT = ARROW_TYPES[FieldType.DATETIME]
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FEW = 24  # values that are read faster one by one than as a column


def _datetime(value: Micros) -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=value)


def column_of(values: list[object], kind: FieldType) -> Column:
    """Return *values* as a column that `coerce` reads as the type *kind*."""
    kinds = set(map(type, values))
    if Micros in kinds:
        if kinds <= {Micros, type(None)}:
            return pa.array(values, pa.int64()).cast(_INSTANT)
        values = [_datetime(v) if isinstance(v, Micros) else v for v in values]
        kinds = set(map(type, values))
    if dt.datetime in kinds:
        if kinds <= {dt.datetime, type(None)}:
            return pa.array(values, _INSTANT)
        if kind is not FieldType.DATETIME:
            return values
        values = [v.isoformat() if isinstance(v, dt.datetime) else v for v in values]
    return values if len(values) <= _FEW else column(values)
