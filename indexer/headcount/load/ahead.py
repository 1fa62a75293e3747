"""
One thing ahead: the next item is made in another thread while this one is worked on.

Decoding a file and building a block leave the interpreter to others most of the time, so a second
core does them meanwhile. At most one finished item waits; memory grows by it and no more.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T]:
    """
    Yield *items*, each asked for while the one before is with the caller.

    What *items* raises is raised in its place. They are asked for by one thread, never by two at
    once; when the caller stops early, the one being made is waited for.
    """
    with ThreadPoolExecutor(1, "ahead") as pool:
        waiting = pool.submit(_next, items)
        while found := waiting.result():
            waiting = pool.submit(_next, items)
            yield found[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    for item in items:
        return (item,)
    return None
