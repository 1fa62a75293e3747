"""
Kill -9 of the real server under load: what was acknowledged is there, all of it, once.

HEADCOUNT_KILLS in the environment is how often; `make soak` has more of them.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headcount.cli.main import run
from headcount.client import Client
from headcount.storage.folder import workspace_folder
from support.killing import KeepingWriter, compacting
from support.live_server import make_folder
from support.nursery import Nursery, nursery
from support.writing import SCHEMA

CYCLES = int(os.environ.get("HEADCOUNT_KILLS", "40"))
WRITERS = 4


@pytest.fixture(scope="module")
def starts() -> Iterator[Nursery]:
    """Return what starts servers."""
    with nursery() as found:
        yield found


@dataclass
class Load:
    """Writers on a folder, whose server is killed again and again."""

    starts: Nursery
    folder: Path
    seed: int
    writers: list[KeepingWriter] = field(init=False)
    threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the writers."""
        self.writers = [
            KeepingWriter(f"w{at}", random.Random(f"{self.seed} {at}")) for at in range(WRITERS)
        ]

    def cycle(self, *, fault: str = "", compact: bool = False) -> list[str]:
        """Start, check what is there, write, kill; return what was wrong."""
        server = self.starts.serve(self.folder, fault=fault)
        acknowledged, wanted = threading.Semaphore(0), threading.Semaphore(0)
        try:
            with Client(server.address) as client:
                wrong = self.lost(client)
                if wrong:
                    return wrong
                for one in self.writers:
                    one.again(client)
            self.threads = [
                threading.Thread(target=one.run, args=(server.address, acknowledged))
                for one in self.writers
            ]
            if compact:
                thread = threading.Thread(target=compacting, args=(server.address, wanted))
                self.threads.append(thread)
            for thread in self.threads:
                thread.start()
            for number in range(self.writers[0].dice.randrange(8, 40)):
                if not acknowledged.acquire(timeout=20):
                    assert self.failures(), "nobody writes any more, and nothing says why"
                    break
                if number % 16 == 7:
                    wanted.release()
        finally:
            server.kill()
            wanted.release()
        return self.failures()

    def lost(self, client: Client) -> list[str]:
        """Return what is wrong with what the server holds, once all writers know that it died."""
        for thread in self.threads:
            thread.join()
        return [each for one in self.writers for each in one.lost(client)]

    def failures(self) -> list[str]:
        """Return what went wrong while they wrote."""
        return [each for one in self.writers for each in one.failures]


def test_no_kill_loses_what_was_acknowledged(
    tmp_path: Path, starts: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Forty times: four writers, most times compactions too, then kill -9.

    Every acknowledged request is there after the next start; the one of each writer that was not is
    there whole or not at all; sent again it counts once. In the end the server stops by itself, the
    folder is found whole, and holds what it held.
    """
    folder = make_folder(tmp_path / "data", SCHEMA)
    load = Load(starts, folder, 1)
    unfinished = 0
    for number in range(CYCLES):
        assert load.cycle(compact=number % 4 != 0) == [], f"cycle {number}"
        left = [path.name for path in workspace_folder(folder, "default").iterdir()]
        unfinished += sum(name.startswith("gen-") or name.endswith(".tmp") for name in left) > 1
    assert unfinished, "no kill hit a compaction"
    assert all(len(one.told) > CYCLES for one in load.writers)
    server = starts.serve(folder)
    with Client(server.address) as client:
        assert load.lost(client) == []
        for one in load.writers:
            one.again(client)
        assert load.lost(client) == load.failures() == []
        size = client.count("everyone")
    assert server.end() == 0
    assert run(["check", "--data", str(folder)]) == 0
    assert f"default: {size} contacts" in capsys.readouterr().out
    assert run(["count", "--data", str(folder), "everyone"]) == 0
    assert capsys.readouterr().out == f"{size}\n"


def test_a_server_that_acknowledges_early_is_found_out(tmp_path: Path, starts: Nursery) -> None:
    """Control: one that tells writers of a commit before it is in the log loses it, and is seen."""
    load = Load(starts, make_folder(tmp_path / "data", SCHEMA), 2)
    assert any(load.cycle(fault="acknowledge early") for _ in range(5))
