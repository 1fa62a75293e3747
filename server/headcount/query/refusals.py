"""
Refusals: user errors that say where in the segment they arose.

A tree from text has spans: the error then carries the line, column and source line. A tree from
JSON or a message has places: the error then carries the path, and inside an expression both. A tree
that a program built has neither: the error then quotes the canonical text of the node.
"""

from __future__ import annotations

from dataclasses import dataclass

from headcount.model.errors import Position, Reason, UserError
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.place import spelled

_LONGEST = 60  # of a quoted expression, in code points


@dataclass(frozen=True, slots=True)
class Refusals:
    """Makes the errors and positions of one segment; `text` is what it was parsed from."""

    text: str | None

    def error(
        self, reason: Reason, message: str, node: tree.Node, suggestions: tuple[str, ...] = ()
    ) -> UserError:
        """Return an error about *node*, to be raised by the caller."""
        position = self.position(node)
        field = None
        if node.place is not None:
            field = spelled(node.place.path)
        elif position is None:
            field = canonical(node)
        return UserError(reason, message, position=position, field=field, suggestions=suggestions)

    def mismatch(self, message: str, node: tree.Node) -> UserError:
        """Return the error of an operator or value that does not fit the type."""
        return self.error(Reason.TYPE_MISMATCH, message, node)

    def invalid(
        self, message: str, node: tree.Node, suggestions: tuple[str, ...] = ()
    ) -> UserError:
        """Return the error of a value of the right type that cannot be."""
        return self.error(Reason.INVALID_VALUE, message, node, suggestions)

    def unknown(self, message: str, node: tree.Node, suggestions: tuple[str, ...]) -> UserError:
        """Return the error of a name that nothing has."""
        return self.error(Reason.UNKNOWN_NAME, message, node, suggestions)

    def position(self, node: tree.Node) -> Position | None:
        """Return where *node* stood in the text, or in the expression, if it came from one."""
        place = node.place
        if place is not None:
            if place.text is None:
                return None
            return Position.at(place.text, place.start, place.end)
        if self.text is None or node.span is None:
            return None
        return Position.at(self.text, node.span.start, node.span.end)

    def quoted(self, node: tree.Node) -> str:
        """Return *node* as it was written, or its canonical text, between backticks."""
        if isinstance(node, tree.Name):
            return f"`{node.name}`"
        if self.text is None or node.span is None:
            written = canonical(node)
        else:
            written = self.text[node.span.start : node.span.end]
        written = " ".join(written.split())
        if len(written) > _LONGEST:
            written = written[: _LONGEST - 3] + "..."
        return f"`{written}`"
