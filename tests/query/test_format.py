"""Canonical text: it reads back to the same tree, and says no more than it must."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings

from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.limits import MAX_DEPTH
from headcount.query.lint import mixed
from headcount.query.parse import parse
from headcount.query.proto import from_proto, to_proto
from headcount.query.refusals import Refusals
from headcount.v1 import segment_pb2
from support import trees

slow = settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))


@slow
@given(trees.segments)
def test_text_tree_and_message_become_each_other_without_loss(segment: tree.Segment) -> None:
    """Text, tree and protobuf: a tour through all of them ends where it began."""
    text = canonical(segment)
    assert parse(text) == segment
    assert canonical(parse(text)) == text
    data = to_proto(segment).SerializeToString()
    assert from_proto(segment_pb2.Segment.FromString(data)) == segment


@settings(slow, max_examples=300)
@given(trees.segments)
def test_parentheses_are_needed(segment: tree.Segment) -> None:
    """
    Without any one pair of parentheses that joins, canonical text is another segment or none.

    Or it is one of which `lint` warns: `and` beside `or`.
    """
    text = canonical(segment)
    for start, end in joining_parentheses(text):
        if text[start - 1 : start + 2] == "-(-":  # without them it would start a comment
            continue
        without = f"{text[:start]} {text[start + 1 : end]} {text[end + 1 :]}"
        try:
            other = parse(without)
        except UserError:
            continue
        is_mixed = any(mixed(other, Refusals(without)))
        assert other != segment or is_mixed, f"{text} has needless parentheses at {start}"


def joining_parentheses(text: str) -> list[tuple[int, int]]:
    """Return the pairs of parentheses outside of text and names, as positions."""
    pairs, stack, quote = [], [], ""
    position = 0
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\" and quote == '"':
                position += 1
            elif character == quote:
                quote = ""
        elif character in '"`':
            quote = character
        elif character == "(":
            stack.append(position)
        elif character == ")":
            pairs.append((stack.pop(), position))
        position += 1
    return pairs


CANONICAL = {
    "PLAN=Pro": "PLAN = Pro",
    "plan <> 'Pro'": 'plan != "Pro"',
    "plan is not Pro": "plan != Pro",
    "a = 1 AND (b = 2 AND c = 3)": "a = 1 and (b = 2 and c = 3)",
    "a = 1 and b = 2 and c = 3": "a = 1 and b = 2 and c = 3",
    "a = 1 and b = 2 or c = 3": "(a = 1 and b = 2) or c = 3",
    "a = 1 and (b = 2 or c = 3)": "a = 1 and (b = 2 or c = 3)",
    "(((a = 1)))": "a = 1",
    "not (a = 1)": "not a = 1",
    "not (a = 1 or b = 2)": "not (a = 1 or b = 2)",
    "NOT NOT opened": "not not did opened",
    "not in list 'news'": 'not in list "news"',
    "not (in list 'news')": 'not (in list "news")',
    "in any list ('news')": 'in list "news"',
    "x == null": "x is empty",
    "x is not null": "x is not empty",
    "opened >= 5 emails in last 30 days": "did opened at least 5 times in last 30 days",
    "opened < 2 emails in the last 60 days": "did opened fewer than 2 times in last 60 days",
    "opened != 3 emails": "did not opened exactly 3 times",
    "opens = 0": "opens = 0",
    "opened 1 times": "did opened once",
    "opened twice": "did opened twice",
    "opened exactly 3 times": "did opened exactly 3 times",
    "never did purchase": "did not purchase",
    "did purchase in last month": "did purchase in last 1 month",
    "did purchase last month": "did purchase last month",
    "X > 30 days ago": "X more than 30 days ago",
    "X <= 1 days ago": "X at most 1 day ago",
    "X more than 30 days ago": "X more than 30 days ago",
    "X = 30 days ago": "X = 30 days ago",
    "Opens × 2 = Clicks * (5)": "Opens * 2 = Clicks * 5",
    "(a + b) * c - (d - e) > 0": "(a + b) * c - (d - e) > 0",
    "a - (b + c) - d > -(e + f)": "a - (b + c) - d > -(e + f)",
    "a / (b * c) > a / b * c": "a / (b * c) > a / b * c",
    "a > - - b": "a > -(-b)",
    "a > -(-3)": "a > 3",
    "a > $1_000.50": "a > 1000.5",
    "a > 1e3": "a > 1000",
    "a > 1e300": "a > 1e+300",
    "`plan` = `Pro`": "`plan` = `Pro`",
    "did `purchase`": "did purchase",
    "did `first open`": "did `first open`",
    "did `and`": "did `and`",
    "did day": "did day",
    "count(`open` where (`the client` = 1)) > 0": "count(open where (`the client` = 1)) > 0",
    r"""x = 'it\'s "so"\n'""": r'''x = "it's \"so\"\n"''',
    r'x matches "\d+"': r'x matches "\\d+"',
    "x = '\u2028'": r'x = "\u2028"',
    "x = 2026-01-02 10:00": "x = 2026-01-02T10:00:00",
    "x = 2026-01-02t10:00:00z": "x = 2026-01-02T10:00:00Z",
    "x = 2026-01-02T10:00:00.5-0330": "x = 2026-01-02T10:00:00.500000-03:30",
    "sample 12.50% of 'a'": 'sample 12.5% of "a"',
    "did E in at least 3 of the last 4 periods of 1 week": (
        "did E in at least 3 of the last 4 weeks"
    ),
    "did E in at least 3 of the last 4 periods of 2 weeks": (
        "did E in at least 3 of the last 4 periods of 2 weeks"
    ),
    "MIN(purchase.amount ever) > Max(a, b)": "min(purchase.amount ever) > max(a, b)",
}


@pytest.mark.parametrize(("text", "expected"), CANONICAL.items())
def test_spellings_have_one_canonical_form(text: str, expected: str) -> None:
    """What means the same is written the same, and formatting twice changes nothing."""
    assert canonical(parse(text)) == expected
    assert canonical(parse(expected)) == expected


def test_parts_of_a_segment_have_a_text_too() -> None:
    """Values, windows and events are written as they stand in a segment."""
    assert canonical(tree.Ago(tree.Duration(1, tree.Unit.DAY))) == "1 day ago"
    assert canonical(tree.CalendarWindow(tree.Period.LAST_WEEK)) == "last week"
    assert canonical(tree.EventSelector("a b", tree.IsEmpty(tree.Name("x")))) == (
        "`a b` where (x is empty)"
    )


def test_an_offset_with_seconds_is_written_as_the_same_instant() -> None:
    """Local mean time has offsets that text and protobuf cannot hold; the instant is kept."""
    zone = dt.timezone(dt.timedelta(minutes=53, seconds=28))
    time = tree.DateTime(dt.datetime(1890, 1, 1, 0, 53, 28, tzinfo=zone))
    segment = tree.Compare(tree.Name("x"), tree.CompareOp.AFTER, time)
    assert canonical(segment) == "x after 1890-01-01T00:00:00Z"
    assert parse(canonical(segment)) == segment == from_proto(to_proto(segment))


def test_a_tree_of_any_depth_is_refused_or_written() -> None:
    """A tree that was built by hand and is too deep is a user's error, never a RecursionError."""
    segment: tree.Segment = tree.Everyone()
    for _ in range(MAX_DEPTH):
        segment = tree.Not(segment)
    assert canonical(segment) == "not " * MAX_DEPTH + "everyone"
    for _ in range(20_000):
        segment = tree.Not(segment)
    for write in (canonical, to_proto):
        with pytest.raises(UserError) as refused:
            write(segment)
        assert refused.value.reason is Reason.LIMIT_EXCEEDED
