"""
Many clients, one server, kills: one order of commits explains all that anybody saw.

HEADCOUNT_HISTORY_SECONDS in the environment makes it longer; `make soak` does.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.index.view import Version
from headcount.model.errors import HeadcountError
from support.history import (
    COMMON,
    LABELS,
    WATCHED,
    Actor,
    History,
    Reader,
    Served,
    Watcher,
    Writer,
    Wrote,
    finish,
    problems,
)  # fmt: skip
from support.killing import Upsert
from support.live_server import make_folder
from support.nursery import Nursery, nursery
from support.writing import SCHEMA

SECONDS = float(os.environ.get("HEADCOUNT_HISTORY_SECONDS", "15"))
START = Version(7, 1)  # of an empty workspace


@pytest.fixture(scope="module")
def starts() -> Iterator[Nursery]:
    """Return what starts servers."""
    with nursery() as found:
        yield found


def recorded(
    starts: Nursery,
    folder: Path,
    seconds: float,
    *,
    writers: int,
    readers: int,
    watchers: Sequence[str] = (),
    fault: str = "",
) -> History:
    """Return what clients saw of a server that is killed about every second and a half."""
    history, served, dice = History(), Served(), random.Random(3)
    actors: list[Actor] = [
        kind(f"{letter}{number}", served, history, random.Random(f"{letter} {number}"))
        for kind, letter, count in ((Writer, "w", writers), (Reader, "r", readers))
        for number in range(count)
    ]
    watching = [
        Watcher(
            f"k{at}", served, history, random.Random(at), segment, f"watch {at}" if at % 2 else None
        )
        for at, segment in enumerate(watchers)
    ]
    threads = [threading.Thread(target=actor.run) for actor in actors]
    followers = [threading.Thread(target=actor.run) for actor in watching]
    timer = threading.Timer(seconds, served.over.set)
    server = starts.serve(folder, fault=fault)
    with Client(server.address) as client:
        for label in LABELS:  # a segment that names a label which nobody ever had is refused
            first = Upsert(COMMON, 0.0, label)
            history.wrote.append(Wrote("first", first, first.send(client, label), 0, 0))
        for one in watching:
            if one.saved_as is not None:
                client.create_watch(one.saved_as, one.segment)
    served.address = server.address
    served.up.set()
    for thread in followers:
        thread.start()
    for one in watching:
        assert one.opened.wait(20), history.failures
    for thread in (*threads, timer):
        thread.start()
    while True:
        served.address = server.address
        served.up.set()
        with Client(server.address) as client:
            if served.over.wait(dice.uniform(0.3, 0.8)):
                break
            try:
                if not fault:  # which would keep what is not in the log yet
                    client.compact()
            except HeadcountError as error:
                history.failures.append(repr(error))
            if served.over.wait(dice.uniform(0, 0.7)):
                break
        served.up.clear()
        server.kill()
        try:
            server = starts.serve(folder, fault=fault)
        except AssertionError as error:
            history.failures.append(str(error))
            served.over.set()
            break
    for thread in threads:
        thread.join()
    if watching and not history.failures:
        with Client(server.address) as client:
            finish(client, history)
    for thread in followers:
        thread.join()
    server.kill()
    return history


def test_one_order_of_commits_explains_what_everybody_saw(tmp_path: Path, starts: Nursery) -> None:
    """
    Eight writers, eight readers and four watchers, for some time, with kills and compactions.

    Every reply is what a naive model says at its version; every version was told to somebody; no
    client sees a version older than one that anybody was told of before it asked. Every watch was
    told of each difference between two versions, once.
    """
    folder = make_folder(tmp_path / "data", SCHEMA)
    history = recorded(starts, folder, SECONDS, writers=8, readers=8, watchers=WATCHED)
    assert list(islice(problems(history, START), 5)) == []
    assert len(history.wrote) > 2 * SECONDS
    assert len(history.saw) > 2 * SECONDS
    assert all(one.told for one in history.watched)
    assert sum(len(one.told) for one in history.watched) > 2 * SECONDS


@pytest.mark.parametrize("fault", ["answer wrong", "acknowledge early"])
def test_a_history_of_a_faulty_server_is_not_explained(
    tmp_path: Path, starts: Nursery, fault: str
) -> None:
    """
    Control: a count that is one too many at times, and a commit that is lost, are seen.

    A kill may find nothing held back, and a busy machine kills once or twice in four seconds: so
    another history is taken where one has nothing to see.
    """
    found: list[object] = []
    for attempt in range(4):
        folder = make_folder(tmp_path / f"data {attempt}", SCHEMA)
        history = recorded(starts, folder, 4, writers=3, readers=3, fault=fault)
        if fault == "answer wrong":
            assert history.failures == []
        found += problems(history, START)
        if found:
            break
    assert found


def test_a_history_with_a_write_missing_is_not_explained(tmp_path: Path, starts: Nursery) -> None:
    """Control: a write or a transition that is missing is missed, and one that is told twice."""
    folder = make_folder(tmp_path / "data", SCHEMA)
    history = recorded(starts, folder, 1, writers=2, readers=2, watchers=WATCHED[:1])
    assert list(islice(problems(history, START), 5)) == []
    (watched,) = history.watched
    for wrong in (watched.told[:5] + watched.told[6:], [*watched.told[:5], *watched.told[4:]]):
        planted = replace(history, watched=[replace(watched, told=wrong)])
        assert list(problems(planted, START))
    del history.wrote[len(history.wrote) // 2]
    assert list(problems(history, START))
