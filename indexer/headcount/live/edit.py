"""
Edits: new values, labels and lists put into the columns of some contacts.

A column is Arrow and never changes; an edit gives the one that takes its place. What is asked of
sets (labels, lists) is done in Python, for the contacts that are named only: 6 µs each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index.arrow import INSTANT
from headcount.model.changes import Instants, ListAction
from headcount.model.fold import field_key
from headcount.model.schema import LIST_JOINED, LIST_LEFT, LIST_OPTED_OUT, Field

Places = npt.NDArray[np.int64]

_TELLS = {
    ListAction.JOIN: LIST_JOINED,
    ListAction.LEAVE: LIST_LEFT,
    ListAction.OPT_OUT: LIST_OPTED_OUT,
}


def replaced(column: pa.Array, places: Places, values: pa.Array) -> pa.Array:
    """Return *column* with `values[i]` at `places[i]`; of a place named twice, the last."""
    if not len(places):
        return column
    source = np.arange(len(column))
    source[places] = np.arange(len(column), len(column) + len(places))
    return pa.concat_arrays([column, values]).take(pa.array(source))


def spread(column: pa.Array, at: npt.NDArray[np.bool_], others: pa.Array) -> pa.Array:
    """Return *column* at the places where *at* is true, and *others* at the rest."""
    source = np.empty(len(at), dtype=np.int64)
    source[at] = np.arange(len(column))
    source[~at] = np.arange(len(column), len(column) + len(others))
    return pa.concat_arrays([column, others]).take(pa.array(source))


@dataclass(slots=True)
class Told:
    """List events to be recorded: of the contact at each place, with list and time."""

    places: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def table(self) -> pa.Table:
        """
        Return the events as a table; an id of list and time tells each of them once.

        `row` is the place.
        """
        ids = [f"{name}@{time}" for name, time in zip(self.names, self.times, strict=True)]
        return pa.table(
            {
                "row": pa.array(self.places, pa.uint32()),
                "time": pa.array(self.times, pa.int64()).cast(INSTANT),
                "id": pa.array(ids, pa.string()),
                "property.list": pa.array(self.names, pa.string()),
            }
        )


def put_lists(
    member: Sets,
    out: Sets,
    places: Places,
    names: Sequence[str],
    actions: Sequence[int],
    times: Instants,
    told: dict[str, Told],
) -> None:
    """
    Do *actions* in order to who is on lists and who is opted out; *told* gets what happened.

    By event type. What was so already (joining a list once more) is no event.
    """
    for place, name, number, time in zip(
        places.tolist(), names, actions, times.tolist(), strict=True
    ):
        action = ListAction(number)
        match action:
            case ListAction.JOIN:
                changed = member.put(place, name)
            case ListAction.LEAVE:
                changed = member.take(place, name)
            case ListAction.OPT_OUT:
                changed = out.put(place, name)
            case ListAction.OPT_IN:
                changed = out.take(place, name)
        if changed and action in _TELLS:
            events = told.setdefault(_TELLS[action], Told())
            events.places.append(place)
            events.names.append(name)
            events.times.append(time)


def united(one: pa.ListArray, other: pa.ListArray, kind: Field) -> pa.ListArray:
    """Return for each place the union of two sets, in the spelling of the first."""
    sets = Sets(one, kind)
    for place, names in enumerate(other.to_pylist()):
        for name in names or ():
            sets.put(place, name)
    return sets.column()


class Sets:
    """The sets of a column that are being changed, each read when it is first named."""

    def __init__(self, column: pa.ListArray, kind: Field) -> None:
        self._column = column
        self._kind = kind
        self._held: dict[int, dict[str, list[str]]] = {}  # place → key → its spellings

    def put(self, place: int, name: str) -> bool:
        """Put *name* into a set; return whether it was not in it."""
        held = self._at(place)
        key = field_key(name, self._kind)
        if key in held:
            return False
        held[key] = [name]
        return True

    def take(self, place: int, name: str) -> bool:
        """Take *name* out of a set; return whether it was in it."""
        return self._at(place).pop(field_key(name, self._kind), None) is not None

    def column(self) -> pa.ListArray:
        """Return the column with the changed sets, null where one is empty."""
        if not self._held:
            return self._column
        values = [
            [name for names in held.values() for name in names] for held in self._held.values()
        ]
        changed = pa.array([names or None for names in values], self._column.type)
        return replaced(self._column, np.array(list(self._held)), changed)

    def _at(self, place: int) -> dict[str, list[str]]:
        held = self._held.get(place)
        if held is None:
            held = self._held[place] = {}
            names: Iterable[str] = self._column[place].as_py() or ()
            for name in names:
                held.setdefault(field_key(name, self._kind), []).append(name)
        return held
