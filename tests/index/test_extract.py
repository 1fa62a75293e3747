"""Contacts taken out of a view: the same in every way, with their ordinals, whatever block."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pytest

from headcount.index.view import View
from support.small_workspace import COUNT, view

SOME = np.array([0, 3, 15, 16, 17, 33, 49])


def rows_of(held: View, ordinals: Iterable[int]) -> list[dict[str, object]]:
    """Return everything about contacts as Python has it, in the order of *ordinals*."""
    found = []
    for position in held.positions(np.array(list(ordinals))).tolist():
        block, row = held.at(position)
        at = np.array([row], dtype=np.uint32)
        names = ["id", *block.fields, *block.memberships]
        person: dict[str, object] = {name: block.column(name, at)[0].as_py() for name in names}
        for name in block.events:
            person[name] = sorted(map(repr, block.event_table(name, at).to_pylist()))
        found.append(person)
    return found


def test_everything_about_a_contact_comes_along() -> None:
    taken = view().extract(SOME)
    assert list(taken.check()) == []
    assert taken.live_count == len(SOME)
    assert rows_of(taken, SOME) == rows_of(view(), SOME)
    assert rows_of(view(), SOME)[1]["open"], "contact 3 has opened something"


def test_what_was_extracted_can_be_extracted_from() -> None:
    again = view().extract(SOME).extract(SOME[2:5])
    assert rows_of(again, SOME[2:5]) == rows_of(view(), SOME[2:5])


def test_ordinals_stay_and_positions_do_not() -> None:
    taken = view().extract(SOME)
    assert taken.ordinals(np.arange(len(SOME))).tolist() == SOME.tolist()
    assert taken.positions(SOME).tolist() == list(range(len(SOME)))
    assert taken.positions(np.array([1, 2, 50, 2**31])).tolist() == [-1] * 4
    assert taken.lookup(pa.array(["33", "1"])).tolist() == [5, -1]
    assert view().positions(np.arange(COUNT + 1)).tolist() == [*range(COUNT), -1]


@pytest.mark.parametrize("order", [[3, 0, 2, 1], [0, 1, 2, 3]])
def test_what_is_gathered_comes_in_the_order_asked_for(order: list[int]) -> None:
    positions = SOME[:4][order]
    columns, tables = view().gather(positions)
    assert columns["id"].to_pylist() == [str(n) for n in positions]
    opens = tables["open"].to_pylist()
    assert sorted((one["row"], one["id"]) for one in opens) == sorted(
        (row, f"open-{n}") for row, n in enumerate(positions.tolist())
    )


def test_nobody_is_a_view_too() -> None:
    nobody = view().extract(np.array([], dtype=np.int64))
    assert nobody.live_count == 0
    assert list(nobody.check()) == []
