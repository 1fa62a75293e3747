"""
What gRPC costs: one call at a time, many in one call, and members streamed.

The server is a process of its own, `headcount serve`, on the loopback; the client is this process,
so both share the machine's cores as they would in a small deployment. What a unary call adds is its
time at the client less the time the server says it worked.
"""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations, product
from pathlib import Path
from typing import IO

from bench.questions import NOW, QUESTIONS
from headcount.client import Client

_UNARY_CALLS = 2000
_STREAMS = 5
_COUNTRIES = ("US", "DE", "GB", "FR", "CA", "IN", "ES", "IT", "NL", "BR")
_KEYWORD_FIELDS = {
    "country": _COUNTRIES,
    "plan": ("Free", "Basic", "Pro", "Enterprise"),
    "stage": ("Prospect", "Lead", "Trial", "Customer", "Loyal"),
}
_KEYWORD_AND_RANGE = [
    f"country = '{_COUNTRIES[n % 10]}' and total_spent > {n}" for n in range(1000)
]
_KEYWORDS = [
    f"{field} = '{value}' and {negated}{other} = '{second}'"
    for field, other in combinations(_KEYWORD_FIELDS, 2)
    for value, second in product(_KEYWORD_FIELDS[field], _KEYWORD_FIELDS[other])
    for negated in ("", "not ")
] * 5  # 1,100 queries, 220 different ones


@contextmanager
def served(folder: Path, *, remember: bool = False) -> Iterator[str]:
    """Serve *folder* on a free port, remembering results or not; yield the address."""
    command = [sys.executable, "-m", "headcount.cli.main", "serve", "--data", str(folder)]
    with tempfile.TemporaryFile("w+") as log:  # a pipe that nobody empties would stop the server
        memory = os.environ | {"HEADCOUNT__MEMORY__REMEMBER": str(remember).lower()}
        process = subprocess.Popen([*command, "--listen", "127.0.0.1:0"], stderr=log, env=memory)
        try:
            yield _address(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _address(process: subprocess.Popen[bytes], log: IO[str]) -> str:
    """Return the address from the first line that the server logs."""
    while process.poll() is None:
        log.seek(0)
        if found := re.search(r"127\.0\.0\.1:\d+", log.read()):
            return found[0]
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def measure(folder: Path) -> dict[str, float]:
    """Return medians in seconds, and rates in things a second."""
    with served(folder) as address, Client(address, timeout=60) as client:
        return {
            **_unary(client, "unary_simple", "country = US"),
            **_unary(client, "unary_six_conditions", QUESTIONS["six conditions"].ours),
            "count_many_per_second": _many(client, _KEYWORD_AND_RANGE),
            "count_many_keywords": _many(client, _KEYWORDS),
            "stream_ids_per_second": _stream(client),
        }


def _unary(client: Client, name: str, segment: str) -> dict[str, float]:
    taken, added = [], []
    for _ in range(_UNARY_CALLS):
        start = time.perf_counter()
        answer = client.answer(segment, as_of=NOW)
        taken.append(time.perf_counter() - start)
        added.append(taken[-1] - answer.info.elapsed)
    return {
        f"{name}_median": statistics.median(taken),
        f"{name}_p99": sorted(taken)[round(0.99 * len(taken))],
        f"{name}_added_median": statistics.median(added),
    }


def _many(client: Client, segments: Sequence[str]) -> float:
    """Return two-leaf counts a second, a thousand and more in a call."""
    client.count_many(segments, as_of=NOW)
    rounds = []
    for _ in range(_STREAMS):
        start = time.perf_counter()
        found = client.count_many(segments, as_of=NOW)
        rounds.append(time.perf_counter() - start)
        assert all(isinstance(count, int) for count in found)
    return len(segments) / statistics.median(rounds)


def _stream(client: Client) -> float:
    """Return ids a second of a stream of everyone, as strings in the client."""
    rounds, total = [], 0
    for _ in range(_STREAMS):
        start = time.perf_counter()
        total = sum(len(batch) for batch in client.members("everyone", as_of=NOW))
        rounds.append(time.perf_counter() - start)
    return total / statistics.median(rounds)
