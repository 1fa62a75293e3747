"""docs/json.md: its examples, tables and errors are those of the code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from headcount.model.errors import UserError
from headcount.query import tree
from headcount.query.bind import bind
from headcount.query.json_form import (
    from_document,
    from_json,
)
from headcount.query.json_operators import OPERATORS, Shape
from headcount.query.json_reader import KINDS
from headcount.query.parse import parse
from support.engines import context_at, view_of
from support.shop import AS_OF, SHOP

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text()


def test_the_examples_of_the_page_mean_their_text() -> None:
    """Every JSON example is followed by the text that it means."""
    pairs = re.findall(r"```json\n(.*?)```\n```\n(.*?)```", PAGE, re.DOTALL)
    assert len(pairs) == PAGE.count("```json") >= 6
    for document, text in pairs:
        assert from_json(document) == parse(text)


def test_the_table_of_operators_is_the_one_in_use() -> None:
    """Each operator, its other names, the shape of its value and its text; units once."""
    shapes = {
        Shape.VALUE: "a value",
        Shape.TIME: "a time",
        Shape.RANGE: "two values",
        Shape.LIST: "a list of values",
        Shape.TEXT: "text",
        Shape.TEXTS: "a list of texts",
        Shape.NONE: "none",
        Shape.AMOUNT: "a whole number",
        Shape.DURATION: "a duration",
    }
    section = PAGE.partition("## Operators")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \| `(.*)` \|$", section, re.MULTILINE)
    shown = [(n, tuple(re.findall("`(.*?)`", also)), v, text) for n, also, v, text in rows]
    assert shown == [
        (operator.name, operator.also, shapes[operator.shape], operator.text)
        for operator in OPERATORS.values()
        if operator.unit in (None, tree.Unit.DAY)
    ]
    units = re.findall("`within_([a-z]+)`", section.partition("in every unit")[2])
    assert units == [f"{unit}s" for unit in tree.Unit]


def test_the_table_of_kinds_is_the_one_in_use() -> None:
    """Each key that says what a condition is, and what may stand beside it."""
    section = PAGE.partition("## Conditions")[2].partition("\n## ")[0]
    shown = {}
    for keys, beside in re.findall(r"^\| (`.*?) \| .* \| (.*)\|$", section, re.MULTILINE):
        for key in re.findall("`([a-z_]+)`", keys):
            shown[key] = set(re.findall("`([a-z_]+)`", beside))
    assert shown == {kind: {*beside} for kind, beside in KINDS.items()} | {
        "conditions": {"logic", "name"}
    }


def test_the_values_of_the_page_are_what_they_say() -> None:
    """Each value in JSON is the value beside it in text."""
    section = PAGE.partition("## Values")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*`) \| (`.*`) \|$", section, re.MULTILINE)
    assert len(rows) == 9
    for left, right in rows:
        values = re.findall("`(.*?)`(?:,|$)", left)
        texts = [right.strip("` ")] if "`` " in right else re.findall("`(.*?)`(?:,|$)", right)
        for value, text in zip(values, texts, strict=True):
            text = f"`{text}`" if "`` " in right else text
            document = {"field": "x", "operator": "equals", "value": json.loads(value)}
            assert from_document(document) == parse(f"x = {text}")


def test_the_errors_of_the_page_are_raised() -> None:
    """Each mistake is answered with the path and message beside it."""
    section = PAGE.partition("## Errors")[2]
    rows = re.findall(r"^\| `(\{.*\})` \| (.*) \|$", section, re.MULTILINE)
    assert len(rows) == 9
    for text, shown in rows:
        with pytest.raises(UserError) as caught:
            bind(from_json(text), view_of(SHOP), context_at(AS_OF, "UTC"))
        error = caught.value
        place = ", with the place in the text" if error.position else ""
        wanted = f"`{error.field}`{place}: {error.message}"
        if error.suggestions:
            wanted += f"; did you mean {' or '.join(f'`{name}`' for name in error.suggestions)}?"
        assert shown == wanted
