"""
The questions asked of every engine, each a segment in our language and in SQL.

Engines that speak neither say them in their own words, in `bench.rivals`. Rivals have a table
`contacts`, whose key is a dense integer `number`, and a table for each type of event with
`contact`, `time` and its properties. What SQL engines spell differently is in a `Dialect`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
EVENTS = ("email_open", "product_view", "purchase")  # the types that a question asks for

# Saved before anything is asked: what `in segment` refers to.
SAVED = {
    "good customers": "total_spent > 100 and stage in (Customer, Loyal)",
    "recent readers": "opened in last 30 days",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What SQL engines spell differently: `has` is a template of a *column* and a *value*."""

    has: str
    instant: str = "timestamp '{:%Y-%m-%d %H:%M:%S}'"
    days: str = "interval '{} day'"
    # What B follows A within seven days is, where the engine has something better than a join.
    sequence: str = (
        "select count(distinct a.contact) from product_view a join purchase b"
        " on a.contact = b.contact where b.time > a.time and b.time <= a.time + {week}"
        " and b.time <= {now}"
    )

    def ago(self, days: int) -> str:
        """Return the instant *days* before `NOW`."""
        return self.instant.format(ago(days))

    def any(self, column: str, values: Sequence[str]) -> str:
        """Return the condition that *column* holds any of *values*."""
        each = (self.has.format(column=column, value=value) for value in values)
        return f"({' or '.join(each)})"


@dataclass(frozen=True, slots=True)
class Question:
    """One segment: its name, of what kind it is, and its words."""

    name: str
    kind: str
    ours: str
    sql: Callable[[Dialect], str]

    @property
    def goal(self) -> int:
        """Return how many times faster than the best rival Headcount is to be."""
        return 20 if self.kind == "event" else 3


def ago(days: int) -> dt.datetime:
    """Return the instant *days* before `NOW`."""
    return NOW - dt.timedelta(days=days)


CITIES = tuple(
    f"{country} City {number}"
    for country in ("US", "DE", "FR", "IN", "IT", "BR", "SE", "MX", "CH", "BE", "NO", "CZ", "AE")
    for number in (2, 3, 5, 6)
)
PAST = (
    dt.datetime(2025, 2, 10, 9, 30, tzinfo=dt.UTC),
    dt.datetime(2026, 2, 10, 9, 30, tzinfo=dt.UTC),
)
SPENT = 500.005  # between two cents: a sum of floats in any order is on the same side of it

# Pilosa published the count of an intersection of unions over 29 rows; these are five unions of 29.
ROWS = {
    "country": ("US", "DE", "GB", "FR", "CA", "IN", "ES", "IT", "NL", "BR"),
    "plan": ("Free", "Basic", "Pro"),
    "stage": ("Prospect", "Lead", "Trial", "Customer"),
    "label": ("newsletter", "vip", "webinar-2026", "beta", "partner"),
    "interests": ("Software", "Marketing", "Python", "Travel", "Music", "Sport", "Cooking"),
}
SETS = ("label", "interests")  # fields of several values


def _field(condition: str) -> Callable[[Dialect], str]:
    return lambda _: f"select count(*) from contacts where {condition}"


def _at_least(
    n: int,
    kind: str,
    low: dt.datetime,
    high: dt.datetime = NOW,
    where: str = "",
    having: str = "",
) -> Callable[[Dialect], str]:
    """Return the SQL of how many contacts did *kind* *n* times after *low*, up to *high*."""

    def say(d: Dialect) -> str:
        chosen = (
            f"select contact from {kind} where time > {d.instant.format(low)}"
            f" and time <= {d.instant.format(high)}{where} group by contact"
        )
        enough = having or (f" having count(*) >= {n}" if n > 1 else "")
        return f"select count(*) from ({chosen}{enough}) as t"

    return say


def _six(d: Dialect) -> str:
    return (
        "select count(*) from contacts where"
        " (country in ('US', 'DE', 'GB') or plan in ('Pro', 'Enterprise'))"
        f" and total_spent between 50 and 500 and {d.any('label', ['newsletter'])}"
        f" and signed_up_at > {d.ago(365)} and signed_up_at <= {d.ago(0)}"
        " and coalesce(not vip, true)"
    )


def _labels(d: Dialect) -> str:
    wanted, unwanted = d.any("label", ["newsletter", "webinar-2026"]), d.any("label", ["vip"])
    return f"select count(*) from contacts where {wanted} and not {unwanted}"


def _rows(d: Dialect) -> str:
    unions = (
        d.any(field, values) if field in SETS else f"{field} in {_listed(values)}"
        for field, values in ROWS.items()
    )
    return f"select count(*) from contacts where {' and '.join(unions)}"


def _ours(field: str, values: Sequence[str]) -> str:
    named = ", ".join(f'"{value}"' for value in values)
    return f"{field} contains any ({named})" if field in SETS else f"{field} in ({named})"


def _listed(values: Sequence[str]) -> str:
    return f"({', '.join(repr(value) for value in values)})"


def _none(d: Dialect) -> str:
    some = _at_least(1, "email_open", ago(30))(d)
    return f"select (select count(*) from contacts) - ({some})"


def _segments(d: Dialect) -> str:
    return (
        "select count(*) from contacts where total_spent > 100 and stage in ('Customer', 'Loyal')"
        f" and number not in (select contact from email_open where time > {d.ago(30)}"
        f" and time <= {d.ago(0)})"
    )


QUESTIONS = {
    question.name: question
    for question in (
        Question("one keyword", "field", "country = US", _field("country = 'US'")),
        Question(
            "two keywords",
            "field",
            "country = US and plan = Pro",
            _field("country = 'US' and plan = 'Pro'"),
        ),
        Question(
            "in of many", "field", _ours("city", CITIES), _field(f"city in {_listed(CITIES)}")
        ),
        Question(
            "six conditions",
            "field",
            "(country in (US, DE, GB) or plan in (Pro, Enterprise))"
            " and total_spent between 50 and 500"
            ' and label contains "newsletter"'
            " and signed_up_at within last 365 days"
            " and not vip = true",
            _six,
        ),
        Question(
            "number range",
            "field",
            "total_spent between 100 and 250",
            _field("total_spent between 100 and 250"),
        ),
        Question(
            "date window",
            "field",
            "birthday between 1980-01-01 and 1989-12-31",
            _field("birthday between '1980-01-01' and '1989-12-31'"),
        ),
        Question(
            "datetime window",
            "field",
            "signed_up_at within last 90 days",
            lambda d: (
                f"select count(*) from contacts where signed_up_at > {d.ago(90)}"
                f" and signed_up_at <= {d.ago(0)}"
            ),
        ),
        Question(
            "text contains", "field", 'email contains "tanaka9"', _field("email like '%tanaka9%'")
        ),
        Question(
            "label logic",
            "field",
            'label contains any ("newsletter", "webinar-2026") and not label contains "vip"',
            _labels,
        ),
        Question(
            "29 rows",
            "field",
            " and ".join(_ours(field, values) for field, values in ROWS.items()),
            _rows,
        ),
        Question(
            "calculated",
            "field",
            "total_spent / lead_score > 5",
            _field("lead_score <> 0 and total_spent / nullif(lead_score, 0) > 5"),
        ),
        Question(
            "opened once in 30 days",
            "event",
            "opened in last 30 days",
            _at_least(1, "email_open", ago(30)),
        ),
        Question(
            "opened 3 times in 30 days",
            "event",
            "did opened at least 3 times in last 30 days",
            _at_least(3, "email_open", ago(30)),
        ),
        Question(
            "opened 3 times in a past year",
            "event",
            "did opened at least 3 times"
            " between 2025-02-10T09:30:00.000001Z and 2026-02-10T09:30:00Z",
            _at_least(3, "email_open", *PAST),
        ),
        Question("not opened in 30 days", "event", "did not opened in last 30 days", _none),
        Question(
            "event with properties",
            "event",
            'did purchase where (category = "Books" and amount > 20) in last 365 days',
            _at_least(1, "purchase", ago(365), where=" and category = 'Books' and amount > 20"),
        ),
        Question(
            "sum over events",
            "event",
            f"sum(purchase.amount in last 90 days) > {SPENT}",
            _at_least(1, "purchase", ago(90), having=f" having sum(amount) > {SPENT}"),
        ),
        Question(
            "sequence",
            "event",
            "did product_view then did purchase within 7 days",
            lambda d: d.sequence.format(week=d.days.format(7), now=d.ago(0)),
        ),
        Question(
            "segment of segments",
            "mixed",
            'in segment "good customers" and not in segment "recent readers"',
            _segments,
        ),
    )
}
