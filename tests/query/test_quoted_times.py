"""
Dates as plain strings: beside a date or datetime they are what they spell, in every form.

178: the flat form of other tools has no other way to write one. 61: absolute instants.
"""

from __future__ import annotations

from typing import Any

import pytest

from headcount.model.errors import Reason, UserError
from headcount.query.engine import Engine
from headcount.query.json_form import from_document
from headcount.query.parse import parse
from headcount.query.proto import from_proto, to_proto
from support import oracle
from support.engines import context_at, members_of, view_of
from support.shop import AS_OF, SHOP

ENGINE = Engine(view_of(SHOP, 2))
ZONE = "Europe/Berlin"
CONTEXT = context_at(AS_OF, ZONE)

SAME = [
    ("signed_up", "before", "2026-02-08", "signed_up before 2026-02-08"),
    ("signed_up", "after", "2026-02-08", "signed_up after 2026-02-08"),
    ("signed_up", "greater_than", "2026-02-08", "signed_up > 2026-02-08"),
    ("signed_up", "less_than_or_equal", "2025-05-09", "signed_up <= 2025-05-09"),
    ("signed_up", "equals", "2026-05-01T10:00:00Z", "signed_up = 2026-05-01T10:00:00Z"),
    ("signed_up", "not_equals", "2026-05-01T12:00", "signed_up != 2026-05-01T12:00"),
    ("born", "equals", "1990-05-09", "born = 1990-05-09"),
    ("born", "<", "1990-05-09", "born < 1990-05-09"),
    ("born", "in", ["1990-05-09", "2000-12-31"], "born in (1990-05-09, 2000-12-31)"),
    ("born", "not_in", ["1990-05-09"], "born not in (1990-05-09)"),
    ("born", "between", ["1984-02-29", "1999-01-01"], "born between 1984-02-29 and 1999-01-01"),
    ("last_open", "greater_than", "2026-04-09", "last_open > 2026-04-09"),
]


@pytest.mark.parametrize(("field", "operator", "value", "text"), SAME)
def test_a_string_beside_a_time_is_the_time(
    field: str, operator: str, value: Any, text: str
) -> None:
    """In the nested form, in the flat one, as text and as a message; the oracle says the same."""
    leaf = {"field": field, "operator": operator, "value": value}
    nested = from_document(leaf)
    flat = from_document({"name": "x", "conditions": [leaf], "logic": "AND"})
    right = members_of(ENGINE, text, CONTEXT)
    assert right
    for segment in (nested, flat, from_proto(to_proto(nested))):
        assert members_of(ENGINE, segment, CONTEXT) == right
    assert set(right) == oracle.members(SHOP, nested, AS_OF, ZONE)


def test_text_takes_quotes_too() -> None:
    """The three forms stay one language, on either side and inside `where`."""
    for quoted, plain in (
        ('"2026-02-08" < signed_up', "2026-02-08 < signed_up"),
        ('did purchase where (due = "2026-06-01")', "did purchase where (due = 2026-06-01)"),
        ('today >= "2026-05-09"', "today >= 2026-05-09"),
    ):
        assert members_of(ENGINE, quoted, CONTEXT) == members_of(ENGINE, plain, CONTEXT)


def test_a_string_beside_a_string_stays_text() -> None:
    """A keyword may hold what looks like a date."""
    assert members_of(ENGINE, parse('country = "2026-02-08"'), CONTEXT) == []


@pytest.mark.parametrize("value", ["soon", "today", "30 days ago", "2026-02-30", "08.02.2026", ""])
@pytest.mark.parametrize("operator", ["greater_than", "in"])
def test_a_string_that_is_no_time_is_refused(operator: str, value: str) -> None:
    """With what was expected and how other times are written."""
    held = [value, "2026-01-01"] if operator == "in" else value
    segment = from_document({"field": "born", "operator": operator, "value": held})
    with pytest.raises(UserError, match="expected a date such as 2026-03-31") as caught:
        ENGINE.count(segment, CONTEXT)
    assert caught.value.reason is Reason.INVALID_VALUE
