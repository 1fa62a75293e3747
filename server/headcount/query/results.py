"""
Results: the rows that conditions held in earlier queries, remembered for later ones.

    (block, zone and day, condition)  →  rows     bounded in bytes, the least recently used go first

A person who edits one condition of ten asks the other nine again, and a thousand segments share
their conditions. A block's rows and fields never change, so what was found in them stays right for
as long as some version of the block is there: versions share an `identity`, and what is asked of
events names the indexes that it was asked of. A write moves contacts to a small block, whose
conditions are worked out anew, and leaves those of the large ones as they are. One memory serves
every engine of a server.

What conditions mean depends on the time zone and the day (`month(t)`, `anniversary(d)`); instants
are in the conditions themselves. What is known to be the same on every day is remembered for all
days: a timeless segment is asked as of day 0, and shares it with those that are not. Who asks says
what is worth remembering: a posting that an index hands out is not. Rows of deleted contacts may be
in what is remembered, as in what an index gives.

Bytes are those that the allocator hands out, keys included. Looking up takes 1 to 2 µs.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from itertools import count
from threading import Lock

from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block, Identity
from headcount.model.schema import EventType, Field
from headcount.query.clock import Clock
from headcount.query.settled import is_of_any_day

DEFAULT_BYTES = 256 << 20

_HELD_A_BLOCK = 100  # entries looked through for each block that is gone, 10 µs
_ENTRY_BYTES = 400  # a place in the dictionary, the tuples around key and rows
_NODE_BYTES = 64  # of a key: an object, or a number in a tuple
_TEXT_BYTES = 120  # a string of some 20 characters and its place in a set

_PLAIN = frozenset((int, float, str, bool, type(None)))  # most of a key, so looked at first

Sets = tuple[BitMap, ...]
Key = tuple[int, Hashable, Hashable]  # the block's serial number, the scope, what was asked


@dataclass(frozen=True, slots=True)
class Usage:
    """What is remembered, and how often that helped since the beginning."""

    entries: int
    bytes: int
    capacity: int
    hits: int
    misses: int


class Results:
    """
    Remembers rows by block and condition, at most *capacity* bytes of them; with 0 it is off.

    Any thread may ask. The bitmaps are shared: nobody changes them.
    """

    def __init__(self, capacity: int = DEFAULT_BYTES) -> None:
        assert capacity >= 0, capacity
        self.capacity = capacity
        self._lock = Lock()
        self._held: OrderedDict[Key, tuple[Sets, int]] = OrderedDict()
        self._bytes = 0
        self._hits = self._misses = 0
        # An identity is known by a number that is never used again: `id` is, once it is gone.
        self._serials: dict[int, tuple[weakref.ref[Identity], int]] = {}
        self._next = count()
        self._gone: deque[tuple[int, int]] = deque()  # id and serial of identities that are no more

    def of(self, block: Block, clock: Clock) -> Recall | None:
        """Return what is remembered of *block* for queries with this zone and day; None if off."""
        if not self.capacity:
            return None
        identity = block.identity
        with self._lock:
            # Looking through all that is held is worth it for some share of it only.
            if len(self._gone) * _HELD_A_BLOCK > len(self._held):
                self._forget_gone()
            known = self._serials.get(id(identity))
            if known is None or known[0]() is not identity:
                serial = next(self._next)
                reference = weakref.ref(identity, _noting(self._gone, (id(identity), serial)))
                known = self._serials[id(identity)] = (reference, serial)
        return Recall(self, known[1], _scope(clock))

    def usage(self) -> Usage:
        """Return how much is remembered."""
        with self._lock:
            return Usage(len(self._held), self._bytes, self.capacity, self._hits, self._misses)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self._bytes = 0

    def _get(self, key: Key) -> Sets | None:
        with self._lock:
            found = self._held.get(key)
            if found is None:
                self._misses += 1
                return None
            self._hits += 1
            self._held.move_to_end(key)
            return found[0]

    def _keep(self, key: Key, sets: Sets) -> None:
        size = sum(map(bitmaps.memory, sets)) + _key_bytes(key) + _ENTRY_BYTES
        if size > self.capacity:
            return
        with self._lock:
            before = self._held.pop(key, None)
            if before is not None:
                self._bytes -= before[1]
            self._held[key] = (sets, size)
            self._bytes += size
            while self._bytes > self.capacity:
                _, (_, freed) = self._held.popitem(last=False)
                self._bytes -= freed

    def _forget_gone(self) -> None:
        """Forget blocks of which nobody holds a version any more."""
        serials = set()
        while self._gone:
            place, serial = self._gone.popleft()
            serials.add(serial)
            if place in self._serials and self._serials[place][1] == serial:
                del self._serials[place]
        for key in [key for key in self._held if key[0] in serials]:
            self._bytes -= self._held.pop(key)[1]


OFF = Results(0)


@dataclass(frozen=True, slots=True)
class Recall:
    """What is remembered of one block for one zone and day."""

    results: Results
    serial: int
    scope: tuple[str | None, int]

    def get(self, asked: Hashable) -> BitMap | None:
        """Return the rows of what was asked, shared; None if they are not remembered."""
        found = self.results._get(self._key(asked))
        return None if found is None else found[0]

    def keep(self, asked: Hashable, rows: BitMap) -> None:
        """Remember the rows of what was asked."""
        self.results._keep(self._key(asked), (rows,))

    def sets(self, asked: Hashable) -> Sets | None:
        """Return the sets that were kept together, shared; None if they are not remembered."""
        return self.results._get((self.serial, self.scope, asked))

    def keep_sets(self, asked: Hashable, sets: Sets) -> None:
        """Remember several sets, which are answers to one question."""
        self.results._keep((self.serial, self.scope, asked), sets)

    def _key(self, asked: Hashable) -> Key:
        return self.serial, self.scope[0] if is_of_any_day(asked) else self.scope, asked


def _scope(clock: Clock) -> tuple[str | None, int]:
    """Return what a condition means besides itself: where clocks show what, and which day it is."""
    return clock.zone.key, clock.today


def _noting(
    gone: deque[tuple[int, int]], which: tuple[int, int]
) -> Callable[[weakref.ref[Identity]], None]:
    """Return what is called when an identity is freed: in any thread, maybe with the lock held."""
    return lambda _: gone.append(which)


def _key_bytes(key: object) -> int:
    """Return about how many bytes a key holds; what others hold anyway is not counted."""
    if type(key) in _PLAIN:
        return _NODE_BYTES
    if isinstance(key, frozenset):
        return _NODE_BYTES + _TEXT_BYTES * len(key)
    if isinstance(key, tuple):
        return _NODE_BYTES + sum(map(_key_bytes, key))
    if isinstance(key, Field | EventType) or type(key).__hash__ is object.__hash__:
        return 0  # of the schema; a node of a plan
    slots: tuple[str, ...] = getattr(type(key), "__slots__", ())
    return _NODE_BYTES + sum(_key_bytes(getattr(key, name)) for name in slots)
