"""
A draft: a view being changed, step by step, until it is the next view.

    take_all(changes) ─→ the changes as they will be logged, and what of them was refused
    finish(version)   ─→ the next view, the contacts it touches

Steps are only noted when they are taken: ids are resolved, unknown ones refused, new contacts given
their ordinals. Contacts are then moved once, however many steps of however many requests name them
(`_flush`), when the draft is finished or a step comes that has to see what came before (a deletion,
a merge, a new schema). The contacts' own fields go first, then events: so an event may come before
the step that makes its contact only if its own step makes it.

Taking the steps that an earlier draft gave back, on the same view, gives the same next view and
refuses nothing. That is how the log is replayed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.arrow import INSTANT
from headcount.index.block import LISTS, OPTED_OUT, Block
from headcount.index.lazy import Lazy
from headcount.index.view import Version, View
from headcount.live import edit, evolve, merge, pieces, recent
from headcount.model.changes import (
    Changes,
    ContactStep,
    DeleteStep,
    EventStep,
    ExpireStep,
    FieldUpdate,
    ListUpdate,
    MergeStep,
    Refusal,
    SchemaStep,
    SetUpdate,
    Step,
    SuppressStep,
)
from headcount.model.errors import Reason
from headcount.model.schema import Schema

Ordinals = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]

_CREATED_AT = "created_at"
_NOBODY = -1  # the origin of events that no request has sent


@dataclass(frozen=True, eq=False, slots=True)
class Drafted:
    """
    The next view, and the ordinals of the contacts that it touches.

    `repeated` counts by origin the events that were left out as repeated; `erased` are the ids of
    contacts of which nothing may stay.
    """

    view: View
    touched: BitMap
    repeated: Counter[int]
    erased: tuple[str, ...]


class Draft:
    """What becomes of *view* by the steps that are taken."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._at = 0
        self._origin = 0
        self._touched = BitMap()
        self._repeated: Counter[int] = Counter()
        self._erased: list[str] = []
        self._next = view.next_ordinal
        self._made: dict[str, _Made] = {}  # contacts that the view does not have yet
        self._edits: list[_Edit] = []
        self._events: list[_Recorded] = []

    @property
    def schema(self) -> Schema:
        """Return the schema as it is after all that was taken."""
        return self._view.schema

    def take_all(self, changes: Changes, at: int, origin: int = 0) -> tuple[Changes, list[Refusal]]:
        """
        Take every step of *changes* at an instant (µs); return what is left, and what was refused.

        Repeated events are counted for *origin*.

        Raises:
            UserError: a new schema does not fit the data; the steps before it were taken.
        """
        self._at, self._origin = at, origin
        taken: list[Step] = []
        refused: list[Refusal] = []
        for step in changes.steps:
            kept, refusals = self._take(step)
            refused += refusals
            if kept is not None:
                taken.append(kept)
        return Changes(tuple(taken)), refused

    def _take(self, step: Step) -> tuple[Step | None, list[Refusal]]:
        """Note a step; return it without the records that were refused, None if nothing is left."""
        match step:
            case ContactStep():
                return self._take_contacts(step)
            case EventStep():
                return self._take_events(step)
            case DeleteStep():
                return self._take_deletion(step)
            case MergeStep():
                return self._take_merge(step)
            case SuppressStep():
                self._suppress(step)
            case ExpireStep():
                self._flush()
                self._touched |= self._view_of(evolve.expired(self._view, step))
            case SchemaStep():
                self._flush()
                self._view = evolve.with_schema(self._view, step)
        return step, []

    def finish(self, version: Version) -> Drafted:
        """Return the next view, at *version*."""
        self._flush()
        view = replace(self._view, version=version)
        return Drafted(view, self._touched, self._repeated, tuple(self._erased))

    def _view_of(self, changed: tuple[View, BitMap]) -> BitMap:
        self._view, touched = changed
        return touched

    def _take_contacts(self, step: ContactStep) -> tuple[Step | None, list[Refusal]]:
        ordinals = self._resolved(step.ids, creates=step.creates)
        refused = _unknown(ordinals, step.numbers)
        if refused:
            step, ordinals = _kept_contacts(step, ordinals)
        if not len(ordinals):
            return None, refused
        self._edits.append(_Edit(ordinals, step, self._at))
        return step, refused

    def _take_events(self, step: EventStep) -> tuple[Step | None, list[Refusal]]:
        old = self._too_old(step)
        refused = [_expired(number) for number in step.numbers[old].tolist()]
        if refused:
            step = _kept_events(step, ~old)
        ordinals = self._resolved(step.contacts, creates=step.creates)
        unknown = _unknown(ordinals, step.numbers, "contact")
        if unknown:
            step, ordinals = _kept_events(step, ordinals >= 0), ordinals[ordinals >= 0]
        refused += unknown
        if not len(ordinals):
            return None, refused
        self._events.append(_Recorded(ordinals, step, self._origin))
        return step, refused

    def _too_old(self, step: EventStep) -> npt.NDArray[np.bool_]:
        """Return which events are from before what is kept of their type."""
        floor = self._view.expired.get(step.event)
        if floor is None:
            return np.zeros(len(step.contacts), dtype=np.bool_)
        times: npt.NDArray[np.int64] = step.table.column("time").cast(pa.int64()).to_numpy()
        return times < floor

    def _take_deletion(self, step: DeleteStep) -> tuple[Step | None, list[Refusal]]:
        self._flush()
        ordinals = self._resolved(step.ids)
        refused = _unknown(ordinals, step.numbers)
        keep = ordinals >= 0
        step = replace(step, numbers=step.numbers[keep], ids=step.ids.filter(pa.array(keep)))
        if not len(step.ids):
            return None, refused
        self._remove(np.unique(ordinals[keep]))
        if step.erase:
            self._erased += step.ids.to_pylist()
            erased = self._view.suppressed.erased(step.ids.to_pylist())
            self._view = replace(self._view, suppressed=erased)
        return step, refused

    def _take_merge(self, step: MergeStep) -> tuple[Step | None, list[Refusal]]:
        kept, refused = [], []
        for place, (source, target) in enumerate(
            zip(step.sources.to_pylist(), step.targets.to_pylist(), strict=True)
        ):
            self._flush()  # one pair may name what another has made
            pair = pa.array([source, target])
            ordinals = self._resolved(pair)
            number = step.numbers[place : place + 1]
            unknown = _unknown(ordinals[:1], number, "source")
            unknown += _unknown(ordinals[1:], number, "target")
            if source == target:
                unknown = [_merged_with_itself(int(number[0]))]
            refused += unknown
            if unknown:
                continue
            edits, events = merge.merged(self._view, ordinals)
            self._remove(ordinals[:1])
            self._edits.append(_Edit(ordinals[1:], edits, self._at))
            self._events += [
                _Recorded(np.repeat(ordinals[1:], len(one.contacts)), one, _NOBODY)
                for one in events
            ]
            if source in self._view.suppressed:
                suppressed = self._view.suppressed.changed([target], [])
                self._view = replace(self._view, suppressed=suppressed)
            kept.append(place)
        if not kept:
            return None, refused
        at = pa.array(kept)
        taken = MergeStep(step.numbers[kept], step.sources.take(at), step.targets.take(at))
        return taken, refused

    def _suppress(self, step: SuppressStep) -> None:
        last = dict(zip(step.ids.to_pylist(), step.add.tolist(), strict=True))
        suppressed = self._view.suppressed.changed(
            [one for one, add in last.items() if add], [one for one, add in last.items() if not add]
        )
        self._view = replace(self._view, suppressed=suppressed)

    def _resolved(self, ids: pa.StringArray, *, creates: bool = False) -> Ordinals:
        """Return the ordinal of each id, -1 for one that is not known and not to be made."""
        found = self._view.ordinals(self._view.lookup(ids))
        missing = np.flatnonzero(found < 0)
        if not len(missing) or not (creates or self._made):
            return found
        names = ids.take(pa.array(missing)).to_pylist()
        if creates:
            for name in names:
                if name not in self._made:
                    self._made[name] = _Made(self._next, self._at)
                    self._next += 1
        found[missing] = [self._made.get(name, _UNMADE).ordinal for name in names]
        return found

    def _remove(self, ordinals: Ordinals) -> None:
        """Take live contacts out of the view."""
        view = self._view
        blocks = recent.without_rows(view.blocks, view.block_rows, view.positions(ordinals))
        self._touched |= bitmaps.from_rows(ordinals)
        self._view = replace(view, blocks=recent.compacted(view, blocks), base=_base(view))

    def _flush(self) -> None:
        """Do what was noted."""
        edits, events, made = self._edits, self._events, self._made
        if not edits and not events:
            return
        self._edits, self._events, self._made = [], [], {}
        noted = [*(edit.ordinals for edit in edits), *(event.ordinals for event in events)]
        self._touched |= bitmaps.from_rows(np.unique(np.concatenate(noted)))
        new = np.array([one.ordinal for one in made.values()], dtype=np.int64)
        moved = np.unique(np.concatenate([new, *(one.ordinals for one in edits)]))
        tables = self._tables(events)
        if len(moved):
            tables = self._move(moved, edits, made, tables)
        self._record(tables)
        if made:
            suppressed = self._view.suppressed.returned(made)
            self._view = replace(self._view, suppressed=suppressed, created=self._next)

    def _tables(self, events: Iterable[_Recorded]) -> dict[str, pa.Table]:
        """Return the noted events by type; `row` is their contact's ordinal, `origin` their own."""
        found: dict[str, list[pa.Table]] = {}
        types = recent.types_of(self._view.schema)
        for ordinals, step, origin in events:
            table = pieces.typed(step.table, ordinals.astype(np.uint32), types[step.event])
            found.setdefault(step.event, []).append(pieces.of_origin(table, origin))
        return {name: pa.concat_tables(several) for name, several in found.items()}

    def _move(
        self,
        moved: Ordinals,
        edits: Iterable[_Edit],
        made: Mapping[str, _Made],
        tables: dict[str, pa.Table],
    ) -> dict[str, pa.Table]:
        """Make contacts a new recent block, with the noted edits; return the events of others."""
        view = self._view
        positions = view.positions(moved)
        old = positions >= 0
        held, held_tables = view.gather(positions[old])
        columns = _Columns(view, held, moved, old, made)
        told = columns.edit(edits)
        own = {name: pieces.of_origin(table, _NOBODY) for name, table in told.items()}
        rest: dict[str, pa.Table] = {}
        for name, table in tables.items():
            ordinals = table.column("row").to_numpy()
            at = np.searchsorted(moved, ordinals)
            mine = moved[np.minimum(at, len(moved) - 1)] == ordinals
            if mine.any():
                rows = pa.array(at[mine].astype(np.uint32))
                events = table.filter(pa.array(mine)).set_column(0, "row", rows)
                own[name] = pa.concat_tables([own[name], events]) if name in own else events
            if not mine.all():
                rest[name] = table.filter(pa.array(~mine))
        where = np.flatnonzero(old).astype(np.uint32)
        events = recent.with_events(
            recent.placed(held_tables, where), own, view.schema, self._repeated
        )
        blocks = recent.without_rows(view.blocks, view.block_rows, positions[old])
        block = Block.recent(
            len(blocks), moved.astype(np.uint32), columns.all(), events, view.schema
        )
        created = self._next if made else view.next_ordinal
        self._view = replace(
            view,
            blocks=recent.compacted(view, [*blocks, *recent.parted(block, view)]),
            base=_base(view),
            created=created,
        )
        return rest

    def _record(self, tables: Mapping[str, pa.Table]) -> None:
        """Add events to the contacts that have not moved, where they are."""
        view = self._view
        by_block: dict[int, dict[str, pa.Table]] = {}
        for name, table in tables.items():
            positions = view.positions(table.column("row").to_numpy())
            numbers = positions // view.block_rows
            for number in np.unique(numbers).tolist():
                mine = numbers == number
                rows = (positions[mine] - number * view.block_rows).astype(np.uint32)
                part = table.filter(pa.array(mine)).set_column(0, "row", pa.array(rows))
                by_block.setdefault(number, {})[name] = part
        if not by_block:
            return
        blocks = list(view.blocks)
        types = recent.types_of(view.schema)
        for number, added in by_block.items():
            blocks[number] = pieces.with_events(blocks[number], added, types, self._repeated)
        self._view = replace(view, blocks=tuple(blocks), base=_base(view))


class _Made(NamedTuple):
    """A new contact's ordinal, and when it was made (µs)."""

    ordinal: int
    at: int


_UNMADE = _Made(-1, 0)


class _Edit(NamedTuple):
    """A step, the ordinals of its contacts, and when (µs)."""

    ordinals: Ordinals
    step: ContactStep
    at: int


class _Recorded(NamedTuple):
    """A step, the ordinal of each of its events' contact, and the request they came with."""

    ordinals: Ordinals
    step: EventStep
    origin: int


class _Columns:
    """The columns of the contacts that move, in the order of their ordinals."""

    def __init__(
        self,
        view: View,
        held: Mapping[str, pa.Array],
        moved: Ordinals,
        old: npt.NDArray[np.bool_],
        made: Mapping[str, _Made],
    ) -> None:
        self._view = view
        self._held = held
        self._moved = moved
        self._old = old
        names = {one.ordinal: name for name, one in made.items()}
        self._made = [names[ordinal] for ordinal in moved[~old].tolist()]
        self._made_at = {name: one.at for name, one in made.items()}
        self._done: dict[str, pa.Array] = {}

    def all(self) -> Mapping[str, pa.Array]:
        """Return every column, those that were not edited when they are asked for."""
        done, start = self._done, self._start
        return Lazy(self._held, lambda name: done[name] if name in done else start(name))

    def edit(self, edits: Iterable[_Edit]) -> dict[str, pa.Table]:
        """Put the steps into the columns, in order; return the events of lists that they tell."""
        if self._made:
            new = np.flatnonzero(~self._old)
            times = [self._made_at[name] for name in self._made]
            self._replace(_CREATED_AT, new, pa.array(times, pa.int64()).cast(INSTANT))
        told: dict[str, list[pa.Table]] = {}
        for ordinals, step, _ in edits:
            places = np.searchsorted(self._moved, ordinals)
            for name, update in step.fields.items():
                self._replace(name, places[update.at], update.values)
            if len(step.labels.at):
                self._labels(places, step.labels)
            if len(step.lists.at):
                for event, table in self._lists(places, step.lists).items():
                    told.setdefault(event, []).append(table)
        return {event: pa.concat_tables(tables) for event, tables in told.items()}

    def _labels(self, places: Places, update: SetUpdate) -> None:
        label = self._view.schema.field("label")
        assert label is not None
        self._done[label.name] = edit.with_labels(
            self._column(label.name),
            places[update.at],
            update.names.to_pylist(),
            update.add.tolist(),
            label,
        )

    def _lists(self, places: Places, update: ListUpdate) -> dict[str, pa.Table]:
        lists, opted_out, told = edit.with_lists(
            self._column(LISTS.name),
            self._column(OPTED_OUT.name),
            places[update.at],
            update.names.to_pylist(),
            update.actions.tolist(),
            update.times,
        )
        self._done |= {LISTS.name: lists, OPTED_OUT.name: opted_out}
        return {event: events.table() for event, events in told.items()}

    def _replace(self, name: str, places: Places, values: pa.Array) -> None:
        self._done[name] = edit.replaced(self._column(name), places, values)

    def _column(self, name: str) -> pa.Array:
        return self._done[name] if name in self._done else self._start(name)

    def _start(self, name: str) -> pa.Array:
        """Return a column as it was before; of the new contacts nothing but the id."""
        held = self._held[name]
        if self._old.all():
            return held
        if name == "id":
            return edit.spread(held, self._old, pa.array(self._made, held.type))
        return edit.spread(held, self._old, pa.nulls(len(self._made), held.type))


def _base(view: View) -> int:
    return len(view.base_blocks)


def _unknown(
    ordinals: Ordinals, numbers: npt.NDArray[np.uint32], field: str = "id"
) -> list[Refusal]:
    """Return a refusal for each contact without an ordinal; *field* of the record names it."""
    return [
        Refusal(
            int(numbers[place]),
            field,
            Reason.NOT_FOUND,
            # Without the id: answers are kept, and what is erased must be nowhere.
            "there is no contact with this id; upsert it first",
        )
        for place in np.flatnonzero(ordinals < 0).tolist()
    ]


def _merged_with_itself(number: int) -> Refusal:
    return Refusal(
        number,
        "source",
        Reason.INVALID_VALUE,
        "expected two contacts to merge, found one twice",
    )


def _expired(number: int) -> Refusal:
    return Refusal(
        number,
        "time",
        Reason.INVALID_VALUE,
        "the event is from before what is kept of its type; nothing would see it",
    )


def _kept_events(step: EventStep, keep: npt.NDArray[np.bool_]) -> EventStep:
    """Return a step with some of its events."""
    mask = pa.array(keep)
    return replace(
        step,
        numbers=step.numbers[keep],
        contacts=step.contacts.filter(mask),
        table=step.table.filter(mask),
    )


def _kept_contacts(step: ContactStep, ordinals: Ordinals) -> tuple[ContactStep, Ordinals]:
    """Return a step without the contacts that have no ordinal, and the ordinals of the others."""
    keep = ordinals >= 0
    new_place = (np.cumsum(keep) - 1).astype(np.uint32)

    def moved(at: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
        held = keep[at]
        return new_place[at[held]], held

    fields = {}
    for name, update in step.fields.items():
        at, held = moved(update.at)
        fields[name] = FieldUpdate(at, update.values.filter(pa.array(held)))
    at, held = moved(step.labels.at)
    labels = SetUpdate(at, step.labels.names.filter(pa.array(held)), step.labels.add[held])
    at, held = moved(step.lists.at)
    lists = ListUpdate(
        at,
        step.lists.names.filter(pa.array(held)),
        step.lists.actions[held],
        step.lists.times[held],
    )
    ids = step.ids.filter(pa.array(keep))
    kept = ContactStep(step.numbers[keep], ids, step.creates, fields, labels, lists)
    return kept, ordinals[keep]
