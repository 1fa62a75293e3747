"""
A state machine: writes of every kind, restarts, compactions and new schemas against the oracle.

After each step a random segment is asked of the workspace, and the oracle of a model that was told
the same. Two random segments are watched: whoever entered and did not leave is a member now.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from headcount.index import bitmaps
from headcount.index.view import View
from headcount.index.workspace import save_view
from headcount.live.commit import Batch, Commit, Written
from headcount.live.settings import WriterSettings
from headcount.live.writer import LiveWorkspace
from headcount.model import schema_toml
from headcount.model.changes import (
    NO_LABELS,
    NO_LISTS,
    Changes,
    ContactStep,
    DeleteStep,
    ExpireStep,
    FieldUpdate,
    ListAction,
    ListUpdate,
    MergeStep,
    SchemaStep,
    SetUpdate,
    Step,
    SuppressStep,
)
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query.clock import to_datetime, to_micros
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.query.results import Results
from headcount.query.tree import And, Segment
from headcount.segments.watch.binding import Definition, course_of
from headcount.segments.watch.commit import Touched
from headcount.segments.watch.membership import Membership
from headcount.segments.watch.transitions import Kind, Settings, Transition
from headcount.storage.folder import WriterLock
from headcount.storage.log import LogSettings
from support import oracle
from support.compare import compare
from support.dice import Dice
from support.engines import context_at, members_of, view_of
from support.model import Model
from support.oracle_text import key
from support.oracle_time import DAY
from support.random_worlds import random_contact, random_event
from support.strategies import random_case, random_place
from support.worlds import ARROW_TYPES, Event
from support.written import recorded

SEEDS = st.integers(0, 2**20)
LABELS = ("vip", "VIP", "beta", "é", "e\u0301")
LISTS = ("news", "News", "offers")
ROOMY = WriterSettings(commit_records=50, log=LogSettings(min_free_bytes=0, min_free_share=0.0))
ONE = np.zeros(1, dtype=np.uint32)


class Machine(RuleBasedStateMachine):
    """A workspace and its model, told the same."""

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        """Start from a random world, in blocks of 8 contacts."""
        self._folder = tempfile.TemporaryDirectory()
        self.path = Path(self._folder.name)
        dice = Dice(seed)
        world, self.scene = random_place(dice, dice.pick((0, 3, 12, 30)))
        self.model = Model.of(world)
        self.now = self.scene.as_of
        self.lock = WriterLock(self.path)
        save_view(self.path, "default", view_of(self.model.world(), 8), lock=self.lock)
        self.requests: list[tuple[dt.datetime, Batch, Written]] = []
        self.sent = 0
        self.watched: list[Watched] = []
        self.open()
        self.watch(dice)
        self.count(dice)

    def open(self) -> None:
        self.live = LiveWorkspace.open(
            self.path, "default", self.lock, clock=lambda: to_micros(self.now), settings=ROOMY
        )
        self.live.follow(self.told)

    def watch(self, dice: Dice) -> None:
        """Begin to watch two segments, from now on."""
        world, now = self.model.world(), to_micros(self.now)
        self.watched.clear()
        for _ in range(2):
            case = random_case(dice, world, self.scene)
            self.watched.append(Watched.begin(case.segment, case.zone, self.live.view, now))

    def count(self, dice: Dice) -> None:
        """Choose segments that are counted together, from version to version."""
        world = self.model.world()
        some = [random_case(dice, world, self.scene).segment for _ in range(5)]
        self.counted = [*some, *(And((one, other)) for one, other in pairwise(some))]
        self.counting = Engine(self.live.view)

    def told(self, commit: Commit) -> None:
        """Tell the watched segments of a commit."""
        touched = Touched(commit)
        for one in self.watched:
            one.read(one.membership.commit(touched))

    def teardown(self) -> None:
        """Close what is open."""
        if hasattr(self, "live"):
            self.live.close()
            self.lock.close()
            self._folder.cleanup()

    def let_go_by(self, time: dt.timedelta) -> None:
        """Let *time* go by: answers are remembered for a day; what is older may be done anew."""
        self.now += time
        oldest = self.now - dt.timedelta(microseconds=ROOMY.log.request_age)
        self.requests = [sent for sent in self.requests if sent[0] >= oldest]

    def write(self, *steps: Step, request: str = "") -> Written:
        self.let_go_by(dt.timedelta(seconds=1))
        batch = Batch(Changes(steps), request)
        written = self.live.write(batch)
        if request:
            self.requests.append((self.now, batch, written))
            self.sent += 1
        return written

    def anybody(self, dice: Dice) -> str:
        """Return an id, mostly of a contact."""
        names = list(self.model.contacts)
        return dice.pick(names) if names and dice.chance(85) else f"new {dice.integer(0, 9)}"

    @rule(seed=SEEDS)
    def upsert_or_patch(self, seed: int) -> None:
        """Several contacts in one step, one of them maybe twice."""
        dice = Dice(seed)
        creates = dice.chance(60)
        stored = [f for f in self.model.schema.all_fields.values() if f.name != "id"]
        names, rows = [], []
        at = self.now + dt.timedelta(seconds=1)
        refused = 0
        for _ in range(dice.integer(1, 4)):
            name = self.anybody(dice)
            values = random_contact(dice, self.scene, stored, loadable=False)
            values = {k: v for k, v in values.items() if k not in ("list", "opted_out")}
            values = {k: v for k, v in values.items() if dice.chance(50)}
            names.append(name)
            rows.append(values)
            if creates:
                self.model.upsert(name, values, at)
            else:
                refused += not self.model.patch(name, values)
        step = changed(self.model, names, rows, creates=creates)
        request = f"request {self.sent}" if dice.chance(30) else ""
        written = self.write(step, request=request)
        assert (written.accepted, len(written.refused)) == (len(names) - refused, refused)

    @rule(seed=SEEDS)
    def record(self, seed: int) -> None:
        """Some events of several types, their contacts known or not."""
        dice = Dice(seed)
        types = list(self.model.schema.all_events.values())
        steps, taken = [], 0
        for _ in range(dice.integer(1, 5)):
            event = random_event(dice, self.scene, dice.pick(types), [])
            event = replace(event, contact=self.anybody(dice))
            steps.append(recorded(self.model.schema, [event]))
            taken += self.model.record(event)
        written = self.write(*steps)
        assert written.accepted == taken
        assert written.accepted + written.repeated + len(written.refused) == len(steps)

    @rule(seed=SEEDS)
    def labels_and_lists(self, seed: int) -> None:
        """Sets change in order, and lists tell of what changed."""
        dice = Dice(seed)
        names = [n for n in (self.anybody(dice) for _ in range(2)) if n in self.model.contacts]
        if not names:
            return
        labels = [(dice.integer(0, len(names) - 1), dice.pick(LABELS), dice.chance(60))
                  for _ in range(dice.integer(0, 4))]  # fmt: skip
        lists = [(dice.integer(0, len(names) - 1), dice.pick(LISTS), dice.integer(0, 3))
                 for _ in range(dice.integer(0, 4))]  # fmt: skip
        for place, label, add in labels:
            self.model.label(names[place], label, add=add)
        for place, listed, action in lists:
            self.model.list_action(names[place], listed, ListAction(action).name.lower(), self.now)
        times = np.full(len(lists), to_micros(self.now), dtype=np.int64)
        self.write(
            ContactStep(
                np.arange(len(names), dtype=np.uint32),
                pa.array(names),
                creates=False,
                labels=SetUpdate(*_unzipped(labels, np.bool_)) if labels else NO_LABELS,
                lists=ListUpdate(*_unzipped(lists, np.uint8), times) if lists else NO_LISTS,
            )
        )

    @rule(seed=SEEDS)
    def delete(self, seed: int) -> None:
        """One contact, its events with it."""
        dice = Dice(seed)
        name = self.anybody(dice)
        written = self.write(DeleteStep(ONE, pa.array([name]), erase=dice.chance(50)))
        assert written.accepted == self.model.delete(name)

    @rule(seed=SEEDS)
    def merge(self, seed: int) -> None:
        """Two contacts become one."""
        dice = Dice(seed)
        source, target = self.anybody(dice), self.anybody(dice)
        written = self.write(MergeStep(ONE, pa.array([source]), pa.array([target])))
        assert written.accepted == self.model.merge(source, target)

    @rule(seed=SEEDS)
    def suppress(self, seed: int) -> None:
        """An id goes on the suppression list or off it."""
        dice = Dice(seed)
        name, add = self.anybody(dice), dice.chance(70)
        self.write(SuppressStep(ONE, pa.array([name]), np.array([add])))
        (self.model.suppressed.add if add else self.model.suppressed.discard)(name)

    @rule(seed=SEEDS)
    def expire(self, seed: int) -> None:
        """Events of one type before an edge are gone."""
        dice = Dice(seed)
        types = [e.name for e in self.model.schema.events.values()]
        if types and dice.chance(40):
            name, before = dice.pick(types), dice.pick(self.scene.instants)
            self.write(ExpireStep(name, to_micros(before)))
            self.model.expire(name, before)

    @precondition(lambda self: self.requests)
    @rule(seed=SEEDS)
    def send_again(self, seed: int) -> None:
        """A request that was answered is answered the same, and changes nothing."""
        _, batch, written = Dice(seed).pick(self.requests)
        assert self.live.write(batch) == replace(written, already=True)

    @rule(seed=SEEDS)
    def change_schema(self, seed: int) -> None:
        """A field is added, renamed or dropped, or an event type renamed."""
        dice = Dice(seed)
        if dice.chance(60):
            return
        names = [n for n in self.model.schema.fields if n not in _used(self.model)]
        kind = dice.integer(0, 3)
        fields, events = {}, {}
        if kind == 0:
            new = f"field{dice.integer(0, 99)}"
            if new in self.model.schema.fields:
                return
            self.model.add_field(Field(new, dice.pick((FieldType.KEYWORD, FieldType.NUMBER))))
        elif kind == 1 and names:
            old, new = dice.pick(names), f"renamed{dice.integer(0, 99)}"
            if new in self.model.schema.fields or old == "stage":
                return
            self.model.rename_field(old, new)
            fields = {new: old}
        elif kind == 2 and names:
            self.model.drop_field(dice.pick(names))
        elif self.model.schema.events:
            old, new = dice.pick(list(self.model.schema.events)), f"event{dice.integer(0, 99)}"
            if new in self.model.schema.events:
                return
            self.model.rename_event(old, new)
            events = {new: old}
        self.watched.clear()  # they may be about what is gone
        self.write(SchemaStep(schema_toml.render(self.model.schema), fields, events))
        self.watch(dice)

    @rule(seed=SEEDS)
    def let_time_go_by(self, seed: int) -> None:
        """Nothing is written for a while."""
        dice = Dice(seed)
        self.let_go_by(
            dice.pick((dt.timedelta(microseconds=1), dt.timedelta(hours=7), DAY, 9 * DAY))
        )

    @rule()
    def restart(self) -> None:
        """Close, and open from what is on the disk."""
        before = self.live.view
        self.live.close()
        self.open()
        assert self.live.view.version == before.version
        assert self.live.view.next_ordinal == before.next_ordinal

    @rule()
    def compact(self) -> None:
        """Write everybody back home."""
        self.live.compact()
        assert not self.live.view.recent_blocks

    @invariant()
    def a_segment_has_the_oracles_members(self) -> None:
        """Every member of a random segment, and the suppression list."""
        if not hasattr(self, "live"):
            return
        dice = Dice(self.live.view.version.sequence)
        case = random_case(dice, self.model.world(), self.scene)
        context = context_at(case.as_of.astimezone(dt.UTC), case.zone)
        found = members_of(Engine(self.live.view), case.segment, context)
        difference = compare(case, found)
        assert difference is None, f"{canonical(case.segment)}\n{difference}"
        assert self.live.view.suppressed.ids >= self.model.suppressed & self.model.contacts.keys()

    @invariant()
    def segments_counted_together_are_counted_rightly(self) -> None:
        """What was counted two commits ago, and what changed since, is what is counted now."""
        if hasattr(self, "live") and not self.live.view.version.sequence % 2:
            view = self.live.view
            self.counting = self.counting.at(view)
            context = context_at(self.now.astimezone(dt.UTC), self.scene.zone.key)
            found = self.counting.sizes(self.counted, context)
            fresh = Engine(view, Results(0))
            wanted = [fresh.size_or_error(segment, context) for segment in self.counted]
            assert list(map(str, found)) == list(map(str, wanted))

    @invariant()
    def who_was_seen_to_enter_is_a_member(self) -> None:
        """Comings and goings up to now add up to the oracle's members."""
        if hasattr(self, "live"):
            world = self.model.world()
            for one in self.watched:
                if one.membership.is_exact:
                    one.read(one.membership.advance(to_micros(self.now)))
                    now = to_datetime(one.membership.instant)
                    wanted = oracle.members(world, one.segment, now, one.zone)
                    assert one.inside == wanted, canonical(one.segment)

    @invariant()
    def everything_is_as_it_was_written(self) -> None:
        """Every value and every event of every contact."""
        if hasattr(self, "live"):
            found, wanted = everything(self.live.view), expected(self.model)
            assert found.keys() == wanted.keys()
            for contact, held in wanted.items():
                assert found[contact] == held, contact

    @invariant()
    def every_structure_agrees(self) -> None:
        """The view passes its own check, and counts who is there."""
        if hasattr(self, "live"):
            assert self.live.view.live_count == len(self.model.contacts)
            if self.live.view.version.sequence % 5 == 0:
                assert list(self.live.view.check()) == []


@dataclass
class Watched:
    """A watched segment, and who is inside by what was told."""

    segment: Segment
    zone: str
    membership: Membership
    inside: set[str]

    @classmethod
    def begin(cls, segment: Segment, zone: str, view: View, at: int) -> Watched:
        """Watch a segment from an instant (µs) on."""
        course = course_of(Definition(segment, ZoneInfo(zone)), view)
        membership, seeds = Membership.begin(view, course, Settings(seed=True), at)
        found = cls(segment, zone, membership, set())
        found.read(seeds)
        return found

    def read(self, stream: Iterable[Transition]) -> None:
        """Take what was told; nobody enters or leaves twice."""
        for one in stream:
            assert (one.contact in self.inside) == (one.kind is Kind.EXIT), one
            (self.inside.add if one.kind is Kind.ENTER else self.inside.discard)(one.contact)


def everything(view: View) -> dict[str, dict[str, object]]:
    """Return all that a view knows of everybody, by id, sets and events sorted."""
    found: dict[str, dict[str, object]] = {}
    for block in view.blocks:
        rows = bitmaps.to_rows(block.live)
        names = ["id", *block.fields, *block.memberships]
        columns = {name: block.column(name, rows).to_pylist() for name in names}
        people = [
            dict(zip(columns, values, strict=True))
            for values in zip(*columns.values(), strict=True)
        ]
        for name in block.events:
            for person in people:
                person[f"event {name}"] = []
            for event in block.event_table(name, rows).to_pylist():
                people[event.pop("row")][f"event {name}"].append(_text(event))
        found |= {str(person["id"]): _plain(person, view.schema) for person in people}
    return found


def expected(model: Model) -> dict[str, dict[str, object]]:
    """Return what `everything` must find."""
    names = [f.name for f in model.schema.all_fields.values()] + ["list", "opted_out"]
    found = {}
    for contact, values in model.contacts.items():
        person: dict[str, object] = {name: values.get(name) for name in names}
        person["id"] = contact
        for type_ in model.schema.all_events.values():
            person[f"event {type_.name}"] = [
                _event(type_, event)
                for event in model.events
                if (event.contact, event.type) == (contact, type_.name)
            ]
        found[contact] = _plain(person, model.schema)
    return found


def _event(type_: EventType, event: Event) -> str:
    held: dict[str, object] = {"time": event.time, "id": event.id}
    for field in type_.properties:
        value = event.properties.get(field.name)
        held[f"property.{field.name}"] = None if value == "" else value
    return _text(held)


def _text(event: Mapping[str, object]) -> str:
    """Return an event as a text that is the same for the same values."""
    return repr(sorted((name, _stable(value)) for name, value in event.items()))


def _stable(value: object) -> object:
    match value:
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat()
        case float():
            return value + 0.0  # -0.0 is 0.0
    return value


def _plain(person: dict[str, object], schema: Schema) -> dict[str, object]:
    """Return values as they are compared: of a set the keys, since it has no order."""
    found: dict[str, object] = {}
    for name, value in person.items():
        kind = schema.field(name) or Field(name, FieldType.KEYWORDS)
        if name.startswith("event "):
            found[name] = sorted(value)  # type: ignore[call-overload]
        elif isinstance(value, list | tuple):
            found[name] = sorted({key(one, kind) for one in value})
        else:
            found[name] = (
                []
                if value is None and kind.type is FieldType.KEYWORDS
                else None
                if value == ""
                else value
            )
    return found


def changed(
    model: Model, names: list[str], rows: list[dict[str, object]], *, creates: bool
) -> ContactStep:
    """Return the step that gives contacts values."""
    fields = {}
    for stored in model.schema.all_fields.values():
        at = [place for place, values in enumerate(rows) if stored.name in values]
        held = [rows[place][stored.name] for place in at]
        plain = [None if value in ("", ()) else value for value in held]
        if at:
            values = pa.array(plain, ARROW_TYPES[stored.type])
            fields[stored.name] = FieldUpdate(np.array(at, np.uint32), values)
    return ContactStep(np.arange(len(names), dtype=np.uint32), pa.array(names), creates, fields)


def _unzipped(
    rows: list[tuple[int, str, int]], kind: type
) -> tuple[np.ndarray, pa.StringArray, np.ndarray]:
    at, names, last = zip(*rows, strict=True)
    return np.array(at, np.uint32), pa.array(names), np.array(last, kind)


def _used(model: Model) -> str:
    return " ".join(model.schema.calculated.values())
