"""
Columns: whatever a file holds, turned into the typed Arrow that indexes are built from.

    coerce(column, field, zone) → values (null where missing or refused) and the refusals

The rules for one value are `cells`'s. Here the common spellings are done for a whole column at
once, by Arrow casts and numpy, and only what these cannot take, or take too lightly, goes there:

* text that must become numbers, days or instants is cast as one; if a cast fails the column is
  halved, and halved again, until the rows that are to blame are few (`_by_halves`). A million good
  values with ten bad ones cost about two hundred casts;
* text with few distinct values (booleans, stages, `a;b;c`) is read once per distinct value;
* typed columns are converted, and what falls outside the rules is picked by a mask.

A column whose type can never fit (a struct for a number) is a `Mismatch`: an error about the file,
not a million refused rows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index import strings
from headcount.index.block import ARROW_TYPES
from headcount.load import cells
from headcount.load.cells import Refusal
from headcount.load.wall import DAY_US, FIRST_US, LAST_US, SECOND_US, to_utc
from headcount.model.schema import Field, FieldType

# Typed by the file, or one Python value a row (JSON of mixed types).
Column: TypeAlias = "pa.Array | list[object]"
Rows = npt.NDArray[np.intp]
Rule = Callable[[object], object]
Way = Callable[[pa.StringArray], tuple[pa.Array, npt.NDArray[np.bool_]]]

_LEAF = 64  # rows below which halving costs more than reading one by one
_EXACT_DIGITS_BYTES = 16  # any decimal number this short has at most 15 significant digits
_TINY = 1e-300  # below lie numbers with fewer digits than 15
_FIRST_DAY, _LAST_DAY = FIRST_US // DAY_US, LAST_US // DAY_US
_OUTSIDE = "outside the years 1 to 9999"
_STRING, _DOUBLE = pa.string(), pa.float64()
_TWO_ENDS, _ONE_DOUBLE = struct.Struct("=2i").pack, struct.Struct("=d").pack
_UNIT_US = {"s": SECOND_US, "ms": SECOND_US // 1000, "us": 1}


class Mismatch(ValueError):  # noqa: N818 - becomes a `UserError` where the file is known
    """A column of a type that the field cannot be read from; the text says what was found."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One cell that cannot be stored: its row in the batch, its text and why."""

    row: int
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Coerced:
    """A typed column, null where the value is missing or refused, and the refusals by row."""

    values: pa.Array
    refused: Sequence[Refused]


def coerce(column: Column, field: Field, zone: ZoneInfo) -> Coerced:
    """
    Return *column* as the type that *field* is stored in; one row stays one row.

    Clock times without an offset are *zone*'s.

    Raises:
        Mismatch: no value of the column's type can be one of the field's.
    """
    return reader(field, zone)(column)


def reader(field: Field, zone: ZoneInfo) -> Callable[[Column], Coerced]:
    """Return what does to columns what `coerce` does, for whoever has more than one of a field."""
    kind = ARROW_TYPES[field.type]
    return partial(_coerced, field=field, zone=zone, rule=_rule(field, zone), kind=kind)


def _coerced(
    column: Column, field: Field, zone: ZoneInfo, rule: Rule, kind: pa.DataType
) -> Coerced:
    if isinstance(column, list):
        return _one_by_one(column, rule, kind)
    if pa.types.is_null(column.type):
        return Coerced(pa.nulls(len(column), kind), ())
    column = _decoded(column)
    match field.type:
        case FieldType.NUMBER:
            return _numbers(column, rule)
        case FieldType.BOOLEAN:
            return _booleans(column, rule)
        case FieldType.DATE:
            return _dates(column, rule)
        case FieldType.DATETIME:
            return _instants(column, rule, zone)
        case FieldType.KEYWORDS:
            return _sets(column, rule)
        case _ if field.values:
            return _by_distinct(_text(column), rule, kind)
        case _:
            return _bounded(_text(column), cells.MAX_TEXT_BYTES, rule)


def contact_ids(column: Column) -> Coerced:
    """Return *column* as contact ids; a missing one is refused."""
    if isinstance(column, list):
        return _one_by_one(column, cells.contact_id, pa.string())
    found = _text(_decoded(column))
    lengths = _lengths(found)
    doubtful = (lengths == 0) | (lengths > cells.MAX_ID_BYTES)
    _, data = strings.views(strings.compact(found))
    if len(data) and (int(data.min()) <= 0x20 or int(data.max()) >= 0x7F):
        odd = pc.match_substring_regex(found, r"[\x00-\x1f\x7f]|^[\s\pZ]|[\s\pZ]$")
        doubtful |= _dense(odd, False)
    return _settle(found, doubtful, found, cells.contact_id)


def event_ids(column: Column) -> Coerced:
    """Return *column* as the events' own ids, null where there is none."""
    if isinstance(column, list):
        return _one_by_one(column, cells.event_id, pa.string())
    if pa.types.is_null(column.type):
        return Coerced(pa.nulls(len(column), pa.string()), ())
    return _bounded(_text(_decoded(column)), cells.MAX_ID_BYTES, cells.event_id)


def _rule(field: Field, zone: ZoneInfo) -> Rule:
    """Return the function of `cells` that reads one value of *field*."""
    match field.type:
        case FieldType.NUMBER:
            return cells.number
        case FieldType.BOOLEAN:
            return cells.boolean
        case FieldType.DATE:
            return cells.date
        case FieldType.DATETIME:
            return partial(cells.instant, zone=zone)
        case FieldType.KEYWORDS:
            return cells.keywords
        case _ if field.values:
            exact = field.case_sensitive
            known = {value if exact else value.casefold(): value for value in field.values}
            return partial(cells.choice, canonical=known, case_sensitive=exact)
        case _:
            return cells.string


def _decoded(column: pa.Array) -> pa.Array:
    """Return *column* without dictionary, extension or large-offset encoding."""
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
        column = strings.narrowed(column, pa.string())
    return column


def _text(column: pa.Array) -> pa.StringArray:
    """Return *column* as text with "" for null left in place, whole numbers as their digits."""
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_integer(column.type):
        return column.cast(pa.string())
    if pa.types.is_null(column.type):
        return column.cast(pa.string())
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        try:
            return strings.narrowed(column, pa.string())
        except pa.ArrowInvalid as error:
            raise Mismatch("bytes that are not UTF-8 text") from error
    raise Mismatch(str(column.type))


def _bounded(values: pa.StringArray, limit: int, rule: Rule) -> Coerced:
    """Return *values* with "" made null, those over *limit* bytes refused by *rule*."""
    return _settle(_empty_as_null(values), _lengths(values) > limit, values, rule)


def _numbers(column: pa.Array, rule: Rule) -> Coerced:
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.string())
    if pa.types.is_string(column.type):
        return _by_halves(_empty_as_null(column), [_number_way], rule, pa.float64())
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        raise Mismatch(str(column.type))
    found = column.cast(pa.float64(), safe=False)
    values = _dense(found, 0.0)
    # An integer over 2**53 may round to it, so that itself is looked at again.
    doubtful = ~(np.abs(values) < cells.MAX_EXACT)
    return _settle(pc.add(found, 0.0), doubtful, column, rule)  # -0.0 + 0.0 is 0.0


def _number_way(part: pa.StringArray) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    found = part.cast(pa.float64())
    size, lengths = np.abs(_dense(found, 0.0)), _lengths(part)
    doubtful = ~(size < cells.MAX_EXACT) | (lengths > _EXACT_DIGITS_BYTES)
    doubtful |= (size < _TINY) & (lengths > len("0.00"))
    return pc.add(found, 0.0), doubtful


def _booleans(column: pa.Array, rule: Rule) -> Coerced:
    if pa.types.is_boolean(column.type):
        return Coerced(column, ())
    if pa.types.is_string(column.type):
        return _by_distinct(column, rule, pa.bool_())
    if not pa.types.is_integer(column.type):
        raise Mismatch(str(column.type))
    values = _dense(column, 0)
    return _settle(column.cast(pa.bool_()), (values != 0) & (values != 1), column, rule)


def _dates(column: pa.Array, rule: Rule) -> Coerced:
    if pa.types.is_string(column.type):
        return _by_halves(_empty_as_null(column), [_date_way], rule, pa.date32())
    if pa.types.is_date(column.type):
        found = column.cast(pa.date32(), safe=False)
        return _refuse(found, column, (_outside_years(found), _OUTSIDE))
    if pa.types.is_timestamp(column.type) and column.type.tz is None:
        # The only day type that some writers have: midnight stands for the day.
        found = column.cast(pa.date32(), safe=False)
        back = found.cast(column.type, safe=False)
        timed = _dense(pc.not_equal(back, column), False)
        reason = "a date has no clock time; declare the field a datetime, or cut the time"
        return _refuse(found, column, (timed, reason), (_outside_years(found), _OUTSIDE))
    raise Mismatch(str(column.type))


def _date_way(part: pa.StringArray) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    found = part.cast(pa.date32())
    return found, _outside_years(found)


def _outside_years(days: pa.Array) -> npt.NDArray[np.bool_]:
    values = _dense(days.cast(pa.int32()), 0)
    return (values < _FIRST_DAY) | (values > _LAST_DAY)


def _instants(column: pa.Array, rule: Rule, zone: ZoneInfo) -> Coerced:
    kind = column.type
    if pa.types.is_string(kind):
        ways: list[Way] = [_offset_way, partial(_clock_way, zone=zone), _epoch_way]
        return _by_halves(_empty_as_null(column), ways, rule, _INSTANT)
    if pa.types.is_timestamp(kind):
        return _timestamps(column, zone)
    if pa.types.is_date(kind):
        days = _dense(column.cast(pa.date32()).cast(pa.int32()), 0).astype(np.int64)
        outside = (days < _FIRST_DAY) | (days > _LAST_DAY)
        micros = to_utc(np.where(outside, 0, days) * DAY_US, zone)
        return _refuse(_instant(micros, column), column, (outside, _OUTSIDE))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _epochs(column, rule)
    raise Mismatch(str(kind))


_INSTANT = ARROW_TYPES[FieldType.DATETIME]


def _instant(micros: npt.NDArray[np.int64], like: pa.Array) -> pa.Array:
    """Return *micros* as instants, null where *like* is."""
    return pa.array(micros, mask=_nulls(like)).cast(_INSTANT)


def _timestamps(column: pa.Array, zone: ZoneInfo) -> Coerced:
    """Return timestamps of any unit as instants; those without a time zone are *zone*'s clock."""
    values = _dense(column.cast(pa.int64()), 0)
    if column.type.unit == "ns":
        micros, finer = np.divmod(values, 1000)
        finer, outside = finer != 0, np.zeros(len(values), dtype=np.bool_)
    else:
        unit = _UNIT_US[column.type.unit]
        outside = (values < FIRST_US // unit) | (values > LAST_US // unit)
        micros, finer = np.where(outside, 0, values) * unit, np.zeros(len(values), dtype=np.bool_)
    if column.type.tz is None:
        micros = to_utc(micros, zone)
    outside |= (micros < FIRST_US) | (micros > LAST_US)
    reason = "times are stored in microseconds; cut the nanoseconds"
    return _refuse(_instant(micros, column), column, (finer, reason), (outside, _OUTSIDE))


def _epochs(column: pa.Array, rule: Rule) -> Coerced:
    """Return plain numbers as instants: seconds since 1970, or milliseconds from 1e11 on."""
    values = _dense(column, 0)
    size = np.abs(values.astype(np.float64))
    doubtful = ~(size < LAST_US // (SECOND_US // 1000))
    values = np.where(doubtful, 0, values)
    unit = np.where(size < cells.MILLISECONDS_FROM, SECOND_US, SECOND_US // 1000)
    if pa.types.is_integer(column.type):
        micros = values.astype(np.int64) * unit
    else:
        micros = np.rint(values * unit).astype(np.int64)
    doubtful |= _day_like(values)
    doubtful |= (micros < FIRST_US) | (micros > LAST_US)
    return _settle(_instant(micros, column), doubtful, column, rule)


def _day_like(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return where a number may have been meant as a day, which the rule decides."""
    found: npt.NDArray[np.bool_] = (values >= cells.DAY_LIKE[0]) & (values < cells.DAY_LIKE[1])
    return found


def _offset_way(part: pa.StringArray) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    found = part.cast(_INSTANT)
    micros = _dense(found.cast(pa.int64()), 0)
    return found, (micros < FIRST_US) | (micros > LAST_US)


def _clock_way(part: pa.StringArray, zone: ZoneInfo) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    clock = _dense(part.cast(pa.timestamp("us")).cast(pa.int64()), 0)
    outside = (clock < FIRST_US) | (clock > LAST_US)
    micros = to_utc(np.where(outside, 0, clock), zone)
    return _instant(micros, part), outside | (micros < FIRST_US) | (micros > LAST_US)


def _epoch_way(part: pa.StringArray) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Read whole numbers; raises `pa.ArrowInvalid` if anything else is among them."""
    if not pc.all(pc.match_substring_regex(part, r"^-?[0-9]{1,15}$")).as_py():
        raise pa.ArrowInvalid("not all are whole numbers")
    values = _dense(part.cast(pa.int64()), 0)
    unit = np.where(np.abs(values) < cells.MILLISECONDS_FROM, SECOND_US, SECOND_US // 1000)
    doubtful = np.abs(values) > LAST_US // (SECOND_US // 1000)
    micros = np.where(doubtful, 0, values) * unit
    doubtful |= _day_like(values)
    doubtful |= (micros < FIRST_US) | (micros > LAST_US)
    return _instant(micros, part), doubtful


def _sets(column: pa.Array, rule: Rule) -> Coerced:
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _lists(column)
    return _by_distinct(_text(column), rule, ARROW_TYPES[FieldType.KEYWORDS])


def _lists(column: pa.Array) -> Coerced:
    """Return lists of text as sets: trimmed, without empties or repetitions; empty is null."""
    column = column.cast(pa.large_list(column.type.value_type))
    members = _text(_decoded(column.flatten()))
    parents = np.repeat(np.arange(len(column)), _dense(pc.list_value_length(column), 0))
    members = pc.utf8_trim_whitespace(members)
    lengths = _lengths(members)
    long = np.unique(parents[lengths > cells.MAX_TEXT_BYTES])
    kept = np.flatnonzero((lengths > 0) & ~np.isin(parents, long))
    if len(kept) != len(members):
        members, parents = members.take(pa.array(kept)), parents[kept]
    codes = members.dictionary_encode()
    pairs = parents * max(1, len(codes.dictionary)) + codes.indices.to_numpy()
    _, first = np.unique(pairs, return_index=True)
    if len(first) != len(pairs):
        first.sort()
        members, parents = members.take(pa.array(first)), parents[first]
    found = list_array(parents, members, len(column))
    reason = f"text is over {cells.MAX_TEXT_BYTES:,} bytes"
    return Coerced(found, [Refused(row, "", reason) for row in long.tolist()])


def list_array(parents: npt.NDArray[np.int64], members: pa.StringArray, rows: int) -> pa.ListArray:
    """Return the list array whose row r holds the *members* with parent r (ascending), or null."""
    counts = np.bincount(parents, minlength=rows)
    offsets = np.zeros(rows + 1, dtype=np.int32)
    np.cumsum(counts, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), members, mask=pa.array(counts == 0))


def _by_halves(
    values: pa.StringArray, ways: Sequence[Way], rule: Rule, kind: pa.DataType
) -> Coerced:
    """
    Return *values* read by the first of *ways* that takes them whole, part by part where none does.

    A way raises `pa.ArrowInvalid` for text that it cannot read, and marks rows that it has read but
    *rule* must decide.
    """
    pieces: list[pa.Array] = []
    doubtful = np.zeros(len(values), dtype=np.bool_)
    waiting = [(0, len(values))]
    while waiting:
        start, stop = waiting.pop()
        part = values.slice(start, stop - start)
        found = _first_way(part, ways)
        if found is not None:
            pieces.append(found[0])
            doubtful[start:stop] = found[1]
        elif stop - start <= _LEAF:
            pieces.append(pa.nulls(stop - start, kind))
            doubtful[start:stop] = part.is_valid().to_numpy(zero_copy_only=False)
        else:
            middle = (start + stop) // 2
            waiting += [(middle, stop), (start, middle)]
    found = pa.concat_arrays(pieces) if pieces else pa.nulls(0, kind)
    return _settle(found, doubtful, values, rule)


def _first_way(
    part: pa.StringArray, ways: Iterable[Way]
) -> tuple[pa.Array, npt.NDArray[np.bool_]] | None:
    for way in ways:
        try:
            return way(part)
        except pa.ArrowInvalid:
            continue  # the next way, or halves: that is the point
    return None


def _settle(
    found: pa.Array, doubtful: npt.NDArray[np.bool_], source: pa.Array, rule: Rule
) -> Coerced:
    """Return *found* with the *doubtful* rows replaced by what *rule* says of *source* there."""
    rows = np.flatnonzero(doubtful)
    if not len(rows):
        return Coerced(found, ())
    picked = source.take(pa.array(rows))
    if pa.types.is_string(picked.type):
        settled = _by_distinct(picked, rule, found.type)
    else:
        settled = _one_by_one(picked.to_pylist(), rule, found.type)
    found = pc.replace_with_mask(found, pa.array(doubtful), settled.values)
    refused = [Refused(int(rows[r.row]), r.value, r.reason) for r in settled.refused]
    return Coerced(found, refused)


def _refuse(
    found: pa.Array, source: pa.Array, *causes: tuple[npt.NDArray[np.bool_], str]
) -> Coerced:
    """Return *found* with the rows of each cause (a mask and its reason) made null."""
    refused: list[Refused] = []
    for mask, reason in causes:
        rows = np.flatnonzero(mask)
        if len(rows):
            texts = source.take(pa.array(rows)).cast(pa.string()).to_pylist()
            pairs = zip(rows.tolist(), texts, strict=True)
            refused += [Refused(row, cells.shown(text), reason) for row, text in pairs]
            found = pc.if_else(pa.array(mask), pa.scalar(None, found.type), found)
    return Coerced(found, refused)


def _by_distinct(values: pa.StringArray, rule: Rule, kind: pa.DataType) -> Coerced:
    """Return *values* read by *rule*, once for each distinct text."""
    encoded = values.dictionary_encode(null_encoding="encode")
    texts = encoded.dictionary.to_pylist()
    read = _one_by_one(texts, rule, kind)
    found = read.values.take(encoded.indices)
    if not read.refused:
        return Coerced(found, ())
    reasons = {refused.row: refused.reason for refused in read.refused}
    codes = encoded.indices.to_numpy()
    rows = np.flatnonzero(np.isin(codes, np.fromiter(reasons, dtype=codes.dtype)))
    return Coerced(
        found,
        [
            Refused(row, cells.shown(texts[code]), reasons[code])
            for row, code in zip(rows.tolist(), codes[rows].tolist(), strict=True)
        ],
    )


def _one_by_one(values: Sequence[object], rule: Rule, kind: pa.DataType) -> Coerced:
    """Return *values* read by *rule*, each on its own."""
    found: list[object] = []
    refused: list[Refused] = []
    for row, value in enumerate(values):
        try:
            found.append(rule(value))
        except Refusal as reason:
            found.append(None)
            refused.append(Refused(row, cells.shown(value), str(reason)))
    return Coerced(_array(found, kind), refused)


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """
    Return what `pa.array` does.

    One text or number, of which most requests of one contact consist, is laid out by hand: Arrow
    would look at the environment and make a builder for it, at twice the cost.
    """
    if len(values) == 1:
        value = values[0]
        if type(value) is str and kind == _STRING:
            data = value.encode()
            ends = pa.py_buffer(_TWO_ENDS(0, len(data)))
            return pa.StringArray.from_buffers(1, ends, pa.py_buffer(data))
        if type(value) is float and kind == _DOUBLE:
            return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(_ONE_DOUBLE(value))])
    return pa.array(values, kind)


def _lengths(values: pa.StringArray) -> npt.NDArray[np.int32]:
    """Return the bytes of each string as int32[n], 0 for null."""
    return _dense(pc.binary_length(values), 0)


def _empty_as_null(values: pa.StringArray) -> pa.StringArray:
    empty = pc.equal(values, "")
    if not pc.any(empty).as_py():
        return values
    return pc.if_else(empty, pa.scalar(None, pa.string()), values)


def _dense(values: pa.Array, filler: float) -> npt.NDArray[Any]:
    """Return *values* as numpy of its own dtype, *filler* for null."""
    if values.null_count:
        values = values.fill_null(filler)
    found: npt.NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return found


def _nulls(values: pa.Array) -> npt.NDArray[np.bool_] | None:
    return _dense(values.is_null(), False) if values.null_count else None
