"""
The oracle of audiences: docs/audiences.md as a program, one contact at a time.

It says for each contact at which step it leaves the funnel; whatever a number of the engine should
be is the size of one of these sets. What a segment holds it asks the oracle of segments.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.query import tree
from support import oracle
from support.oracle_values import Contact, Query
from support.worlds import World

STEPS = ("excluded", "not active", "opted out of the list", "suppressed", "hard bounce")
SENDABLE = "sendable"


@dataclass(frozen=True)
class Wanted:
    """An audience, and who is on the suppression list."""

    include: tuple[tree.Segment, ...]
    exclude: tuple[tree.Segment, ...] = ()
    channel: str | None = None
    suppressed: frozenset[str] = frozenset()


def funnel(world: World, wanted: Wanted, as_of: dt.datetime, zone: str) -> dict[str, list[str]]:
    """Return the ids that leave at each step, and those that stay, in the world's order."""
    query = Query(world, as_of.astimezone(dt.UTC), ZoneInfo(zone))
    found: dict[str, list[str]] = {step: [] for step in (*STEPS, SENDABLE)}
    for contact in oracle.contacts_of(world):
        if any(oracle.holds(query, contact, one) for one in wanted.include):
            found[step_of(query, contact, wanted)].append(contact.id)
    return found


def step_of(query: Query, contact: Contact, wanted: Wanted) -> str:
    """Return the first step that takes a matched contact out; `sendable` if none does."""
    status = contact.fields.get("status")
    if any(oracle.holds(query, contact, one) for one in wanted.exclude):
        return "excluded"
    if status not in ("Active", "Hard Bounce"):
        return "not active"
    if oracle.is_listed(contact, "opted_out", lists_of(query.world, wanted)):
        return "opted out of the list"
    if contact.id in wanted.suppressed:
        return "suppressed"
    if status == "Hard Bounce":
        return "hard bounce"
    return SENDABLE


def lists_of(world: World, wanted: Wanted) -> tuple[str, ...]:
    """Return the lists whose opt-outs count: the channel, and those that bring people in."""
    channel = () if wanted.channel is None else (wanted.channel,)
    brought = (name for one in wanted.include for name in bringing(world, one, True))
    return (*channel, *brought)


def bringing(world: World, segment: tree.Segment, kept: bool) -> Iterator[str]:
    """Yield the lists that *segment* asks to be on; with *kept* false, its complement."""
    match segment:
        case tree.And(items) | tree.Or(items):
            for item in items:
                yield from bringing(world, item, kept)
        case tree.Not(item):
            yield from bringing(world, item, not kept)
        case tree.InSegment(name, negated):
            yield from bringing(world, world.saved[name], kept != negated)
        case tree.InList(names, negated):
            if kept != negated:
                yield from names
