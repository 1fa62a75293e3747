"""
Sessions: places where a person writes, each of which wants only the newest answer.

Whoever asks says which session it is; an older question of the same session is told to end by its
next check. Held are the sessions with a question under way, and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock

from headcount.model.errors import Reason, UserError
from headcount.query.context import QueryContext


class Sessions:
    """The newest question of each session. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: dict[tuple[str, str], object] = {}  # guarded by the lock

    @contextmanager
    def newest(self, workspace: str, session: str, context: QueryContext) -> Iterator[QueryContext]:
        """
        Enter a block that asks in the context it gets, until a newer one of *session* begins.

        The check of that context then raises CANCELLED. An empty *session* is none.
        """
        if not session:
            yield context
            return
        key, mine = (workspace, session), object()
        with self._lock:
            self._newest[key] = mine
        try:
            yield replace(context, check=self._check(key, mine, context.check))
        finally:
            with self._lock:
                if self._newest.get(key) is mine:
                    del self._newest[key]

    def _check(
        self, key: tuple[str, str], mine: object, check: Callable[[], None]
    ) -> Callable[[], None]:
        def newest() -> None:
            check()
            if self._newest.get(key) is not mine:
                raise UserError(Reason.CANCELLED, "a newer preview of this session has begun")

        return newest
