"""
The questions asked of every engine: one segment, said in our language, in SQL and in Polars.

`{now}` in SQL is the instant asked about. Contacts are `contacts`, events are `events` with one row
an event of any type; both have the columns of `headcount.load.synthetic`. ClickHouse takes the same
SQL but for the few words in `CLICKHOUSE`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
Frames = tuple[pl.LazyFrame, pl.LazyFrame]


@dataclass(frozen=True, slots=True)
class Question:
    """One segment in three languages; `polars` returns a frame of one number."""

    kind: str
    ours: str
    sql: str
    polars: Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]


# ClickHouse spells these differently from DuckDB.
CLICKHOUSE = {
    "list_contains(": "has(",
    "interval 30 day": "interval 2592000 second",
    "interval 365 day": "interval 31536000 second",
    "interval 14 day": "interval 1209600 second",
    "interval 90 day": "interval 7776000 second",
    "interval 7 day": "interval 604800 second",
}


def _contacts(condition: pl.Expr) -> Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]:
    return lambda contacts, _: contacts.filter(condition).select(pl.len())


def _at_least(
    kind: str, low: dt.datetime, high: dt.datetime, n: int, where: pl.Expr | None = None
) -> Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]:
    chosen = (pl.col("type") == kind) & (pl.col("time") > low) & (pl.col("time") <= high)
    if where is not None:
        chosen &= where

    def ask(_: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
        per_contact = events.filter(chosen).group_by("contact").len()
        return per_contact.filter(pl.col("len") >= n).select(pl.len())

    return ask


def _ago(days: int) -> dt.datetime:
    return NOW - dt.timedelta(days=days)


def _none(contacts: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    opened = events.filter(
        (pl.col("type") == "email_open") & (pl.col("time") > _ago(30)) & (pl.col("time") <= NOW)
    )
    return contacts.join(opened, left_on="id", right_on="contact", how="anti").select(pl.len())


def _spent(_: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    bought = events.filter(
        (pl.col("type") == "purchase") & (pl.col("time") > _ago(90)) & (pl.col("time") <= NOW)
    )
    per_contact = bought.group_by("contact").agg(pl.col("amount").sum())
    return per_contact.filter(pl.col("amount") > 500).select(pl.len())


def _viewed_then_bought(_: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
    upto = events.filter(pl.col("time") <= NOW).select("contact", "time", "type")
    viewed = upto.filter(pl.col("type") == "product_view")
    bought = upto.filter(pl.col("type") == "purchase").select("contact", later="time")
    pairs = viewed.join(bought, on="contact").filter(
        (pl.col("later") > pl.col("time"))
        & (pl.col("later") <= pl.col("time") + pl.duration(days=7))
    )
    return pairs.select(pl.col("contact").n_unique())


_COUNT = "select count(*) from contacts where "
_EVENTS = (
    "select count(*) from (select contact from events where type = '{kind}' and time > {low}"
    " and time <= {high}{where} group by contact having count(*) >= {n})"
)
_C = pl.col

QUESTIONS = {
    "one keyword": Question(
        "field",
        "country = US",
        _COUNT + "country = 'US'",
        _contacts(_C("country") == "US"),
    ),
    "six conditions": Question(
        "field",
        "(country in (US, DE, GB) or plan in (Pro, Enterprise))"
        " and total_spent between 50 and 500"
        ' and label contains "newsletter"'
        " and signed_up_at within last 365 days"
        " and not vip = true",
        _COUNT + "(country in ('US', 'DE', 'GB') or plan in ('Pro', 'Enterprise'))"
        " and total_spent between 50 and 500 and list_contains(label, 'newsletter')"
        " and signed_up_at > {now} - interval 365 day and signed_up_at <= {now}"
        " and coalesce(not vip, true)",
        _contacts(
            (_C("country").is_in(["US", "DE", "GB"]) | _C("plan").is_in(["Pro", "Enterprise"]))
            & _C("total_spent").is_between(50, 500)
            & _C("label").list.contains("newsletter")
            & (_C("signed_up_at") > _ago(365))
            & (_C("signed_up_at") <= NOW)
            & (~_C("vip")).fill_null(value=True)
        ),
    ),
    "number range": Question(
        "field",
        "total_spent between 100 and 250",
        _COUNT + "total_spent between 100 and 250",
        _contacts(_C("total_spent").is_between(100, 250)),
    ),
    "text contains": Question(
        "field",
        'email contains "tanaka9"',
        _COUNT + "email like '%tanaka9%'",
        _contacts(_C("email").str.contains("tanaka9", literal=True)),
    ),
    "opened once in 30 days": Question(
        "event",
        "opened in last 30 days",
        _EVENTS.format(
            kind="email_open", low="{now} - interval 30 day", high="{now}", where="", n=1
        ),
        _at_least("email_open", _ago(30), NOW, 1),
    ),
    "opened 3 times in 30 days": Question(
        "event",
        "did opened at least 3 times in last 30 days",
        _EVENTS.format(
            kind="email_open", low="{now} - interval 30 day", high="{now}", where="", n=3
        ),
        _at_least("email_open", _ago(30), NOW, 3),
    ),
    "opened 3 times in a past year": Question(
        "event",
        "did opened at least 3 times between 2025-02-10T09:30:00.000001Z and 2026-02-10T09:30:00Z",
        _EVENTS.format(
            kind="email_open",
            low="'2025-02-10 09:30:00'",
            high="'2026-02-10 09:30:00'",
            where="",
            n=3,
        ),
        _at_least(
            "email_open",
            dt.datetime(2025, 2, 10, 9, 30, tzinfo=dt.UTC),
            dt.datetime(2026, 2, 10, 9, 30, tzinfo=dt.UTC),
            3,
        ),
    ),
    "not opened in 30 days": Question(
        "event",
        "did not opened in last 30 days",
        "select count(*) from contacts where id not in (select contact from events where"
        " type = 'email_open' and time > {now} - interval 30 day and time <= {now})",
        _none,
    ),
    "event with properties": Question(
        "event",
        'did purchase where (category = "Books" and amount > 20) in last 365 days',
        _EVENTS.format(
            kind="purchase",
            low="{now} - interval 365 day",
            high="{now}",
            where=" and category = 'Books' and amount > 20",
            n=1,
        ),
        _at_least(
            "purchase",
            _ago(365),
            NOW,
            1,
            (_C("category") == "Books") & (_C("amount") > 20),
        ),
    ),
    "calculated": Question(
        "calculated",
        "total_spent / lead_score > 5",
        _COUNT + "lead_score <> 0 and total_spent / lead_score > 5",
        _contacts((_C("lead_score") != 0) & (_C("total_spent") / _C("lead_score") > 5)),
    ),
    "sum over events": Question(
        "event",
        "sum(purchase.amount in last 90 days) > 500",
        "select count(*) from (select contact from events where type = 'purchase'"
        " and time > {now} - interval 90 day and time <= {now} group by contact"
        " having sum(amount) > 500)",
        _spent,
    ),
    "sequence": Question(
        "event",
        "did product_view then did purchase within 7 days",
        "select count(distinct a.contact) from events a join events b on a.contact = b.contact"
        " where a.type = 'product_view' and b.type = 'purchase' and b.time > a.time"
        " and b.time <= a.time + interval 7 day and b.time <= {now}",
        _viewed_then_bought,
    ),
}
