"""
The enums of the tree and those of the wire contract, each as the other.

`CompareOp.LT` is `COMPARE_OPERATOR_LT`: the wire name is a prefix and the name in the tree. A value
that is missing on one side fails on import.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Generic, TypeVar

from headcount.query import tree
from headcount.v1 import segment_pb2 as pb

E = TypeVar("E", bound=StrEnum)


class EnumTable(Generic[E]):
    """One enum: `to_wire` by member, `from_wire` by number; 0 and unknown ones are in neither."""

    def __init__(self, members: type[E], wire: Any, prefix: str) -> None:
        self.wire = wire
        self.prefix = prefix
        self.to_wire: Mapping[E, Any] = {m: wire.Value(f"{prefix}_{m.name}") for m in members}
        self.from_wire: Mapping[int, E] = {n: member for member, n in self.to_wire.items()}

    def names(self) -> str:
        """Return the names that may be used, for an error message."""
        return ", ".join(self.wire.Name(number) for number in self.from_wire)


COMPARE = EnumTable(tree.CompareOp, pb.CompareOperator, "COMPARE_OPERATOR")
TEXT = EnumTable(tree.TextOp, pb.TextOperator, "TEXT_OPERATOR")
SET_MODE = EnumTable(tree.SetMode, pb.SetMode, "SET_MODE")
DIRECTION = EnumTable(tree.Direction, pb.Direction, "DIRECTION")
TIMES = EnumTable(tree.TimesOp, pb.TimesOperator, "TIMES_OPERATOR")
EDGE = EnumTable(tree.Edge, pb.Edge, "EDGE")
PERIOD = EnumTable(tree.Period, pb.Period, "PERIOD")
UNIT = EnumTable(tree.Unit, pb.DurationUnit, "DURATION_UNIT")
MOMENT = EnumTable(tree.Moment, pb.Moment, "MOMENT")
ARITHMETIC = EnumTable(tree.ArithmeticOp, pb.ArithmeticOperator, "ARITHMETIC_OPERATOR")
PICK = EnumTable(tree.EventPick, pb.EventPick, "EVENT_PICK")
AGGREGATE = EnumTable(tree.AggregateOp, pb.AggregateOperator, "AGGREGATE_OPERATOR")
