"""A small shop, written by hand: a schema with every type, ten contacts, what they did."""

from __future__ import annotations

import datetime as dt

from headcount.model.schema import Field, FieldType, Schema
from support.asking import happened, instant
from support.asking import schema as schema_of
from support.worlds import World

AS_OF = instant("2026-05-09T12:00")  # a Saturday

SCHEMA: Schema = schema_of(
    fields={
        "country": "keyword",
        "city": "text",
        "plan": Field("plan", FieldType.KEYWORD, case_sensitive=True),
        "spent": "number",
        "orders": "number",
        "vip": "boolean",
        "born": "date",
        "signed_up": "datetime",
        "interests": "keywords",
        "opens": "number",
    },
    events={
        "email_open": {"campaign": "keyword", "seconds": "number"},
        "email_click": {"campaign": "keyword", "link": "text"},
        "purchase": {"amount": "number", "category": "keyword", "gift": "boolean", "due": "date"},
    },
    aliases={"email_open": ("opened",), "email_click": ("clicked",), "purchase": ("bought",)},
    groups={"engaged": ("email_open", "email_click")},
    lists=("news", "VIP Customers"),
)


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


CONTACTS = {
    "ann": {
        "country": "DE", "city": "Köln", "plan": "Pro", "spent": 120.5, "orders": 3.0, "vip": True,
        "born": _day("1990-05-09"), "signed_up": instant("2026-05-01T10:00"),
        "interests": ("music", "Art"), "status": "Active", "label": ("vip", "beta"),
        "stage": "Customer", "list": ("news",),
    },
    "bob": {
        "country": "US", "city": "Boston", "plan": "pro", "spent": 0.0, "orders": 0.0, "vip": False,
        "born": _day("1984-02-29"), "signed_up": instant("2025-05-09T12:00"),
        "interests": ("sport",), "status": "Active", "stage": "Lead", "list": ("news",),
        "opted_out": ("news",),
    },
    "cem": {"country": "de", "spent": 99.99, "status": "Pending", "label": ("beta",)},
    "dee": {
        "city": "Bonn", "plan": "Free", "orders": 2.0, "born": _day("2000-12-31"),
        "signed_up": instant("2026-05-09T12:00"), "status": "Unsubscribed", "stage": "Loyal",
        "list": ("VIP Customers",),
    },
    "eva": {"vip": False, "spent": 1000.0, "orders": 8.0, "status": "Hard Bounce", "opens": 7.0},
    "fay": {},
}  # fmt: skip

EVENTS = [
    *happened("ann", "email_open", "2026-05-08T09:00", "2026-05-02", campaign="may", seconds=4.0),
    *happened("ann", "email_open", "2026-01-01", campaign="new year"),
    *happened("ann", "purchase", "2026-05-08T10:00", amount=100.5, category="Books", gift=True),
    *happened("ann", "purchase", "2026-04-01", amount=20.0, category="toys"),
    *happened("bob", "email_open", "2026-04-09T12:00", campaign="april"),
    *happened("bob", "email_click", "2026-04-09T12:01", campaign="april", link="https://x.io/a"),
    *happened("dee", "purchase", "2026-05-09T12:00:00.000001", amount=7.0, category="books"),
    *happened("dee", "email_click", "2026-05-09T12:00", campaign="may"),
    *happened("eva", "purchase", *(f"2025-{month:02}-15" for month in range(1, 9)), amount=125.0),
]

SHOP = World(SCHEMA, CONTACTS, EVENTS)
