"""Contacts as they are: fields, labels, lists with consent, and whether they are suppressed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from headcount.answers import ContactState, Membership
from headcount.index.block import Block
from headcount.index.view import View
from headcount.members import contacts


def read(
    view: View, ids: Sequence[str], columns: Sequence[contacts.Column] | None = None
) -> list[ContactState | None]:
    """
    Return the contact with each of *ids*, None where there is none.

    *columns* are the fields to return, all that are stored if it is None.
    """
    if columns is None:
        columns = tuple(f for f in view.schema.all_fields.values() if f.name != "id")
    found: list[ContactState | None] = [None] * len(ids)
    places: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)  # block → place, row
    for place, position in enumerate(view.lookup(pa.array(ids, pa.string())).tolist()):
        if position >= 0:
            number, row = divmod(position, view.block_rows)
            places[number].append((place, row))
    for number, pairs in places.items():
        rows = np.array([row for _, row in pairs], dtype=np.uint32)
        states = _states(view, view.blocks[number], rows, columns)
        for (place, _), state in zip(pairs, states, strict=True):
            found[place] = state
    return found


def _states(
    view: View, block: Block, rows: contacts.Rows, fields: Sequence[contacts.Column]
) -> list[ContactState]:
    """Return the contacts in *rows* of a block."""
    found = contacts.contacts(contacts.columns(block, rows, fields))
    labels = block.fields["label"].to_arrow(rows).to_pylist()
    lists = block.lists.to_arrow(rows).to_pylist()
    opted_out = block.opted_out.to_arrow(rows).to_pylist()
    return [
        ContactState(
            contact.id,
            contact.fields,
            labels=tuple(sorted(labels[at] or ())),
            lists=_memberships(lists[at] or (), opted_out[at] or ()),
            suppressed=contact.id in view.suppressed,
        )
        for at, contact in enumerate(found)
    ]


def _memberships(member: Sequence[str], out: Sequence[str]) -> tuple[Membership, ...]:
    names = sorted({*member, *out})
    return tuple(Membership(name, name in member, name in out) for name in names)
