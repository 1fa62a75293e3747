"""
The index of a multi-valued string field: labels, lists, and any other set of strings.

    dictionary         the distinct strings, numbered
    offsets, members   row i has the codes `members[offsets[i]:offsets[i + 1]]`, ascending, unique;
                       1.1 bytes a row (see `Offsets`), and 1 to 4 a member
    postings           number -> rows

It is the single-valued index with a list for each row instead of one code. An empty set is a
missing value. Sets come back in the order of the dictionary, each string once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index import parts as parts_of
from headcount.index.columns import stable_order
from headcount.index.dictionary import Dictionary
from headcount.index.offsets import Offsets
from headcount.index.parts import Part, Parts
from headcount.index.pattern import Pattern
from headcount.index.postings import Postings
from headcount.model.schema import Field


class KeywordsIndex:
    """The sets of strings of one field in a block, one set a row. Immutable."""

    kind: Literal["keywords"] = "keywords"

    def __init__(
        self,
        field: Field,
        dictionary: Dictionary,
        offsets: Offsets,
        members: npt.NDArray[Any],
        postings: Postings,
    ) -> None:
        """Take parts that agree with each other, as `build` makes them; see `check`."""
        self.field = field
        self.rows = offsets.rows
        self.dictionary = dictionary
        self.offsets = offsets
        self.members = members
        self.postings = postings

    @classmethod
    def build(cls, values: pa.ListArray, field: Field) -> KeywordsIndex:
        """Return the index of *values* (list<string>), null or empty where missing."""
        rows = values.value_parent_indices().to_numpy()
        dictionary, codes = Dictionary.encode(values.flatten(), field)
        held = codes != len(dictionary)  # a null inside a set is no member
        rows, codes = rows[held], codes[held]
        order = stable_order(rows.astype(np.uint64) * np.uint64(len(dictionary)) + codes)
        rows, codes = rows[order], codes[order]
        if len(rows):
            first = np.append(True, (rows[1:] != rows[:-1]) | (codes[1:] != codes[:-1]))
            rows, codes = rows[first], codes[first]
        offsets = np.append(0, np.cumsum(np.bincount(rows, minlength=len(values))))
        postings = Postings.build(codes, rows, len(dictionary), len(values))
        return cls(field, dictionary, Offsets.build(offsets), codes, postings)

    @cached_property
    def present(self) -> BitMap:
        """The rows whose set is not empty."""
        offsets = self.offsets.all()
        return bitmaps.from_mask(offsets[1:] != offsets[:-1])

    @property
    def distinct(self) -> int:
        """The number of distinct strings, spelling counted."""
        return len(self.dictionary)

    def distinct_values(self) -> list[str]:
        """Return the distinct strings as they were spelt, in order of their keys."""
        values: list[str] = self.dictionary.values.to_pylist()
        return values

    def equal(self, keys: Collection[str]) -> BitMap:
        """Return the rows whose set has any of *keys* (folded), shared."""
        return self.postings.union(self.dictionary.lookup_all(keys))

    def all_of(self, keys: Collection[str]) -> BitMap:
        """Return the rows whose set has every one of *keys* (folded), at least one, shared."""
        each = [self.postings.union(self.dictionary.lookup(key)) for key in set(keys)]
        each.sort(key=len)
        found = each[0]
        for other in each[1:]:
            found = found & other
        return found

    def match(self, pattern: Pattern) -> BitMap:
        """Return the rows of which any string matches, shared; a test per distinct string."""
        mask = pattern.test(self.dictionary.values, self.dictionary.keys)
        return self.postings.union(np.flatnonzero(mask))

    def to_arrow(self, rows: npt.NDArray[Any] | None = None) -> pa.ListArray:
        """Return the sets of *rows* (all when None) as list<string>, null where empty."""
        if rows is None:
            offsets, members = self.offsets.all(), self.members
            counts = np.diff(offsets)
        else:
            starts, after = self.offsets.spans(rows)
            counts = after - starts
            ends = np.cumsum(counts)
            places = np.repeat(starts - (ends - counts), counts) + np.arange(counts.sum())
            members, offsets = self.members[places], np.append(0, ends).astype(np.int32)
        values = self.dictionary.values.take(pa.array(members))
        return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(counts == 0))

    def memory(self) -> dict[str, int]:
        """Return the heap bytes held, by kind."""
        return {
            "dictionary": self.dictionary.memory(),
            "columns": self.offsets.nbytes + self.members.nbytes,
            "postings": self.postings.memory() + bitmaps.memory(self.present),
        }

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the index as parts named under *prefix*."""
        yield from self.dictionary.parts(f"{prefix}/dictionary")
        yield from self.offsets.parts(f"{prefix}/offsets")
        yield parts_of.array(f"{prefix}/members", self.members)
        yield from self.postings.parts(f"{prefix}/postings")

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str, field: Field) -> KeywordsIndex:
        """Return the index that `parts` wrote under *prefix*."""
        return cls(
            field,
            Dictionary.from_parts(parts, f"{prefix}/dictionary"),
            Offsets.from_parts(parts, f"{prefix}/offsets"),
            parts.array(f"{prefix}/members"),
            Postings.from_parts(parts, f"{prefix}/postings"),
        )

    def check(self) -> Iterator[str]:
        """Yield what disagrees: dictionary, sets, postings."""
        yield from self.dictionary.check(self.field)
        count = len(self.dictionary)
        wrong = list(self.offsets.check(len(self.members)))
        if wrong:
            yield from wrong
            return
        counts = np.diff(self.offsets.all())
        if len(self.members) and int(self.members.max()) >= count:
            yield f"a set has code {int(self.members.max())}, but there are {count} strings"
            return
        if self.postings.count != count:
            yield f"there are postings of {self.postings.count} strings, but {count} strings"
            return
        rows = np.repeat(np.arange(self.rows), counts)
        right = Postings.build(self.members, rows, count, self.rows)
        for code in self.postings.differences(right):
            value = self.dictionary.values[code].as_py()
            yield f"the postings of {value!r} hold other rows than the sets"
        for code in np.flatnonzero(np.bincount(self.members, minlength=count) == 0).tolist():
            yield f"no row has {self.dictionary.values[code].as_py()!r}"
        if self.present != bitmaps.from_mask(counts != 0):
            yield "the rows with a set are not those of the offsets"
