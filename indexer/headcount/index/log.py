"""
The log: every event of one type in a block, as (time, row) pairs in that order.

It is the truth about events; tallies and recency are worked out from it and checked against it.
A window is a stretch of the log, found by binary search, exact to the microsecond. Eight bytes an
event: the row as uint32, the time as in `Timeline`.

Sorting is nearly all of what building costs: 5M events 0.4 s. Time and row are packed into one
64-bit key where they fit, because sorting by two keys takes 1.7 s; an input in order is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.columns import stable_order
from headcount.index.interval import Interval
from headcount.index.parts import Part, Parts
from headcount.index.timeline import Instants, Timeline, largest_unit

Rows = npt.NDArray[np.uint32]
Order = npt.NDArray[np.int64]

_KEY_BITS = 63  # keys are int64: numpy sorts them 5 % faster than uint64


@dataclass(frozen=True, eq=False)
class Log:
    """Events sorted by time, then row: `rows` uint32[size], and the `timeline` of their times."""

    rows: Rows
    timeline: Timeline

    @classmethod
    def build(cls, rows: Rows, instants: Instants) -> tuple[Log, Order]:
        """
        Return the log of events given in any order, and the order: event i was given as order[i].

        Events with the same row and time stay in the order given.
        """
        order = _order(rows, instants)
        return cls(rows[order], Timeline.build(instants[order])), order

    def __len__(self) -> int:
        return len(self.rows)

    def slice(self, interval: Interval) -> tuple[int, int]:
        """Return the positions (start, stop) of the events in *interval*; 5 µs."""
        start = self.timeline.before(interval.low)
        return start, max(start, self.timeline.before(interval.high + 1))

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the log as parts named under *prefix*."""
        yield parts_of.array(f"{prefix}rows", self.rows)
        yield from self.timeline.parts(f"{prefix}times/")

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str) -> Log:
        """Return the log that `parts` wrote under *prefix*."""
        rows = strings.aligned(parts.array(f"{prefix}rows"))
        return cls(rows, Timeline.from_parts(parts, f"{prefix}times/"))

    def memory(self) -> int:
        """Return the bytes held."""
        return self.rows.nbytes + self.timeline.memory()

    def check(self, rows: int) -> Iterator[str]:
        """Yield a sentence if the log is out of order or names a row that the block lacks."""
        if len(self.rows) != len(self.timeline):
            yield f"log: {len(self.rows)} rows, but {len(self.timeline)} times"
            return
        outside = np.flatnonzero(self.rows >= rows)
        if len(outside):
            yield f"log: event {outside[0]} is of row {self.rows[outside[0]]}, of {rows} rows"
        times = self.timeline.decode()
        later = times[1:] > times[:-1]
        together = (times[1:] == times[:-1]) & (self.rows[1:] >= self.rows[:-1])
        wrong = np.flatnonzero(~(later | together))
        if len(wrong):
            yield f"log: event {wrong[0] + 1} does not come after event {wrong[0]}"


def _order(rows: Rows, instants: Instants) -> Order:
    """Return the permutation that sorts by (instant, row), equal pairs left as they are."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    above = instants - instants.min()
    above //= largest_unit(above)
    row_bits = int(rows.max()).bit_length()
    if int(above.max()).bit_length() + row_bits <= _KEY_BITS:
        above <<= row_bits
        above |= rows
        if np.all(above[1:] >= above[:-1]):
            return np.arange(len(above))
        return stable_order(above.view(np.uint64))
    order = np.argsort(above, kind="stable")
    return _sort_ties(order, above, rows)


def _sort_ties(order: Order, instants: Instants, rows: Rows) -> Order:
    """Return *order*, which sorts by instant, with runs of one instant sorted by row as well."""
    ordered = instants[order]
    same = ordered[1:] == ordered[:-1]
    tied = np.append(same, False) | np.append(False, same)
    among = order[tied]
    order[tied] = among[np.lexsort((rows[among], instants[among]))]
    return order
