"""
Reread: what stands between the `and`s and `or`s of a text, remembered as it was parsed.

Who edits a text sends it again at every keystroke, and all but one of its operands are as they
were. The parser is deterministic: from the same state, the same characters up to the same word make
the same node and lead to the same state. So at the beginning of an operand, outside all
parentheses, the parser asks for

    (state, the text from here to the end of one of the next few `and`s and `or`s, or of the text)

and if that was parsed before, goes on at that word, with a copy of the node whose spans are moved
to where it stands now. An `and` of `between` is tried like any other, and is not what ended an
operand before. Ten conditions of which one is new take 0.12 ms, without what was read before 0.31.

Only operands of whole texts that were parsed without an error are remembered: at most 1,024, of
1,000 code points each, some 10 MB.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

from headcount.query.lately import Lately
from headcount.query.tree import Span, Spanned

MOST = 1_024
LONGEST = 1_000  # code points of an operand

_BEGUN = 8  # code points by which it is seen that there is nothing to be found
_TRIED = 8  # joints: an operand may hold some in strings, in parentheses and of `between`
_JOINT = re.compile(r"(?<!\w)(?:and|or)(?!\w)", re.IGNORECASE)

_new = object.__new__
_set = object.__setattr__


State = int  # of the parser


class Operand(NamedTuple):
    """A parsed operand: its node, the state behind it, and where its text ended, from its start."""

    node: Spanned
    state: State
    size: int


class _Kept(NamedTuple):
    start: int  # in the text that it was parsed from
    operand: Operand


Key = tuple[State, int, str, bool]  # most parentheses, the text, whether it ends there


class Operands:
    """What was parsed between `and`s and `or`s. Any thread may ask."""

    def __init__(self, most: int = MOST) -> None:
        self._held: Lately[Key, _Kept] = Lately(most)
        self._begun: Lately[str, bool] = Lately(most)  # with which some of those begin

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._held)

    def find(self, text: str, start: int, state: State, depth: int) -> Operand | None:
        """Return what was parsed of the text from *start* on in this state; None if nothing was."""
        begun = text[start : start + _BEGUN]
        if not self._begun.get(begun):
            return None
        for tried, joint in enumerate(_JOINT.finditer(text, start)):
            end = joint.end()
            if end - start > LONGEST or tried == _TRIED:
                return None
            found = self._find((state, depth, text[start:end], False), start)
            if found is not None:
                return found
        if len(text) - start > LONGEST:
            return None
        return self._find((state, depth, text[start:], True), start)

    def _find(self, key: Key, start: int) -> Operand | None:
        kept = self._held.get(key)
        if kept is None:
            return None
        if kept.start != start:
            node = moved(kept.operand.node, start - kept.start)
            kept = _Kept(start, kept.operand._replace(node=node))
            self._held.keep(key, kept)
        return kept.operand

    def keep(self, text: str, start: int, state: State, depth: int, operand: Operand) -> None:
        """Remember an operand of *text*, which is without an error."""
        end = start + operand.size
        if end < len(text):
            joint = _JOINT.match(text, end)
            if joint is None:
                return
            end = joint.end()
        if _BEGUN <= end - start <= LONGEST:
            is_rest = start + operand.size == len(text)
            self._held.keep((state, depth, text[start:end], is_rest), _Kept(start, operand))
            self._begun.keep(text[start : start + _BEGUN], True)


def moved(node: Spanned, by: int) -> Spanned:
    """Return *node*, with all that it holds, as it would stand *by* code points further on."""
    kind: Any = type(node)
    found: Spanned = _new(kind)
    for name in _names(kind):
        _set(found, name, _moved(getattr(node, name), by))
    return found


def _moved(value: Any, by: int) -> Any:
    kind = type(value)
    if kind is Span:
        return Span(value.start + by, value.end + by)
    if kind is tuple:
        return tuple([_moved(item, by) for item in value])
    return moved(value, by) if isinstance(value, Spanned) else value


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(part.name for part in fields(kind))
