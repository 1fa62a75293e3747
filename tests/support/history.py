"""
A history: what many clients of one server saw, and whether one order of commits explains it.

Every write has a version in the end, since writers send theirs again until they are told. So the
writes in the order of their versions lead a naive model (dicts) from version to version, and each
reply, which names the version that it is of, must be what the model says there. Beside that, no
client ever sees an older version than before, nor than one that any client was told of before the
client asked. What commits hold is taken from the clients, nothing from the server's files.

A watch is told who enters and leaves: numbered without a gap, none twice, whatever breaks between;
and what it was told makes of its members what the model says at every version.
"""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headcount.answers import WriteResult
from headcount.answers_watch import Transition
from headcount.client import Client
from headcount.client.errors import UnavailableError
from headcount.index.view import Version
from headcount.model.errors import HeadcountError, Reason, UserError
from headcount.segments.watch.transitions import Kind
from support.killing import Delete, Held, Op, Record, State, Upsert

COMMON = tuple(f"common-{number}" for number in range(4))  # everybody records events of these
WATCHED = ("everyone", "spent > 20", 'label contains "l1"', "did open at least 5 times")
LAST = "last"  # who enters all that is watched when everything is over
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
class Watched:
    """What a watch of a segment was told, since it held what the model holds at `start`."""

    segment: str
    start: Version
    number: int
    told: list[Transition] = field(default_factory=list)


@dataclass
class History:
    """What was seen; any thread may add to it."""

    wrote: list[Wrote] = field(default_factory=list)
    saw: list[Saw] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)
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
                return Delete(ids[:2], erase=False)  # erased, a watch would not say who it was
            case 1 | 2 | 3:
                return Record((*ids, dice.choice(COMMON)))
            case _:
                return Upsert(ids, float(dice.randrange(40)), dice.choice(LABELS))


class Reader(Actor):
    """Reads."""

    def act(self, client: Client) -> None:
        """Read something."""
        look(self, client)


@dataclass
class Watcher(Actor):
    """Reads the stream of a watch until it tells of `LAST`, from where it was when it broke."""

    segment: str
    saved_as: str | None  # its name; None for one that is made by its first stream
    watched: Watched | None = None
    token: str | None = None

    @property
    def is_settled(self) -> bool:
        """Return whether it was told of the end."""
        told = () if self.watched is None else self.watched.told
        return any(one.contact == LAST for one in told)

    def act(self, client: Client) -> None:
        """Read on; a stream that goes on after the end has nothing to say any more."""
        try:
            self._read(client)
        except UserError as error:
            if error.reason is not Reason.DEADLINE_EXCEEDED or self.served.over.is_set():
                raise

    def _read(self, client: Client) -> None:
        query = self.segment if self.saved_as is None else None
        for told in client.watch(query, name=self.saved_as, token=self.token, timeout=60):
            self.token = told.token
            if self.watched is None:
                number = 0 if not told.transitions else told.transitions[0].number - 1
                self.watched = Watched(self.segment, told.version, number)
                self.history.watched.append(self.watched)
                self.opened.set()
            self.watched.told.extend(told.transitions)
            if self.is_settled:
                return

    def __post_init__(self) -> None:
        """Note that nothing was read yet."""
        self.opened = threading.Event()


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


def finish(client: Client, history: History) -> None:
    """Write what makes `LAST` a member of every segment that is watched."""
    for number, op in enumerate((Upsert((LAST,), 30.0, "l1"), *[Record((LAST,))] * 5)):
        result = op.send(client, f"last/{number}")
        history.wrote.append(Wrote("last", op, result, *[time.perf_counter()] * 2))


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
    for watched in history.watched:
        yield from _mistold(watched, states)


def _mistold(watched: Watched, states: Mapping[int, State]) -> Iterator[str]:
    """Yield where the members of a watch are not those of the model."""
    what = f"watch of {watched.segment}"
    steps: dict[int, list[Transition]] = defaultdict(list)
    for number, one in enumerate(watched.told, watched.number + 1):
        if one.number != number:
            yield f"{what}: {one}, expected number {number}"
            return
        steps[one.version.sequence].append(one)
    if sorted(steps) != list(steps):
        yield f"{what}: versions {list(steps)} do not rise"
    last = watched.told[-1].version.sequence if watched.told else watched.start.sequence
    members: set[str] = set()
    for sequence, state in states.items():
        expected = {n for n, held in state.items() if SEGMENTS[watched.segment](n, held)}
        if sequence <= watched.start.sequence:
            members = expected
            continue
        if sequence > last:
            break
        for one in steps.pop(sequence, ()):
            if (one.contact in members) == (one.kind is Kind.ENTER):
                yield f"{what}: {one}, and its members were {sorted(members)}"
            (members.add if one.kind is Kind.ENTER else members.discard)(one.contact)
        if members != expected:
            yield f"{what}: at {sequence} expected {sorted(expected)}, told of {sorted(members)}"
            return
    if steps:
        yield f"{what}: {steps}, and nobody was told of these versions"


def _replayed(wrote: Sequence[Wrote], start: Version, states: dict[int, State]) -> Iterator[str]:
    """Fill *states* by sequence; yield what is wrong with the answers to writes."""
    commits: dict[int, list[Wrote]] = defaultdict(list)
    for one in wrote:
        if one.result.accepted or one.result.refused_count:
            commits[one.result.version.sequence].append(one)
    state, last = states[start.sequence], start.sequence
    for sequence in sorted(commits):
        if sequence != last + 1:
            yield f"of versions {last + 1} to {sequence - 1} nobody was told"
        new = [one for one in commits[sequence] if not one.result.already]
        if new and max(one.began for one in new) > min(one.ended for one in new):
            yield f"version {sequence} was told of before another write of it began: {new}"
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
