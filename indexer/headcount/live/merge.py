"""
Merging two contacts that turn out to be one: what the one has, put into the other.

Where both have a value the target's stays; sets are united; the source's events become the
target's, those aside that it has by their id. Nothing that was so already is told of again: the
target does not join the source's lists now, it has been on them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from headcount.index.block import LISTS, MEMBERSHIPS
from headcount.index.view import View
from headcount.live import edit
from headcount.model.changes import ContactStep, EventStep, FieldUpdate
from headcount.model.schema import FieldType

_FIRST = np.zeros(1, dtype=np.uint32)


def merged(view: View, ordinals: npt.NDArray[np.int64]) -> tuple[ContactStep, list[EventStep]]:
    """
    Return what the second of two live contacts gets from the first: an edit of it, and events.

    Steps for the draft, not for the log: they set columns that no client's step can.
    """
    columns, tables = view.gather(view.positions(ordinals))
    target = columns["id"].slice(1)
    fields: dict[str, FieldUpdate] = {}
    for name, column in columns.items():
        if name == "id":
            continue
        source, own = column.slice(0, 1), column.slice(1)
        stored = view.schema.field(name)
        if name in MEMBERSHIPS:
            fields[name] = FieldUpdate(_FIRST, edit.united(own, source, LISTS))
        elif stored is not None and stored.type is FieldType.KEYWORDS:
            fields[name] = FieldUpdate(_FIRST, edit.united(own, source, stored))
        elif own.null_count and not source.null_count:
            fields[name] = FieldUpdate(_FIRST, source)
    events = []
    for name, table in tables.items():
        mine = table.filter(pa.array(table.column("row").to_numpy() == 0))
        if mine.num_rows:
            count = mine.num_rows
            whose = target.take(pa.array(np.zeros(count, dtype=np.int64)))
            numbers = np.zeros(count, dtype=np.uint32)
            events.append(EventStep(numbers, name, whose, mine.drop_columns(["row"])))
    return ContactStep(_FIRST, target, creates=False, fields=fields), events
