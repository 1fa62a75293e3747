"""
Redis: a string of bits for each value of a field, BITOP and BITCOUNT. Its own server on a Unix
socket, without persistence. Redis works on one thread.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import redis

from bench.data import RivalFiles
from bench.questions import CITIES, ROWS, SETS, Question
from bench.rivals import Absent


class Redis:
    """A Redis of our own."""

    def __init__(self, files: RivalFiles) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise Absent("redis-server is not installed")
        self._folder = tempfile.TemporaryDirectory(prefix="headcount-redis-")
        socket = f"{self._folder.name}/redis"
        options = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no"]
        self._server = subprocess.Popen(
            [program, *options, "--dir", self._folder.name], stdout=subprocess.DEVNULL
        )
        self._client = redis.Redis(unix_socket_path=socket)
        self._wait()
        self.version = str(self._client.info("server")["redis_version"])
        source, start = pq.ParquetFile(files.contacts), 0
        for batch in source.iter_batches(batch_size=_BATCH, columns=list(ASKED)):
            for field in ASKED:
                self._load(field, batch.column(field), start)
            start += len(batch)

    def _wait(self) -> None:
        for _ in range(200):
            try:
                self._client.ping()
            except redis.ConnectionError:
                if self._server.poll() is not None:
                    break
                time.sleep(0.05)
            else:
                return
        self.close()
        raise Absent("redis-server did not start")

    def _load(self, field: str, column: pa.Array, start: int) -> None:
        """Write the bits of a batch that starts at row *start*, a multiple of eight."""
        assert start % 8 == 0
        size, rows = len(column), np.arange(len(column))
        if field in SETS:
            rows = np.repeat(rows, np.asarray(pc.list_value_length(column)))
            column = column.flatten()
        coded = column.dictionary_encode()
        codes = np.asarray(coded.indices.fill_null(-1))
        known = coded.dictionary.to_pylist()
        for value in ASKED[field]:
            held = np.zeros(size, np.bool_)
            if value in known:
                held[rows[codes == known.index(value)]] = True
            self._client.setrange(_key(field, value), start // 8, np.packbits(held).tobytes())

    def ask(self, question: Question) -> Callable[[], int] | None:
        """Return a call that sends the commands in one pipeline, if there are such commands."""
        if question.name not in SAID:
            return None
        *steps, counted = SAID[question.name]

        def call() -> int:
            with self._client.pipeline(transaction=False) as pipe:
                for operation, target, sources in steps:
                    pipe.bitop(operation, target, *sources)
                pipe.bitcount(counted)
                return int(pipe.execute()[-1])

        return call

    def close(self) -> None:
        """End the server and remove its folder."""
        self._client.close()
        self._server.terminate()
        self._server.wait(timeout=30)
        self._folder.cleanup()


# The values that a question asks for; bits of the others would only take memory.
ASKED = {
    **{field: list(values) for field, values in ROWS.items()},
    "plan": [*ROWS["plan"], "Enterprise"],
    "city": list(CITIES),
}
_BATCH = 1 << 20


def _key(field: str, value: str) -> str:
    return f"{field}:{value}"


def _union(target: str, field: str, values: Sequence[str]) -> tuple[str, str, list[str]]:
    return ("OR", target, [_key(field, value) for value in values])


# The newsletter and not VIP is what remains of either after taking VIP from their union.
SAID = {
    "one keyword": ["country:US"],
    "two keywords": [("AND", "t:both", ["country:US", "plan:Pro"]), "t:both"],
    "in of many": [_union("t:in", "city", CITIES), "t:in"],
    "label logic": [
        _union("t:wanted", "label", ("newsletter", "webinar-2026")),
        ("AND", "t:both", ["t:wanted", "label:vip"]),
        ("XOR", "t:rest", ["t:wanted", "t:both"]),
        "t:rest",
    ],
    "29 rows": [
        *(_union(f"t:{field}", field, values) for field, values in ROWS.items()),
        ("AND", "t:all", [f"t:{field}" for field in ROWS]),
        "t:all",
    ],
}
