"""The limits: at each one a segment is taken, one past it refused, in text and as a message."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from headcount.model.errors import Reason, UserError
from headcount.query import tree
from headcount.query.format import format as canonical
from headcount.query.limits import MAX_DEPTH, Limits, excess
from headcount.query.parse import parse
from headcount.query.proto import from_proto, to_proto
from headcount.v1 import query_pb2, segment_pb2, segments_pb2
from support import trees

EVERYONE = tree.Everyone()
X = tree.Name("x")
ONE = tree.Number(1.0)


def equal(left: tree.Value) -> tree.Segment:
    return tree.Compare(left, tree.CompareOp.EQ, ONE)


def groups(levels: int) -> tree.Segment:
    """Return `and` and `or` inside each other, *levels* of them."""
    segment: tree.Segment = equal(X)
    for level in range(levels):
        kind = tree.And if level % 2 else tree.Or
        segment = kind((segment, EVERYONE))
    return segment


def complements(levels: int) -> tree.Segment:
    segment: tree.Segment = EVERYONE
    for _ in range(levels):
        segment = tree.Not(segment)
    return segment


def sums(levels: int) -> tree.Segment:
    """Return `x + 1 + 1 ...`, which nests to the left without parentheses."""
    value: tree.Value = X
    for _ in range(levels):
        value = tree.Arithmetic(tree.ArithmeticOp.ADD, value, ONE)
    return equal(value)


def calls(levels: int) -> tree.Segment:
    value: tree.Value = X
    for _ in range(levels):
        value = tree.Call("abs", (value,))
    return equal(value)


def signs(levels: int) -> tree.Segment:
    value: tree.Value = X
    for _ in range(levels):
        value = tree.Negative(value)
    return equal(value)


def wheres(levels: int) -> tree.Segment:
    """Return the deepest messages: logic, arithmetic, `count`, `where`, logic, arithmetic."""
    inner = sums((levels - 4) // 2)
    event = tree.EventSelector("e", tree.Not(inner))
    value: tree.Value = tree.EventValue(tree.EventPick.COUNT, event)
    rest = levels - 3 - (levels - 4) // 2
    for _ in range(rest // 2):
        value = tree.Negative(value)
    segment = equal(value)
    for _ in range(rest - rest // 2):
        segment = tree.Not(segment)
    return segment


def windows(levels: int) -> tree.Segment:
    """Return a window whose time is stepped many times."""
    day = tree.DurationValue(tree.Duration(1, tree.Unit.DAY))
    time: tree.Value = tree.TimeWord(tree.Moment.NOW)
    for _ in range(levels):
        time = tree.Arithmetic(tree.ArithmeticOp.SUBTRACT, time, day)
    return tree.Did(tree.EventSelector("e"), window=tree.EdgeWindow(tree.Edge.SINCE, time))


NESTED = [groups, complements, sums, calls, signs, wheres, windows]


@pytest.mark.parametrize("nested", NESTED)
@pytest.mark.parametrize("depth", [8, MAX_DEPTH])
def test_depth(nested: object, depth: int) -> None:
    """80: at the limit every form is taken and becomes every other; one past it, none is."""
    assert callable(nested)
    limits = Limits(depth=depth)
    segment = nested(depth)
    text = canonical(segment)
    assert parse(text, limits) == segment
    data = to_proto(segment).SerializeToString()
    assert from_proto(segment_pb2.Segment.FromString(data), limits) == segment
    if depth == MAX_DEPTH:
        return
    deeper = nested(depth + 1)
    for read in (
        lambda: parse(canonical(deeper), limits),
        lambda: from_proto(to_proto(deeper), limits),
    ):
        with pytest.raises(UserError) as refused:
            read()
        assert refused.value.reason is Reason.LIMIT_EXCEEDED
        assert refused.value.position is not None or refused.value.field is not None


@pytest.mark.parametrize("nested", NESTED)
def test_the_deepest_segment_fits_into_a_request(nested: object) -> None:
    """Protobuf reads 100 nested messages: the deepest segment in the deepest request is fewer."""
    assert callable(nested)
    query = query_pb2.Query(segment=to_proto(nested(MAX_DEPTH)))
    request = segments_pb2.CountManyRequest(queries=[query])
    again = segments_pb2.CountManyRequest.FromString(request.SerializeToString())
    assert from_proto(again.queries[0].segment) == nested(MAX_DEPTH)


@pytest.mark.parametrize("nested", NESTED)
def test_one_past_the_deepest_is_refused(nested: object) -> None:
    """Nothing is deeper than the ceiling: not to be written, hence not to be read back."""
    assert callable(nested)
    for write in (canonical, to_proto):
        with pytest.raises(UserError) as refused:
            write(nested(MAX_DEPTH + 1))
        assert refused.value.reason is Reason.LIMIT_EXCEEDED


def test_depth_of_parentheses() -> None:
    """Parentheses count even where they could be left out."""
    assert parse("(" * 64 + "everyone" + ")" * 64) == EVERYONE
    with pytest.raises(UserError) as refused:
        parse("(" * 65 + "everyone" + ")" * 65)
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    assert refused.value.position is not None
    assert refused.value.position.column == 65


@pytest.mark.parametrize(
    "text",
    ["(" * 60_000, "not " * 16_000, "not " * 16_000 + "x = 1", "abs(" * 16_000, "- " * 30_000,
     "x = " + "- " * 30_000 + "y", "x = 1" + " + 1" * 15_000, "1 " * 30_000, "x and " * 10_000,
     "did x where (" * 5_000, "(" * 30_000 + ")" * 30_000, "x in (" * 10_000],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_no_text_exhausts_the_stack(text: str) -> None:
    """However deep, text is refused by a UserError."""
    with pytest.raises(UserError):
        parse(text)


def test_conditions() -> None:
    """Conditions are counted over the whole segment, with those inside `where`."""
    limits = Limits(conditions=4)
    four = "a = 1 and did open where (x = 1 or y = 2)"
    five = "everyone and " + four
    assert from_proto(to_proto(parse(four, limits)), limits) == parse(four)
    with pytest.raises(UserError, match="more than 4 conditions") as refused:
        parse(five, limits)
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    with pytest.raises(UserError, match="more than 4 conditions") as refused:
        from_proto(to_proto(parse(five)), limits)
    assert refused.value.field == "segment.items[2].did.event.where.items[1]"


def test_a_thousand_conditions_is_the_default() -> None:
    """80: 1,000 conditions are taken, 1,001 are not."""
    assert parse(" or ".join(["a = 1"] * 1_000))
    with pytest.raises(UserError, match="more than 1,000 conditions"):
        parse(" or ".join(["a = 1"] * 1_001))


@pytest.mark.parametrize(
    "text", ["x in ({})", "x contains any ({})", "in any list ({})", "coalesce({}) = 1"]
)
def test_values(text: str) -> None:
    """Every list of values has a longest length."""
    limits = Limits(values=3)
    three, four = (text.format(", ".join(['"a"'] * n)) for n in (3, 4))
    assert from_proto(to_proto(parse(three, limits)), limits) == parse(three)
    for read in (lambda: parse(four, limits), lambda: from_proto(to_proto(parse(four)), limits)):
        with pytest.raises(UserError, match="at most 3 values in one list, found 4") as refused:
            read()
        assert refused.value.reason is Reason.LIMIT_EXCEEDED


def test_a_hundred_thousand_values_is_the_default() -> None:
    """100,000 values in one `in (...)` are taken, one more is not."""
    most = tree.In(X, (ONE,) * 100_000)
    message = to_proto(most)
    assert from_proto(message) == most
    message.is_in.options.append(message.is_in.options[0])
    with pytest.raises(UserError, match="at most 100,000 values"):
        from_proto(message)
    assert parse(canonical(most), Limits(text_bytes=1 << 20)) == most


def test_text_is_measured_in_bytes_of_utf_8() -> None:
    """64 KiB of text are taken, one byte more is not, whatever the script."""
    for letter, size in (("a", 1), ("ä", 2), ("語", 3)):
        room = 64 * 1024 - len('x = ""')
        body = letter * (room // size) + " " * (room % size)
        assert parse(f'x = "{body}"') == tree.Compare(X, tree.CompareOp.EQ, tree.String(body))
        with pytest.raises(UserError, match="at most 65,536 bytes of text, found 65,537"):
            parse(f'x = "{body} "')


def test_periods() -> None:
    """The number of periods of a regularity is limited, and has an order of its own."""
    text = "did e in at least 2 of the last {} days"
    assert parse(text.format(1_000)) == from_proto(to_proto(parse(text.format(1_000))))
    with pytest.raises(UserError, match="at most 1,000 periods, found 1,001") as refused:
        parse(text.format(1_001))
    assert refused.value.reason is Reason.LIMIT_EXCEEDED
    longer = parse(text.format(1_001), Limits(periods=1_001))
    with pytest.raises(UserError, match="at most 1,000 periods, found 1,001") as refused:
        from_proto(to_proto(longer))
    assert refused.value.field == "segment.regularly.periods"


@pytest.mark.parametrize("name", ["text_bytes", "depth", "conditions", "values", "periods"])
def test_a_limit_starts_at_one(name: str) -> None:
    """A limit that nothing can keep to is refused when it is set."""
    with pytest.raises(UserError, match=f"`{name}` is 0"):
        Limits(**{name: 0})


def test_depth_has_a_ceiling() -> None:
    """Depth cannot be set so high that a segment has no message."""
    with pytest.raises(UserError, match="ends at 64"):
        Limits(depth=65)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees.segments)
def test_text_and_message_are_measured_alike(segment: tree.Segment) -> None:
    """What is too deep as a tree is too deep as a text and as a message, at the same setting."""
    text, message = canonical(segment), to_proto(segment)
    for depth in range(1, 9):
        limits = Limits(depth=depth)
        fits = excess(segment, limits) is None
        for read in (
            lambda limits: parse(text, limits),
            lambda limits: from_proto(message, limits),
        ):
            if fits:
                assert read(limits) == segment
            else:
                with pytest.raises(UserError):
                    read(limits)
