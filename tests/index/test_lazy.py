"""Values that other threads make are those that one thread would have made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from headcount.index.lazy import made

SOURCES = {"a": 1, "b": 0, "c": 3}


def test_made_now_or_promised() -> None:
    """The same values under the same names in the same order, whatever was begun first."""
    begun: list[int] = []

    def make(source: int) -> int:
        begun.append(source)
        return source * 10

    now = made(SOURCES, make, None)
    begun.clear()
    with ThreadPoolExecutor(1) as pool:
        promised = made(SOURCES, make, pool, first=lambda source: source == 3)
    assert list(promised.items()) == list(now.items()) == [("a", 10), ("b", 0), ("c", 30)]
    assert begun == [3, 1, 0]
    assert len(promised) == 3


def test_an_error_is_raised_to_who_asks() -> None:
    """The others are there all the same."""
    with ThreadPoolExecutor(2) as pool:
        promised = made(SOURCES, lambda source: 6 // source, pool)
        assert promised["a"] == 6
        with pytest.raises(ZeroDivisionError):
            promised["b"]
