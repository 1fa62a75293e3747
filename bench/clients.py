"""
Clients in processes of their own, so that they measure the server and not each other.

Threads of one process would wait for each other's Python: at 16 clients that alone is milliseconds.
Each process starts, connects, says that it is ready, and begins when it is told to.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import pyarrow as pa

from bench.questions import NOW
from headcount.client import Client

PROCESSES = 4
CLIENTS = 16  # threads, in as many processes
FIELDS = {"plan": "Pro", "lead_score": 7}
KINDS = ("email_open", "email_open", "email_click", "page_view")

_SPAWN = get_context("spawn")  # a fork would take the threads of gRPC along, dead
_ENOUGH = 60.0  # seconds for a call


def contact_id(contact: int) -> str:
    """Return the id of a contact of the synthetic data."""
    return f"c{contact:09}"


def event(contact: int, kind: str) -> dict[str, object]:
    """Return an event of one of the newest instants."""
    when = NOW - dt.timedelta(seconds=contact % 999)
    return {"contact": contact_id(contact), "type": kind, "time": when}


def events_table(dice: random.Random, contacts: int, size: int) -> pa.Table:
    """Return *size* such events of random contacts."""
    who = [dice.randrange(contacts) for _ in range(size)]
    times = [NOW - dt.timedelta(seconds=one % 999) for one in who]
    return pa.table(
        {
            "contact": pa.array(map(contact_id, who)),
            "type": pa.array([dice.choice(KINDS) for _ in who]),
            "time": pa.array(times, pa.timestamp("us", tz="UTC")),
        }
    )


def upserts(address: str, contacts: int, seconds: float, pause: float) -> list[float]:
    """
    Return how long each upsert of one contact took at its client, in seconds.

    Of 16 clients; each begins at a moment of its own, and lets about *pause* seconds (half to one
    and a half) go by from the start of one to the start of the next, or none.
    """
    share = CLIENTS // PROCESSES
    with _started(_upserting, address, contacts, seconds, pause, share) as begun:
        return [taken for found in begun() for taken in found]


@contextmanager
def ingesting(address: str, contacts: int, rate: int, batch: int) -> Iterator[Callable[[], float]]:
    """Record *rate* events a second, as Arrow in batches, until left; a call ends it: the rate."""
    here, there = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_ingesting, args=(there, address, contacts, rate, batch))
    process.start()
    here.recv()
    here.send("begin")

    def end() -> float:
        here.send("end")
        reached: float = here.recv()
        return reached

    yield end
    process.join()


@contextmanager
def _started(
    work: Callable[..., None], address: str, contacts: int, seconds: float, pause: float, share: int
) -> Iterator[Callable[[], list[list[float]]]]:
    """Start the processes; a call lets them begin together, and returns what they measured."""
    pipes, processes = [], []
    for number in range(PROCESSES):
        here, there = _SPAWN.Pipe()
        first = number * share
        args = (there, address, contacts, seconds, pause, first, first + share)
        processes.append(_SPAWN.Process(target=work, args=args))
        processes[-1].start()
        pipes.append(here)
    for pipe in pipes:
        pipe.recv()

    def begin() -> list[list[float]]:
        for pipe in pipes:
            pipe.send("begin")
        return [pipe.recv() for pipe in pipes]

    yield begin
    for process in processes:
        process.join()


def _upserting(
    pipe: Connection,
    address: str,
    contacts: int,
    seconds: float,
    pause: float,
    first: int,
    last: int,
) -> None:
    clients = {number: Client(address, timeout=_ENOUGH) for number in range(first, last)}
    for client in clients.values():
        client.get([contact_id(0)])
    pipe.send("ready")
    pipe.recv()
    end = time.perf_counter() + seconds

    def one(number: int) -> list[float]:
        dice, taken = random.Random(number), []
        due = time.perf_counter() + dice.uniform(0, pause)
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            contact = {"id": contact_id(dice.randrange(contacts)), "fields": FIELDS}
            started = time.perf_counter()
            clients[number].upsert([contact])
            taken.append(time.perf_counter() - started)
            due = max(due + pause * dice.uniform(0.5, 1.5), time.perf_counter())
        return taken

    with ThreadPoolExecutor(last - first) as pool:
        pipe.send([taken for found in pool.map(one, clients) for taken in found])


def _ingesting(pipe: Connection, address: str, contacts: int, rate: int, batch: int) -> None:
    dice = random.Random(1)
    batches = [events_table(dice, contacts, batch) for _ in range(50)]
    with Client(address, timeout=_ENOUGH) as client:
        client.get([contact_id(0)])
        pipe.send("ready")
        pipe.recv()
        started, recorded = time.perf_counter(), 0
        while not pipe.poll(max(0.0, recorded / rate - (time.perf_counter() - started))):
            client.record_arrow(batches[(recorded // batch) % len(batches)])
            recorded += batch
        pipe.recv()
        pipe.send(recorded / (time.perf_counter() - started))
