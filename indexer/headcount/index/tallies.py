"""
Tallies: how many events each contact has from a checkpoint of the log to its end.

    log, by time    |  |||  ||  | |||| ||   ||||  |  ||
    checkpoints     0           1           2           (end)
    counts[i]       one number per contact: its events at or after checkpoint i
    window                  [---------------)

The events of a window are the tally at its start minus the tally at its end, and a tally anywhere
is the nearest checkpoint's plus or minus the few events between: two passes over one byte a contact
and at most half a gap of events at either end. So any window and any n cost the same, whether it
ends now or in the past, however many events there are: gaps are a number of events that depends on
the rows of the block alone, and every further event buys its share of a checkpoint.

Counts are kept modulo 256. That is exact for a contact that has at most 255 events in all; the few
that have more are *busy*, and theirs are counted from the positions of their events (`BusyRows`).
So one contact with a million events does not make four bytes of every count. Where the busy hold
much of the log, counts are modulo 2^16 or 2^32 instead.

Measured on 2^20 rows and 5M events (`bench/flat.py`): at least 3 in the last 30 days 0.25 ms,
between any two instants 0.26 ms, against 17 ms for counting all. Rejected: keeping for each event
its rank from the newest (a byte), which makes the edges half as dear; so does halving the gaps for
the same memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from headcount.index import parts as parts_of
from headcount.index import strings
from headcount.index.parts import Part, Parts
from headcount.index.tuning import Tuning

Rows = npt.NDArray[np.uint32]
Counts = npt.NDArray[Any]  # uint8, uint16 or uint32, one per row


@dataclass(frozen=True, eq=False)
class BusyRows:
    """
    The positions of the events of the contacts with most events.

    `rows` is ascending. `keys`, ascending too, holds i << 32 | position for each event of rows[i],
    so that one search finds a position for every row at once.
    """

    rows: Rows
    keys: npt.NDArray[np.uint64]

    @classmethod
    def build(
        cls, log_rows: Rows, totals: npt.NDArray[np.uint32], limit: int, held: Rows | None = None
    ) -> BusyRows:
        """
        Return the rows with more than *limit* events.

        *totals* is how many each row has, uint32[rows]; or each of the rows *held*, ascending,
        which are those that have any.
        """
        places = np.flatnonzero(totals > limit)
        rows = places.astype(np.uint32) if held is None else held[places]
        if not len(rows):
            return cls(rows, np.zeros(0, dtype=np.uint64))
        positions = np.flatnonzero(np.isin(log_rows, rows))
        keys = _keys(np.searchsorted(rows, log_rows[positions]), positions)
        return cls(rows, np.sort(keys))

    def between(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """Return how many events at positions *start* to *stop* each of `rows` has."""
        return self._before(stop) - self._before(start)

    @cached_property
    def _ends(self) -> npt.NDArray[np.int64]:
        """Where the keys of each row end."""
        return np.searchsorted(self.keys, _keys(np.arange(1, len(self.rows) + 1), 0))

    @cached_property
    def _last(self) -> int:
        """The last position of all."""
        return int((self.keys & np.uint64(0xFFFFFFFF)).max(initial=0))

    def _before(self, position: int) -> npt.NDArray[np.int64]:
        """Return where the keys of each row reach that *position*; most ask for the end."""
        if position > self._last:
            return self._ends
        found: npt.NDArray[np.int64] = np.searchsorted(
            self.keys, _keys(np.arange(len(self.rows)), position)
        )
        return found


@dataclass(frozen=True, eq=False)
class Tallies:
    """Checkpointed counts of one log; see the top of the file."""

    rows: int
    size: int
    counts: npt.NDArray[Any]  # [checkpoints, rows]
    busy: BusyRows

    @classmethod
    def build(
        cls,
        log_rows: Rows,
        rows: int,
        totals: npt.NDArray[np.uint32],
        tuning: Tuning,
        held: Rows | None = None,
    ) -> Tallies:
        """
        Return the tallies of a log whose events are those of *log_rows* (uint32[size]).

        *totals* and *held* are those of `BusyRows.build`. About 2 ms per million events.
        """
        size = len(log_rows)
        dtype = _width(totals, size * tuning.busy_share)
        busy = BusyRows.build(log_rows, totals, int(np.iinfo(dtype).max), held)
        gap = max(tuning.gap, int(rows * dtype.itemsize / tuning.tally_bytes), 1)
        counts = np.zeros((size // gap, rows), dtype=dtype)
        found = cls(rows, size, counts, busy)
        if not len(counts):  # nothing that is as long as the rows is made for a few events
            return found
        running = np.zeros(rows, dtype=dtype)
        for index in reversed(range(len(counts))):
            start, stop = found.checkpoint(index), found.checkpoint(index + 1)
            np.add.at(running, log_rows[start:stop], dtype.type(1))
            counts[index] = running
        return found

    @property
    def checkpoints(self) -> int:
        """Return how many there are; none for a short log."""
        return len(self.counts)

    def checkpoint(self, index: int) -> int:
        """Return the position in the log that `counts[index]` starts at; one past them, its end."""
        return index * self.size // len(self.counts)

    def strides(self, start: int, stop: int) -> int:
        """Return how many events `between` counts one by one."""
        return sum(abs(at - self.checkpoint(self._nearest(at))) for at in (start, stop))

    def touched(self, start: int, stop: int) -> int:
        """Return how many bytes `between` reads: up to two checkpoints, and the ends of the log."""
        ends = len(self.counts)
        first, last = self._nearest(start), self._nearest(stop)
        checkpoints = 0 if first == ends else 1 if last == ends else 2
        log_item = np.dtype(np.uint32).itemsize
        read = log_item * self.strides(start, stop)
        return checkpoints * self.rows * self.counts.itemsize + read

    def between(self, log_rows: Rows, start: int, stop: int) -> Counts:
        """
        Return how many of the events at positions *start* to *stop* are each row's.

        Fresh, and modulo the range of its dtype, so wrong for the rows of `busy`. There must be a
        checkpoint.
        """
        first, last = self._nearest(start), self._nearest(stop)
        found: Counts
        if first == len(self.counts):
            found = np.zeros(self.rows, dtype=self.counts.dtype)
        elif last == len(self.counts):
            found = self.counts[first].copy()
        else:
            found = self.counts[first] - self.counts[last]
        _add(found, log_rows, start, self.checkpoint(first))
        _add(found, log_rows, self.checkpoint(last), stop)
        return found

    def parts(self, prefix: str) -> Iterator[Part]:
        """Yield the tallies as parts named under *prefix*."""
        yield parts_of.document(f"{prefix}about", {"checkpoints": len(self.counts)})
        yield parts_of.array(f"{prefix}counts", self.counts.ravel())
        yield parts_of.array(f"{prefix}busy_rows", self.busy.rows)
        yield parts_of.array(f"{prefix}busy_keys", self.busy.keys)

    @classmethod
    def from_parts(cls, parts: Parts, prefix: str, rows: int, size: int) -> Tallies:
        """Return the tallies that `parts` wrote under *prefix*, of a log of *size* events."""
        checkpoints = parts.document(f"{prefix}about")["checkpoints"]
        busy_rows, busy_keys, counts = (
            strings.aligned(parts.array(f"{prefix}{name}"))
            for name in ("busy_rows", "busy_keys", "counts")
        )
        counts = counts.reshape(checkpoints, rows)
        return cls(rows, size, counts, BusyRows(busy_rows, busy_keys))

    def memory(self) -> int:
        """Return the bytes held."""
        busy = self.busy
        return sum(a.nbytes for a in (self.counts, busy.rows, busy.keys))

    def check(self, log_rows: Rows) -> Iterator[str]:
        """Yield a sentence for each checkpoint, and the busy rows, if the log says otherwise."""
        running = np.zeros(self.rows, dtype=np.uint32)
        stop = self.size
        for index in reversed(range(len(self.counts))):
            start = self.checkpoint(index)
            np.add.at(running, log_rows[start:stop], np.uint32(1))
            stop = start
            wrong = np.flatnonzero(running.astype(self.counts.dtype) != self.counts[index])
            if len(wrong):
                yield (
                    f"tallies: checkpoint {index} (from event {start} on) disagrees with the log in"
                    f" {len(wrong)} rows; the first is row {wrong[0]}, which has"
                    f" {running[wrong[0]]} events there"
                )
        np.add.at(running, log_rows[:stop], np.uint32(1))
        expected = BusyRows.build(log_rows, running, int(np.iinfo(self.counts.dtype).max))
        if not np.array_equal(expected.rows, self.busy.rows):
            yield "tallies: the busy contacts are not those with most events in the log"
        elif not np.array_equal(expected.keys, self.busy.keys):
            yield "tallies: the events of the busy contacts are not those of the log"

    def _nearest(self, position: int) -> int:
        return (2 * position * len(self.counts) + self.size) // (2 * self.size)


def _keys(index: npt.NDArray[np.int64], position: int | npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    return ((index << 32) | position).astype(np.uint64)


def _width(totals: npt.NDArray[np.uint32], busy_limit: float) -> np.dtype[Any]:
    """Return the narrowest dtype that leaves at most *busy_limit* events to busy contacts."""
    for dtype in (np.dtype("<u1"), np.dtype("<u2")):
        busy = totals[totals > np.iinfo(dtype).max]
        if busy.sum(dtype=np.int64) <= busy_limit:
            return dtype
    return np.dtype("<u4")


def _add(counts: Counts, log_rows: Rows, start: int, stop: int) -> None:
    """Add the events from *start* to *stop* to *counts*, in place, or take them off if reversed."""
    if start < stop:
        np.add.at(counts, log_rows[start:stop].astype(np.intp), counts.dtype.type(1))
    else:
        np.subtract.at(counts, log_rows[stop:start].astype(np.intp), counts.dtype.type(1))
