"""Kill -9 of a watched server: each stream goes on behind its token, without a gap, and is true."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headcount.client import Client
from headcount.client.errors import ServerError
from headcount.segments.watch.transitions import Kind, Settings
from support.killing import Delete, KeepingWriter, compacting
from support.live_server import make_folder
from support.nursery import Nursery, nursery
from support.writing import SCHEMA

CYCLES = 12
SEGMENTS = {
    "spender": "spent > 12 and did open at least 1 times",
    "quiet": "not did open",
    "poor": "spent < 30 and spent != 7",
}


@pytest.fixture(scope="module")
def starts() -> Iterator[Nursery]:
    """Return what starts servers."""
    with nursery() as found:
        yield found


@dataclass
class Follower:
    """Reads one watch from one server to the next, and keeps who is in by what it was told."""

    name: str
    token: str | None = None
    number: int = 0
    size: int = 0
    members: set[str] = field(default_factory=set)
    unnamed: Counter[Kind] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def run(self, address: str) -> None:
        """Read until the server is gone."""
        try:
            with Client(address) as client:
                self.read(client, None)
        except ServerError:
            return

    def read(self, client: Client, until: int | None) -> None:
        """Read up to a number, or without end."""
        for told in client.watch(name=self.name, token=self.token):
            for one in told.transitions:
                self.take(one.number, one.contact, one.kind)
            self.token = told.token
            if until is not None and self.number >= until:
                return

    def take(self, number: int, contact: str, kind: Kind) -> None:
        """Take in a transition; of an erased contact only that somebody came or went is known."""
        if number != self.number + 1:
            self.failures.append(f"{self.name}: {number} after {self.number}")
        self.number = number
        self.size += 1 if kind is Kind.ENTER else -1
        if not contact:
            self.unnamed[kind] += 1
            return
        if (contact in self.members) is (kind is Kind.ENTER):
            # What came between was of an erased contact, and a new one has its id.
            between = Kind.EXIT if kind is Kind.ENTER else Kind.ENTER
            self.unnamed[between] -= 1
            if self.unnamed[between] < 0:
                self.failures.append(f"{self.name}: {contact} {kind} twice, at {number}")
        if kind is Kind.ENTER:
            self.members.add(contact)
        else:
            self.members.discard(contact)


def test_streams_have_no_gap_over_kills(tmp_path: Path, starts: Nursery) -> None:
    """
    Twelve times: writers, readers and compactions, then kill -9; in the end all is as it was told.

    A contact that was deleted may be named to nobody who comes later, so a reader may hold it
    still; it must not hold anybody else who is not a member, and must hold all who are.
    """
    folder = make_folder(tmp_path / "data", SCHEMA)
    writers = [KeepingWriter(f"w{at}", random.Random(at)) for at in range(3)]
    followers = [Follower(name) for name in SEGMENTS]
    threads: list[threading.Thread] = []
    for cycle in range(CYCLES):
        server = starts.serve(folder)
        acknowledged, wanted = threading.Semaphore(0), threading.Semaphore(0)
        for thread in threads:
            thread.join()
        try:
            with Client(server.address) as client:
                if cycle == 0:
                    for name, segment in SEGMENTS.items():
                        client.create_watch(name, segment, settings=Settings(seed=True))
                for one in writers:
                    one.again(client)
            runs = [(one.run, (server.address, acknowledged)) for one in writers]
            threads = [threading.Thread(target=run, args=args) for run, args in runs]
            threads += [
                threading.Thread(target=one.run, args=(server.address,)) for one in followers
            ]
            threads.append(threading.Thread(target=compacting, args=(server.address, wanted)))
            for thread in threads:
                thread.start()
            for number in range(writers[0].dice.randrange(10, 60)):
                assert acknowledged.acquire(timeout=20)
                if number % 20 == 9:
                    wanted.release()
        finally:
            server.kill()
            wanted.release()
    for thread in threads:
        thread.join()
    server = starts.serve(folder)
    with Client(server.address) as client:
        for one in writers:
            one.again(client)
        told = (op for one in writers for op, _, _ in one.told)
        deleted = {id_ for op in told if isinstance(op, Delete) for id_ in op.ids}
        for follower in followers:
            # A watch made now has followed all that was written, and so has every other.
            client.create_watch(f"after {follower.name}", "everyone")
            watch = client.get_watch(follower.name)
            follower.read(client, watch.number)
            expected = {id_ for ids in client.members(SEGMENTS[follower.name]) for id_ in ids}
            assert watch.size == follower.size == len(expected), follower.name
            assert expected <= follower.members
            # Somebody else may have the id of a deleted contact by now, and not be a member.
            assert follower.members - expected <= deleted, follower.name
            assert follower.failures == []
            assert follower.number > 20
    assert server.end() == 0
