"""A writer for tests of what is in front of one: it takes batches, and a test answers them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from headcount.index.view import Version, View
from headcount.live.commit import Batch, Written
from headcount.model.errors import Reason, UserError


class HeldWriter:
    """
    Takes up to *room* batches that are not answered yet.

    Without *held* each is answered at once: everything that was not refused is accepted.
    """

    def __init__(self, view: View, *, held: bool = False, room: int = 1000) -> None:
        self.view = view
        self.batches: list[Batch] = []
        self._futures: list[Future[Written]] = []
        self._answered = 0
        self._held = held
        self._room = room
        self._changed = threading.Condition()

    def submit(self, batch: Batch) -> Future[Written]:
        """Take a batch."""
        with self._changed:
            if len(self.batches) - self._answered >= self._room:
                raise UserError(Reason.OVERLOADED, "the writer has no room")
            future: Future[Written] = Future()
            self.batches.append(batch)
            self._futures.append(future)
            self._changed.notify_all()
        if not self._held:
            self.answer()
        return future

    def await_batches(self, count: int) -> None:
        """Return when *count* batches have been taken since the beginning."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.batches) >= count, timeout=20)

    def answer(self, with_: Callable[[Batch], Written] | None = None) -> None:
        """Answer the oldest batch that is not answered."""
        with self._changed:
            at = self._answered
            self._answered += 1
        batch = self.batches[at]
        before = self.view.version
        version = Version(before.epoch, before.sequence + 1)
        self.view = replace(self.view, version=version)
        written = Written(version, batch.changes.records, refused=batch.refused)
        self._futures[at].set_result(written if with_ is None else with_(batch))
