"""
The JSON form of a segment: for user interfaces, and for clients that speak nothing else.

    text --decode--> document --json_reader--> tree --json_writer--> document --encode--> text

    {"all": [{"field": "plan", "operator": "equals", "value": "Pro"},
             {"event": "email_open", "times": {"at_least": 5}, "window": {"last": "30 days"}}]}

Nothing is lost on the way from a tree to JSON and back. On the way in, more is understood than is
written: the names of operators that other tools use, and their flat lists of conditions. What is
not understood is refused: a key that is skipped is a condition that does not hold. docs/json.md is
the reference.

JSON as such allows more than anyone means, and Python's reader more than JSON. Refused are a key
that an object has twice (readers differ in which one counts), NaN, and numbers that no double is.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, NoReturn

from headcount.model.errors import Position, Reason, UserError
from headcount.query.json_reader import from_document
from headcount.query.json_values import WIDER, Members, NoNumber
from headcount.query.json_writer import to_document
from headcount.query.limits import DEFAULT, Limits, too_deep
from headcount.query.tree import Segment

__all__ = ["Named", "from_document", "from_json", "named_from_json", "to_document", "to_json"]

_LONGEST_DIGITS = 400  # more than the whole part of any double has
_LONGEST_LINE = 200  # code points of a line that an error shows with a caret
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)

# A level of the tree is an object and a list in JSON; the rest is what a leaf holds.
_BRACKETS_PER_LEVEL = 2
_BRACKETS_OF_LEAF = 8


class Named(NamedTuple):
    """A segment, and the name that a flat document gives it; None if it gives none."""

    name: str | None
    segment: Segment


def to_json(segment: Segment, indent: int | None = None) -> str:
    """
    Return the canonical JSON of *segment*, on one line unless *indent* says by how much.

    Raises:
        UserError: LIMIT_EXCEEDED; nested more than 64 levels deep.
    """
    return json.dumps(to_document(segment), ensure_ascii=False, allow_nan=False, indent=indent)


def from_json(text: str, limits: Limits = DEFAULT, field: str = "") -> Segment:
    """
    Return the tree of a JSON text; *field* is its path in a request, before those of its parts.

    Limits hold as for text, but the JSON may have 16 times the bytes.

    Raises:
        UserError: SYNTAX, UNKNOWN_NAME (of an operator or function), INVALID_VALUE or
            LIMIT_EXCEEDED. `field` is the path of the place, `all[2].value`; where the text is no
            JSON, and inside an expression, the position is given too.
    """
    return from_document(_decode(text, limits, field), limits, field)


def named_from_json(text: str, limits: Limits = DEFAULT, field: str = "") -> Named:
    """Return the tree of a JSON text and the `name` beside its `conditions`, if there is one."""
    document = _decode(text, limits, field)
    return Named(segment=from_document(document, limits, field), name=document.get("name"))


def document_of(text: str) -> dict[str, Any]:
    """
    Return a JSON text as the document that it is, which `from_document` reads.

    Raises:
        UserError: as for `from_json`.
    """
    document = _decode(text, DEFAULT, "")
    from_document(document)
    found: dict[str, Any] = document
    return found


def _decode(text: str, limits: Limits, field: str) -> Any:
    """Return the document of a text, with the marks that `json_reader` looks for."""
    where = field or None
    size = len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    allowed = limits.text_bytes * WIDER
    if size > allowed:
        message = f"expected at most {allowed:,} bytes of JSON, found {size:,}"
        raise UserError(Reason.LIMIT_EXCEEDED, message, field=where)
    if _nesting(text) > limits.depth * _BRACKETS_PER_LEVEL + _BRACKETS_OF_LEAF:
        raise UserError(Reason.LIMIT_EXCEEDED, too_deep(limits.depth), field=where)
    try:
        return json.loads(
            text,
            object_pairs_hook=_members,
            parse_int=_whole,
            parse_constant=NoNumber,
        )
    except json.JSONDecodeError as error:
        _refuse(text, error, where)


def _nesting(text: str) -> int:
    """Return how deep brackets are inside each other; Python's reader would recurse as deep."""
    deepest = depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        first = found.group()[0]
        if first != '"':
            depth += 1 if first in "[{" else -1
            deepest = max(deepest, depth)
    return deepest


def _members(pairs: list[tuple[str, Any]]) -> Members:
    found = Members(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        found.twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return found


def _whole(digits: str) -> int | NoNumber:
    if len(digits) > _LONGEST_DIGITS:
        return NoNumber(f"a number of {len(digits):,} digits")
    return int(digits)


def _refuse(text: str, error: json.JSONDecodeError, field: str | None) -> NoReturn:
    """Raise the error of a text that is no JSON."""
    at = error.pos
    if not text.strip():
        message = 'expected a segment as JSON, such as {"list": "news"}, found nothing'
        raise UserError(Reason.SYNTAX, message, field=field)
    found = f"`{text[at]}`" if at < len(text) else "the end"
    if at < len(text) and not text[at].isprintable():
        found = f"the character U+{ord(text[at]):04X}"
    wanted = error.msg[0].lower() + error.msg[1:]
    place = Position.at(text, at, at + 1)
    message = f"this is no JSON: {wanted}, found {found}"
    if len(place.source) > _LONGEST_LINE:
        message += f" at line {place.line}, column {place.column}"
        raise UserError(Reason.SYNTAX, message, field=field)
    raise UserError(Reason.SYNTAX, message, field=field, position=place)
