"""
A history: what many clients of one server saw, and whether one order of commits explains it.

Every write has a version in the end, since writers send theirs again until they are told. So the
writes in the order of their versions lead a naive model (dicts) from version to version, and each
reply, which names the version that it is of, must be what the model says there. Beside that, no
client ever sees an older version than before, nor than one that any client was told of before the
client asked. What commits hold is taken from the clients, nothing from the server's files.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headcount.answers import WriteResult
from headcount.client import Client
from headcount.client.errors import UnavailableError
from headcount.index.view import Version
from headcount.model.errors import HeadcountError, Reason, UserError
from support.killing import Delete, Held, Op, Record, State, Upsert

COMMON = tuple(f"common-{number}" for number in range(4))  # everybody records events of these
LABELS = ("l0", "l1", "l2", "l3")
_OUTAGE_SECONDS = 20.0

Predicate = Callable[[str, Held], bool]
SEGMENTS: Mapping[str, Predicate] = {
    "everyone": lambda _id, _held: True,
    "spent > 20": lambda _id, held: (held.spent or 0) > 20,
    "spent is empty": lambda _id, held: held.spent is None,
    'label contains "l1"': lambda _id, held: "l1" in held.labels,
    'label contains "l2" and did open at least 2 times': lambda _id, held: (
        "l2" in held.labels and held.opens >= 2
    ),
    "did open exactly 1 times or spent < 10": lambda _id, held: (
        held.opens == 1 or (held.spent is not None and held.spent < 10)
    ),
    "did open at least 5 times": lambda _id, held: held.opens >= 5,
    'id starts with "w1" and did not open': lambda name, held: (
        name.startswith("w1") and not held.opens
    ),
}


@dataclass(frozen=True)
class Wrote:
    """A write, what it was answered, and when (`perf_counter`)."""

    client: str
    op: Op
    result: WriteResult
    began: float
    ended: float


@dataclass(frozen=True)
class Saw:
    """A reply: the size of a segment, or its members."""

    client: str
    segment: str
    found: int | frozenset[str]
    version: Version
    began: float
    ended: float


@dataclass
class History:
    """What was seen; any thread may add to it."""

    wrote: list[Wrote] = field(default_factory=list)
    saw: list[Saw] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass
class Served:
    """Where the server is, while there is one, and until when clients go on."""

    address: str = ""
    up: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


@dataclass
class Actor:
    """A client that goes on after the server was killed, with what it has seen."""

    name: str
    served: Served
    history: History
    dice: random.Random

    def run(self) -> None:
        """Act until it is over."""
        seen: Version | None = None
        try:
            while not self._is_done:
                if not self.served.up.wait(_OUTAGE_SECONDS):
                    self.history.failures.append(f"{self.name}: no server")
                    return
                with Client(self.served.address) as client:
                    client._requests._seen = seen
                    try:
                        while not self._is_done:
                            self.act(client)
                    except UnavailableError:
                        self.served.over.wait(0.01)
                    finally:
                        seen = client.seen_version
        except HeadcountError as error:
            self.history.failures.append(f"{self.name}: {error!r}")

    @property
    def _is_done(self) -> bool:
        return self.served.over.is_set() and self.is_settled

    @property
    def is_settled(self) -> bool:
        """Return whether nothing is waited for."""
        return True

    def act(self, client: Client) -> None:
        """Do one thing."""
        raise NotImplementedError


@dataclass
class Writer(Actor):
    """Writes to its own contacts, records events of the common ones, and reads now and then."""

    written: int = 0
    waiting: tuple[Op, str] | None = None

    @property
    def is_settled(self) -> bool:
        """Return whether it was told of all it wrote."""
        return self.waiting is None

    def act(self, client: Client) -> None:
        """Write something, or what is not answered once more."""
        if self.waiting is None:
            self.waiting = self._op(), f"{self.name}/{self.written}"
            self.written += 1
        op, request_id = self.waiting
        began = time.perf_counter()
        try:
            result = op.send(client, request_id)
        except UserError as error:
            if error.reason is not Reason.OVERLOADED:
                raise
            return
        ended = time.perf_counter()
        self.waiting = None
        self.history.wrote.append(Wrote(self.name, op, result, began, ended))
        if self.dice.random() < 0.2:
            look(self, client)

    def _op(self) -> Op:
        dice = self.dice
        own = [f"{self.name}-{number}" for number in range(12)]
        ids = tuple(dice.sample(own, dice.randint(1, 4)))
        match dice.randrange(8):
            case 0:
                return Delete(ids[:2], erase=dice.random() < 0.5)
            case 1 | 2 | 3:
                return Record((*ids, dice.choice(COMMON)))
            case _:
                return Upsert(ids, float(dice.randrange(40)), dice.choice(LABELS))


class Reader(Actor):
    """Reads."""

    def act(self, client: Client) -> None:
        """Read something."""
        look(self, client)


def look(actor: Actor, client: Client) -> None:
    """Count a segment, or list its members, and keep what was found."""
    segment = actor.dice.choice(list(SEGMENTS))
    began = time.perf_counter()
    found: int | frozenset[str]
    if actor.dice.random() < 0.5:
        answer = client.answer(segment)
        found, version = answer.count, answer.info.version
    else:
        page = client.list_members(segment, page_size=1000)
        found, version = frozenset(one.id for one in page.contacts), page.info.version
    ended = time.perf_counter()
    actor.history.saw.append(Saw(actor.name, segment, found, version, began, ended))


def problems(history: History, start: Version) -> Iterator[str]:
    """Yield what no order of the commits after *start*, when nobody was there, can explain."""
    yield from history.failures
    states: dict[int, State] = {start.sequence: {}}
    yield from _replayed(history.wrote, start, states)
    for saw in history.saw:
        state = states.get(saw.version.sequence)
        if state is None or saw.version.epoch != start.epoch:
            yield f"{saw}: nobody was told of this version"
            continue
        expected = frozenset(n for n, held in state.items() if SEGMENTS[saw.segment](n, held))
        if saw.found != (len(expected) if isinstance(saw.found, int) else expected):
            yield f"{saw}: expected {len(expected)}, {sorted(expected)}"
    yield from _out_of_order(history)


def _replayed(wrote: Sequence[Wrote], start: Version, states: dict[int, State]) -> Iterator[str]:
    """Fill *states* by sequence; yield what is wrong with the answers to writes."""
    commits: dict[int, list[Wrote]] = defaultdict(list)
    for one in wrote:
        if one.result.accepted:
            commits[one.result.version.sequence].append(one)
    state, last = states[start.sequence], start.sequence
    for sequence in sorted(commits):
        if sequence != last + 1:
            yield f"of versions {last + 1} to {sequence - 1} nobody was told"
        # Who wrote to contacts of their own did so in the order in which they were answered.
        for one in sorted(commits[sequence], key=lambda one: one.began):
            taken = _taken(one.op, state)
            if taken != one.result.accepted:
                yield f"{one}: expected {taken} to be accepted"
            state = one.op.applied(state)
        states[sequence], last = state, sequence


def _taken(op: Op, state: State) -> int:
    return len(op.ids) if isinstance(op, Upsert) else sum(one in state for one in op.ids)


def _out_of_order(history: History) -> Iterator[str]:
    """Yield replies of versions older than what was known when they were asked for."""
    replies = [(one.began, one.ended, one.result.version, one) for one in history.wrote]
    replies += [(one.began, one.ended, one.version, one) for one in history.saw]
    told = sorted((ended, version) for _, ended, version, _ in replies)
    newest, place = Version(0, 0), 0
    for began, _, version, reply in sorted(replies, key=lambda each: each[0]):
        while place < len(told) and told[place][0] < began:
            newest, place = max(newest, told[place][1]), place + 1
        already = isinstance(reply, Wrote) and (reply.result.already or not reply.result.accepted)
        if version < newest and not already:
            yield f"{reply}: {newest} was known before"
