"""Whatever is thrown at the readers, the answer is a tree that has a text, or a UserError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headcount.model.errors import UserError
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.lexicon import UNITS
from headcount.query.parse import grammar, parse
from headcount.query.proto import from_proto, to_proto
from headcount.v1 import segment_pb2
from support import trees

fuzz = settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))

PIECES = [
    *grammar().keywords, *UNITS, *tree.FUNCTIONS, "plan", "opened", "x", "Größe", "first name",
    "=", "==", "!=", "<>", "<", "<=", ">", ">=", "(", ")", ",", ".", "%", "+", "-", "*", "×", "/",
    "--", "\n", " ", "1", "30", "1.5", "$500", "1_000", "5k", "1e400", "1,000", "'", '"', "`",
    '"Pro"', "'x'", "`a b`", '"\\"', '"\\ud800"', "2026-01-02", "2026-02-30", "2026-1-2",
    "03/04/2026", "2026-01-02T03:04:05Z", "2026-01-02 03:04", "&&", "||", ";", "“", "\u200b", "\0",
    "in last 30 days", "at least 3 times", "is not", "did open", "where (", "count(", "sum(a.b)",
]  # fmt: skip


def attempt(reader: Callable[[Any], tree.Segment], what: object) -> tree.Segment | UserError:
    """Return what *reader* makes of *what*, or its refusal."""
    try:
        return reader(what)
    except UserError as error:
        return error


def read(text: str) -> None:
    """Read *text*: it is refused with a place in it, or has all the forms of a segment."""
    segment = attempt(parse, text)
    if isinstance(segment, UserError):
        assert segment.message
        assert segment.position is not None or any(map(is_surrogate, text))
        return
    assert parse(canonical(segment)) == segment
    assert from_proto(to_proto(segment)) == segment


def is_surrogate(character: str) -> bool:
    """Return whether *character* is half of one, which is no text and has no place in it."""
    return "\ud800" <= character <= "\udfff"


@fuzz
@given(st.text(st.characters(), max_size=40))
def test_any_text(text: str) -> None:
    """Any string at all, lone surrogates included."""
    read(text)


@settings(fuzz, max_examples=3_000)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from([" ", "", "  -- x\n"]))
def test_any_words(pieces: list[str], between: str) -> None:
    """Words of the language in any order."""
    read(between.join(pieces))


@settings(fuzz, max_examples=500)
@given(trees.segments, st.data())
def test_damaged_text(segment: tree.Segment, data: st.DataObject) -> None:
    """A piece of a segment taken out, doubled, moved or replaced."""
    text = canonical(segment)
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    middle = data.draw(st.sampled_from(["", text[start:end] * 2, *PIECES]))
    damaged = text[:start] + middle + text[end:]
    read(damaged)
    read(text[:start])


@pytest.mark.parametrize(
    "text",
    [
        'country in ("US", "CA") and opened >= 5 emails in last 30 days -- x',
        "not did A where (x = 1) then did not B within 7 days between 2026-01-01 and now - 3 days",
        "sum(purchase.amount where (gift = true)) / count(open) > $1_000 or `first name` is empty",
    ],
)
def test_text_cut_anywhere(text: str) -> None:
    """A segment cut off at any place, from either end."""
    for cut in range(len(text)):
        read(text[:cut])
        read(text[cut:])


def read_bytes(data: bytes) -> None:
    """Read a message as the server does."""
    try:
        message = segment_pb2.Segment.FromString(data)
    except DecodeError:
        return
    segment = attempt(from_proto, message)
    if isinstance(segment, UserError):
        assert segment.field is not None
        return
    assert from_proto(to_proto(segment)) == segment
    assert parse(canonical(segment)) == segment


@fuzz
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Any bytes where a message is expected."""
    read_bytes(data)


@settings(fuzz, max_examples=500)
@given(trees.segments, st.data())
def test_damaged_bytes(segment: tree.Segment, data: st.DataObject) -> None:
    """A message with bytes changed, cut off or added."""
    good = bytearray(to_proto(segment).SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        if good:
            good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    read_bytes(bytes(good))
    read_bytes(bytes(good[: data.draw(st.integers(0, len(good)))]))
    read_bytes(bytes(good) + data.draw(st.binary(max_size=4)))
