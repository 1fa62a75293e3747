"""
Why a contact is in a segment or not, as text: the tree with a verdict beside each part.

    "ann" is not in the segment
    as of 2026-05-09 14:00:00+02:00 (Europe/Berlin)

    no   all of
    yes  ├─ country in (US, DE)
         │     country: "DE"
    no   └─ did opened at least 3 times in last 30 days
               2 fit, of 2 in the window, 5 in all
               2026-05-02 02:00:00+02:00 email_open: campaign "may", seconds 4
               2026-05-08 11:00:00+02:00 email_open: campaign "may", seconds 4

Lines are at most 100 columns wide.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from headcount.answers import Scalar
from headcount.query.explain import Kind
from headcount.query.explain_contact import ContactExplanation, Verdict
from headcount.query.history import Looked, Occurrence
from headcount.query.literals import write_number, write_string
from headcount.query.terminal import COLUMNS, clipped, room_behind, wrapped

_SHOWN = 4  # stretches, and windows of events, of a condition
_VERDICT = {True: "yes  ", False: "no   "}
_BLANK = "     "


def contact_text(explanation: ContactExplanation, *, columns: int = COLUMNS) -> str:
    """Return *explanation* as lines of at most *columns* (60 or more) columns."""
    assert columns >= 60, columns
    verb = "is" if explanation.holds else "is not"
    lines = [
        *wrapped(f"{write_string(explanation.contact)} {verb} in the segment", columns),
        f"as of {explanation.as_of.isoformat(' ')} ({explanation.time_zone})",
        "",
        *_lines(explanation.root, "", "", columns),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _lines(part: Verdict, first: str, rest: str, columns: int) -> Iterator[str]:
    """Yield the lines of a part; *first* and *rest* stand before its first line and the others."""
    room = columns - len(_BLANK)
    title = part.text if part.kind is Kind.CONDITION else part.kind.value
    for number, line in enumerate(wrapped(title, room_behind(first, room))):
        head = _BLANK if number else _VERDICT[part.holds]
        yield head + clipped(rest if number else first, room) + line
    inside = rest + "      "
    for note in _notes(part):
        for line in wrapped(note, room_behind(inside, room)):
            yield _BLANK + clipped(inside, room) + line
    for place, inner in enumerate(part.parts):
        last = place == len(part.parts) - 1
        branch, trunk = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield from _lines(inner, rest + branch, rest + trunk, columns)


def _notes(part: Verdict) -> Iterator[str]:
    """Yield what a condition compared."""
    for held in part.values:
        yield f"{held.text}: {_spelt(held.value)}"
    for stretch in part.stretches[:_SHOWN]:
        yield f"compared with {stretch}"
    for looked in part.events[:_SHOWN]:
        yield from _events(looked)
    for what, found in (("times", part.stretches), ("windows", part.events)):
        if len(found) > _SHOWN:
            yield f"and {len(found) - _SHOWN} more {what}"


def _events(looked: Looked) -> Iterator[str]:
    yield f"{looked.count:,} fit, of {looked.in_window:,} in the window, {looked.in_all:,} in all"
    yield from map(_event, looked.first)
    between = looked.count - len(looked.first) - len(looked.last)
    if between:
        yield f"... {between:,} more ..."
    yield from map(_event, looked.last)
    if not looked.count and looked.latest is not None:
        yield f"the latest: {_event(looked.latest)}"


def _event(event: Occurrence) -> str:
    held = ", ".join(f"{name} {_spelt(value)}" for name, value in event.properties.items())
    return f"{_spelt(event.time)} {event.type}{': ' if held else ''}{held}"


def _spelt(value: Scalar | None) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return write_string(value)
        case dt.datetime():
            return value.isoformat(" ")
        case dt.date():
            return value.isoformat()
        case list():
            return ", ".join(map(write_string, value))
    return write_number(value)
