"""Pages make up the whole listing, each contact once, in order, however they are cut."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from headcount.index.block import Block
from headcount.members import pages
from headcount.model.errors import UserError
from headcount.model.schema import Field, FieldType, Schema

BLOCK_ROWS = 16
COUNT = 100
SCHEMA = Schema(fields={"note": Field("note", FieldType.TEXT)})


def blocks(note_bytes: int) -> list[Block]:
    """Return seven blocks of contacts, named by their ordinals, with notes of a size."""
    return [
        Block.build(
            number,
            pa.table(
                {
                    "id": pa.array([str(n) for n in rows]),
                    "note": pa.array([f"{n} " + "x" * note_bytes for n in rows]),
                }
            ),
            {},
            SCHEMA,
        )
        for number, start in enumerate(range(0, COUNT, BLOCK_ROWS))
        if (rows := range(start, min(start + BLOCK_ROWS, COUNT)))
    ]


SHORT = blocks(5)
LONG = blocks(200_000)


def found(of: list[Block], chosen: list[int], start: int) -> list[tuple[Block, BitMap]]:
    """Return the rows with these ordinals from the block of *start* on, as an engine does."""
    return [
        (block, BitMap([n % BLOCK_ROWS for n in chosen if n // BLOCK_ROWS == block.number]))
        for block in of
        if block.number >= start // BLOCK_ROWS
    ]


def listed(of: list[Block], chosen: list[int], size: int) -> list[list[str]]:
    """Return the ids of every page."""
    fields = [SCHEMA.fields["note"]]
    start: int | None = 0
    all_pages = []
    while start is not None:
        page = pages.fill(found(of, chosen, start), BLOCK_ROWS, fields, start, size)
        all_pages.append([contact.id for contact in page.contacts])
        assert all(str(c.fields["note"]).startswith(c.id + " ") for c in page.contacts)
        start = page.next_ordinal
    return all_pages


@given(st.lists(st.integers(0, COUNT - 1), unique=True).map(sorted), st.integers(1, 120))
@settings(deadline=None)
def test_pages_add_up(chosen: list[int], size: int) -> None:
    """Every member is on one page, in order; all pages are full but the last."""
    found_pages = listed(SHORT, chosen, size)
    assert [i for page in found_pages for i in page] == [str(n) for n in chosen]
    assert all(len(page) == size for page in found_pages[:-1])
    assert len(found_pages) == max(1, -(-len(chosen) // size))


def test_a_page_fits_a_message() -> None:
    """Long values close a page before it is larger than gRPC's default limit of 4 MiB."""
    found_pages = listed(LONG, list(range(COUNT)), 1000)
    assert [i for page in found_pages for i in page] == [str(n) for n in range(COUNT)]
    assert all(1 <= len(page) <= 20 for page in found_pages)


def test_page_sizes_are_bounded() -> None:
    """0 is the default, too many are cut to the maximum, and negative is an error."""
    assert pages.size(0, 10, 20) == 10
    assert pages.size(15, 10, 20) == 15
    assert pages.size(21, 10, 20) == 20
    with pytest.raises(UserError):
        pages.size(-1)
