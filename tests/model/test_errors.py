"""Places in text, as people see them."""

from __future__ import annotations

import pytest

from headcount.model.errors import Position


def test_the_place_is_under_the_line() -> None:
    """A line that fits is shown whole, with its tabs."""
    assert Position.at("a\n\tspnt > 5", 3, 7).caret() == "\tspnt > 5\n\t^^^^"


@pytest.mark.parametrize("start", [0, 10, 5_000, 60_000, 63_996])
def test_of_a_long_line_what_stands_around_the_place_is_shown(start: int) -> None:
    """64 KiB in one line would be a screen of text and a caret that is nowhere near its place."""
    text = "x" * start + "spnt" + "y" * (64_000 - start - 4)
    shown, carets = Position.at(text, start, start + 4).caret().split("\n")
    assert len(shown) <= 170
    assert shown[carets.index("^") : len(carets)] == "spnt"
    assert carets.strip() == "^^^^"


def test_a_long_place_is_cut_with_its_line() -> None:
    """Carets do not run past what is shown."""
    shown, carets = Position.at("z" * 1_000, 0, 1_000).caret().split("\n")
    assert shown.rstrip(".") == "z" * len(carets)
