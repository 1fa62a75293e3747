"""
Comparing an engine with the oracle, and making a difference small enough to read.

    case = ...                                    a world, a segment, an instant, a zone
    difference = compare(case, engine(case))      None, or who is missing and who is too many
    smaller = reduced(case, differs)              the same difference with far less around it
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import pprint
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from headcount.query import tree
from headcount.query.tree import Segment
from support import oracle
from support.worlds import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Case:
    """One question: a segment of a world, at an instant, in a time zone."""

    world: World
    segment: Segment
    as_of: dt.datetime
    zone: str

    def expected(self) -> set[str]:
        """Return the members according to the oracle."""
        return oracle.members(self.world, self.segment, self.as_of, self.zone)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an engine disagrees with the oracle."""

    case: Case
    missing: tuple[str, ...]  # members that the engine does not give
    extra: tuple[str, ...]  # what it gives that is no member, or gives twice

    def __str__(self) -> str:
        """Return the segment, the ids, and all that is known of the first of them."""
        case = self.case
        lines = [
            f"as of {case.as_of.isoformat()} in {case.zone}",
            pprint.pformat(case.segment),
            f"missing: {list(self.missing)}",
            f"extra:   {list(self.extra)}",
        ]
        for id_ in (self.missing + self.extra)[:3]:
            if id_ not in case.world.contacts:
                lines.append(f"{id_!r} is no contact")
                continue
            lines.append(f"{id_!r}: {pprint.pformat(dict(case.world.contacts[id_]))}")
            lines += [f"  {event}" for event in case.world.events if event.contact == id_]
        return "\n".join(lines)


def compare(case: Case, found: Iterable[str]) -> Difference | None:
    """Return how *found*, the members that an engine gives, differs from the oracle's; or None."""
    expected = case.expected()
    once: set[str] = set()
    extra = []
    for id_ in found:
        if id_ in once or id_ not in expected:
            extra.append(id_)
        once.add(id_)
    missing = sorted(expected - once)
    if not missing and not extra:
        return None
    return Difference(case, tuple(missing), tuple(sorted(extra)))


def reduced(case: Case, differs: Callable[[Case], bool], attempts: int = 2000) -> Case:
    """
    Return a smaller case for which *differs* still holds, after at most that many calls of it.

    Conditions, contacts, events and values are left out one by one (and contacts and events by
    halves first) until nothing more can be.
    """
    left = attempts

    def still(candidate: Case) -> bool:
        nonlocal left
        left -= 1
        return differs(candidate)

    shrunk = True
    while shrunk and left > 0:
        shrunk = False
        for candidate in _smaller(case):
            if left <= 0:
                break
            if still(candidate):
                case, shrunk = candidate, True
                break
    return case


def _smaller(case: Case) -> Iterator[Case]:
    """Yield cases that are a little smaller, the boldest first."""
    for segment in _smaller_segments(case.segment):
        yield dataclasses.replace(case, segment=segment)
    world = case.world
    ids = list(world.contacts)
    for dropped in _pieces(ids):
        gone = set(dropped)
        contacts = {id_: c for id_, c in world.contacts.items() if id_ not in gone}
        events = [e for e in world.events if e.contact not in gone]
        smaller = dataclasses.replace(world, contacts=contacts, events=events)
        yield dataclasses.replace(case, world=smaller)
    for dropped_events in _pieces(list(world.events)):
        there = {id(event) for event in dropped_events}
        events = [e for e in world.events if id(e) not in there]
        yield dataclasses.replace(case, world=dataclasses.replace(world, events=events))
    for id_, contact in world.contacts.items():
        for name in contact:
            slimmer = {n: v for n, v in contact.items() if n != name}
            contacts = {**world.contacts, id_: slimmer}
            yield dataclasses.replace(case, world=dataclasses.replace(world, contacts=contacts))


def _pieces(items: list[T]) -> Iterator[list[T]]:
    """Yield halves, quarters and so on down to single items."""
    size = len(items) // 2
    while size > 1:
        for start in range(0, len(items), size):
            yield items[start : start + size]
        size //= 2
    yield from ([item] for item in items)


def _smaller_segments(segment: Segment) -> Iterator[Segment]:
    """Yield segments with one node less: a part of `and`, `or` or `not`, no `where`, no window."""
    match segment:
        case tree.And(items) | tree.Or(items):
            yield from items
            if len(items) > 2:
                for i in range(len(items)):
                    yield type(segment)(items[:i] + items[i + 1 :])
            for i, item in enumerate(items):
                for smaller in _smaller_segments(item):
                    yield type(segment)((*items[:i], smaller, *items[i + 1 :]))
        case tree.Not(item):
            yield item
            yield from map(tree.Not, _smaller_segments(item))
        case tree.In(value, options, negated) if len(options) > 1:
            for i in range(len(options)):
                yield tree.In(value, options[:i] + options[i + 1 :], negated)
        case tree.Did():
            if segment.window is not None:
                yield dataclasses.replace(segment, window=None)
            if segment.times is not None:
                yield dataclasses.replace(segment, times=None)
            for event in _smaller_selectors(segment.event):
                yield dataclasses.replace(segment, event=event)
        case tree.Sequence():
            for event in _smaller_selectors(segment.first):
                yield dataclasses.replace(segment, first=event)
            for event in _smaller_selectors(segment.then):
                yield dataclasses.replace(segment, then=event)


def _smaller_selectors(event: tree.EventSelector) -> Iterator[tree.EventSelector]:
    """Yield the selector without its `where`, or with a smaller one."""
    if event.where is not None:
        yield tree.EventSelector(event.name)
        for where in _smaller_segments(event.where):
            yield tree.EventSelector(event.name, where)
