"""The oracle of reports: docs/reports.md as a program, one contact at a time."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from headcount.query import tree
from headcount.query.parse import parse
from support import oracle
from support.oracle_values import Contact, Query
from support.worlds import Event, World


@dataclass(frozen=True)
class Counting:
    """What is counted: event types by declared name, and the property that is revenue."""

    window: str
    send: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    click: tuple[str, ...] = ()
    conversion: tuple[str, ...] = ()
    revenue: str = ""


def performance(
    world: World, segment: tree.Segment, counting: Counting, as_of: dt.datetime, zone: str
) -> dict[str, float]:
    """Return every number of a segment's performance by name."""
    query = Query(world, as_of.astimezone(dt.UTC), ZoneInfo(zone))
    found = dict.fromkeys(
        ("contacts", "reached", "opened", "clicked", "converted",
         "sends", "opens", "clicks", "conversions"), 0,
    )  # fmt: skip
    revenue: list[float] = []
    for contact in oracle.contacts_of(world):
        if not oracle.holds(query, contact, segment):
            continue
        sends, opens, clicks, conversions = (
            events_of(query, contact, types, counting.window)
            for types in (counting.send, counting.open, counting.click, counting.conversion)
        )
        found["contacts"] += 1
        found["sends"] += len(sends)
        found["opens"] += len(opens)
        found["clicks"] += len(clicks)
        found["conversions"] += len(conversions)
        if sends:
            found["reached"] += 1
            found["opened"] += bool(opens)
            found["clicked"] += bool(clicks)
        found["converted"] += bool(conversions)
        revenue += [e.properties.get(counting.revenue) or 0.0 for e in conversions]  # type: ignore[misc]
    return {**found, "revenue": math.fsum(revenue)}


def events_of(query: Query, contact: Contact, types: Iterable[str], window: str) -> list[Event]:
    """Return the events of some types in a window."""
    found = []
    for name in types:
        node = parse(f"did x {window}")
        assert isinstance(node, tree.Did)
        found += oracle.matching(query, contact, tree.EventSelector(name), node.window)
    return found
