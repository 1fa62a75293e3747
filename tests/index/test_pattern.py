"""Patterns against the plain definition of each operator, one string at a time."""

from __future__ import annotations

import pyarrow as pa
import pytest
import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headcount.index.pattern import OPS, Pattern, fixed_pieces
from headcount.model import fold
from headcount.model.errors import Reason, UserError
from headcount.model.schema import BUILTIN_FIELDS, Field, FieldType

ALPHABET = "abAB.%_\\\n\0ßéÉ\u0301İ😀ſk\u212a"
TEXT = st.text(ALPHABET, max_size=6)
FIELDS = st.builds(
    Field, st.just("f"), st.just(FieldType.TEXT), st.booleans(), st.booleans()
) | st.just(BUILTIN_FIELDS[0])


def like(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    first, rest = pattern[0], pattern[1:]
    if first == "%":
        return like(rest, text) or (bool(text) and like(pattern, text[1:]))
    if first == "_":
        return bool(text) and like(rest, text[1:])
    if first == "\\" and rest:
        first, rest = rest[0], rest[1:]
    return text[:1] == first and like(rest, text[1:])


def naive(op: str, literal: str, value: str, field: Field) -> bool:
    if op == "matches":
        options = re2.Options()
        options.case_sensitive = field.case_sensitive
        if not fold.is_exact(field):
            value = fold.normal(value, field.fold_accents)
            literal = fold.normal(literal, field.fold_accents)
        return bool(re2.compile(literal, options).search(value))
    held, wanted = fold.field_key(value, field), fold.field_key(literal, field)
    return {
        "contains": wanted in held,
        "starts with": held.startswith(wanted),
        "ends with": held.endswith(wanted),
        "like": like(wanted, held),
    }[op]


def run(op: str, literal: str, values: list[str | None], field: Field) -> list[bool]:
    pattern = Pattern.of(op, literal, field)
    array = pa.array(values, pa.string())
    found: list[bool] = pattern.test(array, fold.keys(array, field)).tolist()
    for value, hit in zip(values, found, strict=True):
        if hit and pattern.required is not None:
            assert pattern.required in fold.field_key(value or "", field)
    return found


@given(st.sampled_from(OPS[:4]), TEXT, st.lists(st.one_of(st.none(), TEXT), max_size=8), FIELDS)
@example("like", "%a%", ["a\nb", None, "", "xay"], Field("f", FieldType.TEXT))
@example("like", "a\\", ["a\\", "a"], Field("f", FieldType.TEXT))
@example("contains", "", [None, "", "a"], Field("f", FieldType.TEXT))
@settings(max_examples=400, deadline=None)
def test_literal_patterns(op: str, literal: str, values: list[str | None], field: Field) -> None:
    """Every operator but `matches`, with wildcards, escapes, NUL, newlines and folding."""
    expected = [v is not None and naive(op, literal, v, field) for v in values]
    assert run(op, literal, values, field) == expected


PIECES = ["a", "B", "é", "ß", "k", "ſ", r"\.", ".", "a*", "ab?", "b+", "a{2}", "b{0,1}", "[ab]"]
PIECES += ["[^a]", r"[\]x]", "[]a]", "[[:alpha:]]", "(a|b)", "(ab)?", r"\w", r"\d", "^", "$", "a|b"]
PIECES += ["(?i)", r"\x41", r"\pL", r"\Qa.b\E", "{", "(?:ab)", r"\b", "x{1,", r"\\", "😀"]


@given(
    st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
    st.lists(st.one_of(st.none(), TEXT), max_size=8),
    FIELDS,
)
@settings(max_examples=600, deadline=None)
def test_matches_is_re2(expression: str, values: list[str | None], field: Field) -> None:
    """Arrow's RE2 and google-re2 agree, and what is required is in the key of every match."""
    try:
        expected = [v is not None and naive("matches", expression, v, field) for v in values]
    except re2.error:
        with pytest.raises(UserError):
            Pattern.of("matches", expression, field)
        return
    assert run("matches", expression, values, field) == expected


@pytest.mark.parametrize(
    ("expression", "longest"),
    [
        (r"@example\.(com|org)$", "@example."),
        ("^ab+cd", "ab"),
        ("abc?de", "ab"),
        ("x{3}hello", "hello"),
        ("[a-z]+foo.bar", "foo"),
        ("a|b", ""),
        ("(?i)abc", ""),
        (r"\d+ euros", " euros"),
    ],
)
def test_the_fixed_text_of_an_expression(expression: str, longest: str) -> None:
    """The longest text that every match has; nothing where it takes more than a glance to tell."""
    assert max(fixed_pieces(expression), key=len, default="") == longest


def test_required_of_the_other_operators() -> None:
    """The folded literal, or the longest run between wildcards."""
    assert Pattern("contains", "GMail").required == "gmail"
    assert Pattern("like", "%a_bcd%e").required == "bcd"
    assert Pattern("like", "%_%").required is None
    assert Pattern("starts with", "").required is None


@pytest.mark.parametrize("expression", ["a(", "[z", "a{2000}", "a\\", "é(", "(?<=a)b"])
def test_a_bad_expression_is_the_users_error(expression: str) -> None:
    """The message names the expression and gives RE2's reason, as text."""
    with pytest.raises(UserError, match="RE2") as caught:
        Pattern("matches", expression)
    assert caught.value.reason is Reason.INVALID_VALUE
    assert expression in caught.value.message
    assert "b'" not in caught.value.message


def test_a_pattern_that_ruins_backtracking_is_linear() -> None:
    """A classic exponential pattern on 50,000 characters just answers."""
    value = pa.array(["a" * 50_000])
    assert Pattern("matches", "(a*)*b").test(value, value).tolist() == [False]
