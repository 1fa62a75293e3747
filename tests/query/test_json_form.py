"""The JSON form: nothing is lost, much is understood, and the rest is refused with its place."""

from __future__ import annotations

import contextlib
import json
import random
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.json_form import (
    from_document,
    from_json,
    named_from_json,
    to_document,
    to_json,
)
from headcount.query.json_operators import BY_ANY_NAME, OPERATORS, Operator, Shape
from headcount.query.json_reader import KINDS
from headcount.query.limits import DEFAULT, Limits
from headcount.query.parse import parse
from headcount.query.proto import from_proto, to_proto
from support import trees

ANY_TREE = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


def refused(document: object, field: str = "") -> UserError:
    """Return the error of a document."""
    with pytest.raises(UserError) as caught:
        from_document(document, field=field)
    return caught.value


# --- nothing is lost --------------------------------------------------------------------------


@ANY_TREE
@given(trees.segments)
def test_text_tree_proto_and_json_say_the_same(segment: tree.Segment) -> None:
    """The JSON of a tree reads back to it, so does what the other forms make of that."""
    written = to_json(segment)
    assert from_json(written) == segment
    assert from_document(to_document(segment)) == segment
    assert from_json(to_json(segment, indent=2)) == segment
    assert from_proto(to_proto(from_json(written))) == segment
    assert parse(canonical(from_json(written))) == segment
    assert to_json(parse(canonical(segment))) == written


@ANY_TREE
@given(trees.segments)
def test_json_of_accepted_text_is_accepted(segment: tree.Segment) -> None:
    """JSON is never more than 16 times as long as text, so the limits agree."""
    assert len(to_json(segment).encode()) <= 16 * len(canonical(segment).encode())


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("plan = 'Pro'", {"field": "plan", "operator": "equals", "value": "Pro"}),
        ("`first name` = 1", {"field": "first name", "operator": "equals", "value": 1}),
        ("plan is not empty", {"field": "plan", "operator": "is_not_empty"}),
        ("x > 30 days ago", {"field": "x", "operator": "older_than_days", "value": 30}),
        (
            "x not within next 2 weeks",
            {"field": "x", "operator": "not_within_next_weeks", "value": 2},
        ),
        ("x >= 0.5", {"field": "x", "operator": "greater_than_or_equal", "value": 0.5}),
        ("x = 1e300", {"field": "x", "operator": "equals", "value": 1e300}),
        ("x = 2026-03-31", {"field": "x", "operator": "equals", "value": {"date": "2026-03-31"}}),
        ("x on today", {"field": "x", "operator": "on", "value": "today"}),
        ("x = y", {"field": "x", "operator": "equals", "value": {"expression": "y"}}),
        ("x = `y`", {"field": "x", "operator": "equals", "value": {"field": "y"}}),
        ("`x` = 1", {"expression": "`x`", "operator": "equals", "value": 1}),
        ("length(x) in (1)", {"expression": "length(x)", "operator": "in", "value": [1]}),
        ("x before 'y'", {"field": "x", "operator": "before", "value": {"expression": '"y"'}}),
        ("did not open once", {"event": "open", "negated": True, "times": {"exactly": 1}}),
        ("open ever", {"event": "open", "window": "ever"}),
    ],
)
def test_leaves_are_readable(text: str, document: dict[str, Any]) -> None:
    """A leaf names its field, operator and value; only what it cannot say is an expression."""
    assert to_document(parse(text)) == document
    assert from_document(document) == parse(text)


# --- operators --------------------------------------------------------------------------------

EXAMPLES: dict[Shape, Any] = {
    Shape.VALUE: 5,
    Shape.TIME: "2026-03-31",
    Shape.RANGE: [1, 5],
    Shape.LIST: ["a", "b"],
    Shape.TEXT: "a",
    Shape.TEXTS: ["a", "b"],
    Shape.AMOUNT: 5,
    Shape.DURATION: "5 days",
}


def leaf(operator: Operator, name: str) -> dict[str, Any]:
    """Return a condition with an operator by one of its names, and the value of its example."""
    value = {} if operator.shape is Shape.NONE else {"value": EXAMPLES[operator.shape]}
    return {"field": "x", "operator": name, **value}


@pytest.mark.parametrize("name", BY_ANY_NAME)
def test_every_name_of_an_operator(name: str) -> None:
    """Each name, in any case and with other gaps, means the text that is given with it."""
    operator = BY_ANY_NAME[name]
    wanted = parse(f"x {operator.text}")
    for spelled in (name, f" {name.upper()} ", name.replace("_", " "), name.replace("_", "-")):
        assert from_document(leaf(operator, spelled)) == wanted
    camel = re.sub("_(.)", lambda found: found[1].upper(), name)
    assert from_document(leaf(operator, camel)) == wanted


def test_every_operator_is_written_by_its_name() -> None:
    """The name is what comes back; a duration in words comes back in its unit."""
    for operator in OPERATORS.values():
        written = to_document(from_document(leaf(operator, operator.name)))
        if operator.shape is Shape.DURATION:
            operator = OPERATORS[written["operator"]]
            assert operator.shape is Shape.AMOUNT
        assert written == leaf(operator, operator.name)


def test_null_asks_for_missing_values() -> None:
    """Equality with null is `is empty`, as in text; other operators say so."""
    assert from_document({"field": "x", "operator": "=", "value": None}) == parse("x is empty")
    assert from_document({"field": "x", "operator": "ne", "value": None}) == parse("x != null")
    assert from_document({"field": "x", "operator": "exists", "value": None}) == parse(
        "x is not empty"
    )
    assert "found by `is_empty`" in refused({"field": "x", "operator": ">", "value": None}).message


# --- what is understood beside the canonical form ---------------------------------------------


def test_the_flat_form_of_other_tools() -> None:
    """53, 54, 178: conditions with operators as words, joined by logic, under a name."""
    document = {
        "name": "High Value Active",
        "conditions": [
            {"field": "lifetime_value", "operator": "greater_than", "value": 500},
            {"field": "last_activity", "operator": "within_days", "value": 30},
        ],
        "logic": "AND",
    }
    wanted = parse("lifetime_value > 500 and last_activity within last 30 days")
    named = named_from_json(json.dumps(document))
    assert named == ("High Value Active", wanted)
    del document["name"]
    assert named_from_json(json.dumps(document)) == (None, wanted)
    for logic, text in (("or", "or"), ("ANY", "or"), ("all", "and"), ("And", "and")):
        found = from_document({**document, "logic": logic})
        assert found == parse(f"lifetime_value > 500 {text} last_activity within last 30 days")
    del document["logic"]
    assert from_document(document) == wanted
    nested = {"conditions": [document, {"list": "x"}], "logic": "OR"}
    assert from_document(nested) == tree.Or((wanted, parse('in list "x"')))


def test_a_list_of_one_is_that_one() -> None:
    """Forms build a group before it has a second condition."""
    for key in ("all", "any", "conditions"):
        assert from_document({key: [{key: [{"list": "x"}]}]}) == parse('in list "x"')


def test_a_string_is_text_unless_only_a_time_can_stand_there() -> None:
    """A value that looks like a date is text for bind to judge; beside `before` it is a date."""
    found = from_document({"field": "x", "operator": "=", "value": "2026-03-31"})
    assert found == parse("x = '2026-03-31'")
    for text in ("2026-03-31", "2026-03-31T17:30Z", "now", "30 days ago", "today - 7 days"):
        assert from_document({"field": "x", "operator": "after", "value": text}) == parse(
            f"x after {text}"
        )
        assert from_document({"event": "e", "window": {"since": text}}) == parse(f"e since {text}")
    found = from_document({"field": "x", "operator": "before", "value": {"ago": "2 days"}})
    assert found == parse("x before 2 days ago")


def test_periods_with_gaps_of_any_kind() -> None:
    """`last_month` and `Last Month` are `last month`."""
    for period in tree.Period:
        for word in (period.value, period.value.replace(" ", "_"), period.value.upper()):
            found = from_document({"event": "e", "window": word})
            assert found == tree.Did(tree.EventSelector("e"), window=tree.CalendarWindow(period))


def test_a_plain_number_of_times_is_exact() -> None:
    """As `3 times` is in text."""
    assert from_document({"event": "e", "times": 3}) == parse("did e 3 times")
    assert from_document({"event": "e", "times": 3.0}) == parse("did e 3 times")


# --- refusals ---------------------------------------------------------------------------------

LEAF = {"field": "x", "operator": "=", "value": 1}
IN_LIST = {"list": "x"}


@pytest.mark.parametrize(
    ("document", "field", "message"),
    [
        (None, None, "expected a condition, an object such as"),
        ([LEAF], None, "found a list of 1"),
        ("plan = Pro", None, 'found "plan = Pro"'),
        ({}, None, "found an empty object"),
        ({"filter": 1}, None, 'to say what the condition is, found "filter"'),
        ({"list": "a", "segment": "b"}, None, "found `list` and `segment` in one object"),
        ({"all": LEAF}, "all", "expected a list of conditions, found an object"),
        ({"any": []}, "any", 'all contacts are {"everyone": true}'),
        ({"all": [LEAF, IN_LIST, 3]}, "all[2]", "found 3"),
        ({"not": [IN_LIST]}, "not", "found a list of 1"),
        ({"everyone": False}, "everyone", "expected true, found false"),
        ({"conditions": [LEAF], "logic": "XOR"}, "logic", 'expected "AND" or "OR", found "XOR"'),
        ({"all": [{"conditions": [LEAF], "name": "x"}]}, "all[0].name", "expected only"),
        ({"conditions": [LEAF], "name": 3}, "name", "expected a name"),
        ({**LEAF, "extra": 1}, "extra", "expected only `field`, `operator` and `value` here"),
        ({"field": 3, "operator": "=", "value": 1}, "field", "the name of a field"),
        ({"field": "", "operator": "=", "value": 1}, "field", "found an empty one"),
        ({"field": "x", "value": 1}, None, "expected an `operator`"),
        ({"field": "x", "operator": 3, "value": 1}, "operator", "expected an operator"),
        ({"field": "x", "operator": "equalz", "value": 1}, "operator", 'unknown operator "equalz"'),
        ({"field": "x", "operator": "="}, "value", "`equals` needs a value, found no `value`"),
        ({**LEAF, "value": ["a"]}, "value", "for several, use `in`"),
        ({**LEAF, "value": {"date": "2026-13-01"}}, "value.date", "expected a day of the calendar"),
        (
            {**LEAF, "value": {"date": "today"}},
            "value.date",
            'expected a date such as "2026-03-31"',
        ),
        ({**LEAF, "value": {"datetime": "2026-01-01"}}, "value.datetime", "a date with a time"),
        ({**LEAF, "value": {"ago": 30}}, "value.ago", 'expected a duration such as "30 days"'),
        ({**LEAF, "value": {"ago": "30"}}, "value.ago", 'found "30"'),
        ({**LEAF, "value": {"dat": "2026-01-01"}}, "value", 'what the value is, found "dat"'),
        ({**LEAF, "value": {}}, "value", "found none"),
        ({**LEAF, "value": {"field": "a", "ago": "b"}}, "value", 'found "field", "ago"'),
        ({**LEAF, "value": {"expression": "a +"}}, "value.expression", "expected a value"),
        ({**LEAF, "value": {"expression": "a = 1"}}, "value.expression", "or the end, found `=`"),
        ({**LEAF, "value": float("nan")}, "value", "expected a finite number, found nan"),
        ({**LEAF, "value": 2**53 + 1}, "value", "put it in quotes"),
        ({**LEAF, "value": 10**400}, "value", "expected a number up to 1.8e308"),
        ({**LEAF, "value": "\ud800"}, "value", "half a surrogate pair"),
        ({**LEAF, "value": object()}, "value", "found a Python object"),
        ({"field": "x", "operator": "between", "value": [1]}, "value", "expected a list of two"),
        (
            {"field": "x", "operator": "in", "value": "a"},
            "value",
            "expected a list of values, found",
        ),
        ({"field": "x", "operator": "in", "value": []}, "value", "found an empty list"),
        ({"field": "x", "operator": "in", "value": [1, []]}, "value[1]", "found an empty list"),
        ({"field": "x", "operator": "contains", "value": 5}, "value", "expected text, in quotes"),
        ({"field": "x", "operator": "contains", "value": ["a"]}, "value", "use `contains_any`"),
        ({"field": "x", "operator": "contains_any", "value": [5]}, "value[0]", "expected text"),
        ({"field": "x", "operator": "is_empty", "value": 1}, "value", "takes no value, found 1"),
        ({"field": "x", "operator": "within_days", "value": "30"}, "value", 'of days, found "30"'),
        ({"field": "x", "operator": "within_days", "value": 1.5}, "value", "found 1.5"),
        ({"field": "x", "operator": "within_days", "value": -1}, "value", "from 0, found -1"),
        ({"field": "x", "operator": "within_days", "value": True}, "value", "found true"),
        ({"field": "x", "operator": "within_years", "value": 1001}, "value", "at most 1,000 years"),
        ({"field": "x", "operator": "within", "value": 30}, "value", 'such as "30 days"'),
        ({"field": "x", "operator": "before", "value": "soon"}, "value", "expected a date or time"),
        ({"expression": "x = "}, "expression", "expected a value to compare with"),
        ({"expression": "x = 1", "value": 3}, "value", "expected an `operator` beside `value`"),
        ({"expression": 3}, "expression", "expected text, in quotes, found 3"),
        ({"event": None}, "event", "expected the name of an event, found null"),
        ({"event": "e", "times": {"least": 3}}, "times", "expected one of `at_least`"),
        ({"event": "e", "times": {"at_least": -1}}, "times.at_least", "from 0, found -1"),
        ({"event": "e", "times": -1}, "times", "from 0, found -1"),
        ({"event": "e", "times": {"between": [5, 2]}}, "times.between", "the smaller number first"),
        (
            {"event": "e", "times": {"between": 5}},
            "times.between",
            "expected a list of two numbers",
        ),
        ({"event": "e", "times": "3"}, "times", "expected a number of times"),
        ({"event": "e", "window": "last 30 days"}, "window", 'expected {"last": "30 days"}'),
        ({"event": "e", "window": {"within": "1 day"}}, "window", "expected one of `last`"),
        ({"event": "e", "window": {"last": "30 dayz"}}, "window.last", "expected a unit of time"),
        ({"event": "e", "window": {"since": "30 days"}}, "window.since", "expected a date or time"),
        ({"event": "e", "window": {"between": ["today"]}}, "window.between", "a list of two times"),
        ({"event": "e", "window": {"between": ["today", 3]}}, "window.between[1]", "in quotes"),
        ({"event": "e", "negated": 1}, "negated", "expected true or false, found 1"),
        ({"event": "e", "where": IN_LIST}, "where.list", "ask about other things outside"),
        ({"event": "e", "where": {"expression": "did f"}}, "where", "about other things outside"),
        (
            {"event": "e", "where": {"all": [LEAF, {**LEAF, "value": {"expression": "count(f)"}}]}},
            "where.all[1]",
            "`where` compares properties of the event",
        ),
        ({"event": "e", "then": {"event": "f"}}, None, "`then` needs `within`"),
        ({"event": "e", "then": {}, "within": "1 day"}, "then", "the second event, found none"),
        (
            {"event": "e", "then": {"event": "f", "times": 3}, "within": "1 day"},
            "then.times",
            "expected only `event`, `where` and `negated` here",
        ),
        (
            {"event": "e", "then": {"event": "f"}, "within": "1 day", "negated": True},
            "negated",
            'put the whole into {"not": ...}',
        ),
        ({"event": "e", "within": "1 day"}, "within", "for a window, use `window`"),
        ({"event": "e", "regularly": {"at_least": 3}}, "regularly", "expected `of_last`"),
        (
            {"event": "e", "regularly": {"at_least": 5, "of_last": 4, "period": "1 week"}},
            "regularly",
            "from 1 to 4 of the last 4 periods",
        ),
        (
            {"event": "e", "window": "today", "regularly": {}},
            "window",
            "the periods already say when",
        ),
        ({"list": []}, "list", "found an empty list"),
        ({"list": ["a", 3]}, "list[1]", "expected text"),
        ({"segment": 3}, "segment", "expected the name of a segment"),
        ({"sample": 101}, "sample", "from 0% to 100%, found 101%"),
        ({"sample": "10"}, "sample", 'a share in percent, from 0 to 100, found "10"'),
        ({3: 4}, None, "expected keys that are text, found 3"),
    ],
)
def test_what_is_not_understood(document: object, field: str | None, message: str) -> None:
    """Every mistake is refused with its path, what was expected and what was found."""
    with pytest.raises(UserError) as caught:
        from_document(document)
    assert message in caught.value.message
    assert caught.value.field == field
    with pytest.raises(UserError) as caught:
        from_document(document, field="query.json")
    assert caught.value.field == ("query.json" if field is None else f"query.json.{field}")


def test_suggestions() -> None:
    """Near names of operators, keys and kinds, and what other tools call them."""
    assert refused({"field": "x", "operator": "equalz"}).suggestions == ("equals",)
    assert refused({"field": "x", "operator": "doesNotContainz"}).suggestions[0] == "not_contains"
    assert refused({"and": [LEAF]}).suggestions == ("all",)
    assert refused({"should": [LEAF]}).suggestions == ("any",)
    assert refused({"rules": [LEAF], "combinator": "and"}).suggestions == ("conditions",)
    assert refused({"field": "x", "op": "=", "value": 1}).suggestions == ("operator",)
    assert refused({"evnt": "open"}).suggestions == ("event",)
    assert refused({"event": "open", "windw": "today"}).suggestions == ("window",)
    assert refused({**LEAF, "value": {"dat": "2026-01-01"}}).suggestions == ("date",)
    assert refused({"event": "e", "window": "last mnth"}).suggestions[0] == "last month"


def test_errors_inside_an_expression_have_both_places() -> None:
    """The path leads to the text, the position into it."""
    error = refused({"all": [LEAF, {"expression": "plan = Pro and\nspent >"}]}, field="json")
    assert error.field == "json.all[1].expression"
    assert error.position is not None
    assert (error.position.line, error.position.column) == (2, 8)


@pytest.mark.parametrize(
    ("text", "field", "message"),
    [
        ("", None, "found nothing"),
        ("  \n", None, "found nothing"),
        ("plan = Pro", None, "this is no JSON: expecting value, found `p`"),
        ('{"list": "x"', None, "found the end"),
        ('{"list": "x"} {}', None, "extra data, found `{`"),
        ("{'list': 'x'}", None, "expecting property name"),
        ('{"list": "x\n"}', None, "found the character U+000A"),
        ('{"list": "x", "list": "y"}', "list", 'expected each key once, found "list" twice'),
        ('{"all": [{"field": "a", "operator": "=", "value": {"date": 1, "date": 2}}]}',
         "all[0].value.date", "twice"),
        ('{"field": "x", "operator": "=", "value": NaN}', "value", "a finite number, found NaN"),
        ('{"field": "x", "operator": "=", "value": -Infinity}', "value", "found -Infinity"),
        ('{"field": "x", "operator": "=", "value": 1e999}', "value", "a finite number, found inf"),
        (f'{{"sample": {"9" * 5000}}}', "sample", "found a number of 5,000 digits"),
        (f'{{"event": "e", "times": {"9" * 5000}}}', "times", "found a number of 5,000 digits"),
        ('{"list": "\\ud800"}', "list", "half a surrogate pair"),
        ('{"\\ud800": 1}', None, "\\ud800"),
    ],
)  # fmt: skip
def test_text_that_is_no_json_or_more_than_json(text: str, field: str | None, message: str) -> None:
    """Readers differ in what they make of these, so none of them is taken."""
    with pytest.raises(UserError) as caught:
        from_json(text)
    assert message in caught.value.message
    assert caught.value.field == field


def test_the_place_in_text_that_is_no_json() -> None:
    """A short line is shown with a caret; of a long one the place is told."""
    with pytest.raises(UserError) as caught:
        from_json('{"all": [\n  {"list": x}]}')
    assert caught.value.position is not None
    assert (caught.value.position.line, caught.value.position.column) == (2, 12)
    with pytest.raises(UserError, match="at line 1, column 1001") as caught:
        from_json('{"list":' + " " * 992 + "x}")
    assert caught.value.position is None


# --- limits -----------------------------------------------------------------------------------


def error_of(document: object, limits: Limits = DEFAULT) -> UserError | None:
    """Return the error of a document, None if it is a segment that can be written."""
    try:
        found = from_document(document, limits)
    except UserError as error:
        return error
    assert parse(canonical(found)) == found
    assert from_document(to_document(found)) == found
    return None


def limited(document: object, **limits: int) -> str | None:
    """Return the field of the LIMIT_EXCEEDED that a document meets, "" for the root; or None."""
    error = error_of(document, Limits(**limits))
    if error is None:
        return None
    assert error.reason is Reason.LIMIT_EXCEEDED, error
    return error.field or ""


def test_limits_hold_for_the_whole() -> None:
    """Each limit is met exactly, with the path, wherever the conditions come from."""
    three = {"all": [LEAF, {"expression": "a = 1 or b = 2"}]}
    assert limited(three, conditions=3) is None
    assert limited(three, conditions=2) == "all[1]"
    assert limited({"any": [LEAF] * 3}, conditions=2) == "any"
    assert limited({"any": [{"all": [LEAF, LEAF]}, LEAF]}, conditions=2) == "any[1]"

    values = {"field": "x", "operator": "in", "value": [1, 2, 3]}
    assert limited(values, values=3) is None
    assert limited(values, values=2) == "value"
    assert limited({"list": ["a", "b", "c"]}, values=2) == "list"
    assert limited({**values, "operator": "contains_any", "value": ["a"] * 3}, values=2) == "value"
    assert limited({"not": {"expression": "coalesce(a, b, c) = 1"}}, values=2) == "not.expression"

    deep = {"not": {"not": {"expression": "-a > 1"}}}
    assert limited(deep, depth=3) is None
    assert limited(deep, depth=2) == "not.not"
    assert limited({"not": {"all": [{"any": [LEAF]}]}}, depth=2) == "not.all[0].any"
    assert limited({"event": "e", "where": {"not": LEAF}}, depth=1) == "where.not"
    weeks = {"event": "e", "regularly": {"at_least": 1, "of_last": 9, "period": "1 week"}}
    assert limited({"not": weeks}, periods=9) is None
    assert limited({"not": weeks}, periods=8) == "not"


def test_bytes_are_limited() -> None:
    """JSON may have 16 times the bytes of text, and so may an expression in it."""
    text = json.dumps({"expression": "x = '" + "é" * 100 + "'"}, ensure_ascii=False)
    size = len(text.encode())
    allowed = -(-size // 16)
    assert from_json(text, Limits(text_bytes=allowed))
    with pytest.raises(UserError, match="bytes of JSON, found") as caught:
        from_json(text, Limits(text_bytes=allowed - 1))
    assert caught.value.reason is Reason.LIMIT_EXCEEDED


@pytest.mark.parametrize("opening", ["[", '{"all":[', '{"not":', '{"event":"e","where":{"not":'])
def test_nesting_without_end(opening: str) -> None:
    """However deep a document is, the error is the limit's and not the stack's."""
    with pytest.raises(UserError) as caught:
        from_json(opening * 30_000)
    assert caught.value.reason is Reason.LIMIT_EXCEEDED
    document: dict[str, Any] = dict(LEAF)
    for _ in range(100_000):
        document = {"not": document}
    assert limited(document) == "not." * 64 + "not"


def test_brackets_in_strings_do_not_nest() -> None:
    """Only the structure is counted."""
    assert from_json('{"list": "\\"' + "[{" * 500 + '"}')


def test_shared_parts_cannot_multiply() -> None:
    """A document built in Python that contains itself many times over is still limited."""
    document: dict[str, Any] = dict(LEAF)
    for _ in range(60):
        document = {"all": [document, document]}
    assert limited(document) is not None


# --- fuzzing ----------------------------------------------------------------------------------

words = st.one_of(
    st.sampled_from([*KINDS, "operator", "value", "where", "times", "window", "then", "within"]),
    st.sampled_from(["regularly", "negated", "of", "logic", "name", "date", "ago", "duration"]),
    st.sampled_from(["at_least", "between", "last", "of_last", "period", "since"]),
    st.text(max_size=3),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.sampled_from(
        ["30 days", "today", "2026-03-31", "equals", "in", "x = 1", "AND", "older_than"]
    ),
)
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(documents)
def test_any_document(document: object) -> None:
    """What is made of the words of the form, at random, is read or refused."""
    error = error_of(document)
    assert error is None or error.message


def mutated(document: Any, other: Any, dice: random.Random) -> Any:
    """Return a copy of *document* with one part, chosen at random, replaced or removed."""
    if not isinstance(document, dict | list) or not document or dice.random() < 0.2:
        return other
    if isinstance(document, dict):
        copy: Any = dict(document)
        key = dice.choice(list(copy))
    else:
        copy = list(document)
        key = dice.randrange(len(copy))
    if dice.random() < 0.2:
        del copy[key]
    else:
        copy[key] = mutated(copy[key], other, dice)
    return copy


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees.segments, documents, st.randoms(use_true_random=False))
def test_a_document_with_one_thing_wrong(
    segment: tree.Segment, other: object, dice: random.Random
) -> None:
    """A valid document with one part replaced is read or refused."""
    error = error_of(mutated(to_document(segment), other, dice))
    assert error is None or error.message


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees.segments, st.data())
def test_text_cut_anywhere(segment: tree.Segment, data: st.DataObject) -> None:
    """JSON that ends early, or has something else in the middle, is refused or read."""
    text = to_json(segment)
    at = data.draw(st.integers(0, len(text) - 1))
    with pytest.raises(UserError):
        from_json(text[:at])
    noise = data.draw(st.text(max_size=2) | st.sampled_from(["[", "{", '"', "\\", ":", "9" * 500]))
    with_noise = text[:at] + noise + text[at + 1 :]
    with contextlib.suppress(UserError):
        assert from_json(with_noise) is not None
