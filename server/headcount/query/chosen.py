"""
Chosen columns: what is shown of a contact beside its id, stored or worked out.

A stored field is read from its column. An engagement time (`last_open`) and a calculated field are
worked out for the rows that are shown, at the query's instant and in its time zone, as a condition
on them would be.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index.arrow import ARROW_TYPES
from headcount.index.block import Block
from headcount.index.columns import Vector
from headcount.members.contacts import Column, Rows
from headcount.model.errors import Reason, UserError
from headcount.model.schema import FieldType, nearest
from headcount.query import tree
from headcount.query.bind import Binder
from headcount.query.clock import Clock
from headcount.query.context import QueryContext
from headcount.query.engine import Engine
from headcount.query.expressions import Expression, Kind
from headcount.query.figures import Figures
from headcount.query.frames import ContactFrame
from headcount.query.vectors import texts, vector

_TYPES = {
    Kind.NUMBER: FieldType.NUMBER,
    Kind.DAYS: FieldType.NUMBER,
    Kind.BOOLEAN: FieldType.BOOLEAN,
    Kind.DATE: FieldType.DATE,
    Kind.INSTANT: FieldType.DATETIME,
    Kind.STRING: FieldType.TEXT,
    Kind.STRINGS: FieldType.KEYWORDS,
}


class Computed:
    """A value that is worked out: a column as `members.contacts` reads it. For one thread."""

    def __init__(self, name: str, value: Expression, clock: Clock) -> None:
        self.name = name
        self.type = _TYPES[value.kind]
        self._value = value
        self._clock = clock
        self._whole: tuple[Block, Figures] | None = None  # of the block that was read last

    def to_arrow(self, block: Block, rows: Rows) -> pa.Array:
        """Return the value of each of *rows* (uint32[n], any order), null for none."""
        order = np.argsort(rows, kind="stable")
        frame = ContactFrame(block, self._clock, self._figures(block), rows[order])
        if self._value.kind in (Kind.STRING, Kind.STRINGS):
            found = texts(self._value, frame)
        else:
            found = _arrow(vector(self._value, frame), len(rows), self.type)
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = np.arange(len(rows))
        return found.take(pa.array(back)).cast(ARROW_TYPES[self.type])

    def _figures(self, block: Block) -> Figures:
        """Return the figures of a block, whose events are counted once for all pieces of it."""
        if self._whole is None or self._whole[0] is not block:
            self._whole = block, Figures(block, self._clock)
        return self._whole[1]


def _arrow(found: Vector, size: int, type_: FieldType) -> pa.Array:
    values: npt.NDArray[np.generic] = np.broadcast_to(found.values, size)
    missing = ~np.broadcast_to(found.present, size)
    if type_ is FieldType.DATE:
        days = np.where(missing, 0, values).astype(np.int32)
        return pa.array(days, mask=missing).cast(pa.date32())
    if type_ is FieldType.DATETIME:
        return pa.array(np.where(missing, 0, values).astype(np.int64), mask=missing).cast(
            ARROW_TYPES[type_]
        )
    return pa.array(values, mask=missing)


def chosen(engine: Engine, names: Sequence[str], context: QueryContext) -> tuple[Column, ...]:
    """
    Return the columns called *names*, in that order, without repeats and without `id`.

    Raises:
        UserError: a name that no field has; `field` is its place, as `fields[2]`.
    """
    schema = engine.view.schema
    found: dict[str, Column] = {}
    binder: Binder | None = None
    for place, name in enumerate(names):
        field = schema.field(name)
        if field is not None:
            if field.name != "id":
                found[field.name] = field
            continue
        calculation = engine.known.calculations.get(name)
        if calculation is None and not schema.engagement(name):
            raise UserError(
                Reason.UNKNOWN_NAME,
                f"there is no field `{name}`",
                field=f"fields[{place}]",
                suggestions=nearest(name, schema.field_names()),
            )
        binder = binder or Binder(engine.known, context, None)
        declared = name.casefold() if calculation is None else calculation.name
        value = binder.value(tree.Name(name, quoted=True), binder.contact_scope)
        found[declared] = Computed(declared, value, binder.clock)
    return tuple(found.values())
