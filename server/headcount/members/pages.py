"""
Pages of members: from which row on, how many, and where the next one begins.

A page is made of rows in order of their positions, so the position after the last one is all that
the next page needs. It is filled some hundred contacts at a time, and closed early before its
message is too large for a client with gRPC's default limit of 4 MiB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap

from headcount.answers import Contact
from headcount.index import bitmaps
from headcount.index.block import Block
from headcount.members import contacts
from headcount.model.errors import Reason, UserError

PAGE_SIZE = 1_000
PAGE_SIZE_MAX = 10_000

_PAGE_BYTES = 3 << 20  # of values; their names and lengths come on top
_STEP_ROWS = 500


@dataclass(slots=True)
class Page:
    """Contacts, and the position at which the next page begins; None when there is none."""

    contacts: list[Contact] = field(default_factory=list)
    next_ordinal: int | None = None


def size(asked: int, usual: int = PAGE_SIZE, largest: int = PAGE_SIZE_MAX) -> int:
    """
    Return how many contacts a page may have when *asked* were asked for; 0 is the *usual* number.

    Raises:
        UserError: *asked* is negative.
    """
    if asked < 0:
        raise UserError(
            Reason.INVALID_VALUE, f"expected a page size from 0, found {asked}", field="page_size"
        )
    return min(asked or usual, largest)


def fill(
    found: Iterable[tuple[Block, BitMap]],
    block_rows: int,
    fields: Sequence[contacts.Column],
    start: int,
    limit: int,
) -> Page:
    """Return up to *limit* contacts with positions from *start* on."""
    page = Page()
    room = _PAGE_BYTES
    for block, bitmap in found:
        first = block.number * block_rows
        rows = bitmaps.to_rows(bitmap)
        rows = rows[np.searchsorted(rows, max(0, start - first)) :]
        while len(rows):
            wanted = limit - len(page.contacts)
            if wanted <= 0 or room <= 0:
                page.next_ordinal = first + int(rows[0])
                return page
            batch = contacts.columns(block, rows[: min(wanted, _STEP_ROWS)], fields)
            while batch.nbytes > room and len(batch) > 1:
                batch = batch.slice(0, len(batch) // 2)
            page.contacts += contacts.contacts(batch)
            room -= batch.nbytes
            rows = rows[len(batch) :]
    return page
