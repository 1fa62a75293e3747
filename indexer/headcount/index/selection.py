"""
A selection: the events whose text property has one of some values, by contact and then by time.

    positions    uint32[n]   where the events are in the log          4 bytes a selected event
    rows         uint32[n]   whose they are, ascending                4
    properties   the columns that were asked for, in this order       1 to 8

`did purchase where (category = "Books" and amount > 20)` goes through all purchases of its window,
then marks a byte for each contact. Of a selection only the books are read, and as a contact's
events lie side by side, contacts are counted by comparing neighbours. For "at least once" that is
done for 64 events at once:

    fits        0 1 0 0 | 1 | 0 0 | 1 1      one bit an event; bars part the contacts
    inner       1 1 1 0 | 0 | 1 0 | 1 0      all but the last event of each contact
    (fits & inner) + inner                   carries into the last bit if an inner one fits

so the bits `((fits & inner) + inner | fits) & ~inner` are as many as the contacts: sums of whole
numbers of n bits, 8 µs for 40,000 events, where neighbours take 40. On 43,000 of 160,000 events,
21,000 of them chosen: 0.04 ms, where going through the window takes 0.24.

One is made when its values are asked for again (2 ms for 43,000 events), and let go of when others
take its place: together they hold no more than half as many events as the log does. Rejected: one
for each value, made when the log is built, 12 bytes an event of which hardly any is ever asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.again import Again
from headcount.index.bitmaps import Mask
from headcount.index.columns import stable_order
from headcount.index.lazy import Lazy, held
from headcount.index.properties import EventProperty, StringProperty

Rows = npt.NDArray[np.uint32]
Codes = frozenset[int]

_SHARE = 2  # selections together have at most one in so many of the events of the log


@dataclass(frozen=True, eq=False)
class Selection:
    """Some events of a log, by contact; see the top of the file."""

    positions: Rows
    rows: Rows
    properties: Mapping[str, EventProperty]

    @classmethod
    def build(
        cls, positions: npt.NDArray[Any], log_rows: Rows, columns: Mapping[str, EventProperty]
    ) -> Selection:
        """Return the events at *positions* (ascending) of a log; 50 ms per million of them."""
        order = stable_order(log_rows.take(positions))
        ordered = positions.take(order)
        return cls(
            ordered.astype(np.uint32),
            log_rows.take(ordered),
            Lazy(columns, lambda name: columns[name].at(ordered)),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def within(self, start: int, stop: int, size: int) -> Mask | None:
        """Return which are at positions *start* to *stop* of a log of *size*; None for all."""
        found: Mask | None = None
        if start > 0:
            found = self.positions >= np.uint32(start)
        if stop < size:
            before = self.positions < np.uint32(stop)
            found = before if found is None else np.logical_and(found, before, out=found)
        return found

    def at_least(self, n: int, fits: Mask) -> BitMap:
        """Return the rows with *n* (1 or more) events that *fits* (bool[n]) is true of, fresh."""
        rows = self.rows.compress(fits)
        return bitmaps.from_sorted(rows.compress(_nth(rows, n)))

    def count_at_least(self, n: int, fits: Mask) -> int:
        """Return how many rows `at_least` holds."""
        if n > 1:
            return int(np.count_nonzero(_nth(self.rows.compress(fits), n)))
        chosen = _as_bits(fits)
        inner = self._inner
        return ((((chosen & inner) + inner) | chosen) & ~inner).bit_count()

    def memory(self) -> int:
        """Return the bytes held."""
        columns = sum(column.memory() for column in held(self.properties).values())
        return self.positions.nbytes + self.rows.nbytes + columns

    @cached_property
    def _inner(self) -> int:
        """A bit for each event that another of its contact comes after."""
        return _as_bits(np.append(self.rows[1:] == self.rows[:-1], False)[: len(self)])


class Selections:
    """The selections of one log that were asked for lately. Any thread may ask."""

    def __init__(self, log_rows: Rows, columns: Mapping[str, EventProperty]) -> None:
        """Take the log's events: whose they are, and its properties, which may be made later."""
        self.log_rows = log_rows
        self.columns = columns
        self._most = len(log_rows) // _SHARE
        self._selections: Again[tuple[str, Codes], Selection] = Again(self._most, len)

    def get(self, name: str, codes: Codes, *, now: bool = False) -> Selection | None:
        """
        Return the events whose text property *name* has one of *codes*.

        None if they are too many, or were not asked for before: they are made *now*, or the next
        time.
        """
        return self._selections.get((name, codes), lambda: self._made(name, codes), now=now)

    def _made(self, name: str, codes: Codes) -> Selection | None:
        column = self.columns[name]
        assert isinstance(column, StringProperty), name
        positions = np.flatnonzero(column.among(codes))
        if len(positions) > self._most:
            return None
        return Selection.build(positions, self.log_rows, self.columns)

    def memory(self) -> int:
        """Return the bytes held."""
        return sum(selection.memory() for selection in self._selections.values())


def _nth(rows: Rows, n: int) -> Mask:
    """Return which of *rows* (ascending) are the n-th of equal ones."""
    if n == 1:
        return np.append(True, rows[1:] != rows[:-1])[: len(rows)]
    found = np.zeros(len(rows), dtype=np.bool_)
    if len(rows) >= n:
        found[n - 1 :] = rows[n - 1 :] == rows[: len(rows) - n + 1]
        found[n:] &= rows[n:] != rows[: len(rows) - n]
    return found


def _as_bits(mask: Mask) -> int:
    return int.from_bytes(np.packbits(mask, bitorder="little").data, "little")
