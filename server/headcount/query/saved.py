"""
Saved segments as queries see them: a name stands for a segment, put in its place.

    in segment "vip"  →  the condition of `vip`, bound once a query, in the same view

What may be saved, and how it is kept, is somebody else's business. But a definition that was legal
when it was saved may be too large where it is used, and putting one into another can make something
huge out of little, so the size and depth of what is put in are limited here, as a segment's are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from headcount.model.errors import Reason
from headcount.model.fold import key
from headcount.query import tree
from headcount.query.dependencies import CircularError, in_order, shown
from headcount.query.limits import Limits, is_condition, levels
from headcount.query.literals import write_string
from headcount.query.tree import Segment, children


class SavedSegment(Protocol):
    """A name, the segment it stands for, and the text in which the segment's spans lie."""

    @property
    def name(self) -> str:
        """Return the name as it was saved."""

    @property
    def text(self) -> str:
        """Return what the segment was parsed from."""

    @property
    def segment(self) -> Segment:
        """Return what the name stands for."""


class Saved(Protocol):
    """What is saved, at one moment; it never changes."""

    def find(self, name: str) -> SavedSegment | None:
        """Return what is saved as *name*, compared as keys are; None if nothing is."""

    def near(self, name: str) -> tuple[str, ...]:
        """Return the names that may have been meant by *name*."""

    def alike(self, text: str, most: int) -> tuple[SavedSegment, ...]:
        """Return up to *most* of them, those whose texts share most words with *text*."""

    def __len__(self) -> int: ...


class _Nothing:
    def find(self, name: str) -> SavedSegment | None:
        del name
        return None

    def near(self, name: str) -> tuple[str, ...]:
        del name
        return ()

    def alike(self, text: str, most: int) -> tuple[SavedSegment, ...]:
        del text, most
        return ()

    def __len__(self) -> int:
        return 0


NOTHING_SAVED: Saved = _Nothing()


class ExpansionError(Exception):
    """A saved segment cannot be put in the place of its name."""

    def __init__(self, reason: Reason, message: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.suggestions = suggestions


def memberships(segment: Segment) -> Iterator[tree.InSegment]:
    """Yield every `in segment` of *segment*, in the order they were written."""
    stack: list[tree.Node] = [segment]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.InSegment):
            yield node
        stack.extend(reversed(tuple(children(node))))


class Used(NamedTuple):
    """A saved segment, and its conditions and levels with all that it uses put in."""

    segment: SavedSegment
    conditions: int
    levels: int


def with_used(name: str, saved: Saved, limits: Limits) -> tuple[Used, ...]:
    """
    Return what is saved as *name* after everything that it uses, each once.

    Does not recurse; about 1 µs a node of their trees.

    Raises:
        ExpansionError: nothing is saved as *name* or as a name it uses, they use each other in a
            circle, or with all put in there are more conditions or levels than *limits* allow.
    """
    found: dict[str, SavedSegment] = {}
    uses: dict[str, dict[str, None]] = {}
    stack = [(name, "")]
    while stack:
        wanted, user = stack.pop()
        if key(wanted) in found:
            continue
        one = saved.find(wanted)
        if one is None:
            raise _unknown(wanted, user, saved)
        found[key(wanted)] = one
        named = [node.name for node in memberships(one.segment)]
        uses[key(wanted)] = dict.fromkeys(map(key, named))
        stack.extend((other, one.name) for other in named)
    try:
        order = in_order(uses)
    except CircularError as circle:
        path = shown([found[one].name for one in circle.path])
        message = f"a saved segment cannot be made from itself: {path}"
        raise ExpansionError(Reason.CONFLICT, message) from None
    sizes: dict[str, Used] = {}
    for place in order:
        saved_one = found[place]
        conditions, depth = _size(saved_one.segment, sizes)
        sizes[place] = Used(saved_one, conditions, depth)
        if conditions > limits.conditions or depth > limits.depth:
            called = f"segment {write_string(saved_one.name)}"
            raise _too_large(called, conditions, depth, limits)
    return tuple(sizes.values())


def require_within(segment: Segment, used: Mapping[str, Used], limits: Limits) -> None:
    """
    Refuse a segment that is larger than *limits* with the saved segments that it uses put in.

    *used* are those, by key. About 1 µs a node.

    Raises:
        ExpansionError: it is.
    """
    conditions, depth = _size(segment, used)
    if conditions > limits.conditions or depth > limits.depth:
        raise _too_large("this segment", conditions, depth, limits)


def _size(segment: Segment, used: Mapping[str, Used]) -> tuple[int, int]:
    """Return conditions and levels of *segment*, with those of what it uses put in."""
    conditions = depth = 0
    for node, level in levels(segment):
        more, deeper = (int(is_condition(node)), 0)
        if isinstance(node, tree.InSegment):
            inside = used[key(node.name)]
            more, deeper = inside.conditions, inside.levels
        conditions += more
        depth = max(depth, level + deeper)
    return conditions, depth


def _too_large(called: str, conditions: int, depth: int, limits: Limits) -> ExpansionError:
    return ExpansionError(
        Reason.LIMIT_EXCEEDED,
        f"{called}, with the saved segments that it uses put in, has {conditions:,} conditions on"
        f" {depth:,} levels; at most {limits.conditions:,} on {limits.depth:,} are allowed",
    )


def _unknown(wanted: str, user: str, saved: Saved) -> ExpansionError:
    message = f"unknown segment {write_string(wanted)}"
    if user:
        message += f", which segment {write_string(user)} names"
    if not len(saved):
        message += ": no segments are saved"
    return ExpansionError(Reason.UNKNOWN_NAME, message, saved.near(wanted))
