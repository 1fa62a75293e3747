"""The difference of two versions: who changed is in it, and what cannot be told is said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from headcount.embedded import Workspace
from headcount.index.difference import changed
from headcount.index.view import Version, View
from support.engines import view_of
from support.live_server import make_folder
from support.shop import SHOP
from support.writing import SCHEMA


def ids_of(view: View, ordinals: np.ndarray[tuple[int], np.dtype[np.int64]]) -> set[str]:
    """Return the ids of contacts by ordinal."""
    return set(view.extract(ordinals).blocks[0].ids.array.to_pylist())


def test_who_changed_is_in_the_difference(tmp_path: Path) -> None:
    """Changed, new, deleted contacts and owners of events, and nobody of an untouched base."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    with Workspace.open(folder) as workspace:
        contacts = [{"id": f"c{n}", "fields": {"country": "DE"}} for n in range(300)]
        workspace.upsert(contacts)
        workspace.compact()
        first = workspace.view
        assert changed(first, first) is not None
        workspace.patch([{"id": "c7", "fields": {"country": "FR"}}])
        second = workspace.view
        found = changed(first, second)
        assert found is not None
        assert ids_of(first, found) == ids_of(second, found) == {"c7"}
        workspace.upsert([{"id": "new", "fields": {"country": "FR"}}])
        workspace.delete(["c9"])
        third = workspace.view
        found = changed(first, third)
        assert found is not None
        assert ids_of(first, found) == {"c7", "c9"}
        assert ids_of(third, found) == {"c7", "new"}
        backwards = changed(third, first)
        assert backwards is not None
        assert backwards.tolist() == found.tolist()
        workspace.compact()
        assert changed(third, workspace.view) is None


def test_what_cannot_be_told() -> None:
    """Another schema, epoch, or floor of events; another base."""
    view = view_of(SHOP, 2)
    assert changed(view, view_of(SHOP, 2)) is None
    for other in (
        dataclasses.replace(view, version=Version(2, 1)),
        dataclasses.replace(view, expired={"open": 5}),
        dataclasses.replace(view, schema=dataclasses.replace(view.schema)),
    ):
        assert changed(view, other) is None
    same = changed(view, dataclasses.replace(view, version=Version(1, 2)))
    assert same is not None
    assert not len(same)
