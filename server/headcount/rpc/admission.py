"""
Lanes: how many calls are worked on at once, kept apart by kind.

    unary         Count, CountMany, ListMembers, ...: short, all work
    stream        StreamMembers: long, mostly waiting for the reader
    write         Upsert, Record, ...: short, mostly waiting for the disk
    write stream  Contacts.Write: long, mostly waiting for its client
    care          Compact, Backup, ...: minutes, one or two at a time
    control       health checks, and saying no

Each lane has its own threads and its own bounded queue, so that readers who take their time cannot
hold up a count, and a flood of counts cannot make the server look dead to a health check. A call
that finds its lane full is refused at once with RESOURCE_EXHAUSTED and a time to come back, in
the control lane: waiting longer than a client's deadline would only be work for nobody.

gRPC's own `maximum_concurrent_rpcs` was rejected: it counts streams and health checks together with
everything else, and refuses without saying when to come back. Counting where a handler starts
was rejected too: by then the call has a thread.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock, local
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class _Here(local):
    """What a thread does when the call that it works on has ended; None while it has none."""

    later: list[Callable[[], object]] | None = None


class Lane(ThreadPoolExecutor):
    """Threads for one kind of call; `full` when as many as may wait are waiting."""

    def __init__(self, name: str, threads: int, waiting: int, seconds: float = 10.0) -> None:
        """Work on one call may take *seconds*, if its client waits as long."""
        super().__init__(max_workers=threads, thread_name_prefix=f"headcount-{name}")
        self.name = name
        self.seconds = seconds
        self.capacity = threads + waiting
        self._load = 0
        self._left = -math.inf  # when the last call had ended, on the monotonic clock
        self._load_lock = Lock()
        self._here = _Here()

    @property
    def load(self) -> int:
        """Return how many calls are worked on or waiting."""
        return self._load

    def lull(self) -> float:
        """Return for how many seconds there has been no call, 0 while there is one."""
        return 0.0 if self._load else time.monotonic() - self._left

    @property
    def full(self) -> bool:
        """Return whether another call must be refused."""
        return self._load >= self.capacity

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """
        Run a call when a thread is free.

        Called by gRPC in its one serving thread, right after it has asked for the handler, so that
        nothing comes between `full` and this. The future, not the handler, says when the call is
        over: gRPC does not run the handler of a call that was cancelled while it waited.
        """
        with self._load_lock:
            self._load += 1
        later: list[Callable[[], object]] = []
        try:
            future: Future[R] = super().submit(self._work, later, fn, *args, **kwargs)
        except RuntimeError:  # the lane is shut down
            self._leave(later)
            raise
        # In this thread, where the call has ended by now: what it left is not the thread's own.
        future.add_done_callback(partial(self._leave, later))
        return future

    def afterwards(self, do: Callable[[], object]) -> None:
        """
        Do something once gRPC has sent what the call that runs in this thread comes to.

        At once, in a thread that runs none. When the lane has been shut down all of it is done.
        """
        later = self._here.later
        if later is None:
            do()
        else:
            later.append(do)

    def _work(
        self,
        later: list[Callable[[], object]],
        fn: Callable[P, R],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        self._here.later = later
        try:
            return fn(*args, **kwargs)
        finally:
            self._here.later = None

    def _leave(self, later: list[Callable[[], object]], _future: Future[R] | None = None) -> None:
        """Count a call that has ended no more, and do what was to be done afterwards."""
        with self._load_lock:
            self._load -= 1
            self._left = time.monotonic()
        for do in later:
            do()
