"""docs/language.md, sections 1 and 2, sentence by sentence: grouping, sets, missing values."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headcount.model.errors import UserError
from support.asking import happened, schema
from support.oracle_time import RefusedError
from support.worlds import World

Ask = Callable[..., str]

# `none` has nothing at all, `blank` has the ways of writing nothing.
PEOPLE = World(
    schema(
        fields={
            "plan": "keyword",
            "backup": "keyword",
            "city": "text",
            "spent": "number",
            "orders": "number",
            "vip": "boolean",
            "birthday": "date",
            "seen_at": "datetime",
            "interests": "keywords",
            "first name": "text",
        },
        events={"open": {}, "order": {"amount": "number", "shop": "keyword"}},
        aliases={"open": ("opens", "opened")},
    ),
    {
        "ann": {
            "plan": "Pro",
            "backup": "Pro",
            "city": "Berlin",
            "spent": 100.0,
            "orders": 4.0,
            "vip": True,
            "interests": ("chess", "go"),
            "first name": "Ann",
        },
        "bob": {
            "plan": "Free",
            "backup": "Free",
            "city": "Bern",
            "spent": 0.0,
            "orders": 0.0,
            "vip": False,
            "interests": ("chess",),
        },
        "cid": {"plan": "Pro", "backup": "Gold", "spent": 10.0, "orders": 2.0},
        "none": {},
        "blank": {"plan": "", "city": None, "interests": (), "spent": None},
    },
    happened("ann", "open", "2026-05-01", "2026-05-02", "2026-05-03")
    + happened("bob", "open", "2026-05-01")
    + happened("ann", "order", "2026-05-01", amount=20.0, shop="web")
    + happened("cid", "order", "2026-05-01", shop="web"),
)

# A segment, and who is in it.
EXAMPLES = [
    # Section 1
    ("everyone", "ann bob cid none blank"),
    ("not everyone", ""),
    ("plan = Pro", "ann cid"),
    ("PLAN = 'pro'", "ann cid"),
    ("`first name` = 'Ann'", "ann"),
    ("plan is Pro and spent > $50 -- a comment", "ann"),
    ("plan = Free or plan = Pro and spent > 50", "ann bob"),  # `and` binds tighter
    ("(plan = Free or plan = Pro) and spent > 50", "ann"),
    ("not plan = Pro and vip = false", "bob"),  # `not` binds tighter still
    ("not (plan = Pro and vip = true)", "bob cid none blank"),
    ("spent between 0 and 10", "bob cid"),  # inclusive at both ends
    ("spent not between 0 and 10", "ann none blank"),
    ("plan in (Free, 'Gold')", "bob"),
    ("spent × 2 = 200", "ann"),
    # Section 2: not x is the exact complement of x among live contacts
    ("not spent > 50", "bob cid none blank"),
    ("not city contains 'er'", "cid none blank"),
    ("not not vip = true", "ann"),
    # A positive condition never matches a missing value
    ("plan = Pro or plan = Free", "ann bob cid"),
    ("spent < 10", "bob"),
    ("spent < 10 or spent >= 10", "ann bob cid"),
    ("city contains 'e'", "ann bob"),
    ("last(order) before 2030-01-01", "ann cid"),
    ("orders in (0, 4)", "ann bob"),
    ("plan = backup", "ann bob"),  # a field has that name
    ("plan = `backup`", "ann bob"),
    ("plan = 'backup'", ""),
    # A negative operator matches missing values
    ("plan != Free", "ann cid none blank"),
    ("plan != Free and plan is not empty", "ann cid"),
    ("city not contains 'Berlin'", "bob cid none blank"),
    ("plan not in (Pro, Free)", "none blank"),
    ("orders not between 1 and 9", "bob none blank"),
    ("city not matches '^Ber'", "cid none blank"),
    ("vip != true", "bob cid none blank"),
    ("vip is not false", "ann cid none blank"),
    ("interests not contains 'go'", "bob cid none blank"),
    ("interests contains none ('go', 'tennis')", "bob cid none blank"),
    ("birthday not within last 7 days", "ann bob cid none blank"),
    ("spent != orders", "ann cid none blank"),  # and so beside another field
    # is empty = absent, null, "", or an empty set; 0 and false are values
    ("plan is empty", "none blank"),
    ("city is empty", "cid none blank"),
    ("interests is empty", "cid none blank"),
    ("spent is empty", "none blank"),
    ("spent is not empty", "ann bob cid"),
    ("vip is not empty", "ann bob"),
    ("spent = null", "none blank"),
    ("spent is null", "none blank"),
    ("spent != null", "ann bob cid"),
    ("plan = ''", "none blank"),
    ("plan != ''", "ann bob cid"),
    ("seen_at is empty", "ann bob cid none blank"),
    # Arithmetic on a missing operand, or division by zero, is missing
    ("spent / orders = 25", "ann"),
    ("spent / orders is empty", "bob none blank"),
    ("spent / orders < 1000", "ann cid"),
    ("spent / orders != 25", "bob cid none blank"),
    ("spent + orders >= 0", "ann bob cid"),
    ("-spent < 0", "ann cid"),
    ("(spent - orders) * 2 between 16 and 192", "ann cid"),
    # No event is a number of events
    ("opens = 0", "cid none blank"),
    ("opens < 2", "bob cid none blank"),
    ("did open fewer than 2 times", "bob cid none blank"),
    ("did open at most 1 times", "bob cid none blank"),
    ("count(open) = 0", "cid none blank"),
    ("count(open) < 3", "bob cid none blank"),
    ("count(open) + count(order) = 4", "ann"),
    ("first(open) is empty", "cid none blank"),
    # A segment of only negatives is legal
    ("not plan = Pro and not opened", "none blank"),
    # A missing property behaves as a missing field does
    ("did order where (amount > 0)", "ann"),
    ("did order where (amount != 20)", "cid"),
    ("did order where (amount is empty)", "cid"),
    ("did order where (shop = web and not amount > 0)", "cid"),
    ("did not order where (shop = web)", "bob none blank"),
    # Section 8, Names and words
    ("spent between orders and 100", "ann bob cid"),
    ("spent in (orders, 10)", "bob cid"),
]


@pytest.mark.parametrize(("text", "members"), EXAMPLES)
def test_a_segment_is_a_set(ask: Ask, text: str, members: str) -> None:
    """Every contact is in a segment or in its complement."""
    assert ask(PEOPLE, text) == members
    assert set(ask(PEOPLE, f"not ({text}\n)").split()) == set(PEOPLE.contacts) - set(
        members.split()
    )


@pytest.mark.parametrize(
    "text",
    [
        "plan = true",
        "plan in (Pro, '')",
        "plan < Pro",
        "spent contains '1'",
        "vip > false",
        "nothing = 1",
        "`nothing` = 1",
        "plan = `Gold`",
        "did order where (plan = Pro)",
        "did order where (opened)",
        "spent = 'Pro'",
        "city = 3",
    ],
)
def test_what_is_an_error_is_refused(ask: Ask, text: str) -> None:
    """The parser or the oracle stumbles over what the page calls an error."""
    with pytest.raises((RefusedError, UserError)):
        ask(PEOPLE, text)
