"""What is made when it is asked for again: when, how often, and how much of it is kept."""

from __future__ import annotations

import pytest

from headcount.index import again
from headcount.index.again import Again


class Maker:
    """Makes texts, or nothing of the empty one, and counts how often."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def ask(self, held: Again[str, str], asked: str, *, now: bool = False) -> str | None:
        def make() -> str | None:
            self.made.append(asked)
            return asked or None

        return held.get(asked, make, now=now)


def test_a_structure_is_made_at_the_second_question() -> None:
    """Not at the first, and not again at the third; or at once, where it is wanted now."""
    held, maker = Again[str, str](4), Maker()
    assert [maker.ask(held, "a") for _ in range(3)] == [None, "a", "a"]
    assert maker.ask(held, "b", now=True) == "b"
    assert maker.made == ["a", "b"]
    assert held.values() == ["a", "b"]


def test_the_oldest_go_and_are_asked_for_twice_again() -> None:
    """Sizes are kept to, and two that take each other's place are not made each time."""
    held, maker = Again[str, str](3, len), Maker()
    assert [maker.ask(held, "aa") for _ in range(2)] == [None, "aa"]
    assert [maker.ask(held, "bb") for _ in range(2)] == [None, "bb"]
    assert held.values() == ["bb"]
    assert [maker.ask(held, one) for one in ("aa", "bb", "aa", "bb")] == [None, "bb", "aa", None]
    assert maker.made == ["aa", "bb", "aa"]


def test_that_something_is_of_no_use_is_found_out_once() -> None:
    """Nothing is kept of it, and it is not tried again."""
    held, maker = Again[str, str](4), Maker()
    assert [maker.ask(held, "") for _ in range(4)] == [None] * 4
    assert maker.made == [""]
    assert held.values() == []


def test_few_questions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many that come once the newest are known, the others are first questions again."""
    monkeypatch.setattr(again, "_NOTED", 2)
    held, maker = Again[str, str](4), Maker()
    assert [maker.ask(held, one) for one in "abc"] == [None] * 3
    assert [maker.ask(held, one) for one in "ca"] == ["c", None]
