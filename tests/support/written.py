"""
Writing: the view of a world, reached by writes instead of built at once.

    world ─→ an older world, some contacts of nobody ─→ blocks ─→ random writes ─→ the world's view

Whatever is asked of it must be answered as of a view that was built: contacts in base blocks and in
recent ones, events in their block's index and in newer pieces, rows of the dead between them. What
is written is meant to change nothing in the end: values that are put right, contacts that are
deleted again, events sent twice, one contact that is two for a while.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from headcount.index.arrow import ARROW_TYPES, INSTANT
from headcount.index.view import Version, View
from headcount.live import recent
from headcount.live.draft import Draft
from headcount.model.changes import (
    Changes,
    ContactStep,
    DeleteStep,
    EventStep,
    FieldUpdate,
    MergeStep,
    Step,
)
from headcount.model.schema import Schema
from support.dice import Choices
from support.engines import view_of
from support.worlds import Event, World

GHOSTS = ("ghost 1", "ghost 2", "ghost 3")
AT = 1_700_000_000_000_000  # µs; when everything is written


def written_view(world: World, dice: Choices, block_rows: int) -> View:
    """Return the view of *world* after random writes to that of an older one."""
    return Writing(world, dice).view(block_rows)


@dataclass
class Writing:
    """Splits a world into an older one, and the writes that lead to it."""

    world: World
    dice: Choices

    def view(self, block_rows: int) -> View:
        """Return the view of the world after the writes."""
        dice, world = self.dice, self.world
        old: dict[str, Mapping[str, object]] = {}
        late: list[str] = []
        wrong: list[str] = []
        for name, values in world.contacts.items():
            dated = values.get("list") or values.get("opted_out")
            if dated or dice.chance(60):
                old[name] = values
                if dice.chance(30):
                    wrong.append(name)
                    old[name] = {**_mangled(values), **_memberships(values)}
            else:
                late.append(name)
        ghosts = [name for name in GHOSTS if name not in world.contacts]
        events = _once(world.events)
        early = [e for e in events if e.contact in old and dice.chance(50)]
        later = [e for e in events if e not in early]
        haunted = [Event(g, e.type, e.time, e.id, e.properties) for e in events for g in ghosts[:1]]
        if ghosts:
            old[ghosts[0]] = {"label": ("of a ghost",), "list": ("ghosts",)}
            early += haunted[: dice.integer(0, len(haunted))]
        view = view_of(World(world.schema, old, early), block_rows)
        batches: list[list[Step]] = [
            [contacts(world.schema, world.contacts, [name])] for name in late + wrong
        ]
        repeated = [e for e in early if e.id is not None and e.contact in world.contacts]
        batches += [[recorded(world.schema, [event])] for event in repeated]
        batches = _shuffled(batches, dice)
        batches += [[step] for step in self._split(later)]
        if len(ghosts) > 2:
            batches.insert(0, [contacts(world.schema, {ghosts[2]: {}}, [ghosts[2]])])
            batches += [[_delete(ghosts[2])]]
        if ghosts:
            batches.insert(dice.integer(0, len(batches)), [_delete(ghosts[0])])
        return self._write(view, batches)

    def _split(self, events: Sequence[Event]) -> Iterator[Step]:
        """Yield the steps that record events, some of them of another contact that is merged."""
        known = {e.contact for e in events}
        ghost = GHOSTS[1]
        twin = self.dice.pick(sorted(known)) if known and ghost not in self.world.contacts else None
        mine = [e for e in events if e.contact == twin and e.id is None]
        for event in events:
            if event not in mine:
                yield recorded(self.world.schema, [event])
        if twin is not None:
            yield contacts(self.world.schema, {ghost: {}}, [ghost], every=False)
            moved = [Event(ghost, e.type, e.time, e.id, e.properties) for e in mine]
            if moved:
                yield from (recorded(self.world.schema, [e]) for e in moved)
            number = np.zeros(1, dtype=np.uint32)
            yield ContactStep(
                number, pa.array([ghost]), False, {"created_at": _nothing(self.world.schema)}
            )
            yield MergeStep(number, pa.array([ghost]), pa.array([twin]))

    def _write(self, view: View, batches: Sequence[Sequence[Step]]) -> View:
        """Return the view after the batches, some of them in one commit."""
        sequence = view.version.sequence
        left = list(batches)
        while left:
            size = self.dice.integer(1, 4)
            steps = tuple(step for batch in left[:size] for step in batch)
            del left[:size]
            spare = 8 if self.dice.chance(50) else 0
            view, sequence = committed(view, Changes(steps), sequence + 1, spare), sequence + 1
            if self.dice.chance(10):
                view = recent.tidied(view)
        return view


def committed(view: View, changes: Changes, sequence: int, spare: int = 0) -> View:
    """
    Return the next view, the same by the changes and by what the log would hold of them.

    As many as *spare* blocks that are to be joined are left.
    """
    draft = Draft(view)
    taken, refused = draft.take_all(changes, AT)
    assert not refused, refused
    version = Version(view.version.epoch, sequence)
    after = draft.finish(version)
    replay = Draft(view, spare)
    _, refused = replay.take_all(Changes.decode(taken.encode()), AT)
    assert not refused, refused
    again = replay.finish(version)
    assert again.touched == after.touched
    assert again.view.next_ordinal == after.view.next_ordinal
    return again.view


def contacts(
    schema: Schema,
    values: Mapping[str, Mapping[str, object]],
    ids: Sequence[str],
    *,
    every: bool = True,
) -> ContactStep:
    """Return an upsert of contacts, every field of them but the lists."""
    numbers = np.arange(len(ids), dtype=np.uint32)
    fields = {}
    for field in schema.all_fields.values():
        if field.name == "id" or not every:
            continue
        held = [values[name].get(field.name) for name in ids]
        plain = [None if value in ("", ()) else value for value in held]
        fields[field.name] = FieldUpdate(numbers, pa.array(plain, ARROW_TYPES[field.type]))
    return ContactStep(numbers, pa.array(list(ids), pa.string()), True, fields)


def recorded(schema: Schema, events: Sequence[Event]) -> EventStep:
    """Return the step that records events of one type."""
    (type_,) = {event.type for event in events}
    event_type = next(e for e in schema.all_events.values() if e.name == type_)
    columns = {
        "time": pa.array([event.time for event in events], INSTANT),
        "id": pa.array([event.id for event in events], pa.string()),
    }
    for field in event_type.properties:
        held = [event.properties.get(field.name) for event in events]
        plain = [None if value == "" else value for value in held]
        columns[f"property.{field.name}"] = pa.array(plain, ARROW_TYPES[field.type])
    whose = pa.array([event.contact for event in events], pa.string())
    numbers = np.arange(len(events), dtype=np.uint32)
    return EventStep(numbers, type_, whose, pa.table(columns))


def _delete(name: str) -> DeleteStep:
    return DeleteStep(np.zeros(1, dtype=np.uint32), pa.array([name]), erase=True)


def _nothing(schema: Schema) -> FieldUpdate:
    created = schema.field("created_at")
    assert created is not None
    return FieldUpdate(np.zeros(1, dtype=np.uint32), pa.nulls(1, ARROW_TYPES[created.type]))


def _once(events: Iterable[Event]) -> list[Event]:
    """Return events without those whose contact has one with the same type and id before."""
    kept, seen = [], set()
    for event in events:
        identity = (event.contact, event.type, event.id)
        if event.id is None or identity not in seen:
            seen.add(identity)
            kept.append(event)
    return kept


def _mangled(values: Mapping[str, object]) -> dict[str, object]:
    """Return other values of the same types."""
    found: dict[str, object] = {}
    for name, value in values.items():
        match value:
            case bool():
                found[name] = not value
            case float():
                found[name] = value / 2 + 1
            case dt.datetime() | dt.date():
                found[name] = None
            case tuple():
                found[name] = (*value, "of before")
    return found


def _memberships(values: Mapping[str, object]) -> dict[str, object]:
    return {name: values.get(name) for name in ("list", "opted_out")}


def _shuffled(items: list[list[Step]], dice: Choices) -> list[list[Step]]:
    left, found = list(items), []
    while left:
        found.append(left.pop(dice.integer(0, len(left) - 1)))
    return found
