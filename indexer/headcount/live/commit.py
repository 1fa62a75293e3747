"""
A commit: one step of a workspace from a view to the next, as those who follow it see it.

The log holds the changes and the instant of every commit, one row each, so whoever replays it sees
the same commits in the same order, each with the same contacts.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

from pyroaring import BitMap

from headcount.index.view import Version, View
from headcount.model.changes import Changes, Refusal
from headcount.model.errors import Reason, UserError
from headcount.model.schema import Schema


@dataclass(frozen=True, eq=False, slots=True)
class Commit:
    """
    What changed between two views of which one follows the other.

    `at` is when, in µs. `touched` are the ordinals of all contacts that were made, changed, had
    events recorded or were deleted; never to be changed. `erased` are the ids of those of which no
    byte may stay on the disk.
    """

    before: View
    after: View
    at: int
    touched: BitMap
    erased: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """
    What one request writes: `changes`, and the records of it that were `refused` already.

    `request_id` makes the request count once however often it is sent; empty for none. `schema` is
    what the changes were typed under: a batch that finds another one is not taken (`StaleSchema`).
    """

    changes: Changes
    request_id: str = ""
    refused: tuple[Refusal, ...] = ()
    schema: Schema | None = None


class StaleSchema(UserError):  # noqa: N818 - not a fault: to be typed anew, and sent again
    """The schema was changed after a batch was typed, and before it was committed."""

    def __init__(self) -> None:
        super().__init__(
            Reason.CONFLICT, "the schema was changed at this moment; look at it, and try again"
        )


@dataclass(frozen=True, slots=True)
class Written:
    """
    What became of a batch, all of it on the disk and visible.

    `repeated` are events left out because their contact has one with the same id. `already` is true
    when the request had been answered before: the answer is that of then.
    """

    version: Version
    accepted: int
    repeated: int = 0
    refused: tuple[Refusal, ...] = ()
    already: bool = False


class Follower(Protocol):
    """Told of every commit, in order, in the committer's thread: it must return at once."""

    def __call__(self, commit: Commit) -> None: ...


class Writer(Protocol):
    """What writes to one workspace."""

    @property
    def view(self) -> View:
        """Return the newest view."""

    def submit(self, batch: Batch) -> Future[Written]:
        """
        Return what will become of *batch*, once it is on disk and visible.

        Raises:
            UserError: OVERLOADED, as many batches as may wait are waiting.
        """
