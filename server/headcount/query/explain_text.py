"""
Explanations as text: a tree that fits a terminal, numbers to the left where they can be compared.

    310 of 1,048,576 contacts, as of 2026-11-01 00:00:00+01:00 (Europe/Berlin)

      contacts    without      ms
           310              1.204  all of
       489,089      1,204 (0.012)  ├─ country in (US, DE, GB)
       513,910        330   0.020  └─ plan != Free
                                        52,333 of them because a value is missing

A time in brackets is that of a part that was remembered from an earlier query; without a timer
there are none. Lines are at most 100 columns wide; wide characters count as two.
"""

from __future__ import annotations

from collections.abc import Iterator

from headcount.query.explain import Explained, Explanation, Found, Kind
from headcount.query.terminal import COLUMNS, clipped, room_behind, wrapped

_SHOWN = 3  # stretches of a condition
_LINES = 4  # of a condition's text


def explanation_text(explanation: Explanation, *, columns: int = COLUMNS) -> str:
    """Return *explanation* as lines of at most *columns* (60 or more) columns."""
    assert columns >= 60, columns
    as_of = explanation.as_of.isoformat(" ")
    lines = [
        f"{explanation.count:,} of {explanation.contacts:,} contacts",
        f"as of {as_of} ({explanation.time_zone})",
        "",
        _numbers("contacts", "without", "ms" if explanation.root.seconds else ""),
        *_lines(explanation.root, "", "", columns),
    ]
    for warning in explanation.warnings:
        lines += ["", *wrapped(f"warning: {warning.message}", columns)]
    return "\n".join(line.rstrip() for line in lines)


def _lines(part: Explained, first: str, rest: str, columns: int) -> Iterator[str]:
    """Yield the lines of a part; *first* and *rest* stand before its first line and the others."""
    without = "" if part.without is None else f"{part.without:,}"
    took = f"{part.seconds * 1e3:.3f}" if part.seconds else ""
    if took and part.found is Found.REMEMBERED:
        took = f"({took})"
    numbers = _numbers(f"{part.count:,}", without, took)
    blank = " " * len(numbers)
    room = columns - len(numbers)
    title = part.text if part.kind is Kind.CONDITION else part.kind.value
    inside = rest + ("│  " if part.parts else "   ")
    for number, line in enumerate(wrapped(title, room_behind(first, room))):
        if number == _LINES:
            yield blank + clipped(rest, room) + "..."
            break
        yield (blank if number else numbers) + clipped(rest if number else first, room) + line
    for note in _notes(part):
        for line in wrapped(note, room_behind(inside, room)):
            yield blank + clipped(inside, room) + line
    for place, inner in enumerate(part.parts):
        last = place == len(part.parts) - 1
        branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield from _lines(inner, rest + branch, rest + trunk, columns)


def _numbers(count: str, without: str, took: str) -> str:
    return f"{count:>12}{without:>12}{took:>10}  "


def _notes(part: Explained) -> Iterator[str]:
    """Yield what is said below a part."""
    if part.missing:
        yield f"{part.missing:,} of them because a value is missing"
    for stretch in part.stretches[:_SHOWN]:
        yield str(stretch)
    if len(part.stretches) > _SHOWN:
        yield f"and {len(part.stretches) - _SHOWN} more"
