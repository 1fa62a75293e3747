"""
What a contact and an event take in memory, once every index has been read.

Indexes of a stored block are read when they are first asked for, so all of them are asked first:
all that any query can ask, so without the ids of events, which only writing looks at.
What is counted is what they say of themselves (`headcount stats`): events are their logs, tallies,
newest times, properties and ids, everything else is the contacts'. The resident bytes beside it are
the kernel's, of a process that did nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from headcount.index.text import TextIndex
from headcount.index.workspace import open_view


def measure(folder: Path) -> dict[str, float]:
    """Return bytes a contact, bytes an event and resident bytes, measured in a new process."""
    command = [sys.executable, "-m", "bench.memory", str(folder)]
    found: dict[str, float] = json.loads(subprocess.check_output(command))
    return found


def here(folder: Path) -> dict[str, float]:
    """Return what `measure` does, of this process."""
    view = open_view(folder, "default")
    of_contacts = of_events = events = 0
    for block in view.blocks:
        assert len(block.ids.array) == block.rows
        of_contacts += sum(block.ids.memory().values())
        for index in (*block.fields.values(), *block.memberships.values()):
            if isinstance(index, TextIndex):
                assert index.postings.count == len(index.trigrams)
            of_contacts += sum(index.memory().values())
        for log in block.events.values():
            assert all(len(column) == log.size for column in log.properties.values())
            of_events += sum(log.memory().values())
            events += log.size
    return {
        "bytes_a_contact": of_contacts / max(1, view.live_count),
        "bytes_an_event": of_events / max(1, events),
        "resident_bytes": float(_resident()),
    }


def _resident() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def table(found: dict[str, float]) -> list[str]:
    """Return the figures as lines of Markdown."""
    return [
        "| memory, every index read | |",
        "|---|---:|",
        f"| a contact: ids, fields, labels, lists | {found['bytes_a_contact']:.0f} B |",
        f"| an event: log, tallies, newest times, properties | {found['bytes_an_event']:.1f} B |",
        f"| resident | {found['resident_bytes'] / 1e9:.2f} GB |",
        "",
    ]


if __name__ == "__main__":
    print(json.dumps(here(Path(sys.argv[1]))))
