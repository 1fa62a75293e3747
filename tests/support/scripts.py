"""
Scripts: segments with their members, in files that are read like a table.

    # 93 Engaged buyers                                 a title, which starts with a number
    as of 2026-05-09T12:00 in Europe/Berlin             optional: when, and optionally where
    opened in last 30 days                              the segment, in one line or several
    and plan = Pro
    ----
    ada gus                                             its members in order, or (none)

Lines that start with `--` before the first title are for the reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_WHEN = re.compile(r"as of (?P<as_of>\S+)(?: in (?P<zone>\S+))?")


@dataclass(frozen=True, slots=True)
class Example:
    """One segment of a script. `as_of` and `zone` are None where the script leaves them open."""

    path: str
    line: int
    title: str
    text: str
    members: tuple[str, ...]
    as_of: str | None = None
    zone: str | None = None

    @property
    def number(self) -> int:
        """Return the number that the title starts with."""
        return int(self.title.split()[0])


def read_script(path: Path) -> list[Example]:
    """Return the examples of a script, in order."""
    lines = path.read_text(encoding="utf-8").split("\n")
    starts = [n for n, line in enumerate(lines) if line.startswith("# ")]
    return [
        _example(path, start, lines[start:end])
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)
    ]


def _example(path: Path, start: int, lines: list[str]) -> Example:
    """Return the example of one block."""
    bar = lines.index("----")
    text = lines[1:bar]
    when = _WHEN.fullmatch(text[0])
    if when:
        text = text[1:]
    rest = [line for line in lines[bar + 1 :] if line]
    assert len(rest) == 1, f"{path.name}:{start + 1}: expected one line of members, found {rest}"
    return Example(
        path.name,
        start + 1,
        lines[0].removeprefix("# "),
        "\n".join(text),
        () if rest[0] == "(none)" else tuple(rest[0].split()),
        when["as_of"] if when else None,
        when["zone"] if when else None,
    )
