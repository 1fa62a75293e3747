"""The protobuf form: every message that is no tree is refused, with the path of the place."""

from __future__ import annotations

import pytest
from google.protobuf import json_format, text_format
from google.protobuf.descriptor import Descriptor

from headcount.model.errors import Reason, UserError
from headcount.query.format import format as canonical
from headcount.query.parse import parse
from headcount.query.proto import from_proto, to_proto
from headcount.v1 import segment_pb2 as pb

GOOD = {
    "everyone": "everyone {}",
    "x = 1": "compare { left { name { name: 'x' bare: true } } operator: COMPARE_OPERATOR_EQ"
    " right { number: 1 } }",
    "not did `a b` at least 3 times since 2026-01-02": "logic: LOGIC_NOT items { did {"
    " event { name: 'a b' } times { operator: TIMES_OPERATOR_AT_LEAST n: 3 }"
    " window { edge { edge: EDGE_SINCE time { date { year: 2026 month: 1 day: 2 } } } } } }",
    "-`x` * 2 days > 3": "compare { left { arithmetic: ARITHMETIC_OPERATOR_MULTIPLY"
    " operands { arithmetic: ARITHMETIC_OPERATOR_NEGATE operands { name { name: 'x' } } }"
    " operands { duration { amount: 2 unit: DURATION_UNIT_DAY } } }"
    " operator: COMPARE_OPERATOR_GT right { number: 3 } }",
}


@pytest.mark.parametrize(("text", "message"), GOOD.items())
def test_a_message_is_its_tree(text: str, message: str) -> None:
    """Messages as a client writes them become the tree of their text, and back."""
    segment = text_format.Parse(message, pb.Segment())
    assert from_proto(segment) == parse(text)
    assert to_proto(parse(text)) == segment


def test_a_name_is_a_field_unless_it_says_otherwise() -> None:
    """What a program sends by default is a name that is never taken for text."""
    name = pb.Value(name=pb.Name(name="Pro"))
    message = pb.Segment(is_empty=pb.IsEmpty(value=name))
    assert canonical(from_proto(message)) == "`Pro` is empty"


def test_json_of_the_message_is_the_message() -> None:
    """The messages survive protobuf's own JSON, which gateways use."""
    segment = parse('x in (1, "a") and did e between 1 and 2 times in last 3 weeks')
    written = json_format.MessageToJson(to_proto(segment))
    assert from_proto(json_format.Parse(written, pb.Segment())) == segment


VALUE = "{ name { name: 'x' } }"
ONE = "{ number: 1 }"
EQUAL = f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ right {ONE} }}"
BAD = {
    # nothing, too little, too much
    "": "segment: expected one condition to be set",
    "logic: LOGIC_UNSPECIFIED": "segment.logic: expected LOGIC_AND, LOGIC_OR or LOGIC_NOT, found 0",
    "logic: 7": "segment.logic: expected LOGIC_AND, LOGIC_OR or LOGIC_NOT, found 7",
    "logic: LOGIC_AND": "segment.items: expected two or more items for LOGIC_AND, found 0",
    "logic: LOGIC_OR items { everyone {} }": "segment.items: expected two or more items",
    "logic: LOGIC_NOT": "segment.items: expected one item for LOGIC_NOT, found 0",
    "logic: LOGIC_NOT items { everyone {} } items { everyone {} }": "segment.items: expected one",
    "logic: LOGIC_AND items { everyone {} } items {}": "segment.items[1]: expected one condition",
    "everyone {} items { everyone {} }": "segment.items: expected no items beside `everyone`",
    "compare {}": "segment.compare.left: expected `left` to be set",
    f"compare {{ left {VALUE} }}": "segment.compare.operator: expected one of COMPARE_OPERATOR_EQ,",
    f"compare {{ left {VALUE} operator: 99 right {ONE} }}": "found the unknown value 99",
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ }}": "segment.compare.right: expected",
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_GT"
    " right { ago { amount: 1 unit: DURATION_UNIT_DAY } } }": (
        "segment.compare.right: comparing `ago`"
    ),
    f"between {{ value {VALUE} low {ONE} }}": "segment.between.high: expected `high` to be set",
    f"is_in {{ value {VALUE} }}": "segment.is_in.options: expected one or more, found none",
    f"is_in {{ value {VALUE} options {ONE} options {{}} }}": (
        "segment.is_in.options[1]: expected one kind"
    ),
    f"text_match {{ value {VALUE} pattern: 'x' }}": "segment.text_match.operator: expected one of",
    f"contains_set {{ value {VALUE} mode: SET_MODE_ANY }}": (
        "segment.contains_set.options: expected"
    ),
    f"contains_set {{ value {VALUE} options: 'a' }}": "segment.contains_set.mode: expected one of",
    f"within {{ value {VALUE} direction: DIRECTION_LAST }}": "segment.within.duration: expected",
    f"within {{ value {VALUE} duration {{ amount: 1 unit: DURATION_UNIT_DAY }} }}": (
        "segment.within.direction: expected one of DIRECTION_LAST, DIRECTION_NEXT"
    ),
    f"age {{ value {VALUE} operator: COMPARE_OPERATOR_EQ duration {{}} }}": (
        "segment.age.operator: expected LT, LE, GT or GE for an age, found EQ"
    ),
    "in_list {}": "segment.in_list.names: expected one or more, found none",
    # numbers
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ right {{ number: nan }} }}": (
        "segment.compare.right.number: expected a finite number, found nan"
    ),
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ right {{ number: -inf }} }}": (
        "segment.compare.right.number: expected a finite number, found -inf"
    ),
    "sample { percent: -1 }": "segment.sample.percent: expected a share from 0% to 100%, found -1%",
    "sample { percent: nan }": "segment.sample.percent: expected a share from 0% to 100%",
    "did { event { name: 'e' } times { operator: TIMES_OPERATOR_EXACTLY n: -1 } }": (
        "segment.did.times: expected a number of events from 0, found -1"
    ),
    "did { event { name: 'e' } times { n: 1 } }": "segment.did.times.operator: expected one of",
    "did { event { name: 'e' } times { operator: TIMES_OPERATOR_BETWEEN n: 1 } }": (
        "segment.did.times.high: expected `high` for BETWEEN, and for nothing else"
    ),
    "did { event { name: 'e' } times { operator: TIMES_OPERATOR_EXACTLY n: 1 high: 2 } }": (
        "segment.did.times.high: expected `high` for BETWEEN, and for nothing else"
    ),
    "did { event { name: 'e' } times { operator: TIMES_OPERATOR_BETWEEN n: 3 high: 2 } }": (
        "segment.did.times: expected the smaller number first"
    ),
    "regularly { event { name: 'e' } at_least: 1 periods: 2 }": (
        "segment.regularly.period: expected"
    ),
    "regularly { event { name: 'e' } at_least: 3 periods: 2"
    " period { amount: 1 unit: DURATION_UNIT_DAY } }": "segment.regularly: expected from 1 to 2",
    "regularly { event { name: 'e' } at_least: 1 periods: 2"
    " period { amount: 0 unit: DURATION_UNIT_DAY } }": (
        "segment.regularly: expected periods of some"
    ),
    # times
    "did { event { name: 'e' } window {} }": "segment.did.window: expected one kind to be set",
    "did { event { name: 'e' } window { last { amount: 1 } } }": (
        "segment.did.window.last.unit: expected"
    ),
    "did { event { name: 'e' } window { last { amount: -1 unit: DURATION_UNIT_DAY } } }": (
        "segment.did.window.last.amount: expected a duration from 0, found -1 days"
    ),
    "did { event { name: 'e' } window { last { amount: 1001 unit: DURATION_UNIT_YEAR } } }": (
        "segment.did.window.last.amount: expected a duration of at most 1,000 years"
    ),
    "did { event { name: 'e' } window { period: 99 } }": (
        "segment.did.window.period: expected one of"
    ),
    "did { event { name: 'e' } window { between { low { moment: MOMENT_NOW } } } }": (
        "segment.did.window.between.high: expected `high` to be set"
    ),
    "did { event { name: 'e' }"
    " window { edge { edge: EDGE_SINCE time { name { name: 'x' } } } } }": (
        "segment.did.window.edge.time: expected a fixed time"
    ),
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ"
    " right { date { year: 2026 month: 2 day: 30 } } }": (
        "segment.compare.right.date: expected a day of the calendar, found 2026-2-30"
    ),
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ"
    " right { date { year: 10000 } } }": (
        "segment.compare.right.date: expected a day of the calendar, found 10000-0-0"
    ),
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ right {{ clock_time {{}} }} }}": (
        "segment.compare.right.clock_time.date: expected `date` to be set"
    ),
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ right {{ clock_time {{"
    " date { year: 1 month: 1 day: 1 } hour: 24 } } }": (
        "segment.compare.right.clock_time: expected a time"
    ),
    f"compare {{ left {VALUE} operator: COMPARE_OPERATOR_EQ right {{ clock_time {{"
    " date { year: 1 month: 1 day: 1 } offset_minutes: 1440 } } }": (
        "segment.compare.right.clock_time.offset_minutes: expected from -1439 to 1439 minutes"
    ),
    # names and values
    "did {}": "segment.did.event: expected `event` to be set",
    "did { event {} }": "segment.did.event.name: expected a name, found an empty one",
    "did { event { name: 'a\\nb' } }": "segment.did.event.name: expected a name without control",
    f"is_empty {{ value {VALUE} }} items {{}}": "segment.items: expected no items",
    "is_empty { value { name {} } }": "segment.is_empty.value.name.name: expected a name",
    "is_empty { value { name { name: 'a b' bare: true } } }": (
        "segment.is_empty.value.name.name: `a b` is no bare word"
    ),
    "is_empty { value { name { name: 'and' bare: true } } }": "`and` is no bare word",
    "is_empty { value { function: 'lenght' } }": (
        "segment.is_empty.value.function: unknown function"
    ),
    "is_empty { value { number: 1 operands { number: 1 } } }": (
        "segment.is_empty.value.operands: expected"
    ),
    "is_empty { value { arithmetic: ARITHMETIC_OPERATOR_ADD operands { number: 1 } } }": (
        "segment.is_empty.value.operands: expected 2 for this operator, found 1"
    ),
    "is_empty { value { arithmetic: 9 operands { number: 1 } operands { number: 1 } } }": (
        "segment.is_empty.value.arithmetic: expected one of"
    ),
    "is_empty { value { arithmetic: ARITHMETIC_OPERATOR_NEGATE operands { number: 1 } } }": (
        "segment.is_empty.value.operands[0]: expected a negative number"
    ),
    "is_empty { value { moment: MOMENT_UNSPECIFIED } }": (
        "segment.is_empty.value.moment: expected one of MOMENT_NOW, MOMENT_TODAY, MOMENT_YESTERDAY,"
        " MOMENT_TOMORROW, found MOMENT_UNSPECIFIED"
    ),
    "is_empty { value { event { event { name: 'e' } } } }": (
        "segment.is_empty.value.event.pick: expected"
    ),
    "is_empty { value { aggregate { operator: AGGREGATE_OPERATOR_SUM event { name: 'e' } } } }": (
        "segment.is_empty.value.aggregate.property: expected a name"
    ),
    # where
    "did { event { name: 'e' where { everyone {} } } }": (
        "segment.did.event.where.everyone: `where` compares properties of the event"
    ),
    "did { event { name: 'e' where { did { event { name: 'f' } } } } }": (
        "segment.did.event.where.did: `where` compares properties of the event"
    ),
    "did { event { name: 'e' where { is_empty { value { event { pick: EVENT_PICK_COUNT"
    " event { name: 'f' } } } } } } }": (
        "segment.did.event.where.is_empty.value.event: `where` compares properties of the event"
    ),
}


@pytest.mark.parametrize(("message", "expected"), BAD.items())
def test_a_message_that_is_no_tree_is_refused(message: str, expected: str) -> None:
    """Each of these is refused with its path and what was expected."""
    with pytest.raises(UserError) as refused:
        from_proto(text_format.Parse(message, pb.Segment()))
    error = refused.value
    assert expected in f"{error.field}: {error.message}"


def test_the_path_starts_where_the_request_says() -> None:
    """A segment inside a request is named by its place there."""
    with pytest.raises(UserError) as refused:
        from_proto(pb.Segment(), field="queries[3].segment")
    assert refused.value.field == "queries[3].segment"


def test_after_where_the_contact_may_be_asked_about_again() -> None:
    """That `where` takes no other events holds inside it only."""
    segment = parse("did e where (x = 1) and did f where (y = 2) and count(e where (x = 1)) > 1")
    assert from_proto(to_proto(segment)) == segment


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("x = 1 and everyone", "segment.items[0].compare.left"),
        ("not did e", "segment.items[0].did.event"),
        ("x in (1, 2)", "segment.is_in.options[1]"),
    ],
)
def test_a_field_that_the_server_does_not_know_is_refused(text: str, path: str) -> None:
    """A newer client may have turned the meaning around by it."""
    message = to_proto(parse(text))
    place: pb.Value = message
    for step in path.split(".")[1:]:
        name, _, index = step.rstrip("]").partition("[")
        place = getattr(place, name)
        place = place[int(index)] if index else place
    place.MergeFromString(bytes([0xF8, 0x07, 0x01]))  # field 127 = 1
    with pytest.raises(UserError, match="fields that this server knows") as refused:
        from_proto(message)
    assert refused.value.field == path


def test_an_unknown_condition_is_refused() -> None:
    """A member of the oneof that a newer client set is not taken for nothing."""
    with pytest.raises(UserError, match="found none that is known"):
        from_proto(pb.Segment.FromString(bytes([0xF8, 0x07, 0x01])))


def test_reasons_tell_what_to_do() -> None:
    """A wrong form, an impossible value and an unknown name are told apart."""
    for message, reason in (
        ("", Reason.SYNTAX),
        ("sample { percent: 101 }", Reason.INVALID_VALUE),
        ("is_empty { value { function: 'lenght' } }", Reason.UNKNOWN_NAME),
    ):
        with pytest.raises(UserError) as refused:
            from_proto(text_format.Parse(message, pb.Segment()))
        assert refused.value.reason is reason
    assert refused.value.suggestions == ("length",)


def test_every_condition_and_value_of_the_contract_can_be_read() -> None:
    """No member of a oneof is left without a reader."""
    from headcount.query import proto_reader

    def members(descriptor: Descriptor, oneof: str) -> set[str]:
        return {field.name for field in descriptor.oneofs_by_name[oneof].fields}

    reader = {name for name in vars(proto_reader._Reader) if not name.startswith("__")}
    assert {f"_{name}" for name in members(pb.Segment.DESCRIPTOR, "condition")} <= reader
    read = members(pb.Value.DESCRIPTOR, "kind")
    assert read == {
        "number", "text", "boolean", "date", "clock_time", "duration", "name", "moment", "ago",
        "arithmetic", "function", "event", "aggregate",
    }  # fmt: skip
