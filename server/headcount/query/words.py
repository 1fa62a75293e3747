"""
Words: rows of a block as plain bits, and the postings that are kept in that form beside their own.

    words     uint64[rows / 64]; bit r % 64 of word r // 64 is row r; 128 KiB for 2^20 rows

A roaring bitmap is worked on container by container, each result counted and put on the heap: an
`&` or `|` of two dense ones takes 6 to 8 µs for 2^20 rows, 20 to 50 where one has 3 to 6 % of the
rows as sorted lists, and a range is made in 65. Words are joined in place in 3 µs, whatever the
rows are, and counted in 4 (`bitsets`).

`WordTwins` holds what is asked for often as words, named by what it holds: values' rows, flags, and
*prefixes*, from which a whole union or range is two operands. They belong to a block, and are right
as long as it is there, because its rows and fields never change. Making one takes 20 to 150 µs, so
it is made when it was asked for `_ASKED` times. Bytes are bounded, for each contact and altogether;
when they are used up no more are made, and what has none is worked out from roaring bitmaps. A
block that refuses again and again, because other things are asked by now (a window moves on with
the clock), forgets all that it has and begins anew.

Tried: arenas of 4 MiB with huge pages, in place of an array each (290 operands from memory: 3.1 ms
and 3.1); bits as Python integers (`bit_count` takes 68 µs for 2^20).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from threading import Lock, local

import numpy as np
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block, Identity
from headcount.query.bitsets import Bits

DEFAULT_BYTES = 512 << 20
_BYTES_A_ROW = 16  # of twins, at most: 128 operands

_ASKED = 3  # times that an operand is wanted before it is made
_REFUSED = 4  # times as many operands as are held: from here on those are of no more use
_REMEMBERED = 10_000  # operands of a block of which it is known how often they were wanted

_SIZES = 8  # of blocks that a thread keeps words to work in for


class _Spare(local):
    """Bits of a thread's own to work in, by their number of words."""

    def __init__(self) -> None:
        self.held: dict[int, list[Bits]] = {}


_spare = _Spare()


def spare(size: int, depth: int) -> Bits:
    """Return *size* words to work in, of this thread's own; others for each *depth*."""
    held = _spare.held.get(size)
    if held is None:
        if len(_spare.held) >= _SIZES:
            _spare.held.clear()
        held = _spare.held[size] = []
    while len(held) <= depth:
        held.append(Bits(np.empty(size, dtype=np.uint64)))
    return held[depth]


class WordTwins:
    """
    Postings and prefixes of the blocks of a workspace as words, at most *capacity* bytes.

    Any thread may ask. The words are shared: nobody changes them.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        self.capacity = capacity
        self._lock = Lock()
        self._counted = 0
        self._held: weakref.WeakKeyDictionary[Identity, OfBlock] = weakref.WeakKeyDictionary()

    @property
    def bytes(self) -> int:
        """Return how many bytes the twins take."""
        with self._lock:
            self._counted = sum(held.bytes for held in self._held.values())
            return self._counted

    def has_room(self, more: int) -> bool:
        """Return whether so many bytes *more* may be taken."""
        # What was counted once is not less now, unless blocks are gone: then it is counted anew.
        return self._counted + more <= self.capacity or self.bytes + more <= self.capacity

    def take(self, more: int) -> None:
        """Note that so many bytes *more* are taken, or as many less."""
        with self._lock:
            self._counted += more

    def of(self, block: Block) -> OfBlock:
        """Return the twins of *block*, which its versions share."""
        found = self._held.get(block.identity)
        if found is None:
            with self._lock:
                found = self._held.setdefault(block.identity, OfBlock(self, block.rows))
        return found


class OfBlock:
    """
    The twins of one block.

    `notes` is for what others work out from them, and forget with the block.
    """

    def __init__(self, twins: WordTwins, rows: int) -> None:
        self._twins = weakref.ref(twins)
        self._capacity = rows * _BYTES_A_ROW
        self._rows = rows
        self._made: dict[Hashable, Bits] = {}
        self._asked: dict[Hashable, int] = {}
        self._live: tuple[BitMap, Bits] | None = None
        self._lock = Lock()
        self._refused = 0
        self.bytes = 0
        self.notes: dict[Hashable, object] = {}

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another one."""
        twins, more = self._twins(), self._rows // 8
        return twins is None or self.bytes + more > self._capacity or not twins.has_room(more)

    def get(self, name: Hashable, make: Callable[[], BitMap]) -> Bits | None:
        """Return the rows that *make* gives; None if they are no words yet, or there is no room."""
        found = self._made.get(name)
        if found is not None:
            return found
        with self._lock:
            return self._wanted(name, make)

    def _wanted(self, name: Hashable, make: Callable[[], BitMap]) -> Bits | None:
        if len(self._asked) >= _REMEMBERED:
            self._asked.clear()
        asked = self._asked[name] = self._asked.get(name, 0) + 1
        found = self._made.get(name)
        if found is not None or asked < _ASKED:
            return found
        if self.is_full:
            self._refused += 1
            if self._refused > _REFUSED * len(self._made):
                self._forget()
            return None
        found = self._made[name] = Bits(bitmaps.to_words(make(), self._rows))
        self._take(found.words.nbytes)
        return found

    def live(self, live: BitMap) -> Bits:
        """Return *live*, those of the version of the block that was asked about last."""
        with self._lock:
            held = self._live
            if held is None or held[0] is not live:
                bits = Bits(bitmaps.to_words(live, self._rows))
                if held is None:
                    self._take(bits.words.nbytes)
                held = self._live = live, bits
            return held[1]

    def _take(self, more: int) -> None:
        self.bytes += more
        twins = self._twins()
        if twins is not None:
            twins.take(more)

    def _forget(self) -> None:
        """Begin anew: nothing is held, and nothing was asked for."""
        self._take(-self.bytes)
        self._made, self._asked, self.notes = {}, {}, {}
        self._live = None
        self._refused = 0
