"""
How much one server takes: single counts from several clients at once, and many in one call.

Clients are two processes of four threads each, so that the interpreter of one does not hold them
back; they share the two cores with the server. So beside what came through stands what came through
for a second of the *server's* processor time (user and system), which is what a core of its own
would give it at most.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench.rpc import _KEYWORDS, served
from headcount.client import Client

_SECONDS = 4.0
_CALLS = 100
_CLIENTS, _THREADS = 2, 4
_TICKS = os.sysconf("SC_CLK_TCK")
_CLIENT = """
import sys, threading, time
from headcount.client import Client
address, seconds, threads = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
calls = []
def ask(number):
    countries = ("US", "DE", "GB", "FR", "CA", "IN", "ES")
    with Client(address, timeout=60) as client:
        client.count("everyone")
        ready.wait()
        end, made = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            country = countries[(made + number) % len(countries)]
            client.count(f"country = '{country}' and plan = Pro")
            made += 1
    calls.append(made)
ready = threading.Barrier(threads)
workers = [threading.Thread(target=ask, args=(n,)) for n in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
assert len(calls) == threads, "a client failed"
print(sum(calls))
"""


def measure(folder: Path) -> dict[str, float]:
    """Return calls and counts a second, and for each second of the server's processor."""
    with served(folder) as address:
        (server,) = _children()
        calls, seconds, used = _timed(server, lambda: _unary(address))
        with Client(address, timeout=60) as client:
            _many(client)  # what is asked thousands of times gets indexes of its own
            counts, many_seconds, many_used = _timed(server, lambda: _many(client))
    return {
        "unary_per_second": calls / min(seconds, _SECONDS),
        "unary_per_server_second": calls / used,
        "count_many_per_second": counts / many_seconds,
        "count_many_per_server_second": counts / many_used,
    }


def _many(client: Client) -> int:
    return sum(len(client.count_many(_KEYWORDS)) for _ in range(_CALLS))


def _unary(address: str) -> int:
    command = [sys.executable, "-c", _CLIENT, address, str(_SECONDS), str(_THREADS)]
    clients = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(_CLIENTS)
    ]
    return sum(int(client.communicate()[0]) for client in clients)


def _timed(server: int, work: Callable[[], int]) -> tuple[int, float, float]:
    """Return what *work* did, the seconds it took, and those of the server's processor."""
    before, started = _used(server), time.perf_counter()
    done = work()
    return done, time.perf_counter() - started, _used(server) - before


def _children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def _used(process: int) -> float:
    """Return the seconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def table(found: dict[str, float]) -> list[str]:
    """Return the figures as lines of Markdown."""
    return [
        "| one server, two keywords each | a second | a second of the server's processor |",
        "|---|---:|---:|",
        f"| `Count`, 8 clients | {found['unary_per_second']:,.0f} |"
        f" {found['unary_per_server_second']:,.0f} |",
        f"| `CountMany`, 1,100 a call | {found['count_many_per_second']:,.0f} |"
        f" {found['count_many_per_server_second']:,.0f} |",
        "",
    ]
