"""
The columns of contacts that move to a recent block, with what was written to them.

    held, where they were ─→ fields set │ labels put on │ lists joined ─→ the new block's columns

A commit, and even more so a log that is replayed, has many steps of few contacts each. To write
each into its column would copy the column as often as there are steps; so what comes is gathered
by column, in order, and written once, when something else of that column is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index.arrow import INSTANT
from headcount.index.block import LISTS, OPTED_OUT
from headcount.index.lazy import Lazy
from headcount.live import edit
from headcount.live.edit import Sets, Told
from headcount.live.kept import Kept, Names
from headcount.model.changes import ContactStep, ListUpdate, SetUpdate
from headcount.model.schema import Field, Schema

Ordinals = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]

_CREATED_AT = "created_at"


class Made(NamedTuple):
    """A new contact's ordinal, and when it was made (µs)."""

    ordinal: int
    at: int


UNMADE = Made(-1, 0)


class Edit(NamedTuple):
    """A step, the ordinals of its contacts, and when (µs)."""

    ordinals: Ordinals
    step: ContactStep
    at: int


class MovedColumns:
    """
    The columns of the contacts that move, in the order of their ordinals.

    `whole` says whether none of them is new.
    """

    def __init__(
        self,
        schema: Schema,
        held: Mapping[str, pa.Array],
        moved: Ordinals,
        old: npt.NDArray[np.bool_],
        made: Mapping[str, Made],
    ) -> None:
        """
        Take what those that are *old* have as *held*, by the names of `contact_schema`.

        Of a schema, not of a view: columns that are yet to be asked for would hold on to it, and
        it to the columns of the blocks before, without end.
        """
        self._schema = schema
        self._held = held
        self._moved = moved
        self._old = old
        self.whole = bool(old.all())
        self._made: list[str] = []
        if made:
            names = {one.ordinal: name for name, one in made.items()}
            self._made = [names[ordinal] for ordinal in moved[~old].tolist()]
        self._made_at = made
        self._done: dict[str, pa.Array] = {}
        self._set: dict[str, list[tuple[Places, pa.Array]]] = {}  # of a field, not written yet
        self._sets: dict[str, Sets] = {}  # of labels or lists, not written yet

    def all(self, own: Names | None) -> Mapping[str, pa.Array]:
        """
        Return every column, those that were not edited when they are asked for.

        Of those all but *own* are as in the base, none if it is None.
        """
        done, start = self._done, self._start

        def column(name: str) -> pa.Array:
            return done[name] if name in done else start(name)

        if own is None:
            return Lazy(self._held, column)
        return Kept(self._held, column, own | done.keys())

    def edit(self, edits: Iterable[Edit]) -> dict[str, pa.Table]:
        """Put the steps into the columns, in order; return the events of lists that they tell."""
        if self._made:
            new = np.flatnonzero(~self._old)
            times = [self._made_at[name].at for name in self._made]
            self._replace(_CREATED_AT, new, pa.array(times, pa.int64()).cast(INSTANT))
        told: dict[str, Told] = {}
        for ordinals, step, _ in edits:
            places = self._moved.searchsorted(ordinals)
            for name, update in step.fields.items():
                self._replace(name, places[update.at], update.values)
            if len(step.labels.at):
                self._labels(places, step.labels)
            if len(step.lists.at):
                self._lists(places, step.lists, told)
        for name in [*self._set, *self._sets]:
            self._write(name)
        return {event: events.table() for event, events in told.items()}

    def _labels(self, places: Places, update: SetUpdate) -> None:
        label = self._schema.field("label")
        assert label is not None
        sets = self._sets_of(label)
        for place, name, add in zip(
            places[update.at].tolist(), update.names.to_pylist(), update.add.tolist(), strict=True
        ):
            sets.put(place, name) if add else sets.take(place, name)

    def _lists(self, places: Places, update: ListUpdate, told: dict[str, Told]) -> None:
        edit.put_lists(
            self._sets_of(LISTS),
            self._sets_of(OPTED_OUT),
            places[update.at],
            update.names.to_pylist(),
            update.actions.tolist(),
            update.times,
            told,
        )

    def _sets_of(self, field: Field) -> Sets:
        """Return the sets of a column, with all that came before in them."""
        found = self._sets.get(field.name)
        if found is None:
            self._write(field.name)
            found = self._sets[field.name] = Sets(self._column(field.name), field)
        return found

    def _replace(self, name: str, places: Places, values: pa.Array) -> None:
        if name in self._sets:
            self._write(name)
        self._set.setdefault(name, []).append((places, values))

    def _write(self, name: str) -> None:
        """Write into a column what was gathered of it."""
        if name in self._set:
            several = self._set.pop(name)
            places, values = several[0]
            if len(several) > 1:
                places = np.concatenate([places for places, _ in several])
                values = pa.concat_arrays([values for _, values in several])
            self._done[name] = self._replaced(name, places, values)
        elif name in self._sets:
            self._done[name] = self._sets.pop(name).column()

    def _replaced(self, name: str, places: Places, values: pa.Array) -> pa.Array:
        """Return a column with *values* at *places*; it is not read if these are all it has."""
        if len(places) == len(self._moved) == 1:
            return values
        if len(places) == len(self._moved):
            last = np.full(len(places), -1, dtype=np.int64)
            last[places] = np.arange(len(places))
            if (last >= 0).all():
                return values.take(pa.array(last))
        return edit.replaced(self._column(name), places, values)

    def _column(self, name: str) -> pa.Array:
        return self._done[name] if name in self._done else self._start(name)

    def _start(self, name: str) -> pa.Array:
        """Return a column as it was before; of the new contacts nothing but the id."""
        held = self._held[name]
        if self.whole:
            return held
        if name == "id":
            return edit.spread(held, self._old, pa.array(self._made, held.type))
        return edit.spread(held, self._old, pa.nulls(len(self._made), held.type))
