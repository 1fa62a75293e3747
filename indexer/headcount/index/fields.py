"""
Which index a field gets: the one place that knows all kinds.

    keyword, stage           KeywordIndex
    text                     KeywordIndex where a block has few distinct values, else TextIndex
    keywords                 KeywordsIndex
    number, date, datetime   RangeIndex
    boolean                  FlagIndex

Text with few values (a city, the source of a lead) is better off with a dictionary: a pattern is
tried on some thousands of strings, and equal values are stored once. With many values (e-mail
addresses) a dictionary saves nothing, and trying a pattern on all of it takes 10 to 200 ms.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index.dictionary import Dictionary
from headcount.index.flags import FlagIndex
from headcount.index.keyword import KeywordIndex
from headcount.index.keywords import KeywordsIndex
from headcount.index.parts import Parts
from headcount.index.ranges import RangeIndex
from headcount.index.text import TextIndex
from headcount.model.schema import Field, FieldType

FieldIndex = KeywordIndex | KeywordsIndex | TextIndex | RangeIndex | FlagIndex

_FEW_VALUES = 1 << 16  # a pattern is tried on so many strings in about 2 ms
_FEW_SHARE = 4  # and there are at least so many rows for each of them
_STRETCH = 1 << 17


def build(values: pa.Array, field: Field) -> FieldIndex:
    """
    Return the index of *values*, typed as *field* says, null where missing.

    Strings, lists of strings, float64, bool, date32 or timestamp('us', 'UTC').
    """
    match field.type:
        case FieldType.KEYWORD | FieldType.STAGE:
            return KeywordIndex.build(values, field)
        case FieldType.TEXT:
            return _text(values, field)
        case FieldType.KEYWORDS:
            return KeywordsIndex.build(values, field)
        case FieldType.BOOLEAN:
            return FlagIndex.build(values)
        case FieldType.NUMBER | FieldType.DATE | FieldType.DATETIME:
            return _range(values)


def load(parts: Parts, prefix: str, field: Field) -> FieldIndex:
    """Return the index that some `FieldIndex.parts` wrote under *prefix*, for the same *field*."""
    match field.type:
        case FieldType.KEYWORD | FieldType.STAGE:
            return KeywordIndex.from_parts(parts, prefix, field)
        case FieldType.TEXT:
            kind = KeywordIndex if KeywordIndex.is_in(parts, prefix) else TextIndex
            return kind.from_parts(parts, prefix, field)
        case FieldType.KEYWORDS:
            return KeywordsIndex.from_parts(parts, prefix, field)
        case FieldType.BOOLEAN:
            return FlagIndex.from_parts(parts, prefix)
        case FieldType.NUMBER | FieldType.DATE | FieldType.DATETIME:
            return RangeIndex.from_parts(parts, prefix)


def _text(values: pa.StringArray, field: Field) -> KeywordIndex | TextIndex:
    """Return the index that suits the number of distinct values."""
    most = min(_FEW_VALUES, (len(values) - values.null_count) // _FEW_SHARE)
    # A stretch tells of most fields what all rows would: e-mail addresses are not numbered at all.
    if pc.count_distinct(values.slice(0, _STRETCH)).as_py() > most:
        return TextIndex.build(values, field)
    dictionary, codes = Dictionary.encode(values, field)
    if len(dictionary) > most:
        return TextIndex.build(values, field)
    return KeywordIndex.of_codes(field, dictionary, codes)


def _range(values: pa.Array) -> RangeIndex:
    """Return the index of float64, date32 or timestamp *values*."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    numbers = values
    if pa.types.is_date32(values.type):
        numbers = values.view(pa.int32()).cast(pa.int64())
    elif pa.types.is_timestamp(values.type):
        numbers = values.view(pa.int64())
    filled = numbers.fill_null(0).to_numpy(zero_copy_only=False)
    assert filled.dtype in (np.float64, np.int64), values.type
    return RangeIndex.build(filled, present, values.type)
