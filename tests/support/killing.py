"""
Writers that keep what a server acknowledged, and say what it must hold after it was killed.

Each writes to contacts of its own, one request after the other, so what must be there after a kill
is one of two states: that of all it was told of, or the same and the one request it was not told
of, whole.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from headcount.answers import WriteResult
from headcount.client import Client
from headcount.client.errors import ServerError, UnavailableError
from headcount.model.errors import HeadcountError

CONTACTS = 10  # of a writer
TIME = dt.datetime(2026, 5, 9, 12, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Held:
    """What is known of a contact: a value, labels, and how often it did `open`."""

    spent: float | None = None
    labels: frozenset[str] = frozenset()
    opens: int = 0


State = Mapping[str, Held]


@dataclass(frozen=True)
class Upsert:
    """Contacts made or changed, and what of all of them is new."""

    ids: tuple[str, ...]
    spent: float
    label: str

    def applied(self, state: State) -> State:
        """Return the state after it."""
        made = {one: state.get(one, Held()) for one in self.ids}
        return {
            **state,
            **{
                one: replace(held, spent=self.spent, labels=held.labels | {self.label})
                for one, held in made.items()
            },
        }

    def send(self, client: Client, request_id: str) -> WriteResult:
        """Send it."""
        found = [
            {"id": one, "fields": {"spent": self.spent}, "add_labels": [self.label]}
            for one in self.ids
        ]
        return client.upsert(found, request_id=request_id)


@dataclass(frozen=True)
class Record:
    """Events, without ids of their own: sent twice without a request id they would count twice."""

    ids: tuple[str, ...]

    def applied(self, state: State) -> State:
        """Return the state after it; contacts that are not there get nothing."""
        after = dict(state)
        for one in self.ids:
            if one in after:
                after[one] = replace(after[one], opens=after[one].opens + 1)
        return after

    def send(self, client: Client, request_id: str) -> WriteResult:
        """Send it."""
        return client.record(
            [{"contact": one, "type": "open", "time": TIME} for one in self.ids],
            request_id=request_id,
        )


@dataclass(frozen=True)
class Delete:
    """A contact deleted."""

    ids: tuple[str, ...]
    erase: bool

    def applied(self, state: State) -> State:
        """Return the state after it."""
        return {one: held for one, held in state.items() if one not in self.ids}

    def send(self, client: Client, request_id: str) -> WriteResult:
        """Send it."""
        return client.delete(self.ids, erase=self.erase, request_id=request_id)


Op = Upsert | Record | Delete


@dataclass
class KeepingWriter:
    """A writer, its contacts as far as it was told, and the request it was not told of."""

    name: str
    dice: random.Random
    state: State = field(default_factory=dict)
    waiting: tuple[Op, str] | None = None
    told: list[tuple[Op, str, WriteResult]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Return the ids of all contacts that it ever has."""
        return [f"{self.name}-{number}" for number in range(CONTACTS)]

    def run(self, address: str, acknowledged: threading.Semaphore) -> None:
        """Write until the server is gone; release *acknowledged* with every answer."""
        with Client(address) as client:
            while True:
                op, request_id = self._op(), f"{self.name}/{len(self.told)}"
                try:
                    found = op.send(client, request_id)
                except UnavailableError:
                    self.waiting = op, request_id
                    return
                except HeadcountError as error:
                    self.failures.append(f"{self.name}: {error!r}")
                    return
                self._note(op, request_id, found)
                acknowledged.release()

    def again(self, client: Client) -> None:
        """Send what was not answered once more, and some that was: all count once."""
        if self.waiting is not None:
            op, request_id = self.waiting
            self.waiting = None
            self._note(op, request_id, op.send(client, request_id))
        taken = [each for each in self.told if each[2].accepted]
        for op, request_id, before in self.dice.sample(taken, min(2, len(taken))):
            found = op.send(client, request_id)
            if not found.already or replace(found, already=before.already) != before:
                self.failures.append(f"{request_id} was answered {before}, then {found}")

    def lost(self, client: Client) -> list[str]:
        """Return what is wrong with what the server holds of this writer's contacts."""
        candidates = [self.state]
        if self.waiting is not None:
            candidates.append(self.waiting[0].applied(self.state))
        wrong = [_wrong(client, self.ids, one) for one in candidates]
        if not all(wrong):
            return []
        last = [op for op, _, _ in self.told[-4:]]
        return [f"{self.name}, at {len(self.told)}: {wrong}; last {last}, then {self.waiting}"]

    def _note(self, op: Op, request_id: str, found: WriteResult) -> None:
        self.state = op.applied(self.state)
        self.told.append((op, request_id, found))

    def _op(self) -> Op:
        dice = self.dice
        ids = tuple(dice.sample(self.ids, dice.randint(1, 4)))
        match dice.randrange(8):
            case 0:
                return Delete(ids[:2], erase=dice.random() < 0.5)
            case 1 | 2 | 3:
                return Record(ids)
            case _:
                return Upsert(ids, float(len(self.told)), f"{self.name} {dice.randrange(4)}")


def compacting(address: str, wanted: threading.Semaphore) -> None:
    """Compact whenever it is *wanted*, until the server is gone."""
    with Client(address) as client:
        while True:
            wanted.acquire()
            try:
                client.compact()
            except ServerError:
                return


def _wrong(client: Client, ids: list[str], expected: State) -> str:
    """Return how what a server holds of *ids* differs from a state; "" when it does not."""
    found = {one.id: one for one in client.get(ids, fields=["spent"]) if one is not None}
    if found.keys() != expected.keys():
        return f"expected {sorted(expected)}, found {sorted(found)}"
    for name, held in expected.items():
        seen = found[name].fields.get("spent"), frozenset(found[name].labels)
        if seen != (held.spent, held.labels):
            return f"{name}: expected {held}, found {seen}"
    queries = [f'id = "{name}" and did open {held.opens} times' for name, held in expected.items()]
    for query, count in zip(queries, client.count_many(queries), strict=True):
        if getattr(count, "count", count) != 1:
            return f"{query}: found {count}"
    return ""
