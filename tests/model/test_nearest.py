"""Suggestions: the nearest known names, at a bounded cost."""

from __future__ import annotations

import difflib

import pytest

from headcount.model.schema import nearest


def test_the_nearest_of_a_few() -> None:
    """Names that are close are given in their own spelling, nearest first; others are not."""
    assert nearest("contry", ["plan", "Country", "county", "x"]) == ("Country", "county")
    assert nearest("contry", []) == ()


def test_the_nearest_of_very_many_is_found_and_few_are_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of 100,000 names the mistyped one is found, and 200 at most are compared closely."""
    compared: list[int] = []
    real = difflib.get_close_matches

    def counted(word: str, possibilities: list[str], n: int, cutoff: float) -> list[str]:
        compared.append(len(list(possibilities)))
        return real(word, possibilities, n, cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    known = [f"campaign-{i * 7919 % 100_000:05}-{i}" for i in range(100_000)]
    assert known[4321] in nearest(known[4321] + "0", known)
    assert known[4321] in nearest("kampaign" + known[4321][8:], known)
    assert max(compared) <= 200
