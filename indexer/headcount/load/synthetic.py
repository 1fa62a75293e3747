"""
Seeded synthetic data: a shop's contacts and what they did, skewed as real ones are.

Used by `headcount demo` and by the benchmarks. The same seed, size and instant give the same files.
The shapes follow what such data shows in practice:

* countries and cities are Zipf-distributed, plans follow the country a little;
* money is log-normal with cents; a third of contacts never bought and have none;
* activity per contact is Pareto: most do little, a few do very much, a tenth nothing at all;
* events follow the week (fewer on Sunday) and the hour, and thin out into the past;
* every optional field is missing for some contacts.

The event volume is split over eight types; opens follow sends and purchases are rare. Files are
Parquet, written a slice at a time: what is held of all contacts is how active each is, 8 bytes, and
of the members of one list, when they joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SCHEMA_TOML = """\
id = "id"
time_zone = "Europe/Berlin"
lists = ["newsletter", "product news", "VIP Customers"]

[fields]
country      = "keyword"
city         = "keyword"
plan         = "keyword"
email        = "text"
job_title    = "text"
total_spent  = "number"
lead_score   = "number"
vip          = "boolean"
birthday     = "date"
signed_up_at = "datetime"
interests    = "keywords"
stage        = { type = "stage", values = ["Prospect", "Lead", "Trial", "Customer", "Loyal"] }

[events.email_send]
alias = ["received", "sent"]
properties = { campaign = "keyword" }
[events.email_open]
alias = ["opened", "opens"]
properties = { campaign = "keyword" }
[events.email_click]
alias = ["clicked", "clicks"]
properties = { campaign = "keyword", link = "keyword" }
[events.page_view]
alias = ["viewed"]
properties = { page = "keyword" }
[events.product_view]
properties = { category = "keyword" }
[events.add_to_cart]
properties = { category = "keyword", amount = "number" }
[events.purchase]
alias = ["bought", "purchased", "ordered"]
properties = { category = "keyword", amount = "number" }
[events.login]

[event_groups]
engaged = ["email_open", "email_click"]
"""

_COUNTRIES = ("US", "DE", "GB", "FR", "CA", "IN", "ES", "IT", "NL", "BR", "PL", "SE", "AU", "MX",
              "JP", "CH", "AT", "BE", "DK", "PT", "NO", "IE", "FI", "CZ", "SG", "ZA", "AE", "NZ",
              "TR", "KR", "AR", "CL", "GR", "HU", "RO", "IL", "ID", "MY", "TH", "PH")  # fmt: skip
_PLANS = ("Free", "Basic", "Pro", "Enterprise")
_STAGES = ("Prospect", "Lead", "Trial", "Customer", "Loyal")
_STATUSES = ("Active", "Pending", "Unsubscribed", "Hard Bounce")
_FIRST = ("ana", "ben", "carla", "david", "emma", "felix", "greta", "hugo", "ines", "jonas", "kira",
          "liam", "mia", "noah", "olga", "paul", "quinn", "rosa", "sami", "tara", "uwe", "vera",
          "walter", "xenia", "yara", "zoe", "josé", "søren", "chloë", "łukasz")  # fmt: skip
_LAST = ("adams", "becker", "costa", "dubois", "evans", "fischer", "garcia", "hansen", "ivanov",
         "jansen", "kowalski", "lopez", "muller", "novak", "olsen", "petrov", "quint", "rossi",
         "schmidt", "tanaka", "ueda", "vogel", "weber", "xu", "young", "zimmer")  # fmt: skip
_DOMAINS = ("gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de", "company.com",
            "web.de", "proton.me", "example.org", "mail.co.uk")  # fmt: skip
_JOBS = ("Developer", "Senior Developer", "Marketing Manager", "Chief Technology Officer",
         "Product Manager", "Designer", "Sales Executive", "Head of Marketing", "Data Analyst",
         "Founder", "Student", "Consultant")  # fmt: skip
_INTERESTS = ("Software", "Marketing", "Python", "Travel", "Music", "Sport", "Cooking", "Design",
              "Finance", "Gaming")  # fmt: skip
_LABELS = ("newsletter", "vip", "webinar-2026", "beta", "partner", "trade fair", "referral")
_LISTS = ("newsletter", "product news", "VIP Customers")
_CATEGORIES = ("Books", "Garden", "Toys", "Kitchen", "Outdoor", "Electronics")
_PAGES = ("home", "pricing", "docs", "blog", "about", "checkout", "careers", "contact")
_LINKS = ("headline", "button", "footer", "unsubscribe")

# Share of all events by type; opens outnumber clicks, and purchases are the rarest.
_EVENT_SHARES = {
    "email_send": 0.30,
    "email_open": 0.20,
    "email_click": 0.06,
    "page_view": 0.20,
    "product_view": 0.10,
    "add_to_cart": 0.04,
    "purchase": 0.03,
    "login": 0.07,
}
_HISTORY_DAYS = 730
_SLICE = 1 << 19  # rows generated and written at a time
_DAY_US = 86_400_000_000
_WEEKDAY_LOAD = np.array([1.15, 1.2, 1.15, 1.1, 1.0, 0.8, 0.6])  # Monday first
_HOUR_LOAD = np.array([1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 8, 8, 8, 8, 8, 8, 7, 7, 6, 5, 3, 2])

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_INSTANT = pa.timestamp("us", tz="UTC")
_MEMBERSHIP = pa.schema(
    {
        "list": pa.string(),
        "contact": pa.string(),
        "joined_at": _INSTANT,
        "opted_out_at": _INSTANT,
    }
)


@dataclass(frozen=True, slots=True)
class SyntheticFiles:
    """Where the data was written."""

    schema: Path
    contacts: Path
    events: Path
    lists: Path


def generate(
    folder: Path, *, contacts: int, events: int, now: dt.datetime, seed: int = 2026
) -> SyntheticFiles:
    """
    Write a schema, contacts, events and lists into *folder* and return their paths.

    *events* is the total over all types; the newest is before *now* (aware). Takes a few seconds
    per million contacts, and one per million events; slices do not change what is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = SyntheticFiles(
        folder / "schema.toml",
        folder / "contacts.parquet",
        folder / "events.parquet",
        folder / "lists.parquet",
    )
    files.schema.write_text(SCHEMA_TOML)
    now_us = round(now.timestamp() * 1_000_000)
    rng = np.random.default_rng(seed)
    _write_contacts(files.contacts, contacts, now_us, rng)
    _write_lists(files.lists, contacts, now_us, rng)
    _write_events(files.events, contacts, events, now_us, rng)
    return files


def _zipf(rng: np.random.Generator, n: int, choices: int, skew: float = 1.1) -> Ints:
    weights = 1.0 / np.arange(1, choices + 1) ** skew
    return np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(n)).astype(np.int64)


def _pick(values: tuple[str, ...], codes: Ints, missing: npt.NDArray[np.bool_] | None) -> pa.Array:
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(values)).cast(pa.string())


def _ids(numbers: Ints) -> pa.Array:
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 9, "0")
    return pc.binary_join_element_wise("c", padded, "")


def _slices(n: int) -> Iterator[slice]:
    """Yield slices of at most `_SLICE` that cover the first *n*."""
    for start in range(0, n, _SLICE):
        yield slice(start, min(start + _SLICE, n))


def _subsets(
    rng: np.random.Generator, n: int, values: tuple[str, ...], share: float
) -> pa.ListArray:
    """Return *n* random subsets of *values*; the first values are the most popular."""
    odds = share * 2.0 / np.arange(2, len(values) + 2)
    chosen = rng.random((n, len(values))) < odds
    rows, codes = np.nonzero(chosen)
    offsets = np.searchsorted(rows, np.arange(n + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _pick(values, codes, None))


def _contacts_slice(start: int, stop: int, now_us: int, rng: np.random.Generator) -> pa.Table:
    n = stop - start
    country = _zipf(rng, n, len(_COUNTRIES))
    city = country * 6 + _zipf(rng, n, 6)
    cities = tuple(f"{c} City {i}" for c in _COUNTRIES for i in range(1, 7))
    plan = np.minimum(_zipf(rng, n, 4, 1.3) + (country == 0) * (rng.random(n) < 0.1), 3)
    bought = rng.random(n) < 0.66
    spent = np.round(rng.lognormal(4.2, 1.3, n), 2)
    first, last = rng.integers(0, len(_FIRST), n), rng.integers(0, len(_LAST), n)
    email = pc.binary_join_element_wise(
        pc.binary_join_element_wise(_pick(_FIRST, first, None), _pick(_LAST, last, None), "."),
        pc.binary_join_element_wise(
            pa.array(np.arange(start, stop)).cast(pa.string()),
            _pick(_DOMAINS, _zipf(rng, n, len(_DOMAINS)), None),
            "@",
        ),
        "",
    )
    age_days = rng.integers(18 * 365, 80 * 365, n)
    signed_us = now_us - (rng.power(1.5, n) * 5 * 365 * _DAY_US).astype(np.int64)
    return pa.table(
        {
            "id": _ids(np.arange(start, stop)),
            "status": _pick(_STATUSES, _zipf(rng, n, 4, 2.2), None),
            "country": _pick(_COUNTRIES, country, rng.random(n) < 0.03),
            "city": _pick(cities, city, rng.random(n) < 0.15),
            "plan": _pick(_PLANS, plan, rng.random(n) < 0.05),
            "email": email,
            "job_title": _pick(_JOBS, _zipf(rng, n, len(_JOBS), 0.6), rng.random(n) < 0.4),
            "total_spent": pa.array(spent, mask=~bought),
            "lead_score": pa.array(rng.binomial(100, rng.beta(2, 5, n)), mask=rng.random(n) < 0.1),
            "vip": pa.array(bought & (spent > 400), mask=rng.random(n) < 0.08),
            "birthday": pa.array(
                (now_us // _DAY_US - age_days).astype(np.int32), mask=rng.random(n) < 0.35
            ).cast(pa.date32()),
            "signed_up_at": pa.array(signed_us // 1_000_000 * 1_000_000).cast(
                pa.timestamp("us", tz="UTC")
            ),
            "interests": _subsets(rng, n, _INTERESTS, 0.5),
            "stage": _pick(_STAGES, _zipf(rng, n, 5, 0.8), rng.random(n) < 0.12),
            "label": _subsets(rng, n, _LABELS, 0.25),
        }
    )


def _write_contacts(path: Path, contacts: int, now_us: int, rng: np.random.Generator) -> None:
    writer = None
    for start in range(0, contacts, _SLICE):
        table = _contacts_slice(start, min(start + _SLICE, contacts), now_us, rng)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table, row_group_size=1 << 17)
    if writer is None:
        pq.write_table(_contacts_slice(0, 0, now_us, rng), path)
    else:
        writer.close()


def _write_lists(path: Path, contacts: int, now_us: int, rng: np.random.Generator) -> None:
    """One row a membership: a third of contacts are on the newsletter, fewer on the rest."""
    with pq.ParquetWriter(path, _MEMBERSHIP) as writer:
        for name, share in zip(_LISTS, (0.35, 0.2, 0.02), strict=True):
            _write_members(writer, name, _members(contacts, share, rng), now_us, rng)


def _members(contacts: int, share: float, rng: np.random.Generator) -> npt.NDArray[np.uint32]:
    chosen = [
        (part.start + np.flatnonzero(rng.random(part.stop - part.start) < share)).astype(np.uint32)
        for part in _slices(contacts)
    ]
    return np.concatenate([np.empty(0, np.uint32), *chosen])


def _write_members(
    writer: pq.ParquetWriter,
    name: str,
    members: npt.NDArray[np.uint32],
    now_us: int,
    rng: np.random.Generator,
) -> None:
    n = len(members)
    joined = np.empty(n, np.int64)
    for part in _slices(n):
        size = part.stop - part.start
        joined[part] = now_us - (rng.power(1.2, size) * _HISTORY_DAYS * _DAY_US).astype(np.int64)
    left = np.concatenate([np.empty(0), *(rng.random(p.stop - p.start) < 0.04 for p in _slices(n))])
    for part in _slices(n):
        size, since = part.stop - part.start, joined[part]
        opted_out = since + ((now_us - since) * rng.random(size)).astype(np.int64)
        columns = [
            pa.array([name] * size, pa.string()),
            _ids(members[part].astype(np.int64)),
            pa.array(since).cast(_INSTANT),
            pa.array(opted_out, mask=left[part] == 0).cast(_INSTANT),
        ]
        writer.write_table(pa.Table.from_arrays(columns, schema=_MEMBERSHIP))


def _activity(contacts: int, rng: np.random.Generator) -> Floats:
    """Return running shares of all activity, contact by contact; a tenth did nothing."""
    weights = np.empty(contacts)
    for part in _slices(contacts):
        weights[part] = rng.pareto(1.6, part.stop - part.start)
    for part in _slices(contacts):
        weights[part] *= rng.random(part.stop - part.start) > 0.1
    np.cumsum(weights, out=weights)
    if contacts:
        weights /= max(float(weights[-1]), 1e-9)
    return weights


def _event_times(rng: np.random.Generator, n: int, now_us: int) -> Ints:
    """Return *n* instants before *now_us*: denser lately, by weekday and hour, whole seconds."""
    days = np.arange(_HISTORY_DAYS)
    today = now_us // _DAY_US
    weekday = (today - 1 - days + 3) % 7  # 1970-01-01 was a Thursday
    load = _WEEKDAY_LOAD[weekday] * np.exp(-days / 365.0)
    back = np.searchsorted(np.cumsum(load / load.sum()), rng.random(n))
    back = np.minimum(back, _HISTORY_DAYS - 1)
    hours = np.searchsorted(np.cumsum(_HOUR_LOAD / _HOUR_LOAD.sum()), rng.random(n))
    seconds = np.minimum(hours, 23) * 3600 + rng.integers(0, 3600, n)
    return ((today - 1 - back) * 86_400 + seconds) * 1_000_000


def _events_slice(
    kind: str, n: int, activity: Floats, now_us: int, rng: np.random.Generator
) -> pa.Table:
    contact = np.minimum(np.searchsorted(activity, rng.random(n)), len(activity) - 1)
    campaigns = tuple(f"campaign-{i:03}" for i in range(1, 121))
    none = np.ones(n, dtype=np.bool_)

    def chosen(values: tuple[str, ...], kinds: tuple[str, ...], skew: float) -> pa.Array:
        missing = rng.random(n) < 0.02 if kind in kinds else none
        return _pick(values, _zipf(rng, n, len(values), skew), missing)

    paid = kind in ("add_to_cart", "purchase")
    return pa.table(
        {
            "contact": _ids(contact),
            "type": pa.array([kind] * n, pa.string()),
            "time": pa.array(_event_times(rng, n, now_us)).cast(pa.timestamp("us", tz="UTC")),
            "campaign": chosen(campaigns, ("email_send", "email_open", "email_click"), 0.7),
            "link": chosen(_LINKS, ("email_click",), 1.0),
            "page": chosen(_PAGES, ("page_view",), 0.9),
            "category": chosen(_CATEGORIES, ("product_view", "add_to_cart", "purchase"), 0.5),
            "amount": pa.array(
                np.round(rng.lognormal(3.4, 0.9, n), 2), mask=none if not paid else ~none
            ),
        }
    )


def _write_events(
    path: Path, contacts: int, events: int, now_us: int, rng: np.random.Generator
) -> None:
    activity = _activity(contacts, rng)
    writer = None
    for kind, share in _EVENT_SHARES.items():
        left = round(events * share) if contacts else 0
        while left > 0 or writer is None:
            n = min(left, _SLICE)
            table = _events_slice(kind, n, activity, now_us, rng)
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table, row_group_size=1 << 17)
            left -= n
    if writer is not None:
        writer.close()
