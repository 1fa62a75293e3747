"""A write that is under way, typed anew when the schema was changed before it was committed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from headcount.live.commit import Batch, StaleSchema, Writer, Written
from headcount.model.schema import Schema

_TIMES = 10  # that a schema may change under one write


class Pending:
    """A batch that a writer has taken, and how it is made. For one thread."""

    def __init__(self, writer: Writer, make: Callable[[Schema], Batch]) -> None:
        """
        Make the batch and submit it.

        Raises:
            UserError: what *make* does; OVERLOADED, the writer has no room.
        """
        self.writer = writer
        self._make = make
        self._future = self._submit()

    def result(self, seconds: float | None = None) -> Written:
        """
        Return what became of it, within about *seconds*.

        Raises:
            TimeoutError: nothing yet. And what the writer's future does.
        """
        for _ in range(_TIMES):
            try:
                return self._future.result(seconds)
            except StaleSchema:
                self._future = self._submit()
        return self._future.result(seconds)

    def _submit(self) -> Future[Written]:
        return self.writer.submit(self._make(self.writer.view.schema))
