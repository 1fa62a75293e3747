"""
The words of the language: units of time, functions, reserved words, and what a bare word is.

Most keywords are keywords only where the parser can take one, so that a field may be called `list`,
`day` or `first`, and an event `like`. The words in `RESERVED` are keywords everywhere, for one of
two reasons. A condition or a value may start with them, and they could be read both ways
(`today = 3`). Or they are so much a part of the grammar that taking them for a name would only move
the error to a place where it is harder to understand (`plan = and`). As a name such a word takes
backticks, as text it takes quotes.
"""

from __future__ import annotations

import re
import unicodedata

from headcount.query.tree import FUNCTIONS, AggregateOp, EventPick, Unit

UNITS = {unit.value + plural: unit for unit in Unit for plural in ("", "s")}

RESERVED = frozenset({
    # a condition or a value may start with these
    "did", "everyone", "false", "in", "never", "not", "now", "opted", "sample", "today", "tomorrow",
    "true", "yesterday",
    # these may stand behind an operator
    "empty", "null",
    # these join what is around them
    "and", "between", "contains", "is", "or", "where", "within",
})  # fmt: skip

EVENT_FUNCTIONS = tuple(pick.value for pick in EventPick)
AGGREGATE_FUNCTIONS = tuple(op.value for op in AggregateOp)
ALL_FUNCTIONS = tuple(dict.fromkeys((*FUNCTIONS, *EVENT_FUNCTIONS, *AGGREGATE_FUNCTIONS)))

_LONGEST_QUOTE = 40  # of what was found, inside a message
_WORD = re.compile(r"[^\W\d]\w*")
_MORE = re.compile(r"\w*")


def word_end(text: str, start: int) -> int:
    r"""
    Return where the bare word that starts at *start* ends; *start* itself if none does.

    A word is a letter or `_`, then letters, digits, `_` and combining marks; `\w` leaves the marks
    out, though many scripts cannot be written without them.
    """
    found = _WORD.match(text, start)
    if found is None:
        return start
    end = found.end()
    while end < len(text) and not text[end].isascii() and _is_mark(text[end]):
        more = _MORE.match(text, end + 1)
        end = more.end() if more else end + 1
    return end


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def clipped(text: str) -> str:
    """Return *text* for a message, its end replaced by `...` if it is long."""
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 3] + "..."


def is_bare_word(name: str) -> bool:
    """Return whether *name* can be written without backticks."""
    return bool(name) and word_end(name, 0) == len(name) and name.lower() not in RESERVED
