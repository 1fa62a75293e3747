"""
A group: the batches of one commit, each with what is left of it and what of it was refused.

What many callers wait for is one draft, one row of the log, one sync and one view.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from headcount.index.view import Version
from headcount.live.commit import Batch, StaleSchema, Written
from headcount.live.draft import Draft
from headcount.live.joint import joined, step_to_join
from headcount.model.changes import Changes, ContactStep, DeleteStep, Refusal


@dataclass(eq=False, slots=True)
class Waiting:
    """A batch that waits, and what its caller waits for."""

    batch: Batch
    future: Future[Written] = field(default_factory=Future)

    @property
    def records(self) -> int:
        return max(1, self.batch.changes.records)


@dataclass(eq=False, slots=True)
class Group:
    """
    The batches of one commit, with the records left of each and what of it was refused.

    What is written is `taken`, each with the number of its batch; those in `joining` are yet to be
    taken, together.
    """

    waiting: list[Waiting] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    refused: list[tuple[Refusal, ...]] = field(default_factory=list)
    taken: list[tuple[int, Changes]] = field(default_factory=list)
    joining: list[ContactStep] = field(default_factory=list)

    def take(self, draft: Draft, waiting: Waiting, at: int) -> None:
        """Take a batch into the draft; a UserError leaves the group as it was, not the draft."""
        typed, changes = waiting.batch.schema, waiting.batch.changes
        step = step_to_join(changes)
        if step is None:
            self.join(draft, at)
        if typed is not None and typed is not draft.schema and typed != draft.schema:
            raise StaleSchema
        refused = list(waiting.batch.refused)
        if step is None:
            number = len(self.waiting)
            changes, more = draft.take_all(changes, at, number)
            self.taken.append((number, changes))
            refused += more
        else:
            self.joining.append(step)
        self.waiting.append(waiting)
        self.left.append(changes.records)
        self.refused.append(tuple(sorted(refused, key=lambda one: one.index)))

    def join(self, draft: Draft, at: int) -> None:
        """Take those that are to be taken together."""
        if not self.joining:
            return
        number = len(self.waiting) - 1
        steps, self.joining = self.joining, []
        changes, refused = draft.take_all(Changes((joined(steps),)), at, number)
        assert not refused
        self.taken.append((number, changes))

    def taken_again(self, draft: Draft, at: int) -> Draft:
        """Take into another *draft* all that was taken, and return it."""
        for number, changes in self.taken:
            draft.take_all(changes, at, number)
        return draft

    def is_remembered(self) -> bool:
        """Return whether a refusal is to be said again when its request comes again."""
        return any(
            refused and waiting.batch.request_id
            for waiting, refused in zip(self.waiting, self.refused, strict=True)
        )

    def changes(self) -> Changes:
        """Return what is written in the end."""
        return Changes(tuple(step for _, changes in self.taken for step in changes.steps))

    def answers(self, version: Version, repeated: Mapping[int, int]) -> list[Written]:
        """Return the answer to each batch."""
        return [
            Written(version, left - repeated.get(number, 0), repeated.get(number, 0), refused)
            for number, (left, refused) in enumerate(zip(self.left, self.refused, strict=True))
        ]


def only_deletes(changes: Changes) -> bool:
    """Return whether nothing is written but deletions."""
    return all(isinstance(step, DeleteStep) for step in changes.steps)
