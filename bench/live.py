"""
What writing costs: events and contacts through gRPC, queries meanwhile, and coming back after it.

The server is a process of its own, its log synced, on the loopback; who writes while something else
is measured, and the 16 clients of single upserts, are in others (`bench.clients`). All share the
machine's cores. Events are of random contacts at the newest times, half of them opens; contacts are
drawn without regard to how active they are, which is the hardest case.

    record            one client, batches of 1,000 as messages, several under way
    record_arrow      one client, batches of 20,000 as Arrow
    upserts           16 clients, one contact at a time: the time to the acknowledgement, with about
                      a tenth of a second between two of one client, and without, in turns
    queries           five kinds in turn, one client: idle and while 20,000 events a second come in,
                      in turns, and while the server compacts without a pause
    recovery          the log read again when the server starts
"""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench import clients
from bench.clients import FIELDS, KINDS, contact_id, event, events_table
from bench.rpc import served
from headcount.client import Client

_SECONDS = 8.0  # of each measurement under load
_ROUNDS = 3  # in turns with what it is compared with: the machine itself is not always as fast
_BATCH, _ARROW_BATCH = 1_000, 20_000
_UNDER_WAY = 4
_CALM = 0.1  # seconds between the upserts of one client that is not in a hurry
_INGEST_PER_SECOND = 20_000
_QUERIES = (
    "plan = Pro and country in (US, DE, GB)",
    "total_spent > 100",
    "opened in last 30 days",
    "opened >= 3 emails in last 30 days and clicked in last 30 days",
    "did purchase and did not engaged in last 60 days",
)


def measure(folder: Path, contacts: int) -> dict[str, float]:
    """Return rates a second and times in seconds, of a copy of the data *folder*."""
    with tempfile.TemporaryDirectory(prefix="headcount-live-") as scratch:
        copy = Path(scratch) / "data"
        shutil.copytree(folder, copy)
        found: dict[str, float] = {}
        with served(copy, remember=True) as address:
            warm(address)
            idle, ingesting, ingested = list[float](), list[float](), list[float]()
            for _ in range(_ROUNDS):
                idle += _queries(address)
                with clients.ingesting(address, contacts, _INGEST_PER_SECOND, _BATCH) as end:
                    ingesting += _queries(address)
                    ingested.append(end())
            found |= _quantiles("query_idle", idle) | _quantiles("query_ingesting", ingesting)
            found["ingested_per_second"] = min(ingested)
            found["query_p99_ratio"] = found["query_ingesting_p99"] / found["query_idle_p99"]
            with _compacting(address):
                found |= _quantiles("query_compacting", _queries(address))
            calm, hurried = list[float](), list[float]()
            for _ in range(_ROUNDS):
                calm += clients.upserts(address, contacts, _SECONDS, _CALM)
                hurried += clients.upserts(address, contacts, _SECONDS, 0.0)
            found |= _upserted("upsert_calm", calm) | _upserted("upsert", hurried)
            found["record_per_second"] = _recorded(address, contacts)
            found["record_arrow_per_second"] = _recorded_arrow(address, contacts)
        started = time.perf_counter()
        with served(copy) as address, Client(address, timeout=60) as client:
            client.count("everyone")
            found["restart_seconds"] = time.perf_counter() - started
    return found


def warm(address: str) -> None:
    """Let what is made when it is first needed be made: owners of events, the ids' hashes."""
    with Client(address, timeout=60) as client:
        for kind in ("email_open", "email_click", "page_view", "purchase"):
            client.record([event(0, kind)])
        for number in range(20):  # enough for blocks to be joined, which reads everything
            client.upsert([{"id": contact_id(number), "fields": FIELDS}])
        for query in _QUERIES:
            client.count(query)


def _queries(address: str) -> list[float]:
    """Return how long queries took, one at a time for some seconds."""
    times: list[float] = []
    with Client(address, timeout=60) as client:
        end = time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            for query in _QUERIES:
                started = time.perf_counter()
                client.count(query)
                times.append(time.perf_counter() - started)
    return times


def _quantiles(name: str, times: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    return {
        f"{name}_median": statistics.median(times),
        f"{name}_p99": sorted(times)[int(len(times) * 0.99)],
    }


@contextmanager
def _compacting(address: str) -> Iterator[None]:
    """Let the server compact, over and over, until left."""
    stop = threading.Event()

    def run() -> None:
        with Client(address, timeout=600) as client:
            while not stop.is_set():
                client.upsert([{"id": contact_id(1), "fields": FIELDS}])
                client.compact()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join()


def _upserted(name: str, times: Sequence[float]) -> dict[str, float]:
    """Return upserts a second by 16 clients, and how long one took them, of all rounds."""
    return {f"{name}_per_second": len(times) / _SECONDS / _ROUNDS} | _quantiles(name, times)


def _recorded(address: str, contacts: int) -> float:
    """Return events a second through `Record`, from one client with a few calls under way."""
    dice = random.Random(2)
    batches = [
        [event(dice.randrange(contacts), dice.choice(KINDS)) for _ in range(_BATCH)]
        for _ in range(20)
    ]
    with Client(address, timeout=60) as client:
        return _rate(lambda n: client.record(batches[n % len(batches)]), _BATCH)


def _recorded_arrow(address: str, contacts: int) -> float:
    """Return events a second through `RecordArrow`, from one client with a few calls under way."""
    dice = random.Random(3)
    batches = [events_table(dice, contacts, _ARROW_BATCH) for _ in range(4)]
    with Client(address, timeout=60) as client:
        return _rate(lambda n: client.record_arrow(batches[n % len(batches)]), _ARROW_BATCH)


def _rate(call: Callable[[int], object], size: int) -> float:
    """Return things a second, *size* of them a call, some calls under way, for some seconds."""
    numbers: Iterator[int] = iter(range(10**9))
    end = time.perf_counter() + _SECONDS

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            call(next(numbers))
            done += size
        return done

    started = time.perf_counter()
    with ThreadPoolExecutor(_UNDER_WAY) as pool:
        done = sum(pool.map(work, range(_UNDER_WAY)))
    return done / (time.perf_counter() - started)
