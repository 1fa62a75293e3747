"""
What watching costs: 1,000 watched segments while 5,000 events a second come in, through gRPC.

The segments are all different, of ten kinds: fields and labels, and how often, how long ago, in
which order and for how much something was done in a window. A part of the watches is read by
streams; of each transition by data it is measured how long after the commit that brought it a
client had it. Client and server share the machine's cores.
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa

from bench.rpc import served
from headcount.client import Client
from headcount.client.errors import ServerError
from headcount.model.errors import UserError
from headcount.segments.watch.transitions import Reason

_WATCHES = 1_000
_STREAMS = 16
_SECONDS = 15.0
_PER_SECOND = 5_000
_BATCH = 1_000
_KINDS = ("email_open", "email_click", "page_view", "purchase")
_COUNTRIES = ("US", "DE", "GB", "FR", "CA", "IN", "ES")
_PLANS = ("Free", "Basic", "Pro")
_PAGES = ("home", "pricing", "docs", "blog", "about")
_LABELS = ("newsletter", "vip", "beta")


def measure(folder: Path, contacts: int) -> dict[str, float]:
    """Return counts, and times in seconds, of a copy of the data *folder*."""
    with tempfile.TemporaryDirectory(prefix="headcount-watches-") as scratch:
        copy = Path(scratch) / "data"
        shutil.copytree(folder, copy)
        with served(copy, remember=True) as address:
            started = time.perf_counter()
            with Client(address, timeout=60) as client:
                for number in range(_WATCHES):
                    client.create_watch(f"w{number}", segment(number))
            found = {"create_seconds": (time.perf_counter() - started) / _WATCHES}
            found |= _latencies(address, contacts)
            print(found, file=sys.stderr)
            return found


def segment(number: int) -> str:
    """Return one of a thousand different segments, of ten kinds that people watch."""
    score, days, times = number % 97, 1 + number % 60, 1 + number % 3
    country, plan = _COUNTRIES[number % 7], _PLANS[number % 3]
    kind, other = _KINDS[number // 10 % 4], _KINDS[(number // 10 + 1) % 4]
    band = f"lead_score >= {score} and lead_score < {score + 2}"
    who = f'country = "{country}" and plan = {plan} and lead_score >= {score}'
    return (
        f"{band} and did {kind} at least {times} times in last {days} days",
        f"{who} and did {kind} in last {days} days and did not {other} in last {times} days",
        f"{who} and not did {kind} in last {days} days",
        f"{band} and sum(purchase.amount in last {days} days) > {50 + number % 400}",
        f"{band} and last(email_open) < {days} days ago and plan = {plan}",
        f"{band} and signed_up_at > {days + 300} days ago and did {kind}",
        f"{who} and did page_view where (page = {_PAGES[number % 5]}) in last {days} days",
        f'{who} and label contains "{_LABELS[number % 3]}" and did {kind} today',
        f"{band} and did email_open then did purchase within {times} days in last {days} days",
        f"{band} and count(email_open in last {days} days) > 2 * count(purchase in last 90 days)",
    )[number % 10]


def _latencies(address: str, contacts: int) -> dict[str, float]:
    late: list[float] = []
    stop = threading.Event()

    def read(number: int) -> None:
        try:
            with Client(address) as client:
                for told in client.watch(name=f"w{number}"):
                    now = dt.datetime.now(dt.UTC)
                    late.extend(
                        (now - one.at).total_seconds()
                        for one in told.transitions
                        if one.reason is Reason.DATA
                    )
                    if stop.is_set():
                        return
        except (ServerError, UserError):
            return

    places = range(0, _WATCHES, _WATCHES // _STREAMS)
    threads = [threading.Thread(target=read, args=(n,), daemon=True) for n in places]
    for thread in threads:
        thread.start()
    dice, recorded, started = random.Random(5), 0, time.perf_counter()
    with Client(address, timeout=60) as client:
        while time.perf_counter() - started < _SECONDS:
            client.record_arrow(_events(dice, contacts))
            recorded += _BATCH
            ahead = recorded / _PER_SECOND - (time.perf_counter() - started)
            time.sleep(max(ahead, 0))
    rate = recorded / (time.perf_counter() - started)
    time.sleep(5)
    stop.set()
    found = sorted(late)
    if not found:
        raise SystemExit("nothing was told")
    return {
        "events_per_second": rate,
        "told": float(len(found)),
        "late_median": found[len(found) // 2],
        "late_p99": found[int(len(found) * 0.99)],
        "late_most": found[-1],
    }


def _events(dice: random.Random, contacts: int) -> pa.Table:
    who = [dice.randrange(contacts) for _ in range(_BATCH)]
    now = dt.datetime.now(dt.UTC)
    return pa.table(
        {
            "contact": pa.array([f"c{one:09}" for one in who]),
            "type": pa.array([dice.choice(_KINDS) for _ in who]),
            "time": pa.array([now] * len(who), pa.timestamp("us", tz="UTC")),
        }
    )
