"""Warnings of values that nobody has."""

from __future__ import annotations

import datetime as dt

import pytest

from headcount.query.engine import Engine
from support.asking import happened, schema
from support.engines import context_at, view_of
from support.shop import AS_OF
from support.worlds import World

TIMES = {"born": dt.date(2000, 2, 29), "seen": dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)}
WORLD = World(
    schema(
        {
            "plan": "keyword",
            "email": "text",
            "spent": "number",
            "tags": "keywords",
            "born": "date",
            "seen": "datetime",
            "vip": "boolean",
        },
        {
            "purchase": {
                "category": "keyword",
                "amount": "number",
                "due": "date",
                "gift": "boolean",
            },
            "login": {},
        },
        lists=("news",),
    ),
    {
        "ann": {
            "vip": False,
            "plan": "Free",
            "email": "ann@x.io",
            "spent": 1.0,
            "tags": ("a",),
            **TIMES,
        },
        "bob": {"plan": "Pro", "email": "bob@x.io", "spent": 2.5, "label": ("vip",)},
        "cem": {"email": "cem@x.io", "status": "Active"},
    },
    happened(
        "ann",
        "purchase",
        "2026-05-01",
        category="Books",
        amount=5.0,
        due=dt.date(2026, 6, 1),
        gift=True,
    ),
)
ENGINES = [Engine(view_of(WORLD, rows)) for rows in (1, 64)]


def warnings(text: str) -> list[str]:
    """Return the messages of a segment's warnings, the same for any size of block."""
    first, second = (
        [
            w.message
            for w in engine.validate(text, context_at(AS_OF)).warnings
            if w.code == "UNKNOWN_VALUE"
        ]
        for engine in ENGINES
    )
    assert first == second
    return first


@pytest.mark.parametrize(
    "text",
    [
        "plan = PRO",
        "plan in (free, Pro)",
        'email = "ann@x.io"',
        "id in (ann, cem)",
        "spent = 2.5",
        'tags contains "A"',
        'tags contains all ("a")',
        'label = "vip"',
        "status = Active",
        "did purchase where (category = books and amount = 5)",
        "born = 2000-02-29",
        'born in (2000-02-29) or seen = "2026-05-01T12:00:00Z"',
        "born = today or born = yesterday",
        "seen = 2026-05-02",
        "did purchase where (due = 2026-06-01)",
        "did login where (1 = 1)",
        'coalesce(email, plan) = "Pro"',
        "vip = false",
        "did purchase where (gift = true)",
    ],
)
def test_values_that_somebody_has(text: str) -> None:
    """A value that one contact or event has, in whatever block, is no warning."""
    assert warnings(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("plan = Prp", "no contact has `Prp` in `plan`; did you mean `Pro`?"),
        ("plan != gratis", "no contact has `gratis` in `plan`"),
        ("plan in (Pro, gold, silver)", "no contact has `gold`, `silver` in `plan`"),
        ('email = "dee@x.io"', "no contact has `dee@x.io` in `email`"),
        ("id = 42", "no contact has `42` in `id`"),
        ("spent = 3", "no contact has `3` in `spent`"),
        ("spent = 1234567.5", "no contact has `1234567.5` in `spent`"),
        ("born != 2000-02-28", "no contact has `2000-02-28` in `born`"),
        ("born in (2000-02-29, 2000-02-28)", "no contact has `2000-02-28` in `born`"),
        ('seen = "2026-05-01T12:00:01Z"', "no contact has `2026-05-01T12:00:01Z` in `seen`"),
        (
            "did purchase where (due = 2026-06-02)",
            "no `purchase` has `2026-06-02` in `purchase.due`",
        ),
        ("spent in (1, 7)", "no contact has `7` in `spent`"),
        ('tags contains any ("a", "zz")', "no contact has `zz` in `tags`"),
        ("status = Pending", "no contact has `Pending` in `status`"),
        ('in list "news"', "no contact has `news` in `list`"),
        (
            "did purchase where (category = bokks)",
            "no `purchase` has `bokks` in `purchase.category`; did you mean `Books`?",
        ),
        ("vip = true", "no contact has `true` in `vip`"),
        ("vip != true", "no contact has `true` in `vip`"),
        (
            "did purchase where (gift = false)",
            "no `purchase` has `false` in `purchase.gift`",
        ),
        ("did purchase where (amount = 6)", "no `purchase` has `6` in `purchase.amount`"),
    ],
)
def test_values_that_nobody_has(text: str, message: str) -> None:
    """A value that nobody has is a warning that says where it was looked for."""
    assert warnings(text) == [message]


def test_the_place_is_that_of_the_condition() -> None:
    """A warning points at the condition that names the value."""
    (found,) = ENGINES[0].validate("spent > 0 and plan = gold", context_at(AS_OF)).warnings
    assert found.code == "UNKNOWN_VALUE"
    assert found.position is not None
    assert (found.position.column, found.position.length) == (15, 11)
