"""What the writer of a workspace is held to."""

from __future__ import annotations

from dataclasses import dataclass, field

from headcount.storage.log import LogSettings


@dataclass(frozen=True, slots=True)
class WriterSettings:
    """
    How much waits, how much is committed at once, and when what was written is compacted.

    At most `waiting_records` records wait for the committer, which takes up to `commit_records` of
    them at once. After `recent_contacts` contacts have moved, `newer_events` events were added,
    `log_commits` commits were made or `log_bytes` bytes of log have grown, a compaction is due: so
    few commits are left to replay, of 0.1 ms each besides their records.
    """

    waiting_records: int = 1_000_000
    commit_records: int = 20_000
    recent_contacts: int = 200_000
    newer_events: int = 2_000_000
    log_commits: int = 80_000
    log_bytes: int = 1 << 30
    log: LogSettings = field(default_factory=LogSettings)
