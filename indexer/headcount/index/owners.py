"""
Owners: the events of given contacts, in a log that is ordered by time.

    rows    uint32[size], ascending     whose event it is
    order   uint32[size]                the event's position in the log

A binary search for each contact finds its stretch: 84 µs for 1,000 contacts of 2M events.
Eight bytes an event, so it is made only where somebody asks for single contacts: a workspace that
is written to or watched. Rejected: a stretch's start for every row, which is faster and takes four
bytes a row for every event type, mostly of contacts without such an event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headcount.index.columns import stable_order

Rows = npt.NDArray[np.uint32]
Positions = npt.NDArray[np.int64]

_NOWHERE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Owners:
    """The positions of a log by row, then by time."""

    rows: Rows
    order: Rows

    @classmethod
    def build(cls, log_rows: Rows) -> Owners:
        """Return the owners of a log whose events are those of *log_rows*."""
        order = stable_order(log_rows).astype(np.uint32)
        return cls(log_rows[order], order)

    def positions(self, rows: Rows) -> tuple[Positions, Positions]:
        """
        Return the positions of the events of *rows* (ascending, unique), and whose each is.

        The latter are places in *rows*; ordered by row, then by time.
        """
        wanted = rows.astype(np.uint32, copy=False)
        starts = np.searchsorted(self.rows, wanted)
        sizes = np.searchsorted(self.rows, wanted, side="right") - starts
        if not sizes.any():
            return _NOWHERE, _NOWHERE
        whose = np.repeat(np.arange(len(rows)), sizes)
        skipped = np.cumsum(sizes) - sizes
        at = np.arange(len(whose)) + np.repeat(starts - skipped, sizes)
        return self.order[at].astype(np.int64), whose
