"""
The ids of a block's contacts: row → id, and id → row.

The strings lie one after the other (`Texts`: ids of one length need nothing beside their bytes).
The way back is two arrays, sorted hashes and the row of each:
12 bytes a contact, where a Python dict takes over 100. A hash only finds candidates; the strings
themselves are compared, so two ids with one hash are told apart. Ids are compared exactly, byte by
byte.

    hashes  uint64[rows], ascending     the FNV-1a of each id
    owners  uint32[rows]                the row it belongs to

Looking 2^20 ids up takes about 0.5 s (most of it the binary search), one id 5 µs (`find`). The way
back is built when it is first asked for, 150 ms for 2^20 ids: a workspace that only counts never
needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyroaring import BitMap

from headcount.index import bitmaps, hashing, strings
from headcount.index.lazy import Lazy
from headcount.index.parts import Part, Parts
from headcount.index.pattern import Pattern
from headcount.index.texts import Texts

_WHOLE = {"": None}  # the one name of what a column is read from
_NO_SALT = np.uint64(hashing.fnv1a64_bytes(b""))
_LOWEST = 4096
_SORTED_FROM = 64  # hashes that are searched faster in order: 5 times for 1,000 of 2^20
_HASH_SHARE = 16  # with more than one id in so many asked for, all are hashed, once for all


class IdColumn:
    """
    The ids of one block, unique and not null, in row order, `rows` of them. Immutable.

    A row that is nobody's any more has the id "", which no contact can have; many rows may.
    """

    _stored: Mapping[str, Texts]

    def __init__(self, array: pa.StringArray) -> None:
        """Hold *array* as it is: a small block that is soon gone; see `build`."""
        self.rows = len(array)
        self.texts = Texts(len(array), array)

    @classmethod
    def later(cls, rows: int, read: Callable[[], pa.StringArray]) -> IdColumn:
        """Return the column of *rows* ids that are *read* when first asked for."""
        found = cls.__new__(cls)
        found.rows = rows
        found._stored = Lazy(_WHOLE, lambda _: Texts(rows, read()))
        return found

    @cached_property
    def texts(self) -> Texts:
        """The ids as they are held; they may be read when first asked for."""
        return self._stored[""]

    @property
    def array(self) -> pa.StringArray:
        """All ids; 1 ms for 2^20."""
        return self.texts.array

    @classmethod
    def build(cls, array: pa.StringArray) -> IdColumn:
        """Return the column of *array*, whose ids must be distinct and not null."""
        assert array.null_count == 0
        found = cls.__new__(cls)
        found.rows = len(array)
        found.texts = Texts.build(strings.compact(array))
        return found

    @cached_property
    def fnv1a(self) -> hashing.Hashes:
        """The FNV-1a hash of each id, uint64[rows], in row order."""
        return hashing.fnv1a64(self.array)

    @cached_property
    def integers(self) -> npt.NDArray[np.uint64] | None:
        """
        The ids as integers, uint64[rows]; None if one is not the decimal form of one.

        40 ms for 2^20 ids, 8 bytes each from then on; `StreamMembers` of so many took 60 without.
        """
        return integers_of(self.array)

    @cached_property
    def _sorted(self) -> tuple[hashing.Hashes, npt.NDArray[np.uint32]]:
        owners = np.argsort(self.fnv1a, kind="stable").astype(np.uint32)
        nobody = owners[self.fnv1a[owners] == _NO_SALT]
        if len(nobody):
            empty = np.asarray(pc.equal(self.take(nobody), ""))
            owners = owners[~np.isin(owners, nobody[empty])]
        return self.fnv1a[owners], owners

    def mixed(self, rows: npt.NDArray[np.uint32]) -> hashing.Hashes:
        """Return the hashes by which ids are drawn, of *rows*: those of `sample` without a salt."""
        if "fnv1a" in self.__dict__ or len(rows) * _HASH_SHARE > self.rows:
            hashes = self.fnv1a[rows]
        else:
            hashes = hashing.fnv1a64(self.take(rows))
        return hashing.fmix64(hashes ^ _NO_SALT)

    @cached_property
    def lowest(self) -> tuple[hashing.Hashes, npt.NDArray[np.uint32]]:
        """
        The rows that are drawn first: the lowest `mixed` hashes, ascending, and the row of each.

        At most 4,096 of them. 20 ms for 2^20 ids, besides 70 for `fnv1a`.
        """
        mixed = hashing.fmix64(self.fnv1a ^ _NO_SALT)
        rows = np.arange(self.rows, dtype=np.uint32)
        if self.rows > _LOWEST:
            rows = np.argpartition(mixed, _LOWEST)[:_LOWEST].astype(np.uint32)
        rows = rows[np.lexsort((rows, mixed[rows]))]
        return mixed[rows], rows

    def lookup(
        self, ids: pa.StringArray, wanted: hashing.Hashes | None = None
    ) -> npt.NDArray[np.int64]:
        """
        Return the row of each of *ids*, as int64[n]; -1 for an id that is not here, or null.

        *wanted* is the FNV-1a of each, for who asks several columns; no id is null then.
        """
        found = np.full(len(ids), -1, dtype=np.int64)
        if not self.rows or not len(ids):
            return found
        if wanted is None:
            ids = pc.fill_null(ids, "") if ids.null_count else ids
            wanted = hashing.fnv1a64(ids)
        hashes, owners = self._sorted
        place = _searched(hashes, wanted)
        open_ = np.flatnonzero(place < len(hashes))
        open_ = open_[hashes[place[open_]] == wanted[open_]]
        while len(open_):  # more than one round only where two ids share a hash
            open_ = open_[place[open_] < len(hashes)]
            open_ = open_[hashes[place[open_]] == wanted[open_]]
            rows = owners[place[open_]]
            asked = ids if len(open_) == len(ids) else ids.take(pa.array(open_))
            same = pc.equal(self.take(rows), asked)
            hit = same.to_numpy(zero_copy_only=False).astype(np.bool_)
            found[open_[hit]] = rows[hit]
            open_ = open_[~hit]
            place[open_] += 1
        return found

    def prepare(self) -> None:
        """Build the way back now, that nobody who looks an id up waits for it."""
        _ = self._sorted

    def find(self, contact: bytes, wanted: np.uint64) -> int:
        """Return the row of one id, whose FNV-1a is *wanted*; -1 if it is not here; 5 µs."""
        if not self.rows:
            return -1
        hashes, owners = self._sorted
        place = int(hashes.searchsorted(wanted))
        while place < len(hashes) and hashes[place] == wanted:
            row = int(owners[place])
            if self.texts.is_at(row, contact):
                return row
            place += 1
        return -1

    def equal(self, ids: Collection[str]) -> BitMap:
        """Return the rows whose id is one of *ids*."""
        rows = self.lookup(pa.array(list(ids), pa.string()))
        return bitmaps.from_rows(rows[rows >= 0].astype(np.uint32))

    def match(self, pattern: Pattern) -> BitMap:
        """Return the rows whose id *pattern* matches; reads every id, about 35 ms for 2^20."""
        return bitmaps.from_mask(pattern.test(self.array, self.array))

    def take(self, rows: npt.NDArray[np.uint32]) -> pa.StringArray:
        """Return the ids of *rows*, in their order."""
        return self.texts.take(rows)

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the ids; the way back is built again when it is needed."""
        yield from self.texts.parts(f"{prefix}ids")

    @classmethod
    def from_parts(cls, stored: Parts, prefix: str, rows: int) -> IdColumn:
        """Return the column of *rows* ids that `parts` was called on."""
        found = cls.__new__(cls)
        found.rows = rows
        found._stored = stored.made(
            {"": f"{prefix}ids"}, lambda name: Texts.from_parts(stored, name)
        )
        return found

    def memory(self) -> dict[str, int]:
        """Return real bytes held, by kind of structure, as far as they were read or built."""
        lookup = 0
        if "fnv1a" in self.__dict__:
            lookup += self.fnv1a.nbytes
        if "integers" in self.__dict__ and self.integers is not None:
            lookup += self.integers.nbytes
        if "_sorted" in self.__dict__:
            lookup += sum(half.nbytes for half in self._sorted)
        if "lowest" in self.__dict__:
            lookup += sum(half.nbytes for half in self.lowest)
        ids = self.texts.nbytes if "texts" in self.__dict__ else 0
        return {"ids": ids, "id lookup": lookup}

    def check(self) -> Iterator[str]:
        """Yield a sentence for each way in which ids and rows disagree."""
        if self.array.null_count:
            yield f"{self.array.null_count} rows have no id"
        found = self.lookup(self.array)
        somebody = np.asarray(pc.not_equal(self.array, ""))
        wrong = np.flatnonzero(found != np.where(somebody, np.arange(self.rows), -1))
        if len(wrong):
            row = int(wrong[0])
            yield (
                f"{len(wrong)} ids do not lead back to their row; the first is row {row}, whose"
                f" id leads to row {found[row]}"
            )


def integers_of(ids: pa.StringArray) -> npt.NDArray[np.uint64] | None:
    """Return *ids* as fresh uint64[n]; None if one is not the decimal form of one (`0042`)."""
    try:
        values = pc.cast(ids, pa.uint64())
    except pa.ArrowInvalid:
        return None
    # Arrow also reads `0042` and `0x2a`, which would not come back as they were.
    if not pc.cast(values, pa.string()).equals(ids):
        return None
    found: npt.NDArray[np.uint64] = values.to_numpy()
    return found


def _searched(hashes: hashing.Hashes, wanted: hashing.Hashes) -> npt.NDArray[np.int64]:
    """Return where each of *wanted* (any order) belongs in *hashes* (ascending)."""
    if len(wanted) < _SORTED_FROM:
        return np.searchsorted(hashes, wanted)
    order = np.argsort(wanted)
    found = np.empty(len(wanted), dtype=np.int64)
    found[order] = np.searchsorted(hashes, wanted[order])
    return found
