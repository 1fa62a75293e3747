"""
Worlds with names of their own: calculated fields, and saved segments, that use each other.

Made from the operands and segments that the random writer makes, so that whatever may be written in
a segment may also stand behind a name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from headcount.model.errors import UserError
from headcount.model.schema import FieldType
from headcount.query import tree
from headcount.query.bind import bind
from headcount.query.format import format as canonical
from support.compare import Case
from support.dice import Choices, Dice
from support.engines import context_at, view_of
from support.random_segments import FEATURES, Writer
from support.random_times import Operand
from support.random_worlds import Scene
from support.strategies import random_place
from support.worlds import World

_TYPES = (FieldType.NUMBER, FieldType.DATE, FieldType.DATETIME)
_SPELLINGS = ("{}", "{}", "{}-Größe", 'say "{}"', "{} of \\ `all`")


@dataclasses.dataclass(frozen=True)
class Named:
    """A saved segment as the engine is told of it."""

    name: str
    text: str
    segment: tree.Segment


class Shelf:
    """What a world has saved, as the engine is told of it."""

    def __init__(self, saved: Mapping[str, tree.Segment]) -> None:
        self._saved = saved

    def find(self, name: str) -> Named | None:
        """Return what is saved as *name*, in any case."""
        for there, segment in self._saved.items():
            if there.casefold() == name.casefold():
                return Named(there, canonical(segment), segment)
        return None

    def near(self, name: str) -> tuple[str, ...]:
        """Return every name."""
        del name
        return tuple(self._saved)

    def alike(self, text: str, most: int) -> tuple[Named, ...]:
        """Return the first *most*."""
        del text
        return tuple(Named(n, canonical(s), s) for n, s in self._saved.items())[:most]

    def __len__(self) -> int:
        return len(self._saved)


def calculated_cases(seed: int, count: int, *, per_world: int = 20) -> Iterator[Case]:
    """Yield *count* conditions on calculated fields, some of which use others."""
    for start in range(0, count, per_world):
        dice = Dice(seed * 1_000_003 + start)
        world, scene = random_place(dice, dice.pick((3, 10, 20, 40)))
        world, fields = _with_calculated(dice, world, scene)
        if not fields:
            continue
        writer = Writer(dice, world, scene, FEATURES)
        for _ in range(min(per_world, count - start)):
            one = dice.pick(fields)
            segment = writer.about(one)
            if dice.chance(30):
                other = dice.pick([field for field in fields if field.type is one.type])
                segment = tree.Compare(one.node, tree.CompareOp.LE, other.node)
            if dice.chance(20):
                segment = tree.And((segment, writer.segment(1)))
            yield Case(world, segment, scene.as_of, scene.zone.key)


def _with_calculated(dice: Choices, world: World, scene: Scene) -> tuple[World, list[Operand]]:
    """Return *world* with some calculated fields, and what conditions can be about."""
    fields: list[Operand] = []
    view, context = view_of(world), context_at(scene.as_of, scene.zone.key)
    for place in range(dice.integer(1, 4)):
        writer = Writer(dice, world, scene, FEATURES)
        type_ = dice.pick(_TYPES)
        before = [field for field in fields if field.type is type_]
        operand = writer.operand(type_) if dice.chance(30) else writer.derived(type_)
        if before and type_ is FieldType.NUMBER and dice.chance(70):
            op = dice.pick(tuple(tree.ArithmeticOp))
            made = tree.Arithmetic(op, dice.pick(before).node, operand.node)
            operand = Operand(made, type_)
        try:  # what was drawn as one type may be another, where there is none of the first
            if not before:
                bind(tree.IsEmpty(operand.node, False), view, context)
        except UserError:
            continue
        name = f"calculated {place}"
        calculated = {**world.schema.calculated, name: canonical(operand.node)}
        world = dataclasses.replace(
            world, schema=dataclasses.replace(world.schema, calculated=calculated)
        )
        fields.append(
            dataclasses.replace(operand, node=tree.Name(dice.pick((name, name.upper())), True))
        )
    return world, fields


def saved_cases(seed: int, count: int, *, per_world: int = 20) -> Iterator[Case]:
    """Yield *count* segments that name saved ones, some of which name others."""
    for start in range(0, count, per_world):
        dice = Dice(seed * 1_000_003 + start)
        world, scene = random_place(dice, dice.pick((3, 10, 20, 40)))
        writer = Writer(dice, world, scene, FEATURES)
        saved: dict[str, tree.Segment] = {}
        for place in range(dice.integer(1, 6)):
            name = dice.pick(_SPELLINGS).format(place)
            saved[name] = _with_names(dice, writer, list(saved)) if saved else writer.segment(1)
        world = dataclasses.replace(world, saved=saved)
        for _ in range(min(per_world, count - start)):
            segment = _with_names(dice, writer, list(saved))
            yield Case(world, segment, scene.as_of, scene.zone.key)


def _with_names(dice: Choices, writer: Writer, names: list[str]) -> tree.Segment:
    """Return a segment that names one or two saved ones, or the same one twice."""
    first = tree.InSegment(dice.pick(names), dice.chance(30))
    match dice.integer(0, 4):
        case 0:
            return first
        case 1:
            return tree.Not(first)
        case 2:
            return tree.Or((first, tree.InSegment(dice.pick(names), dice.chance(30))))
        case 3:
            return tree.And((first, writer.segment(1)))
    return tree.And((tree.Or((first, writer.segment(0))), tree.InSegment(dice.pick(names))))
