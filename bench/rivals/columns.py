"""
Numpy: plain columns, codes of one byte for keywords, booleans for each label, events of a type in
the order of time, which nothing makes use of. No index, one thread: the floor of "no index".
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.data import RivalFiles
from bench.questions import CITIES, NOW, PAST, ROWS, SETS, SPENT, Question, ago
from bench.rivals import KEYWORDS

Mask = npt.NDArray[np.bool_]
Column = npt.NDArray[Any]
_MISSING = 255
_DAY = 86_400


class Numpy:
    """Numpy arrays, one a column."""

    version = np.__version__

    def __init__(self, files: RivalFiles) -> None:
        self.columns: dict[str, Column] = {}
        self.codes: dict[str, list[str]] = {}
        source = pq.ParquetFile(files.contacts)
        self.size = source.metadata.num_rows
        for name in source.schema_arrow.names:
            if name == "email":
                self.columns[name] = self._texts(source, name)
            elif name in SETS:
                self._read_set(pq.read_table(files.contacts, columns=[name])[name], name)
            elif name != "number":
                self._read(pq.read_table(files.contacts, columns=[name])[name], name)
        for kind, path in files.events.items():
            self._read_events(kind, path)

    def _texts(self, source: pq.ParquetFile, name: str) -> Column:
        texts, start = np.empty(self.size, np.dtypes.StringDType()), 0
        for batch in source.iter_batches(columns=[name]):
            texts[start : start + len(batch)] = batch.column(0).to_pylist()
            start += len(batch)
        return texts

    def _read_set(self, values: pa.ChunkedArray, name: str) -> None:
        lists = values.combine_chunks()
        rows = np.repeat(np.arange(self.size), np.asarray(pc.list_value_length(lists)))
        flat = lists.flatten().dictionary_encode()
        codes = np.asarray(flat.indices)
        for code, value in enumerate(flat.dictionary.to_pylist()):
            held = np.zeros(self.size, np.bool_)
            held[rows[codes == code]] = True
            self.columns[f"{name}.{value}"] = held

    def _read(self, values: pa.ChunkedArray, name: str) -> None:
        if name in (*KEYWORDS, "purchase.category", "product_view.category", "email_open.campaign"):
            coded = values.combine_chunks().dictionary_encode()
            self.codes[name] = coded.dictionary.to_pylist()
            self.columns[name] = np.asarray(coded.indices.fill_null(_MISSING)).astype(np.uint8)
        elif pa.types.is_timestamp(values.type):
            seconds = pc.divide(values.cast(pa.int64()), 1_000_000)
            self.columns[name] = np.asarray(seconds).astype(np.int32)
        elif pa.types.is_date(values.type):
            days = values.cast(pa.int32()).fill_null(np.iinfo(np.int32).max)
            self.columns[name] = np.asarray(days)
        elif pa.types.is_boolean(values.type):
            self.columns[name] = np.asarray(values.fill_null(False))
        elif pa.types.is_floating(values.type) or values.null_count:
            self.columns[name] = np.asarray(values.cast(pa.float64()).fill_null(np.nan))
        else:
            self.columns[name] = np.asarray(values)

    def _read_events(self, kind: str, path: Path) -> None:
        for name in pq.ParquetFile(path).schema_arrow.names:
            self._read(pq.read_table(path, columns=[name])[name], f"{kind}.{name}")

    def ask(self, question: Question) -> Callable[[], int] | None:
        """Return a call that works on the columns."""
        said = SAID.get(question.name)
        return said and (lambda: int(said(self)))

    def close(self) -> None:
        """Let go of the columns."""
        self.columns = {}

    def code(self, field: str, value: str) -> int:
        """Return the byte that stands for *value*."""
        return self.codes[field].index(value) if value in self.codes[field] else _MISSING - 1

    def equal(self, field: str, value: str) -> Mask:
        """Return the mask of one keyword."""
        return self.columns[field] == np.uint8(self.code(field, value))

    def any(self, field: str, values: Sequence[str]) -> Mask:
        """Return the mask of those with one of *values*: a table of 256 booleans, or booleans."""
        if field in SETS:
            return np.logical_or.reduce([self.columns[f"{field}.{value}"] for value in values])
        chosen = np.zeros(256, np.bool_)
        chosen[[self.code(field, value) for value in values]] = True
        return chosen[self.columns[field]]

    def between(self, field: str, low: float, high: float) -> Mask:
        """Return the mask of low <= value <= high."""
        column = self.columns[field]
        return (column >= column.dtype.type(low)) & (column <= column.dtype.type(high))

    def within(self, field: str, low: dt.datetime, high: dt.datetime = NOW) -> Mask:
        """Return the mask of low < instant <= high."""
        column = self.columns[field]
        return (column > np.int32(low.timestamp())) & (column <= np.int32(high.timestamp()))

    def tally(self, kind: str, chosen: Mask) -> npt.NDArray[np.int64]:
        """Return how many of the chosen events each contact has."""
        return np.bincount(self.columns[f"{kind}.contact"][chosen], minlength=self.size)


def _six(n: Numpy) -> int:
    return np.count_nonzero(
        (n.any("country", ("US", "DE", "GB")) | n.any("plan", ("Pro", "Enterprise")))
        & n.between("total_spent", 50, 500)
        & n.columns["label.newsletter"]
        & n.within("signed_up_at", ago(365))
        & ~n.columns["vip"]
    )


def _birthday(n: Numpy) -> int:
    epoch = dt.date(1970, 1, 1)
    low, high = dt.date(1980, 1, 1) - epoch, dt.date(1989, 12, 31) - epoch
    return np.count_nonzero(n.between("birthday", low.days, high.days))


def _calculated(n: Numpy) -> int:
    spent, score = n.columns["total_spent"], n.columns["lead_score"]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.count_nonzero((spent / score > 5) & (score != 0))


def _at_least(least: int, low: dt.datetime, high: dt.datetime = NOW) -> Callable[[Numpy], int]:
    return lambda n: np.count_nonzero(
        n.tally("email_open", n.within("email_open.time", low, high)) >= least
    )


def _properties(n: Numpy) -> int:
    chosen = n.within("purchase.time", ago(365)) & n.equal("purchase.category", "Books")
    return np.count_nonzero(n.tally("purchase", chosen & (n.columns["purchase.amount"] > 20)))


def _spent(n: Numpy) -> int:
    chosen = n.within("purchase.time", ago(90))
    amounts = n.columns["purchase.amount"][chosen]
    sums = np.bincount(n.columns["purchase.contact"][chosen], amounts, minlength=n.size)
    return np.count_nonzero(sums > SPENT)


def _sequence(n: Numpy) -> int:
    """Return how many have, of some view, the first purchase after it within a week."""
    bought = np.sort(_keys(n, "purchase", n.columns["purchase.time"] <= NOW.timestamp()))
    viewed = _keys(n, "product_view", n.columns["product_view.time"] <= NOW.timestamp())
    place = np.searchsorted(bought, viewed, side="right")
    found = place < len(bought)
    later, viewed = bought[place[found]], viewed[found]
    return len(np.unique(viewed[later - viewed <= 7 * _DAY] >> 32))


def _keys(n: Numpy, kind: str, chosen: Mask) -> npt.NDArray[np.int64]:
    contact = n.columns[f"{kind}.contact"][chosen].astype(np.int64)
    return (contact << 32) | n.columns[f"{kind}.time"][chosen]


def _segments(n: Numpy) -> int:
    good = (n.columns["total_spent"] > 100) & n.any("stage", ("Customer", "Loyal"))
    readers = n.tally("email_open", n.within("email_open.time", ago(30)))
    return np.count_nonzero(good & (readers == 0))


SAID: dict[str, Callable[[Numpy], int]] = {
    "one keyword": lambda n: np.count_nonzero(n.equal("country", "US")),
    "two keywords": lambda n: np.count_nonzero(n.equal("country", "US") & n.equal("plan", "Pro")),
    "in of many": lambda n: np.count_nonzero(n.any("city", CITIES)),
    "six conditions": _six,
    "number range": lambda n: np.count_nonzero(n.between("total_spent", 100, 250)),
    "date window": _birthday,
    "datetime window": lambda n: np.count_nonzero(n.within("signed_up_at", ago(90))),
    "text contains": lambda n: np.count_nonzero(
        np.strings.find(n.columns["email"], "tanaka9") >= 0
    ),
    "label logic": lambda n: np.count_nonzero(
        n.any("label", ("newsletter", "webinar-2026")) & ~n.columns["label.vip"]
    ),
    "29 rows": lambda n: np.count_nonzero(
        np.logical_and.reduce([n.any(field, values) for field, values in ROWS.items()])
    ),
    "calculated": _calculated,
    "opened once in 30 days": _at_least(1, ago(30)),
    "opened 3 times in 30 days": _at_least(3, ago(30)),
    "opened 3 times in a past year": _at_least(3, *PAST),
    "not opened in 30 days": lambda n: n.size - _at_least(1, ago(30))(n),
    "event with properties": _properties,
    "sum over events": _spent,
    "sequence": _sequence,
    "segment of segments": _segments,
}
