"""
One block of 2^20 contacts with 5,000,000 events, made in memory from a seed: what the kernels read.

Made apart from `headcount.load.synthetic`, which follows what real data looks like and may change;
a baseline has to be of the same data for years.
"""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
import pyarrow as pa

from headcount.index.block import BLOCK_ROWS, Block
from headcount.index.view import Version, View
from headcount.model.schema_toml import parse

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
DAY_US = 86_400_000_000

_SCHEMA = """\
id = "id"
time_zone = "UTC"
[fields]
country      = "keyword"
city         = "keyword"
email        = "text"
total_spent  = "number"
lead_score   = "number"
vip          = "boolean"
birthday     = "date"
signed_up_at = "datetime"
[events.opened]
[events.purchase]
properties = { category = "keyword", amount = "number" }
"""

_OPENS, _PURCHASES = 4_000_000, 1_000_000
_COUNTRIES, _CITIES, _LABELS, _CATEGORIES = 40, 3_000, 8, 6
_HISTORY_S = 730 * 86_400


@cache
def view() -> View:
    """Return the view of the one block; about 20 s, then remembered."""
    dice = np.random.default_rng(20261101)
    schema = parse(_SCHEMA)
    block = Block.build(0, _contacts(dice), _events(dice), schema)
    return View(schema, (block,), Version(1, 1))


def block() -> Block:
    """Return the one block."""
    return view().blocks[0]


def _contacts(dice: np.random.Generator) -> pa.Table:
    rows = BLOCK_ROWS
    numbers = np.arange(rows)
    countries = np.minimum(dice.zipf(1.5, rows), _COUNTRIES) - 1
    names = [f"{first}{last}" for first in _SYLLABLES for last in _SYLLABLES]
    who = dice.integers(0, len(names), rows)
    spent = np.round(dice.lognormal(4, 1.2, rows), 2)
    labels = dice.integers(0, _LABELS, (rows, 2))
    sets = pa.ListArray.from_arrays(
        pa.array(np.arange(rows + 1, dtype=np.int32) * 2),
        pa.array([f"label {n}" for n in range(_LABELS)]).take(pa.array(labels.ravel())),
    )
    signed_up = NOW_US - dice.integers(0, _HISTORY_S, rows) * 1_000_000
    return pa.table(
        {
            "id": pa.array([f"c{n:09}" for n in numbers.tolist()]),
            "country": pa.array([f"C{n:02}" for n in range(_COUNTRIES)]).take(pa.array(countries)),
            "city": pa.array([f"city {n}" for n in range(_CITIES)]).take(
                pa.array(dice.integers(0, _CITIES, rows))
            ),
            "email": pa.array(
                f"{names[w]}{n}@example.org"
                for w, n in zip(who.tolist(), numbers.tolist(), strict=True)
            ),
            "total_spent": pa.array(spent, mask=dice.random(rows) < 0.3),
            "lead_score": pa.array(dice.integers(0, 101, rows).astype(np.float64)),
            "vip": pa.array(dice.random(rows) < 0.05),
            "birthday": pa.array(dice.integers(-10_000, 13_000, rows).astype(np.int32)).view(
                pa.date32()
            ),
            "signed_up_at": pa.array(signed_up).cast(pa.timestamp("us", tz="UTC")),
            "label": sets,
        }
    )


def _events(dice: np.random.Generator) -> dict[str, pa.Table]:
    opened = _times(dice, _OPENS)
    bought = _times(dice, _PURCHASES)
    category = pa.array([f"category {n}" for n in range(_CATEGORIES)])
    bought = bought.append_column(
        "property.category", category.take(pa.array(dice.integers(0, _CATEGORIES, _PURCHASES)))
    ).append_column("property.amount", pa.array(np.round(dice.lognormal(3, 1, _PURCHASES), 2)))
    return {"opened": opened, "purchase": bought}


def _times(dice: np.random.Generator, size: int) -> pa.Table:
    """Return events of contacts of whom some do much more than others."""
    rows = (BLOCK_ROWS * dice.random(size) ** 2).astype(np.uint32)
    times = NOW_US - dice.integers(0, _HISTORY_S, size) * 1_000_000
    return pa.table({"row": rows, "time": pa.array(times).cast(pa.timestamp("us", tz="UTC"))})


_SYLLABLES = ("ana", "bert", "chris", "dora", "ed", "fay", "gil", "hana", "ivo", "jo", "kim", "lee",
              "mo", "nora", "otis", "pia", "quinn", "ray", "sue", "tanaka", "uma", "vic", "wes",
              "xu", "yan", "zoe")  # fmt: skip
