"""
Cases by the thousand: from a seed, for volume; from Hypothesis, which shrinks what fails.

Both make their worlds and segments with the same generators (`random_worlds`, `random_segments`)
and differ only in who rolls the dice. Whatever fails is made small by `compare.reduced`, which
needs far fewer attempts than a shrinker that knows nothing of worlds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from headcount.model.schema import Schema
from headcount.query.tree import Segment
from support.compare import Case
from support.dice import Choices, Dice, HypothesisDice
from support.oracle_time import MICROSECOND
from support.random_segments import FEATURES, random_segment
from support.random_worlds import Scene, random_scene, random_schema, random_world
from support.worlds import World

SIZES = (3, 10, 20, 40, 0, 1, 7, 60, 200)  # contacts


def seeded_cases(
    seed: int,
    count: int,
    *,
    per_world: int = 20,
    sizes: Sequence[int] = SIZES,
    features: frozenset[str] = FEATURES,
) -> Iterator[Case]:
    """
    Yield *count* cases, *per_world* of them in a row about one world.

    The same arguments give the same cases. With the oracle's answer, about 1 ms each.
    """
    for start in range(0, count, per_world):
        dice = Dice(seed * 1_000_003 + start)
        world, scene = random_place(dice, dice.pick(sizes))
        for _ in range(min(per_world, count - start)):
            yield random_case(dice, world, scene, features)


def random_place(
    dice: Choices, contacts: int, *, fewest: int | None = None, loadable: bool = False
) -> tuple[World, Scene]:
    """Return a world of so many contacts, and when and where it is asked."""
    schema, scene = random_schema(dice), random_scene(dice)
    world = random_world(dice, schema, scene, contacts, fewest=fewest, loadable=loadable)
    return world, scene


def random_case(
    dice: Choices, world: World, scene: Scene, features: frozenset[str] = FEATURES
) -> Case:
    """Return a question; now and then a microsecond or a day beside the scene, or elsewhere."""
    segment = random_segment(dice, world, scene, features)
    as_of, zone = scene.as_of, scene.zone.key
    if dice.chance(10):
        day = dt.timedelta(days=1)
        as_of += dice.pick((MICROSECOND, -MICROSECOND, day, -day))
    if dice.chance(5):
        zone = dice.pick(("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia"))
    return Case(world, segment, as_of, zone)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Draw a schema."""
    return random_schema(HypothesisDice(draw))


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Draw an instant, a zone and the edges around them."""
    return random_scene(HypothesisDice(draw))


@st.composite
def worlds(draw: st.DrawFn, *, contacts: int = 4, loadable: bool = False) -> World:
    """Draw a world of at most so many contacts."""
    dice = HypothesisDice(draw)
    world, _ = random_place(dice, contacts, fewest=0, loadable=loadable)
    return world


@st.composite
def segments(
    draw: st.DrawFn, world: World, scene: Scene, features: frozenset[str] = FEATURES
) -> Segment:
    """Draw a valid segment about *world*."""
    return random_segment(HypothesisDice(draw), world, scene, features)


@st.composite
def cases(draw: st.DrawFn, *, contacts: int = 4, features: frozenset[str] = FEATURES) -> Case:
    """
    Draw a world of at most so many contacts and one segment about it.

    Hypothesis chooses each part of the segment but only the seed of the world: worlds of hundreds
    of choices would take it minutes to shrink, and `compare.reduced` less than a second.
    """
    size = draw(st.integers(0, contacts))
    world, scene = random_place(Dice(draw(st.integers(0, 2**16))), size)
    return random_case(HypothesisDice(draw), world, scene, features)
