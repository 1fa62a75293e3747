"""
The oracle asked of the whole stack: loaded from files, kept on disk, embedded and served.

The worlds go the way a user's data goes (Parquet files, `load`, a data folder); the segments go as
text and as messages, to the embedded API and over a real channel. The engine alone is asked many
more in tests/query/test_oracle.py.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.embedded import Workspace
from headcount.load.loader import load
from headcount.query import tree
from headcount.query.engine import Engine
from headcount.query.format import format as canonical
from support.compare import Case, compare
from support.dice import Dice
from support.random_worlds import Scene
from support.serving import served
from support.strategies import random_case, random_place
from support.worlds import World, write_csv, write_ndjson, write_parquet

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WRITERS = (write_parquet, write_csv, write_ndjson)
PER_WORLD = 25


def a_place(seed: int) -> tuple[Dice, World, Scene]:
    """Return a world that files can hold, and what is needed to ask about it."""
    dice = Dice(seed)
    world, scene = random_place(dice, 40, loadable=True)
    return dice, world, scene


def loaded(world: World, folder: Path, seed: int) -> Path:
    """Load a world from files, in blocks of 2^4, and return the data folder."""
    files = WRITERS[seed % len(WRITERS)](world, folder)
    summary = load(
        folder / "data",
        schema=world.schema,
        contacts=files.contacts,
        events=files.events,
        lists=files.lists,
        rejects_path=folder / "rejects.csv",
        now=NOW,
        block_rows=16,
    )
    assert summary.refused == 0, (folder / "rejects.csv").read_text()
    assert summary.contacts_new == len(world.contacts)
    return folder / "data"


@pytest.mark.parametrize("seed", range(12))
def test_every_way_of_asking_has_the_oracles_members(seed: int, tmp_path: Path) -> None:
    """Embedded and over gRPC, as text and as a message, the members are the oracle's."""
    dice, world, scene = a_place(seed)
    workspace = Workspace.open(loaded(world, tmp_path, seed))
    with served(Engine(workspace.view)) as server, Client(server.address, timeout=60) as client:
        for _ in range(PER_WORLD):
            case: Case = random_case(dice, world, scene)
            at = {"as_of": case.as_of.astimezone(dt.UTC), "time_zone": case.zone}
            forms: tuple[str | tree.Segment, ...] = (canonical(case.segment), case.segment)
            for target in (workspace, client):
                for form in forms:
                    members = [i for batch in target.members(form, **at) for i in batch]
                    difference = compare(case, members)
                    assert difference is None, f"{canonical(case.segment)}\n{difference}"
                    assert target.count(form, **at) == len(members)
            assert client.count_many(forms, **at) == [len(members)] * 2


def test_the_comparison_can_fail(tmp_path: Path) -> None:
    """A contact left out of an answer is seen."""
    dice, world, scene = a_place(1)
    case = random_case(dice, world, scene)
    everyone = Case(case.world, tree.Everyone(), case.as_of, case.zone)
    workspace = Workspace.open(loaded(world, tmp_path, 1))
    members = [i for batch in workspace.members("everyone") for i in batch]
    assert compare(everyone, members) is None
    assert compare(everyone, members[1:]) is not None
