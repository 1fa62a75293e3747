"""
Places: where in a JSON document or a message something stood.

A path is a chain of pairs from the inside out. It is built on the way down, which costs a tuple a
step, and only spelled out for an error: `all[2].value`.
"""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple["Path | None", str]


def spelled(path: Path) -> str | None:
    """Return a path as text, such as `all[2].value`; None for the root of a nameless document."""
    parts = []
    rest: Path | None = path
    while rest is not None:
        rest, part = rest
        parts.append(part)
    return "".join(reversed(parts)).removeprefix(".") or None


@dataclass(frozen=True, slots=True)
class Place:
    """
    The place of one node.

    `literal` is the path of the texts that a condition itself holds, such as the pattern of
    `contains`; `listed` says that there is a list of them. A node of an expression, which is text
    inside a document, has that `text`, and stood there from `start` to `end`.
    """

    path: Path
    literal: Path | None = None
    listed: bool = False
    text: str | None = None
    start: int = 0
    end: int = 0

    def of_literal(self, index: int) -> Place:
        """Return the place of the text number *index* that the condition holds."""
        if self.literal is None:
            return self
        return Place((self.literal, f"[{index}]") if self.listed else self.literal)
