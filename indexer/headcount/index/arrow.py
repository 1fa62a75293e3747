"""
The Arrow type of each type of field: the form in which values arrive at an index and leave it.

Missing is null. Files are brought to these types by `load.coerce`; nothing below it meets any
others.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from headcount.model.schema import FieldType

INSTANT = pa.timestamp("us", tz="UTC")

ARROW_TYPES: Mapping[FieldType, pa.DataType] = {
    FieldType.KEYWORD: pa.string(),
    FieldType.TEXT: pa.string(),
    FieldType.STAGE: pa.string(),
    FieldType.NUMBER: pa.float64(),
    FieldType.BOOLEAN: pa.bool_(),
    FieldType.DATE: pa.date32(),
    FieldType.DATETIME: INSTANT,
    FieldType.KEYWORDS: pa.list_(pa.string()),
}
