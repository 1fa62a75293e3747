"""Needs: what a workspace has, what it lacks, and what to do about it."""

from __future__ import annotations

import pytest

from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.segments.needs import Has, Need, NeedKind

SCHEMA = Schema(
    fields={
        "city": Field("city", FieldType.TEXT),
        "spent": Field("spent", FieldType.NUMBER),
        "born": Field("born", FieldType.DATE),
        "seen_at": Field("seen_at", FieldType.DATETIME),
        "tags": Field("tags", FieldType.KEYWORDS),
        "stage": Field("stage", FieldType.STAGE, values=("Lead", "Customer")),
    },
    events={
        "open": EventType("open", aliases=("opened",)),
        "purchase": EventType("purchase", properties=(Field("amount", FieldType.NUMBER),)),
    },
    groups={"anything": ("open", "purchase")},
    calculated={"score": "spent * 2"},
    labels=("VIP",),
    lists=("news",),
)
HAS = Has(SCHEMA, frozenset({"seen label"}), frozenset({"seen list"}))


def field(name: str, type_: str, *values: str) -> Need:
    """Return the need of a field."""
    return Need(NeedKind.FIELD, name, FieldType(type_), values)


@pytest.mark.parametrize(
    "need",
    [
        field("city", "text"),
        field("CITY", "keyword"),
        field("spent", "number"),
        field("born", "date"),
        field("born", "datetime"),
        field("seen_at", "date"),
        field("created_at", "datetime"),
        field("last_open", "datetime"),
        field("last_activity", "datetime"),
        field("score", "number"),
        field("score", "datetime"),
        field("tags", "keywords"),
        field("stage", "stage", "customer"),
        Need(NeedKind.EVENT, "Opened"),
        Need(NeedKind.EVENT, "anything"),
        Need(NeedKind.EVENT, "list_joined"),
        Need(NeedKind.PROPERTY, "purchase.Amount", FieldType.NUMBER),
        Need(NeedKind.PROPERTY, "anything.amount", FieldType.NUMBER),
        Need(NeedKind.LABEL, "vip"),
        Need(NeedKind.LABEL, "Seen Label"),
        Need(NeedKind.LIST, "NEWS"),
        Need(NeedKind.LIST, "seen list"),
    ],
    ids=str,
)
def test_what_there_is(need: Need) -> None:
    """A name in any case, of a type that serves, declared or seen, meets a need."""
    assert HAS.missing(need) is None


@pytest.mark.parametrize(
    ("need", "advice"),
    [
        (
            field("plan", "keyword"),
            'add the field: plan = "keyword" under [fields], and load the column',
        ),
        (field("city", "number"), "`city` is a text, and a number is needed; use another name"),
        (field("spent", "keyword"), "`spent` is a number, and a keyword is needed"),
        (field("city", "keywords"), "`city` is a text, and a keywords is needed"),
        (field("score", "keyword"), 'add the field: score = "keyword"'),
        (
            field("last_click", "datetime"),
            "declare the event [events.email_click], whose latest time it then is; or add the"
            ' field: last_click = "datetime" under [fields], and load the column',
        ),
        (
            field("last_purchase", "datetime"),
            'calculate it: last_purchase = "last(purchase)" under [calculated]; or add the field',
        ),
        (
            field("stage", "stage", "Lead", "Loyal", "Trial"),
            "`stage` does not know `Loyal`, `Trial`; put values of yours in the place",
        ),
        (
            Need(NeedKind.EVENT, "page_view"),
            "declare the event: [events.page_view]; or add `page_view` to the aliases",
        ),
        (
            Need(NeedKind.PROPERTY, "OPENED.link", FieldType.KEYWORD),
            'declare the property: properties = { link = "keyword" } under [events.open]',
        ),
        (
            Need(NeedKind.PROPERTY, "visit.page", FieldType.KEYWORD),
            'properties = { page = "keyword" } under [events.visit], and load the column',
        ),
        (
            Need(NeedKind.PROPERTY, "purchase.amount", FieldType.KEYWORD),
            "`amount` is a number, and a keyword is needed",
        ),
        (
            Need(NeedKind.LABEL, "beta"),
            'put the name of a label of yours in the place of "beta"; or add it to labels',
        ),
        (Need(NeedKind.LIST, "offers"), "or add it to lists in the schema"),
    ],
    ids=str,
)
def test_what_is_missing(need: Need, advice: str) -> None:
    """The advice names what to add and where."""
    found = HAS.missing(need)
    assert found is not None
    assert advice in found


def test_a_schema_without_events() -> None:
    """Engagement times need events; so does the latest activity."""
    found = Has(Schema()).missing(field("last_activity", "datetime"))
    assert found == "declare the events that contacts take part in, such as [events.email_open]"


def test_needs_print_in_words() -> None:
    """A need names its kind, name and type."""
    assert str(field("spent", "number")) == "field spent (number)"
    assert str(Need(NeedKind.LIST, "news")) == "list news"
