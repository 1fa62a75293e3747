"""
Watches against the oracle: a world that changes and ages, and what a stream of it must say.

The oracle knows no transitions. It is asked who is a member at every instant at which a person can
think that something might happen (each time in the world, moved by each duration of the segment,
local midnights, all a microsecond before and after), and at each instant that the stream names. So
a transition that is missed, made up, or at another microsecond is found.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pyroaring import BitMap

from headcount.index.view import Version, View
from headcount.query import tree
from headcount.query.clock import Clock, OutOfCalendarError, to_datetime, to_micros
from headcount.query.tree import Duration, Segment, children
from headcount.segments.watch.transitions import Kind, Transition
from support import oracle
from support.dice import Choices
from support.engines import view_of
from support.random_worlds import Scene, random_contact, random_event
from support.worlds import Event, World

US = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Step:
    """One batch: the world after it, the contacts that it touched, when."""

    world: World
    touched: frozenset[str]
    at: dt.datetime


@dataclass(frozen=True)
class Commit:
    """A batch as the writer hands it on."""

    before: View
    after: View
    at: int
    touched: BitMap
    erased: tuple[str, ...] = ()


class Views:
    """Views of the worlds of one history: a contact keeps its ordinal, dead or alive."""

    def __init__(self, world: World, block_rows: int = 16) -> None:
        self._ordinals = {id_: ordinal for ordinal, id_ in enumerate(world.contacts)}
        self._ever: dict[str, Mapping[str, object]] = dict(world.contacts)
        self._events: dict[str, list[Event]] = {}
        self._block_rows = block_rows
        self._sequence = 0

    def of(self, world: World) -> View:
        """Return the next view: of *world*, and of those that were contacts before as dead rows."""
        for id_ in world.contacts:
            self._ordinals.setdefault(id_, len(self._ordinals))
        self._ever.update(world.contacts)
        ordered = {id_: self._ever[id_] for id_ in self._ordinals}
        view = view_of(replace(world, contacts=ordered), self._block_rows)
        dead = [self._ordinals[id_] for id_ in ordered if id_ not in world.contacts]
        blocks = []
        for block in view.blocks:
            first = block.number * self._block_rows
            gone = BitMap([o - first for o in dead if first <= o < first + block.rows])
            blocks.append(replace(block, live=block.live - gone))
        self._sequence += 1
        return replace(view, blocks=tuple(blocks), version=Version(1, self._sequence))

    def touched(self, step: Step) -> BitMap:
        """Return the ordinals of whom a step touched."""
        return BitMap([self._ordinals[id_] for id_ in step.touched if id_ in self._ordinals])


def random_step(dice: Choices, world: World, scene: Scene, at: dt.datetime) -> Step:
    """Return a batch of changes, deletions, new contacts and events."""
    contacts, events = dict(world.contacts), list(world.events)
    stored = [f for f in world.schema.all_fields.values() if f.name != "id"]
    types = list(world.schema.events.values())
    touched: set[str] = set()
    for _ in range(dice.integer(1, 4)):
        ids = list(contacts)
        choice = dice.integer(0, 9)
        if choice == 0 and ids:
            gone = dice.pick(ids)
            del contacts[gone]
            events = [event for event in events if event.contact != gone]
            touched.add(gone)
        elif choice == 1 or not ids:
            new = f"new {len(contacts)} {len(events)} {at.timestamp()}"
            contacts[new] = random_contact(dice, scene, stored, loadable=False)
            touched.add(new)
        elif choice <= 5 or not types:
            changed = dice.pick(ids)
            contacts[changed] = random_contact(dice, scene, stored, loadable=False)
            touched.add(changed)
        else:
            who = dice.pick(ids)
            made = random_event(dice, scene, dice.pick(types), [])
            events.append(dataclasses.replace(made, contact=who, id=None))
            touched.add(who)
    return Step(replace(world, contacts=contacts, events=events), frozenset(touched), at)


def instants(
    world: World, segment: Segment, zone: str, after: dt.datetime, to: dt.datetime
) -> list[dt.datetime]:
    """Return, in order, the instants of (after, to] at which something might happen."""
    from zoneinfo import ZoneInfo

    clock = Clock(to_micros(after), ZoneInfo(zone))
    found: set[int] = set()
    marks = set(_marks(world, segment))
    day = clock.today
    while (start := clock.day_start(day)) <= to_micros(to) and day < clock.today + 90:
        marks.add(start)
        day += 1
    spans = set(_durations(segment)) | {Duration(1, tree.Unit.HOUR)}
    for mark in marks:
        found.add(mark)
        for span in spans:
            for sign in (-1, 1):
                try:
                    found.add(clock.step(mark, span, sign))
                except OutOfCalendarError:
                    continue
    low, high = to_micros(after), to_micros(to)
    near = {at + beside for at in found for beside in (-1, 0, 1, 2)}
    return [to_datetime(at) for at in sorted(near | {high}) if low < at <= high]


def _marks(world: World, segment: Segment) -> Iterator[int]:
    for event in world.events:
        yield to_micros(event.time)
        for value in event.properties.values():
            if isinstance(value, dt.datetime):
                yield to_micros(value)
    for contact in world.contacts.values():
        for value in contact.values():
            if isinstance(value, dt.datetime):
                yield to_micros(value)
    for node in _nodes(segment):
        if isinstance(node, tree.DateTime) and node.value.tzinfo is not None:
            yield to_micros(node.value)


def _durations(segment: Segment) -> Iterator[Duration]:
    for node in _nodes(segment):
        for part in dataclasses.fields(node):
            value = getattr(node, part.name)
            if isinstance(value, Duration):
                yield value
                if isinstance(node, tree.Regularly):
                    for n in range(2, node.periods + 1):
                        yield Duration(value.amount * n, value.unit)


def _nodes(segment: Segment) -> Iterator[tree.Node]:
    stack: list[tree.Node] = [segment]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node))


class Reader:
    """Follows a stream: who is in, by what it said."""

    def __init__(self, members: Iterable[str]) -> None:
        self.members = set(members)
        self.number = 0

    def read(self, transition: Transition) -> None:
        """Take in a transition, which must be the next and change something."""
        assert transition.number == self.number + 1, (transition, self.number)
        self.number += 1
        if transition.kind is Kind.ENTER:
            assert transition.contact not in self.members, transition
            self.members.add(transition.contact)
        else:
            assert transition.contact in self.members, transition
            self.members.remove(transition.contact)


def assert_time_is_right(
    world: World,
    segment: Segment,
    zone: str,
    stream: list[Transition],
    reader: Reader,
    after: dt.datetime,
    to: dt.datetime,
    beside: Iterable[dt.datetime] = (),
) -> None:
    """
    Assert that a stream says of (after, to], in which nothing was written, what is so.

    The oracle is also asked at the instants *beside*.
    """
    times = [to_datetime(one.at) for one in stream]
    assert times == sorted(times)
    assert all(after < at <= to for at in times), (after, times, to)
    looked = set(instants(world, segment, zone, after, to))
    looked |= set(times) | {at - US for at in times if at - US > after}
    looked |= {at for at in beside if after < at <= to}
    left = list(stream)
    for at in sorted(looked):
        while left and to_datetime(left[0].at) <= at:
            reader.read(left.pop(0))
        expected = oracle.members(world, segment, at, zone)
        if reader.members != expected:
            raise AssertionError(
                f"at {at.isoformat()} in {zone}: missing {expected - reader.members},"
                f" too many {reader.members - expected}"
            )
