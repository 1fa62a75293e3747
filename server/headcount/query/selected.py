"""
Conditions on the properties of events, tried on a selection in the place of the whole window.

Where one of the conditions that all must hold is on the values of a text property, only the events
with such values are looked at, by contact (see `headcount.index.selection`): those of the window
are told by their positions, and the other conditions are worked out on the selection's columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from headcount.index.bitmaps import Mask
from headcount.index.events import EventIndex
from headcount.index.interval import Interval
from headcount.index.properties import StringProperty
from headcount.index.selection import Selection
from headcount.query.bound import All, Condition, EventCount, KeyIn
from headcount.query.clock import Clock
from headcount.query.expressions import FieldValue
from headcount.query.frames import SelectedFrame
from headcount.query.masks import mask

_LEAST = 8192  # events of a window; so few are gone through in 0.03 ms
_MOST_SHARE = 2  # a selection has at most so many times the events of the window


class Selected(NamedTuple):
    """A selection, and which of its events are in a window and fit its condition."""

    selection: Selection
    fits: Mask

    def count(self, condition: EventCount) -> int:
        """Return how many rows have as many of the events as *condition* says."""
        found = self.selection.count_at_least(condition.low, self.fits)
        if found and condition.high is not None:
            found -= self.selection.count_at_least(condition.high + 1, self.fits)
        return found

    def with_count(self, condition: EventCount) -> BitMap:
        """Return the rows that have as many of the events as *condition* says, fresh."""
        found = self.selection.at_least(condition.low, self.fits)
        if found and condition.high is not None:
            found -= self.selection.at_least(condition.high + 1, self.fits)
        return found


def selected(
    where: Condition | None, index: EventIndex, interval: Interval, clock: Clock
) -> Selected | None:
    """
    Return the events of *index* in *interval* that fit *where*.

    None where there is no selection of them, or going through the window is as fast.
    """
    items = where.items if isinstance(where, All) else (where,)
    named = next((item for item in items if isinstance(item, KeyIn)), None)
    if named is None or not isinstance(named.value, FieldValue):
        return None
    start, stop = index.slice(interval)
    if stop - start < _LEAST:
        return None
    name = named.value.field.name
    column = index.property(name)
    assert isinstance(column, StringProperty), name
    codes = frozenset(column.dictionary.lookup_all(named.keys))
    selection = index.selections.get(name, codes)
    if selection is None or len(selection) > _MOST_SHARE * (stop - start):
        return None
    frame = SelectedFrame(index, 0, len(selection), clock, selection)
    fits = selection.within(start, stop, index.size)
    for item in items:
        if item is named or item is None:
            continue
        also = mask(item, frame)
        fits = also if fits is None else fits & also
    return Selected(selection, np.ones(len(selection), dtype=np.bool_) if fits is None else fits)
