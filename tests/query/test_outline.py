"""Outlines: the tree as written, bound as a whole segment is."""

from __future__ import annotations

import os

import pytest

from headcount.model.errors import UserError
from headcount.query import tree
from headcount.query.bind import bind
from headcount.query.format import format as canonical
from headcount.query.names import Known
from headcount.query.outline import Outline, outline
from headcount.query.parse import parse
from support.engines import Engines, context_at, view_of
from support.parts import walk
from support.shop import AS_OF, SHOP
from support.strategies import seeded_cases

SEGMENTS = int(os.environ.get("HEADCOUNT_TEST_SEGMENTS", "2000")) // 2
VIEW = view_of(SHOP)
CONTEXT = context_at(AS_OF, "Europe/Berlin")


def outlined(text: str) -> Outline:
    """Return the outline of a segment about the shop."""
    return outline(parse(text), Known(VIEW), CONTEXT, text)


def test_an_outline_is_bound_as_the_whole_segment_is() -> None:
    """Condition, warnings and mentions are those of `bind`; the parts are those of the tree."""
    engines = Engines()
    for case in seeded_cases(77, SEGMENTS):
        view, context = engines.over(case.world).view, context_at(case.as_of, case.zone)
        text = canonical(case.segment)
        segment = parse(text)
        found = outline(segment, Known(view), context, text)
        assert found.bound == bind(segment, view, context, text)
        assert [part.node for part in found.parts] == [node for _, node in walk(segment)]
        assert [part.place for part in found.parts] == list(range(len(found.parts)))


def test_conditions_are_in_the_order_they_were_written() -> None:
    """What `and`, `or` and `not` join; what is inside `where` belongs to its condition."""
    text = "vip = true and (not country = DE or did purchase where (amount > 1 or gift = true))"
    found = outlined(text)
    assert [canonical(part.node) for part in found.conditions] == [
        "vip = true",
        "country = DE",
        "did purchase where (amount > 1 or gift = true)",
    ]
    spans = [part.node.span for part in found.conditions]
    assert [text[span.start : span.end] for span in spans if span] == [
        "vip = true",
        "country = DE",
        "did purchase where (amount > 1 or gift = true)",
    ]


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("plan != Free", "not plan is not empty"),
        ("not plan = Free", "not plan is not empty"),
        ("not plan != Free", None),
        ("plan = Free", None),
        ('city not contains "x"', "not city is not empty"),
        ('interests contains none ("art")', "not interests is not empty"),
        ('interests not contains none ("art")', None),
        ('not interests not contains any ("art")', None),
        ("spent not between 1 and orders", "not (spent is not empty and orders is not empty)"),
        ("spent not in (1, orders)", "not spent is not empty"),
        ("signed_up not within last 3 days", "not signed_up is not empty"),
        ("not signed_up < 3 days ago", "not signed_up is not empty"),
        ("spent / orders != 3", "not (spent / orders) is not empty"),
        ("coalesce(spent, 0) != 3", None),
        ("plan is empty", None),
        ('plan != ""', None),
        ("not plan is empty", None),
        ("opens_of_mail != 3", None),
        ("did not purchase", None),
        ('not in list "news"', None),
        ("not (plan = Free and vip = true)", None),
    ],
)
def test_who_lacks_a_value(text: str, lacking: str | None) -> None:
    """Negative conditions, and the `not` of positive ones, fit those who have no value."""
    root = outlined(text.replace("opens_of_mail", "purchase")).root
    assert (None if root.lacking is None else str(root.lacking)) == lacking
    assert outline(parse(text.replace("opens_of_mail", "purchase")), Known(VIEW), CONTEXT,
                   thorough=False).root.lacking is None  # fmt: skip


def test_what_is_wrong_is_said_once() -> None:
    """Values are bound again to see who lacks them; their warnings are not."""
    found = outlined("count(purchase between 2026-03-01 and 2026-01-01) != 1")
    assert [warning.code for warning in found.bound.warnings] == ["EMPTY_RANGE"]


def test_errors_are_those_of_binding() -> None:
    """The first error, with its place."""
    with pytest.raises(UserError, match="unknown field `contry`") as caught:
        outlined("vip = true and contry != DE")
    assert caught.value.position is not None
    assert caught.value.position.column == 16


def test_a_part_of_a_tree_without_text_has_no_span() -> None:
    """Trees that were not parsed are outlined as well."""
    segment = tree.Not(tree.Everyone())
    found = outline(segment, Known(VIEW), CONTEXT)
    assert [part.node.span for part in found.parts] == [None, None]
