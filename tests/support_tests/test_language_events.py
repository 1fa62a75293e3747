"""docs/language.md on events and lists, sentence by sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from headcount.model.errors import UserError
from support.asking import happened, instant, schema
from support.oracle_time import RefusedError
from support.worlds import Event, World

Ask = Callable[..., str]

BOUGHT = World(
    schema(
        fields={"purchase": "number"},  # called like the event
        events={
            "email_open": {"campaign": "keyword"},
            "email_click": {"campaign": "keyword", "mobile": "boolean"},
            "purchase": {"amount": "number", "category": "keyword", "due": "date"},
        },
        aliases={"email_open": ("opened", "opens"), "email_click": ("clicked",)},
        groups={"engaged": ("email_open", "email_click")},
        lists=("news", "nobody"),
    ),
    {
        "ann": {"list": ("news", "VIP"), "purchase": 7.0},
        "bob": {"list": ("news",), "opted_out": ("news",)},
        "cid": {"opted_out": ("VIP",)},
        "none": {},
    },
    happened("ann", "email_open", "2026-05-01", "2026-05-02", campaign="Spring")
    + happened("ann", "email_open", "2026-05-08")
    + happened("ann", "email_click", "2026-05-02", campaign="Spring", mobile=True)
    + happened("bob", "email_open", "2026-04-01", campaign="spring sale")
    + happened("bob", "email_click", "2026-05-03", mobile=False)
    + happened("ann", "purchase", "2026-05-03", amount=10.5, category="Books", due=None)
    + happened("ann", "purchase", "2026-05-04", amount=20.25, category="BOOKS")
    + happened("bob", "purchase", "2026-05-04", category="Toys")
    + happened("cid", "purchase", "2027-01-01", amount=99.0)
    + happened("bob", "list_joined", "2026-05-05", list="news")
    + happened("cid", "list_left", "2026-05-05", list="VIP"),
)

EXAMPLES = [
    # Types, aliases and groups, in any case
    ("did email_open", "ann bob"),
    ("did OPENED", "ann bob"),
    ("opened", "ann bob"),
    ("clicked in last 7 days", "bob"),  # from noon of 2 May on
    ("did engaged at least 4 times", "ann"),
    ("did engaged exactly 2 times", "bob"),
    # Numbers of events
    ("did opened 3 times", "ann"),
    ("did opened once", "bob"),
    ("did opened twice", ""),
    ("did opened 2 times", ""),
    ("did opened at least 2 times", "ann"),
    ("did opened at least 0 times", "ann bob cid none"),
    ("did opened at most 1 times", "bob cid none"),
    ("did opened more than 1 times", "ann"),
    ("did opened fewer than 3 times", "bob cid none"),
    ("did opened exactly 0 times", "cid none"),
    ("did opened between 1 and 2 times", "bob"),
    ("did opened between 0 and 3 times", "ann bob cid none"),
    ("did not opened", "cid none"),
    ("never did opened", "cid none"),
    ("did not opened at least 3 times", "bob cid none"),
    ("opened = 3", "ann"),
    ("opened != 3", "bob cid none"),
    ("opened > 1", "ann"),
    ("opens = 0", "cid none"),
    ("opens between 1 and 3", "ann bob"),
    ("opens not between 1 and 3", "cid none"),
    ("opened >= 2 emails in last 30 days", "ann"),
    ("opened < 2 emails in last 60 days", "bob cid none"),
    ("opened != 3 emails", "bob cid none"),
    # A field wins over an event of its name
    ("purchase = 7", "ann"),
    ("did purchase", "ann bob"),
    ("count(purchase) = 2", "ann"),
    # where
    ("did opened where (campaign = spring)", "ann"),
    ("did opened where (campaign contains 'spring') 2 times", "ann"),
    ("did opened where (campaign is empty)", "ann"),
    ("did opened where (campaign != spring)", "ann bob"),
    ("did not opened where (campaign = spring)", "bob cid none"),
    ("did clicked where (mobile = true and campaign = Spring)", "ann"),
    ("did clicked where (mobile = false or campaign = Spring) in last 30 days", "ann bob"),
    ("did purchase where (amount > 15) in last 6 days", "ann"),
    ("did purchase where (amount > 15) in last 5 days", ""),
    ("did purchase where (not amount > 15)", "ann bob"),
    ("did purchase where (due is empty) at least 2 times", "ann"),
    ("did engaged where (campaign = spring) 3 times", "ann"),
    ("count(purchase where (category = books)) = 2", "ann"),
    # first and last: a time, empty when there is none
    ("first(opened) on 2026-05-01", "ann"),
    ("last(opened) on 2026-05-08", "ann"),
    ("last(opened) before 2026-05-01", "bob"),
    ("last(opened) is empty", "cid none"),
    ("first(opened since 2026-05-02) on 2026-05-02", "ann"),
    ("last(purchase where (category = toys)) = 2026-05-04", "bob"),
    ("last(opened) > 30 days ago", "bob"),
    ("last(clicked) > first(opened)", "ann bob"),
    # Aggregates
    ("sum(purchase.amount) = 30.75", "ann"),
    ("sum(purchase.amount) = 0", "bob cid none"),
    ("sum(purchase.amount in last 6 days) = 20.25", "ann"),
    ("sum(purchase.amount since 2026-05-04) = 20.25", "ann"),
    ("sum(purchase.amount where (category = books)) > 30", "ann"),
    ("avg(purchase.amount) = 15.375", "ann"),
    ("avg(purchase.amount) is empty", "bob cid none"),
    ("min(purchase.amount) = 10.5", "ann"),
    ("max(purchase.amount) < 100", "ann"),
    ("distinct(purchase.category) = 1", "ann bob"),
    ("distinct(purchase.category) = 0", "cid none"),
    ("distinct(purchase.amount) = 2", "ann"),
    ("min(purchase.due) is empty", "ann bob cid none"),
    # Lists
    ("in list 'news'", "ann bob"),  # opting out does not end membership
    ("not in list 'news'", "cid none"),
    ("in list 'NEWS'", "ann bob"),
    ("in any list ('news', 'VIP')", "ann bob"),
    ("not in any list ('vip', 'nobody')", "bob cid none"),
    ("opted out of list 'news'", "bob"),
    ("opted out of list 'VIP'", "cid"),
    ("not opted out of list 'news'", "ann cid none"),
    ("in list 'nobody'", ""),
    ("did list_joined where (list = 'news') in last 7 days", "bob"),
    ("did list_left where (list = 'vip')", "cid"),
    ("did list_joined where (list = 'vip')", ""),
]


@pytest.mark.parametrize(("text", "members"), EXAMPLES)
def test_events_and_lists(ask: Ask, text: str, members: str) -> None:
    """Events are counted by type, alias or group, by property and by time."""
    assert ask(BOUGHT, text) == members


@pytest.mark.parametrize(
    "text", ["did nothing", "did opened where (spent > 3)", "did opened where (in list 'news')"]
)
def test_what_nobody_can_do_is_refused(ask: Ask, text: str) -> None:
    """Unknown events and properties are errors, and so is a contact's condition inside `where`."""
    with pytest.raises((RefusedError, UserError)):
        ask(BOUGHT, text)


# --- sequences and regularity --------------------------------------------------------------------

STEPS = World(
    schema(events={"cart": {}, "order": {"paid": "boolean"}}),
    {
        name: {}
        for name in ("same", "next", "edge", "late", "waiting", "over", "after", "none", "twice")
    },
    happened("same", "cart", "2026-05-01")
    + happened("same", "order", "2026-05-01")
    + happened("next", "cart", "2026-05-01")
    + happened("next", "order", "2026-05-01T00:00:00.000001", paid=True)
    + happened("edge", "cart", "2026-05-01")
    + happened("edge", "order", "2026-05-08", paid=False)
    + happened("late", "cart", "2026-05-01")
    + happened("late", "order", "2026-05-08T00:00:00.000001")
    + happened("waiting", "cart", "2026-05-02T12:00:00.000001")
    + happened("over", "cart", "2026-05-02T12:00")
    + happened("after", "cart", "2026-05-04")
    + happened("after", "order", "2026-05-09T12:00:00.000001")
    + happened("twice", "cart", "2026-04-01", "2026-05-01")
    + happened("twice", "order", "2026-05-03"),
)

SEQUENCES = [
    # strictly after, and at most 7 days later
    ("did cart then did order within 7 days", "next edge twice"),
    ("did cart then did order within 168 hours", "next edge twice"),
    ("did cart then did order within 8 days", "next edge late twice"),
    ("did cart then did order within 1 month", "next edge late twice"),
    ("did cart then did order where (paid = true) within 7 days", "next"),
    ("not did cart then did order within 7 days", "same late waiting over after none"),
    # did not: some A has none, and its 7 days are over by as_of
    ("did cart then did not order within 7 days", "same late over twice"),
    ("did cart then did not order where (paid = true) within 7 days", "same edge late over twice"),
    # the window holds A; B may be after its end but not after as_of
    ("did cart then did order within 7 days on 2026-05-01", "next edge twice"),
    ("did cart then did order within 7 days before 2026-05-01", ""),
    ("did cart then did not order within 7 days before 2026-05-01", "twice"),
    ("did cart then did not order within 7 days since 2026-05-01", "same late over"),
    ("did cart then did cart within 1 month", "twice"),
    ("did cart then did cart within 29 days", ""),
]


@pytest.mark.parametrize(("text", "members"), SEQUENCES)
def test_sequences(ask: Ask, text: str, members: str) -> None:
    """`then` is strictly after, and within exactly the time given."""
    assert ask(STEPS, text) == members


HABITS = World(
    schema(events={"visit": {}}),
    {"weekly": {}, "edges": {}, "burst": {}, "monthly": {}, "none": {}},
    happened("weekly", "visit", "2026-05-31T12:00", "2026-05-20", "2026-05-15")
    + happened("edges", "visit", "2026-05-24T12:00", "2026-05-17T12:00")
    + happened("burst", "visit", "2026-05-30", "2026-05-30", "2026-05-29")
    + happened("monthly", "visit", "2026-04-30T12:00:00.000001", "2026-04-30T12:00", "2026-03-31"),
)

REGULAR = [
    # period i is as_of - (i+1) d < t <= as_of - i d
    ("did visit in at least 3 of the last 3 weeks", "weekly"),
    ("did visit in at least 2 of the last 3 weeks", "weekly edges"),
    ("did visit in at least 1 of the last 1 weeks", "weekly burst"),
    ("did visit in at least 1 of the last 2 periods of 1 week", "weekly edges burst"),
    ("did visit at least 2 times in at least 1 of the last 2 weeks", "burst"),
    ("did visit at most 0 times in at least 2 of the last 2 weeks", "monthly none"),
    ("did visit exactly 1 times in at least 2 of the last 3 weeks", "weekly edges"),
    # months are stepped from as_of each time: from 31 May to 30 April, to 31 March
    ("did visit in at least 2 of the last 2 months", "monthly"),
    ("did visit in at least 3 of the last 3 months", "monthly"),
]


@pytest.mark.parametrize(("text", "members"), REGULAR)
def test_regularity(ask: Ask, text: str, members: str) -> None:
    """Periods lie back to back and end at as_of."""
    assert ask(HABITS, text, "2026-05-31T12:00") == members


# --- identity ----------------------------------------------------------------------------------


def test_an_id_counts_once_within_one_contact_and_type(ask: Ask) -> None:
    """The first event of an id is kept; other types and contacts have ids of their own."""
    twice = [Event("ann", "open", instant(t), "e1") for t in ("2026-05-01", "2026-05-02")]
    world = World(
        schema(events={"open": {}, "click": {}}),
        {"ann": {}, "bob": {}},
        [
            *twice,
            Event("bob", "open", instant("2026-05-03"), "e1"),
            Event("ann", "click", instant("2026-05-03"), "e1"),
            *happened("bob", "open", "2026-05-03", "2026-05-03"),  # no id: each one counts
        ],
    )
    assert ask(world, "open = 1") == "ann"
    assert ask(world, "open = 3") == "bob"
    assert ask(world, "click = 1") == "ann"
    assert ask(world, "last(open) on 2026-05-01") == "ann"
    later_first = dataclasses.replace(world, events=[*reversed(twice)])
    assert ask(later_first, "last(open) on 2026-05-02") == "ann"
