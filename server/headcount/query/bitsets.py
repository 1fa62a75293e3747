"""
Bitsets: words of rows that are joined in place and counted, by numpy or by CRoaring.

numpy lets go of the interpreter in every call. The other threads of a server then take it for up to
5 ms, and a count of some twenty calls of 3 µs waits for it again and again: 26 ms where it takes
0.05 by itself, beside one thread of Python. CRoaring, which comes with pyroaring, does the same in
functions that its wheel exports; called through `ctypes.PyDLL` they keep the interpreter. They
are as fast (3 µs for 2^20 rows), take off in one pass where numpy needs two, and count with the
processor's instructions for it: 3.5 µs for 9.4, or 5.4 for an intersection and 13.

    native     `bitset_inplace_*` of all words; `bitset_container_*` of 1,024 words each, counting;
               `bitset_flip_list` of rows in a list, 16 calls and 1 ns a row
    plain      numpy; where the functions are not there, or do not do what they should

Two threads gain nothing by a lock that is let go of every 3 µs: 1.1 ms for six conditions of 10M
contacts on one, 1.4 on two. Tried: `bitset_count` and the like (34 µs, without those instructions).
"""

from __future__ import annotations

import ctypes
import sys
from itertools import pairwise
from typing import Protocol

import numpy as np
import pyroaring

from headcount.index.bitmaps import Rows, Words

_CONTAINER = 1024  # words of a roaring container
_BIT = np.array([1 << bit for bit in range(8)], dtype=np.uint8)
_KNOWN = frozenset(("1.2.0",))  # versions of pyroaring whose layout of the structures is known


class _Bitset(ctypes.Structure):
    """CRoaring's `bitset_t`."""

    _fields_ = (
        ("array", ctypes.c_void_p),
        ("arraysize", ctypes.c_size_t),
        ("capacity", ctypes.c_size_t),
    )


class _Container(ctypes.Structure):
    """CRoaring's `bitset_container_t`."""

    _fields_ = (("cardinality", ctypes.c_int32), ("words", ctypes.c_void_p))


class Bits:
    """Words, and where C finds them: as a whole, and those of each container if all are whole."""

    __slots__ = ("_held", "address", "containers", "data", "words")

    def __init__(self, words: Words) -> None:
        """Take *words*, one after the other in memory."""
        assert words.flags.c_contiguous
        self.words = words
        self.data = words.ctypes.data
        whole = _Bitset(self.data, len(words), len(words))
        self.address = ctypes.addressof(whole)
        count = len(words) // _CONTAINER if len(words) % _CONTAINER == 0 else 0
        each = (_Container * count)()
        for number in range(count):
            each[number].words = self.data + number * _CONTAINER * 8
        start, size = ctypes.addressof(each), ctypes.sizeof(_Container)
        self.containers = [start + number * size for number in range(count)]
        self._held = whole, each


class Places:
    """Some rows, by container: where its words begin, and the rows in it as CRoaring lists them."""

    __slots__ = ("count", "listed", "steps")

    def __init__(self, rows: Rows) -> None:
        """Take *rows*, in any order; 2 bytes of each are kept."""
        self.count = len(rows)
        containers = rows >> 16
        order = np.argsort(containers, kind="stable")
        self.listed = rows[order].astype(np.uint16)  # the lower half of each
        edges = np.searchsorted(containers[order], np.arange(int(containers.max(initial=0)) + 2))
        self.steps = [
            (number * _CONTAINER * 8, self.listed.ctypes.data + 2 * start, stop - start)
            for number, (start, stop) in enumerate(pairwise(edges.tolist()))
            if start < stop
        ]

    def rows(self) -> Rows:
        """Return the rows, by container."""
        starts = [(at >> 3 << 6, count) for at, _, count in self.steps]
        found = [np.full(count, first, dtype=np.uint32) for first, count in starts]
        return self.listed + np.concatenate(found) if found else np.zeros(0, dtype=np.uint32)


class Kernels(Protocol):
    """What is done to bits of the same length; the first operand is changed in place."""

    def put(self, out: Bits, other: Bits) -> None:
        """Make *out* the same as *other*."""

    def unite(self, out: Bits, other: Bits) -> None:
        """Add the rows of *other*."""

    def meet(self, out: Bits, other: Bits) -> None:
        """Keep the rows of *other* alone."""

    def take_off(self, out: Bits, other: Bits) -> None:
        """Take the rows of *other* off."""

    def differ(self, out: Bits, other: Bits) -> None:
        """Add rows of *other* that are not there, take off those that are."""

    def flip(self, out: Bits, places: Places) -> None:
        """Add rows of *places* that are not there, take off those that are."""

    def add(self, out: Bits, places: Places) -> None:
        """Add the rows of *places*."""

    def count(self, bits: Bits) -> int:
        """Return how many rows there are."""

    def count_both(self, one: Bits, other: Bits) -> int:
        """Return how many rows two have in common."""


class Plain:
    """In numpy."""

    def put(self, out: Bits, other: Bits) -> None:
        np.copyto(out.words, other.words)

    def unite(self, out: Bits, other: Bits) -> None:
        np.bitwise_or(out.words, other.words, out=out.words)

    def meet(self, out: Bits, other: Bits) -> None:
        np.bitwise_and(out.words, other.words, out=out.words)

    def take_off(self, out: Bits, other: Bits) -> None:
        np.bitwise_and(out.words, ~other.words, out=out.words)

    def differ(self, out: Bits, other: Bits) -> None:
        np.bitwise_xor(out.words, other.words, out=out.words)

    def flip(self, out: Bits, places: Places) -> None:
        rows = places.rows()
        np.bitwise_xor.at(out.words.view(np.uint8), (rows >> 3).astype(np.intp), _BIT[rows & 7])

    def add(self, out: Bits, places: Places) -> None:
        rows = places.rows()
        np.bitwise_or.at(out.words.view(np.uint8), (rows >> 3).astype(np.intp), _BIT[rows & 7])

    def count(self, bits: Bits) -> int:
        return int(np.add.reduce(np.bitwise_count(bits.words), dtype=np.int64))

    def count_both(self, one: Bits, other: Bits) -> int:
        return int(np.add.reduce(np.bitwise_count(one.words & other.words), dtype=np.int64))


class Native:
    """
    In CRoaring, without letting go of the interpreter.

    Raises:
        AttributeError: it does not export what is needed.
    """

    def __init__(self) -> None:
        library, system = ctypes.PyDLL(pyroaring.__file__), ctypes.PyDLL(None)
        pointer = ctypes.c_void_p
        self._move = system.memmove
        self._move.argtypes, self._move.restype = (pointer, pointer, ctypes.c_size_t), pointer
        self._unite = library.bitset_inplace_union
        self._meet = library.bitset_inplace_intersection
        self._take_off = library.bitset_inplace_difference
        self._differ = library.bitset_inplace_symmetric_difference
        for function in (self._unite, self._meet, self._take_off, self._differ):
            function.argtypes, function.restype = (pointer, pointer), None
        self._flip, self._add = library.bitset_flip_list, library.bitset_set_list
        for function in (self._flip, self._add):
            function.argtypes, function.restype = (pointer, pointer, ctypes.c_uint64), None
        self._count = library.bitset_container_compute_cardinality
        self._count.argtypes, self._count.restype = (pointer,), ctypes.c_int
        self._count_both = library.bitset_container_and_justcard
        self._count_both.argtypes, self._count_both.restype = (pointer, pointer), ctypes.c_int
        self._plain = Plain()

    def put(self, out: Bits, other: Bits) -> None:
        self._move(out.data, other.data, out.words.nbytes)

    def unite(self, out: Bits, other: Bits) -> None:
        self._unite(out.address, other.address)

    def meet(self, out: Bits, other: Bits) -> None:
        self._meet(out.address, other.address)

    def take_off(self, out: Bits, other: Bits) -> None:
        self._take_off(out.address, other.address)

    def differ(self, out: Bits, other: Bits) -> None:
        self._differ(out.address, other.address)

    def flip(self, out: Bits, places: Places) -> None:
        data, flip = out.data, self._flip
        for at, listed, count in places.steps:
            flip(data + at, listed, count)

    def add(self, out: Bits, places: Places) -> None:
        data, add = out.data, self._add
        for at, listed, count in places.steps:
            add(data + at, listed, count)

    def count(self, bits: Bits) -> int:
        if not bits.containers:
            return self._plain.count(bits)
        return sum(map(self._count, bits.containers))

    def count_both(self, one: Bits, other: Bits) -> int:
        if not one.containers:
            return self._plain.count_both(one, other)
        return sum(map(self._count_both, one.containers, other.containers))


def agree(one: Kernels, other: Kernels, size: int) -> bool:
    """Return whether two kernels do the same to some bits of *size* words."""
    dice = np.random.default_rng(size)
    left, right, zero = (
        dice.integers(0, top, size, dtype=np.uint64, endpoint=True)
        for top in (~np.uint64(0), ~np.uint64(0), np.uint64(0))
    )
    places = Places(dice.permutation(64 * size)[: 3 * size].astype(np.uint32))
    found: list[list[object]] = [[], []]
    for kernels, said in zip((one, other), found, strict=True):
        first, second = Bits(left.copy()), Bits(right.copy())
        for step in (kernels.unite, kernels.take_off, kernels.differ, kernels.meet, kernels.put):
            first.words[:] = left
            step(first, second)
            said += [first.words.tobytes(), second.words.tobytes()]
            said += [kernels.count(first), kernels.count_both(first, Bits(left.copy()))]
        for change in (kernels.flip, kernels.add):
            first.words[:] = left
            change(first, places)
            said.append(first.words.tobytes())
        said.append(kernels.count(Bits(zero.copy())))
    return found[0] == found[1]


def _best() -> Kernels:
    """Return the kernels of CRoaring if they are there and right, else those of numpy."""
    plain = Plain()
    known = pyroaring.__version__ in _KNOWN and sys.platform == "linux" and sys.maxsize > 1 << 32
    if not known:
        return plain
    try:
        native = Native()
    except (OSError, AttributeError):  # another build of the same version
        return plain
    return native if agree(native, plain, 2 * _CONTAINER) else plain


kernels = _best()
