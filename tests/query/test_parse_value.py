"""The text of a value alone: what calculated fields are written in, and expressions in JSON."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.limits import Limits
from headcount.query.parse import parse, parse_value
from support import trees


@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees.values)
def test_canonical_text_reads_back_to_the_same_value(value: tree.Value) -> None:
    """parse_value(format(v)) == v for every value."""
    assert parse_value(canonical(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "total_revenue / order_count",
        "(opens × 2) + (clicks * 5) + (purchases * 10)",
        "today - last_purchase_date",
        "sum(purchase.amount where (category = Shoes) in last 90 days)",
        "first(purchase between 2026-01-01 and today)",
        "min(purchase.amount)",
        "coalesce(nickname, `first name`, 'you')",
    ],
)
def test_a_value_reads_as_it_does_in_a_comparison(text: str) -> None:
    """A value alone is what it is on the left of an operator."""
    compared = parse(f"{text} = 1")
    assert isinstance(compared, tree.Compare)
    assert parse_value(text) == compared.left
    assert parse_value(text).span == tree.Span(0, len(text))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "expected a value, such as `total_spent / order_count`, found nothing", 1),
        ("-- none", "expected a value, such as `total_spent / order_count`, found nothing", 1),
        ("a > 3", "expected `+`, `-`, `*`, `/` or the end, found `>`", 3),
        ("a b", "expected `+`, `-`, `*`, `/` or the end, found `b`", 3),
        ("did open", "expected a value, such as a number, a date,", 1),
        ("(a = 3)", "expected a value here, found a condition", 1),
        ("purchase.amount", "is a property of many events", 1),
        ("(a", "this parenthesis is never closed", 1),
        ("opened in last 30 days", "expected `+`, `-`, `*`, `/` or the end", 8),
    ],
)
def test_what_is_no_value_alone(text: str, message: str, column: int) -> None:
    """A condition, or a value that does not end, is refused with its place."""
    with pytest.raises(UserError) as caught:
        parse_value(text)
    assert message in caught.value.message
    assert caught.value.reason is Reason.SYNTAX
    assert caught.value.position is not None
    assert caught.value.position.column == column


def test_limits_hold_for_values() -> None:
    """Depth and bytes are limited as for a segment."""
    limits = Limits(depth=3, text_bytes=20)
    assert parse_value("abs(abs(abs(x)))", limits)
    for text in ("abs(abs(abs(-x)))", "a + b + c + d + e", "a" * 21):
        with pytest.raises(UserError) as caught:
            parse_value(text, limits)
        assert caught.value.reason is Reason.LIMIT_EXCEEDED
