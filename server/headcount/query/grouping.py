"""
Groupings: a value of the language by which contacts are told apart, and what it is for each.

Whatever a condition can compare can group: a field, `month(birthday)`, `total / orders`, `count(
purchase in last 90 days)`, and the lists under the name `list`. Of the members of a block

    single-valued    one value each, or none      numbers, days, instants, flags, texts
    multi-valued     any number of texts each     labels, lists, sets

Texts are told apart as the language compares them, in key form: `pro` and `Pro` are one value,
shown in the spelling that most of the contacts have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.answers import Scalar
from headcount.index.block import LISTS, OPTED_OUT, Block
from headcount.index.columns import Vector
from headcount.model.schema import Field, FieldType
from headcount.query import tree
from headcount.query.bind import Binder
from headcount.query.clock import Clock
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.expressions import Choice, Constant, Expression, FieldValue, Kind
from headcount.query.figures import Figures
from headcount.query.format import format as canonical
from headcount.query.frames import ContactFrame, Rows
from headcount.query.limits import require_within
from headcount.query.moments import plain
from headcount.query.parse import parse_value
from headcount.query.vectors import texts, vector

By = str | tree.Value

_AS_WRITTEN = Field("", FieldType.TEXT, case_sensitive=True)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A bound value; `text` is canonical."""

    text: str
    value: Expression
    clock: Clock

    @property
    def kind(self) -> Kind:
        """Return what sort of value it is."""
        return self.value.kind

    @property
    def field(self) -> Field:
        """Return the field whose key form texts take."""
        operands = self.value.operands if isinstance(self.value, Choice) else (self.value,)
        fields = (one.field for one in operands if isinstance(one, FieldValue))
        return next(fields, _AS_WRITTEN)

    def vector(self, block: Block, rows: Rows) -> Vector:
        """Return the number, day, instant or flag of each of *rows* (uint32[n], ascending)."""
        found = vector(self.value, self._frame(block, rows))
        values, present = found.values, found.present
        return Vector(np.broadcast_to(values, len(rows)), np.broadcast_to(present, len(rows)))

    def texts(self, block: Block, rows: Rows) -> pa.Array:
        """Return the text, or the list of texts, of each of *rows*, null for none."""
        return texts(self.value, self._frame(block, rows))

    def plain(self, number: float) -> Scalar:
        """Return a number of `vector` as people know it: a day, an instant in the time zone."""
        return plain(number, self.kind, self.clock)

    def _frame(self, block: Block, rows: Rows) -> ContactFrame:
        return ContactFrame(block, self.clock, Figures(block, self.clock), rows)


def grouping(engine: Engine, by: By, context: QueryContext) -> Grouping:
    """
    Return the grouping by a value, given as text or as a tree.

    Raises:
        UserError: it is no value, is the same for everyone, or a name or type does not fit.
    """
    text = by if isinstance(by, str) else None
    if isinstance(by, str):
        node = parse_value(by, context.limits)
    else:
        node = by
        require_within(node, context.limits)
    binder = Binder(engine.known, context, text)
    value = _lists(binder, node) or binder.value(node, binder.contact_scope)
    if isinstance(value, Constant) or value.kind is Kind.DURATION:
        raise binder.refusals.mismatch(
            f"{binder.refusals.quoted(node)} is the same for every contact; name a field, or a"
            " value that is made of fields or events",
            node,
        )
    return Grouping(canonical(node), value, binder.clock)


def _lists(binder: Binder, node: tree.Value) -> Expression | None:
    """Return the lists that contacts are on, or opted out of, if no field has these names."""
    if not isinstance(node, tree.Name) or binder.contact_scope.find(node) is not None:
        return None
    named = {"list": LISTS, "opted_out": OPTED_OUT}.get(node.name.casefold())
    return None if named is None else FieldValue(named)


def tallied(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """
    Return the distinct *values*, ascending, and how often each occurs.

    2 ms a million whole numbers that lie close together, 70 for others.
    """
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if len(values):
        low, high = values.min(), values.max()
        whole = values.dtype != np.float64 or bool((values == np.floor(values)).all())
        if whole and high - low < max(len(values), 1 << 16):
            counts = np.bincount((values - low).astype(np.int64))
            held = np.flatnonzero(counts)
            return (held + low).astype(values.dtype), counts[held]
    distinct, counts = np.unique(values, return_counts=True)
    return distinct, counts
