"""What a load did, in numbers. Everything that was read is in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LoadSummary:
    """
    The counts of one load, what was refused and why, and how long it took.

    Of contacts: `new` and `updated` rows; `created` are those that an event or a list row named and
    that were made with nothing but their id. Of events: `repeated` ones have the contact, type and
    id of another and count once. `reasons` counts refused cells by column and reason; `rejects` is
    the file that lists them, None when nothing was refused. `generation` is what was written.
    """

    contacts_new: int
    contacts_updated: int
    contacts_refused: int
    contacts_created: int
    events_loaded: int
    events_repeated: int
    events_refused: int
    lists_loaded: int
    lists_refused: int
    reasons: Mapping[str, int]
    rejects: Path | None
    blocks_built: int
    generation: int
    read_seconds: float
    build_seconds: float

    @property
    def refused(self) -> int:
        """How many rows were refused, of all files."""
        return self.contacts_refused + self.events_refused + self.lists_refused

    @property
    def rows(self) -> int:
        """How many rows were read, of all files."""
        loaded = self.contacts_new + self.contacts_updated + self.lists_loaded
        return loaded + self.events_loaded + self.events_repeated + self.refused

    @property
    def seconds(self) -> float:
        """How long it all took."""
        return self.read_seconds + self.build_seconds

    @property
    def rows_per_second(self) -> float:
        """Rows of all files by the whole time, building included; 0 when no time passed."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0
