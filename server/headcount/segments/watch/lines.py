"""
Lines: the events of some contacts laid out contact by contact, each line by time.

    contact 0  . .  .   .        contact 1  .  . .        contact 2
    keys       0 1  2   3                   7  8 9

A key is the contact's row and the event's place in the order of time, so the events of a contact in
any window are found by two searches, for thousands of contacts and windows at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Instants = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Lines:
    """
    Events by row and time: `times` ascending over all, `keys` = row * (size + 1) + place in it.

    `order` is the place in `times` of each key, `given` the place in what the lines were made of.
    """

    times: Instants
    keys: Places
    order: Places
    given: Places

    @classmethod
    def build(cls, rows: npt.NDArray[np.integer], times: Instants) -> Lines:
        """Return the lines of events at *times*, in any order, of the contacts in *rows*."""
        by_time = np.argsort(times, kind="stable")
        ordered = rows[by_time].astype(np.int64)
        keys = ordered * (len(times) + 1) + np.arange(len(times))
        by_key = np.argsort(keys, kind="stable")
        return cls(times[by_time], keys[by_key], by_key, by_time[by_key])

    def between(self, rows: Rows, low: Instants, high: Instants) -> tuple[Places, Places]:
        """Return the places (start, stop) of the events of each row from *low* to *high*."""
        width = len(self.times) + 1
        base = rows * width
        start = np.searchsorted(self.keys, base + np.searchsorted(self.times, low, side="left"))
        stop = np.searchsorted(self.keys, base + np.searchsorted(self.times, high, side="right"))
        return start, np.maximum(start, stop)

    def time(self, places: Places) -> Instants:
        """Return the time of the event at each place of a line."""
        found: Instants = self.times[self.order[places]]
        return found


def spread(start: Places, stop: Places) -> tuple[Places, Places]:
    """Return each place from start[i] to stop[i], for all i in turn, and the i of each."""
    counts = stop - start
    owners = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    places = np.arange(int(counts.sum())) + np.repeat(start - (ends - counts), counts)
    return places, owners
