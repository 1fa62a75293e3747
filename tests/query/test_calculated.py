"""Calculated fields: parsed, put in order, and refused for what does not depend on the data."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount.model.errors import Reason, UserError
from headcount.model.schema import EventType, Field, FieldType, Schema
from headcount.query.calculated import MAX_PARTS, Calculations
from headcount.query.limits import Limits
from headcount.query.parse import parse_value

NUMBERS = ("total_revenue", "order_count", "score")


def schema(**calculated: str) -> Schema:
    """Return a schema with these calculated fields, in this order."""
    return Schema(
        fields={
            **{name: Field(name, FieldType.NUMBER) for name in NUMBERS},
            "last_purchase_date": Field("last_purchase_date", FieldType.DATE),
            "first name": Field("first name", FieldType.KEYWORD),
        },
        events={
            "email_open": EventType("email_open", aliases=("opens", "opened")),
            "email_click": EventType("email_click", aliases=("clicks",)),
            "purchase": EventType(
                "purchase",
                aliases=("purchases",),
                properties=(
                    Field("amount", FieldType.NUMBER),
                    Field("category", FieldType.KEYWORD),
                ),
            ),
        },
        groups={"engaged": ("email_open", "email_click")},
        calculated=calculated,
    )


def refused(**calculated: str) -> UserError:
    """Return the error of these calculated fields."""
    with pytest.raises(UserError) as caught:
        Calculations(schema(**calculated))
    return caught.value


def test_the_examples() -> None:
    """88, 89, 90: quotients, counts of events as inputs, days between dates."""
    texts = {
        "average_order_value": "total_revenue / order_count",
        "customer_score": "(opens × 2) + (clicks * 5) + (purchases * 10)",
        "days_since_purchase": "TODAY - Last_Purchase_Date",
    }
    found = Calculations(schema(**texts))
    assert [one.name for one in found.order] == list(texts)
    for name, text in texts.items():
        one = found.get(name.upper())
        assert one is not None
        assert (one.name, one.text, one.value, one.uses) == (name, text, parse_value(text), ())
    assert found.get("score") is None


def test_each_comes_after_those_it_uses() -> None:
    """Order of declaration does not matter; names match in any case, and are given as declared."""
    found = Calculations(schema(c="B + A * a", b="A / 2", A="`first name` + Last_Open"))
    assert [one.name for one in found.order] == ["A", "b", "c"]
    assert [one.uses for one in found.order] == [(), ("A",), ("b", "A")]


def test_whatever_stands_for_a_value_may_be_used() -> None:
    """Fields, engagement times, numbers of events by type, alias and group, figures, functions."""
    text = (
        "coalesce(score, engaged, length(`first name`), year(last_open), day(created_at),"
        " sum(purchase.amount where (category = Shoes and anything > 3) in last 90 days),"
        " count(clicks before today), 3)"
    )
    assert Calculations(schema(a=text)).get("a") is not None


def test_a_circle_is_named_with_its_path() -> None:
    """The path goes from user to used; the place is where the first uses the second."""
    error = refused(x="b + 1", a="1 + B", b="c", c="abs(a)")
    assert error.reason is Reason.INVALID_SCHEMA
    assert error.message == "a calculated field cannot be made from itself: `a` → `b` → `c` → `a`"
    assert error.field == "calculated.a"
    assert error.position is not None
    assert (error.position.column, error.position.source) == (5, "1 + B")
    assert "`a` → `a`" in refused(a="a + 1").message


@pytest.mark.parametrize(
    ("text", "message", "suggestions", "column"),
    [
        ("total_revenu / 2", "unknown field `total_revenu`", ("total_revenue",), 1),
        ("1 + sum(purchse.amount)", "unknown event `purchse`", ("purchase", "purchases"), 9),
        ("sum(purchase.amont)", "`purchase` has no property `amont`", ("amount",), 1),
        ("count(opend where (x = 1))", "unknown event `opend`", ("opened", "opens"), 7),
    ],
)
def test_unknown_names(text: str, message: str, suggestions: tuple[str, ...], column: int) -> None:
    """A name that nothing has is refused with its place and the nearest known ones."""
    error = refused(a=text)
    assert error.message.startswith(message)
    assert error.suggestions == suggestions
    assert error.field == "calculated.a"
    assert error.position is not None
    assert error.position.column == column


def test_what_does_not_parse() -> None:
    """The parser's error is passed on, with the name of the calculated field."""
    error = refused(good="1", bad="total_revenue /")
    assert (error.reason, error.field) == (Reason.SYNTAX, "calculated.bad")
    assert "expected a value" in error.message
    assert error.position is not None
    assert error.position.column == 16


def test_a_name_cannot_hide_another() -> None:
    """A built-in field or an engagement time keeps its name; an unused one may be taken."""
    assert "`stage` is a field already" in refused(stage="1").message
    error = refused(Last_Open="today")
    assert error.message.startswith("`Last_Open` is the time of the latest event already")
    assert error.field == "calculated.Last_Open"
    assert Calculations(schema(last_send="today")).get("LAST_SEND") is not None
    with pytest.raises(UserError, match="rename"):
        schema(Score="1")


def test_little_cannot_be_made_into_something_huge() -> None:
    """Ten that double each other are too large; a chain of 64 levels is the deepest."""
    doubling = {f"d{n}": f"d{n - 1} + d{n - 1}" for n in range(1, 9)}
    found = Calculations(schema(d0="score", **doubling))
    assert [one.name for one in found.order] == [f"d{n}" for n in range(9)]
    error = refused(d0="score", **doubling, d9="d8 + d8")
    assert (error.reason, error.field) == (Reason.LIMIT_EXCEEDED, "calculated.d9")
    assert "1,023 parts" in error.message
    assert 511 < MAX_PARTS < 1_023

    chain = {f"c{n}": f"-c{n - 1}" for n in range(1, 65)}
    assert len(Calculations(schema(c0="score", **chain)).order) == 65
    error = refused(c0="score", **chain, c65="-c64")
    assert (error.reason, error.field) == (Reason.LIMIT_EXCEEDED, "calculated.c65")
    assert Calculations(schema(a="abs(" * 64 + "score" + ")" * 64)).get("a") is not None
    with pytest.raises(UserError) as caught:
        Calculations(schema(a="1 + 1 + 1", b="-(-a)"), Limits(depth=3))
    assert caught.value.field == "calculated.b"


@given(st.permutations(range(6)), st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_any_graph_of_calculated_fields(declared: list[int], edges: list[tuple[int, int]]) -> None:
    """Fields that use only lower ones are ordered; one edge up makes a circle or is harmless."""
    down = {(a, b) for a, b in edges if b < a}
    texts = {
        f"f{n}": " + ".join(["1", *(f"f{b}" for a, b in sorted(down) if a == n)]) for n in declared
    }
    order = [one.name for one in Calculations(schema(**texts)).order]
    assert sorted(order) == sorted(texts)
    assert all(order.index(f"f{b}") < order.index(f"f{a}") for a, b in down)
    for low, high in itertools.combinations(range(6), 2):
        if (high, low) in down:
            error = refused(**{**texts, f"f{low}": f"f{high}"})
            assert "cannot be made from itself" in error.message
