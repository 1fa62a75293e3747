"""
Marks: which events are the n-th newest of their contact, so that counting bits counts contacts.

    log, by time    |  |||  ||  | |||| ||   ||||  |  ||
    checkpoints     0           1           2           (end)
    window             [------------------------------
    marks, n = 3       ..1....1..1...               at checkpoint 1: so many have 3 already

A contact has n events from some position of the log to its end exactly if its n-th newest is not
before that position. So as many contacts have them as events there are marked: those that a
checkpoint of `Tallies` knows to have n at once, and a bit for each event from the position to the
checkpoint. That is exact at any position, and costs the same for any n, any length of the window
and any number of events: 15 µs for 2^20 contacts, where two checkpoints took 250.

The bits of one gap between checkpoints and one n are made when they are asked for a second time: a
sort of the gap's events, 5 to 10 ms, so one question alone never pays for it. A window that keeps
pace with the clock stays in one gap for long. An eighth of a byte for each event of the gap, and
only the last few are kept. Rejected: the marks of every n for the whole log, built when it is
loaded (a byte an event, and 40 ms per million); positions of the marked (up to 4 bytes an event).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from headcount.index.again import Again
from headcount.index.columns import stable_order
from headcount.index.tallies import Tallies

Rows = npt.NDArray[np.uint32]
Counts = npt.NDArray[Any]  # of unsigned integers

_KEPT = 8  # gaps, each with its n: 256 KiB together where a gap has 256K events
_WORD = 64
_NOBODY = np.uint32(0xFFFFFFFF)  # no row


class _Gap(NamedTuple):
    """How many have n events after the gap, and a bit for each event that is the n-th newest."""

    reached: int
    words: npt.NDArray[np.uint64]


class Marks:
    """The marks of one log. Any thread may ask."""

    def __init__(self, tallies: Tallies, log_rows: Rows) -> None:
        """Take the *tallies* of a log whose events are those of *log_rows* (uint32[size])."""
        self._tallies = tallies
        self._log_rows = log_rows
        starts = [tallies.checkpoint(index) for index in range(tallies.checkpoints)]
        self._edges = [*(starts or [0]), tallies.size]
        self._gaps: Again[tuple[int, int], _Gap] = Again(_KEPT)

    def count(self, n: int, start: int, *, now: bool = False) -> int | None:
        """
        Return how many rows have *n* (1 or more) events from position *start* (below size) on.

        None where marks have to be made first, and were not asked for before: they are made *now*,
        or the next time.
        """
        gap = bisect_right(self._edges, start) - 1
        held = self._gaps.get((gap, n), lambda: self._made(gap, n), now=now)
        if held is None:
            return None
        word, bit = divmod(start - self._edges[gap], _WORD)
        first = int(held.words[word]) >> bit
        rest = int(np.bitwise_count(held.words[word + 1 :]).sum())
        return held.reached + first.bit_count() + rest

    def memory(self) -> int:
        """Return the bytes held."""
        return sum(held.words.nbytes for held in self._gaps.values())

    def _made(self, gap: int, n: int) -> _Gap:
        low, high = self._edges[gap], self._edges[gap + 1]
        later = self._later(gap + 1)
        reached = int(np.count_nonzero(later >= n))
        rows = self._log_rows[low:high]
        # An event's mark depends on what its row still lacks after the gap, and so on the row's own
        # events of the gap alone: in the order of row and time, the one that many from its last.
        had = later.take(rows)
        candidates = np.flatnonzero(had < n)
        order = candidates.take(stable_order(rows.take(candidates)))
        owners = rows.take(order)
        last = np.arange(n - 1, n - 1 + len(order)) - had.take(order)
        ends = np.append(owners, _NOBODY)
        is_nth = ends.take(np.minimum(last, len(order))) == owners
        is_nth &= ends.take(np.minimum(last + 1, len(order))) != owners
        marked = np.zeros(-(-(high - low) // _WORD) * _WORD, dtype=np.bool_)
        marked[order.compress(is_nth)] = True
        return _Gap(reached, np.packbits(marked, bitorder="little").view("<u8"))

    def _later(self, checkpoint: int) -> Counts:
        """Return how many events each row has from a checkpoint on, not to be changed."""
        tallies, busy = self._tallies, self._tallies.busy
        if checkpoint >= tallies.checkpoints:
            return np.zeros(tallies.rows, dtype=np.uint8)
        found: Counts = tallies.counts[checkpoint]
        if len(busy.rows):
            found = found.astype(np.uint32)
            found[busy.rows] = busy.between(tallies.checkpoint(checkpoint), tallies.size)
        return found
