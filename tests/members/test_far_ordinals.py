"""Ordinals and positions beyond 2^31, up to the last one that 32 bits hold."""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from pyroaring import BitMap

from headcount.index import bitmaps
from headcount.index.block import BLOCK_ROWS
from headcount.index.difference import changed
from headcount.index.view import Version, View
from headcount.members import batches
from headcount.model.changes import Changes
from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from support.engines import context_at, view_of
from support.shop import AS_OF, SHOP
from support.written import committed, contacts

LAST = (1 << 32) - 1
CONTEXT = context_at(AS_OF)


def far_view(first: int) -> View:
    """Return the shop as a recent block of contacts with ordinals from *first* on."""
    view = view_of(SHOP)
    (block,) = view.blocks
    ordinals = (first + np.arange(block.rows, dtype=np.int64)).astype(np.uint32)
    recent = dataclasses.replace(block, ordinals=ordinals)
    return dataclasses.replace(view, blocks=(recent,), base=0, created=int(ordinals[-1]) + 1)


@pytest.mark.parametrize("number", [2_047, 2_048, 4_095])
def test_ordinals_of_high_blocks(number: int) -> None:
    """The rows of a block far behind are handed out as the ordinals they are."""
    (block,) = view_of(SHOP).blocks
    far = dataclasses.replace(block, number=number)
    (found,) = batches.ordinals([(far, BitMap([0, 2]))], 0, BLOCK_ROWS)
    assert list(found) == [number * BLOCK_ROWS, number * BLOCK_ROWS + 2]
    last = BitMap([BLOCK_ROWS - 1])
    (found,) = batches.ordinals([(far, last)], 0, BLOCK_ROWS)
    assert list(found) == [number * BLOCK_ROWS + BLOCK_ROWS - 1]


@pytest.mark.parametrize("first", [(1 << 31) - 3, LAST - 5])
def test_contacts_with_high_ordinals_are_found_extracted_and_compared(first: int) -> None:
    """By id, by ordinal, in an extract, and in the difference of two versions."""
    view = far_view(first)
    (block,) = view.blocks
    assert block.ordinals is not None
    ordinals = block.ordinals.astype(np.int64)
    assert view.known(block.ids.array).tolist() == ordinals.tolist()
    positions = view.positions(ordinals)
    assert positions.tolist() == list(range(block.rows))
    assert view.positions(np.array([0, first - 1, LAST + 1, LAST + 1 + first])).tolist() == [-1] * 4
    extract = view.extract(ordinals[1:3])
    assert extract.blocks[0].ids.array.to_pylist() == block.ids.array.to_pylist()[1:3]
    less = dataclasses.replace(
        view,
        blocks=(block.with_changes(live=block.live - BitMap([2])),),
        version=Version(1, 2),
    )
    found = changed(view, less)
    assert found is not None
    assert found.tolist() == [first + 2]
    (handed,) = batches.ordinals(Engine(view).members("everyone", CONTEXT), 0, view.block_rows)
    assert handed == bitmaps.from_sorted(ordinals)


def test_the_last_ordinal_is_given_and_none_after_it() -> None:
    """One more contact than bitmaps can hold is refused; those that are there may be written to."""
    view = dataclasses.replace(view_of(SHOP), created=LAST)
    ids = view.blocks[0].ids.array.to_pylist()
    made = committed(view, Changes((contacts(view.schema, {}, ["the last"], every=False),)), 2)
    assert made.known(pa.array(["the last"])).tolist() == [LAST]
    assert made.next_ordinal == LAST + 1
    one_more = Changes((contacts(view.schema, {}, [ids[0], "one more"], every=False),))
    with pytest.raises(UserError, match="at most 4,294,967,296 contacts") as refused:
        committed(made, one_more, 3)
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    known = Changes((contacts(view.schema, {}, [ids[0], "the last"], every=False),))
    assert committed(made, known, 3).next_ordinal == LAST + 1


@pytest.mark.parametrize("times", [2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1])
def test_more_events_than_32_bits_count(times: int) -> None:
    """Nobody did so many, everybody less; `at least n times` says how many it takes at most."""
    engine = Engine(view_of(SHOP))
    everyone = engine.size("everyone", CONTEXT)
    event = next(iter(SHOP.schema.events))
    for text, wanted in {
        f"count({event}) >= {times}": 0,
        f"count({event}) < {times}": everyone,
        f"not count({event}) = {times}": everyone,
        f"count({event}) between 0 and {times}": everyone,
    }.items():
        assert engine.size(text, CONTEXT) == wanted, text
    text = f"did {event} at least {times} times in last 30 days"
    if times < 1 << 31:
        assert engine.size(text, CONTEXT) == 0
    else:
        with pytest.raises(UserError, match="up to 2,147,483,647"):
            engine.size(text, CONTEXT)
