"""
Reached: who has at least n events of one source, in a large index and small newer ones beside it.

    base 5,000,000 │ 60,000 │ 9,000 ┊ 500 │ 500 │ 500
    └─ reached so far, remembered ─┘ └ loose: each time ┘

What a further index adds follows from what was reached before it: with A(k) the rows with k events
up to there, and B(j) those with j events in it,

    at least n  =  A(n)  or  A(n - 1) and B(1)  or  A(n - 2) and B(2)  or ...  or  B(n)

where B(j) is soon empty. A commit adds one small index, and joins some of the last: what was
reached before those is remembered, so a query after a commit looks at some thousand new events,
however many came since the base was made. Rejected: putting all newer events in order each time,
6 ms of CPU for `opened >= 3` once 160,000 had come.

Where many levels k would be asked for (a large n, contacts with many newer events), all events are
counted instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.bitmaps import Mask, Rows
from headcount.index.block import Pieces
from headcount.index.events import EventIndex
from headcount.index.interval import Interval
from headcount.query.expressions import Source
from headcount.query.results import Recall

Chosen = Callable[[EventIndex], Mask | None]

_LOOSE = 2_000  # events of an index that is looked at each time
_SPARSE = 8  # with fewer than one event in so many rows, those that have any are put in order
_FEW_LEVELS = 8  # each is another question to the base, and remembered


class Reached:
    """How often the contacts of a block have events of a *source* in an *interval*."""

    def __init__(
        self,
        source: Source,
        interval: Interval,
        pieces: Pieces,
        chosen: Chosen,
        recall: Recall | None,
    ) -> None:
        """
        Take the indexes that hold the events, the base first.

        *chosen* returns which events of an index in the interval fit, None if all do; *recall* is
        asked for what was found in older ones.
        """
        base, *newer = pieces
        self._source = source
        self._interval = interval
        self._chosen = chosen
        self._recall = recall
        self._rows = base.rows
        self._firm = [base, *(piece for piece in newer if piece.size > _LOOSE)]
        self._newer = newer
        self._loose = _Loose([self._events(piece) for piece in newer if piece.size <= _LOOSE])
        self._asked = [(piece.serial, *piece.slice(interval)) for piece in self._firm]

    def within(self, low: int, high: int | None) -> BitMap:
        """Return the rows with *low* events at least (1 or more), *high* at most; maybe shared."""
        deepest = low if high is None else high + 1
        few = 1 if self._recall is None else _FEW_LEVELS
        if deepest > few and self._peak >= few:
            counts = self._counts()
            fits = counts >= low if high is None else (counts >= low) & (counts <= high)
            return bitmaps.from_mask(fits)
        enough = self._at_least(low)
        if high is None or not enough:
            return enough
        return enough - self._at_least(high + 1)

    @property
    def _peak(self) -> int:
        """The most newer events that a row can have; small indexes do not know theirs yet."""
        return sum(piece.peak for piece in self._newer)

    def _at_least(self, n: int) -> BitMap:
        return self._further(n, self._loose.at_least, len(self._firm))

    def _further(self, n: int, newer: Callable[[int], BitMap], firm: int) -> BitMap:
        """Return the rows with *n* events in the first *firm* indexes and the one behind them."""
        found = self._in_firm(n, firm)
        for more in range(1, n + 1):
            rows = newer(more)
            if not rows:
                break
            found = found | (rows if more == n else rows & self._in_firm(n - more, firm))
        return found

    def _in_firm(self, n: int, firm: int) -> BitMap:
        """Return the rows with *n* events in the first *firm* indexes, maybe shared."""
        asked = "reached", self._source, tuple(self._asked[:firm]), n
        found = None if self._recall is None else self._recall.get(asked)
        if found is not None:
            return found
        at_least = self._of(self._firm[firm - 1])
        found = at_least(n) if firm == 1 else self._further(n, at_least, firm - 1)
        if self._recall is not None:
            self._recall.keep(asked, found)
        return found

    def _of(self, index: EventIndex) -> Callable[[int], BitMap]:
        """Return what gives the rows with k events in one index."""
        chosen = self._chosen(index)
        if index is self._firm[0] or index.size * _SPARSE > self._rows:
            return lambda k: index.at_least(k, self._interval, chosen)
        whole = index.slice(self._interval) == (0, index.size) and chosen is None
        return _Loose([index.owners.rows if whole else self._events(index)]).at_least

    def _events(self, index: EventIndex) -> Rows:
        """Return the row of each event of an index that counts."""
        start, stop = index.slice(self._interval)
        rows = index.log_rows[start:stop]
        chosen = self._chosen(index) if start < stop else None
        return rows if chosen is None else rows.compress(chosen)

    def _counts(self) -> npt.NDArray[np.uint32]:
        """Return how many events each row has."""
        base, *newer = self._firm
        counts = base.counts(self._interval, self._chosen(base))
        for rows in (*map(self._events, newer), self._loose.rows):
            np.add.at(counts, rows.astype(np.intp), np.uint32(1))
        return counts


class _Loose:
    """The rows of some thousand events."""

    def __init__(self, rows: Sequence[Rows]) -> None:
        self.rows = np.sort(np.concatenate(rows)) if rows else np.zeros(0, dtype=np.uint32)

    def at_least(self, n: int) -> BitMap:
        """Return those of *n* events."""
        rows = self.rows
        return bitmaps.from_rows(rows[n - 1 :][rows[n - 1 :] == rows[: max(0, len(rows) - n + 1)]])
