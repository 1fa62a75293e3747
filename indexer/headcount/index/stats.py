"""What a view holds and what it costs in memory, counted from the structures themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from headcount.index.view import View


@dataclass(frozen=True, slots=True)
class Stats:
    """
    The size of a workspace.

    `events` counts by event type; `bytes_by_kind` and `bytes_by_index` are two sums of the same
    bytes: by structure (postings, ranges, columns, log, ...) and by field or event. Bytes are those
    held in memory, allocator overhead included, not the serialised size; what is stored and was not
    asked for is not in memory.
    """

    contacts: int
    blocks: int
    events: dict[str, int]
    bytes_by_kind: dict[str, int]
    bytes_by_index: dict[str, int]

    @property
    def total_bytes(self) -> int:
        """Return the bytes held by all indexes together."""
        return sum(self.bytes_by_kind.values())

    def largest(self, limit: int = 10) -> list[tuple[str, int]]:
        """Return the *limit* fields and events that hold most bytes, largest first."""
        return Counter(self.bytes_by_index).most_common(limit)


def measure(view: View) -> Stats:
    """Return the size of everything in *view*; visits every bitmap, about 50 ms a block."""
    by_kind: Counter[str] = Counter()
    by_index: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for block in view.blocks:
        for index, kinds in block.memory().items():
            by_kind.update(kinds)
            by_index[index] += sum(kinds.values())
        for name in block.events:
            events[name] += block.event_count(name)
    return Stats(
        contacts=view.live_count,
        blocks=len(view.blocks),
        events={name: events[name] for name in sorted(events)},
        bytes_by_kind=dict(by_kind.most_common()),
        bytes_by_index=dict(by_index.most_common()),
    )
