"""
Mentions: the fields and events that a condition looks at, and which of them a batch changed.

A watch whose segment mentions nothing that a batch changed has nothing to work out for it. What is
said of a batch may be too much, never too little: a contact that lies where it lay has its fields
as they were, and events that are new lie in indexes that are new.
"""

from __future__ import annotations

import numpy as np

from headcount.index import bitmaps
from headcount.index.view import View
from headcount.model.schema import EventType, Field
from headcount.query.bound import Condition
from headcount.query.expressions import FieldValue
from headcount.segments.watch.commit import Commit

Names = frozenset[str]


def mentioned(condition: Condition) -> Names:
    """Return the events, by name, that a bound condition looks at; about 1 µs a node."""
    found: set[str] = set()
    stack: list[object] = [condition]
    while stack:
        node = stack.pop()
        if isinstance(node, EventType):
            found.add(node.name)
        elif isinstance(node, tuple):
            stack.extend(node)
        elif hasattr(node, "__dataclass_fields__") and not isinstance(node, Field | FieldValue):
            stack.extend(getattr(node, part) for part in node.__dataclass_fields__)
    return frozenset(found)


def changed(commit: Commit) -> Names | None:
    """Return the events of which a batch recorded or dropped some; None if it changed more."""
    before, after = commit.before, commit.after
    if before.schema is not after.schema or len(before.blocks) != len(after.blocks):
        return None
    touched = bitmaps.to_rows(commit.touched)
    places = after.positions(touched)
    if np.any(places < 0) or not np.array_equal(places, before.positions(touched)):
        return None
    return _newer(before, after)


def _newer(before: View, after: View) -> Names | None:
    found = {
        name
        for name in before.expired.keys() | after.expired.keys()
        if before.expired.get(name) != after.expired.get(name)
    }
    for old, new in zip(before.blocks, after.blocks, strict=True):
        if old is new:
            continue
        if old.identity is not new.identity:
            return None
        for name in old.newer.keys() | new.newer.keys():
            if old.newer.get(name) is not new.newer.get(name):
                found.add(name)
    return frozenset(found)
