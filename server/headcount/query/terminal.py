"""Text in columns: wrapped to what a terminal is wide, behind the branches of a tree."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

COLUMNS = 100

_NARROWEST = 30  # columns that are left for text, however deep the tree
_BREAKS = " ,("


def width(text: str) -> int:
    """Return how many columns a terminal takes for *text*: two for a wide character."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def wrapped(text: str, room: int) -> Iterator[str]:
    """Yield *text* in lines of at most *room* columns, broken behind spaces where there are any."""
    while width(text) > room:
        cut = _fitting(text, room)
        at = max(text.rfind(mark, 0, cut) for mark in _BREAKS) + 1
        cut = at if at * 2 > cut else cut
        yield text[:cut].rstrip()
        text = text[cut:].lstrip()
    yield text


def clipped(branches: str, room: int) -> str:
    """Return the last of the *branches* of a tree that leave enough of *room* columns for text."""
    most = max(0, room - _NARROWEST)
    return branches if len(branches) <= most else branches[len(branches) - most :]


def room_behind(branches: str, room: int) -> int:
    """Return how many of *room* columns are left behind branches."""
    return room - len(clipped(branches, room))


def _fitting(text: str, room: int) -> int:
    """Return how many characters of *text* fit into *room* columns, at least one."""
    used = 0
    for place, character in enumerate(text):
        used += width(character)
        if used > room:
            return max(1, place)
    return len(text)
