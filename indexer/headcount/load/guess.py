"""
A column's type, guessed from all of its values.

Every value is looked at, so a type is never proposed that a later row would break. A column starts
out as anything; each batch strikes out the types that one of its values cannot be, by the same
rules that will read it (`coerce`). What is left first in this order is taken:

    boolean    only words for it (0 and 1 alone are numbers)
    number     not with leading zeros or a plus sign: those are postcodes and telephones
    date, datetime
    keywords   lists, or text with `;` whose parts are short and repeat
    text       long, or many different values; otherwise keyword
"""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index import hashing, strings
from headcount.load.coerce import Column, Mismatch, coerce
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Field, FieldType

_ORDER = (FieldType.BOOLEAN, FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME)
_HEAD = 1000  # rows tried first: a type that most values are not is struck out for little

_NO_NUMBER = r"^\s*(\+|-?0[0-9])"
_ONLY_NUMBER = r"^\s*[-+]?[0-9.]+\s*$"

# Text rather than keyword from here on: so many values, and so many of them different, or so long.
_MANY_VALUES = 1000
_MANY_SHARE = 0.2
_LONG_BYTES = 100
_MAX_DISTINCT = 1 << 22  # counted; with more it is text

_MAX_PARTS = 100_000
_LONG_PART = 64


class Guess:
    """What the column *name* may be, after the values seen so far; a set only with *sets*."""

    def __init__(self, name: str, zone: ZoneInfo, *, sets: bool = True) -> None:
        self.name = name
        self._sets = sets
        self.values = 0
        self._zone = zone
        self._possible = list(_ORDER)
        self._lists = False
        self._words = False
        self._spoiler = ""  # what kept most of the values from having a type
        self._longest = 0
        self._hashes = np.zeros(0, dtype=np.uint64)  # of the different texts, ascending
        self._parts: set[str] | None = set()  # between `;`, None when they are no set's values
        self._parted = False

    @property
    def distinct(self) -> int:
        """How many different texts there were, up to `_MAX_DISTINCT`."""
        return len(self._hashes)

    def observe(self, column: Column) -> None:
        """
        Take the values of *column* into account.

        Raises:
            UserError: they are of a type that no field has.
        """
        if isinstance(column, list):
            self._observe_mixed(column)
            return
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        if pa.types.is_large_string(column.type) or pa.types.is_string_view(column.type):
            column = strings.narrowed(column, pa.string())
        if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
            try:
                column = strings.narrowed(column, pa.string())
            except pa.ArrowInvalid as error:
                raise self._unstorable("bytes that are not UTF-8 text") from error
        if pa.types.is_string(column.type):
            self._observe_text(column)
            return
        self.values += len(column) - column.null_count
        if len(column) == column.null_count:
            return
        self._keep(self._of_type(column))
        self._words = self._words or pa.types.is_boolean(column.type)

    def field(self) -> Field:
        """Return the field that is proposed."""
        return Field(self.name, self._type())

    def __str__(self) -> str:
        different = f", {self.distinct:,} different" if self.distinct else ""
        kind = self._type()
        spoiler = self._spoiler if kind in (FieldType.KEYWORD, FieldType.TEXT) else ""
        return f"{self.name}: {kind}; {self.values:,} values{different}{spoiler}"

    def _type(self) -> FieldType:
        possible = [t for t in self._possible if t is not FieldType.BOOLEAN or self._words]
        if self._lists:
            return FieldType.KEYWORDS
        if self.values and possible:
            return possible[0]
        if self._sets and self._parted and self._parts and len(self._parts) <= self.distinct:
            return FieldType.KEYWORDS
        many = self.distinct > max(_MANY_VALUES, _MANY_SHARE * self.values)
        many = many or self.distinct >= _MAX_DISTINCT
        return FieldType.TEXT if many or self._longest > _LONG_BYTES else FieldType.KEYWORD

    def _keep(self, kinds: set[FieldType]) -> None:
        self._possible = [kind for kind in self._possible if kind in kinds]

    def _of_type(self, column: pa.Array) -> set[FieldType]:
        """Return the types that a column which is no text may have."""
        kind = column.type
        if pa.types.is_boolean(kind):
            return {FieldType.BOOLEAN}
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return {FieldType.NUMBER}
        if pa.types.is_integer(kind):
            self._count_texts(column.cast(pa.string()).drop_null())
            return self._fitting(column, [FieldType.NUMBER])
        if pa.types.is_date(kind):
            return {FieldType.DATE, FieldType.DATETIME}
        if pa.types.is_timestamp(kind):
            return {FieldType.DATETIME} | self._fitting(column, [FieldType.DATE])
        try:
            coerce(column.slice(0, 0), Field(self.name, FieldType.KEYWORDS), self._zone)
        except Mismatch as mismatch:
            raise self._unstorable(str(mismatch)) from mismatch
        self._take_lists()
        return set()

    def _observe_text(self, column: pa.StringArray) -> None:
        column = column.filter(pc.greater(pc.binary_length(column), 0).fill_null(False))
        if not len(column):
            return
        self.values += len(column)
        head = self._fitting(column.slice(0, _HEAD), self._possible)
        self._keep(self._fitting(column, [kind for kind in self._possible if kind in head]))
        if FieldType.NUMBER in self._possible and _any(column, _NO_NUMBER):
            self._possible.remove(FieldType.NUMBER)
        if FieldType.BOOLEAN in self._possible:
            self._words = self._words or _any(column, r"[A-Za-z]")
        if FieldType.DATETIME in self._possible and _any(column, _ONLY_NUMBER):
            self._possible.remove(FieldType.DATETIME)  # seconds cannot be told from other numbers
        self._count_texts(column)

    def _observe_mixed(self, column: list[object]) -> None:
        given = [value for value in column if value is not None and value != ""]
        self.values += len(given)
        kinds = set(map(type, given))
        if dict in kinds:
            raise self._unstorable("objects")
        if list in kinds:
            self._take_lists()
        self._keep({FieldType.NUMBER} if kinds <= {int, float, Decimal} else set())
        texts = [value for value in given if isinstance(value, str) and value.isprintable()]
        self._count_texts(pa.array(texts, pa.string()))

    def _fitting(self, column: pa.Array, kinds: list[FieldType]) -> set[FieldType]:
        """Return which of *kinds* all values of *column* can be read as."""
        found = set()
        for kind in kinds:
            try:
                refused = coerce(column, Field(self.name, kind), self._zone).refused
            except Mismatch:
                continue
            if not refused:
                found.add(kind)
            elif not self._spoiler and 2 * len(refused) <= len(column):
                value, reason = refused[0].value, refused[0].reason
                self._spoiler = f"; no {kind} because of `{value}`: {reason}"
        return found

    def _count_texts(self, texts: pa.StringArray) -> None:
        """Note how many different *texts* there are, how long, and whether `;` parts them."""
        distinct = texts.unique()
        if not len(distinct):
            return
        self._longest = max(self._longest, pc.max(pc.binary_length(distinct)).as_py())
        if self.distinct < _MAX_DISTINCT:
            self._hashes = np.union1d(self._hashes, hashing.fnv1a64(distinct))
        self._note_parts(distinct)

    def _take_lists(self) -> None:
        if not self._sets:
            raise self._unstorable("lists")
        self._lists = True

    def _note_parts(self, texts: pa.StringArray) -> None:
        if self._parts is None:
            return
        self._parted = self._parted or bool(pc.any(pc.match_substring(texts, ";")).as_py())
        parts = pc.utf8_trim_whitespace(pc.split_pattern(texts, ";").flatten()).unique()
        self._parts.update(parts.to_pylist())
        self._parts.discard("")
        longest = pc.max(pc.binary_length(parts)).as_py()
        if longest > _LONG_PART or len(self._parts) > _MAX_PARTS:
            self._parts = None

    def _unstorable(self, what: str) -> UserError:
        return UserError(
            Reason.INVALID_FILE,
            f"column `{self.name}` holds {what}, which cannot be stored here; leave it out, or"
            " convert it",
        )


def _any(column: pa.StringArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(column, pattern)).as_py())
