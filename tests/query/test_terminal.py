"""Text in columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headcount.query.terminal import clipped, room_behind, width, wrapped


@given(st.text(alphabet="ab ,(日é\u0301👍"), st.integers(2, 40))
def test_lines_fit_and_lose_only_spaces(text: str, room: int) -> None:
    """No line is wider than there is room; nothing but spaces at the breaks is lost."""
    lines = list(wrapped(text, room))
    assert all(width(line) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_break_behind_spaces() -> None:
    """A word is cut only where it would leave half a line empty."""
    assert list(wrapped("one two three four", 9)) == ["one two", "three", "four"]
    assert list(wrapped("a bcdefghijkl", 9)) == ["a bcdefgh", "ijkl"]


def test_wide_characters_take_two_columns() -> None:
    """As terminals show them; combining marks take none."""
    assert [width("abc"), width("日本"), width("e\u0301"), width("👍")] == [3, 4, 1, 2]


def test_branches_leave_room_for_text() -> None:
    """However deep a tree is, 30 columns are left; the innermost branches stay."""
    branches = "│  " * 40 + "└─ "
    assert clipped(branches, 100).endswith("│  └─ ")
    assert room_behind(branches, 100) == 30
    assert room_behind("└─ ", 100) == 97
    assert clipped(branches, 20) == ""
