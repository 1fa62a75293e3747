"""
How fast the ids of a million members come through gRPC, in each format: client and server on one
machine, everyone streamed.

The ids of this workspace are numbers, because only those can be sent as integers; it has one field.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.rpc import served
from headcount.cli.main import run
from headcount.client import Client

CONTACTS = 1_000_000
_ROUNDS = 11
_SCHEMA = 'id = "id"\ntime_zone = "UTC"\n[fields]\nplan = "keyword"\n'


def measure() -> dict[str, float]:
    """Return the median seconds of streaming a million ids, by format."""
    with tempfile.TemporaryDirectory(prefix="headcount-streams-") as scratch:
        folder = _loaded(Path(scratch))
        with served(folder) as address, Client(address, timeout=60) as client:
            return {
                "integers": _median(lambda: client.member_integers("everyone")),
                "ordinals": _median(lambda: client.member_ordinals("everyone")),
                "arrow": _median(lambda: client.member_batches("everyone")),
                "strings": _median(lambda: client.members("everyone")),
            }


def _loaded(scratch: Path) -> Path:
    ids = pa.array(range(10**9, 10**9 + CONTACTS)).cast(pa.string())
    plans = pa.array(["Free", "Pro"]).take(pa.array([n % 2 for n in range(CONTACTS)]))
    pq.write_table(pa.table({"id": ids, "plan": plans}), scratch / "contacts.parquet")
    (scratch / "schema.toml").write_text(_SCHEMA)
    command = ["load", "--data", str(scratch / "data"), "--schema", str(scratch / "schema.toml")]
    if run([*command, "--contacts", str(scratch / "contacts.parquet")]):
        raise SystemExit("the contacts could not be loaded")
    return scratch / "data"


def _median(stream: Callable[[], Iterable[object]]) -> float:
    taken = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        for _ in stream():
            pass
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


def table(found: dict[str, float]) -> list[str]:
    """Return the figures as lines of Markdown."""
    names = {
        "integers": "as unsigned integers",
        "ordinals": "as roaring bitmaps of ordinals",
        "arrow": "as Arrow",
        "strings": "as lists of strings in Python",
    }
    rows = (f"| {name} | {found[key] * 1e3:.1f} ms |" for key, name in names.items())
    return ["| a million ids streamed to the client: median | |", "|---|---:|", *rows, ""]
