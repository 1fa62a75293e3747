"""A house: a workspace with watches in a folder, its clock in our hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headcount.live.commit import Batch, Commit
from headcount.live.settings import WriterSettings
from headcount.live.writer import LiveWorkspace
from headcount.model.changes import Changes, ContactStep, Step
from headcount.model.schema_toml import parse as parse_schema
from headcount.query.clock import to_datetime
from headcount.segments.watch.document import Spec
from headcount.segments.watch.feed import Feed
from headcount.segments.watch.transitions import Settings, Transition
from headcount.segments.watch.watcher import Watcher, WatcherSettings
from headcount.storage.folder import WriterLock
from headcount.storage.log import LogSettings
from headcount.storage.watches import WatchStore
from support.worlds import Event
from support.written import contacts, recorded

SCHEMA = parse_schema(
    """
[fields]
plan = "keyword"
spent = "number"
[events.open]
[events.order]
properties = { amount = "number" }
"""
)
START = 1_780_000_000_000_000
HOUR = 3_600_000_000
ROOMY = WriterSettings(log=LogSettings(min_free_bytes=0, min_free_share=0.0))
SEGMENTS = {
    "pro": "plan = Pro",
    "recent": "did open in last 3 hours",
    "both": "plan = Pro and did open at least 2 times in last 5 hours",
    "quiet": "not did order in last 1 day and plan is not empty",
    "today": "did open today",
    "spender": "sum(order.amount in last 4 hours) > 50 or spent > 90",
}
PEOPLE = tuple(f"c{n}" for n in range(12))


def upserted(values: Mapping[str, Mapping[str, object]]) -> ContactStep:
    """Return the step that sets all fields of contacts."""
    return contacts(SCHEMA, values, list(values))


@dataclass
class House:
    """A workspace with watches in a folder, its clock in our hands."""

    folder: Path
    lock: WriterLock
    settings: WatcherSettings = field(default_factory=WatcherSettings)
    now: int = START
    commits: list[Commit] = field(default_factory=list)

    def open(self) -> None:
        """Open the workspace and its watches, as a server does when it starts."""
        store = WatchStore(self.folder, "default", self.lock)
        self.watcher = Watcher(
            "default",
            store,
            now=lambda: self.live.instant(),
            current=lambda: self.live.view,
            settings=self.settings,
        )
        self.live = LiveWorkspace.open(
            self.folder,
            "default",
            self.lock,
            clock=lambda: self.now,
            settings=ROOMY,
            follow_from=self.watcher.follow_from,
            follower=self.watcher.replay,
        )
        self.watcher.begin(self.live.follow(self.watcher.follow))
        self.live.follow(self.commits.append)

    def crash(self) -> None:
        """Stop without doing what waits, and start again."""
        self.watcher.store.close()
        self.live.close()
        self.open()

    def restart(self) -> None:
        """Stop as a server does, and start again."""
        self.watcher.close()
        self.live.close()
        self.open()

    def write(self, *steps: Step) -> None:
        """Write a batch."""
        self.live.write(Batch(Changes(steps)))

    def plan(self, id_: str, plan: str) -> None:
        """Put a contact on a plan."""
        self.write(upserted({id_: {"plan": plan}}))

    def opens(self, id_: str, at: int) -> None:
        """Record an open."""
        self.write(recorded(SCHEMA, [Event(id_, "open", to_datetime(at))]))

    def create(self, name: str, settings: Settings = Settings()) -> Feed:  # noqa: B008
        """Add one of the watches."""
        spec = Spec(name, SEGMENTS[name], "Europe/Berlin", settings, self.now)
        return self.watcher.create(spec).feed

    def said(self, name: str, after: int = 0) -> list[Transition]:
        """Return what a watch has said, read in small pieces."""
        feed, found = self.watcher.get(name).feed, []
        while more := feed.after(after, 7):
            found += more
            after = more[-1].number
        return found


def plain(stream: list[Transition]) -> list[tuple[object, ...]]:
    """Return what is the same however often one looks."""
    return [(t.number, t.contact, t.kind, t.reason, t.at) for t in stream]
