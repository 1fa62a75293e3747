"""How much memory the events of one type may take beside their log, in bytes per event."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Tuning:
    """
    The budgets of `Tallies` and `Recency`; the answers are the same with any.

    With the 8 bytes an event of the log they add up to 16. At 5M events of 2^20 contacts that buys
    a checkpoint every 256K events, so that at most 128K are counted one by one at an end of a
    window (0.2 ms), and the newest time of each contact; at 30M events the eight newest. With fewer
    than four events a contact no newest time fits, and checkpoints are every 128K.
    """

    tally_bytes: float = 4.0
    recency_bytes: float = 4.0
    gap: int = 4096  # events between checkpoints at least: counting half as many takes 4 µs
    busy_share: float = 0.25  # of all events; beyond it counts are widened (see `BusyRows`)

    def without_recency(self) -> Tuning:
        """Return the budgets where it buys no newest times: checkpoints twice as close."""
        return replace(self, tally_bytes=self.tally_bytes + self.recency_bytes, recency_bytes=0.0)


DEFAULT = Tuning()
