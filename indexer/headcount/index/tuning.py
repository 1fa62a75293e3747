"""How much memory the events of one type may take beside their log, in bytes per event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tuning:
    """
    The budgets of `Tallies` and `Recency`; the answers are the same with any.

    With the 8 bytes an event of the log they add up to 16. At 5M events of 2^20 contacts that buys
    a checkpoint every 256K events, so that at most 128K are counted one by one at an end of a
    window (0.2 ms), and the newest time of each contact; at 30M events the eight newest.
    """

    tally_bytes: float = 4.0
    recency_bytes: float = 4.0
    gap: int = 4096  # events between checkpoints at least: counting half as many takes 4 µs
    busy_share: float = 0.25  # of all events; beyond it counts are widened (see `BusyRows`)


DEFAULT = Tuning()
