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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.index.view import LAST_ORDINAL, Version, View
from headcount.live import evolve, kept, merge, pieces, recent
from headcount.live.courtesy import at_once
from headcount.live.moved import UNMADE, Edit, Made, MovedColumns
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
from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, Schema

Ordinals = npt.NDArray[np.int64]
Places = npt.NDArray[np.int64]

_MOVES = 8  # of a contact, after which what it has is read: each is some calls deep
_NO_ORDINALS = (
    "expected at most 4,294,967,296 contacts to be made in a workspace, deleted ones included; "
    "found one more; nothing was written. Load the contacts that are left into a new one"
)
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
    """
    What becomes of *view* by the steps that are taken.

    As many as *spare* recent blocks that are to be joined are left as they are. *give_way* is
    called between steps that take a while.
    """

    def __init__(self, view: View, spare: int = 0, give_way: Callable[[], None] = at_once) -> None:
        self._give_way = give_way
        self._view = view
        self._spare = spare
        self._at = 0
        self._origin = 0
        self._touched = BitMap()
        self._repeated: Counter[int] = Counter()
        self._erased: list[str] = []
        self._next = view.next_ordinal
        self._made: dict[str, Made] = {}  # contacts that the view does not have yet
        self._expected: dict[int, tuple[pa.StringArray, Ordinals]] = {}  # by `id` of the former
        self._outdated = False  # contacts that were not there when looked up may be now
        self._gone: list[Ordinals] = []  # removed
        self._noted = BitMap()  # ordinals that the edits and events are of
        self._edits: list[Edit] = []
        self._events: list[_Recorded] = []

    @property
    def schema(self) -> Schema:
        """Return the schema as it is after all that was taken."""
        return self._view.schema

    def expect(self, several: Iterable[Changes]) -> None:
        """Look up whom *several* changes name that will be taken: all at once costs least."""
        steps = [step for changes in several for step in changes.steps]
        named = [step.ids for step in steps if isinstance(step, ContactStep)]
        named += [step.contacts for step in steps if isinstance(step, EventStep)]
        if len(named) > 1:
            found, start = self._view.known(pa.concat_arrays(named)), 0
            self._give_way()
            for ids in named:
                self._expected[id(ids)] = ids, found[start : start + len(ids)]
                start += len(ids)

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
        view = self._view.following(version)
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
        self._edits.append(Edit(ordinals, step, self._at))
        self._noted |= bitmaps.from_rows(ordinals)
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
        self._noted |= bitmaps.from_rows(ordinals)
        return step, refused

    def _too_old(self, step: EventStep) -> npt.NDArray[np.bool_]:
        """Return which events are from before what is kept of their type."""
        floor = self._view.expired.get(step.event)
        if floor is None:
            return np.zeros(len(step.contacts), dtype=np.bool_)
        times: npt.NDArray[np.int64] = step.table.column("time").cast(pa.int64()).to_numpy()
        return times < floor

    def _take_deletion(self, step: DeleteStep) -> tuple[Step | None, list[Refusal]]:
        ordinals = self._resolved(step.ids)
        refused = _unknown(ordinals, step.numbers)
        keep = ordinals >= 0
        if self._noted.intersect(bitmaps.from_rows(ordinals[keep])):
            self._flush()
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
            self._noted |= bitmaps.from_rows(ordinals[1:])
            self._edits.append(Edit(ordinals[1:], edits, self._at))
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
        expected = self._expected.get(id(ids))
        if expected is None:
            found = self._view.known(ids)
        else:
            found = expected[1].copy()
            if self._gone:
                found[np.isin(found, np.concatenate(self._gone))] = -1
            if self._outdated and (found < 0).any():
                again = found < 0
                found[again] = self._view.known(ids.filter(pa.array(again)))
        unknown = found < 0
        if not unknown.any() or not (creates or self._made):
            return found
        missing = np.flatnonzero(unknown)
        names = ids.take(pa.array(missing)).to_pylist()
        if creates:
            for name in names:
                if name not in self._made:
                    if self._next > LAST_ORDINAL:
                        raise UserError(Reason.LIMIT_EXCEEDED, _NO_ORDINALS)
                    self._made[name] = Made(self._next, self._at)
                    self._next += 1
        found[missing] = [self._made.get(name, UNMADE).ordinal for name in names]
        return found

    def _remove(self, ordinals: Ordinals) -> None:
        """Take live contacts out of the view."""
        view = self._view
        self._gone.append(ordinals)
        blocks = recent.without_rows(view.blocks, view.block_rows, view.positions(ordinals))
        self._touched |= bitmaps.from_rows(ordinals)
        self._view = view.following(blocks=recent.compacted(view, blocks, self._spare))

    def _flush(self) -> None:
        """Do what was noted."""
        edits, events, made = self._edits, self._events, self._made
        if not edits and not events:
            return
        self._edits, self._events, self._made = [], [], {}
        self._touched |= self._noted
        self._noted = BitMap()
        moved = _moved(edits, made)
        tables = self._tables(events) if events else {}
        self._give_way()
        if len(moved):
            tables = self._move(moved, edits, made, tables)
        self._record(tables)
        if made:
            self._outdated = True
            suppressed = self._view.suppressed.returned(made)
            self._view = replace(self._view, suppressed=suppressed, created=self._next)

    def _tables(self, events: Iterable[_Recorded]) -> dict[str, pa.Table]:
        """Return the noted events by type; `row` is their contact's ordinal, `origin` their own."""
        found: dict[str, list[_Recorded]] = {}
        for one in events:
            found.setdefault(one.step.event, []).append(one)
        types = self._view.schema.event_types
        return {name: _united(several, types[name]) for name, several in found.items()}

    def _move(
        self,
        moved: Ordinals,
        edits: Sequence[Edit],
        made: Mapping[str, Made],
        tables: dict[str, pa.Table],
    ) -> dict[str, pa.Table]:
        """Make contacts a new recent block, with the noted edits; return the events of others."""
        view = self._view
        positions = view.positions(moved)
        old = positions >= 0
        held, held_tables = view.gather(positions[old])
        columns = MovedColumns(view.schema, held, moved, old, made)
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
        based = columns.whole and kept.in_base(view, moved)
        sources = _sources(view, positions[old])
        events = recent.with_events(
            held_tables if columns.whole else recent.placed(held_tables, old),
            own,
            view.schema,
            self._repeated,
            kept.own_tables(sources) if based else None,
        )
        blocks = recent.without_rows(view.blocks, view.block_rows, positions[old])
        written = columns.all(kept.own_columns(sources) if based else None)
        moves = 1 + max([source.moves for source in sources], default=0)
        ordinals, schema = moved.astype(np.uint32), view.schema
        block = Block.recent(len(blocks), ordinals, written, events, schema, moves)
        if moves > _MOVES:
            block = kept.joined(view, [block])
        parts = [block] if block.rows <= view.block_rows else recent.parted(block, view)
        self._view = view.following(
            blocks=recent.compacted(view, [*blocks, *parts], self._spare),
            created=self._next if made else view.next_ordinal,
        )
        return rest

    def _record(self, tables: Mapping[str, pa.Table]) -> None:
        """Add events to the contacts that have not moved, where they are."""
        if not tables:
            return
        view = self._view
        by_block: dict[int, dict[str, pa.Table]] = {}
        owners = [table.column("row").to_numpy() for table in tables.values()]
        every, start = view.positions(np.concatenate(owners)), 0
        for name, table in tables.items():
            positions = every[start : start + table.num_rows]
            start += table.num_rows
            numbers = positions // view.block_rows
            for number in np.unique(numbers).tolist():
                mine = numbers == number
                rows = (positions[mine] - number * view.block_rows).astype(np.uint32)
                part = table if mine.all() else table.filter(pa.array(mine))
                by_block.setdefault(number, {})[name] = part.set_column(0, "row", pa.array(rows))
        blocks = list(view.blocks)
        types = view.schema.event_types
        for number, added in by_block.items():
            for name, table in added.items():
                self._give_way()
                one = {name: table}
                blocks[number] = pieces.with_events(blocks[number], one, types, self._repeated)
        self._view = view.following(blocks=tuple(blocks))


class _Recorded(NamedTuple):
    """A step, the ordinal of each of its events' contact, and the request they came with."""

    ordinals: Ordinals
    step: EventStep
    origin: int


def _united(several: Iterable[_Recorded], event: EventType) -> pa.Table:
    """Return the events of several steps as one table, in order; few steps differ in columns."""
    tables = []
    for _, alike in groupby(several, key=lambda one: one.step.table.schema):
        run = list(alike)
        table = pa.concat_tables([one.step.table for one in run])
        ordinals = np.concatenate([one.ordinals for one in run])
        origins = np.repeat([one.origin for one in run], [len(one.ordinals) for one in run])
        typed = pieces.typed(table, ordinals.astype(np.uint32), event)
        tables.append(pieces.of_origin(typed, origins))
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables)


def _moved(edits: Sequence[Edit], made: Mapping[str, Made]) -> Ordinals:
    """Return the ordinals of all contacts that are made or edited, ascending."""
    if len(edits) == 1 and not made and len(edits[0].ordinals) == 1:
        return edits[0].ordinals
    new = np.array([one.ordinal for one in made.values()], dtype=np.int64)
    return np.unique(np.concatenate([new, *(one.ordinals for one in edits)]))


def _sources(view: View, positions: Places) -> list[Block]:
    """Return the blocks that contacts at *positions* move out of."""
    numbers = positions // view.block_rows
    few = numbers.tolist() if len(numbers) <= 1 else np.unique(numbers).tolist()
    return [view.blocks[number] for number in few]


def _unknown(
    ordinals: Ordinals, numbers: npt.NDArray[np.uint32], field: str = "id"
) -> list[Refusal]:
    """Return a refusal for each contact without an ordinal; *field* of the record names it."""
    unknown = ordinals < 0
    if not unknown.any():
        return []
    return [
        Refusal(
            int(numbers[place]),
            field,
            Reason.NOT_FOUND,
            # Without the id: answers are kept, and what is erased must be nowhere.
            "there is no contact with this id; upsert it first",
        )
        for place in np.flatnonzero(unknown).tolist()
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
