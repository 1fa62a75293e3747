"""
Workers: further threads that help whoever asks with the blocks of one query.

    caller    block 0    block 2  block 3     block 5  ──> sum
    helper        block 1         block 4

Blocks do not depend on each other, so whoever is free takes the next one. numpy lets go of the
interpreter's lock in everything that is long (sorts, sums, comparisons of a block's columns), so
two threads work at once there; bitmaps do not, in 5 µs a call. So helpers are asked for where a
plan has a long step (`evaluate`), and not for algebra: six keywords take as long on two threads.

Helpers are for a machine that has nothing else to do. There are at most so many threads at work
here, callers and helpers together; a caller is never refused, and a helper only comes if it is idle
and the number is not reached. Nothing waits for a helper to become free.

What one thread raises, or `check` in it, ends the work of all after the item that each is at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

S = TypeVar("S")
T = TypeVar("T")

DEFAULT_THREADS = 2


class Workers:
    """
    At most *threads* threads that work at once, the callers' own among them. Any thread may ask.

    With one there are no helpers. Threads are started when they are first of use, and end with the
    object.
    """

    def __init__(self, threads: int = 1) -> None:
        assert threads >= 1, threads
        self.threads = threads
        self._lock = Lock()
        self._busy = 0  # callers and helpers
        self._pool = ThreadPoolExecutor(threads - 1, "headcount-query") if threads > 1 else None

    def each(self, work: Callable[[S], T], items: Sequence[S]) -> list[T]:
        """
        Return what *work* gives for each of *items*, in their order.

        Raises:
            Exception: what *work* raised for one of them; no further item is begun then.
        """
        if self._pool is None or len(items) < 2:
            return [work(item) for item in items]
        deal = _Deal(work, items)
        with self._helpers(len(items) - 1) as helpers:
            futures = [self._pool.submit(deal.work) for _ in range(helpers)]
            try:
                deal.work()
            finally:
                deal.end()
                _finish(futures)
        return deal.answers()

    @contextmanager
    def _helpers(self, wanted: int) -> Iterator[int]:
        """Enter the work of a caller; give how many helpers there are for it."""
        with self._lock:
            self._busy += 1
            helpers = min(wanted, max(0, self.threads - self._busy))
            self._busy += helpers
        try:
            yield helpers
        finally:
            with self._lock:
                self._busy -= 1 + helpers


ALONE = Workers()


class _Deal(Generic[S, T]):
    """Items that several threads take one by one, until none is left or one has failed."""

    def __init__(self, work: Callable[[S], T], items: Sequence[S]) -> None:
        self._work = work
        self._items = items
        self._places: Iterator[int] = iter(range(len(items)))
        self._lock = Lock()
        self._found: dict[int, T] = {}
        self._failed: dict[int, BaseException] = {}

    def work(self) -> None:
        """Work on what is left, beside other threads."""
        while (place := self._next()) is not None:
            try:
                self._found[place] = self._work(self._items[place])
            except BaseException as error:  # the caller is told, whichever thread it is
                self._failed[place] = error

    def end(self) -> None:
        """Let nobody take a further item."""
        with self._lock:
            self._places = iter(())

    def answers(self) -> list[T]:
        """Return what was found, or raise what the first item that failed raised."""
        if self._failed:
            raise self._failed[min(self._failed)]
        return [self._found[place] for place in range(len(self._items))]

    def _next(self) -> int | None:
        with self._lock:
            return None if self._failed else next(self._places, None)


def _finish(futures: list[Future[None]]) -> None:
    """Wait for helpers that have begun; the others are not needed any more."""
    for future in futures:
        if not future.cancel():
            future.result()
