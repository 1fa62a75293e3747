"""Audiences by the thousand, made of the random segments, and the engine's answer to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from headcount.index import bitmaps
from headcount.index.suppressed import Suppressed
from headcount.query import tree
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from headcount.segments.audience import Audience, Resolved, Step, resolve
from support import oracle_audience
from support.dice import Dice
from support.engines import context_at, view_of
from support.named import Shelf, saved_cases
from support.oracle_audience import SENDABLE, Wanted
from support.worlds import World


@dataclass(frozen=True, eq=False)
class Sending:
    """One question: an audience of a world, at an instant, in a time zone."""

    world: World
    wanted: Wanted
    as_of: dt.datetime
    zone: str

    def expected(self) -> dict[str, list[str]]:
        """Return the funnel of the oracle."""
        return oracle_audience.funnel(self.world, self.wanted, self.as_of, self.zone)

    def __str__(self) -> str:
        """Return what is asked."""
        include, exclude = (
            [canonical(one) for one in some] for some in (self.wanted.include, self.wanted.exclude)
        )
        return f"include {include}\nexclude {exclude}\nlist {self.wanted.channel}"


def resolved(sending: Sending, *, as_text: bool = False) -> Resolved:
    """Return the engine's answer, over blocks of 16 contacts."""
    wanted = sending.wanted
    engine = _engine(sending.world)
    form = canonical if as_text else _same
    audience = Audience(
        tuple(map(form, wanted.include)), tuple(map(form, wanted.exclude)), wanted.channel
    )
    context = context_at(sending.as_of, sending.zone)
    return resolve(engine, audience, context, Suppressed(wanted.suppressed))


@lru_cache(maxsize=2)
def _engine(world: World) -> Engine:
    return Engine(view_of(world, 16), saved=Shelf(world.saved))


def _same(segment: tree.Segment) -> tree.Segment:
    return segment


def differences(found: Resolved, expected: dict[str, list[str]]) -> list[str]:
    """Return a sentence for each number, and for the ids, that is not what is expected."""
    numbers = {"matched": (found.funnel.matched, sum(map(len, expected.values())))}
    left = numbers["matched"][1]
    for one in found.funnel.steps:
        gone = len(expected[one.step])
        left -= gone
        numbers[one.step] = (one.removed, gone)
        numbers[f"left by {one.step}"] = (one.left, left)
    said = [f"{name}: {a}, not {b}" for name, (a, b) in numbers.items() if a != b]
    if tuple(one.step for one in found.funnel.steps) != tuple(Step):
        said.append("the steps are not all there, in order")
    ids: list[str] = []
    for block, rows in found.members:
        ids += block.ids.take(bitmaps.to_rows(rows)).to_pylist()
    if ids != expected[SENDABLE]:
        said.append(f"sendable: {ids}, not {expected[SENDABLE]}")
    return said


def sendings(seed: int, count: int) -> Iterator[Sending]:
    """Yield *count* audiences, up to ten of each of some worlds that have saved segments."""
    dice = Dice(seed * 7919)
    made = 0
    cases = saved_cases(seed, 1_000_000)
    for world, some in groupby(cases, key=lambda case: case.world):
        there = list(some)
        segments = [case.segment for case in there]
        lists = sorted(_lists(world))
        segments += [tree.InList((name,), dice.chance(20)) for name in lists]
        segments += [tree.Everyone(), tree.Not(tree.InSegment(dice.pick(list(world.saved))))]
        for _ in range(10):
            if made == count:
                return
            made += 1
            strangers = [f"nobody {n}" for n in range(3)]
            ids = [*world.contacts, *strangers]
            wanted = Wanted(
                include=tuple(dice.pick(segments) for _ in range(dice.integer(1, 3))),
                exclude=tuple(dice.pick(segments) for _ in range(dice.integer(0, 2))),
                channel=dice.pick(lists) if lists and dice.chance(60) else None,
                suppressed=frozenset(id_ for id_ in ids if dice.chance(25)),
            )
            yield Sending(world, wanted, there[0].as_of, there[0].zone)


def _lists(world: World) -> set[str]:
    columns = (c.get(name) for c in world.contacts.values() for name in ("list", "opted_out"))
    return {name for names in columns for name in names or ()} | set(world.schema.lists)
