"""Making one thing ahead changes neither what comes nor in what order."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from headcount.load.ahead import ahead


def test_items_come_in_order() -> None:
    """All of them, falsy ones too, once."""
    assert list(ahead(iter([0, None, 2, ""]))) == [0, None, 2, ""]
    assert list(ahead(iter([]))) == []


def test_the_next_is_made_while_one_is_used() -> None:
    """The second item is asked for before the caller is done with the first."""
    asked = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        asked.set()
        yield 2

    found = ahead(items())
    assert next(found) == 1
    assert asked.wait(30)
    assert list(found) == [2]


def test_errors_come_where_they_happened() -> None:
    """What came before an error is yielded first."""

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)


def test_a_caller_may_stop() -> None:
    """Nothing is asked for after the caller has stopped, and no thread is left."""
    before = threading.active_count()
    asked: list[int] = []

    def items() -> Iterator[int]:
        for at in range(100):
            asked.append(at)
            yield at

    found = ahead(items())
    next(found)
    found.close()
    assert len(asked) <= 2
    assert threading.active_count() == before
