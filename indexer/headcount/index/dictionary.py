"""
A dictionary: the distinct strings of a field in a block, numbered.

A code is a string's place in the order of keys (then of spellings), by UTF-8 bytes. Strings that
compare equal but are spelt differently (`Pro`, `PRO`) have codes of their own, side by side, so
that the original spelling comes back. Strings stay in Arrow, about 4 bytes and their text each; as
Python objects they would take 60 bytes more.

Looking a key up takes 0.1 µs in a small dictionary (a Python dict, made when first needed) and 8 µs
by bisection in a large one.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.columns import narrowed
from headcount.index.parts import Part, Parts
from headcount.model import fold
from headcount.model.schema import Field

_SMALL = 4096  # strings; a dict of them takes about 0.6 MB
_FEW = 64  # strings that are put in order faster in Python
_NONE = pa.array([], pa.string())
_MANY = 200  # keys; from here on, one pass over a large dictionary is faster than bisections


class Dictionary:
    """Distinct strings (`values`), the form they are compared in (`keys`), and their codes."""

    def __init__(self, values: pa.StringArray, keys: pa.StringArray) -> None:
        """Take *values*, and their *keys*, in order; one object when every string is its key."""
        self.values = values
        self.keys = keys
        offsets, data = strings.views(keys)
        self._offsets = offsets.data
        self._data = data.data

    @classmethod
    def encode(cls, values: pa.StringArray, field: Field) -> tuple[Dictionary, npt.NDArray[Any]]:
        """
        Return the dictionary of *values* and the code of each, the dictionary's length for null.

        Codes are in the narrowest unsigned dtype. About 20 ms per million rows, and 1 µs for each
        distinct string; 60 µs for a hundred rows.
        """
        if values.null_count == len(values):
            return cls(_NONE, _NONE), np.zeros(len(values), dtype=np.uint8)
        encoded = strings.plain(values).dictionary_encode()
        indices = encoded.indices.fill_null(-1) if encoded.null_count else encoded.indices
        places = indices.to_numpy()
        if len(encoded.dictionary) <= _FEW:
            dictionary, ranks = cls._of_few(encoded.dictionary.to_pylist(), field)
            return dictionary, ranks[places]
        distinct = strings.compact(encoded.dictionary)
        keys = fold.keys(distinct, field)
        columns = {"key": keys, "value": distinct}
        order = pc.sort_indices(
            pa.table(columns), sort_keys=[(name, "ascending") for name in columns]
        )
        ordered = distinct.take(order)
        dictionary = cls(ordered, ordered if keys is distinct else keys.take(order))
        ranks = np.empty(len(distinct) + 1, dtype=np.int64)
        ranks[order.to_numpy()] = np.arange(len(distinct))
        ranks[-1] = len(distinct)  # null is encoded as -1
        return dictionary, narrowed(ranks, len(distinct))[places]

    @classmethod
    def _of_few(cls, texts: list[str], field: Field) -> tuple[Dictionary, npt.NDArray[np.uint8]]:
        """Return the dictionary of distinct *texts*, and the code of each, then of null."""
        keyed = sorted((fold.field_key(text, field), text, at) for at, text in enumerate(texts))
        ranks = np.full(len(texts) + 1, len(texts), dtype=np.uint8)  # null is encoded as -1
        ranks[[at for _, _, at in keyed]] = np.arange(len(texts))
        values = pa.array([text for _, text, _ in keyed], pa.string())
        same = all(key == text for key, text, _ in keyed)
        keys = values if same else pa.array([key for key, _, _ in keyed], pa.string())
        return cls(values, keys), ranks

    def __len__(self) -> int:
        return len(self.values)

    def lookup(self, key: str) -> tuple[int, ...]:
        """Return the codes of the strings whose key is *key*."""
        if len(self) <= _SMALL:
            return self._codes.get(key, ())
        wanted = key.encode()
        start = bisect_left(range(len(self)), wanted, key=self._key)
        stop = start
        while stop < len(self) and self._key(stop) == wanted:
            stop += 1
        return tuple(range(start, stop))

    def lookup_all(self, keys: Collection[str]) -> list[int]:
        """Return the codes of the strings whose key is one of *keys*, unique, in no order."""
        if len(self) <= _SMALL or len(keys) < _MANY:
            return [code for key in set(keys) for code in self.lookup(key)]
        found = pc.is_in(self.keys, value_set=pa.array(list(keys), pa.string()))
        codes: list[int] = np.flatnonzero(found).tolist()
        return codes

    def memory(self) -> int:
        """Return the heap bytes held, with the dict of `lookup` once it is made."""
        total = strings.memory(self.values, self.keys)
        codes: dict[str, tuple[int, ...]] = self.__dict__.get("_codes", {})
        if codes:
            total += sys.getsizeof(codes)
            total += sum(sys.getsizeof(key) + 80 for key in codes)  # a tuple of one int each
        return total

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the dictionary as parts named under *prefix*; keys only where they differ."""
        yield parts_of.strings(f"{prefix}/values", self.values)
        if self.keys is not self.values:
            yield parts_of.strings(f"{prefix}/keys", self.keys)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> Dictionary:
        """Return the dictionary that `parts` wrote under *prefix*."""
        values = parts.strings(f"{prefix}/values")
        own = f"{prefix}/keys"
        return cls(values, parts.strings(own) if own in parts else values)

    def check(self, field: Field) -> Iterator[str]:
        """Yield what disagrees: keys with strings, and both with their order."""
        if not fold.keys(self.values, field).equals(self.keys):
            yield "a key is not the folded form of its string"
        keys, values = self.keys.to_pylist(), self.values.to_pylist()
        for code in range(1, len(self)):
            if (keys[code - 1], values[code - 1]) >= (keys[code], values[code]):
                yield f"string {code} ({values[code]!r}) is out of order"
                return

    @cached_property
    def _codes(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for code, key in enumerate(self.keys.to_pylist()):
            found[key] = (*found.get(key, ()), code)
        return found

    def _key(self, code: int) -> bytes:
        return self._data[self._offsets[code] : self._offsets[code + 1]].tobytes()
