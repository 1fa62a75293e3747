"""
A small workspace made by hand: twelve contacts whose members can be worked out in the head.

It is Saturday, 9 May 2026, noon, UTC. Each contact is there for some of the examples in the source
documents (see tests/scripts/checklist.test), and the others are near misses:

    ada  everything a marketer dreams of        gus  unsubscribed, bought this week, in the EU
    ben  bought once, silent since December     hal  bounced; opened 50 days ago
    cho  looked at the prices, never bought     ida  left a full cart this night, never opened
    dee  on trial, looked at the prices         jon  active in 2022, but not from July to September
    eli  on the lists, silent since November    kim  six small purchases in a year
    fay  an address and nothing else            lou  opened in August 2022; visited last week
"""

from __future__ import annotations

from headcount.model.schema import EventType, Field, FieldType, Schema
from support.asking import happened, instant
from support.worlds import Event, World

AS_OF = "2026-05-09T12:00:00"
ZONE = "UTC"

STAGES = ("Prospect", "Lead", "Trial", "Customer", "Loyal", "Advocate")

FIELDS = {
    "email": "text",
    "city": "text",
    "location": "keyword",
    "country": "keyword",
    "region": "keyword",
    "state": "keyword",
    "timezone": "keyword",
    "job_title": "text",
    "skills": "keywords",
    "product_interest": "keyword",
    "company_size": "number",
    "budget": "number",
    "plan": "keyword",
    "customer_tier": "keyword",
    "subscription_status": "keyword",
    "purchased": "boolean",
    "previous_customer": "boolean",
    "welcome_email_sent": "boolean",
    "mrr": "number",
    "total_spent": "number",
    "lifetime_value": "number",
    "cart_value": "number",
    "cart_items": "number",
    "products_viewed": "number",
    "birthday": "date",
    "signup": "date",
    "subscribed": "datetime",
    "last_purchase": "datetime",
    "last_visit": "datetime",
}

EVENTS = (
    EventType("email_send", ("sent", "received"), (Field("campaign", FieldType.KEYWORD),)),
    EventType("email_open", ("opened", "opens", "email_opens")),
    EventType("email_click", ("clicked", "clicks"), (Field("link", FieldType.TEXT),)),
    EventType("page_view", ("visited",), (Field("url", FieldType.TEXT),)),
    EventType("add_to_cart", ("carted",)),
    EventType("purchase", ("bought", "converted", "ordered"), (Field("amount", FieldType.NUMBER),)),
)

SCHEMA = Schema(
    id_column="contact",
    fields={name: Field(name, FieldType(type_)) for name, type_ in FIELDS.items()}
    | {"stage": Field("stage", FieldType.STAGE, values=STAGES)},
    events={event.name: event for event in EVENTS},
    groups={"engaged": ("email_open", "email_click")},
    lists=("News", "VIP Customers", "All Subscribers"),
)

CONTACTS: dict[str, dict[str, object]] = {
    "ada": {
        "status": "Active", "label": ("newsletter", "vip"), "stage": "Customer",
        "email": "ada@company.com", "city": "Jakarta", "location": "USA", "country": "USA",
        "state": "CA", "timezone": "PST", "job_title": "Senior Developer",
        "skills": ("Python", "SQL"), "product_interest": "Software", "company_size": 250.0,
        "budget": 5000.0, "plan": "Pro", "customer_tier": "Gold", "subscription_status": "Active",
        "purchased": True, "previous_customer": True, "welcome_email_sent": True, "mrr": 900.0,
        "total_spent": 800.0, "lifetime_value": 1200.0, "cart_value": 0.0, "cart_items": 0.0,
        "products_viewed": 1.0, "birthday": "1990-05-20", "signup": "2024-05-09",
        "subscribed": "2025-01-15", "last_purchase": "2026-03-01T10:00",
        "last_visit": "2026-05-08T13:00", "list": ("News", "VIP Customers", "All Subscribers"),
    },
    "ben": {
        "status": "Active", "label": ("newsletter",), "stage": "Customer",
        "email": "ben@mail.example", "city": "South Jakarta", "location": "Canada",
        "country": "Canada", "timezone": "EST", "job_title": "Marketing Lead",
        "product_interest": "Marketing", "company_size": 80.0, "budget": 20000.0, "plan": "Pro",
        "customer_tier": "Gold", "subscription_status": "Active", "purchased": True,
        "previous_customer": True, "mrr": 600.0, "total_spent": 650.0, "lifetime_value": 650.0,
        "birthday": "1985-11-02", "signup": "2025-05-10", "subscribed": "2024-06-01",
        "last_purchase": "2025-10-01", "list": ("News",),
    },
    "cho": {
        "status": "Active", "stage": "Lead", "email": "cho@COMPANY.com", "city": "Tokyo",
        "location": "Japan", "country": "Japan", "timezone": "JST", "job_title": "CTO",
        "skills": ("Python",), "product_interest": "Software", "company_size": 1000.0,
        "plan": "Free", "subscription_status": "Active", "purchased": False,
        "welcome_email_sent": False, "mrr": 0.0, "subscribed": "2026-05-05",
        "last_visit": "2026-04-20",
    },
    "dee": {
        "status": "Active", "label": ("newsletter",), "stage": "Trial", "email": "dee@mail.example",
        "location": "USA", "country": "USA", "state": "NY", "timezone": "EST", "plan": "Free",
        "purchased": False, "welcome_email_sent": False, "mrr": 50.0, "cart_value": 0.0,
        "cart_items": 0.0, "products_viewed": 5.0, "subscribed": "2026-05-02T12:00",
        "last_visit": "2026-05-08T18:00",
    },
    "eli": {
        "status": "Active", "stage": "Lead", "email": "eli@mail.example", "plan": "Free",
        "subscription_status": "Active", "subscribed": "2025-01-01",
        "list": ("News", "VIP Customers"),
    },
    "fay": {
        "status": "Pending", "email": "fay@mail.example", "birthday": "2000-02-29",
        "subscribed": "2026-04-01", "list": ("News",),
    },
    "gus": {
        "status": "Unsubscribed", "label": ("vip",), "stage": "Advocate",
        "email": "gus@mail.example", "country": "Germany", "region": "EU", "plan": "Pro",
        "purchased": True, "mrr": 700.0, "total_spent": 200.0, "lifetime_value": 900.0,
        "last_purchase": "2026-05-05", "list": ("All Subscribers",), "opted_out": ("News",),
    },
    "hal": {
        "status": "Hard Bounce", "label": ("newsletter",), "stage": "Customer",
        "email": "hal@company.com.example", "city": "jakarta barat", "list": ("News",),
        "opted_out": ("News",),
    },
    "ida": {
        "status": "Active", "email": "ida@mail.example", "country": "France", "region": "EU",
        "job_title": "Marketing Manager", "product_interest": "Marketing", "company_size": 120.0,
        "cart_value": 120.0, "cart_items": 2.0, "products_viewed": 4.0, "subscribed": "2026-03-01",
        "last_visit": "2026-05-09T01:00", "list": ("News",),
    },
    "jon": {
        "status": "Active", "stage": "Loyal", "email": "jon@mail.example", "customer_tier": "gold",
        "subscription_status": "Paused", "previous_customer": True, "total_spent": 40.0,
        "signup": "2021-01-01", "subscribed": "2021-01-01", "last_purchase": "2022-06-20",
    },
    "kim": {
        "status": "Active", "stage": "Loyal", "email": "kim@mail.example", "location": "USA",
        "country": "USA", "state": "TX", "timezone": "CST", "plan": "Basic", "purchased": True,
        "total_spent": 60.0, "lifetime_value": 60.0, "last_purchase": "2026-04-01",
        "list": ("All Subscribers",),
    },
    "lou": {
        "status": "Active", "stage": "Prospect", "email": "lou@mail.example", "city": "Tokyo",
        "location": "USA", "country": "USA", "state": "CA", "timezone": "EST", "job_title": "CTO",
        "skills": ("Go", "Python"), "customer_tier": "Silver", "subscription_status": "Active",
        "birthday": "1970-05-01", "signup": "2020-05-09", "last_visit": "2026-05-01",
    },
}  # fmt: skip

HISTORY: list[Event] = [
    *happened("ada", "email_send", "2026-04-12", "2026-05-01", campaign="spring"),
    *happened(
        "ada", "email_open",
        "2026-04-12", "2026-04-15", "2026-04-20", "2026-04-25", "2026-05-01", "2026-05-08",
    ),
    *happened("ada", "email_click", "2026-04-15", "2026-05-01", "2026-05-08", link="/offer"),
    *happened("ada", "page_view", "2026-01-05", url="/pricing"),
    *happened("ada", "purchase", "2026-02-01", amount=300.0),
    *happened("ada", "purchase", "2026-03-01T10:00", amount=500.0),
    *happened(
        "ben", "email_open",
        "2025-06-01", "2025-07-01", "2025-08-01", "2025-09-01", "2025-10-01", "2025-12-01",
    ),
    *happened("ben", "email_send", "2026-05-01", campaign="spring"),
    *happened("ben", "purchase", "2025-10-01", amount=650.0),
    *happened("cho", "page_view", "2026-04-20", url="/pricing"),
    *happened("dee", "email_open", "2026-05-07"),
    *happened("dee", "email_click", "2026-05-07", link="/trial"),
    *happened("dee", "page_view", "2026-05-08T18:00", url="/pricing"),
    *happened("dee", "add_to_cart", "2026-05-08T17:00"),
    *happened("eli", "email_open", "2025-11-01"),
    *happened("gus", "email_open", "2026-05-01"),
    *happened("gus", "purchase", "2026-04-20", "2026-05-05", amount=100.0),
    *happened("hal", "email_open", "2026-03-20"),
    *happened("ida", "email_click", "2026-04-15", link="/cart"),
    *happened("ida", "add_to_cart", "2026-05-09T01:00"),
    *happened("jon", "email_send", "2022-07-15", "2022-08-20", campaign="summer"),
    *happened("jon", "email_open", "2022-06-30T23:59:59.999999", "2022-10-01"),
    *happened("jon", "purchase", "2022-06-15", "2022-06-20", amount=20.0),
    *happened(
        "kim", "purchase",
        "2025-06-01", "2025-08-01", "2025-10-01", "2025-12-01", "2026-02-01", "2026-04-01",
        amount=10.0,
    ),
    *happened("kim", "email_open", "2026-04-12", "2026-04-20", "2026-04-30"),
    *happened("lou", "email_send", "2022-07-20", campaign="summer"),
    *happened("lou", "email_open", "2022-08-01"),
    *happened("lou", "page_view", "2026-05-01", url="/home"),
    *happened("ben", "list_joined", "2024-06-01", list="News"),
    *happened("fay", "list_joined", "2026-04-01", list="News"),
    *happened("gus", "list_opted_out", "2026-05-06", list="News"),
    *happened("hal", "list_opted_out", "2026-01-01", list="News"),
]  # fmt: skip


def _typed(name: str, value: object) -> object:
    """Return the date or instant that the text of one stands for, and other values as they are."""
    type_ = FIELDS.get(name)
    if type_ == "date":
        return instant(str(value)).date()
    return instant(str(value)) if type_ == "datetime" else value


SMALL = World(
    SCHEMA,
    {id_: {n: _typed(n, v) for n, v in contact.items()} for id_, contact in CONTACTS.items()},
    HISTORY,
)
